"""The layout of the membership contract's storage."""

from __future__ import annotations

from chainstack_sdk.consensus.membership import storage as layout
from chainstack_sdk.consensus.membership.storage import Topic
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import accounts

PEOPLE = [each.address for each in accounts(3)]


def with_members(*members: bytes) -> MappingStorage:
    storage = MappingStorage({})
    for member in members:
        layout.add_member(storage, member)
    return storage


def test_members_lie_as_solidity_lays_out_an_array() -> None:
    storage = with_members(*PEOPLE)
    assert storage.values[3] == 3
    first = int.from_bytes(keccak256((3).to_bytes(32, "big")), "big")
    assert [storage.values[first + index] for index in range(3)] == [
        int.from_bytes(address, "big") for address in PEOPLE
    ]


def test_nothing_is_left_of_members_that_have_gone() -> None:
    storage = with_members(*PEOPLE)
    for gone in (PEOPLE[1], PEOPLE[0], PEOPLE[2]):
        layout.remove_member(storage, gone)
        assert not layout.is_member(storage, gone)
    assert layout.read_members(storage) == []
    assert not any(storage.values.values())


def test_a_member_comes_back_at_the_end() -> None:
    storage = with_members(*PEOPLE)
    layout.remove_member(storage, PEOPLE[0])
    layout.add_member(storage, PEOPLE[0])
    assert layout.read_members(storage) == [PEOPLE[2], PEOPLE[1], PEOPLE[0]]
    assert all(layout.is_member(storage, member) for member in PEOPLE)


def test_every_motion_and_every_ballot_has_votes_of_its_own() -> None:
    storage = with_members(*PEOPLE)
    motions = {
        layout.motion(topic, who, admit) for topic in Topic for who in PEOPLE[:2] for admit in (True, False)
    }
    assert len(motions) == 8
    moved = layout.motion(Topic.VALIDATOR, PEOPLE[0], True)
    before = layout.vote_slot(storage, moved, PEOPLE[0])
    storage.store(before, 1)
    assert layout.count_votes(storage, moved) == 1
    layout.close_ballot(storage, moved)
    assert layout.vote_slot(storage, moved, PEOPLE[0]) != before
    assert layout.count_votes(storage, moved) == 0


def test_senders_are_asked_for_only_where_permission_is_needed() -> None:
    storage = with_members(PEOPLE[0])
    assert layout.is_permitted(storage, PEOPLE[2])
    storage.store(layout.PERMISSIONED, 1)
    layout.set_listed(storage, PEOPLE[1], True)
    assert [layout.is_permitted(storage, each) for each in PEOPLE] == [True, True, False]
    layout.set_listed(storage, PEOPLE[1], False)
    assert not layout.is_listed(storage, PEOPLE[1])
