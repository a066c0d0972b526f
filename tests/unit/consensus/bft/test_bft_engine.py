"""The engine: tables of inputs, with all outputs and the whole state of the algorithm after each.

With four equal validators 1, 2, 3 and 0 propose in rounds 0, 1, 2 and 3 of height 1. The engine is
validator 0's unless a test says otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bft_kit import (
    CHAIN,
    FOUR,
    PRECOMMIT,
    PREVOTE,
    A,
    B,
    TrustingScheme,
    asked,
    committee,
    core,
    precommit,
    prevote,
    proposal,
    received,
    sign_all,
    signature_of,
    snapshot,
    who,
)

from chainstack_sdk.consensus.bft import (
    BftCore,
    Certificate,
    Evidence,
    FixedMembership,
    Record,
    SignedMessage,
    SignedProposal,
    ValidatorSet,
)
from chainstack_sdk.consensus.bft.messages import NIL, Proposal, Vote
from chainstack_sdk.consensus.bft.round import RoundState, Step
from chainstack_sdk.core.engine import (
    Accuse,
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    EngineInput,
    EngineOutput,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

Row = tuple[str, EngineInput, tuple[EngineOutput, ...], RoundState]
FRESH = RoundState(1)
POLKA_A = tuple(prevote(index, A) for index in (0, 1, 2))


def wait(kind: str, round_: int = 0, height: int = 1) -> ScheduleTimeout:
    return ScheduleTimeout(Timeout(kind, height, round_))


def elapsed(kind: str, round_: int = 0, height: int = 1) -> TimeoutElapsed:
    return TimeoutElapsed(Timeout(kind, height, round_))


def persist(
    state: RoundState, *messages: Vote | Proposal, new: int = 1, index: int = 0, votes: Any = ()
) -> Persist:
    """Return the record of a state and a round's messages, the last of which are to be signed."""
    record = Record(CHAIN, who(index), state, messages, votes)
    signs = tuple(Sign(message.payload(CHAIN)) for message in messages[-new:])
    return Persist(record.encode(), signs)


def signed(message: Vote | Proposal, index: int = 0) -> Signed:
    return Signed(message.payload(CHAIN), signature_of(index))


def said(message: SignedMessage) -> Broadcast:
    return Broadcast(message.encode())


def seal(block: bytes, round_: int, *indices: int) -> bytes:
    return Certificate(round_, tuple((index, signature_of(index)) for index in indices)).encode()


def run(engine: BftCore, *rows: Row) -> None:
    for desc, event, outputs, state in rows:
        assert engine.process(event) == outputs, desc
        assert engine.state == state, desc
        assert (engine.height, engine.round, engine.step) == (state.height, state.round, state.step), desc


def feed(engine: BftCore, *messages: SignedMessage) -> list[EngineOutput]:
    """Hand over messages; sign nothing; return all outputs."""
    return [output for message in messages for output in engine.process(received(message))]


PREVOTED = replace(FRESH, step=Step.PREVOTE)
LOCKED = RoundState(1, 0, Step.PRECOMMIT, A, 0, A, 0, polka_taken=True)
VOTE_A, COMMIT_A = Vote(PREVOTE, 1, 0, A), Vote(PRECOMMIT, 1, 0, A)


def test_a_decision() -> None:
    engine = core(0)
    assert engine.start() == (wait("propose"),)
    assert engine.start() == ()
    decided = replace(LOCKED, step=Step.COMMITTED)
    run(
        engine,
        ("the block is there before its proposal", BlockProposed(1, A), (), FRESH),
        ("the proposal", received(proposal(1, A)), (persist(PREVOTED, VOTE_A),), PREVOTED),
        ("the own prevote", signed(VOTE_A), (said(prevote(0, A)),), PREVOTED),
        ("another", received(prevote(1, A)), (), PREVOTED),
        (
            "a polka: lock, precommit",
            received(prevote(2, A)),
            (persist(LOCKED, VOTE_A, COMMIT_A, votes=POLKA_A),),
            LOCKED,
        ),
        ("a precommit of another before the own is signed", received(precommit(1, A)), (), LOCKED),
        ("one more", received(precommit(3, A)), (), LOCKED),
        (
            "the own completes the quorum",
            signed(COMMIT_A),
            (said(precommit(0, A)), Decide(1, A, seal(A, 0, 0, 1, 3))),
            decided,
        ),
        ("a late precommit", received(precommit(2, A)), (), decided),
        ("time does not matter any more", elapsed("precommit"), (), decided),
        ("the chain has appended it", BlockCommitted(1, A), (wait("propose", height=2),), RoundState(2)),
    )
    assert engine.last_seal == seal(A, 0, 0, 1, 2, 3)
    assert engine.refused == 0


def test_a_proposer_without_a_block_asks_for_one() -> None:
    engine = core(1)
    asks = RoundState(1, awaits_value=True)
    made = Proposal(1, 0, A, extra=b"proof")
    run(
        engine,
        ("any first input begins the height", WorkFound(A, 0), (wait("propose"), RequestBlock(1)), asks),
        ("a block that is none", BlockRefused(1, B), (), asks),
        ("a block", BlockProposed(1, A, b"proof"), (persist(FRESH, made, index=1),), FRESH),
        (
            "signed: said, and prevoted for",
            signed(made, 1),
            (said(proposal(1, A, extra=b"proof")), persist(PREVOTED, made, VOTE_A, new=1, index=1)),
            PREVOTED,
        ),
    )


def test_a_proposer_with_blocks_proposes_the_first() -> None:
    engine = core(2)
    engine.start()
    for block, extra in ((A, b""), (B, b""), (A, b"mine"), (A, b"")):
        assert engine.process(BlockProposed(1, block, extra)) == ()
    made = Proposal(1, 1, A, extra=b"mine")  # what was added last, if anything was
    assert to_round(engine, 1) == (wait("propose", 1), persist(RoundState(1, 1), made, index=2))


def test_a_block_found_invalid_since_is_not_proposed() -> None:
    engine = core(3)
    engine.start()
    for event in (BlockProposed(1, A), BlockProposed(1, B), BlockRefused(1, A)):
        engine.process(event)
    assert asked(to_round(engine, 2)) == [Proposal(1, 2, B).payload(CHAIN)]


def test_a_block_that_comes_too_late_is_not_proposed_in_that_round() -> None:
    engine = core(1)
    engine.start()
    nil = Vote(PREVOTE, 1, 0, NIL)
    run(
        engine,
        ("no block yet", elapsed("propose"), (persist(PREVOTED, nil, index=1),), PREVOTED),
        ("now", BlockProposed(1, A), (), PREVOTED),
    )


def test_an_unknown_block_is_fetched_once_and_waited_for() -> None:
    engine = core(0)
    engine.start()
    run(
        engine,
        ("its proposal", received(proposal(1, A)), (FetchBlock(1, A),), FRESH),
        ("a prevote for it", received(prevote(1, A)), (), FRESH),
        ("a polka", received(prevote(2, A)), (), FRESH),
        ("it is valid", BlockProposed(1, A), (persist(PREVOTED, VOTE_A),), PREVOTED),
    )


def test_an_invalid_block_gets_nil() -> None:
    engine = core(0)
    engine.start()
    nil = Vote(PREVOTE, 1, 0, NIL)
    run(
        engine,
        ("a proposal", received(proposal(1, A)), (FetchBlock(1, A),), FRESH),
        ("its block is invalid", BlockRefused(1, A), (persist(PREVOTED, nil),), PREVOTED),
    )


def test_no_block_in_time_gets_nil() -> None:
    engine = core(0)
    engine.start()
    nil, nil_commit = Vote(PREVOTE, 1, 0, NIL), Vote(PRECOMMIT, 1, 0, NIL)
    waited = replace(PREVOTED, polka_waited=True)
    committed = replace(waited, step=Step.PRECOMMIT)
    over = replace(committed, precommit_waited=True)
    run(
        engine,
        ("a proposal whose block nobody has", received(proposal(1, A)), (FetchBlock(1, A),), FRESH),
        ("a stale wait", elapsed("propose", 1), (), FRESH),
        ("of another height", elapsed("propose", height=2), (), FRESH),
        ("of no kind", elapsed("lunch"), (), FRESH),
        ("the wait is over", elapsed("propose"), (persist(PREVOTED, nil),), PREVOTED),
        ("a prevote", received(prevote(1, A)), (), PREVOTED),
        ("nil", received(prevote(2, NIL)), (), PREVOTED),
        ("2/3", received(prevote(3, NIL)), (wait("prevote"),), waited),
        ("the wait is over", elapsed("prevote"), (persist(committed, nil, nil_commit),), committed),
        ("a precommit", received(precommit(1, NIL)), (), committed),
        ("another", received(precommit(2, NIL)), (), committed),
        ("2/3", received(precommit(3, A)), (wait("precommit"),), over),
        (
            "the wait is over: the next round",
            elapsed("precommit"),
            (wait("propose", 1),),
            RoundState(1, 1),
        ),
    )


def test_a_polka_for_nil_needs_no_wait() -> None:
    engine = core(0)
    engine.start()
    nil, nil_commit = Vote(PREVOTE, 1, 0, NIL), Vote(PRECOMMIT, 1, 0, NIL)
    engine.process(elapsed("propose"))
    feed(engine, prevote(1, NIL), prevote(2, NIL))
    state = replace(PREVOTED, step=Step.PRECOMMIT)
    expected = (said(prevote(0, NIL)), persist(state, nil, nil_commit))
    run(engine, ("the own is the third", signed(nil), expected, state))


def test_a_quorum_that_came_early_is_not_lost() -> None:
    """All votes of the round are there before the proposal is."""
    engine = core(0)
    engine.start()
    feed(engine, *(make(index, A) for make in (prevote, precommit) for index in (1, 2, 3)))
    engine.process(BlockProposed(1, A))
    assert feed(engine, proposal(1, A)) == [Decide(1, A, seal(A, 0, 1, 2, 3))]


def test_a_decision_waits_for_the_block() -> None:
    engine = core(0)
    engine.start()
    feed(engine, proposal(1, A), *(precommit(index, A) for index in (1, 2)))
    waiting = replace(FRESH, precommit_waited=True)
    decided = replace(waiting, step=Step.COMMITTED)
    run(
        engine,
        ("2/3 precommitted", received(precommit(3, A)), (wait("precommit"),), waiting),
        ("the block", BlockProposed(1, A), (Decide(1, A, seal(A, 0, 1, 2, 3)),), decided),
        ("again", BlockProposed(1, A), (), decided),
    )


def test_precommits_of_an_earlier_round_decide() -> None:
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(1, A), precommit(1, A), precommit(2, A), prevote(1, B, 2), prevote(2, B, 2))
    assert engine.round == 2
    assert feed(engine, precommit(3, A)) == [Decide(1, A, seal(A, 0, 1, 2, 3))]
    assert engine.step is Step.COMMITTED


def test_a_block_without_a_proposal_is_fetched_when_many_want_it() -> None:
    engine = core(0)
    engine.start()
    assert feed(engine, prevote(1, A), prevote(2, A)) == []
    assert feed(engine, prevote(3, A)) == [FetchBlock(1, A)]
    assert feed(engine, precommit(1, B), precommit(2, B), precommit(3, B)) == [
        wait("precommit"),
        FetchBlock(1, B),
    ]


def test_one_third_ahead_takes_everyone_along() -> None:
    engine = core(0)
    engine.start()
    later = RoundState(1, 5)
    run(
        engine,
        ("one ahead", received(prevote(1, A, 5)), (), FRESH),
        ("two ahead", received(precommit(2, NIL, 5)), (wait("propose", 5),), later),
        ("an old wait", elapsed("propose"), (), later),
    )


def test_early_messages_of_a_later_round_count_there() -> None:
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(2, A, 5))  # validator 2 proposes round 5
    state = RoundState(1, 5, Step.PREVOTE)
    assert feed(engine, prevote(1, A, 5)) == [
        wait("propose", 5),
        persist(state, Vote(PREVOTE, 1, 5, A)),
    ]


def locked() -> BftCore:
    """Return validator 0's engine, locked on A in round 0, with all its messages signed."""
    engine = core(0)
    sign_all(engine, 0, engine.start())
    engine.process(BlockProposed(1, A))
    for message in (proposal(1, A), prevote(1, A), prevote(2, A)):
        sign_all(engine, 0, engine.process(received(message)))
    assert engine.state == LOCKED
    return engine


def to_round(engine: BftCore, round_: int) -> tuple[EngineOutput, ...]:
    feed(engine, prevote(1, NIL, round_))
    return engine.process(received(prevote(2, NIL, round_)))


def test_a_lock_holds_against_other_proposals() -> None:
    engine = locked()
    engine.process(BlockProposed(1, B))
    to_round(engine, 1)
    assert asked(feed(engine, proposal(2, B, 1))) == [Vote(PREVOTE, 1, 1, NIL).payload(CHAIN)]
    assert engine.state == RoundState(1, 1, Step.PREVOTE, A, 0, A, 0)


def test_a_proposal_waits_for_its_polka() -> None:
    engine = locked()
    engine.process(BlockProposed(1, B))
    to_round(engine, 2)
    assert feed(engine, proposal(3, B, 2, 1), prevote(3, B, 1), prevote(2, B, 1)) == []
    assert engine.step is Step.PROPOSE


def test_a_later_polka_releases_the_lock() -> None:
    engine = locked()
    engine.process(BlockProposed(1, B))
    to_round(engine, 2)
    feed(engine, proposal(3, B, 2, 1))
    outputs = feed(engine, *(prevote(index, B, 1) for index in (1, 2, 3)))
    assert asked(outputs) == [Vote(PREVOTE, 1, 2, B).payload(CHAIN)]


def test_a_locked_proposer_proposes_its_lock_and_proves_it() -> None:
    engine = locked()
    engine.process(BlockProposed(1, B))
    made = Proposal(1, 3, A, 0)
    state = RoundState(1, 3, Step.PROPOSE, A, 0, A, 0)
    assert to_round(engine, 3) == (wait("propose", 3), persist(state, made, votes=POLKA_A))
    outputs = engine.process(signed(made))
    polka = tuple(said(vote) for vote in POLKA_A)
    assert outputs[:4] == (said(proposal(0, A, 3, 0)), *polka)
    assert asked(outputs) == [Vote(PREVOTE, 1, 3, A).payload(CHAIN)]


def test_only_what_was_asked_for_and_rightly_signed_is_said() -> None:
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(1, A))
    before = snapshot(engine)
    for answer in (
        Signed(Vote(PREVOTE, 1, 0, B).payload(CHAIN), signature_of(0)),
        Signed(VOTE_A.payload(CHAIN), signature_of(1)),
        Signed(b"", signature_of(0)),
    ):
        assert engine.process(answer) == ()
    assert snapshot(engine) == before
    assert engine.refused == 3
    assert engine.process(signed(VOTE_A)) == (said(prevote(0, A)),)
    assert engine.process(signed(VOTE_A)) == ()
    assert engine.refused == 4


GOOD = prevote(1, A)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", b""),
        ("bytes", b"\1" * 130),
        ("a cut vote", GOOD.encode()[:-1]),
        ("another's signature", replace(GOOD, signature=signature_of(2)).encode()),
        ("of nobody", prevote(9, A).encode()),
        ("of a height gone by", prevote(1, A, height=3).encode()),
        ("of a height too far", prevote(1, A, height=7).encode()),
        ("of the next height, forged", replace(prevote(1, A, height=6), signature=bytes(65)).encode()),
        ("of the next height, of nobody", prevote(9, A, height=6).encode()),
        ("a proposal out of turn", proposal(0, A, height=5).encode()),
        ("a forged proposal", replace(proposal(1, A, height=5), signature=bytes(65)).encode()),
    ],
)
def test_what_is_wrong_changes_nothing(name: str, message: bytes) -> None:
    engine = core(0, height=5)
    engine.start()
    feed(engine, prevote(3, B, height=5))
    before = snapshot(engine)
    assert engine.process(MessageReceived(message)) == ()
    assert snapshot(engine) == before
    assert engine.refused == 1


def test_a_message_heard_twice_is_not_checked_twice() -> None:
    class Counting(TrustingScheme):
        checks = 0

        def signer(self, digest: bytes, signature: bytes) -> bytes | None:
            self.checks += 1
            return super().signer(digest, signature)

    scheme = Counting()
    engine = core(0, scheme=scheme)
    engine.start()
    for _ in range(3):
        feed(engine, prevote(1, A), proposal(1, A), prevote(1, A, height=2))
    assert (scheme.checks, engine.refused) == (3, 0)


def test_double_votes_are_told_once() -> None:
    engine = core(0)
    engine.start()
    pairs = [
        (prevote(1, A), prevote(1, B)),
        (precommit(1, A), precommit(1, NIL)),
        (proposal(1, A), proposal(1, B)),
    ]
    for one, other in pairs:
        feed(engine, one)
        outputs = [output for output in feed(engine, other, other) if isinstance(output, Accuse)]
        assert outputs == [Accuse(Evidence.of(one, other).encode())]
    assert engine.refused == 0


def test_a_double_vote_that_waited_for_its_round() -> None:
    engine = core(0)
    engine.start()
    one, other = prevote(3, A, 6), prevote(3, B, 6)
    assert feed(engine, one, other) == []
    outputs = feed(engine, prevote(1, NIL, 6))
    assert outputs == [Accuse(Evidence.of(one, other).encode()), wait("propose", 6)]


def test_messages_of_the_next_height_wait_for_it() -> None:
    engine = core(0)
    engine.start()
    early = [proposal(2, A, height=2), *(prevote(index, A, height=2) for index in (1, 2, 3))]
    assert feed(engine, *early) == []
    assert engine.process(BlockCommitted(1, B)) == (wait("propose", height=2), FetchBlock(2, A))
    state = RoundState(2, 0, Step.PRECOMMIT, A, 0, A, 0, polka_taken=True)
    outputs = engine.process(BlockProposed(2, A))
    votes = Vote(PREVOTE, 2, 0, A), Vote(PRECOMMIT, 2, 0, A)
    polka = tuple(prevote(index, A, height=2) for index in (2, 1, 3))  # by sender, as first heard
    assert outputs == (persist(state, *votes, new=2, votes=polka),)


def test_of_the_next_height_few_messages_are_kept() -> None:
    engine = core(0)
    engine.start()
    many = [
        prevote(1, bytes([number]) * 32, round_, height=2) for number in range(1, 5) for round_ in range(4)
    ]
    feed(engine, *many)
    assert engine.refused == 0
    assert sum(len(kept) for kept in engine._early._kept.values()) == 8
    feed(engine, *(prevote(index, A, height=2) for index in (2, 3)))  # others have their own room
    assert sum(len(kept) for kept in engine._early._kept.values()) == 10


class Growing(FixedMembership):
    """Validator 4 joins at height 2, which is known when height 2 begins."""

    def __init__(self, known: int = 1) -> None:
        super().__init__(FOUR)
        self.known = known

    def validators(self, height: int) -> ValidatorSet:
        if height > self.known:
            raise UsageError("not known yet", height=height)
        return FOUR if height < 2 else committee(1, 1, 1, 1, 1)


def test_validators_of_the_next_height_that_are_not_known_yet() -> None:
    membership = Growing()
    engine = core(0, membership=membership)
    engine.start()
    feed(engine, prevote(1, A, height=2), prevote(4, A, height=2))
    assert engine.refused == 1  # 4 is nobody yet
    before = snapshot(engine)
    with pytest.raises(UsageError):
        engine.process(BlockCommitted(1, A))
    assert snapshot(engine) == before
    membership.known = 2
    engine.process(BlockCommitted(1, A))
    assert len(engine.validators) == 5
    feed(engine, prevote(4, A, height=2))
    assert set(engine._current.keeper.votes_for(PREVOTE, 0, A)) == {who(1), who(4)}


def test_early_messages_of_who_leaves_are_dropped() -> None:
    class Shrinking(Growing):
        def validators(self, height: int) -> ValidatorSet:
            return FOUR if super().validators(height) is FOUR else committee(1, 1, 1)

    membership = Shrinking()
    engine = core(0, membership=membership)
    engine.start()
    feed(engine, prevote(2, A, height=2), prevote(3, A, height=2))
    assert engine.refused == 0
    membership.known = 2
    engine.process(BlockCommitted(1, A))
    assert set(engine._current.keeper.votes_for(PREVOTE, 0, A)) == {who(2)}


def test_an_observer_follows_without_a_word() -> None:
    for engine in (core(None), core(8)):
        assert engine.start() == (wait("propose"),)
        engine.process(BlockProposed(1, A))
        outputs = feed(engine, proposal(1, A), *(prevote(index, A) for index in range(3)))
        outputs += feed(engine, *(precommit(index, A) for index in range(3)))
        assert outputs == [Decide(1, A, seal(A, 0, 0, 1, 2))]


def test_one_validator_decides_alone() -> None:
    engine = core(0, validators=committee(1))
    outputs = sign_all(engine, 0, engine.start())
    assert outputs == [wait("propose"), RequestBlock(1)]
    outputs = sign_all(engine, 0, engine.process(BlockProposed(1, A)))
    assert outputs[-1] == Decide(1, A, seal(A, 0, 0))


def test_the_chain_leads() -> None:
    engine = core(0)
    engine.start()
    run(
        engine,
        ("the head again", BlockCommitted(0, B), (), FRESH),
        ("a leap", BlockCommitted(8, A), (wait("propose", height=9),), RoundState(9)),
        ("the head again", BlockCommitted(8, A), (), RoundState(9)),
        (
            "back",
            BlockCommitted(3, A),
            (wait("propose", height=4), RequestBlock(4)),
            RoundState(4, awaits_value=True),
        ),
        ("a verdict for another height", BlockProposed(9, A), (), RoundState(4, awaits_value=True)),
    )
    assert engine.last_seal == b""


def decided(*extra_votes: SignedMessage) -> BftCore:
    """Return an engine that has decided height 1 on A by the votes of 1, 2 and 3, and moved on."""
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(1, A, extra=b"proof"), *(precommit(index, A) for index in (1, 2, 3)), *extra_votes)
    assert engine.proposal_extra(1) == b"proof"
    engine.process(BlockCommitted(1, A))
    return engine


def test_late_precommits_extend_the_seal() -> None:
    engine = decided()
    assert engine.last_seal == seal(A, 0, 1, 2, 3)
    assert feed(engine, precommit(0, A)) == []
    assert engine.last_seal == seal(A, 0, 0, 1, 2, 3)
    assert engine.refused == 0
    feed(engine, precommit(9, A), replace(precommit(1, B), signature=bytes(65)))
    assert engine.refused == 2


def test_the_seal_of_a_height_that_is_decided_and_not_appended_yet() -> None:
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(1, A), *(precommit(index, A) for index in (1, 2)))
    assert engine.last_seal == b""
    feed(engine, precommit(3, A))
    assert engine.last_seal == seal(A, 0, 1, 2, 3)
    feed(engine, precommit(0, A))
    assert engine.last_seal == seal(A, 0, 0, 1, 2, 3)


def test_late_double_votes_are_told_too() -> None:
    engine = decided()
    evidence = Evidence.of(precommit(2, A), precommit(2, B))
    assert feed(engine, precommit(2, B)) == [Accuse(evidence.encode())]
    evidence = Evidence.of(proposal(1, A, extra=b"proof"), proposal(1, B))
    assert feed(engine, proposal(1, B)) == [Accuse(evidence.encode())]


def test_an_own_precommit_that_is_signed_late() -> None:
    engine = core(0)
    engine.start()
    engine.process(BlockProposed(1, A))
    feed(engine, proposal(1, A), *(prevote(index, A) for index in (1, 2, 3)))
    feed(engine, *(precommit(index, A) for index in (1, 2, 3)))
    engine.process(BlockCommitted(1, A))
    assert engine.process(signed(COMMIT_A)) == (said(precommit(0, A)),)
    assert engine.last_seal == seal(A, 0, 0, 1, 2, 3)
    engine.process(BlockCommitted(2, A))
    assert engine.process(signed(VOTE_A)) == ()
    assert engine.refused == 1


def test_what_was_to_be_signed_is_forgotten_when_the_chain_goes_back() -> None:
    engine = core(0, height=5)
    engine.start()
    engine.process(elapsed("propose", height=5))
    engine.process(BlockCommitted(3, A))
    assert engine.process(signed(Vote(PREVOTE, 5, 0, NIL))) == ()
    assert engine.refused == 1


def test_the_chain_may_append_what_this_engine_had_not_decided() -> None:
    engine = core(0)
    engine.start()
    feed(engine, *(precommit(index, A) for index in (1, 2, 3)))  # without the proposal
    engine.process(BlockCommitted(1, A))
    assert engine.last_seal == seal(A, 0, 1, 2, 3)
    assert engine.proposal_extra(1) is None
    engine.process(BlockCommitted(2, A))
    assert engine.last_seal == b""


def test_the_extra_bytes_of_the_decision() -> None:
    engine = decided()
    assert [engine.proposal_extra(height) for height in (0, 1, 2)] == [None, b"proof", None]
    engine.process(BlockCommitted(2, A))
    assert engine.proposal_extra(1) is None


def test_proposals_may_be_checked_further() -> None:
    def check(message: SignedProposal) -> bool:
        return message.proposal.extra == b"right"

    engine = core(0, check_proposal=check)
    engine.start()
    feed(engine, proposal(1, A, extra=b"wrong"), proposal(2, A, height=2, extra=b"wrong"))
    assert engine.refused == 1
    assert feed(engine, proposal(1, A, extra=b"right")) == [FetchBlock(1, A)]
    assert engine.process(BlockCommitted(1, A)) == (wait("propose", height=2),)  # its proposal is not taken


def test_authentic_messages() -> None:
    engine = core(0, membership=Growing())
    for message in (prevote(1, A), proposal(1, A), prevote(1, A, height=0)):
        assert engine.is_authentic(message)
    for message in (
        prevote(9, A),
        proposal(2, A),
        replace(prevote(1, A), signature=bytes(65)),
        prevote(1, A, height=2),  # not known yet
    ):
        assert not engine.is_authentic(message)


@pytest.mark.parametrize(
    "event",
    [BlockProposed(1, A[1:]), BlockProposed(1, NIL), BlockRefused(1, b""), BlockProposed(1, A, bytes(257))],
)
def test_candidates_that_cannot_be(event: EngineInput) -> None:
    engine = core(0)
    engine.start()
    before = snapshot(engine)
    with pytest.raises(UsageError):
        engine.process(event)
    assert snapshot(engine) == before


def test_a_broken_record_stops_the_engine() -> None:
    record = Record(CHAIN, who(0), FRESH).encode()
    for bad in (
        b"",
        record[:-1],
        Record(CHAIN + 1, who(0), FRESH).encode(),
        Record(CHAIN, who(1), FRESH).encode(),
    ):
        engine = core(0)
        with pytest.raises(InvalidInput):
            engine.process(Restored(bad))
        assert engine.process(Restored(record)) == (wait("propose"),)
    with pytest.raises(UsageError, match="before anything else"):
        engine.process(Restored(record))
