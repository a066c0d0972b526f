from __future__ import annotations

from collections.abc import Hashable

import pytest

from chainstack_sdk.consensus.bft import (
    NIL,
    Certificate,
    Evidence,
    Proposal,
    SignedProposal,
    SignedVote,
    Vote,
    VoteKind,
)
from chainstack_sdk.consensus.bft.messages import SignedMessage
from chainstack_sdk.network import wire
from chainstack_sdk.network.effects import Accused, Committed, Effect, Send
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.testing.sim import Committee, InvariantViolation, SimNet, guilty

COMMITTEE = Committee(4)
NAMES = COMMITTEE.names
ONE, OTHER = b"1" * 32, b"2" * 32
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def vote(name: str, kind: VoteKind, round_: int, block_hash: bytes, height: int = 1) -> SignedVote:
    account = COMMITTEE.accounts[name]
    content = Vote(kind, height, round_, block_hash)
    return SignedVote(content, account.address, account.sign(content.digest(COMMITTEE.chain_id)))


def votes(names: str, kind: VoteKind, round_: int, block_hash: bytes) -> list[SignedVote]:
    return [vote(f"v{number}", kind, round_, block_hash) for number in names]


def proposal(name: str, block_hash: bytes) -> SignedProposal:
    account = COMMITTEE.accounts[name]
    content = Proposal(1, 0, block_hash)
    return SignedProposal(content, account.address, account.sign(content.digest(COMMITTEE.chain_id)))


def blamed(*messages: SignedMessage) -> list[str]:
    return sorted(COMMITTEE.name_of(address) for address in guilty(messages, COMMITTEE.validators))


# What proves what


def test_an_ordinary_round_proves_nothing() -> None:
    assert (
        blamed(*votes("0123", PREVOTE, 0, ONE), *votes("0123", PRECOMMIT, 0, ONE), proposal("v0", ONE)) == []
    )


def test_two_votes_of_a_kind_and_two_proposals() -> None:
    assert blamed(vote("v1", PREVOTE, 0, ONE), vote("v1", PREVOTE, 0, NIL)) == ["v1"]
    assert blamed(vote("v1", PREVOTE, 0, ONE), vote("v1", PREVOTE, 1, NIL)) == []
    assert blamed(proposal("v2", ONE), proposal("v2", OTHER), proposal("v3", ONE)) == ["v2"]


def test_a_precommit_needs_a_polka() -> None:
    assert blamed(*votes("01", PREVOTE, 0, ONE), vote("v3", PRECOMMIT, 0, ONE)) == ["v3"]
    assert blamed(*votes("012", PREVOTE, 0, ONE), vote("v3", PRECOMMIT, 0, ONE)) == []
    assert blamed(vote("v3", PRECOMMIT, 0, NIL)) == []


def test_amnesia() -> None:
    locked = [*votes("012", PREVOTE, 0, ONE), vote("v0", PRECOMMIT, 0, ONE)]
    assert blamed(*locked, vote("v0", PREVOTE, 2, OTHER)) == ["v0"]
    assert blamed(*locked, vote("v0", PREVOTE, 2, ONE), vote("v0", PREVOTE, 1, NIL)) == []
    released = votes("123", PREVOTE, 1, OTHER)
    assert blamed(*locked, *released, vote("v0", PREVOTE, 2, OTHER)) == []
    assert blamed(*locked, *released, vote("v0", PREVOTE, 1, OTHER)) == ["v0"]


def test_a_fork_over_two_rounds_names_more_than_a_third() -> None:
    first = [*votes("012", PREVOTE, 0, ONE), *votes("012", PRECOMMIT, 0, ONE)]
    second = [*votes("123", PREVOTE, 1, OTHER), *votes("123", PRECOMMIT, 1, OTHER)]
    assert blamed(*first, *second) == ["v1", "v2"]


def test_weight_counts_and_not_heads() -> None:
    heavy = Committee([5, 1, 1])
    account = heavy.accounts["v0"]
    prevote, precommit = (
        SignedVote(Vote(kind, 1, 0, ONE), account.address, bytes(65)) for kind in (PREVOTE, PRECOMMIT)
    )
    assert guilty([prevote, precommit], heavy.validators) == ()
    assert guilty([precommit], heavy.validators) == (account.address,)


# The invariant


class Speaker:
    """Does at the start what it is told."""

    def __init__(self, *effects: Effect) -> None:
        self._effects = effects

    def start(self) -> tuple[Effect, ...]:
        return self._effects

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        return ()

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return ()

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        return ()


def said(*messages: SignedMessage) -> tuple[Effect, ...]:
    return tuple(Send(wire.encode(Kind.ENGINE, message.encode())) for message in messages)


def committed(block_hash: bytes, names: str, round_: int) -> Committed:
    precommits = {signed.validator: signed for signed in votes(names, PRECOMMIT, round_, block_hash)}
    return Committed(1, block_hash, Certificate.of(round_, precommits, COMMITTEE.validators).encode())


def check(*effects: tuple[Effect, ...], faulty: tuple[str, ...] = ()):
    """Run nodes v0, v1 and so on that say these things, under accountability."""
    invariant = COMMITTEE.accountability()
    padded = (*effects, *((),) * (4 - len(effects)))
    nodes = {name: lambda record, told=told: Speaker(*told) for name, told in zip(NAMES, padded, strict=True)}
    sim = SimNet(1, nodes, invariants=[invariant], faulty=faulty)
    sim.run(1_000)
    return sim, invariant


def accuse(name: str) -> Accused:
    pair = vote(name, PREVOTE, 0, ONE), vote(name, PREVOTE, 0, OTHER)
    return Accused(Evidence.of(*pair).encode())


def test_a_true_accusation_of_the_faulty_is_fine() -> None:
    sim, _ = check((accuse("v3"),), faulty=("v3",))
    assert len(sim.accusations) == 1


def test_a_proof_against_an_honest_node_is_a_violation() -> None:
    with pytest.raises(InvariantViolation, match="is proven guilty"):
        check((accuse("v2"),), faulty=("v3",))


def test_empty_accusations_are_a_violation_when_honest_nodes_bring_them() -> None:
    forged = Evidence.of(
        SignedVote(Vote(PREVOTE, 1, 0, ONE), COMMITTEE.accounts["v2"].address, bytes(65)),
        vote("v2", PREVOTE, 0, OTHER),
    )
    for evidence in (b"nonsense", forged.encode()):
        check((), (Accused(evidence),), faulty=("v1",))
        with pytest.raises(InvariantViolation, match="v1 brings a proof of nothing"):
            check((), (Accused(evidence),), faulty=("v3",))


def test_a_fork_in_one_round_names_who_signed_both() -> None:
    one, other = committed(ONE, "012", 0), committed(OTHER, "123", 0)
    messages = [
        *votes("012", PREVOTE, 0, ONE),
        *votes("012", PRECOMMIT, 0, ONE),
        *votes("123", PREVOTE, 0, OTHER),
        *votes("123", PRECOMMIT, 0, OTHER),
    ]
    _, invariant = check((*said(*messages), one), (), (), (other,), faulty=("v1", "v2"))
    (fork,) = invariant.forks
    assert (fork.one.block_hash, fork.other.block_hash) == (ONE, OTHER)
    assert sorted(map(COMMITTEE.name_of, invariant.blamed)) == ["v1", "v2"]
    assert list(invariant.blamed) == sorted(invariant.blamed)


def test_certificates_alone_are_enough_in_one_round() -> None:
    one, other = committed(ONE, "012", 0), committed(OTHER, "123", 0)
    _, invariant = check((one,), (), (), (other, one), faulty=("v1", "v2"))
    assert sorted(map(COMMITTEE.name_of, invariant.blamed)) == ["v1", "v2"]
    assert len(invariant.forks) == 1


def test_a_fork_over_two_rounds_needs_the_votes() -> None:
    one, other = committed(ONE, "012", 0), committed(OTHER, "123", 1)
    messages = [
        *votes("012", PREVOTE, 0, ONE),
        *votes("012", PRECOMMIT, 0, ONE),
        *votes("123", PREVOTE, 1, OTHER),
        *votes("123", PRECOMMIT, 1, OTHER),
    ]
    _, invariant = check((*said(*messages), one), (), (), (other,), faulty=("v1", "v2"))
    assert sorted(map(COMMITTEE.name_of, invariant.blamed)) == ["v1", "v2"]
    with pytest.raises(InvariantViolation, match="too few"):
        check((one,), (), (), (other,), faulty=("v1", "v2"))


def test_a_fork_that_blames_the_honest_is_a_violation() -> None:
    with pytest.raises(InvariantViolation, match="is proven guilty"):
        check((committed(ONE, "012", 0),), (), (), (committed(OTHER, "123", 0),), faulty=("v1",))


def test_blocks_from_others_have_no_seal_and_prove_nothing() -> None:
    bare = Committed(1, OTHER, b"")
    _, invariant = check((committed(ONE, "012", 0),), (bare,))
    assert invariant.forks == []


def test_a_commit_needs_a_certificate() -> None:
    for seal in (b"nonsense", committed(OTHER, "012", 0).seal, committed(ONE, "01", 0).seal):
        false = Committed(1, ONE, seal)
        _, invariant = check((false,), faulty=("v0",))
        assert invariant.forks == []
        with pytest.raises(InvariantViolation, match="v0 committed without a certificate"):
            check((false,))


def test_whoever_breaks_the_rules_is_convicted_though_nothing_happened() -> None:
    lone = vote("v3", PRECOMMIT, 0, ONE)
    higher = [vote("v2", PREVOTE, 0, ONE, height=2), vote("v2", PREVOTE, 0, OTHER, height=2)]
    sim, invariant = check(said(lone, lone, *higher), faulty=("v2", "v3"))
    assert sorted(map(COMMITTEE.name_of, invariant.convict(sim))) == ["v2", "v3"]
    sim, invariant = check(said(lone), faulty=("v2",))
    with pytest.raises(InvariantViolation, match="is proven guilty"):
        invariant.convict(sim)


def test_forged_and_garbled_messages_convict_nobody() -> None:
    forged = SignedVote(Vote(PRECOMMIT, 1, 0, ONE), COMMITTEE.accounts["v1"].address, bytes(65))
    stolen = SignedVote(Vote(PRECOMMIT, 1, 0, OTHER), forged.validator, vote("v1", PREVOTE, 0, ONE).signature)
    noise = (Send(b"\xff"), Send(wire.encode_status(1)), Send(wire.encode(Kind.ENGINE, b"?")))
    sim, invariant = check((*said(forged, stolen, vote("v1", PREVOTE, 0, ONE)), *noise))
    assert invariant.convict(sim) == ()
