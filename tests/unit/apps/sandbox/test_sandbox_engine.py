"""The clock of an engine: it runs while anybody is inside, once for all."""

from __future__ import annotations

import threading
import time

import pytest

from chainstack_sdk.apps.sandbox.engine import TICK, Ticker


def clocks() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sandbox clock"]


def wait_for(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited ten seconds"
        time.sleep(TICK)


def test_it_ticks_inside_only() -> None:
    ticks: list[float] = []
    ticker = Ticker(lambda: ticks.append(time.monotonic()))
    with ticker:
        wait_for(lambda: len(ticks) >= 5)
        with ticker:
            assert len(clocks()) == 1
        wait_for(lambda: len(ticks) >= 10)
    wait_for(lambda: not clocks())
    seen = len(ticks)
    time.sleep(5 * TICK)
    assert len(ticks) == seen
    with ticker:
        wait_for(lambda: len(ticks) > seen)


def test_late_ticks_are_made_up_for() -> None:
    ticks: list[float] = []

    def tick() -> None:
        if not ticks:
            time.sleep(20 * TICK)
        ticks.append(time.monotonic())

    begun = time.monotonic()
    with Ticker(tick):
        wait_for(lambda: len(ticks) >= 15)
        assert len(ticks) <= (time.monotonic() - begun) / TICK + 1
    wait_for(lambda: not clocks())


def test_an_error_leaves_no_clock_behind() -> None:
    ticker = Ticker(lambda: None)
    with pytest.raises(ZeroDivisionError), ticker:
        raise ZeroDivisionError
    wait_for(lambda: not clocks())
