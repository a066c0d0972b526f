"""A plain loop over the engines of several members in one process, with a clock that only jumps.

Every member has an engine and a key of its own, signs what its engine asks for, and hears of the others only
through their signed messages. Nothing outlives the process, so there is nothing to write before signing.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import (
    Accuse,
    Broadcast,
    Decide,
    MessageReceived,
    Persist,
    RequestWork,
    ScheduleTimeout,
    Sign,
    Signed,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.core.engine import EngineInput, EngineOutput, Timeout
    from chainstack_sdk.core.interfaces import ConsensusEngine
    from chainstack_sdk.network.pool import Pool
    from chainstack_sdk.primitives.keys import Signer


class Loop:
    """Carries out what engines want, in order, until none of them wants anything.

    Candidates are the caller's to offer; a request for one is not answered.

    Parameters
    ----------
    engines
        One for each member.
    signers
        Their keys, in the same order.
    pool
        Does the proof of work that an engine asks for.
    on_evidence
        Told of each proof that a member broke the rules.

    Raises
    ------
    UsageError
        When there are no engines, or not one key for each.
    """

    def __init__(
        self,
        engines: Sequence[ConsensusEngine],
        signers: Sequence[Signer],
        *,
        pool: Pool,
        on_evidence: Callable[[bytes], None] | None = None,
    ) -> None:
        if not engines or len(engines) != len(signers):
            raise UsageError(
                "each member has an engine and a key", expected=len(engines), actual=len(signers)
            )
        self.engines = engines
        """Those of the members."""
        self.decided: Decide | None = None
        """What a member has decided, since this was set to None last."""
        self._signers = signers
        self._pool = pool
        self._on_evidence = on_evidence
        self._queue: deque[tuple[int, EngineInput]] = deque()
        self._timeouts: list[tuple[int, int, int, Timeout]] = []
        self._now = 0
        self._order = 0

    def reset(self) -> None:
        """Forget all that is under way."""
        self._queue.clear()
        self._timeouts.clear()
        self.decided = None

    def tell(self, member: int, event: EngineInput) -> None:
        """Queue an input for one member, by number."""
        self._queue.append((member, event))

    def run(self) -> None:
        """Let the members talk until none has anything to say."""
        queue = self._queue
        while queue:
            member, event = queue.popleft()
            for output in self.engines[member].process(event):
                self._carry_out(member, output)

    def skip(self) -> bool:
        """Jump to the next timeout and let the members talk; False when none is set."""
        if not self._timeouts:
            return False
        self._now, _, member, timeout = heapq.heappop(self._timeouts)
        self.tell(member, TimeoutElapsed(timeout))
        self.run()
        return True

    def _carry_out(self, member: int, output: EngineOutput) -> None:
        match output:
            case Broadcast(message):
                event = MessageReceived(message)
                self._queue.extend((other, event) for other in range(len(self.engines)) if other != member)
            case Persist(_, then):
                for following in then:
                    self._carry_out(member, following)
            case Sign(payload):
                self.tell(member, Signed(payload, self._signers[member].sign(keccak256(payload))))
            case ScheduleTimeout(timeout):
                self._order += 1
                due = self._now + 1 + timeout.round
                heapq.heappush(self._timeouts, (due, self._order, member, timeout))
            case RequestWork(block_hash, target):
                nonce = self._pool.find(block_hash, target)
                if nonce is not None:
                    self.tell(member, WorkFound(block_hash, nonce))
            case Decide():
                self.decided = output
            case Accuse(evidence) if self._on_evidence is not None:
                self._on_evidence(evidence)
