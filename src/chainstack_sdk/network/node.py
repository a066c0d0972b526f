"""What all nodes have in common: an engine's outputs become effects, a signer answers its ``Sign``."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import (
    Broadcast,
    Persist,
    RequestWork,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.effects import Mine, Send, SetTimer, Store
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Hashable

    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine
    from chainstack_sdk.network.effects import Effect, Timer
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a node waits, in milliseconds."""

    base_ms: int = 1_000
    """In round 0 of a height."""
    step_ms: int = 500
    """More for each later round, so that rounds outgrow any delay of the network."""
    resend_ms: int = 1_000
    """Between two offers to help those that lag."""
    pause_ms: int = 0
    """Before a validator makes a block, so that transactions can gather; well below ``base_ms``."""

    def delay_ms(self, timeout: Timeout) -> int:
        """Return how long a timeout takes."""
        return self.base_ms + self.step_ms * timeout.round


RESEND = "resend"
"""Name of the timer of retransmission."""


class EngineNode:
    """An engine with a key and a voice, without input and output of its own.

    Parameters
    ----------
    engine
        Decides on blocks.
    signer
        Signs for the engine; None: this node only follows.
    timing
        How long to wait.
    """

    def __init__(self, engine: ConsensusEngine, signer: Signer | None, timing: Timing) -> None:
        self.engine = engine
        self.timing = timing
        self._signer = signer
        self._queue: deque[EngineInput] = deque()
        self._effects: list[Effect] = []

    # What drivers call

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node; anything that is not one is dropped."""
        try:
            kind, rest = wire.decode(message)
            self._on_message(sender, kind, rest)
        except InvalidInput:
            pass  # remote data; nothing has changed
        return self._flush()

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Take the news that a timer has run out."""
        if isinstance(timer, Timeout):
            self._queue.append(TimeoutElapsed(timer))
        elif timer == RESEND:
            self._do(SetTimer(RESEND, self.timing.resend_ms))
            self._on_resend()
        else:
            self._on_timer(timer)
        return self._flush()

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        """Take the nonce that was asked for."""
        self._queue.append(WorkFound(block_hash, nonce))
        return self._flush()

    # What kinds of nodes add

    def _on_message(self, sender: Hashable, kind: wire.Kind, rest: bytes) -> None:
        raise InvalidInput("this node takes messages for its engine only", actual=kind)

    def _on_resend(self) -> None:
        """Offer help to nodes that lag."""

    def _on_timer(self, timer: str) -> None:
        """Do what a node's own timer stands for."""

    def _on_output(self, output: EngineOutput) -> None:
        """Carry out what concerns blocks."""

    def _durable(self, record: bytes) -> bytes:
        """Return what is to be stored along with the engine's record."""
        return record

    def _on_quiet(self) -> None:
        """Do what has to wait until the engine has heard everything."""

    def _schedule(self, timeout: Timeout) -> None:
        """Set the timer that the engine asks for."""
        self._do(SetTimer(timeout, self.timing.delay_ms(timeout)))

    # Inside

    def _feed(self, event: EngineInput) -> None:
        self._queue.append(event)

    def _do(self, *effects: Effect) -> None:
        self._effects.extend(effects)

    def _say(self, kind: wire.Kind, rest: bytes, to: Hashable | None = None) -> None:
        self._effects.append(Send(wire.encode(kind, rest), to))

    def _flush(self) -> tuple[Effect, ...]:
        """Let the engine work until it has nothing more to say; return what there is to do."""
        queue = self._queue
        while queue:
            for output in self.engine.process(queue.popleft()):
                self._carry_out(output)
            if not queue:
                self._on_quiet()
        effects, self._effects = tuple(self._effects), []
        return effects

    def _carry_out(self, output: EngineOutput) -> None:
        match output:
            case Broadcast(message):
                self._say(wire.Kind.ENGINE, message)
            case Persist(record, then):
                # drivers carry effects out in order, and nothing after this one before it is durable
                self._do(Store(self._durable(record)))
                for following in then:
                    self._carry_out(following)
            case Sign(payload) if self._signer is not None:
                self._feed(Signed(payload, self._signer.sign(keccak256(payload))))
            case ScheduleTimeout(timeout):
                self._schedule(timeout)
            case RequestWork(block_hash, target):
                self._do(Mine(block_hash, target))
            case _:
                self._on_output(output)
