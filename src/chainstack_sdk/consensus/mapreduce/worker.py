"""What the master remembers of one worker: how fast it is, and whether it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.consensus.mapreduce.values import WorkRange
    from chainstack_sdk.consensus.work import Found

MIN_COUNT = 16
"""Nonces in the range of the slowest worker."""
_WINDOW_SHARES = 96
_FRACTION_BITS = 16


class Worker:
    """One worker of a master.

    Parameters
    ----------
    address
        Who is credited, 20 bytes.
    range_ms
        How long a range should take, in milliseconds.
    first_count
        How many nonces its first range has.
    """

    __slots__ = (
        "_expected",
        "_range_ms",
        "_shares",
        "address",
        "count",
        "failures",
        "outstanding",
    )

    def __init__(self, address: bytes, range_ms: int, first_count: int) -> None:
        self.address = address
        self.count = first_count
        """Nonces in its next range."""
        self.outstanding = 0
        """How many ranges it has."""
        self.failures = 0
        """How many ranges in a row it has not brought back."""
        self._range_ms = range_ms
        self._expected = 0
        self._shares = 0

    def is_lazy(self, work: WorkRange, found: Found) -> bool:
        """Count a report's shares, and tell whether far too few have come.

        A worker that says it has hashed a range without doing so has no shares to show. Over stretches in
        which 96 or more are to be expected, fewer than a quarter of the expected number condemn it.
        An honest worker falls short of that once in 10^16 stretches (Chernoff's bound for the Poisson
        distribution: e^-(0.403 · 96)).
        """
        self._expected += found.hashes * work.share_target >> (256 - _FRACTION_BITS)
        self._shares += len(found.shares)
        if self._expected < _WINDOW_SHARES << _FRACTION_BITS:
            return False
        lazy = self._shares << (2 + _FRACTION_BITS) < self._expected
        self._expected = self._shares = 0
        return lazy

    def reported(self, hashes: int, took_ms: int) -> None:
        """Fit the size of ranges to the pace of the one that has just come back.

        The size changes at most by a factor of two, and not at all when most of the range was left out.
        """
        self.failures = 0
        if 2 * hashes >= self.count:
            fitting = hashes * self._range_ms // max(took_ms, 1)
            self.count = max(min(max(fitting, self.count // 2), self.count * 2), MIN_COUNT)

    def failed(self) -> None:
        """Note that a range was not brought back; the next will be smaller."""
        self.failures += 1
        self.count = max(self.count // 2, MIN_COUNT)
