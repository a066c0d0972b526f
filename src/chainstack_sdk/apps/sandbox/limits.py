"""What a run may use, and what it used."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainstack_sdk.primitives.errors import UsageError

PAGE = 1 << 16
"""A page of WebAssembly memory: 65,536 bytes."""

MAX_FUEL = 10**12
MAX_MEMORY = 256 << 20
MAX_MILLISECONDS = 600_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use.

    Fuel and memory are part of what a run means: with the same limits it ends the same way everywhere.
    The time is a guard of this machine only, generous enough that fuel runs out first.

    Raises
    ------
    UsageError
        When a limit is out of range.
    """

    fuel: int = 1_000_000_000
    """WebAssembly instructions, about; 1 to 10**12. A fast core burns 10**9 in about 0.2 s."""
    memory: int = 32 << 20
    """Bytes of linear memory, in whole pages of 65,536; at most 256 MiB. JavaScript needs 2 MiB at least."""
    milliseconds: int = 5_000
    """Wall-clock time from 1 ms to 10 minutes, kept to about 10 ms."""

    def __post_init__(self) -> None:
        if not 0 < self.fuel <= MAX_FUEL:
            raise UsageError("fuel is from 1 to 10**12", actual=self.fuel)
        if not 0 < self.memory <= MAX_MEMORY or self.memory % PAGE:
            raise UsageError("memory is 1 to 4,096 pages of 65,536 bytes", actual=self.memory)
        if not 0 < self.milliseconds <= MAX_MILLISECONDS:
            raise UsageError("time is from 1 to 600,000 ms", actual=self.milliseconds)

    def within(self, other: Limits) -> Limits:
        """Return the smaller of each limit."""
        return Limits(
            min(self.fuel, other.fuel),
            min(self.memory, other.memory),
            min(self.milliseconds, other.milliseconds),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run used. Equal for equal runs: the time is left out of the comparison."""

    fuel: int
    """Fuel burnt, host calls and the start of the interpreter included."""
    memory: int
    """The most bytes of linear memory it had: the memory never shrinks."""
    host_calls: int
    """How often it called the host."""
    emitted: int
    """Bytes that counted against its quota."""
    nanoseconds: int = field(compare=False)
    """Wall-clock time; compilation is not in it."""
