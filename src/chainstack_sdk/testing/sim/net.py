"""The simulator: nodes under a virtual clock, on a network whose every whim follows from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.audit import NOWHERE
from chainstack_sdk.testing.sim.describe import describe_message
from chainstack_sdk.testing.sim.host import Host
from chainstack_sdk.testing.sim.links import LinkFaults
from chainstack_sdk.testing.sim.mining import find_nonce
from chainstack_sdk.testing.sim.timeline import Timeline
from chainstack_sdk.testing.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from chainstack_sdk.network.effects import Node
    from chainstack_sdk.testing.sim.host import NodeFactory
    from chainstack_sdk.testing.sim.invariants import Invariant
    from chainstack_sdk.testing.sim.world import Accusation, Commit


class SimNet:
    """A network of nodes in virtual time. The same arguments give the same run, byte for byte.

    Nothing here waits: the clock jumps to the next event. Everything drawn at random is drawn from one
    generator made of the seed.

    Parameters
    ----------
    seed
        Any integer.
    nodes
        What makes each node, by name; those of a sequence are called ``n0``, ``n1`` and so on. A node is
        made anew at each restart, from its durable record.
    links
        How links treat messages.
    invariants
        What is checked after every event.
    faulty
        Names of nodes that may do as they like; invariants promise nothing for them. A node that is
        restarted with an older record, or without, becomes one of them.
    describe
        Tells in a few words what a message is, for timelines.
    search
        Finds the nonce for a block hash and a target; by default for double SHA-256.
    hashes_per_ms
        How fast nodes mine in virtual time: all of them, or each by name.
    """

    def __init__(
        self,
        seed: int,
        nodes: Mapping[str, NodeFactory] | Sequence[NodeFactory],
        *,
        links: LinkFaults | None = None,
        invariants: Collection[Invariant] = (),
        faulty: Collection[str] = (),
        describe: Callable[[bytes], str] = describe_message,
        search: Callable[[bytes, int], int] = find_nonce,
        hashes_per_ms: int | Mapping[str, int] = 1,
    ) -> None:
        self.seed = seed
        self._links = links or LinkFaults()
        self._invariants = list(invariants)
        self._faulty = set(faulty)
        self._describe = describe
        self._world = World(seed, self._links, search, hashes_per_ms)
        named = nodes if isinstance(nodes, Mapping) else {f"n{i}": node for i, node in enumerate(nodes)}
        for name, factory in named.items():
            host = self._world.hosts[name] = Host(name, factory, self._world)
            self._world.later(0, host.start)

    # Looking

    @property
    def now_ms(self) -> int:
        """Virtual time in milliseconds."""
        return self._world.now_ms

    @property
    def calm_since_ms(self) -> int:
        """When a fault last began or ended."""
        return self._world.calm_since_ms

    @property
    def is_idle(self) -> bool:
        """Whether nothing is going to happen any more."""
        return not self._world.queue

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes, in the order given."""
        return tuple(self._world.hosts)

    @property
    def honest(self) -> tuple[str, ...]:
        """The nodes that follow the rules, in the order given."""
        return tuple(name for name in self._world.hosts if name not in self._faulty)

    @property
    def commits(self) -> Sequence[Commit]:
        """Every block committed anywhere so far, in order."""
        return self._world.commits

    @property
    def accusations(self) -> Sequence[Accusation]:
        """Every proof of misbehaviour so far, in order."""
        return self._world.accusations

    @property
    def audit(self) -> audit.Audit:
        """Every event so far."""
        return self._world.audit

    @property
    def digest(self) -> bytes:
        """32 bytes over every event so far; runs with the same digest were the same."""
        return self._world.audit.digest

    def node(self, name: str) -> Node | None:
        """Return the node of a name; None while it is down."""
        return self._host(name).node

    def height(self, name: str) -> int:
        """Return the greatest height that a node has committed, 0 at first."""
        return self._host(name).height

    def is_honest(self, name: str) -> bool:
        """Tell whether a node follows the rules."""
        return name not in self._faulty

    def timeline(self, first_ms: int = 0, last_ms: int | None = None) -> Timeline:
        """Return what happened in a stretch of time, both ends included, to print or to draw."""
        return Timeline(self.audit.entries, self.names, self._describe, first_ms, last_ms)

    # Running

    def at(self, time_ms: int, action: Callable[[], object]) -> None:
        """Call something at a time to come.

        Raises
        ------
        UsageError
            When the time has passed.
        """
        if time_ms < self.now_ms:
            raise UsageError("this time has passed", expected=self.now_ms, actual=time_ms)
        self._world.later(time_ms - self.now_ms, action)

    def run(
        self,
        until_ms: int | None = None,
        *,
        stop: Callable[[], bool] | None = None,
        max_events: int | None = None,
    ) -> bool:
        """Let time pass until one of the conditions holds, or nothing happens any more.

        Parameters
        ----------
        until_ms
            Up to this time, all events at it included.
        stop
            Asked after every event.
        max_events
            How many events at most.

        Returns
        -------
        bool
            Whether ``stop`` ended it.

        Raises
        ------
        UsageError
            When there is no condition.
        InvariantViolation
            When an invariant does not hold after an event.
        """
        if until_ms is None and stop is None and max_events is None:
            raise UsageError("say when to stop: until_ms, stop or max_events")
        world, left = self._world, max_events
        while world.queue and left != 0 and (until_ms is None or world.queue[0][0] <= until_ms):
            world.now_ms, _, happen, arguments = heappop(world.queue)
            happen(*arguments)
            self._check()
            if stop is not None and stop():
                return True
            left = None if left is None else left - 1
        if until_ms is not None and left != 0:
            world.now_ms = max(world.now_ms, until_ms)
            self._check()
        return False

    def watch(self, invariant: Invariant) -> None:
        """Check one more invariant after every event from now on."""
        self._invariants.append(invariant)

    # Faults

    def crash(self, name: str) -> None:
        """Stop a node at once; what it had not stored is lost. A node that is down stays down."""
        host = self._host(name)
        if host.node is not None:
            host.stop()

    def crash_at_store(self, name: str, *, durable: bool | None) -> None:
        """Stop a node the next time it stores its record, before anything that comes after it.

        Parameters
        ----------
        durable
            Whether the record is on the disk by then; None: it is not to be stopped after all.
        """
        self._world.calm_since_ms = self.now_ms
        self._host(name).crash_at_store = durable

    def restart(self, name: str, *, older: int = 0, amnesia: bool = False) -> None:
        """Start a node that is down. A node that runs goes on.

        Parameters
        ----------
        older
            How many records to go back from the last durable one; the node counts as faulty from now on.
        amnesia
            Whether the record is gone altogether; the node counts as faulty from now on.
        """
        host = self._host(name)
        if host.node is not None:
            return
        if amnesia or older:
            self._faulty.add(name)
        left = 0 if amnesia else len(host.records) - older
        record = host.records[left - 1] if left > 0 else None
        self._note_fault(audit.RESTART, name, record or b"")
        host.start(record)

    def cut(self, *groups: Collection[str]) -> None:
        """Divide the network: messages pass within a group only, and those on their way are lost.

        Nodes in no group form one more. An earlier partition ends.
        """
        told = " | ".join(", ".join(sorted(self._host(name).name for name in group)) for group in groups)
        self._world.links.cut(groups)
        self._note_fault(audit.NETWORK, NOWHERE, f"cut {told}".encode())

    def heal(self) -> None:
        """End the partition."""
        self._world.links.heal()
        self._note_fault(audit.NETWORK, NOWHERE, b"heal")

    def set_links(self, faults: LinkFaults | None = None) -> None:
        """Let all links treat messages otherwise from now on; None: as at first."""
        faults = faults or self._links
        self._world.links.set_all(faults)
        self._note_fault(audit.NETWORK, NOWHERE, f"links {faults}".encode())

    def set_link(self, sender: str, receiver: str, faults: LinkFaults) -> None:
        """Let one link, in one direction, treat messages otherwise from now on."""
        self._world.links.set_one(self._host(sender).name, self._host(receiver).name, faults)
        self._note_fault(audit.NETWORK, sender, f"link to {receiver} {faults}".encode())

    def skew(self, name: str, permille: int) -> None:
        """Let a node's clock go wrong for the timers that it sets from now on.

        Parameters
        ----------
        permille
            True milliseconds that pass while its clock counts a second; 1000 is right.

        Raises
        ------
        UsageError
            When it is not positive.
        """
        if permille < 1:
            raise UsageError("a clock goes forward", actual=permille)
        self._host(name).clock_permille = permille
        self._note_fault(audit.NETWORK, name, f"clock {permille}".encode())

    # Inside

    def _host(self, name: str) -> Host:
        host = self._world.hosts.get(name)
        if host is None:
            raise UsageError("there is no such node", actual=name)
        return host

    def _note_fault(self, kind: str, node: str, data: bytes) -> None:
        self._world.calm_since_ms = self.now_ms
        self.audit.note(self.now_ms, kind, node, NOWHERE, data)

    def _check(self) -> None:
        for invariant in self._invariants:
            invariant.check(self)
