"""Votes with a proof of randomness in every decision: what reaches the votes, and what is put into seals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.bft import (
    BftCore,
    Certificate,
    FixedMembership,
    Proposal,
    Secp256k1Scheme,
    SignedProposal,
    SignedVote,
    Validator,
    ValidatorSet,
    Vote,
    VoteKind,
    decode_message,
)
from chainstack_sdk.consensus.bft.messages import NIL
from chainstack_sdk.consensus.committee_engine import MAX_HELD, CommitteeEngine
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.vrf import VRF_PROOF_BYTES
from chainstack_sdk.core import Genesis
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
    Sign,
    Signed,
    TimeoutElapsed,
)
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import AcceptAllHeaders, accounts

CHAIN = 7
PEOPLE = sorted(accounts(4), key=lambda account: account.address)
BY_ADDRESS = {account.address: account for account in PEOPLE}
FOUR = ValidatorSet(Validator(account.address, 1) for account in PEOPLE)
MEMBERSHIP = FixedMembership(FOUR)
GENESIS = Genesis(chain_id=CHAIN).header(bytes(32))
BLOCK = replace(GENESIS, height=1)
OTHER = replace(GENESIS, height=1, timestamp_ms=GENESIS.timestamp_ms + 1)
PROOF = b"\x0a" * VRF_PROOF_BYTES
LEADER = BY_ADDRESS[MEMBERSHIP.proposer(1, 0)]
FOLLOWERS = [account for account in PEOPLE if account is not LEADER]
ME = FOLLOWERS[0]


class Bench:
    """One engine, the headers that its host knows, and what it made of each input."""

    def __init__(self, address=ME.address):
        self.headers = {BLOCK.hash: BLOCK, OTHER.hash: OTHER}
        self.asked = []
        self.rule, self.finality = AcceptAllHeaders(), AcceptAllHeaders()
        core = BftCore(CHAIN, MEMBERSHIP, address=address, height=1, scheme=Secp256k1Scheme())
        self.engine = CommitteeEngine(
            core,
            name="committee",
            header_rule=self.rule,
            finality_rule=self.finality,
            headers=self.headers.get,
            is_seed_proof=self.is_seed_proof,
        )
        self.engine.process(BlockCommitted(0, GENESIS.hash))

    def is_seed_proof(self, header, prover, proof):
        self.asked.append((header, prover, proof))
        return proof == PROOF

    def hear(self, message):
        return self.engine.process(MessageReceived(message.encode()))

    def valid(self, header=BLOCK, extra=b"", **options):
        return self.engine.process(BlockProposed(header.height, header.hash, extra, **options))

    def sign(self, outputs):
        """Sign what is asked for, by and by; return all outputs."""
        found = []
        waiting = list(outputs)
        while waiting:
            output = waiting.pop(0)
            found.append(output)
            if isinstance(output, Persist):
                waiting[:0] = output.then
            elif isinstance(output, Sign):
                signature = ME.sign(keccak256(output.payload))
                waiting += self.engine.process(Signed(output.payload, signature))
        return found


def proposal(header=BLOCK, extra=PROOF, by=LEADER, height=1, round=0):
    said = Proposal(height, round, header.hash, -1, extra)
    return SignedProposal(said, by.address, by.sign(keccak256(said.payload(CHAIN))))


def vote(kind, by, header=BLOCK, height=1, round=0):
    said = Vote(kind, height, round, header.hash)
    return SignedVote(said, by.address, by.sign(said.digest(CHAIN)))


def said(outputs):
    """The votes among what was broadcast."""
    messages = [decode_message(each.message) for each in outputs if isinstance(each, Broadcast)]
    return [(each.vote.kind, each.vote.block_hash) for each in messages]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_it_is(bench) -> None:
    engine = bench.engine
    assert engine.name == "committee"
    assert engine.header_rule is bench.rule
    assert engine.finality_rule is bench.finality
    assert (engine.last_seal, engine.last_decided, engine.resend()) == (b"", 0, ())


# What reaches the votes


def test_a_proposal_waits_for_its_block_and_is_fetched_once(bench) -> None:
    assert bench.hear(proposal()) == (FetchBlock(1, BLOCK.hash),)
    assert bench.hear(proposal()) == ()
    assert bench.asked == []
    assert said(bench.sign(bench.valid())) == [(VoteKind.PREVOTE, BLOCK.hash)]
    assert bench.asked == [(BLOCK, LEADER.address, PROOF)]


def test_a_proposal_of_a_known_block_is_voted_on_at_once(bench) -> None:
    assert bench.valid() == ()
    assert said(bench.sign(bench.hear(proposal()))) == [(VoteKind.PREVOTE, BLOCK.hash)]


def test_a_proposal_without_the_right_proof_is_dropped(bench) -> None:
    bench.valid()
    for wrong in (b"", b"\x0b" * VRF_PROOF_BYTES):
        assert bench.hear(proposal(extra=wrong)) == ()
    assert bench.engine.resend() == ()


def test_a_block_whose_header_the_host_has_forgotten(bench) -> None:
    bench.valid()
    del bench.headers[BLOCK.hash]
    assert bench.hear(proposal()) == ()


@pytest.mark.parametrize("early", [True, False])
def test_a_refused_block_is_voted_against_whatever_its_proof(bench, early) -> None:
    refusal = BlockRefused(1, BLOCK.hash)
    if early:
        bench.hear(proposal(extra=b""))
        outputs = bench.engine.process(refusal)
    else:
        bench.engine.process(refusal)
        outputs = bench.hear(proposal(extra=b""))
    assert said(bench.sign(outputs)) == [(VoteKind.PREVOTE, NIL)]
    assert bench.asked == []


def test_proposals_that_nobody_could_have_made_wait_for_nothing(bench) -> None:
    forged = replace(proposal(), validator=FOLLOWERS[1].address)
    for wrong in (forged, proposal(height=2), proposal(height=9)):
        assert bench.hear(wrong) == ()
    assert bench.engine.is_authentic(proposal())
    assert not bench.engine.is_authentic(forged)
    assert said(bench.sign(bench.valid())) == []


def test_junk_is_counted_and_changes_nothing(bench) -> None:
    before = bench.engine.core.state
    for junk in (b"", b"\x00" * 100, proposal().encode()[:50]):
        assert bench.engine.process(MessageReceived(junk)) == ()
    assert bench.engine.core.refused == 3
    assert bench.engine.core.state == before


def test_few_proposals_are_kept_the_newest_ones(bench) -> None:
    for round_ in range(MAX_HELD + 1):
        leader = BY_ADDRESS[MEMBERSHIP.proposer(1, round_)]
        bench.hear(proposal(by=leader, round=round_))
    assert len(bench.engine._held) == MAX_HELD
    assert bench.hear(proposal()) == (FetchBlock(1, BLOCK.hash),)  # the first one was forgotten


def test_a_new_head_forgets_what_waited(bench) -> None:
    bench.hear(proposal())
    bench.engine.process(BlockCommitted(1, OTHER.hash))
    assert said(bench.sign(bench.valid())) == []
    assert bench.engine.last_decided == 1


# Decisions


def decide(bench):
    """Let the bench's engine decide with just enough precommits; return the decision."""
    bench.valid()
    bench.sign(bench.hear(proposal()))
    for member in FOLLOWERS[1:]:
        bench.sign(bench.hear(vote(VoteKind.PREVOTE, member)))
    outputs = []
    for member in FOLLOWERS[1:]:
        outputs += bench.sign(bench.hear(vote(VoteKind.PRECOMMIT, member)))
    return [output for output in outputs if isinstance(output, Decide)]


def test_the_seal_holds_certificate_and_proof(bench) -> None:
    (decision,) = decide(bench)
    assert (decision.height, decision.block_hash) == (1, BLOCK.hash)
    seal = CommitteeSeal.decode(decision.seal)
    assert (seal.seed_proof, seal.nonce) == (PROOF, None)
    assert len(Certificate.decode(seal.certificate).signatures) == 3
    assert bench.engine.last_seal == decision.seal
    assert bench.engine.last_decided == 1


@pytest.mark.parametrize("committed", [False, True])
def test_a_late_precommit_makes_the_last_seal_grow(bench, committed) -> None:
    decide(bench)
    if committed:
        bench.engine.process(BlockCommitted(1, BLOCK.hash))
    bench.hear(vote(VoteKind.PRECOMMIT, LEADER))
    seal = CommitteeSeal.decode(bench.engine.last_seal)
    assert len(Certificate.decode(seal.certificate).signatures) == 4
    assert seal.seed_proof == PROOF
    assert bench.engine.last_decided == 1


def test_the_leader_adds_its_own_proof() -> None:
    bench = Bench(LEADER.address)
    (persist,) = [each for each in bench.valid(extra=PROOF, own=True) if isinstance(each, Persist)]
    (sign,) = persist.then
    signature = LEADER.sign(keccak256(sign.payload))
    outputs = bench.engine.process(Signed(sign.payload, signature))
    (message,) = [each.message for each in outputs if isinstance(each, Broadcast)]
    assert decode_message(message) == proposal()


def test_other_inputs_go_to_the_votes(bench) -> None:
    outputs = bench.engine.process(BlockCommitted(1, BLOCK.hash))
    (timeout,) = [each.timeout for each in outputs if hasattr(each, "timeout")]
    assert said(bench.sign(bench.engine.process(TimeoutElapsed(timeout)))) == [(VoteKind.PREVOTE, NIL)]
    assert len(bench.engine.resend()) == 1
