"""Committees in storage: written, read, cleared without a trace, and laid out as Solidity would."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.staking.committees import (
    delete_committee,
    note_missed,
    read_committee,
    read_hash,
    read_members,
    read_missed,
    write_committee,
)
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.primitives import keccak256


def committee(size, *, keys=True):
    return ValidatorSet(
        Validator(
            keccak256(b"%d" % number)[12:],
            number + 1,
            keccak256(b"key %d" % number) if keys else b"",
        )
        for number in range(size)
    )


@pytest.mark.parametrize("size", [1, 2, 22, 1_024])
@pytest.mark.parametrize("keys", [True, False])
def test_there_and_back(size, keys):
    storage, members = MappingStorage({}), committee(size, keys=keys)
    write_committee(storage, 5, members)
    assert read_committee(storage, 5) == members
    assert read_members(storage, 5) == [member.address for member in members]
    assert read_hash(storage, 5) == members.hash
    assert read_missed(storage, 5) == [(member.address, 0) for member in members]


def test_the_greatest_weight():
    members = ValidatorSet([Validator(b"\xff" * 20, 2**64 - 1, b"\xff" * 32)])
    storage = MappingStorage({})
    write_committee(storage, 2**64 - 1, members)
    note_missed(storage, 2**64 - 1, 0)
    assert read_committee(storage, 2**64 - 1) == members
    assert read_missed(storage, 2**64 - 1) == [(b"\xff" * 20, 1)]


def test_a_slot_without_committee():
    storage = MappingStorage({})
    assert read_committee(storage, 3) is None
    assert read_members(storage, 3) == read_missed(storage, 3) == []
    assert read_hash(storage, 3) == bytes(32)
    delete_committee(storage, 3)
    assert storage.values == {}


def test_deleting_leaves_nothing_and_touches_no_other():
    storage = MappingStorage({})
    write_committee(storage, 0, committee(3))
    before = dict(storage.values)
    write_committee(storage, 1, committee(5))
    note_missed(storage, 1, 4)
    delete_committee(storage, 1)
    assert {slot: value for slot, value in storage.values.items() if value} == before


def test_missed_blocks_are_counted_by_member():
    storage, members = MappingStorage({}), committee(3)
    write_committee(storage, 1, members)
    for index in (0, 2, 2):
        note_missed(storage, 1, index)
    assert [missed for _, missed in read_missed(storage, 1)] == [1, 0, 2]
    assert read_committee(storage, 1) == members


def test_the_layout_is_that_of_solidity():
    """``mapping(uint256 => Committee)`` in slot 10, whose second word is the length of a ``Member[]``."""

    def word(number):
        return number.to_bytes(32, "big")

    members = committee(2)
    storage = MappingStorage({})
    write_committee(storage, 7, members)
    base = int.from_bytes(keccak256(word(7) + word(10)), "big")
    first = int.from_bytes(keccak256(word(base + 1)), "big")
    one, other = members
    assert storage.values == {
        base: int.from_bytes(members.hash, "big"),
        base + 1: 2,
        first: int.from_bytes(one.address, "big") + (one.weight << 160),
        first + 1: int.from_bytes(one.vrf_key, "big"),
        first + 2: int.from_bytes(other.address, "big") + (other.weight << 160),
        first + 3: int.from_bytes(other.vrf_key, "big"),
    }
