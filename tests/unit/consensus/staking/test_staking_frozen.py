"""Frozen weights in storage: written over, shortened, capped, and laid out as Solidity would."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.election import Candidate, elect
from chainstack_sdk.consensus.staking.frozen import (
    MAX_FROZEN_WEIGHT,
    FrozenWeight,
    draw,
    read_frozen,
    write_frozen,
)
from chainstack_sdk.consensus.staking.storage import MappingStorage, StateStorage
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives import UsageError, keccak256


def weights(*numbers):
    return [FrozenWeight(keccak256(b"%d" % number)[12:], number, number + 1) for number in numbers]


def test_there_and_back():
    storage = MappingStorage({})
    assert read_frozen(storage) == []
    for kept in (weights(0, 1, 2), weights(5, 1), weights(1, 6, 7, 8), []):
        write_frozen(storage, kept)
        assert read_frozen(storage) == kept
        used = 2 * len(kept) + bool(kept)
        assert sum(bool(value) for value in storage.values.values()) == used


def test_the_greatest_weights():
    storage = MappingStorage({})
    write_frozen(storage, [FrozenWeight(b"\xff" * 20, MAX_FROZEN_WEIGHT, 2**64 - 1)])
    assert read_frozen(storage) == [FrozenWeight(b"\xff" * 20, MAX_FROZEN_WEIGHT, 2**64 - 1)]
    write_frozen(storage, [FrozenWeight(b"\x01" * 20, 2**96, 1), FrozenWeight(b"\x02" * 20, 2**300, 1)])
    assert [one.weight for one in read_frozen(storage)] == [2**96 - 1] * 2


def test_a_negative_weight_is_refused():
    with pytest.raises(UsageError, match="not negative"):
        write_frozen(MappingStorage({}), [FrozenWeight(b"\x01" * 20, -1, 1)])


def test_the_layout_is_that_of_solidity():
    """``{address account; uint96 weight; uint64 votes}[]`` in slot 11."""
    storage = MappingStorage({})
    one, other = kept = weights(3, 4)
    write_frozen(storage, kept)
    first = int.from_bytes(keccak256((11).to_bytes(32, "big")), "big")
    assert storage.values == {
        11: 2,
        first: int.from_bytes(one.address, "big") + (3 << 160),
        first + 1: 4,
        first + 2: int.from_bytes(other.address, "big") + (4 << 160),
        first + 3: 5,
    }


def test_weights_that_stay_are_not_written_again():
    state = State()
    storage = StateStorage(state)
    write_frozen(storage, weights(1, 2, 3))
    mark = state.checkpoint()
    write_frozen(storage, weights(1, 2, 3))
    assert state.checkpoint() == mark
    write_frozen(storage, weights(1, 5, 3))
    assert state.checkpoint() == mark + 2


def test_a_draw_goes_by_weights_and_seats_votes_and_keys():
    seed = keccak256(b"seed")
    entrants = [(one, keccak256(one.address)) for one in weights(*range(9))]
    drawn = draw(seed, 4, entrants, 3)
    expected = elect(seed, 4, [Candidate(one.address, one.weight, key) for one, key in entrants], 3)
    assert [(one.address, one.vrf_key) for one in drawn] == [(one.address, one.vrf_key) for one in expected]
    assert [one.weight for one in drawn] == [one.weight + 1 for one in expected]
    assert draw(seed, 4, entrants[:1], 3) == draw(seed, 4, [], 3) == ()
