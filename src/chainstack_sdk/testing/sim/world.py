"""What simulated machines share: the clock, the events to come, the network, the log."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappush
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

from chainstack_sdk.testing.sim.audit import Audit
from chainstack_sdk.testing.sim.links import LinkFaults, Links

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.testing.sim.host import Host

    Event: TypeAlias = tuple[int, int, Callable[..., object], tuple[Any, ...]]
    """When (ms), its number, what is called, and with what; of one time, the lowest number first."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A node's chain has appended a block."""

    time_ms: int
    node: str
    height: int
    block_hash: bytes
    """32 bytes."""
    seal: bytes
    """Empty when the node has the block from another that had decided."""


@dataclass(frozen=True, slots=True)
class Accusation:
    """A node holds a proof that a validator broke the rules."""

    time_ms: int
    node: str
    evidence: bytes


class World:
    """The clock, the events to come, the network and the log of one run.

    Parameters
    ----------
    seed
        Every draw follows from it.
    links
        How links treat messages at first.
    search
        Finds the nonce for a block hash and a target.
    hashes_per_ms
        How fast nodes mine: all of them, or each by name.
    """

    def __init__(
        self,
        seed: int,
        links: LinkFaults,
        search: Callable[[bytes, int], int],
        hashes_per_ms: int | Mapping[str, int],
    ) -> None:
        self.now_ms = 0
        self.rng = Random(seed)
        self.links = Links(links, self.rng)
        self.audit = Audit()
        self.queue: list[Event] = []
        self.hosts: dict[str, Host] = {}
        self.commits: list[Commit] = []
        self.accusations: list[Accusation] = []
        self.search = search
        self.calm_since_ms = 0
        """When a fault last began or ended."""
        self.next_event = 1
        """Number of the event that :meth:`later` adds next."""
        self._power = hashes_per_ms

    def later(self, delay_ms: int, happen: Callable[..., object], *arguments: object) -> None:
        """Let something happen after a while."""
        heappush(self.queue, (self.now_ms + delay_ms, self.next_event, happen, arguments))
        self.next_event += 1

    def power(self, name: str) -> int:
        """Return how many hashes a node does in a millisecond."""
        return self._power if isinstance(self._power, int) else self._power[name]
