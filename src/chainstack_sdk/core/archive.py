"""States kept as trie nodes: every block's state stays readable, and none need fit in memory.

The price is time and disk: a block writes each new node, about forty times the work of flat values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.commitment import encode_account, secure_key, slot_leaves
from chainstack_sdk.core.trie import StoredTrie
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.commitment import AccountLeaf, Commitment
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.interfaces import KeyValueStore
    from chainstack_sdk.core.ledger import StateCodec
    from chainstack_sdk.core.state import State


class StoredCommitment:
    """Account and storage tries in a key-value store, read when asked.

    Parameters
    ----------
    store
        Holds nodes under ``n ‖ hash`` and code under ``c ‖ hash``.
    root
        A state root committed earlier, 32 bytes.
    """

    lazy = True

    def __init__(self, store: KeyValueStore, root: bytes = EMPTY_ROOT) -> None:
        self._store = store
        self._trie = StoredTrie(store, root)
        self._pending: dict[bytes, bytes] = {}

    @property
    def root(self) -> bytes:
        """The 32-byte state root."""
        return self._trie.root

    def at(self, root: bytes) -> StoredCommitment:
        """Return the commitment at another root that has been written, sharing store and cache."""
        view = StoredCommitment(self._store, root)
        view._trie = self._trie.at(root)
        return view

    def reset(self, root: bytes) -> None:
        """Go to another root that has been written, and drop what awaits writing."""
        self._pending = {}
        self._trie = self._trie.at(root)

    def take_writes(self) -> dict[bytes, bytes]:
        """Return the entries that await writing; the caller writes them in its own batch."""
        writes, self._pending = self._pending, {}
        return writes

    def commit(
        self, accounts: Mapping[bytes, AccountLeaf], storage: Mapping[bytes, Mapping[bytes, int]]
    ) -> bytes:
        """Update storage tries, then the leaves of all accounts named; return the root."""
        leaves: dict[bytes, bytes] = {}
        for address, (nonce, balance, code) in accounts.items():
            root = self.storage_root(address)
            if address in storage:
                root = self._trie.at(root).update_into(slot_leaves(storage[address]), self._pending)
            exists = nonce or balance or code or root != EMPTY_ROOT
            leaves[secure_key(address)] = (
                encode_account(nonce, balance, root, self._keep_code(code)) if exists else b""
            )
        return self._trie.update_into(leaves, self._pending)

    def load_account(self, address: bytes) -> AccountLeaf:
        """Return (nonce, balance, code) of an account as committed.

        Raises
        ------
        InvalidInput
            When the store is damaged.
        """
        nonce, balance, _root, code_hash = self._leaf(address)
        return nonce, balance, self._code(code_hash)

    def load_slot(self, address: bytes, slot: bytes) -> int:
        """Return a storage value as committed.

        Raises
        ------
        InvalidInput
            When the store is damaged.
        """
        root = self.storage_root(address)
        if root == EMPTY_ROOT:
            return 0
        value = self._trie.at(root).get(secure_key(slot))
        if value is None:
            return 0
        payload = rlp_decode(value)
        if not isinstance(payload, bytes):
            raise InvalidInput("a storage value is a string", address=address, slot=slot)
        return decode_int(payload)

    def storage_root(self, address: bytes) -> bytes:
        """Return the root of a contract's storage, 32 bytes."""
        return self._leaf(address)[2]

    def prove_account(self, address: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove the account's leaf or its absence."""
        return self._trie.prove(keccak256(address))

    def prove_slot(self, address: bytes, slot: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove a slot's value or its absence under the storage root."""
        return self._trie.at(self.storage_root(address)).prove(keccak256(slot))

    def _leaf(self, address: bytes) -> tuple[int, int, bytes, bytes]:
        leaf = self._trie.get(secure_key(address))
        if leaf is None:
            return 0, 0, EMPTY_ROOT, EMPTY_HASH
        match rlp_decode(leaf):
            case [bytes(nonce), bytes(balance), bytes(root), bytes(code_hash)]:
                return decode_int(nonce, 8), decode_int(balance), root, code_hash
        raise InvalidInput("an account leaf is a list of four strings", address=address)

    def _keep_code(self, code: bytes) -> bytes:
        if not code:
            return EMPTY_HASH
        code_hash = secure_key(code)
        key = b"c" + code_hash
        if key not in self._pending and self._store.get(key) is None:
            self._pending[key] = code
        return code_hash

    def _code(self, code_hash: bytes) -> bytes:
        if code_hash == EMPTY_HASH:
            return b""
        key = b"c" + code_hash
        code = self._pending.get(key) or self._store.get(key)
        if code is None or keccak256(code) != code_hash:
            raise InvalidInput("code is missing from the store or damaged", hash=code_hash)
        return code


class NodeCodec:
    """Keeps the state as the nodes of a :class:`StoredCommitment`."""

    name = b"nodes"
    needs_undo = False

    def __init__(self, commitment: StoredCommitment) -> None:
        self._commitment = commitment

    def writes(self, state: State, diff: StateDiff) -> tuple[dict[bytes, bytes], list[bytes]]:
        """Return the nodes that await writing; old ones stay."""
        state.forget()
        return self._commitment.take_writes(), []

    def load(self, store: KeyValueStore, state: State, root: bytes) -> None:
        """Go to the root; everything else is read when asked."""
        self._commitment.reset(root)


if TYPE_CHECKING:
    _commitment: type[Commitment] = StoredCommitment
    _codec: type[StateCodec] = NodeCodec
