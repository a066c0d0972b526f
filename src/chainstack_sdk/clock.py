"""Where block timestamps come from: a hand-set clock for tests, the machine's for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.interfaces import Clock


class ManualClock:
    """Time that moves only when told to; the chain it belongs to takes it along to each new block.

    Parameters
    ----------
    start_ms
        Unix time in milliseconds.
    step_ms
        The least distance from a block to the next, in milliseconds.
    """

    __slots__ = ("_now_ms", "step_ms")

    def __init__(self, start_ms: int = DEFAULT_TIMESTAMP_MS, *, step_ms: int = 1_000) -> None:
        if step_ms < 1:
            raise UsageError("blocks are at least one millisecond apart", actual=step_ms)
        self._now_ms = start_ms
        self.step_ms = step_ms

    def now_ms(self) -> int:
        """Return the present Unix time in milliseconds."""
        return self._now_ms

    def advance(self, seconds: int = 0, *, ms: int = 0) -> int:
        """Move forward and return the new time in milliseconds.

        Raises
        ------
        UsageError
            When the sum is negative.
        """
        distance = seconds * 1_000 + ms
        if distance < 0:
            raise UsageError("time does not go back; revert to a snapshot instead", actual=distance)
        self._now_ms += distance
        return self._now_ms

    def set_ms(self, now_ms: int) -> None:
        """Go to a Unix time in milliseconds; blocks stay younger than their parents all the same."""
        self._now_ms = now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        """Return the timestamp for a block on a parent: now, or one step after the parent."""
        return max(self._now_ms, parent_ms + self.step_ms)


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        """Return the present Unix time in milliseconds."""
        from time import time_ns

        return time_ns() // 1_000_000

    def next_block_ms(self, parent_ms: int) -> int:
        """Return the timestamp for a block on a parent: now, or one millisecond after the parent."""
        return max(self.now_ms(), parent_ms + 1)


if TYPE_CHECKING:
    _manual: type[Clock] = ManualClock
    _system: type[Clock] = SystemClock
