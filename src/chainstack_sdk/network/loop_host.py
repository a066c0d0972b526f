"""A whole committee in one process, which looks to its chain like one engine that decides at once.

All members look at one chain, so that a block is built and run once. When the chain goes back, or a block
that was decided on could not be appended, so do the members: they forget what they have signed and decide
again. That is for chains of one's own only; members whom others rely on never sign twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.network.abilities import Completing, Finalising, TurnTaking
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule
    from chainstack_sdk.core.late import Late
    from chainstack_sdk.network.local_keys import LocalKeys
    from chainstack_sdk.network.loop import Loop
    from chainstack_sdk.network.pool import Pool
    from chainstack_sdk.primitives.keys import Signer

_MAX_TIMEOUTS = 1_000
"""After so many a block has no hope of being decided: the members cannot agree."""


class LoopHost:
    """Members of a committee deciding on the blocks of one chain.

    Parameters
    ----------
    engines
        Makes one for each member. Called when they are first needed, and again when the members have to
        decide again; it may return the same ones, if they remember nothing of what they have signed.
    signers
        Their keys, in the same order.
    prove
        Returns what a member, by number, adds to its own proposals of a block; by default nothing.
    first_proposer
        Returns the number of the member that proposes first at a height, or None when it is none of
        them. Only that one is asked to prove, unless its round fails.
    pool
        Returns who does the proof of work and says whom blocks pay for it, called as ``engines`` is; by
        default double SHA-256, here.
    on_evidence
        Told of each proof that a member broke the rules.
    keys
        The members' shares of the chain's key, told of each block; None: the chain has no key.
    """

    def __init__(
        self,
        engines: Callable[[], Sequence[ConsensusEngine]],
        signers: Sequence[Signer],
        *,
        prove: Callable[[int, bytes], bytes] | None = None,
        first_proposer: Callable[[int], int | None] | None = None,
        pool: Callable[[], Pool] | None = None,
        on_evidence: Callable[[bytes], None] | None = None,
        keys: Late[LocalKeys] | None = None,
    ) -> None:
        self._make_engines = engines
        self._signers = signers
        self._prove = prove
        self._first_proposer = first_proposer
        self._make_pool = pool
        self._on_evidence = on_evidence
        self._keys = keys
        self._loop: Loop | None = None
        self._head: BlockCommitted | None = None
        self._has_spoken = False
        self._offered = b""

    @property
    def name(self) -> str:
        """The name by which a genesis chooses the engine."""
        return self._awake().engines[0].name

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which headers are checked."""
        return self._awake().engines[0].header_rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which finality is checked."""
        return self._awake().engines[0].finality_rule

    def _awake(self) -> Loop:
        """Return the loop, with engines that know the head."""
        if self._loop is None:
            self._loop = self._new_loop()
            if self._head is not None:
                self._tell_head(self._loop, self._head)
        return self._loop

    def _new_loop(self) -> Loop:
        # with the first block, so that a chain is ready sooner
        from chainstack_sdk.network.loop import Loop
        from chainstack_sdk.network.pool import SoloPool

        engines = self._make_engines()
        self._pool: Pool = SoloPool() if self._make_pool is None else self._make_pool()
        loop = Loop(engines, self._signers, pool=self._pool, on_evidence=self._on_evidence)
        # what the engines offer besides what every engine does; asking each time would take longer
        self._turn_takers = [
            (engine, signer.address)
            for engine, signer in zip(engines, self._signers, strict=True)
            if isinstance(engine, TurnTaking)
        ]
        self._completing = engines[0] if isinstance(engines[0], Completing) else None
        self._finalising = engines[0] if isinstance(engines[0], Finalising) else None
        return loop

    def turn(self, timestamp_ms: int) -> tuple[int, bytes] | None:
        """Return when the next block may be made, from a time on, and whose it is: an address of 20 bytes.

        None where blocks may be made at any time, whoever is paid for them, and where no member may make one.

        Parameters
        ----------
        timestamp_ms
            Unix time in milliseconds.
        """
        self._awake()
        turns = [
            (start_ms, address)
            for engine, address in self._turn_takers
            if (start_ms := engine.next_turn_ms(timestamp_ms - 1)) is not None
        ]
        return min(turns, default=None)

    def finalized_height(self) -> int:
        """Return the height of the newest block that will not be replaced."""
        self._awake()
        if self._finalising is not None:
            return self._finalising.finalized_height()
        return 0 if self._head is None else self._head.height

    def signature(self, height: int) -> bytes | None:
        """Return the chain key's signature over the hash of the block at a height, 48 bytes, or None."""
        return None if self._keys is None else self._keys.made.signature(height)

    def attachment(self) -> bytes:
        """Return what the next candidate is to carry: whom it pays for the work before it."""
        self._awake()
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
                decided = None if self._loop is None else self._loop.decided
                if decided is not None and decided.block_hash == event.block_hash:
                    self._pool.settle(self._offered)
                self._offered = b""
                self._follow(event, again=self._head is not None and event.height <= self._head.height)
                if self._keys is not None and event.height:
                    self._keys.made.follow()
        return ()

    def _follow(self, head: BlockCommitted, *, again: bool) -> None:
        """Tell every member of the head; ``again``: what was said about later blocks is forgotten."""
        self._head = head
        self._has_spoken = False
        if again:
            self._loop = None  # fresh engines when they are needed
        elif self._loop is not None:
            self._loop.reset()
            self._tell_head(self._loop, head)

    def _tell_head(self, loop: Loop, head: BlockCommitted) -> None:
        for member in range(len(loop.engines)):
            loop.tell(member, head)
        loop.run()

    def _decide(self, height: int, block_hash: bytes) -> Decide:
        loop = self._awake()
        self._has_spoken = True
        loop.decided = None
        first = None if self._first_proposer is None else self._first_proposer(height)
        self._offer(loop, height, block_hash, () if first is None else (first,))
        waits = 0
        while loop.decided is None:
            if waits == 0:
                self._offer(loop, height, block_hash, range(len(loop.engines)))
            waits += 1
            if waits > _MAX_TIMEOUTS or not loop.skip():
                raise UsageError("the committee does not agree on a block", height=height)
        if loop.decided.block_hash != block_hash:
            raise UsageError("the committee decided on another block", height=height)
        seal = loop.decided.seal if self._completing is None else self._completing.last_seal
        return Decide(height, block_hash, seal)

    def _offer(self, loop: Loop, height: int, block_hash: bytes, proving: Iterable[int]) -> None:
        """Tell every member of the candidate; those who may propose it add their proofs."""
        provers = frozenset(proving)
        for member in range(len(loop.engines)):
            extra = b""
            if member in provers and self._prove is not None:
                extra = self._prove(member, block_hash)
            loop.tell(member, BlockProposed(height, block_hash, extra, own=member == 0))
        loop.run()


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = LoopHost
