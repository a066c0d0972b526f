"""Validators in the staking contract's storage: deposits, keys, and who stands for election."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.staking.storage import CANDIDATES, KEY_OWNERS, VALIDATORS
from chainstack_sdk.core.native.slots import MappingSlots, array_slot, following

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage

_VALIDATORS = MappingSlots(VALIDATORS)
_KEY_OWNERS = MappingSlots(KEY_OWNERS)
_STATUS_SHIFT = 16
_UNLOCK_SHIFT = _STATUS_SHIFT + 8
_SINCE_SHIFT = _UNLOCK_SHIFT + 64
_PLACE_SHIFT = _SINCE_SHIFT + 64
_UINT64 = (1 << 64) - 1


class Status(IntEnum):
    """Where a validator stands."""

    UNKNOWN = 0
    """Never registered."""
    REGISTERED = 1
    """Stands for election."""
    UNREGISTERED = 2
    """Does not; its deposit waits to be withdrawn."""
    WITHDRAWN = 3
    """Has its deposit back, and may register again."""
    SLASHED = 4
    """Has lost its deposit, and may not."""


@dataclass(slots=True)
class ValidatorRecord:
    """What the chain knows of a validator."""

    deposit: int = 0
    """Wei."""
    vrf_key: bytes = bytes(32)
    """32 bytes."""
    performance: int = 0
    """Per mille: see :mod:`~chainstack_sdk.consensus.reputation`."""
    status: Status = Status.UNKNOWN
    unlock_slot: int = 0
    """The first slot in which the deposit may be withdrawn; 0 while registered."""
    since: int = 0
    """Height of the block in which it registered last."""
    place: int = 0
    """Its place among the candidates, counted from 1; 0 when it is none."""

    @property
    def is_liable(self) -> bool:
        """Whether there is a deposit to lose."""
        return self.status in (Status.REGISTERED, Status.UNREGISTERED)


def read_validator(storage: Storage, address: bytes) -> ValidatorRecord:
    """Return what is known of an address, 20 bytes."""
    base = _VALIDATORS[address]
    packed = storage.load(following(base, 2))
    return ValidatorRecord(
        deposit=storage.load(base),
        vrf_key=storage.load(following(base, 1)).to_bytes(32, "big"),
        performance=packed & 0xFFFF,
        status=Status(packed >> _STATUS_SHIFT & 0xFF),
        unlock_slot=packed >> _UNLOCK_SHIFT & _UINT64,
        since=packed >> _SINCE_SHIFT & _UINT64,
        place=packed >> _PLACE_SHIFT & _UINT64,
    )


def write_validator(storage: Storage, address: bytes, record: ValidatorRecord) -> None:
    """Write all of what is known of an address."""
    base = _VALIDATORS[address]
    storage.store(base, record.deposit)
    storage.store(following(base, 1), int.from_bytes(record.vrf_key, "big"))
    write_standing(storage, address, record)


def write_standing(storage: Storage, address: bytes, record: ValidatorRecord) -> None:
    """Write all but the deposit and the key: one slot."""
    packed = (
        record.performance
        | record.status << _STATUS_SHIFT
        | record.unlock_slot << _UNLOCK_SHIFT
        | record.since << _SINCE_SHIFT
        | record.place << _PLACE_SHIFT
    )
    storage.store(following(_VALIDATORS[address], 2), packed)


def write_deposit(storage: Storage, address: bytes, deposit: int) -> None:
    """Write a deposit in wei: one slot."""
    storage.store(_VALIDATORS[address], deposit)


def candidates(storage: Storage) -> list[bytes]:
    """Return the addresses that stand for election, in no particular order but the same everywhere."""
    count = storage.load(CANDIDATES)
    return [_candidate(storage, index) for index in range(count)]


def add_candidate(storage: Storage, address: bytes, record: ValidatorRecord) -> None:
    """Append an address to the candidates and note its place in its record, which the caller writes."""
    count = storage.load(CANDIDATES)
    storage.store(array_slot(CANDIDATES, count), int.from_bytes(address, "big"))
    storage.store(CANDIDATES, count + 1)
    record.place = count + 1


def remove_candidate(storage: Storage, record: ValidatorRecord) -> None:
    """Take a validator out of the candidates, if it is one; the last of them moves to its place.

    The caller writes the record.
    """
    if not record.place:
        return
    last = storage.load(CANDIDATES)
    if record.place != last:
        moved = _candidate(storage, last - 1)
        storage.store(array_slot(CANDIDATES, record.place - 1), int.from_bytes(moved, "big"))
        other = read_validator(storage, moved)
        other.place = record.place
        write_standing(storage, moved, other)
    storage.store(array_slot(CANDIDATES, last - 1), 0)
    storage.store(CANDIDATES, last - 1)
    record.place = 0


def key_owner(storage: Storage, vrf_key: bytes) -> bytes | None:
    """Return the address that has registered a VRF key, ever, or None."""
    owner = storage.load(_KEY_OWNERS[vrf_key])
    return owner.to_bytes(20, "big") if owner else None


def take_key(storage: Storage, vrf_key: bytes, owner: bytes) -> None:
    """Note for good whose a VRF key is."""
    storage.store(_KEY_OWNERS[vrf_key], int.from_bytes(owner, "big"))


def _candidate(storage: Storage, index: int) -> bytes:
    return storage.load(array_slot(CANDIDATES, index)).to_bytes(20, "big")
