"""The delegation contract's storage: where everything lies, in the layout of Solidity.

====  ==========================================================================
Slot  Value
====  ==========================================================================
0     blocks in an epoch
1     seats
2     minimum deposit, wei
3     milliseconds from one turn to the next
4     newest epoch whose delegates are fixed
5     candidates: address[]
6     mapping from address to ``{uint256 deposit; uint256 votes; uint256 place}``; the place is the
      index among the candidates plus one, 0 for no candidate
7     locked: mapping from voter to mapping from candidate to wei
8     unlocking: mapping from address to ``{uint256 wei; uint256 epoch}``
9     delegates: mapping from epoch to address[]
====  ==========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.core.native.slots import array_slot, following, mapping_slot, slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.staking.storage import Storage

DELEGATION_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004304")
"""Where the delegation contract lives on every chain that has one, 20 bytes."""

BLOCKS_PER_EPOCH = slot(0)
SEATS = slot(1)
MINIMUM_DEPOSIT = slot(2)
INTERVAL_MS = slot(3)
NEWEST_EPOCH = slot(4)
_CANDIDATES = slot(5)
_RECORDS = slot(6)
_LOCKED = slot(7)
_UNLOCKING = slot(8)
_DELEGATES = slot(9)


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """What the contract keeps of a candidate, or of one who was."""

    deposit: int = 0
    """Wei."""
    votes: int = 0
    """Wei that voters have locked for it."""
    place: int = 0
    """Its index in the list of candidates plus one; 0 when it is not a candidate."""


def candidate_count(storage: Storage) -> int:
    """Return how many candidates there are."""
    return storage.load(_CANDIDATES)


def read_candidates(storage: Storage) -> list[bytes]:
    """Return the addresses of all candidates, 20 bytes each, in the order of the list."""
    return _read_addresses(storage, _CANDIDATES)


def read_record(storage: Storage, candidate: bytes) -> CandidateRecord:
    """Return what is kept of an address; zeros when nothing is."""
    base = mapping_slot(_RECORDS, candidate)
    return CandidateRecord(*(storage.load(following(base, field)) for field in range(3)))


def write_record(storage: Storage, candidate: bytes, record: CandidateRecord) -> None:
    """Keep a candidate's deposit, votes and place."""
    base = mapping_slot(_RECORDS, candidate)
    for field, value in enumerate((record.deposit, record.votes, record.place)):
        storage.store(following(base, field), value)


def append_candidate(storage: Storage, candidate: bytes) -> int:
    """Put an address at the end of the list of candidates and return its place."""
    place = storage.load(_CANDIDATES) + 1
    storage.store(array_slot(_CANDIDATES, place - 1), int.from_bytes(candidate, "big"))
    storage.store(_CANDIDATES, place)
    return place


def remove_candidate(storage: Storage, place: int) -> None:
    """Take the address at a place off the list; the last one moves there."""
    count = storage.load(_CANDIDATES)
    last_slot = array_slot(_CANDIDATES, count - 1)
    last = storage.load(last_slot)
    if place != count:
        storage.store(array_slot(_CANDIDATES, place - 1), last)
        moved = mapping_slot(_RECORDS, last.to_bytes(20, "big"))
        storage.store(following(moved, 2), place)
    storage.store(last_slot, 0)
    storage.store(_CANDIDATES, count - 1)


def locked_slot(voter: bytes, candidate: bytes) -> bytes:
    """Return the slot of the wei that a voter has locked for a candidate."""
    return mapping_slot(mapping_slot(_LOCKED, voter), candidate)


def unlocking_slots(account: bytes) -> tuple[bytes, bytes]:
    """Return the slots of the wei that wait for an account and of the epoch from which it may have them."""
    base = mapping_slot(_UNLOCKING, account)
    return base, following(base, 1)


def read_delegates(storage: Storage, epoch: int) -> ValidatorSet | None:
    """Return the delegates of an epoch, one vote each, or None when they are not fixed or forgotten."""
    addresses = _read_addresses(storage, mapping_slot(_DELEGATES, epoch))
    return ValidatorSet(Validator(address, 1) for address in addresses) if addresses else None


def write_delegates(storage: Storage, epoch: int, addresses: Sequence[bytes]) -> None:
    """Fix the delegates of an epoch, or forget them when there are none."""
    base = mapping_slot(_DELEGATES, epoch)
    before = storage.load(base)
    storage.store(base, len(addresses))
    for index, address in enumerate(addresses):
        storage.store(array_slot(base, index), int.from_bytes(address, "big"))
    for index in range(len(addresses), before):
        storage.store(array_slot(base, index), 0)


def _read_addresses(storage: Storage, base: bytes) -> list[bytes]:
    count = storage.load(base)
    return [storage.load(array_slot(base, index)).to_bytes(20, "big") for index in range(count)]
