"""The engine "pbft" and its rule, without a chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import InvalidInput, UsageError
from chainstack_sdk.consensus.bft import BftCore, Certificate, Secp256k1Scheme, SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.membership import MembersOfSlots, PbftEngine, PbftRule
from chainstack_sdk.consensus.membership.rules import committee_of
from chainstack_sdk.consensus.staking import SlotSchedule
from chainstack_sdk.core import Genesis
from chainstack_sdk.core.engine import BlockCommitted, Persist, RequestBlock, ScheduleTimeout
from chainstack_sdk.testing import accounts

PEOPLE = sorted(accounts(4), key=lambda account: account.address)
SCHEDULE = SlotSchedule(3)
COMMITTEES = {
    0: committee_of([each.address for each in PEOPLE[:3]]),
    1: committee_of([each.address for each in PEOPLE]),
}
GENESIS = Genesis(chain_id=9).header(bytes(32))


@pytest.fixture
def membership() -> MembersOfSlots:
    return MembersOfSlots(SCHEDULE, COMMITTEES.get)


@pytest.fixture
def rule(membership) -> PbftRule:
    return PbftRule(9, SCHEDULE, membership, Secp256k1Scheme())


def header(height: int, **changes):
    fields = {"height": height, "slot": SCHEDULE.slot_of(height), "seed": bytes(32)}
    return replace(GENESIS, **{**fields, **changes})


def seal(of, signers, chain_id: int = 9) -> bytes:
    vote = Vote(VoteKind.PRECOMMIT, of.height, 0, of.hash)
    signed = {
        each.address: SignedVote(vote, each.address, each.sign(vote.digest(chain_id))) for each in signers
    }
    return Certificate.of(0, signed, COMMITTEES[SCHEDULE.slot_of(of.height)]).encode()


def test_members_follow_the_slots(membership) -> None:
    assert membership.validators(3) is COMMITTEES[0]
    assert membership.validators(4) is COMMITTEES[1]
    with pytest.raises(UsageError, match="not known") as caught:
        membership.validators(7)
    assert caught.value.facts == {"slot": 2, "height": 7}


def test_members_propose_in_turn(membership) -> None:
    rounds = {membership.proposer(4, round) for round in range(4)}
    assert rounds == {each.address for each in PEOPLE}


@pytest.mark.parametrize("height", [1, 3, 4])
def test_a_certified_header_passes_without_a_chain(rule, height) -> None:
    one = header(height)
    certificate = seal(one, PEOPLE[:3])
    rule.validate_header(one, certificate, GENESIS)
    rule.validate_finality(one, certificate)
    assert rule.work(one) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": 1},
        {"seed": b"\x01" * 32},
        {"seed_proof": b"\x01"},
        {"work_commitment": b"\x01"},
        {"extra_data": b"\x01"},
        {"parent_certificate_hash": b"\x01" * 32},
    ],
)
def test_fields_of_other_engines_are_refused(rule, changes) -> None:
    one = header(1, **changes)
    with pytest.raises(InvalidInput):
        rule.validate_candidate(one, GENESIS)
    with pytest.raises(InvalidInput):
        rule.validate_header(one, seal(one, PEOPLE[:3]), GENESIS)


def test_a_seal_that_does_not_certify(rule) -> None:
    one, other = header(1), header(1, timestamp_ms=GENESIS.timestamp_ms + 5)
    for wrong in (
        b"",
        b"\xff" * 200,
        seal(one, PEOPLE[:2]),
        seal(other, PEOPLE[:3]),
        seal(one, PEOPLE[:3], 8),
    ):
        with pytest.raises(InvalidInput):
            rule.validate_header(one, wrong, GENESIS)
    with pytest.raises(InvalidInput, match="not known"):
        rule.validate_finality(header(7), seal(one, PEOPLE[:3]))


def test_the_engine_votes_for_a_member_and_follows_for_others(rule, membership) -> None:
    assert PbftEngine.name == "pbft"
    first = membership.proposer(1, 0)
    for address, expected in ((first, RequestBlock), (None, ScheduleTimeout)):
        core = BftCore(9, membership, address=address, height=1, scheme=Secp256k1Scheme())
        engine = PbftEngine(core, rule)
        assert engine.header_rule is rule
        assert engine.finality_rule is rule
        outputs = engine.process(BlockCommitted(0, GENESIS.hash))
        assert expected in map(type, outputs)
        assert not any(isinstance(output, Persist) for output in outputs)
        assert engine.last_seal == b""
        assert engine.resend() == ()
