"""A node of an engine that compares branches: it fetches the blocks of a better one and goes over to it.

Blocks travel with their seals. Each that comes in is announced to the engine, which knows the headers of all
branches; once the engine asks for another head, the node goes over as soon as it holds every block on the
way. Now and then it names its height and its newest block to everyone: whoever is ahead answers with the
block it lacks, and whoever is behind fetches what it has not heard of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Decide,
    FetchBlock,
    MessageReceived,
    RequestBlock,
    Restored,
    SwitchHead,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.abilities import Branching, TurnTaking
from chainstack_sdk.network.application import TooEarly
from chainstack_sdk.network.bodies import Bodies
from chainstack_sdk.network.effects import Committed, Send, SetTimer
from chainstack_sdk.network.node import RESEND, EngineNode, Timing
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken, UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.engine import EngineOutput, Timeout
    from chainstack_sdk.core.interfaces import Clock, ConsensusEngine
    from chainstack_sdk.network.application import Candidate, ForkingApplication
    from chainstack_sdk.network.effects import Effect, Node
    from chainstack_sdk.primitives.keys import Signer

BLOCKS_OF_A_SENDER = 64
"""Blocks beside the chain that a node holds of one other, besides those on the branch it is going over to."""
KEPT_BEHIND = 128
"""A block that is not on the chain is forgotten when the chain is so many blocks higher."""
MAX_WANTED = 256
"""Blocks whose descendants were heard of that a node keeps asking for, the oldest forgotten first."""


class ForkNode(EngineNode):
    """A node that follows the best branch, and makes blocks on it.

    Parameters
    ----------
    engine
        Compares branches.
    application
        The chain. What leads back to old blocks must be kept for as long as the engine may go back.
    clock
        Tells whose turn it is, where the engine goes by turns.
    signer
        The node's key, where the engine seals by signatures.
    record
        What :class:`~chainstack_sdk.network.effects.Store` kept last, after a crash.
    timing
        How long to wait.

    Raises
    ------
    UsageError
        When the engine does not compare branches.
    """

    def __init__(
        self,
        engine: ConsensusEngine,
        application: ForkingApplication,
        *,
        clock: Clock,
        signer: Signer | None = None,
        record: bytes | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(engine, signer, timing or Timing())
        self.application = application
        if not isinstance(engine, Branching):
            raise UsageError("this engine has no branches to go over to", actual=engine.name)
        self._branches: Branching = engine
        self._clock = clock
        self._record = record
        self._own: Candidate | None = None
        self._blocks: Bodies[Block] = Bodies(BLOCKS_OF_A_SENDER)
        self._wanted: dict[bytes, None] = {}  # whose headers the engine lacks
        self._missing: dict[bytes, None] = {}  # on the way to the goal
        self._goal: bytes | None = None
        self._sender: Hashable | None = None  # of the message in hand

    def start(self) -> tuple[Effect, ...]:
        """Begin at the head of the chain."""
        if self._record is not None:
            self._feed(Restored(self._record))
        self._feed(BlockCommitted(self.application.height, self.application.head_hash))
        self._do(SetTimer(RESEND, self.timing.resend_ms))
        return self._flush()

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node; anything that is not one is dropped."""
        self._sender = sender
        try:
            return super().receive(sender, message)
        finally:
            self._sender = None

    # Messages

    def _on_message(self, sender: Hashable, kind: Kind, rest: bytes) -> None:
        match kind:
            case Kind.ENGINE:
                self._feed(MessageReceived(rest))
            case Kind.FETCH:
                block = self._blocks.get(rest) or self.application.find(rest)
                if block is not None:
                    self._say(Kind.CANDIDATE, block.encode(), sender)
            case Kind.STATUS:
                block = self.application.block(int.from_bytes(rest, "big"))
                if block is not None:
                    self._say(Kind.DECIDED, block.encode(), sender)
            case _:  # Kind.CANDIDATE or Kind.DECIDED
                self._on_block(sender, self.application.decode(rest))

    def _on_block(self, sender: Hashable, block: Block) -> None:
        block_hash = block.hash
        if block_hash not in self._blocks and self.application.find(block_hash) is None:
            self._blocks.take(block_hash, block, None if block_hash in self._missing else sender)
        self._wanted.pop(block_hash, None)
        self._feed(MessageReceived(encode_announcement(block.header, block.seal)))

    def _on_resend(self) -> None:
        self._say_status()
        tip = self.application.block(self.application.height)
        if tip is not None:
            self._say(Kind.ENGINE, encode_announcement(tip.header, tip.seal))
        for block_hash in (*self._wanted, *self._missing):
            self._say(Kind.FETCH, block_hash)
        self._on_quiet()  # time has passed

    def _say_status(self, to: Hashable | None = None) -> None:
        self._do(Send(wire.encode_status(self.application.height + 1), to))

    # What the engine wants

    def _on_output(self, output: EngineOutput) -> None:
        match output:
            case RequestBlock(height) if height == self.application.height + 1:
                self._build(height)
            case FetchBlock(_, block_hash):
                self._fetch(block_hash)
            case Decide(_, block_hash, seal):
                self._decide(block_hash, seal)
            case SwitchHead(_, block_hash):
                self._goal = block_hash

    def _schedule(self, timeout: Timeout) -> None:
        engine, now_ms = self.engine, self._clock.now_ms()
        if not isinstance(engine, TurnTaking):
            super()._schedule(timeout)
            return
        next_ms = engine.next_turn_ms(now_ms)
        if next_ms is not None:
            self._do(SetTimer(timeout, next_ms - now_ms))

    def _build(self, height: int) -> None:
        timestamp_ms = None
        if isinstance(self.engine, TurnTaking):
            timestamp_ms = self.engine.turn_ms(self._clock.now_ms())
            if timestamp_ms is None:
                return
        self._own = self.application.build(height, timestamp_ms)
        if self._own is not None:
            self._feed(BlockProposed(height, self._own.block_hash, own=True))

    def _decide(self, block_hash: bytes, seal: bytes) -> None:
        own = self._own
        if own is None or own.block_hash != block_hash:
            raise InvariantBroken("an engine decides on blocks that were built for it", hash=block_hash)
        block = self.application.commit(own, seal)
        self._say(Kind.CANDIDATE, block.encode())
        self._moved([block])

    # Branches

    def _fetch(self, block_hash: bytes) -> None:
        """Ask whoever has just spoken for a block whose header the engine lacks."""
        if block_hash in self._wanted:
            return
        if len(self._wanted) >= MAX_WANTED:
            del self._wanted[next(iter(self._wanted))]
        self._wanted[block_hash] = None
        self._say(Kind.FETCH, block_hash, self._sender)

    def _on_quiet(self) -> None:
        """Go over to the branch that the engine has asked for, or ask for what is missing of it."""
        if self._goal is None:
            return
        branch = self._branches.branch(self._goal)
        found = {sealed.header.hash: self._blocks.get(sealed.header.hash) for sealed in branch}
        missing = {block_hash: None for block_hash, block in found.items() if block is None}
        for block_hash in missing:
            if block_hash not in self._missing:
                self._say(Kind.FETCH, block_hash, self._sender)
        self._missing = missing
        if not missing:
            seals = {sealed.header.hash: sealed.seal for sealed in branch}
            self._switch([replace(block, seal=seals[block.hash]) for block in found.values() if block])

    def _switch(self, blocks: list[Block]) -> None:
        try:
            self.application.reorganise(blocks[0].height - 1, blocks)
        except TooEarly:
            return
        except InvalidInput as error:
            refused = next(block for block in blocks if block.hash == error.facts["block_hash"])
            self._goal = None
            self._feed(BlockRefused(refused.height, refused.hash))
        else:
            self._moved(blocks)
            self._say_status(self._sender)  # there may be more

    def _moved(self, added: list[Block]) -> None:
        """Tell of blocks that are on the chain now, and let go of what is of no use any more."""
        self._own = self._goal = None
        self._missing.clear()
        for block in added:
            self._do(Committed(block.height, block.hash, block.seal))
        head, find = added[-1], self.application.find
        self._blocks.keep_only(
            lambda kept: kept.height > head.height - KEPT_BEHIND and find(kept.hash) is None
        )
        self._feed(BlockCommitted(head.height, head.hash))


if TYPE_CHECKING:
    _check: type[Node] = ForkNode
