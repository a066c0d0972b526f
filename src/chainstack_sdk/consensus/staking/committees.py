"""Committees in the staking contract's storage, by slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.staking.storage import COMMITTEES
from chainstack_sdk.core.native.slots import following, mapping_slot
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage

KEPT_SLOTS = 5
"""Slots whose committees are kept: once that of slot s is elected, those of s - 4 to s."""

_ADDRESS_BITS = 160
_WEIGHT_BITS = 64
_MISSED_SHIFT = _ADDRESS_BITS + _WEIGHT_BITS
_ONE_MISSED = 1 << _MISSED_SHIFT
_WORDS = 2
"""Words of a member: ``account | weight << 160 | missed << 224``, and the VRF key."""


def read_committee(storage: Storage, slot: int) -> ValidatorSet | None:
    """Return the committee of a slot, or None when there is none yet or no longer."""
    _, words = _members(storage, slot)
    if not words:
        return None
    mask = (1 << _WEIGHT_BITS) - 1
    return ValidatorSet(
        Validator(_address(head), head >> _ADDRESS_BITS & mask, key.to_bytes(32, "big") if key else b"")
        for head, key in ((storage.load(word), storage.load(following(word, 1))) for word in words)
    )


def read_members(storage: Storage, slot: int) -> list[bytes]:
    """Return the addresses of a slot's committee, ascending; empty when there is none."""
    return [_address(storage.load(word)) for word in _members(storage, slot)[1]]


def read_hash(storage: Storage, slot: int) -> bytes:
    """Return the hash of a slot's committee, 32 bytes; zeros when there is none."""
    return storage.load(_base(slot)).to_bytes(32, "big")


def write_committee(storage: Storage, slot: int, committee: ValidatorSet) -> None:
    """Write the committee of a slot that has none."""
    base = _base(slot)
    storage.store(base, int.from_bytes(committee.hash, "big"))
    storage.store(following(base, 1), len(committee))
    for member, word in zip(committee, _members(storage, slot)[1], strict=True):
        storage.store(word, int.from_bytes(member.address, "big") | member.weight << _ADDRESS_BITS)
        storage.store(following(word, 1), int.from_bytes(member.vrf_key, "big"))


def delete_committee(storage: Storage, slot: int) -> None:
    """Clear what is kept of a slot's committee, if anything."""
    base, words = _members(storage, slot)
    for word in words:
        storage.store(word, 0)
        storage.store(following(word, 1), 0)
    if words:
        storage.store(base, 0)
        storage.store(following(base, 1), 0)


def note_missed(storage: Storage, slot: int, index: int) -> None:
    """Count one more block of the slot whose certificate lacks a member's signature."""
    word = following(_first_word(_base(slot)), index * _WORDS)
    storage.store(word, storage.load(word) + _ONE_MISSED)


def read_missed(storage: Storage, slot: int) -> list[tuple[bytes, int]]:
    """Return for each member of a slot's committee its address and how many blocks it did not sign."""
    heads = [storage.load(word) for word in _members(storage, slot)[1]]
    return [(_address(head), head >> _MISSED_SHIFT) for head in heads]


def _base(slot: int) -> bytes:
    return mapping_slot(COMMITTEES, slot)


def _first_word(base: bytes) -> bytes:
    return keccak256(following(base, 1))


def _members(storage: Storage, slot: int) -> tuple[bytes, list[bytes]]:
    """Return the base of a slot's committee and the first word of each member."""
    base = _base(slot)
    first = _first_word(base)
    return base, [following(first, index * _WORDS) for index in range(storage.load(following(base, 1)))]


def _address(head: int) -> bytes:
    return (head & (1 << _ADDRESS_BITS) - 1).to_bytes(20, "big")
