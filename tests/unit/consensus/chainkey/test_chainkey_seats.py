"""Seats: both promises, by trying every set of members."""

from __future__ import annotations

import pytest
from ceremony_kit import committee, equal

from chainstack_sdk.consensus.chainkey.seats import Seats, seats_of
from chainstack_sdk.primitives.errors import UsageError


@pytest.mark.parametrize(
    ("count", "threshold"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (22, 15)]
)
def test_members_of_equal_weight_have_one_seat_each(count: int, threshold: int) -> None:
    seats = seats_of(equal(0, count))
    assert seats == Seats((1,) * count, threshold)
    assert seats_of(committee(0, *[5] * count)) == seats
    assert (seats.total, seats.spare) == (count, count - threshold)


def test_weights_become_seats() -> None:
    # In ascending order of address, whatever the order of the weights.
    members = committee(0, 1, 1, 1, 97)
    seats = seats_of(members)
    heavy = next(index for index, member in enumerate(members) if member.weight == 97)
    assert seats.counts[heavy] >= seats.threshold
    assert seats.total - seats.counts[heavy] < seats.threshold
    assert 0 in seats.counts


@pytest.mark.parametrize(
    "weights", [(1,), (3, 1), (1, 2, 3), (100, 1, 1), (5, 5, 5, 4), (1, 1, 1, 97), (7, 11, 13, 17, 19, 23)]
)
def test_two_thirds_sign_and_one_third_does_not(weights: tuple[int, ...]) -> None:
    members = committee(0, *weights)
    seats = seats_of(members)
    for chosen in range(1 << len(members)):
        picked = [index for index in range(len(members)) if chosen >> index & 1]
        weight = sum(members.members[index].weight for index in picked)
        held = sum(seats.counts[index] for index in picked)
        if members.is_quorum(weight):
            assert held >= seats.threshold
        if not members.exceeds_third(weight):
            assert held < seats.threshold
        if 3 * weight < members.total_weight:
            assert held <= seats.spare


def test_places_and_their_holders() -> None:
    seats = Seats((2, 0, 1, 3), 4)
    assert [list(seats.places(index)) for index in range(4)] == [[1, 2], [], [3], [4, 5, 6]]
    assert [seats.holder(place) for place in range(1, 7)] == [0, 0, 2, 3, 3, 3]
    for place in (-1, 0, 7):
        with pytest.raises(UsageError, match="no member"):
            seats.holder(place)
