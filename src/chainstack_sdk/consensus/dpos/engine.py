"""The engine of voted delegates: one block a turn, the longest chain, nothing below what is irreversible.

::

    BlockCommitted  →  ScheduleTimeout("turn")          when this node is a delegate
    TimeoutElapsed  →  RequestBlock, ScheduleTimeout    its turn has come
    BlockProposed   →  Persist then Sign                the host's own candidate on the head
    Signed          →  Decide, Broadcast
    MessageReceived →  SwitchHead or FetchBlock         an announcement of another's block
    BlockRefused    →  SwitchHead                       to the best valid branch, if that is not the chain's

What the host does about time
-----------------------------
The engine has no clock. To carry out ``ScheduleTimeout(Timeout("turn", height, 0))`` the host asks
:meth:`DelegatedProofOfStake.next_turn_ms` with its present time, waits until the moment returned, and answers
``TimeoutElapsed``; the timeout takes the place of the one before. To carry out the ``RequestBlock`` that
follows, it asks :meth:`DelegatedProofOfStake.turn_ms` with its present time and builds a candidate with
exactly that timestamp and its own address as proposer; None means that the turn is over, and it builds
nothing. It does not go over to a branch whose tip lies ahead of its clock by more than the clocks of honest
delegates differ, but waits until that time has come.

How it goes over to another branch is described in :mod:`chainstack_sdk.consensus.forkchoice`.

The durable record is the turn and the hash of the block signed last, so that a delegate which crashed never
seals two blocks for one turn.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.dpos.rule import Builders, DelegateRule, seal_payload
from chainstack_sdk.consensus.forkchoice import BranchEngine, ForkChoice
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    MessageReceived,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
)
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.consensus.tree import HeaderTree
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine

DEFAULT_DEPTH = 1_024
"""Blocks that a chain goes back at most, while none is irreversible."""
TURN = "turn"
"""Kind of the timeout that ends at this node's next turn."""
_RECORD = Struct(">Q32s")


class DelegatedProofOfStake(BranchEngine[DelegateRule]):
    """Produces in its turns and follows the longest chain.

    Parameters
    ----------
    rule
        The rule of headers. Its ``headers`` must know the blocks of the host's chain and the candidates
        that the host proposes: :meth:`Blockchain.header_of <chainstack_sdk.core.Blockchain.header_of>`.
    address
        The delegate whose key the host signs with, 20 bytes; None: this node only follows.
    depth
        How many blocks the chain goes back at most while too few delegates take part to make any
        irreversible.
    """

    name = "dpos"

    def __init__(
        self, rule: DelegateRule, *, address: bytes | None = None, depth: int = DEFAULT_DEPTH
    ) -> None:
        super().__init__(ForkChoice(rule.with_headers, rule.headers, depth=depth))
        self._address = address
        self._headers = rule.headers
        self._signed: tuple[int, bytes] = (-1, b"")
        self._pending: Header | None = None

    @property
    def irreversible(self) -> Header | None:
        """The newest block of the chain that this node will not go below; None before the first block.

        More than two thirds of an epoch's delegates have built on it, or it is the oldest block that this
        engine has seen, or ``depth`` blocks back.
        """
        return None if self._fork.tree is None else self._fork.tree.root

    def finalized_height(self) -> int:
        """Return the height of the newest irreversible block."""
        newest = self.irreversible
        return 0 if newest is None else newest.height

    # Time, for hosts

    def turn_ms(self, now_ms: int) -> int | None:
        """Return the timestamp for a block on the head when it is this node's turn at a time, else None.

        Parameters
        ----------
        now_ms
            Unix time in milliseconds.
        """
        head, interval_ms = self._fork.head, self.header_rule.parameters.interval_ms
        start_ms = now_ms - now_ms % interval_ms
        index = self._index()
        if head is None or index is None or start_ms <= head.timestamp_ms:
            return None
        mine, count = index
        return start_ms if start_ms // interval_ms % count == mine else None

    def next_turn_ms(self, now_ms: int) -> int | None:
        """Return when this node's next turn on the head begins, after a time; None: it has no turns.

        Parameters
        ----------
        now_ms
            Unix time in milliseconds.
        """
        head, interval_ms = self._fork.head, self.header_rule.parameters.interval_ms
        index = self._index()
        if head is None or index is None:
            return None
        mine, count = index
        turn = max(now_ms, head.timestamp_ms) // interval_ms + 1
        return (turn + (mine - turn) % count) * interval_ms

    def _index(self) -> tuple[int, int] | None:
        """Return this node's place among the delegates of the next block, and how many there are."""
        head = self._fork.head
        if head is None or self._address is None:
            return None
        try:
            delegates = self.header_rule.delegates_after(head)
        except InvalidInput:
            return None
        place = delegates.index_of(self._address)
        return None if place is None else (place, len(delegates))

    # Events

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order.

        Raises
        ------
        InvalidInput
            When the record handed to a restarted engine is damaged.
        """
        match event:
            case BlockCommitted(_, block_hash):
                return self._follow(block_hash)
            case TimeoutElapsed(Timeout(kind="turn", height=height)):
                return self._on_turn(height)
            case BlockProposed(_, block_hash):
                return self._sign(block_hash)
            case Signed(payload, signature):
                return self._seal(payload, signature)
            case MessageReceived(message):
                return self._fork.hear(message)
            case BlockRefused(_, block_hash):
                return self._fork.ban(block_hash)
            case Restored(record):
                self._restore(record)
        return ()

    def _follow(self, block_hash: bytes) -> tuple[EngineOutput, ...]:
        self._pending = None
        tree = self._fork.follow(block_hash)
        self._settle(tree)
        return (*self._fork.switch(tree), *self._await_turn())

    def _await_turn(self) -> tuple[EngineOutput, ...]:
        head = self._fork.head
        if head is None or self._index() is None:
            return ()
        return (ScheduleTimeout(Timeout(TURN, head.height + 1, 0)),)

    def _on_turn(self, height: int) -> tuple[EngineOutput, ...]:
        head = self._fork.head
        if head is None or height != head.height + 1:
            return ()
        return (RequestBlock(height), *self._await_turn())

    def _sign(self, block_hash: bytes) -> tuple[EngineOutput, ...]:
        """Ask for the signature of this node's own candidate, unless it has signed another for the turn."""
        header, head = self._headers(block_hash), self._fork.head
        own = header is not None and header.proposer == self._address
        if header is None or head is None or not own or header.parent_hash != head.hash:
            return ()
        try:
            self.header_rule.validate_candidate(header, head)
        except InvalidInput:
            self._refused += 1
            return ()
        signing = (self.header_rule.turn_of(header), block_hash)
        if signing != self._signed and signing[0] <= self._signed[0]:
            return ()
        self._signed = signing
        self._pending = header
        return (Persist(_RECORD.pack(*signing), (Sign(seal_payload(header)),)),)

    def _seal(self, payload: bytes, signature: bytes) -> tuple[EngineOutput, ...]:
        header, head = self._pending, self._fork.head
        if header is None or head is None or payload != seal_payload(header):
            return ()
        try:
            self.header_rule.validate_header(header, signature, head)
        except InvalidInput:
            self._refused += 1
            return ()
        self._pending = None
        self._fork.offer(header, signature)
        announcement = Broadcast(encode_announcement(header, signature))
        return Decide(header.height, header.hash, signature), announcement

    def _restore(self, record: bytes) -> None:
        if len(record) != _RECORD.size:
            raise InvalidInput("not the record of a delegate", expected=_RECORD.size, actual=len(record))
        turn, block_hash = _RECORD.unpack(record)
        self._signed = max(self._signed, (turn, block_hash))

    def _settle(self, tree: HeaderTree) -> None:
        """Cut off whatever leaves the chain below its newest irreversible block."""
        builders = Builders(self.header_rule)
        above: Header | None = None
        for header in tree.ancestors(tree.head.hash):
            try:
                if above is not None and builders.add(above, header):
                    tree.settle(header.hash)
                    return
            except InvalidInput:
                return  # delegates so long ago that nobody knows them any more
            above = header


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = DelegatedProofOfStake
