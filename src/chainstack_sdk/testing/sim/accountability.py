"""Who is to blame for a fork, proven by what the nodes themselves have signed.

Two certificates of the same round name everybody who signed both. When the rounds differ, the votes of the
rounds between are needed. From all signed messages of a run, these are proven guilty:

- who signed two different votes of one kind, or two proposals, for one height and round;
- who precommitted to a block without a *polka* for it in that round, that is, prevotes by more than 2/3;
- who precommitted to a block and prevoted for another one in a later round, without a polka for that one
  from the earlier round on and before the later one (*amnesia*).

An honest validator has received whatever allowed its vote, so it was sent, so it is among the messages of
the run: none is ever named. And if two blocks are certified at one height, more than 1/3 of the weight is
named (Buchman, Kwon, Milosevic: The latest gossip on BFT consensus, arXiv:1807.04938, lemma 4).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.consensus.bft.certificate import Certificate, validate_certificate
from chainstack_sdk.consensus.bft.evidence import Evidence, culprits, validate_evidence
from chainstack_sdk.consensus.bft.messages import (
    NIL,
    SignedVote,
    VoteKind,
    content,
    kind_of,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.describe import signed_message
from chainstack_sdk.testing.sim.invariants import InvariantViolation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import Membership, ValidatorSet
    from chainstack_sdk.testing.sim.invariants import Invariant
    from chainstack_sdk.testing.sim.net import SimNet
    from chainstack_sdk.testing.sim.world import Accusation, Commit


class Fork(NamedTuple):
    """Two different blocks, each certified, at one height."""

    one: Commit
    other: Commit


class Accountability:
    """Whoever is accused is guilty, and a fork names more than 1/3 of the weight.

    Honest nodes must only bring proofs that hold and commit only with certificates, nobody can prove
    anything against an honest node, and two conflicting certificates together with the messages of the run
    name enough culprits.

    Parameters
    ----------
    chain_id
        The chain whose messages are signed.
    membership
        Who validates each height.
    scheme
        Checks signatures.
    addresses
        Every node's 20-byte address; nodes that share a key share it.
    certificate_of
        Takes the certificate out of a seal; by default it is the seal.
    """

    def __init__(
        self,
        chain_id: int,
        membership: Membership,
        scheme: Scheme,
        addresses: Mapping[str, bytes],
        certificate_of: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.forks: list[Fork] = []
        """Every fork so far."""
        self.blamed: tuple[bytes, ...] = ()
        """Whom the messages of the run prove guilty, as of the latest fork, in ascending order."""
        self._chain_id = chain_id
        self._membership = membership
        self._scheme = scheme
        self._addresses = addresses
        self._certificate_of = certificate_of
        self._commits = 0
        self._accusations = 0
        self._sealed: dict[int, dict[bytes, Commit]] = {}

    def check(self, sim: SimNet) -> None:
        """Look at the accusations and commits that are new since the last call."""
        if len(sim.accusations) > self._accusations:
            for accusation in sim.accusations[self._accusations :]:
                self._check_accusation(sim, accusation)
            self._accusations = len(sim.accusations)
        if len(sim.commits) > self._commits:
            for commit in sim.commits[self._commits :]:
                if commit.seal:
                    self._check_commit(sim, commit)
            self._commits = len(sim.commits)

    def convict(self, sim: SimNet) -> tuple[bytes, ...]:
        """Return whom the messages of a run prove guilty at any height, in ascending order of address.

        Nobody has to have come to harm: a vote that an honest validator never casts is enough.

        Raises
        ------
        InvariantViolation
            When an honest validator is among them.
        """
        by_height: dict[int, list[SignedMessage]] = defaultdict(list)
        for message in self._messages(sim):
            by_height[content(message).height].append(message)
        found: set[bytes] = set()
        for height, messages in by_height.items():
            found.update(guilty(messages, self._membership.validators(height)))
        convicted = tuple(sorted(found))
        self._check_guilt(sim, convicted)
        return convicted

    def _messages(self, sim: SimNet) -> list[SignedMessage]:
        """Return every vote and proposal that was sent in a run and really signed by who it says."""
        sent = dict.fromkeys(entry.data for entry in sim.audit.entries if entry.kind == audit.SEND)
        found = [signed for message in sent if (signed := signed_message(message)) is not None]
        signers = self._scheme.signers(
            [(content(signed).digest(self._chain_id), signed.signature) for signed in found]
        )
        return [signed for signed, signer in zip(found, signers, strict=True) if signed.validator == signer]

    def _check_accusation(self, sim: SimNet, accusation: Accusation) -> None:
        try:
            evidence = Evidence.decode(accusation.evidence)
            culprit = validate_evidence(evidence, self._chain_id, self._scheme)
        except InvalidInput as error:
            if not sim.is_honest(accusation.node):
                return
            raise InvariantViolation(sim, f"{accusation.node} brings a proof of nothing") from error
        self._check_guilt(sim, (culprit,))

    def _check_guilt(self, sim: SimNet, accused: Iterable[bytes]) -> None:
        innocent = {self._addresses[name] for name in sim.honest}
        for address in accused:
            if address in innocent:
                raise InvariantViolation(sim, f"the honest 0x{address.hex()} is proven guilty")

    def _check_commit(self, sim: SimNet, commit: Commit) -> None:
        try:
            validate_certificate(
                Certificate.decode(self._certificate_of(commit.seal)),
                chain_id=self._chain_id,
                height=commit.height,
                block_hash=commit.block_hash,
                validators=self._membership.validators(commit.height),
                scheme=self._scheme,
            )
        except InvalidInput as error:
            if not sim.is_honest(commit.node):
                return
            raise InvariantViolation(sim, f"{commit.node} committed without a certificate") from error
        others = self._sealed.setdefault(commit.height, {})
        if commit.block_hash not in others:
            for other in others.values():
                self._check_fork(sim, Fork(other, commit))
            others[commit.block_hash] = commit

    def _check_fork(self, sim: SimNet, fork: Fork) -> None:
        one, other = fork
        height = one.height
        validators = self._membership.validators(height)
        first, second = (Certificate.decode(self._certificate_of(commit.seal)) for commit in fork)
        blamed = guilty([m for m in self._messages(sim) if content(m).height == height], validators)
        if first.round == second.round:
            signed_both = culprits(
                first,
                one.block_hash,
                second,
                other.block_hash,
                chain_id=self._chain_id,
                height=height,
                validators=validators,
                scheme=self._scheme,
            )
            blamed = tuple(sorted({*blamed, *signed_both}))
        self._check_guilt(sim, blamed)
        if not validators.exceeds_third(sum(map(validators.weight_of, blamed))):
            raise InvariantViolation(sim, f"a fork at height {height} for which too few can be blamed")
        self.forks.append(fork)
        self.blamed = blamed


def guilty(messages: Iterable[SignedMessage], validators: ValidatorSet) -> tuple[bytes, ...]:
    """Return whom the messages of one height prove guilty, in ascending order of address.

    Parameters
    ----------
    messages
        All that were sent at that height; their signatures are taken as checked.
    validators
        Of that height.
    """
    blamed = set()
    said: dict[tuple[bytes, int, int], SignedMessage] = {}
    votes: dict[tuple[VoteKind, int, bytes], set[bytes]] = defaultdict(set)
    for message in messages:
        key = (message.validator, content(message).round, kind_of(message))
        if content(said.setdefault(key, message)) != content(message):
            blamed.add(message.validator)
        if isinstance(message, SignedVote) and message.vote.block_hash != NIL:
            vote = message.vote
            votes[vote.kind, vote.round, vote.block_hash].add(message.validator)
    prevotes = {place[1:]: who for place, who in votes.items() if place[0] is VoteKind.PREVOTE}
    polkas = {
        place for place, who in prevotes.items() if validators.is_quorum(sum(map(validators.weight_of, who)))
    }
    for (kind, locked_round, locked), who in votes.items():
        if kind is not VoteKind.PRECOMMIT:
            continue
        if (locked_round, locked) not in polkas:
            blamed |= who
        for (later, block_hash), prevoters in prevotes.items():
            released = any((round_, block_hash) in polkas for round_ in range(locked_round, later))
            if later > locked_round and block_hash != locked and not released:
                blamed |= who & prevoters
    return tuple(sorted(blamed))


if TYPE_CHECKING:
    _check: type[Invariant] = Accountability
