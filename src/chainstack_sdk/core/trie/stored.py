"""A state trie whose nodes live in a key-value store, copied on write: every committed root stays."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from chainstack_sdk.core.trie.decode import DecodedNode, decode_node, encode_node, lookup
from chainstack_sdk.core.trie.encoding import (
    BLANK,
    HASHED,
    checked_changes,
    checked_key,
    nibbles,
    recursion_room,
)
from chainstack_sdk.core.trie.rewrite import Rewrite
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.interfaces import KeyValueStore, StateTrie

CACHED_NODES = 8192
"""How many decoded nodes a trie and its views keep in memory together: 10 to 15 MB."""


class StoredTrie:
    """A Merkle-Patricia trie in a key-value store, with Ethereum's roots.

    Source: Yellow Paper, appendix D. A node is stored under ``prefix ‖ hash`` as its RLP; nodes are
    loaded when they are needed and checked against their hash. An update writes new nodes and leaves
    the old ones, so every root that was ever committed can be read for good. Keys may be of any
    length.

    Parameters
    ----------
    store
        Where the nodes are. Several tries may share a store and a prefix.
    root
        32 bytes, a root committed earlier, or that of the empty trie. Whether the store has it shows
        at the first read.
    prefix
        What store keys of nodes begin with.

    Raises
    ------
    UsageError
        When the root is not 32 bytes.
    """

    __slots__ = ("_cache", "_pending", "_prefix", "_root", "_store")

    def __init__(self, store: KeyValueStore, root: bytes = EMPTY_ROOT, *, prefix: bytes = b"n") -> None:
        if not isinstance(root, bytes) or len(root) != 32:
            raise UsageError("a trie root is 32 bytes", actual=root)
        self._store = store
        self._root = root
        self._prefix = prefix
        self._pending: Mapping[bytes, bytes] = {}
        self._cache: OrderedDict[bytes, DecodedNode] = OrderedDict()

    @property
    def root(self) -> bytes:
        """The 32-byte hash that commits to all keys and values."""
        return self._root

    def at(self, root: bytes) -> StoredTrie:
        """Return the trie with another root, sharing this one's store, cache and pending nodes.

        Raises
        ------
        UsageError
            When the root is not 32 bytes.
        """
        view = StoredTrie(self._store, root, prefix=self._prefix)
        view._cache = self._cache
        view._pending = self._pending
        return view

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or ``None`` when the key is absent.

        Raises
        ------
        UsageError
            When the key is not ``bytes``.
        InvalidInput
            When a node is missing from the store (``hash``) or damaged (``expected``, ``actual``).
        """
        return lookup(self._top(), nibbles(checked_key(key)), self._resolve)

    def update(self, changes: Mapping[bytes, bytes]) -> bytes:
        """Set the value of each key, all in one step; an empty value deletes its key.

        The new nodes are written in one atomic batch. Deleting an absent key changes nothing.

        Returns
        -------
        bytes
            The new root.

        Raises
        ------
        UsageError
            When a key or a value is not ``bytes``.
        InvalidInput
            When a node is missing from the store (``hash``) or damaged (``expected``, ``actual``).
            After either error the trie and the store are as they were.
        """
        root, created = self._rewrite(checked_changes(changes))
        if created:
            self._store.write_batch(created)
        self._root = root
        return root

    def update_into(self, changes: Mapping[bytes, bytes], puts: dict[bytes, bytes]) -> bytes:
        """Do what :meth:`update` does, but leave the writing to the caller.

        The new nodes are added to `puts` (store key to RLP), to become part of the caller's own atomic
        batch. From now on this trie, and views taken of it, read from `puts` before they read from the
        store. So several tries may fill one dict; it must be written before another one is handed in.
        To discard the update instead, drop the dict and go on from an older root.

        Returns
        -------
        bytes
            The new root.

        Raises
        ------
        UsageError
            As :meth:`update` does.
        InvalidInput
            As :meth:`update` does. After either error `puts` and the root are as they were.
        """
        changes = checked_changes(changes)
        self._pending = puts
        self._root, created = self._rewrite(changes)
        puts.update(created)
        return self._root

    def prove(self, key: bytes) -> tuple[bytes, ...]:
        """Return the proof that a key has its value, or that it is absent.

        Returns
        -------
        tuple of bytes
            The RLP of the nodes on the key's path, root first, as in ``eth_getProof``: nodes that are
            embedded in their parent are not listed again, and the empty trie's proof is empty.
            See :func:`verify_proof`.

        Raises
        ------
        UsageError
            When the key is not ``bytes``.
        InvalidInput
            When a node is missing from the store (``hash``) or damaged (``expected``, ``actual``).
        """
        proof: list[bytes] = []

        def resolve(own: bytes) -> DecodedNode:
            node = self._resolve(own)
            if own[0] == HASHED[0]:
                proof.append(encode_node(node))
            return node

        lookup(self._top(), nibbles(checked_key(key)), resolve)
        return tuple(proof)

    def _top(self) -> bytes:
        """Return the reference to the root node."""
        return BLANK if self._root == EMPTY_ROOT else HASHED + self._root

    def _rewrite(self, changes: Mapping[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
        """Return the root after the changes, and the store entries of the nodes that this takes."""
        if not changes:
            return self._root, {}
        batch = sorted([(nibbles(key), rlp_bytes(value)) for key, value in changes.items()])
        rewrite = Rewrite(self._resolve)
        with recursion_room(max(map(len, changes))):
            root = rewrite.run(self._top(), batch)
        puts: dict[bytes, bytes] = {}
        for hash_, (node, raw) in rewrite.created.items():
            puts[self._prefix + hash_] = raw
            self._remember(HASHED + hash_, node)
        return root, puts

    def _resolve(self, own: bytes) -> DecodedNode:
        """Return the node for a reference."""
        if own[0] != HASHED[0]:
            return decode_node(own)
        node = self._cache.get(own)
        if node is None:
            node = self._load(own[1:])
        self._remember(own, node)
        return node

    def _remember(self, own: bytes, node: DecodedNode) -> None:
        """Make a node the most recently used of the cache."""
        cache = self._cache
        cache[own] = node
        cache.move_to_end(own)
        if len(cache) > CACHED_NODES:
            cache.popitem(last=False)

    def _load(self, hash_: bytes) -> DecodedNode:
        name = self._prefix + hash_
        raw = self._pending.get(name) or self._store.get(name)
        if raw is None:
            raise InvalidInput("trie node is missing from the store", hash=hash_)
        actual = keccak256(raw)
        if actual != hash_:
            raise InvalidInput("trie node in the store is damaged", expected=hash_, actual=actual)
        return decode_node(raw)


if TYPE_CHECKING:
    _checked: type[StateTrie] = StoredTrie
