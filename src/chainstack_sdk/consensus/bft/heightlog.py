"""What an engine knows about one height."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.messages import VoteKind
from chainstack_sdk.consensus.bft.round import Decision
from chainstack_sdk.consensus.bft.votes import VoteKeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.consensus.bft.messages import SignedVote
    from chainstack_sdk.consensus.bft.round import RoundState
    from chainstack_sdk.consensus.bft.validators import ValidatorSet


class HeightLog:
    """Messages and candidates of a height, and its decision once there is one.

    Parameters
    ----------
    height
        The height.
    validators
        Who votes in it.
    """

    def __init__(self, height: int, validators: ValidatorSet) -> None:
        self.height = height
        self.keeper = VoteKeeper(validators)
        self.verdicts: dict[bytes, bool] = {}
        """The host's verdict by block hash."""
        self.candidates: dict[bytes, bytes] = {}
        """The node's extra bytes by hash of the valid blocks, in the order they became known."""
        self.decision: Decision | None = None
        self._fetched: set[bytes] = set()

    def judge(self, block_hash: bytes, extra: bytes | None) -> None:
        """Note a verdict: the node's extra bytes for a valid block, None for an invalid one."""
        self.verdicts[block_hash] = extra is not None
        if extra is None:
            self.candidates.pop(block_hash, None)
        else:
            # a block may be heard of first and asked for later, with something to add
            self.candidates[block_hash] = extra or self.candidates.get(block_hash, b"")

    def needs_fetching(self, block_hash: bytes) -> bool:
        """Tell, once for each block, whether it has to be fetched."""
        if block_hash in self.verdicts or block_hash in self._fetched:
            return False
        self._fetched.add(block_hash)
        return True

    def votes_to_keep(self, state: RoundState) -> tuple[SignedVote, ...]:
        """Return the votes that a state of this height rests on, which its record holds too."""
        keeper = self.keeper
        polka: Mapping[bytes, SignedVote] = {}
        if state.valid_value is not None:
            polka = keeper.votes_for(VoteKind.PREVOTE, state.valid_round, state.valid_value)
        before = [vote for vote in keeper.votes(state.round - 1) if vote.vote.kind is VoteKind.PRECOMMIT]
        return (*polka.values(), *before)

    def close(self, block_hash: bytes) -> None:
        """Note which block the chain appended, whoever decided on it."""
        if self.decision is None or self.decision.block_hash != block_hash:
            rounds = [
                round_ for round_, voted in self.keeper.quorums(VoteKind.PRECOMMIT) if voted == block_hash
            ]
            self.decision = Decision(rounds[0], block_hash) if rounds else None

    def seal(self) -> bytes:
        """Return the encoded certificate with every precommit known by now; empty before a decision."""
        if self.decision is None:
            return b""
        round_, keeper = self.decision.round, self.keeper
        precommits = keeper.votes_for(VoteKind.PRECOMMIT, round_, self.decision.block_hash)
        return Certificate.of(round_, precommits, keeper.validators).encode()

    def decided_extra(self) -> bytes | None:
        """Return the extra bytes of the decided proposal, None before a decision or without it."""
        if self.decision is not None:
            for signed in self.keeper.proposals(self.decision.round):
                if signed.proposal.block_hash == self.decision.block_hash:
                    return signed.proposal.extra
        return None
