"""The default state trie: all nodes decoded in memory, updated in place, one batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.trie.encoding import checked_changes, checked_key, recursion_room
from chainstack_sdk.core.trie.merge import merge
from chainstack_sdk.core.trie.nodes import (
    BELOW,
    BIT,
    Branch,
    Extension,
    Node,
    extension_payload,
    leaf_payload,
    nibble,
    shared_steps,
)
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import list_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chainstack_sdk.core.interfaces import StateTrie


class MerklePatriciaTrie:
    """A Merkle-Patricia trie in memory, with Ethereum's roots, for batches of changes.

    Source: Yellow Paper, appendix D. Keys may be of any length, also empty or prefixes of each
    other; tries of 32-byte keys (hashes) are what it is fast for. Only the latest root is kept: see
    :class:`StoredTrie` for old ones. Not for use by several threads at once.

    Parameters
    ----------
    items
        The first contents; an empty value stands for absence.

    Raises
    ------
    UsageError
        When a key or a value is not ``bytes``.

    Examples
    --------
    >>> trie = MerklePatriciaTrie({b"do": b"verb", b"dog": b"puppy"})
    >>> trie.update({b"doge": b"coin", b"do": b""}) == trie.root
    True
    >>> trie.get(b"dog"), trie.get(b"do")
    (b'puppy', None)
    """

    __slots__ = ("_node", "_root")

    def __init__(self, items: Mapping[bytes, bytes] | None = None) -> None:
        self._node: Node | None = None
        self._root = EMPTY_ROOT
        if items:
            self.update(items)

    @property
    def root(self) -> bytes:
        """The 32-byte hash that commits to all keys and values."""
        return self._root

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or ``None`` when the key is absent.

        Raises
        ------
        UsageError
            When the key is not ``bytes``.
        """
        for node, _ in self._descend(checked_key(key)):
            if isinstance(node, tuple) and node[0] == key:
                return node[1]
        return None

    def update(self, changes: Mapping[bytes, bytes]) -> bytes:
        """Set the value of each key, all in one step; an empty value deletes its key.

        Deleting an absent key changes nothing. The work is proportional to the number of nodes that
        change, each of which is hashed once, so one batch of many changes is far cheaper than many
        batches.

        Returns
        -------
        bytes
            The new root.

        Raises
        ------
        UsageError
            When a key or a value is not ``bytes``; the trie is as it was.
        """
        changes = checked_changes(changes)
        if not changes:
            return self._root
        keys = sorted(changes)
        values = [changes[key] for key in keys]
        with recursion_room(max(map(len, keys))):
            self._node, own = merge(self._node, keys, values, 0, len(keys), 0)
        self._root = keccak256(own)
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
        """
        proof: list[bytes] = []
        for node, depth in self._descend(checked_key(key)):
            if depth > 2 * len(key):  # the branch above holds this value itself
                break
            payload = _payload(node, depth)
            raw = list_header(len(payload)) + payload
            if len(raw) > 31 or not proof:
                proof.append(raw)
        return tuple(proof)

    def _descend(self, key: bytes) -> Iterator[tuple[Node, int]]:
        """Yield the nodes on the path of a key with their depths, as far as the path exists."""
        node, depth = self._node, 0
        while node is not None:
            yield node, depth
            if isinstance(node, Branch):
                slot = nibble(key, depth)
                if not node.mask & BIT[slot]:
                    return
                node = node.children[(node.mask & BELOW[slot]).bit_count()]
                depth += 1
            elif isinstance(node, Extension) and shared_steps(key, node.path, depth) == len(node.path):
                depth += len(node.path)
                node = node.child
            else:
                return


def _payload(node: Node, depth: int) -> bytes:
    if isinstance(node, Branch):
        return node.payload
    if isinstance(node, Extension):
        return extension_payload(node.path, node.reference)
    return leaf_payload(node[0], node[1], depth)


if TYPE_CHECKING:
    _checked: type[StateTrie] = MerklePatriciaTrie
