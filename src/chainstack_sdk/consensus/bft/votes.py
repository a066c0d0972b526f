"""Counting messages of one height: which thresholds are reached, and who contradicts himself.

What is counted, and kept:

- A validator's first prevote, precommit and proposal of a round. Each weight counts once towards "any".
- A second one with other contents is evidence, reported once for each validator, round and kind. It also
  counts for its own block, but only when more than 1/3 of the weight (so someone honest) already stands
  behind that block. If it never counted, an equivocator could show a polka to one validator that the
  others, having seen his other vote first, would never see, and that one would stay locked for ever.
- Beyond the round after the current one, messages are kept but not counted, and of each validator
  only those of its newest round: enough to notice that more than 1/3 are ahead, and to go there.

Messages are taken as verified: signature, membership and the proposer's turn are checked before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.consensus.bft.evidence import Evidence
from chainstack_sdk.consensus.bft.messages import NIL, SignedVote, VoteKind, content, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chainstack_sdk.consensus.bft.messages import SignedMessage, SignedProposal
    from chainstack_sdk.consensus.bft.validators import ValidatorSet

_MAX_AHEAD = 4
"""Messages kept of a validator in a round that is not counted yet."""


@dataclass(frozen=True, slots=True)
class PolkaAny:
    """More than 2/3 of the weight has prevoted in a round, for whatever."""

    round: int


@dataclass(frozen=True, slots=True)
class PolkaNil:
    """More than 2/3 of the weight has prevoted nil in a round."""

    round: int


@dataclass(frozen=True, slots=True)
class PolkaValue:
    """More than 2/3 of the weight has prevoted for one block in a round."""

    round: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class PrecommitAny:
    """More than 2/3 of the weight has precommitted in a round, for whatever."""

    round: int


@dataclass(frozen=True, slots=True)
class PrecommitValue:
    """More than 2/3 of the weight has precommitted to one block in a round."""

    round: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class SkipRound:
    """More than 1/3 of the weight has sent messages of this round or later ones."""

    round: int


Fact: TypeAlias = PolkaAny | PolkaNil | PolkaValue | PrecommitAny | PrecommitValue | SkipRound
"""A threshold that has been reached: each is told once."""


class Tally:
    """The votes of one kind in one round."""

    __slots__ = ("any_told", "behind", "by_hash", "first", "told", "weight")

    def __init__(self) -> None:
        self.first: dict[bytes, SignedVote] = {}
        """Each validator's first vote."""
        self.by_hash: dict[bytes, dict[bytes, SignedVote]] = {}
        """Votes by block hash and validator."""
        self.behind: dict[bytes, int] = {}
        """Weight by block hash."""
        self.weight = 0
        """Weight of all who voted."""
        self.any_told = False
        self.told: set[bytes] = set()
        """Block hashes whose quorum has been told."""

    def put(self, signed: SignedVote, weight: int) -> int:
        """Count a vote for its block and return the weight behind that."""
        block_hash = signed.vote.block_hash
        self.by_hash.setdefault(block_hash, {})[signed.validator] = signed
        total = self.behind[block_hash] = self.behind.get(block_hash, 0) + weight
        return total


class VoteKeeper:
    """Counts the messages of one height.

    Parameters
    ----------
    validators
        Who votes at this height.
    """

    def __init__(self, validators: ValidatorSet) -> None:
        self.validators = validators
        self._round = 0
        self._tallies: dict[tuple[int, VoteKind], Tally] = {}
        self._proposals: dict[int, tuple[SignedProposal, ...]] = {}
        self._ahead: dict[bytes, tuple[SignedMessage, ...]] = {}
        self._newest: dict[bytes, int] = {}
        self._quorums: dict[VoteKind, list[tuple[int, bytes]]] = {kind: [] for kind in VoteKind}
        self._accused: set[tuple[bytes, int, int]] = set()

    def add(self, message: SignedMessage) -> tuple[Fact | Evidence, ...]:
        """Count a verified message; return the thresholds that it reaches, and evidence it completes."""
        round_ = content(message).round
        if round_ <= self._round:
            return self._count(message, round_)
        validator = message.validator
        newest = self._newest.get(validator, -1)
        self._newest[validator] = max(newest, round_)
        found: tuple[Fact | Evidence, ...] = ()
        if round_ == self._round + 1:
            found = self._count(message, round_)
        elif round_ >= newest:
            kept = self._ahead.get(validator, ()) if round_ == newest else ()
            if message not in kept and len(kept) < _MAX_AHEAD:
                self._ahead[validator] = (*kept, message)
        target = self.skip_target()
        return found if target is None or newest >= round_ else (*found, SkipRound(target))

    def enter(self, round: int) -> tuple[Fact | Evidence, ...]:
        """Make a round the current one; count what was kept for it and the next one."""
        self._round = round
        self._newest = {validator: newest for validator, newest in self._newest.items() if newest > round}
        ready = [
            (validator, kept)
            for validator, kept in self._ahead.items()
            if content(kept[0]).round <= round + 1
        ]
        found: list[Fact | Evidence] = []
        for validator, kept in ready:
            del self._ahead[validator]
            for message in kept:
                found += self._count(message, content(message).round)
        return tuple(found)

    def skip_target(self) -> int | None:
        """Return the highest round above the current one that more than 1/3 have reached, or None."""
        weight = 0
        for validator, round_ in sorted(self._newest.items(), key=lambda item: -item[1]):
            weight += self.validators.weight_of(validator)
            if self.validators.exceeds_third(weight):
                return round_
        return None

    def holds(self, message: SignedMessage) -> bool:
        """Tell whether exactly this message has been counted or kept: it needs no second look."""
        if isinstance(message, SignedVote):
            vote = message.vote
            tally = self._tallies.get((vote.round, vote.kind))
            if tally is not None and tally.by_hash.get(vote.block_hash, {}).get(message.validator) == message:
                return True
        elif message in self._proposals.get(message.proposal.round, ()):
            return True
        return message in self._ahead.get(message.validator, ())

    def has_quorum(self, kind: VoteKind, round: int, block_hash: bytes) -> bool:
        """Tell whether more than 2/3 of the weight voted for one block, or :data:`NIL`, in a round."""
        tally = self._tallies.get((round, kind))
        return tally is not None and self.validators.is_quorum(tally.behind.get(block_hash, 0))

    def has_any_quorum(self, kind: VoteKind, round: int) -> bool:
        """Tell whether more than 2/3 of the weight voted in a round, for whatever."""
        tally = self._tallies.get((round, kind))
        return tally is not None and self.validators.is_quorum(tally.weight)

    def quorums(self, kind: VoteKind) -> Sequence[tuple[int, bytes]]:
        """Return each (round, block hash) that more than 2/3 of the weight voted for, nil left out."""
        return self._quorums[kind]

    def votes_for(self, kind: VoteKind, round: int, block_hash: bytes) -> Mapping[bytes, SignedVote]:
        """Return the votes for one block in a round, by validator."""
        tally = self._tallies.get((round, kind))
        return {} if tally is None else tally.by_hash.get(block_hash, {})

    def votes(self, round: int) -> Iterator[SignedVote]:
        """Yield all votes of a round, prevotes first, in the order they were counted."""
        for kind in VoteKind:
            tally = self._tallies.get((round, kind))
            for votes in tally.by_hash.values() if tally is not None else ():
                yield from votes.values()

    def proposals(self, round: int) -> tuple[SignedProposal, ...]:
        """Return the proposals of a round: normally one, more when its proposer contradicts himself."""
        return self._proposals.get(round, ())

    def _count(self, message: SignedMessage, round_: int) -> tuple[Fact | Evidence, ...]:
        if isinstance(message, SignedVote):
            return self._count_vote(message, round_)
        return self._keep_proposal(message, round_)

    def _count_vote(self, signed: SignedVote, round_: int) -> tuple[Fact | Evidence, ...]:
        vote = signed.vote
        tally = self._tallies.get((round_, vote.kind))
        if tally is None:
            tally = self._tallies[round_, vote.kind] = Tally()
        weight = self.validators.weight_of(signed.validator)
        first = tally.first.get(signed.validator)
        if first is None:
            tally.first[signed.validator] = signed
            tally.weight += weight
            return self._facts(tally, signed, tally.put(signed, weight))
        if first.vote == vote:
            return ()
        found: tuple[Fact | Evidence, ...] = self._accuse(first, signed)
        votes = tally.by_hash.get(vote.block_hash, {})
        if signed.validator not in votes and self.validators.exceeds_third(
            tally.behind.get(vote.block_hash, 0)
        ):
            found += self._facts(tally, signed, tally.put(signed, weight))
        return found

    def _facts(self, tally: Tally, signed: SignedVote, behind: int) -> tuple[Fact, ...]:
        """Return the facts that a newly counted vote makes true."""
        is_quorum = self.validators.is_quorum
        if not is_quorum(tally.weight):
            return ()
        vote = signed.vote
        facts: tuple[Fact, ...] = ()
        is_polka = vote.kind is VoteKind.PREVOTE
        if vote.block_hash not in tally.told and is_quorum(behind):
            tally.told.add(vote.block_hash)
            if vote.block_hash != NIL:
                self._quorums[vote.kind].append((vote.round, vote.block_hash))
                facts = ((PolkaValue if is_polka else PrecommitValue)(vote.round, vote.block_hash),)
            elif is_polka:
                facts = (PolkaNil(vote.round),)
        if not tally.any_told:
            tally.any_told = True
            facts += ((PolkaAny if is_polka else PrecommitAny)(vote.round),)
        return facts

    def _keep_proposal(self, signed: SignedProposal, round_: int) -> tuple[Evidence, ...]:
        kept = self._proposals.get(round_, ())
        if not kept:
            self._proposals[round_] = (signed,)
            return ()
        if any(other.proposal == signed.proposal for other in kept):
            return ()
        # the second is kept in any case, as others may have seen it first; further ones need support
        if len(kept) == 1 or self._is_supported(signed, kept):
            self._proposals[round_] = (*kept, signed)
        return self._accuse(kept[0], signed)

    def _is_supported(self, signed: SignedProposal, kept: tuple[SignedProposal, ...]) -> bool:
        block_hash = signed.proposal.block_hash
        tally = self._tallies.get((signed.proposal.round, VoteKind.PREVOTE))
        return (
            tally is not None
            and self.validators.exceeds_third(tally.behind.get(block_hash, 0))
            and all(other.proposal.block_hash != block_hash for other in kept)
        )

    def _accuse(self, first: SignedMessage, second: SignedMessage) -> tuple[Evidence, ...]:
        key = (first.validator, content(first).round, kind_of(first))
        if key in self._accused:
            return ()
        self._accused.add(key)
        return (Evidence.of(first, second),)
