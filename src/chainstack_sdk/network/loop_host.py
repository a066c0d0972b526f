"""A whole committee in one process, which looks to its chain like one engine that decides at once.

All members look at one chain, so that a block is built and run once. When the chain goes back, or a block
that was decided on could not be appended, so do the members: they forget what they have signed and decide
again. That is for chains of one's own only; members whom others rely on never sign twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.network.abilities import Completing, Finalising, TurnTaking
from chainstack_sdk.network.loop import Loop
from chainstack_sdk.network.pool import SoloPool
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule
    from chainstack_sdk.network.pool import Pool
    from chainstack_sdk.primitives.keys import Signer

_MAX_TIMEOUTS = 1_000
"""After so many a block has no hope of being decided: the members cannot agree."""


class LoopHost:
    """Members of a committee deciding on the blocks of one chain.

    Parameters
    ----------
    engines
        One for each member.
    signers
        Their keys, in the same order.
    prove
        Returns what a member, by number, adds to its own proposals of a block; by default nothing.
    first_proposer
        Returns the number of the member that proposes first at a height, or None when it is none of
        them. Only that one is asked to prove, unless its round fails.
    pool
        Does the proof of work and says whom blocks pay for it; by default double SHA-256, here.
    on_evidence
        Told of each proof that a member broke the rules.
    renew
        Makes the members' engines anew when they have to decide again; by default the old ones are told of
        the head, which suffices for engines that remember nothing of what they have signed.
    """

    def __init__(
        self,
        engines: Sequence[ConsensusEngine],
        signers: Sequence[Signer],
        *,
        prove: Callable[[int, bytes], bytes] | None = None,
        first_proposer: Callable[[int], int | None] | None = None,
        pool: Pool | None = None,
        on_evidence: Callable[[bytes], None] | None = None,
        renew: Callable[[], Sequence[ConsensusEngine]] | None = None,
    ) -> None:
        self._pool = pool or SoloPool()
        self._loop = Loop(engines, signers, pool=self._pool, on_evidence=on_evidence)
        self.name = engines[0].name
        self._signers = signers
        self._prove = prove
        self._first_proposer = first_proposer
        self._renew = renew
        self._head: BlockCommitted | None = None
        self._has_spoken = False
        self._offered = b""
        self._look()

    def _look(self) -> None:
        """Note what the engines offer besides what every engine does; asking each time would take longer."""
        engines = self._loop.engines
        self._turn_takers = [
            (engine, signer.address)
            for engine, signer in zip(engines, self._signers, strict=True)
            if isinstance(engine, TurnTaking)
        ]
        self._completing = engines[0] if isinstance(engines[0], Completing) else None
        self._finalising = engines[0] if isinstance(engines[0], Finalising) else None

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which headers are checked."""
        return self._loop.engines[0].header_rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which finality is checked."""
        return self._loop.engines[0].finality_rule

    def turn(self, timestamp_ms: int) -> tuple[int, bytes] | None:
        """Return when the next block may be made, from a time on, and whose it is: an address of 20 bytes.

        None where blocks may be made at any time, whoever is paid for them, and where no member may make one.

        Parameters
        ----------
        timestamp_ms
            Unix time in milliseconds.
        """
        turns = [
            (start_ms, address)
            for engine, address in self._turn_takers
            if (start_ms := engine.next_turn_ms(timestamp_ms - 1)) is not None
        ]
        return min(turns, default=None)

    def finalized_height(self) -> int:
        """Return the height of the newest block that will not be replaced."""
        if self._finalising is not None:
            return self._finalising.finalized_height()
        return 0 if self._head is None else self._head.height

    def attachment(self) -> bytes:
        """Return what the next candidate is to carry: whom it pays for the work before it."""
        self._offered = self._pool.attachment()
        return self._offered

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Decide on a candidate with all that takes, or follow the chain.

        Raises
        ------
        UsageError
            When the members do not agree on a candidate, however long they wait.
        """
        match event:
            case BlockProposed(height, block_hash):
                if self._has_spoken and self._head is not None:
                    self._follow(self._head, again=True)  # nothing came of the last candidate
                return (self._decide(height, block_hash),)
            case BlockCommitted():
                if self._loop.decided is not None and self._loop.decided.block_hash == event.block_hash:
                    self._pool.settle(self._offered)
                self._offered = b""
                self._follow(event, again=self._head is not None and event.height <= self._head.height)
        return ()

    def _follow(self, head: BlockCommitted, *, again: bool) -> None:
        """Tell every member of the head; ``again``: what was said about later blocks is forgotten."""
        loop = self._loop
        loop.reset()
        if again and self._renew is not None:
            loop.engines = self._renew()
            self._look()
        self._head = head
        self._has_spoken = False
        for member in range(len(loop.engines)):
            loop.tell(member, head)
        loop.run()

    def _decide(self, height: int, block_hash: bytes) -> Decide:
        loop = self._loop
        self._has_spoken = True
        loop.decided = None
        first = None if self._first_proposer is None else self._first_proposer(height)
        self._offer(height, block_hash, () if first is None else (first,))
        waits = 0
        while loop.decided is None:
            if waits == 0:
                self._offer(height, block_hash, range(len(loop.engines)))
            waits += 1
            if waits > _MAX_TIMEOUTS or not loop.skip():
                raise UsageError("the committee does not agree on a block", height=height)
        if loop.decided.block_hash != block_hash:
            raise UsageError("the committee decided on another block", height=height)
        seal = loop.decided.seal if self._completing is None else self._completing.last_seal
        return Decide(height, block_hash, seal)

    def _offer(self, height: int, block_hash: bytes, proving: Iterable[int]) -> None:
        """Tell every member of the candidate; those who may propose it add their proofs."""
        provers = frozenset(proving)
        for member in range(len(self._loop.engines)):
            extra = b""
            if member in provers and self._prove is not None:
                extra = self._prove(member, block_hash)
            self._loop.tell(member, BlockProposed(height, block_hash, extra, own=member == 0))
        self._loop.run()


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = LoopHost
