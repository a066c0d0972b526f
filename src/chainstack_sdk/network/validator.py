"""A validator: an engine that votes, the blocks it votes on, and the help it gives to those that lag.

Engines assume that what one honest node has received, every honest node receives in the end. Networks
lose messages and nodes crash, so every node says now and then which height it is about to decide; whoever
is ahead answers with the decided block, and whoever is at the same height repeats what was said there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import (
    Accuse,
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Decide,
    FetchBlock,
    MessageReceived,
    RequestBlock,
    RequestWork,
    Restored,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.abilities import Resending
from chainstack_sdk.network.application import TooEarly
from chainstack_sdk.network.bodies import Bodies
from chainstack_sdk.network.effects import Accused, Committed, Send, SetTimer
from chainstack_sdk.network.node import RESEND, EngineNode, Timing
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Hashable

    from chainstack_sdk.core.engine import EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine
    from chainstack_sdk.network.application import Application, Candidate
    from chainstack_sdk.network.effects import Effect, Node
    from chainstack_sdk.primitives.keys import Signer

BUILD = "build"
"""Name of the timer after which a block is made."""
CANDIDATES_OF_A_SENDER = 8
"""Undecided blocks that a node takes from one other, besides those that its engine asks for."""


class ValidatorNode(EngineNode):
    """A node of an engine that agrees on one block at a time.

    Parameters
    ----------
    engine
        Decides on blocks; stands at the application's height.
    application
        The chain.
    signer
        The validator's key; None for a node that only follows.
    record
        What :class:`~chainstack_sdk.network.Store` kept last, after a crash.
    timing
        How long to wait.
    """

    def __init__(
        self,
        engine: ConsensusEngine,
        application: Application,
        *,
        signer: Signer | None = None,
        record: bytes | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(engine, signer, timing or Timing())
        self.application = application
        self._record = record
        self._candidates: Bodies[Candidate] = Bodies(CANDIDATES_OF_A_SENDER)
        self._unjudged: dict[bytes, Candidate] = {}
        self._wanted: dict[bytes, None] = {}
        self._requested = 0
        self._is_due = False  # a block has been asked for, and its time had not come

    def start(self) -> tuple[Effect, ...]:
        """Begin at the head of the chain, or go on from the record after a crash."""
        bodies: tuple[bytes, ...] = ()
        if self._record is not None:
            record, bodies = _open(self._record)
            self._feed(Restored(record))
        self._feed(BlockCommitted(self.application.height, self.application.head_hash))
        for body in bodies:
            self._hold(self.application.inspect(body))
        self._judge()
        self._do(SetTimer(RESEND, self.timing.resend_ms))
        return self._flush()

    # Messages

    def _on_message(self, sender: Hashable, kind: Kind, rest: bytes) -> None:
        match kind:
            case Kind.ENGINE:
                self._feed(MessageReceived(rest))
            case Kind.CANDIDATE:
                self._on_candidate(sender, self.application.inspect(rest))
            case Kind.FETCH:
                candidate = self._candidates.get(rest)
                if candidate is not None:
                    self._say(Kind.CANDIDATE, candidate.body, sender)
            case Kind.STATUS:
                self._on_status(sender, int.from_bytes(rest, "big"))
            case _:  # Kind.DECIDED
                self._on_decided(sender, rest)

    def _on_candidate(self, sender: Hashable, candidate: Candidate) -> None:
        block_hash, ahead = candidate.block_hash, candidate.height - self.application.height
        if ahead not in (1, 2) or block_hash in self._candidates:
            return
        if self._candidates.take(block_hash, candidate, None if block_hash in self._wanted else sender):
            self._wanted.pop(block_hash, None)
            self._unjudged[block_hash] = candidate
            self._judge()

    def _on_status(self, sender: Hashable, height: int) -> None:
        own = self.application.height + 1
        if height < own:
            sealed = self.application.sealed(height)
            if sealed is not None:
                self._say(Kind.DECIDED, sealed, sender)
        elif height == own and isinstance(self.engine, Resending):
            for message in self.engine.resend():
                self._say(Kind.ENGINE, message, sender)

    def _on_decided(self, sender: Hashable, body: bytes) -> None:
        if self.application.inspect(body).height != self.application.height + 1:
            return
        candidate = self.application.append(body)
        self._committed(candidate, b"")
        self._say_status(sender)  # there may be more

    def _on_resend(self) -> None:
        self._judge()  # time has passed
        if self._is_due:
            self._do(SetTimer(BUILD, self.timing.pause_ms))
        self._say_status()
        for block_hash in self._wanted:
            self._say(Kind.FETCH, block_hash)

    def _say_status(self, to: Hashable | None = None) -> None:
        self._do(Send(wire.encode_status(self.application.height + 1), to))

    def _hold(self, candidate: Candidate) -> None:
        """Hold a block that this node had voted on before it went down."""
        if candidate.height == self.application.height + 1:
            self._candidates.take(candidate.block_hash, candidate, None)
            self._unjudged[candidate.block_hash] = candidate

    def _durable(self, record: bytes) -> bytes:
        """Add the blocks that the record speaks of.

        Whoever is locked on a block must be able to show it: were all who hold it to go down at once, nobody
        could vote on anything else, nor on that block, ever again.
        """
        return rlp_encode([record, [each.body for each in self._candidates if each.block_hash in record]])

    # What the engine wants

    def _on_output(self, output: EngineOutput) -> None:
        match output:
            case RequestBlock(height):
                # the driver comes in between, or a validator alone would go on deciding for ever
                self._requested = height
                self._do(SetTimer(BUILD, self.timing.pause_ms))
            case FetchBlock(_, block_hash) if block_hash not in self._candidates:
                self._wanted[block_hash] = None
                self._say(Kind.FETCH, block_hash)
            case Decide(_, block_hash, seal):
                self._decide(block_hash, seal)
            case Accuse(evidence):
                self._do(Accused(evidence))
                self.application.accuse(evidence)

    def _on_timer(self, timer: str) -> None:
        """Make the block that the engine has asked for last, if it is still the next."""
        height = self.application.height + 1
        if timer != BUILD or height != self._requested:
            return
        candidate = self.application.build(height)
        self._is_due = candidate is None
        if candidate is None:
            return
        if candidate.block_hash not in self._candidates:
            self._candidates.take(candidate.block_hash, candidate, None)
        self._unjudged.pop(candidate.block_hash, None)
        outputs = self.engine.process(self._proposed(candidate, own=True))
        if not any(isinstance(output, RequestWork) for output in outputs):
            self._say(Kind.CANDIDATE, candidate.body)
        for output in outputs:
            self._carry_out(output)

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        """Take the nonce that was asked for."""
        candidate = self._candidates.get(block_hash)
        if candidate is not None:
            self._say(Kind.CANDIDATE, candidate.body)
        return super().mined(block_hash, nonce)

    def _decide(self, block_hash: bytes, seal: bytes) -> None:
        candidate = self._candidates.get(block_hash)
        if candidate is None:
            raise InvariantBroken("an engine decides on blocks that it has been told of", hash=block_hash)
        self.application.commit(candidate, seal)
        self._committed(candidate, seal)

    # Candidates

    def _judge(self) -> None:
        """Tell the engine which candidates on the head are valid, as far as that can be told."""
        height = self.application.height + 1
        for candidate in [each for each in self._unjudged.values() if each.height == height]:
            try:
                if candidate.parent_hash != self.application.head_hash:
                    raise InvalidInput("a decided block is the only one of its height")
                self.application.check(candidate)
            except TooEarly:
                continue
            except InvalidInput:
                self._feed(BlockRefused(height, candidate.block_hash))
            else:
                self._feed(self._proposed(candidate))
            del self._unjudged[candidate.block_hash]

    def _proposed(self, candidate: Candidate, *, own: bool = False) -> BlockProposed:
        extra = self.application.extra(candidate)
        return BlockProposed(candidate.height, candidate.block_hash, extra, own)

    def _committed(self, candidate: Candidate, seal: bytes) -> None:
        height = candidate.height
        self._do(Committed(height, candidate.block_hash, seal))
        self._wanted.clear()
        self._candidates.keep_only(lambda kept: kept.height > height)
        self._unjudged = {
            block_hash: kept for block_hash, kept in self._unjudged.items() if kept.height > height
        }
        self._feed(BlockCommitted(height, candidate.block_hash))
        self._judge()


def _open(stored: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Split what was stored into the engine's record and the blocks that go with it."""
    match rlp_decode(stored):
        case [bytes(record), list(bodies)]:
            return record, tuple(body for body in bodies if isinstance(body, bytes))
    raise InvalidInput("a node's record is a list of the engine's record and blocks")


if TYPE_CHECKING:
    _check: type[Node] = ValidatorNode
