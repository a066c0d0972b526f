"""Difficulty rules on chains of real headers, found by a given hash power."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow, Retarget, retarget_over
from chainstack_sdk.consensus.work import MAX_TARGET, work_commitment
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

GENESIS = Genesis().header(bytes(32))


class Branch:
    """Headers on genesis whose difficulties follow a rule."""

    def __init__(self, rule: Retarget) -> None:
        self.rule = rule
        self.headers = [GENESIS]
        self.by_hash = {GENESIS.hash: GENESIS}

    def next_difficulty(self) -> int:
        return self.rule.next_difficulty(self.headers[-1], self.by_hash.get)

    def add(self, distance_ms: int) -> int:
        """Add a block so long after its parent; return its difficulty."""
        parent, difficulty = self.headers[-1], self.next_difficulty()
        header = replace(
            parent,
            height=parent.height + 1,
            timestamp_ms=parent.timestamp_ms + distance_ms,
            parent_hash=parent.hash,
            work_commitment=work_commitment(difficulty, bytes(32)),
        )
        self.headers.append(header)
        self.by_hash[header.hash] = header
        return difficulty

    def find(self, hashes_a_second: int) -> int:
        """Add a block that is found after just as many hashes as are expected."""
        return self.add(max(self.next_difficulty() * 1_000 // hashes_a_second, 1))


def test_a_fixed_difficulty() -> None:
    branch = Branch(FixedDifficulty(77))
    assert [branch.add(distance) for distance in (1, 10**9, 5)] == [77] * 3


def test_the_first_blocks() -> None:
    """The distance from genesis, years perhaps, does not count."""
    branch = Branch(MovingWindow(1_000, 10, 5_000))
    assert branch.add(10**11) == 5_000
    assert branch.next_difficulty() == 5_000
    branch.add(1_000)
    assert branch.next_difficulty() == 5_000


def test_the_initial_difficulty_is_not_below_the_least() -> None:
    assert Branch(MovingWindow(1_000, 10, 5, minimum=9)).next_difficulty() == 9


def test_blocks_on_time_change_nothing() -> None:
    branch = Branch(MovingWindow(1_000, 7, 123_456_789))
    assert {branch.add(1_000) for _ in range(40)} == {123_456_789}


def test_exact_values() -> None:
    """Difficulties and times of the last two intervals, by hand."""
    branch = Branch(MovingWindow(1_000, 2, 600))
    assert [branch.add(distance) for distance in (50, 500, 2_000, 1_500)] == [600, 600, 800, 560]
    # after the 2nd block: (600 + 600) * 1000 / (500 + 1000) = 800, one interval being made up
    # after the 3rd: (600 + 800) * 1000 / 2500 = 560
    # after the 4th: (800 + 560) * 1000 / 3500 = 388
    assert branch.next_difficulty() == 388


@pytest.mark.parametrize("initial", [1, 1_000, 400_000, 10**9])
@pytest.mark.parametrize("power", [3_000, 500_000])
def test_it_finds_the_hash_power(initial: int, power: int) -> None:
    branch = Branch(MovingWindow(2_000, 20, initial))
    for _ in range(100):
        branch.find(power)
    assert abs(branch.next_difficulty() - 2 * power) * 50 <= 2 * power, "within two hundredths"


def test_it_follows_the_hash_power_up_and_down() -> None:
    branch = Branch(MovingWindow(2_000, 20, 20_000))
    for power in (10_000, 80_000, 2_000):
        for _ in range(60):
            branch.find(power)
        assert abs(branch.next_difficulty() - 2 * power) * 50 <= 2 * power


@pytest.mark.parametrize(("clamp", "distance_ms"), [(2, 1), (4, 1), (2, 10**12), (4, 10**12)])
def test_no_step_exceeds_the_clamp(clamp: int, distance_ms: int) -> None:
    branch = Branch(MovingWindow(1_000, 1, 4**20, clamp=clamp))
    branch.add(1)
    steps = [branch.add(distance_ms) for _ in range(6)]
    factors = [later / earlier for earlier, later in pairwise(steps)]
    assert factors == [clamp if distance_ms == 1 else 1 / clamp] * 5


def test_no_difficulty_below_the_least_or_above_the_greatest() -> None:
    low = Branch(MovingWindow(1_000, 1, 100, minimum=30))
    assert [low.add(10**9) for _ in range(5)] == [100, 100, 30, 30, 30]
    high = Branch(MovingWindow(10**9, 1, MAX_TARGET // 2))
    assert [high.add(1) for _ in range(4)] == [MAX_TARGET // 2] * 2 + [MAX_TARGET] * 2


def test_times_that_stand_still() -> None:
    """A rule on headers forbids it, and this rule does not divide by zero."""
    branch = Branch(MovingWindow(1_000, 1, 100))
    assert [branch.add(0) for _ in range(3)] == [100, 100, 400]


def test_only_the_window_is_read() -> None:
    branch = Branch(MovingWindow(1_000, 3, 100))
    for _ in range(10):
        branch.add(1_500)
    asked: list[bytes] = []

    def lookup(block_hash: bytes) -> Header | None:
        asked.append(block_hash)
        return branch.by_hash.get(block_hash)

    branch.rule.next_difficulty(branch.headers[-1], lookup)
    assert asked == [branch.headers[-2].hash, branch.headers[-3].hash, branch.headers[-4].hash]


def test_an_unknown_ancestor() -> None:
    branch = Branch(MovingWindow(1_000, 3, 100))
    for _ in range(5):
        branch.add(1_000)
    del branch.by_hash[branch.headers[-3].hash]
    with pytest.raises(InvalidInput) as caught:
        branch.next_difficulty()
    assert caught.value.hash == branch.headers[-3].hash


def test_a_malformed_ancestor() -> None:
    rule = MovingWindow(1_000, 3, 100)
    with pytest.raises(InvalidInput):
        rule.next_difficulty(replace(GENESIS, height=1, work_commitment=b"\x01"), {}.get)


def test_impossible_rules() -> None:
    for wrong in ({"interval_ms": 0}, {"window": 0}, {"clamp": 1}, {"minimum": 0}, {"initial": 0}):
        with pytest.raises(UsageError):
            MovingWindow(**{"interval_ms": 1_000, "window": 5, "initial": 9} | wrong)
    for difficulty in (0, 2**256):
        with pytest.raises(UsageError):
            FixedDifficulty(difficulty)


def test_a_window_of_no_blocks_is_a_difficulty_that_stays() -> None:
    assert isinstance(retarget_over(0, 1_000, 7), FixedDifficulty)
    assert isinstance(retarget_over(16, 1_000, 7), MovingWindow)
    parent = GENESIS
    for window in (0, 16):
        assert retarget_over(window, 1_000, 7).next_difficulty(parent, lambda _: None) == 7
