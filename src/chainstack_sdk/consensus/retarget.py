"""How difficult the next block's work is, computed from the blocks before it.

A rule sees headers only, through a lookup by hash, so it holds on every branch and in a light client that
keeps as many headers as the rule looks back. All of it is integer arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.consensus.work import MAX_TARGET, parse_work_commitment
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.blocks import Header


class Retarget(Protocol):
    """The rule by which difficulty follows the hash power that is there."""

    def next_difficulty(self, parent: Header, header: Callable[[bytes], Header | None]) -> int:
        """Return the difficulty that a child of ``parent`` must commit to.

        Parameters
        ----------
        header
            Returns the header with a hash of 32 bytes, or None; asked for ancestors of the parent only.

        Raises
        ------
        InvalidInput
            When an ancestor that the rule needs is unknown or commits to no work.
        """
        ...


class FixedDifficulty:
    """The same difficulty for every block: for tests, and where something else limits the pace.

    Parameters
    ----------
    difficulty
        Expected hashes for a block, at least 1.
    """

    __slots__ = ("_difficulty",)

    def __init__(self, difficulty: int) -> None:
        self._difficulty = _checked(difficulty)

    def next_difficulty(self, parent: Header, header: Callable[[bytes], Header | None]) -> int:
        """Return the fixed difficulty."""
        return self._difficulty


class MovingWindow:
    """Hashes a millisecond over the last blocks, times the interval that blocks should keep.

    Of the last ``window`` intervals between blocks with work, the difficulties are added up and the times
    are added up; the next difficulty is what the hash power so measured finds in ``interval_ms``. It
    changes from a block to the next by no more than the clamp. The interval between genesis and the first
    block with work is left out, as genesis may be years old; intervals that a young chain lacks count as
    kept exactly at the initial difficulty, so that its first blocks do not throw the rule about.

    Parameters
    ----------
    interval_ms
        The wanted distance between blocks, in milliseconds.
    window
        How many intervals are looked at; the rule reads that many headers for each block.
    initial
        The difficulty of a block whose parent has no work, such as genesis.
    clamp
        The greatest factor by which difficulty rises or falls from a block to the next; at least 2.
    minimum
        The least difficulty.

    Notes
    -----
    Miners set timestamps, within what the rules on headers allow. Whoever holds most of the hash power may
    therefore bend the difficulty for a while; the clamp and the sum over a window bound how far.
    """

    __slots__ = ("_clamp", "_initial", "_interval_ms", "_minimum", "_window")

    def __init__(
        self, interval_ms: int, window: int, initial: int, *, clamp: int = 4, minimum: int = 1
    ) -> None:
        if interval_ms < 1 or window < 1 or clamp < 2:
            raise UsageError("a window has a positive interval and length, and a clamp of at least 2")
        self._interval_ms = interval_ms
        self._window = window
        self._minimum = _checked(minimum)
        self._initial = max(_checked(initial), minimum)
        self._clamp = clamp

    def next_difficulty(self, parent: Header, header: Callable[[bytes], Header | None]) -> int:
        """Return the difficulty that a child of ``parent`` must commit to.

        Raises
        ------
        InvalidInput
            When one of the last ``window`` ancestors is unknown or has a malformed work commitment.
        """
        if not parent.work_commitment:
            return self._initial
        last = _difficulty(parent)
        intervals, work, elapsed_ms = self._measured(parent, header)
        missing = self._window - intervals
        work += missing * self._initial
        elapsed_ms += missing * self._interval_ms
        wanted = work * self._interval_ms // max(elapsed_ms, 1)
        wanted = min(max(wanted, last // self._clamp), last * self._clamp)
        return min(max(wanted, self._minimum), MAX_TARGET)

    def _measured(self, parent: Header, header: Callable[[bytes], Header | None]) -> tuple[int, int, int]:
        """Return how many intervals there are, the work done in them and the milliseconds they took."""
        oldest = parent
        intervals = work = 0
        while intervals < self._window:
            before = header(oldest.parent_hash)
            if before is None:
                raise InvalidInput("an ancestor is unknown", hash=oldest.parent_hash)
            if not before.work_commitment:
                break
            work += _difficulty(oldest)
            intervals += 1
            oldest = before
        return intervals, work, parent.timestamp_ms - oldest.timestamp_ms


def retarget_over(window: int, interval_ms: int, initial: int) -> Retarget:
    """Return a moving window, or for a window of no blocks a difficulty that stays what it is.

    Raises
    ------
    UsageError
        When a number is out of range.
    """
    return MovingWindow(interval_ms, window, initial) if window else FixedDifficulty(initial)


def _difficulty(header: Header) -> int:
    return parse_work_commitment(header.work_commitment)[0]


def _checked(difficulty: int) -> int:
    if not 1 <= difficulty <= MAX_TARGET:
        raise UsageError("a difficulty is at least 1 and takes 32 bytes", actual=difficulty)
    return difficulty


if TYPE_CHECKING:
    _fixed: type[Retarget] = FixedDifficulty
    _window: type[Retarget] = MovingWindow
