"""Sets of validators, thresholds of weight, and the rotation of proposers."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from bft_kit import FOUR, committee, who

from chainstack_sdk.consensus.bft.validators import (
    MAX_MEMBERS,
    FixedMembership,
    Validator,
    ValidatorSet,
    rotation,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode


def test_members_are_ordered_by_address() -> None:
    members = [Validator(who(index), index + 1, bytes([index]) * 32) for index in range(5)]
    made = ValidatorSet(reversed(members))
    assert made.members == tuple(made) == tuple(members)
    assert made.total_weight == 15
    assert len(made) == 5
    assert who(3) in made
    assert who(9) not in made
    assert [made.weight_of(who(index)) for index in (0, 4, 9)] == [1, 5, 0]
    assert [made.index_of(who(index)) for index in (0, 4, 9)] == [0, 4, None]
    assert repr(made) == "ValidatorSet(members=5, total_weight=15)"


def test_equality_is_by_contents() -> None:
    assert committee(1, 2) == committee(1, 2) != committee(2, 1)
    assert hash(committee(1, 2)) == hash(committee(1, 2))
    assert committee(1) != "a set of validators"


@pytest.mark.parametrize(
    ("weights", "weight", "is_quorum", "exceeds_third"),
    [
        ((1, 1, 1, 1), 3, True, True),
        ((1, 1, 1, 1), 2, False, True),
        ((1, 1, 1, 1), 1, False, False),
        ((1, 1, 1), 2, False, True),
        ((1, 1, 1), 1, False, False),
        ((1, 1, 1), 3, True, True),
        ((1,), 1, True, True),
        ((5, 3, 1), 6, False, True),
        ((5, 3, 1), 7, True, True),
        ((2**63, 2**63 - 1), 2**63, False, True),
    ],
)
def test_thresholds(weights: tuple[int, ...], weight: int, is_quorum: bool, exceeds_third: bool) -> None:
    made = committee(*weights)
    assert (made.is_quorum(weight), made.exceeds_third(weight)) == (is_quorum, exceeds_third)


def test_the_encoding() -> None:
    made = ValidatorSet([Validator(who(1), 300, b"\x07" * 32), Validator(who(0), 1)])
    expected = rlp_encode([[who(0), 1, b""], [who(1), 300, b"\x07" * 32]])
    assert made.encode() == expected
    assert made.hash == keccak256(expected)
    assert ValidatorSet.decode(expected) == made
    assert ValidatorSet.decode(expected).members == made.members


@pytest.mark.parametrize(
    "items",
    [
        b"a string",
        [],
        [[who(0), 1]],
        [[who(0), 1, b"", b""]],
        [b"a string"],
        [[who(0), [1], b""]],
        [[who(0)[1:], 1, b""]],
        [[who(0), 0, b""]],
        [[who(0), b"\0\1", b""]],
        [[who(0), 2**64, b""]],
        [[who(0), 1, bytes(31)]],
        [[who(0), 1, b""], [who(0), 1, b""]],
        [[who(1), 1, b""], [who(0), 1, b""]],
        [[who(0), 2**63, b""], [who(1), 2**63, b""]],
        [[index.to_bytes(20, "big"), 1, b""] for index in range(MAX_MEMBERS + 1)],
    ],
)
def test_what_is_no_set(items: object) -> None:
    with pytest.raises(InvalidInput):
        ValidatorSet.decode(rlp_encode(items))  # type: ignore[arg-type]


def test_what_cannot_be_made() -> None:
    for members in ([], [Validator(who(0), 1), Validator(who(0), 2)]):
        with pytest.raises(InvalidInput):
            ValidatorSet(members)
    ValidatorSet(Validator(index.to_bytes(20, "big"), 1) for index in range(MAX_MEMBERS))
    with pytest.raises(InvalidInput):
        ValidatorSet(Validator(index.to_bytes(20, "big"), 1) for index in range(MAX_MEMBERS + 1))


@pytest.mark.parametrize("weights", [(1,), (1, 1, 1, 1), (9, 9, 9)])
def test_equal_weights_take_turns(weights: tuple[int, ...]) -> None:
    made = committee(*weights)
    turns = [rotation(made, height, 0) for height in range(2 * len(weights))]
    assert turns == [who(index) for index in range(len(weights))] * 2


SOME_WEIGHTS = [(5, 3, 1), (1, 100), (2, 4, 6), (7, 7, 7, 1), (1, 2, 3, 4, 5, 6, 7), (97, 1, 1, 1), (3, 4)]


@pytest.mark.parametrize("weights", SOME_WEIGHTS)
def test_proposers_are_in_exact_proportion(weights: tuple[int, ...]) -> None:
    made = committee(*weights)
    total = sum(weights)
    turns = [rotation(made, 1_000 + position, 0) for position in range(3 * total)]
    for start in range(2 * total):  # over any window of that length
        counts = Counter(turns[start : start + total])
        assert [counts[who(index)] for index in range(len(weights))] == list(weights)


@pytest.mark.parametrize("weights", SOME_WEIGHTS)
def test_turns_are_spread(weights: tuple[int, ...]) -> None:
    """Nobody waits longer than four times the average gap between his turns."""
    made = committee(*weights)
    total = sum(weights)
    turns = [rotation(made, position, 0) for position in range(4 * total)]
    for index, weight in enumerate(weights):
        mine = [position for position, proposer in enumerate(turns) if proposer == who(index)]
        longest = max(later - earlier for earlier, later in pairwise(mine))
        assert longest * weight <= 4 * total


def test_the_next_round_is_the_next_turn() -> None:
    made = committee(5, 3, 1)
    assert rotation(made, 4, 3) == rotation(made, 7, 0) == rotation(made, 0, 7)


def test_great_weights() -> None:
    made = committee(2**63, 2**62, 3)
    assert {rotation(made, height, 0) for height in range(40)} == {who(0), who(1)}


def test_fixed_membership() -> None:
    membership = FixedMembership(FOUR)
    assert membership.validators(1) is membership.validators(9) is FOUR
    assert membership.proposer(2, 3) == rotation(FOUR, 2, 3) == who(1)
