"""Which rule of the algorithm applies next, given what has been received.

The conditions over messages of arXiv:1807.04938, Algorithm 1, in the order in which they are tried. They
are asked again after every transition, so that a quorum that arrived early is not lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import NIL, VoteKind
from chainstack_sdk.consensus.bft.round import (
    AnyPolka,
    AnyPrecommit,
    NilPolka,
    OthersAhead,
    Proposed,
    ProposedWithPolka,
    Step,
    ValuePolka,
    ValuePrecommit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chainstack_sdk.consensus.bft.round import RoundEvent, RoundState
    from chainstack_sdk.consensus.bft.votes import VoteKeeper


def next_event(state: RoundState, keeper: VoteKeeper, verdicts: Mapping[bytes, bool]) -> RoundEvent | None:
    """Return an event that :func:`~chainstack_sdk.consensus.bft.round.apply` accepts, or None.

    Parameters
    ----------
    state
        Where the validator stands; the keeper has entered the same round.
    keeper
        The messages received.
    verdicts
        valid(v) by block hash; a block that is not in it is neither valid nor invalid yet.
    """
    if state.step is Step.COMMITTED:
        return None
    for round_, block_hash in keeper.quorums(VoteKind.PRECOMMIT):  # L49
        if verdicts.get(block_hash) and _is_proposed(keeper, round_, block_hash):
            return ValuePrecommit(round_, block_hash)
    ahead = keeper.skip_target()
    if ahead is not None:  # L55
        return OthersAhead(ahead)
    found = _on_proposal(state, keeper, verdicts) if state.step is Step.PROPOSE else None
    found = found or (_on_prevotes(state, keeper, verdicts) if state.step >= Step.PREVOTE else None)
    if found or state.precommit_waited or not keeper.has_any_quorum(VoteKind.PRECOMMIT, state.round):
        return found
    return AnyPrecommit()  # L47


def _on_proposal(state: RoundState, keeper: VoteKeeper, verdicts: Mapping[bytes, bool]) -> RoundEvent | None:
    for signed in keeper.proposals(state.round):
        proposal = signed.proposal
        is_valid = verdicts.get(proposal.block_hash)
        if is_valid is None:
            continue
        if proposal.valid_round == -1:  # L22
            return Proposed(proposal.block_hash, is_valid)
        if keeper.has_quorum(VoteKind.PREVOTE, proposal.valid_round, proposal.block_hash):  # L28
            return ProposedWithPolka(proposal.block_hash, proposal.valid_round, is_valid)
    return None


def _on_prevotes(state: RoundState, keeper: VoteKeeper, verdicts: Mapping[bytes, bool]) -> RoundEvent | None:
    if not state.polka_taken:
        for signed in keeper.proposals(state.round):  # L36
            block_hash = signed.proposal.block_hash
            if verdicts.get(block_hash) and keeper.has_quorum(VoteKind.PREVOTE, state.round, block_hash):
                return ValuePolka(block_hash)
    if state.step is Step.PREVOTE:
        if keeper.has_quorum(VoteKind.PREVOTE, state.round, NIL):  # L44
            return NilPolka()
        if not state.polka_waited and keeper.has_any_quorum(VoteKind.PREVOTE, state.round):  # L34
            return AnyPolka()
    return None


def blocks_in_question(state: RoundState, keeper: VoteKeeper) -> Iterator[bytes]:
    """Yield the hashes of the blocks on which a verdict is wanted, most urgent first."""
    for kind in (VoteKind.PRECOMMIT, VoteKind.PREVOTE):
        yield from (block_hash for _, block_hash in keeper.quorums(kind))
    for signed in keeper.proposals(state.round):
        yield signed.proposal.block_hash


def _is_proposed(keeper: VoteKeeper, round_: int, block_hash: bytes) -> bool:
    return any(signed.proposal.block_hash == block_hash for signed in keeper.proposals(round_))
