"""Reputation: the formula, its bounds, how performance moves."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.reputation import (
    INITIAL_PERFORMANCE,
    MAX_PERFORMANCE,
    StakePerformanceActivity,
    next_performance,
)
from chainstack_sdk.primitives.errors import UsageError

REPUTATION = StakePerformanceActivity(minimum_deposit=100)


@pytest.mark.parametrize(
    ("stake", "performance", "sent", "weight"),
    [
        (100, 1000, 0, 1000),
        (99, 1000, 250, 0),
        (0, 1000, 250, 0),
        (199, 1000, 0, 1000),
        (200, 1000, 0, 2000),
        (100, 500, 0, 500),
        (100, 0, 250, 0),
        (100, 1, 0, 1),
        (100, 1000, 1, 1001),
        (100, 1000, 250, 1250),
        (100, 1000, 10**9, 1250),
        (300, 333, 7, 1005),  # 3 · 333 · 1007 / 1000 = 1005.993
        (2**200, 1000, 2**64, 2**32 * 1250),
    ],
)
def test_the_formula(stake: int, performance: int, sent: int, weight: int) -> None:
    assert REPUTATION.weight(stake, performance, sent) == weight


def test_a_million_verifiers_stay_below_2_to_the_64() -> None:
    assert REPUTATION.weight(2**256, 1000, 2**64) * 2**20 < 2**64


@pytest.mark.parametrize(("stake", "performance", "sent"), [(-1, 0, 0), (0, -1, 0), (0, 1001, 0), (0, 0, -1)])
def test_impossible_verifiers_are_refused(stake: int, performance: int, sent: int) -> None:
    with pytest.raises(UsageError, match="no verifier"):
        REPUTATION.weight(stake, performance, sent)


def test_a_deposit_is_positive() -> None:
    with pytest.raises(UsageError, match="positive"):
        StakePerformanceActivity(minimum_deposit=0)


@pytest.mark.parametrize(
    ("old", "signed", "expected", "new"),
    [
        (1000, 10, 10, 1000),
        (1000, 0, 10, 875),
        (0, 0, 10, 0),
        (0, 10, 10, 125),
        (500, 10, 10, 563),  # 562.5 away from zero
        (500, 0, 10, 437),
        (999, 1, 1, 1000),
        (1, 0, 1, 0),
        (500, 1, 3, 479),  # a slot of 333: 500 - 20.875
        (700, 0, 0, 700),
    ],
)
def test_the_moving_average(old: int, signed: int, expected: int, new: int) -> None:
    assert next_performance(old, signed, expected) == new


def slots_until(goal: int, start: int, signed: int) -> int:
    performance, slots = start, 0
    while performance != goal:
        before, performance = performance, next_performance(performance, signed, 100)
        assert abs(goal - performance) < abs(goal - before)
        slots += 1
    return slots


def test_silence_leads_to_nothing_and_diligence_to_everything() -> None:
    assert slots_until(0, MAX_PERFORMANCE, 0) == 41
    assert slots_until(MAX_PERFORMANCE, 0, 100) == 41
    assert slots_until(MAX_PERFORMANCE, INITIAL_PERFORMANCE, 100) == 36


@pytest.mark.parametrize(
    ("old", "signed", "expected"), [(-1, 0, 1), (1001, 0, 1), (0, -1, 1), (0, 2, 1), (0, 0, -1)]
)
def test_impossible_slots_are_refused(old: int, signed: int, expected: int) -> None:
    with pytest.raises(UsageError, match="no slot"):
        next_performance(old, signed, expected)
