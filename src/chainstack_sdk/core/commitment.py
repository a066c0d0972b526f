"""From changed values to state roots and proofs.

Account leaves are RLP ``[nonce, balance, storage_root, code_hash]`` under keccak(address); storage leaves
are the RLP integer under keccak(slot): the root of the same accounts equals Ethereum's (Yellow Paper,
section 4.1). An account with zero nonce, zero balance and no code does not exist (EIP-161).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from chainstack_sdk.core.trie import MerklePatriciaTrie
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import list_header, rlp_int

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.core.interfaces import StateTrie

AccountLeaf: TypeAlias = tuple[int, int, bytes]
"""(nonce, balance in wei, code)."""

_PLAIN_ACCOUNT_TAIL = b"\xa0" + EMPTY_ROOT + b"\xa0" + EMPTY_HASH
_PLAIN_ACCOUNT_HEADERS = [list_header(size + len(_PLAIN_ACCOUNT_TAIL)) for size in range(64)]
"""By the size of the encoded nonce and balance."""
_CACHE_LIMIT = 16_384

_hashed_keys: dict[bytes, bytes] = {}


class Commitment(Protocol):
    """The authenticated side of a state."""

    @property
    def lazy(self) -> bool:
        """Whether accounts may exist that the state's tables do not hold."""
        ...

    @property
    def root(self) -> bytes:
        """The 32-byte state root."""
        ...

    def commit(
        self, accounts: Mapping[bytes, AccountLeaf], storage: Mapping[bytes, Mapping[bytes, int]]
    ) -> bytes:
        """Write changed slots, then every account named (those with changed slots among them)."""
        ...

    def load_account(self, address: bytes) -> AccountLeaf:
        """Return an account as committed; only a lazy commitment is asked."""
        ...

    def load_slot(self, address: bytes, slot: bytes) -> int:
        """Return a storage value as committed; only a lazy commitment is asked."""
        ...

    def reset(self, root: bytes) -> None:
        """Go to another root ever committed; only a lazy commitment is asked."""
        ...

    def at(self, root: bytes) -> Commitment:
        """Return the commitment at another root ever committed; only a lazy one is asked."""
        ...

    def storage_root(self, address: bytes) -> bytes:
        """Return the root of a contract's storage, 32 bytes."""
        ...

    def prove_account(self, address: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove the account's leaf or its absence."""
        ...

    def prove_slot(self, address: bytes, slot: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove a slot's value or its absence under the storage root."""
        ...


def secure_key(key: bytes) -> bytes:
    """Return keccak(key): the trie key of an address or a slot."""
    hashed = _hashed_keys.get(key)
    if hashed is None:
        if len(_hashed_keys) >= _CACHE_LIMIT:
            _hashed_keys.clear()
        hashed = _hashed_keys[key] = keccak256(key)
    return hashed


def _lookup(count: int) -> Callable[[bytes], bytes | None]:
    """Return what may know the hashes of so many keys; many at once would only push out the usual ones."""
    return _hashed_keys.get if count < _CACHE_LIMIT else keccak256


def encode_account(nonce: int, balance: int, storage_root: bytes, code_hash: bytes) -> bytes:
    """Return RLP ``[nonce, balance, storage_root, code_hash]``."""
    payload = b"".join((rlp_int(nonce), rlp_int(balance), b"\xa0", storage_root, b"\xa0", code_hash))
    return list_header(len(payload)) + payload


def slot_leaves(slots: Mapping[bytes, int]) -> dict[bytes, bytes]:
    """Return trie key to leaf for some slots; 0 becomes the deleting empty value."""
    hashed = _lookup(len(slots))
    return {
        hashed(slot) or secure_key(slot): rlp_int(value) if value else b"" for slot, value in slots.items()
    }


class FlatCommitment:
    """Tries in memory, for states whose values all live in tables.

    Parameters
    ----------
    new_trie
        Makes an empty trie; called once for the accounts and once for each contract.
    """

    lazy = False

    def __init__(self, new_trie: Callable[[], StateTrie] = MerklePatriciaTrie) -> None:
        self._new_trie = new_trie
        self._accounts = new_trie()
        self._storages: dict[bytes, StateTrie] = {}

    @property
    def root(self) -> bytes:
        """The 32-byte state root."""
        return self._accounts.root

    def commit(
        self, accounts: Mapping[bytes, AccountLeaf], storage: Mapping[bytes, Mapping[bytes, int]]
    ) -> bytes:
        """Update storage tries, then the leaves of all accounts named; return the root."""
        for address, slots in storage.items():
            trie = self._storages.get(address)
            if trie is None:
                trie = self._storages[address] = self._new_trie()
            trie.update(slot_leaves(slots))
        leaves = {}
        hashed, storages = _lookup(len(accounts)), self._storages
        for address, (nonce, balance, code) in accounts.items():
            if code or address in storages:
                leaf = self._contract_leaf(address, nonce, balance, code)
            elif nonce or balance:
                numbers = rlp_int(nonce) + rlp_int(balance)
                leaf = _PLAIN_ACCOUNT_HEADERS[len(numbers)] + numbers + _PLAIN_ACCOUNT_TAIL
            else:
                leaf = b""
            leaves[hashed(address) or secure_key(address)] = leaf
        return self._accounts.update(leaves)

    def _contract_leaf(self, address: bytes, nonce: int, balance: int, code: bytes) -> bytes:
        root = self.storage_root(address)
        if root == EMPTY_ROOT:
            self._storages.pop(address, None)
            if not (nonce or balance or code):
                return b""
        return encode_account(nonce, balance, root, secure_key(code))

    def load_account(self, address: bytes) -> AccountLeaf:
        """Refuse: the tables hold everything."""
        raise UsageError("a flat commitment holds no values", address=address)

    def load_slot(self, address: bytes, slot: bytes) -> int:
        """Refuse: the tables hold everything."""
        raise UsageError("a flat commitment holds no values", address=address)

    def reset(self, root: bytes) -> None:
        """Refuse: only the newest root is kept."""
        raise UsageError("a flat commitment keeps one root", expected=self.root, actual=root)

    def at(self, root: bytes) -> FlatCommitment:
        """Refuse: only the newest root is kept."""
        raise UsageError("a flat commitment keeps one root", expected=self.root, actual=root)

    def storage_root(self, address: bytes) -> bytes:
        """Return the root of a contract's storage, 32 bytes."""
        trie = self._storages.get(address)
        return EMPTY_ROOT if trie is None else trie.root

    def prove_account(self, address: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove the account's leaf or its absence."""
        return self._accounts.prove(keccak256(address))

    def prove_slot(self, address: bytes, slot: bytes) -> tuple[bytes, ...]:
        """Return trie nodes that prove a slot's value or its absence under the storage root."""
        trie = self._storages.get(address)
        return () if trie is None else trie.prove(keccak256(slot))
