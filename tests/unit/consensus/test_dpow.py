"""Mined and certified: what miners announce, when the committee begins, and what goes into a seal."""

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
from chainstack_sdk.consensus.committee_engine import CommitteeEngine
from chainstack_sdk.consensus.dpow import MAX_CANDIDATES, DpowEngine
from chainstack_sdk.consensus.retarget import FixedDifficulty
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking.mining import CommitteeWork
from chainstack_sdk.consensus.vrf import VRF_PROOF_BYTES
from chainstack_sdk.consensus.work import DoubleSha256, is_worked, target_of, work_commitment
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
    RequestBlock,
    RequestWork,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    WorkFound,
)
from chainstack_sdk.primitives import InvalidInput, keccak256, rlp_encode
from chainstack_sdk.testing import AcceptAllHeaders, accounts

CHAIN, DIFFICULTY = 7, 32
PEOPLE = sorted(accounts(4), key=lambda account: account.address)
BY_ADDRESS = {account.address: account for account in PEOPLE}
MEMBERSHIP = FixedMembership(ValidatorSet(Validator(account.address, 1) for account in PEOPLE))
GENESIS = Genesis(chain_id=CHAIN).header(bytes(32))
PROOF = b"\x0a" * VRF_PROOF_BYTES
LEADER = BY_ADDRESS[MEMBERSHIP.proposer(1, 0)]
FOLLOWERS = [account for account in PEOPLE if account is not LEADER]
ME = FOLLOWERS[0]
VOTES, WORK = b"\x01", b"\x02"


def header(number: int = 0, **changes):
    """A candidate for height 1; other numbers make other ones."""
    fields = {
        "height": 1,
        "parent_hash": GENESIS.hash,
        "timestamp_ms": GENESIS.timestamp_ms + number,
        "work_commitment": work_commitment(DIFFICULTY, bytes(32)),
    }
    return replace(GENESIS, **{**fields, **changes})


def nonce_of(one, wanted: bool = True) -> int:
    """The first nonce that does the work, or that does not."""
    return next(
        nonce for nonce in range(10_000) if is_worked(one.hash, nonce, DIFFICULTY, DoubleSha256()) is wanted
    )


def announcement(one, nonce=None) -> bytes:
    nonce = nonce_of(one) if nonce is None else nonce
    return WORK + rlp_encode([one.encode(), nonce.to_bytes(8, "big")])


BLOCK = header()


class Bench:
    """One engine at height 1, and the headers that its host knows."""

    def __init__(self, *, mining=False, begun=True, who=ME):
        self.headers = {GENESIS.hash: GENESIS}
        self.rule = AcceptAllHeaders()
        core = BftCore(CHAIN, MEMBERSHIP, address=who.address, height=1, scheme=Secp256k1Scheme())
        self.committee = CommitteeEngine(
            core,
            name="dpow",
            header_rule=self.rule,
            finality_rule=self.rule,
            headers=self.find,
            is_seed_proof=lambda header, prover, proof: proof == PROOF,
        )
        work = CommitteeWork(FixedDifficulty(DIFFICULTY), self.find)
        self.engine = DpowEngine(self.committee, work, self.find, mining=mining)
        self.core = core
        if begun:
            self.outputs = self.commit(GENESIS)

    def find(self, block_hash):
        return self.headers.get(block_hash)

    def commit(self, one):
        self.headers[one.hash] = one
        return self.engine.process(BlockCommitted(one.height, one.hash))

    def propose(self, one, *, own=False):
        self.headers[one.hash] = one
        return self.engine.process(BlockProposed(one.height, one.hash, b"", own))

    def hear(self, message):
        return self.engine.process(MessageReceived(message))

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


def proposal(one=BLOCK) -> bytes:
    said = Proposal(one.height, 0, one.hash, -1, PROOF)
    return VOTES + SignedProposal(said, LEADER.address, LEADER.sign(said.digest(CHAIN))).encode()


def vote(kind, by, one=BLOCK) -> bytes:
    said = Vote(kind, one.height, 0, one.hash)
    return VOTES + SignedVote(said, by.address, by.sign(said.digest(CHAIN))).encode()


def is_awake(outputs) -> bool:
    return any(isinstance(output, ScheduleTimeout) for output in outputs)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def miner() -> Bench:
    return Bench(mining=True)


def test_what_it_is(bench) -> None:
    engine = bench.engine
    assert engine.name == "dpow"
    assert engine.header_rule is engine.finality_rule is bench.rule
    assert (engine.last_seal, engine.resend()) == (b"", ())


# Mining


def test_a_miner_asks_for_a_candidate_and_for_work_on_it(miner) -> None:
    assert miner.outputs == (RequestBlock(1),)
    assert miner.propose(BLOCK, own=True) == (RequestWork(BLOCK.hash, target_of(DIFFICULTY)),)


def test_found_work_is_announced_and_wakes_the_committee(miner) -> None:
    miner.propose(BLOCK, own=True)
    outputs = miner.engine.process(WorkFound(BLOCK.hash, nonce_of(BLOCK)))
    assert outputs[0] == Broadcast(announcement(BLOCK))
    assert is_awake(outputs)
    assert miner.engine.resend() == (announcement(BLOCK),)


def test_work_that_is_none_or_comes_too_late(miner) -> None:
    assert miner.engine.process(WorkFound(BLOCK.hash, 0)) == ()  # nobody asked
    miner.propose(BLOCK, own=True)
    assert miner.engine.process(WorkFound(BLOCK.hash, nonce_of(BLOCK, False))) == ()
    miner.engine.process(WorkFound(BLOCK.hash, nonce_of(BLOCK)))
    assert miner.engine.process(WorkFound(BLOCK.hash, nonce_of(BLOCK))) == ()  # it was found already
    miner.propose(header(1), own=True)
    miner.commit(BLOCK)
    assert miner.engine.process(WorkFound(header(1).hash, nonce_of(header(1)))) == ()


def test_candidates_of_other_heights_and_of_others_are_not_worked_on(bench) -> None:
    assert bench.propose(header(height=2), own=True) == ()
    assert bench.propose(BLOCK) == ()
    assert Bench(begun=False).propose(BLOCK, own=True) == ()
    del bench.headers[BLOCK.hash]
    assert bench.engine.process(BlockProposed(1, BLOCK.hash, b"", True)) == ()


def test_others_candidates_do_not_push_out_ones_own(miner) -> None:
    miner.propose(BLOCK, own=True)
    others = [header(number) for number in range(1, MAX_CANDIDATES + 2)]
    for other in others:
        miner.propose(other)
    assert is_awake(miner.engine.process(WorkFound(BLOCK.hash, nonce_of(BLOCK))))
    assert miner.hear(announcement(others[0])) == (FetchBlock(1, others[0].hash),)  # forgotten
    assert FetchBlock(1, others[-1].hash) not in miner.hear(announcement(others[-1]))


# Announcements


def test_an_announced_block_is_fetched_and_then_put_to_the_votes(bench) -> None:
    assert bench.hear(announcement(BLOCK)) == (FetchBlock(1, BLOCK.hash),)
    assert bench.hear(announcement(BLOCK)) == ()
    assert is_awake(bench.propose(BLOCK))
    assert bench.engine.resend() == (announcement(BLOCK),)


def test_a_block_that_came_before_its_announcement(bench) -> None:
    assert bench.propose(BLOCK) == ()
    assert is_awake(bench.hear(announcement(BLOCK)))


def test_a_block_whose_header_is_gone_is_not_announced_again(bench) -> None:
    bench.hear(announcement(BLOCK))
    assert bench.engine.resend() == ()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x03",
        VOTES,
        WORK,
        WORK + b"\xc0",
        WORK + rlp_encode([BLOCK.encode(), b"\x01"]),
        WORK + rlp_encode([[BLOCK.encode()], bytes(8)]),
        WORK + rlp_encode([b"header", bytes(8)]),
        announcement(BLOCK, nonce_of(BLOCK, False)),
        announcement(header(height=2)),
        announcement(header(parent_hash=b"\x05" * 32)),
        announcement(header(work_commitment=b"")),
        announcement(header(work_commitment=work_commitment(1, bytes(32)))),
    ],
)
def test_what_is_no_announcement(bench, message) -> None:
    assert bench.hear(message) == ()
    assert bench.engine.resend() == ()
    assert is_awake(bench.hear(announcement(BLOCK)) + bench.propose(BLOCK))


def test_no_announcement_counts_before_there_is_a_head() -> None:
    assert Bench(begun=False).hear(announcement(BLOCK)) == ()


def test_few_announcements_are_remembered(bench) -> None:
    for number in range(MAX_CANDIDATES):
        assert bench.hear(announcement(header(number)))
    assert bench.hear(announcement(header(MAX_CANDIDATES))) == ()


# The committee's sleep


def test_votes_of_the_height_wake_the_committee_and_others_do_not(bench) -> None:
    foreign = SignedVote(Vote(VoteKind.PREVOTE, 1, 0, BLOCK.hash), b"\x09" * 20, bytes(65))
    for nothing in (
        VOTES + b"junk",
        VOTES + foreign.encode(),
        vote(VoteKind.PREVOTE, LEADER, header(height=2)),
    ):
        assert not is_awake(bench.hear(nothing))
    assert is_awake(bench.hear(vote(VoteKind.PREVOTE, LEADER)))
    assert not is_awake(bench.hear(vote(VoteKind.PREVOTE, FOLLOWERS[1])))


def test_the_leader_waits_for_miners_instead_of_asking_for_a_block() -> None:
    bench = Bench(who=LEADER)
    outputs = bench.hear(vote(VoteKind.PREVOTE, ME))
    assert is_awake(outputs)
    assert not any(isinstance(output, RequestBlock) for output in outputs)


def test_a_proposal_wakes_it_too(bench) -> None:
    outputs = bench.hear(proposal())
    assert is_awake(outputs)
    assert FetchBlock(1, BLOCK.hash) in outputs


def test_a_vote_before_there_is_a_head() -> None:
    assert Bench(begun=False).hear(vote(VoteKind.PREVOTE, LEADER)) == ()


def test_a_block_refused_in_the_meantime_is_voted_against(bench) -> None:
    bench.propose(BLOCK)
    assert bench.engine.process(BlockRefused(1, BLOCK.hash)) == ()
    assert bench.hear(announcement(BLOCK)) == (FetchBlock(1, BLOCK.hash),)
    sent = [each.message for each in bench.sign(bench.hear(proposal())) if isinstance(each, Broadcast)]
    assert [decode_message(message[1:]).vote.block_hash for message in sent] == [NIL]
    assert bench.engine.process(BlockRefused(1, header(1).hash)) == ()  # the committee is awake now
    assert bench.committee._judged == {BLOCK.hash: False, header(1).hash: False}


def test_few_refusals_are_remembered(bench) -> None:
    for number in range(MAX_CANDIDATES + 1):
        bench.engine.process(BlockRefused(1, header(number).hash))
    bench.hear(vote(VoteKind.PREVOTE, LEADER))
    assert len(bench.committee._judged) == MAX_CANDIDATES
    assert header(0).hash not in bench.committee._judged


def test_one_that_went_down_while_voting_begins_at_once(bench) -> None:
    bench.hear(announcement(BLOCK))
    outputs = bench.propose(BLOCK)
    outputs += bench.hear(proposal())
    (persist,) = [output for output in outputs if isinstance(output, Persist)]
    again = Bench(begun=False)
    assert again.engine.process(Restored(persist.record)) == persist.then  # the same vote once more
    woken = again.commit(GENESIS)
    assert not any(isinstance(output, RequestBlock) for output in woken)
    assert again.engine._asleep is None


def test_the_work_behind_a_vote_outlives_a_crash(bench) -> None:
    bench.hear(announcement(BLOCK))
    outputs = bench.propose(BLOCK)
    outputs += bench.hear(proposal())
    (persist,) = [output for output in outputs if isinstance(output, Persist)]
    again = Bench(begun=False)
    again.engine.process(Restored(persist.record))
    again.commit(GENESIS)
    again.propose(BLOCK)  # the host has kept the block; nobody has to tell of its work again
    assert again.committee._judged == {BLOCK.hash: True}


@pytest.mark.parametrize(
    "record", [b"", b"\x01", rlp_encode([b""]), rlp_encode([b"", [b"x"]]), rlp_encode([b"", [[b"h", b"1"]]])]
)
def test_a_damaged_record_is_not_guessed_at(record) -> None:
    with pytest.raises(InvalidInput):
        Bench(begun=False).engine.process(Restored(record))


# Decisions


def decide(bench, votes=FOLLOWERS[1:]):
    """Let the committee decide on a block whose work is known; return the decision, if any."""
    bench.hear(announcement(BLOCK))
    bench.propose(BLOCK)
    bench.sign(bench.hear(proposal()))
    for member in FOLLOWERS[1:]:
        bench.sign(bench.hear(vote(VoteKind.PREVOTE, member)))
    outputs = []
    for member in votes:
        outputs += bench.sign(bench.hear(vote(VoteKind.PRECOMMIT, member)))
    return [output for output in outputs if isinstance(output, Decide)]


def test_the_seal_holds_certificate_proof_and_nonce(bench) -> None:
    (decision,) = decide(bench)
    assert decision.block_hash == BLOCK.hash
    seal = CommitteeSeal.decode(decision.seal)
    assert (seal.seed_proof, seal.nonce) == (PROOF, nonce_of(BLOCK))
    assert len(Certificate.decode(seal.certificate).signatures) == 3
    assert bench.engine.last_seal == decision.seal


def test_what_the_committee_says_goes_out_as_votes(bench) -> None:
    bench.hear(announcement(BLOCK))
    bench.propose(BLOCK)
    sent = [each.message for each in bench.sign(bench.hear(proposal())) if isinstance(each, Broadcast)]
    assert [message[:1] for message in sent] == [VOTES]
    assert decode_message(sent[0][1:]).vote.kind == VoteKind.PREVOTE
    assert {message[:1] for message in bench.engine.resend()} == {VOTES, WORK}


@pytest.mark.parametrize("committed", [False, True])
def test_a_late_precommit_makes_the_last_seal_grow(bench, committed) -> None:
    decide(bench)
    if committed:
        bench.commit(BLOCK)
    bench.hear(vote(VoteKind.PRECOMMIT, LEADER))
    seal = CommitteeSeal.decode(bench.engine.last_seal)
    assert len(Certificate.decode(seal.certificate).signatures) == 4
    assert seal.nonce == nonce_of(BLOCK)


def test_a_head_that_came_from_elsewhere_is_not_decided_on_again(bench) -> None:
    assert decide(bench, votes=()) == []
    bench.commit(BLOCK)  # handed over by another node, while precommits were on their way
    for member in FOLLOWERS[1:]:
        assert bench.sign(bench.hear(vote(VoteKind.PRECOMMIT, member))) == []
    assert CommitteeSeal.decode(bench.engine.last_seal).nonce == nonce_of(BLOCK)


def test_no_seal_of_a_head_whose_work_was_never_seen(bench) -> None:
    decide(bench)
    elsewhere = header(height=2, parent_hash=BLOCK.hash)
    bench.commit(BLOCK)
    bench.commit(elsewhere)
    assert bench.engine.last_seal == b""
    bench.commit(GENESIS)
    assert bench.engine.last_seal == b""


def test_a_seal_is_of_the_block_that_the_committee_decided_last(bench) -> None:
    """Work on the head is known, and the committee has not heard of the head: there is no seal to show."""
    decide(bench)
    bench.commit(BLOCK)
    child = header(height=2, parent_hash=BLOCK.hash)
    bench.hear(announcement(child))
    bench.propose(child)
    bench.engine._asleep = bench.engine._head  # asleep through the whole height
    bench.commit(child)
    assert bench.engine.last_seal == b""
