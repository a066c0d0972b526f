"""Ratios on a noisy machine.

Clocks of shared machines swing by a factor of two within a minute, so a time by itself says little. What is
reported is always the ratio of two things measured in turn in one process, round after round: one ratio for
each round, then the median and the quartiles of these.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.machine import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Work = Callable[[], Callable[[], int]]
    """Prepares something and returns what is timed, which returns how many units of it were done."""
    Clock = Callable[[], float]
    """Seconds, from any start."""


QUIET = 0.1
"""Below this share of the processor other programs hardly matter."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    low: float
    """Lower quartile of the rounds."""
    high: float
    """Upper quartile of the rounds."""
    unit: str = "x"
    target: float | None = None
    """What the value is to reach, or not to exceed; None when the figure only informs."""
    at_most: bool = False
    """Whether the target is a ceiling."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def verdict(self) -> str:
        """The target's outcome in words."""
        if self.target is None:
            return ""
        if self.met:
            return "met"
        missed_by = abs(self.value - self.target) / self.target
        return f"missed by {missed_by:.0%}" if missed_by >= 0.01 else "missed by less than 1%"


@dataclass(frozen=True, slots=True)
class Rounds:
    """What two things took for each unit, round by round, in seconds."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    def figure(
        self, name: str, *, target: float | None = None, at_most: bool = False, note: str = ""
    ) -> Figure:
        """Return first over second: a time over a time, or the second's rate over the first's."""
        ratios = [one / other for one, other in zip(self.first, self.second, strict=True)]
        return summary(name, ratios, target=target, at_most=at_most, note=note)

    def micros(self) -> tuple[float, float]:
        """Return the medians of both in microseconds."""
        return median(self.first) * 1e6, median(self.second) * 1e6


def summary(
    name: str,
    values: Sequence[float],
    *,
    unit: str = "x",
    target: float | None = None,
    at_most: bool = False,
    note: str = "",
) -> Figure:
    """Return the median of two or more values, with quartiles, as a figure."""
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Figure(name, middle, low, high, unit, target, at_most, note)


def timed(work: Work, clock: Clock = time.process_time) -> float:
    """Return the seconds that a unit of some work takes, garbage of what went before collected first."""
    run = work()
    gc.collect()
    start = clock()
    units = run()
    return (clock() - start) / units


patience = 0.0
"""Seconds to wait, before each round, for other programs to leave the processor alone."""


def settle(seconds: float) -> None:
    """Wait until other programs use little of the processor, but no longer than so many seconds."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        load = Load()
        time.sleep(0.1)
        if (load.share() or 0.0) < QUIET:
            return


def in_turn(first: Work, second: Work, rounds: int, *, clock: Clock = time.process_time) -> Rounds:
    """Measure two things in turn, beginning with each as often as with the other.

    Parameters
    ----------
    clock
        CPU time of this process by default, which other programs disturb least; wall time
        (``time.perf_counter``) where others work for it.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        settle(patience)
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            times[which].append(timed((first, second)[which], clock))
        progress(".")
    progress("\n")
    return Rounds(tuple(times[0]), tuple(times[1]))


def progress(text: str) -> None:
    """Say on standard error how far things are."""
    print(text, end="", file=sys.stderr, flush=True)
