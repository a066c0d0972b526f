"""Plans of what goes wrong and when: plain data, drawn from a seed, and always ending well."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim.links import PERMILLE, LinkFaults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.testing.sim.net import SimNet

_MOST_FAULTS = 8
_SLOWEST_CLOCK = 1_500
_FASTEST_CLOCK = 700
_MOST_LOSS = 400
_BAD_LOSS = 300, 1_000
_GREATEST_LATENCY_MS = 800
_DEAD = LinkFaults(loss=PERMILLE)


class Fault(Protocol):
    """Something that happens to the nodes or the network at a time."""

    @property
    def at_ms(self) -> int:
        """When."""
        ...

    def happen(self, sim: SimNet) -> None:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Crash:
    """A node stops."""

    at_ms: int
    node: str

    def happen(self, sim: SimNet) -> None:
        """Stop it."""
        sim.crash(self.node)


@dataclass(frozen=True, slots=True)
class CrashAtStore:
    """A node stops the next time it writes its record."""

    at_ms: int
    node: str
    durable: bool
    """Whether the record is on the disk by then."""

    def happen(self, sim: SimNet) -> None:
        """Prepare it."""
        sim.crash_at_store(self.node, durable=self.durable)


@dataclass(frozen=True, slots=True)
class Restart:
    """A node that is down starts from its record."""

    at_ms: int
    node: str
    older: int = 0
    """How many records back; more than 0 makes the node faulty."""
    amnesia: bool = False
    """Without any record, which makes the node faulty."""

    def happen(self, sim: SimNet) -> None:
        """Start it."""
        sim.restart(self.node, older=self.older, amnesia=self.amnesia)


@dataclass(frozen=True, slots=True)
class Cut:
    """A partition divides the network."""

    at_ms: int
    groups: tuple[tuple[str, ...], ...]

    def happen(self, sim: SimNet) -> None:
        """Divide it."""
        sim.cut(*self.groups)


@dataclass(frozen=True, slots=True)
class Heal:
    """The partition ends."""

    at_ms: int

    def happen(self, sim: SimNet) -> None:
        """End it."""
        sim.heal()


@dataclass(frozen=True, slots=True)
class Skew:
    """A node's clock goes wrong."""

    at_ms: int
    node: str
    permille: int
    """True milliseconds in one of its seconds."""

    def happen(self, sim: SimNet) -> None:
        """Change the clock."""
        sim.skew(self.node, self.permille)


@dataclass(frozen=True, slots=True)
class Weather:
    """All links change."""

    at_ms: int
    links: LinkFaults | None
    """None: back to what they were at first."""

    def happen(self, sim: SimNet) -> None:
        """Change them."""
        sim.set_links(self.links)


@dataclass(frozen=True, slots=True)
class BadLinks:
    """Some links change, each in one direction."""

    at_ms: int
    pairs: tuple[tuple[str, str], ...]
    """(sender, receiver) of each."""
    links: LinkFaults

    def happen(self, sim: SimNet) -> None:
        """Change them."""
        for sender, receiver in self.pairs:
            sim.set_link(sender, receiver, self.links)


@dataclass(frozen=True, slots=True)
class Recovery:
    """All faults end: the network is whole again, clocks are right, every node runs."""

    at_ms: int

    def happen(self, sim: SimNet) -> None:
        """End them."""
        sim.heal()
        sim.set_links(None)
        for name in sim.names:
            sim.skew(name, PERMILLE)
            sim.crash_at_store(name, durable=None)
            sim.restart(name)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults in order of time. The last is a :class:`Recovery`, so that termination can be asked for.

    Raises
    ------
    UsageError
        When the faults are out of order, or the last is no recovery.
    """

    faults: tuple[Fault, ...]

    def __post_init__(self) -> None:
        times = [fault.at_ms for fault in self.faults]
        if times != sorted(times):
            raise UsageError("a plan lists its faults in order of time")
        if not self.faults or not isinstance(self.faults[-1], Recovery):
            raise UsageError("a plan ends with a recovery")

    @property
    def end_ms(self) -> int:
        """When everything is well again."""
        return self.faults[-1].at_ms

    def apply(self, sim: SimNet) -> None:
        """Let a simulation, which has not come to the first fault yet, run into all of them."""
        for fault in self.faults:
            sim.at(fault.at_ms, partial(fault.happen, sim))

    @classmethod
    def draw(
        cls, seed: int, names: Sequence[str], duration_ms: int, *, forgetful: Sequence[str] = ()
    ) -> FaultPlan:
        """Draw up to eight faults from a seed, and the recovery after them.

        Some links lose much from the beginning, so that nodes know different things. Any number of nodes
        may be down at once: whoever goes on from its last record stays honest.

        Parameters
        ----------
        names
            Which nodes may fail.
        duration_ms
            When all is well again.
        forgetful
            Nodes that may lose some or all of their records in a crash, and are faulty from then on.
        """
        rng = Random(f"{seed} faults")
        pairs = [(sender, receiver) for sender in names for receiver in names if sender != receiver]
        faults: list[Fault] = [
            BadLinks(0, tuple(rng.sample(pairs, len(pairs) // 4)), LinkFaults(loss=rng.randint(*_BAD_LOSS)))
            for _ in range(2)
        ]
        for _ in range(rng.randint(1, _MOST_FAULTS)):
            start, end = sorted((rng.randrange(duration_ms), rng.randrange(duration_ms)))
            draw = _DRAWS[rng.randrange(len(_DRAWS))]
            faults += draw(rng, names, start, end)
        for name in forgetful:
            start, end = sorted((rng.randrange(duration_ms), rng.randrange(duration_ms)))
            older = rng.randrange(4)
            faults += (Crash(start, name), Restart(end, name, older=older, amnesia=older == 0))
        faults.sort(key=lambda fault: fault.at_ms)
        return cls((*faults, Recovery(duration_ms)))


def _draw_crash(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    name = rng.choice(names)
    return Crash(start, name), Restart(end, name)


def _draw_crash_at_store(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    name = rng.choice(names)
    return CrashAtStore(start, name, durable=rng.randrange(2) == 1), Restart(end, name)


def _draw_cut(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    shuffled = rng.sample(names, len(names))
    middle = rng.randint(1, max(1, len(names) - 1))
    return Cut(start, (tuple(shuffled[:middle]), tuple(shuffled[middle:]))), Heal(end)


def _draw_skew(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    name = rng.choice(names)
    return Skew(start, name, rng.randint(_FASTEST_CLOCK, _SLOWEST_CLOCK)), Skew(end, name, PERMILLE)


def _draw_weather(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    storm = LinkFaults(
        latency_ms=(0, rng.randint(1, _GREATEST_LATENCY_MS)),
        loss=rng.randrange(_MOST_LOSS),
        duplication=rng.randrange(_MOST_LOSS),
        reordering=rng.randrange(_MOST_LOSS),
    )
    return Weather(start, storm), Weather(end, None)


def _draw_bad_links(rng: Random, names: Sequence[str], start: int, end: int) -> tuple[Fault, ...]:
    pairs = [(sender, receiver) for sender in names for receiver in names if sender != receiver]
    chosen = tuple(rng.sample(pairs, rng.randint(0, len(pairs) // 2)))
    links = rng.choice((_DEAD, LinkFaults(latency_ms=(0, rng.randint(1, _GREATEST_LATENCY_MS)))))
    return BadLinks(start, chosen, links), Weather(end, None)


_DRAWS = (_draw_crash, _draw_crash_at_store, _draw_cut, _draw_skew, _draw_weather, _draw_bad_links)
