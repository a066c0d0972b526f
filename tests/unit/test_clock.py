"""Clocks: blocks are always younger than their parents."""

from __future__ import annotations

import time

import pytest

from chainstack_sdk import ManualClock, SystemClock, UsageError
from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock(1_000)
    assert clock.now_ms() == 1_000
    assert clock.advance(2) == clock.now_ms() == 3_000
    assert clock.advance(1, ms=5) == 4_005
    assert clock.advance(1, ms=-1_000) == 4_005
    clock.set_ms(7)
    assert clock.now_ms() == 7


def test_time_does_not_go_back() -> None:
    clock = ManualClock(1_000)
    with pytest.raises(UsageError, match="back"):
        clock.advance(ms=-1)
    assert clock.now_ms() == 1_000


def test_the_time_of_a_block() -> None:
    clock = ManualClock(10_000, step_ms=500)
    assert clock.next_block_ms(0) == 10_000
    assert clock.next_block_ms(9_500) == 10_000
    assert clock.next_block_ms(9_501) == 10_001
    assert clock.next_block_ms(10_000) == 10_500
    assert clock.now_ms() == 10_000


def test_steps_are_at_least_a_millisecond() -> None:
    assert ManualClock(step_ms=1).next_block_ms(DEFAULT_TIMESTAMP_MS) == DEFAULT_TIMESTAMP_MS + 1
    with pytest.raises(UsageError, match="millisecond"):
        ManualClock(step_ms=0)


def test_the_machines_clock() -> None:
    before = time.time_ns() // 1_000_000
    now = SystemClock().now_ms()
    assert before <= now <= time.time_ns() // 1_000_000
    assert now <= SystemClock().next_block_ms(0) <= time.time_ns() // 1_000_000
    assert SystemClock().next_block_ms(now + 10**9) == now + 10**9 + 1
