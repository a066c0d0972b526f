"""The engine of proof of work: mines on the head, and follows the heaviest chain.

::

    BlockCommitted  →  RequestBlock                     when mining
    BlockProposed   →  RequestWork                      the host's own candidate on the head
    WorkFound       →  Decide, Broadcast                once the nonce is checked
    MessageReceived →  SwitchHead or FetchBlock         an announcement of another's block
    BlockRefused    →  SwitchHead                       to the best valid branch, if that is not the chain's

How a host goes over to another branch is described in :mod:`chainstack_sdk.consensus.forkchoice`. A host may
propose another candidate at any time, with more transactions or a later timestamp; work found for any of
them counts as long as the head stays the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.forkchoice import BranchEngine, ForkChoice
from chainstack_sdk.consensus.pow.rule import SEAL_BYTES, WorkRule
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.work import NONCES, target_of
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    MessageReceived,
    RequestBlock,
    RequestWork,
    WorkFound,
)
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine

DEFAULT_DEPTH = 128
"""Blocks that a chain goes back at most."""
MAX_CANDIDATES = 64
"""Candidates of one height that are worked on, the oldest forgotten first."""


class ProofOfWork(BranchEngine[WorkRule]):
    """Decides on a block when its work is found, and leaves a branch for a heavier one.

    Parameters
    ----------
    rule
        The rule of headers. Its ``headers`` must know the blocks of the host's chain and the candidates
        that the host proposes: :meth:`Blockchain.header_of <chainstack_sdk.core.Blockchain.header_of>`.
    mining
        Whether the host is asked for candidates.
    depth
        How many blocks the chain goes back at most. A branch that leaves it deeper is never taken, however
        heavy: nodes that were apart for longer stay apart.
    """

    name = "pow"

    def __init__(self, rule: WorkRule, *, mining: bool = False, depth: int = DEFAULT_DEPTH) -> None:
        super().__init__(ForkChoice(rule.with_headers, rule.headers, depth=depth))
        self._mining = mining
        self._headers = rule.headers
        self._candidates: dict[bytes, Header] = {}

    def finalized_height(self) -> int:
        """Return the height of the newest block under as many others as the rule asks for."""
        head = self._fork.head
        return 0 if head is None else max(head.height - self.finality_rule.confirmations, 0)

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        match event:
            case BlockCommitted(height, block_hash):
                self._candidates.clear()
                request = (RequestBlock(height + 1),) if self._mining else ()
                return (*self._fork.switch(self._fork.follow(block_hash)), *request)
            case BlockProposed(_, block_hash, own=True):
                return self._work_on(block_hash)
            case WorkFound(block_hash, nonce):
                return self._seal(block_hash, nonce)
            case MessageReceived(message):
                return self._fork.hear(message)
            case BlockRefused(_, block_hash):
                return self._fork.ban(block_hash)
        return ()

    def _work_on(self, block_hash: bytes) -> tuple[EngineOutput, ...]:
        """Have a candidate hashed, if it is this node's to mine and stands on the head."""
        header, head = self._headers(block_hash), self._fork.head
        if not self._mining or header is None or head is None or header.parent_hash != head.hash:
            return ()
        try:
            self.header_rule.validate_candidate(header, head)
        except InvalidInput:
            self._refused += 1
            return ()
        while len(self._candidates) >= MAX_CANDIDATES:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[block_hash] = header
        return (RequestWork(block_hash, target_of(self.header_rule.work(header))),)

    def _seal(self, block_hash: bytes, nonce: int) -> tuple[EngineOutput, ...]:
        header, head = self._candidates.get(block_hash), self._fork.head
        if header is None or head is None:
            return ()  # too late: the head has moved
        if not 0 <= nonce < NONCES:
            self._refused += 1
            return ()
        seal = nonce.to_bytes(SEAL_BYTES, "big")
        try:
            self.header_rule.validate_header(header, seal, head)
        except InvalidInput:
            self._refused += 1
            return ()
        self._candidates.clear()
        self._fork.offer(header, seal)
        announcement = Broadcast(encode_announcement(header, seal))
        return Decide(header.height, block_hash, seal), announcement


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = ProofOfWork
