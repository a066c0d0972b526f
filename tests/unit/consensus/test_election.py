"""Election: the numbers of the race, the draw, its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from chainstack_sdk.consensus import election
from chainstack_sdk.consensus.election import (
    LOG2_FRACTION_BITS,
    Candidate,
    elect,
    fixed_log2,
    seeded_leader,
)
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

SEED = bytes(range(32))
ONE = 1 << LOG2_FRACTION_BITS


def address(number: int) -> bytes:
    return number.to_bytes(20, "big")


def candidates(*weights: int) -> list[Candidate]:
    return [Candidate(address(number), weight) for number, weight in enumerate(weights, 1)]


def test_powers_of_two_have_exact_logarithms() -> None:
    for exponent in range(300):
        assert fixed_log2(1 << exponent) == exponent * ONE


def test_the_logarithm_of_three() -> None:
    """From its decimal expansion, OEIS A020857."""
    published = 158496250072115618145373894394781650875981440769248
    assert 0 <= published * ONE // 10**50 - fixed_log2(3) < 8


@pytest.mark.parametrize("number", [2, 3, 5, 10, 1000, 2**31 - 1, 3**20])
def test_the_integer_definition(number: int) -> None:
    """The first bits b of a logarithm l: 2^b is at most number^(2^k), which is below 2^(b + 1)."""
    bits = 12
    power = number ** (1 << bits)
    assert fixed_log2(number) >> LOG2_FRACTION_BITS - bits == power.bit_length() - 1


def test_the_logarithm_agrees_with_floating_point() -> None:
    for number in (3, 7, 10**9, 2**256 - 1, 2**200 + 12345):
        assert fixed_log2(number) / ONE == pytest.approx(math.log2(number), rel=1e-14)


@pytest.mark.parametrize("around", [2, 2**16, 2**64, 2**127, 2**128, 2**129, 2**160, 2**255, 2**256])
def test_the_logarithm_never_decreases(around: int) -> None:
    values = [fixed_log2(number) for number in range(max(1, around - 200), around + 200)]
    assert values == sorted(values)


@pytest.mark.parametrize("number", [0, -1])
def test_only_positive_numbers_have_a_logarithm(number: int) -> None:
    with pytest.raises(UsageError, match="positive"):
        fixed_log2(number)


def test_the_race_is_as_documented() -> None:
    """Recomputed in floating point from the formula, which is exact enough to order these."""
    standing = candidates(*range(1, 31))

    def key(candidate: Candidate) -> float:
        digest = keccak256(b"chainstack election" + SEED + (5).to_bytes(8, "big") + candidate.address)
        u = int.from_bytes(digest, "big")
        return -math.log2((u + 1) / 2**256) / candidate.weight

    assert list(elect(SEED, 5, standing, 30)) == sorted(standing, key=key)


def test_keys_are_compared_without_division() -> None:
    light, heavy = candidates(2, 4)
    assert election._compare((3, light), (6, heavy)) == 0
    assert election._compare((3, light), (7, heavy)) < 0 < election._compare((3, light), (5, heavy))
    assert election._compare((2**300 + 1, light), (2**301, heavy)) > 0


def test_equal_keys_go_to_the_lower_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(election, "_exponential", lambda _: 12)
    standing = candidates(3, 3, 9, 3)
    numbers = [int.from_bytes(drawn.address, "big") for drawn in elect(SEED, 0, standing[::-1], 4)]
    assert numbers == [3, 1, 2, 4]


def test_seats() -> None:
    standing = candidates(5, 1, 0, 3)
    assert elect(SEED, 0, standing, 0) == ()
    assert elect(SEED, 0, [], 4) == ()
    everybody = elect(SEED, 0, standing, 4)
    assert set(everybody) == set(standing) - {standing[2]}
    assert elect(SEED, 0, standing, 100) == everybody
    for size in range(4):
        assert elect(SEED, 0, standing, size) == everybody[:size]


def test_what_a_candidate_brings_is_returned() -> None:
    assert elect(SEED, 0, [Candidate(address(1), 2, b"key")], 1) == (Candidate(address(1), 2, b"key"),)


def test_seed_and_slot_matter() -> None:
    standing = candidates(*[1] * 20)
    drawn = {elect(seed, slot, standing, 20) for seed in (SEED, bytes(32)) for slot in range(5)}
    assert len(drawn) == 10


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((b"", 0, candidates(1), 1), "seed"),
        ((bytes(33), 0, candidates(1), 1), "seed"),
        ((SEED, -1, candidates(1), 1), "slot"),
        ((SEED, 2**64, candidates(1), 1), "slot"),
        ((SEED, 0, candidates(1), -1), "seats"),
        ((SEED, 0, candidates(1, -1), 1), "negative"),
        ((SEED, 0, [*candidates(1, 2), Candidate(address(1), 9)], 1), "twice"),
    ],
)
def test_bad_elections_are_refused(arguments: tuple[bytes, int, list[Candidate], int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        elect(*arguments)


# The leader


@dataclass(frozen=True)
class Stake:
    """As a user's own validator might be."""

    address: bytes
    weight: int


def test_the_leader_is_as_documented() -> None:
    standing = [Stake(address(number), number) for number in (1, 2, 3, 4)]
    for height in range(50):
        prefix = b"chainstack leader" + SEED + height.to_bytes(8, "big") + bytes(3) + b"\2"
        place = int.from_bytes(keccak256(prefix + bytes(4)), "big") % 10  # a refusal has a chance of 2^-253
        expected = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4][place]
        assert seeded_leader(SEED, height, 2, standing) == address(expected)


def test_draws_beyond_the_greatest_multiple_are_refused() -> None:
    """With a total just above 2^255 nearly half of the draws are; a remainder would favour the first."""
    standing = [Stake(address(1), 2**255), Stake(address(2), 1)]
    limit, counters = 2**255 + 1, []
    for height in range(40):
        prefix = b"chainstack leader" + SEED + height.to_bytes(8, "big") + bytes(4)
        counter = 0
        while int.from_bytes(keccak256(prefix + counter.to_bytes(4, "big")), "big") >= limit:
            counter += 1
        counters.append(counter)
        assert seeded_leader(SEED, height, 0, standing) == address(1)
    assert max(counters) >= 3
    assert counters.count(0) < 30


def test_a_leader_may_have_all_the_weight_there_can_be() -> None:
    standing = [Stake(address(1), 0), Stake(address(2), 2**256), Stake(address(3), 0)]
    assert {seeded_leader(SEED, height, 0, standing) for height in range(20)} == {address(2)}


def test_every_input_of_the_leader_matters() -> None:
    standing = candidates(*[1] * 50)
    drawn = {
        seeded_leader(seed, height, round, standing)
        for seed in (SEED, bytes(32))
        for height in range(4)
        for round in range(4)
    }
    assert len(drawn) > 15


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((b"", 0, 0, candidates(1)), "seed"),
        ((SEED, -1, 0, candidates(1)), "height"),
        ((SEED, 2**64, 0, candidates(1)), "height"),
        ((SEED, 0, -1, candidates(1)), "round"),
        ((SEED, 0, 2**32, candidates(1)), "round"),
        ((SEED, 0, 0, []), "nobody"),
        ((SEED, 0, 0, candidates(0, 0)), "nobody"),
        ((SEED, 0, 0, candidates(2**256, 1)), "nobody"),
        ((SEED, 0, 0, candidates(2, -1)), "negative"),
        ((SEED, 0, 0, candidates(1) * 2), "twice"),
    ],
)
def test_bad_draws_are_refused(arguments: tuple[bytes, int, int, list[Candidate]], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        seeded_leader(*arguments)
