"""Proofs of an account and its storage under a state root, as in ``eth_getProof`` (EIP-1186)."""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.core.commitment import encode_account
from chainstack_sdk.core.trie import verify_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_int


@dataclass(frozen=True, slots=True)
class SlotProof:
    """One storage slot and the nodes that prove it."""

    slot: bytes
    """32 bytes, big-endian."""
    value: int
    nodes: tuple[bytes, ...]
    """RLP nodes from the storage root, for the key keccak(slot)."""


@dataclass(frozen=True, slots=True)
class AccountProof:
    """What an account holds at a block, or that it does not exist, with the nodes that prove it."""

    address: bytes
    """20 bytes."""
    nonce: int
    balance: int
    """Wei."""
    storage_root: bytes
    code_hash: bytes
    nodes: tuple[bytes, ...]
    """RLP nodes from the state root, for the key keccak(address)."""
    storage: tuple[SlotProof, ...]
    height: int
    """The block whose state root the proof is for."""

    def verify(self, state_root: bytes) -> None:
        """Check the proof against the state root of a block one trusts, 32 bytes.

        Raises
        ------
        InvalidInput
            When any node or value does not fit.
        """
        self._validate_form()
        expected = self._leaf()
        actual = verify_proof(state_root, keccak256(self.address), self.nodes)
        if actual != expected:
            raise InvalidInput("the account is not as the proof says", address=self.address)
        for slot in self.storage:
            leaf = rlp_int(slot.value) if slot.value else None
            if verify_proof(self.storage_root, keccak256(slot.slot), slot.nodes) != leaf:
                raise InvalidInput("the slot is not as the proof says", slot=slot.slot)

    def _validate_form(self) -> None:
        """Refuse sizes that a leaf cannot have: the encoding below would be ambiguous."""
        sizes = (len(self.address), len(self.storage_root), len(self.code_hash))
        if sizes != (20, 32, 32) or any(len(slot.slot) != 32 for slot in self.storage):
            raise InvalidInput("a part of the account proof has a wrong size", address=self.address)
        numbers = (self.balance, *(slot.value for slot in self.storage))
        if not 0 <= self.nonce < 1 << 64 or not all(0 <= number < 1 << 256 for number in numbers):
            raise InvalidInput("a number in the account proof is out of range", address=self.address)

    def _leaf(self) -> bytes | None:
        facts = (self.nonce, self.balance, self.storage_root, self.code_hash)
        return None if facts == (0, 0, EMPTY_ROOT, EMPTY_HASH) else encode_account(*facts)
