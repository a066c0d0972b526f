"""The network between simulated nodes: how long messages take, and which of them never arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

PERMILLE = 1_000
"""Shares are whole numbers of thousandths."""


@dataclass(frozen=True, slots=True)
class LinkFaults:
    """How a link treats messages.

    Raises
    ------
    UsageError
        When the latency is not a range from 0 up, or a share not from 0 to 1000.
    """

    latency_ms: tuple[int, int] = (10, 50)
    """Least and greatest delay; every message draws its own, all delays being equally likely."""
    loss: int = 0
    """How many of 1000 messages are lost."""
    duplication: int = 0
    """How many of 1000 messages arrive twice."""
    reordering: int = 0
    """How many of 1000 messages may be overtaken; the others arrive in the order they were sent in."""

    def __post_init__(self) -> None:
        least, greatest = self.latency_ms
        if not 0 <= least <= greatest:
            raise UsageError("latency is a range of milliseconds", actual=self.latency_ms)
        for share in (self.loss, self.duplication, self.reordering):
            if not 0 <= share <= PERMILLE:
                raise UsageError("a share of messages is from 0 to 1000", actual=share)


class Links:
    """All links among some nodes, and the partition that may divide them.

    Parameters
    ----------
    faults
        How every link treats messages until told otherwise.
    rng
        What every draw is taken from.
    """

    def __init__(self, faults: LinkFaults, rng: Random) -> None:
        self._rng = rng
        self._faults = faults
        self._special: dict[tuple[str, str], LinkFaults] = {}
        self._groups: dict[str, int] = {}
        self._newest: dict[tuple[str, str], int] = {}

    def connects(self, one: str, other: str) -> bool:
        """Tell whether no partition stands between two nodes."""
        groups = self._groups
        return not groups or groups.get(one) == groups.get(other)

    def cut(self, groups: Collection[Collection[str]]) -> None:
        """Divide the nodes; those in no group form one more. An earlier partition ends."""
        self._groups = {name: number for number, group in enumerate(groups) for name in group}

    def heal(self) -> None:
        """End the partition."""
        self._groups = {}

    def set_all(self, faults: LinkFaults) -> None:
        """Let every link, also those with faults of their own, treat messages in this way."""
        self._faults = faults
        self._special.clear()

    def set_one(self, sender: str, receiver: str, faults: LinkFaults) -> None:
        """Let the link from one node to another, in this direction, treat messages in this way."""
        self._special[sender, receiver] = faults

    def arrivals(self, now_ms: int, sender: str, receiver: str) -> tuple[int, ...]:
        """Return when a message sent now arrives: never, once, or twice. Partitions are not looked at."""
        faults = self._special.get((sender, receiver), self._faults) if self._special else self._faults
        if self._happens(faults.loss):
            return ()
        arrival = now_ms + self._latency(faults)
        if self._happens(faults.reordering):
            arrival += self._latency(faults)
        else:
            arrival = max(arrival, self._newest.get((sender, receiver), 0))
            self._newest[sender, receiver] = arrival
        if self._happens(faults.duplication):
            return arrival, arrival + self._latency(faults)
        return (arrival,)

    def _happens(self, share: int) -> bool:
        return share > 0 and self._rng.randrange(PERMILLE) < share

    def _latency(self, faults: LinkFaults) -> int:
        least, greatest = faults.latency_ms
        return least if least == greatest else self._rng.randint(least, greatest)
