"""The engine of chains with committees: BFT votes, with a proof of randomness in every decision.

It wraps :class:`~chainstack_sdk.consensus.bft.BftCore`. The proposer of a round adds to its proposal a
verifiable proof over the seed of the very block it proposes. A validator passes a proposal on to the votes
only when it holds the block and the proof is right, so the proof of the deciding round can go into the
seal, and from there into the next block's seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import SignedProposal, Step, decode_message
from chainstack_sdk.consensus.bft.messages import is_proposal
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
)
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft import BftCore
    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule

MAX_HELD = 64
"""Proposals kept until their block is known, the oldest forgotten first."""


class CommitteeEngine:
    """Decides by the votes of a height's validators; its seal is a :class:`CommitteeSeal`.

    Parameters
    ----------
    core
        The votes.
    name
        The name by which a genesis chooses the engine.
    header_rule, finality_rule
        By which others check its blocks.
    headers
        Returns the header of a candidate that the host has told of, by hash.
    is_seed_proof
        Tells whether bytes are a member's proof over the seed of a header, of which its proposals carry one.
    """

    def __init__(
        self,
        core: BftCore,
        *,
        name: str,
        header_rule: HeaderRule,
        finality_rule: FinalityRule,
        headers: Callable[[bytes], Header | None],
        is_seed_proof: Callable[[Header, bytes, bytes], bool],
    ) -> None:
        self.core = core
        self.name = name
        self._header_rule = header_rule
        self._finality_rule = finality_rule
        self._headers = headers
        self._is_seed_proof = is_seed_proof
        self._held: dict[bytes, bytes] = {}  # message -> hash of the block that it waits for
        self._judged: dict[bytes, bool] = {}

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which headers are checked."""
        return self._header_rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which finality is checked."""
        return self._finality_rule

    @property
    def last_seal(self) -> bytes:
        """The seal of the block decided last, with every precommit known by now; empty before that."""
        certificate = self.core.last_seal
        return self._seal(self.last_decided, certificate) if certificate else b""

    @property
    def last_decided(self) -> int:
        """Height of the block decided last; genesis is 0."""
        core = self.core
        return core.height if core.step is Step.COMMITTED else core.height - 1

    def resend(self) -> tuple[bytes, ...]:
        """Return the messages of this height that another node may lack."""
        return self.core.resend()

    def is_authentic(self, signed: SignedMessage) -> bool:
        """Tell whether a message was signed by the validator that it names, one of its height's."""
        return self.core.is_authentic(signed)

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        match event:
            case MessageReceived(message):
                return self._on_message(message)
            case BlockProposed(_, block_hash):
                return self._on_verdict(event, block_hash, True)
            case BlockRefused(_, block_hash):
                return self._on_verdict(event, block_hash, False)
            case BlockCommitted():
                self._held.clear()
                self._judged.clear()
        return self._forward(event)

    def _on_message(self, message: bytes) -> tuple[EngineOutput, ...]:
        """Pass a message on to the votes; a proposal only with its block at hand and its proof right."""
        if not is_proposal(message):
            return self._forward(MessageReceived(message))
        try:
            signed = decode_message(message)
        except InvalidInput:
            return self._forward(MessageReceived(message))  # which counts it as refused
        assert isinstance(signed, SignedProposal)
        proposal = signed.proposal
        verdict = self._judged.get(proposal.block_hash)
        if verdict is None:
            return self._hold(message, signed)
        if verdict:
            header = self._headers(proposal.block_hash)
            if header is None or not self._is_seed_proof(header, signed.validator, proposal.extra):
                return ()
        return self._forward(MessageReceived(message))

    def _hold(self, message: bytes, signed: SignedProposal) -> tuple[EngineOutput, ...]:
        proposal = signed.proposal
        if proposal.height != self.core.height or not self.core.is_authentic(signed):
            return ()
        known = message in self._held
        while len(self._held) >= MAX_HELD:
            del self._held[next(iter(self._held))]
        self._held[message] = proposal.block_hash
        return () if known else (FetchBlock(proposal.height, proposal.block_hash),)

    def _on_verdict(self, event: EngineInput, block_hash: bytes, valid: bool) -> tuple[EngineOutput, ...]:
        self._judged[block_hash] = valid
        outputs = list(self._forward(event))
        for message in [each for each, waits_for in self._held.items() if waits_for == block_hash]:
            del self._held[message]
            outputs += self._on_message(message)
        return tuple(outputs)

    def _forward(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        return tuple(self._sealed(output) for output in self.core.process(event))

    def _sealed(self, output: EngineOutput) -> EngineOutput:
        """Put the proof of the deciding round beside the certificate."""
        match output:
            case Decide(height, block_hash, certificate):
                return Decide(height, block_hash, self._seal(height, certificate))
            case Persist(record, then):
                return Persist(record, tuple(self._sealed(each) for each in then))
        return output

    def _seal(self, height: int, certificate: bytes) -> bytes:
        return CommitteeSeal(certificate, self.core.proposal_extra(height) or b"").encode()


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = CommitteeEngine
