"""One simulated machine: the node that runs on it, its disk, its clock, its timers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.network.effects import Committed, Mine, Send, SetTimer, Store
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.audit import NOWHERE, timer_text
from chainstack_sdk.testing.sim.links import PERMILLE
from chainstack_sdk.testing.sim.mining import mining_ms
from chainstack_sdk.testing.sim.world import Accusation, Commit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from chainstack_sdk.network.effects import Effect, Node, Timer
    from chainstack_sdk.testing.sim.world import World

    NodeFactory: TypeAlias = Callable[[bytes | None], Node]
    """Makes a node from its last durable record, or from None when there is none."""

KEPT_RECORDS = 64
"""How many records a machine remembers, for restarts with an older one."""


class Host:
    """A machine in a simulation, which carries out what its node asks for.

    Parameters
    ----------
    name
        What other nodes know it by.
    factory
        Makes the node, at each start anew.
    world
        What it shares with others.
    """

    def __init__(self, name: str, factory: NodeFactory, world: World) -> None:
        self.name = name
        self.node: Node | None = None
        """None while it is down."""
        self.records: deque[bytes] = deque(maxlen=KEPT_RECORDS)
        """What was stored, oldest first; the last is on the disk."""
        self.clock_permille = PERMILLE
        """How long a second of its clock takes, in true milliseconds."""
        self.crash_at_store: bool | None = None
        """Whether the next store succeeds before it crashes the machine; None: it does not crash."""
        self.height = 0
        """Greatest height committed."""
        self._factory = factory
        self._world = world
        self._timers: dict[Hashable, int] = {}
        self._search = 0

    def start(self, record: bytes | None = None) -> None:
        """Make the node and let it begin."""
        self.node = self._factory(record)
        self._carry_out(self.node.start())

    def stop(self) -> None:
        """Lose everything but the disk."""
        self.node = None
        self.crash_at_store = None
        self._timers.clear()
        self._search = 0
        self._world.calm_since_ms = self._world.now_ms
        self._note(audit.CRASH)

    # Events

    def _deliver(self, sender: str, message: bytes, sent_ms: int) -> None:
        world = self._world
        if not world.links.connects(sender, self.name):
            world.audit.note(world.now_ms, audit.BLOCK, sender, self.name, message, sent_ms)
        elif self.node is None:
            world.audit.note(world.now_ms, audit.MISS, self.name, sender, message, sent_ms)
        else:
            world.audit.note(world.now_ms, audit.DELIVER, self.name, sender, message, sent_ms)
            self._carry_out(self.node.receive(sender, message))

    def _elapse(self, timer: Timer, event: int) -> None:
        if self.node is not None and self._timers.get(timer) == event:
            del self._timers[timer]
            self._note(audit.TIMER, timer_text(timer))
            self._carry_out(self.node.elapsed(timer))

    def _mine(self, effect: Mine, event: int) -> None:
        if self.node is not None and self._search == event:
            nonce = self._world.search(effect.block_hash, effect.target)
            self._note(audit.MINE, effect.block_hash + nonce.to_bytes(8, "big"))
            self._carry_out(self.node.mined(effect.block_hash, nonce))

    # Effects

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Send(message, to):
                    self._send(message, to)
                case SetTimer(timer, delay_ms):
                    self._set_timer(timer, delay_ms)
                case Store(record):
                    if not self._store(record):
                        return
                case Committed():
                    self._commit(effect)
                case Mine():
                    self._start_mining(effect)
                case _:
                    self._accuse(effect.evidence)

    def _send(self, message: bytes, to: Hashable | None) -> None:
        if to is not None:
            receiver = self._world.hosts.get(str(to))
            if receiver is None:
                raise UsageError("a message to a node that does not exist", actual=to)
            self._send_to(receiver, message)
            return
        for receiver in self._world.hosts.values():
            if receiver is not self:
                self._send_to(receiver, message)

    def _send_to(self, receiver: Host, message: bytes) -> None:
        world, now_ms, name = self._world, self._world.now_ms, self.name
        world.audit.note(now_ms, audit.SEND, name, receiver.name, message)
        if not world.links.connects(name, receiver.name):
            world.audit.note(now_ms, audit.BLOCK, name, receiver.name, message)
            return
        arrivals = world.links.arrivals(now_ms, name, receiver.name)
        if not arrivals:
            world.audit.note(now_ms, audit.LOSE, name, receiver.name, message)
        elif len(arrivals) > 1:
            world.audit.note(now_ms, audit.DUPLICATE, name, receiver.name, message)
        for arrival in arrivals:
            world.later(arrival - now_ms, receiver._deliver, name, message, now_ms)

    def _set_timer(self, timer: Timer, delay_ms: int) -> None:
        self._timers[timer] = event = self._world.next_event
        self._world.later(delay_ms * self.clock_permille // PERMILLE, self._elapse, timer, event)

    def _store(self, record: bytes) -> bool:
        """Keep a record; tell whether the machine still runs."""
        if self.crash_at_store is not False:
            self.records.append(record)
            self._note(audit.STORE, record)
        if self.crash_at_store is None:
            return True
        self.stop()
        return False

    def _commit(self, effect: Committed) -> None:
        height, block_hash, seal = effect.height, effect.block_hash, effect.seal
        self.height = max(self.height, height)
        self._note(audit.COMMIT, height.to_bytes(8, "big") + block_hash + seal)
        self._world.commits.append(Commit(self._world.now_ms, self.name, height, block_hash, seal))

    def _accuse(self, evidence: bytes) -> None:
        self._note(audit.ACCUSE, evidence)
        self._world.accusations.append(Accusation(self._world.now_ms, self.name, evidence))

    def _start_mining(self, effect: Mine) -> None:
        world = self._world
        self._search = world.next_event
        delay_ms = mining_ms(effect.target, world.power(self.name), world.rng)
        world.later(delay_ms, self._mine, effect, self._search)

    def _note(self, kind: str, data: bytes = b"") -> None:
        self._world.audit.note(self._world.now_ms, kind, self.name, NOWHERE, data)
