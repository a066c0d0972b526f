"""Leaders and first seeds; how seals are judged is in the tests of the rules."""

from __future__ import annotations

from collections import Counter

from chainstack_sdk.consensus.beacon import first_seed
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet, rotation
from chainstack_sdk.consensus.terms import drawn_leader, rotating_leader
from chainstack_sdk.primitives import keccak256

COMMITTEE = ValidatorSet(Validator(bytes([number]) * 20, number) for number in (1, 2, 5))


def test_the_first_seed():
    assert first_seed(b"\x07" * 32) == keccak256(b"chainstack first seed" + b"\x07" * 32)


def test_a_rotation_knows_no_seed():
    for height in range(8):
        for seed in (bytes(32), b"\x01" * 32):
            assert rotating_leader(COMMITTEE, seed, height, 2) == rotation(COMMITTEE, height, 2)


def test_drawn_leaders_follow_seed_height_and_round_by_weight():
    drawn = {
        (seed, height, round_): drawn_leader(COMMITTEE, bytes([seed]) * 32, height, round_)
        for seed in range(8)
        for height in range(10)
        for round_ in range(10)
    }
    counts = Counter(drawn.values())
    expected = {member.address: 100 * member.weight for member in COMMITTEE}
    # chi-square with two degrees of freedom; 13.8 has a chance of 1 in 1000, and the draws are fixed
    distance = sum((counts[address] - count) ** 2 / count for address, count in expected.items())
    assert distance < 13.8
    assert len({drawn[0, height, 0] for height in range(10)}) > 1
    assert len({drawn[0, 0, round_] for round_ in range(10)}) > 1
