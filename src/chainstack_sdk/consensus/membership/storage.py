"""The membership contract's storage, in the layout of Solidity.

====  ==========================================================================
Slot  Value
====  ==========================================================================
0     blocks in a slot
1     1 when members govern the membership by votes, 0 when it is fixed
2     1 when only permitted accounts may send, 0 when everybody may
3     members: address[]
4     places: mapping from address to its place among the members, counted from 1
5     permitted senders: mapping from address to 1
6     ballots: mapping from motion to how often it was carried
7     votes: mapping from keccak(motion ‖ ballot ‖ member) to 1
10    committees by slot, as in the staking contract
====  ==========================================================================

A motion is keccak(topic u8 ‖ address ‖ admit u8). When it is carried its ballot moves on, so that old
votes do not count for the same motion later.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from chainstack_sdk.core.native.slots import MappingSlots, array_slot, slot
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage

MEMBERSHIP_ADDRESS = bytes.fromhex("000000000000000000000000000000000000c0de")
"""Where the membership contract lives on every chain that has one, 20 bytes."""

BLOCKS_PER_SLOT = slot(0)
GOVERNED = slot(1)
PERMISSIONED = slot(2)
MEMBERS = slot(3)
_PLACES = MappingSlots(4)
_SENDERS = MappingSlots(5)
_BALLOTS = MappingSlots(6)
_VOTES = MappingSlots(7)


class Topic(IntEnum):
    """What members vote on."""

    VALIDATOR = 0
    """Who validates."""
    SENDER = 1
    """Who may send, on chains where not everybody may."""


def read_members(storage: Storage) -> list[bytes]:
    """Return the members' addresses, in the order of the array."""
    return [
        storage.load(array_slot(MEMBERS, index)).to_bytes(20, "big") for index in range(storage.load(MEMBERS))
    ]


def is_member(storage: Storage, address: bytes) -> bool:
    """Tell whether an address validates, or will as soon as its slot has come."""
    return storage.load(_PLACES[address]) != 0


def add_member(storage: Storage, address: bytes) -> None:
    """Append one who is no member."""
    count = storage.load(MEMBERS)
    storage.store(array_slot(MEMBERS, count), int.from_bytes(address, "big"))
    storage.store(MEMBERS, count + 1)
    storage.store(_PLACES[address], count + 1)


def remove_member(storage: Storage, address: bytes) -> None:
    """Take out a member; the last one moves to its place."""
    place, count = storage.load(_PLACES[address]), storage.load(MEMBERS)
    last = storage.load(array_slot(MEMBERS, count - 1))
    storage.store(array_slot(MEMBERS, place - 1), last)
    storage.store(_PLACES[last.to_bytes(20, "big")], place)
    storage.store(array_slot(MEMBERS, count - 1), 0)
    storage.store(MEMBERS, count - 1)
    storage.store(_PLACES[address], 0)


def is_permitted(storage: Storage, address: bytes) -> bool:
    """Tell whether an account may send: everybody, or members and those they have admitted."""
    return (
        not storage.load(PERMISSIONED) or storage.load(_SENDERS[address]) != 0 or is_member(storage, address)
    )


def is_listed(storage: Storage, address: bytes) -> bool:
    """Tell whether an account is on the list of senders."""
    return storage.load(_SENDERS[address]) != 0


def set_listed(storage: Storage, address: bytes, listed: bool) -> None:
    """Put an account on the list of senders, or take it off."""
    storage.store(_SENDERS[address], int(listed))


def motion(topic: Topic, who: bytes, admit: bool) -> bytes:
    """Return the 32 bytes that stand for a motion."""
    return keccak256(bytes((topic,)) + who + bytes((admit,)))


def vote_slot(storage: Storage, moved: bytes, member: bytes) -> bytes:
    """Return the slot of a member's vote in the present ballot on a motion."""
    ballot = storage.load(_BALLOTS[moved])
    return _VOTES[keccak256(moved + ballot.to_bytes(32, "big") + member)]


def close_ballot(storage: Storage, moved: bytes) -> None:
    """Forget the votes of the present ballot on a motion."""
    storage.store(_BALLOTS[moved], storage.load(_BALLOTS[moved]) + 1)


def count_votes(storage: Storage, moved: bytes) -> int:
    """Return how many of the present members have voted for a motion."""
    return sum(storage.load(vote_slot(storage, moved, member)) for member in read_members(storage))
