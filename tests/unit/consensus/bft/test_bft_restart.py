"""A restarted engine: it goes on where its record ends, and never contradicts it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bft_kit import (
    CHAIN,
    PREVOTE,
    A,
    B,
    asked,
    core,
    flat,
    precommit,
    prevote,
    proposal,
    received,
    sign_all,
    signature_of,
    who,
)

from chainstack_sdk.consensus.bft import BftCore, Proposal, Record, Vote, decode_message
from chainstack_sdk.consensus.bft.messages import NIL, SignedMessage, VoteKind, content
from chainstack_sdk.consensus.bft.round import RoundState, Step
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    Broadcast,
    Decide,
    EngineInput,
    EngineOutput,
    FetchBlock,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
)

PRECOMMIT = VoteKind.PRECOMMIT
VOTE_A, COMMIT_A = Vote(PREVOTE, 1, 0, A), Vote(PRECOMMIT, 1, 0, A)
LOCKED = RoundState(1, 0, Step.PRECOMMIT, A, 0, A, 0)
POLKA_A = tuple(prevote(index, A) for index in (0, 1, 2))


def wait(kind: str, round_: int = 0, height: int = 1) -> ScheduleTimeout:
    return ScheduleTimeout(Timeout(kind, height, round_))


def restored(record: Record, index: int = 0, height: int = 1) -> tuple[BftCore, tuple[EngineOutput, ...]]:
    engine = core(index, height=height)
    return engine, engine.process(Restored(record.encode()))


def votes_of(outputs: list[EngineOutput]) -> list[Vote | Proposal]:
    said = [decode_message(output.message) for output in flat(outputs) if isinstance(output, Broadcast)]
    return [content(message) for message in said if message.validator == who(0)]


def test_state_and_messages_come_back() -> None:
    engine, outputs = restored(Record(CHAIN, who(0), LOCKED, (VOTE_A, COMMIT_A), POLKA_A))
    assert engine.state == replace(LOCKED)
    # the block of the polka is not known after the restart
    signs = (Sign(VOTE_A.payload(CHAIN)), Sign(COMMIT_A.payload(CHAIN)))
    assert outputs == (*signs, FetchBlock(1, A))
    assert engine.process(Signed(COMMIT_A.payload(CHAIN), signature_of(0))) == (
        Broadcast(precommit(0, A).encode()),
    )


def test_it_goes_on_to_decide() -> None:
    engine, _ = restored(Record(CHAIN, who(0), LOCKED, (VOTE_A, COMMIT_A), POLKA_A))
    engine.process(BlockProposed(1, A))
    messages = [proposal(1, A), *(precommit(index, A) for index in (1, 2, 3))]
    outputs = [output for message in messages for output in engine.process(received(message))]
    assert [output.block_hash for output in outputs if isinstance(output, Decide)] == [A]
    assert asked(outputs) == []


def test_its_lock_holds_and_it_can_prove_it() -> None:
    engine, _ = restored(Record(CHAIN, who(0), LOCKED, (VOTE_A, COMMIT_A), POLKA_A))
    engine.process(BlockProposed(1, B))
    for index in (1, 2):  # on to round 3, which is its turn
        engine.process(received(prevote(index, NIL, 3)))
    assert engine.state == RoundState(1, 3, Step.PROPOSE, A, 0, A, 0, awaits_value=True)
    outputs = engine.process(BlockProposed(1, A))
    made = Proposal(1, 3, A, 0)
    assert asked(outputs) == [made.payload(CHAIN)]
    said = engine.process(Signed(made.payload(CHAIN), signature_of(0)))
    assert [output for output in said if isinstance(output, Broadcast)][1:] == [
        Broadcast(vote.encode()) for vote in POLKA_A
    ]


def test_votes_of_a_polka_that_are_nobodys_do_not_count() -> None:
    foreign = (*POLKA_A[:2], prevote(9, A))
    engine, _ = restored(Record(CHAIN, who(0), LOCKED, (), foreign))
    assert set(engine._current.keeper.votes_for(PREVOTE, 0, A)) == {who(0), who(1)}


def test_a_proposer_that_had_proposed_says_the_same_again() -> None:
    state, made = RoundState(1), Proposal(1, 0, A, extra=b"proof")
    engine, outputs = restored(Record(CHAIN, who(1), state, (made,)), index=1)
    assert outputs == (Sign(made.payload(CHAIN)), wait("propose"))
    assert engine.state == state
    assert engine.process(BlockProposed(1, B)) == ()  # it has proposed
    signed = engine.process(Signed(made.payload(CHAIN), signature_of(1)))
    assert signed == (Broadcast(proposal(1, A, extra=b"proof").encode()), FetchBlock(1, A))


def test_a_proposer_that_had_not_proposed_does_so_now() -> None:
    engine, outputs = restored(Record(CHAIN, who(1), RoundState(1)), index=1)
    assert outputs == (wait("propose"), RequestBlock(1))
    assert asked(engine.process(BlockProposed(1, A))) == [Proposal(1, 0, A).payload(CHAIN)]


def test_a_record_of_a_height_that_is_over_is_ignored() -> None:
    for height in (2, 9):
        engine, outputs = restored(Record(CHAIN, who(0), LOCKED, (VOTE_A, COMMIT_A)), height=height)
        assert engine.state.height == height
        assert engine.state.locked_value is None
        assert asked(list(outputs)) == []


def test_a_record_ahead_of_the_chain_silences_until_the_chain_is_there() -> None:
    """The chain has lost blocks that it had: what was voted on them is not known any more."""
    state, vote = RoundState(5, 2, Step.PREVOTE), Vote(PREVOTE, 5, 2, A)
    engine, outputs = restored(Record(CHAIN, who(0), state, (vote,)), height=4)
    assert outputs == (wait("propose", height=4),)  # although it is its turn
    engine.process(BlockCommitted(3, B))
    engine.process(BlockProposed(4, A))
    messages: list[SignedMessage] = [prevote(index, A, height=4) for index in (1, 2, 3)]
    for message in [*messages, *(precommit(index, NIL, height=4) for index in (1, 2, 3))]:
        assert asked(engine.process(received(message))) == []
    assert asked(engine.process(TimeoutElapsed(Timeout("propose", 4, 0)))) == []
    outputs = engine.process(BlockCommitted(4, A))
    assert engine.state == state
    assert outputs == (Sign(vote.payload(CHAIN)),)


def test_a_record_ahead_is_forgotten_when_the_chain_leaps_over_it() -> None:
    engine, _ = restored(Record(CHAIN, who(0), RoundState(5, 2, Step.PREVOTE)), height=4)
    engine.process(BlockCommitted(6, A))
    assert engine.state == RoundState(7)
    assert asked(engine.process(TimeoutElapsed(Timeout("propose", 7, 0)))) != []


def test_what_took_it_to_its_round_is_remembered() -> None:
    """Those who are in the round before may have missed a precommit that only this validator has seen."""
    engine = core(0)
    engine.start()
    before = [precommit(1, NIL), precommit(2, A), precommit(3, NIL)]
    for message in before:
        engine.process(received(message))
    engine.process(TimeoutElapsed(Timeout("precommit", 1, 0)))
    (kept,) = engine.process(TimeoutElapsed(Timeout("propose", 1, 1)))
    assert isinstance(kept, Persist)
    again = core(0)
    again.process(Restored(kept.record))
    assert again.state == RoundState(1, 1, Step.PREVOTE)
    assert set(again.resend()) == {message.encode() for message in before}


STORY: list[EngineInput] = [
    BlockProposed(1, A),
    BlockProposed(1, B),
    received(proposal(1, A)),
    received(prevote(1, A)),
    received(prevote(2, A)),
    received(precommit(1, NIL)),
    received(precommit(2, NIL)),
    TimeoutElapsed(Timeout("precommit", 1, 0)),
    received(proposal(2, B, 1)),
    received(prevote(2, B, 1)),
    received(prevote(3, B, 1)),
    received(prevote(1, B, 1)),
    received(prevote(1, NIL, 3)),
    received(prevote(2, NIL, 3)),
]
"""Locks A in round 0, is moved to B in round 1, proposes B in round 3."""


def heard(story: list[EngineInput]) -> tuple[list[EngineOutput], bytes]:
    """Return all outputs of an engine through a story, and its last record."""
    engine = core(0)
    outputs = sign_all(engine, 0, engine.start())
    for event in story:
        outputs += sign_all(engine, 0, engine.process(event))
    records = [output.record for output in outputs if isinstance(output, Persist)]
    return outputs, records[-1] if records else b""


def test_the_story_has_a_vote_in_every_chapter() -> None:
    outputs, _ = heard(STORY)
    assert votes_of(outputs) == [
        VOTE_A,
        COMMIT_A,
        Vote(PREVOTE, 1, 1, NIL),
        Vote(PRECOMMIT, 1, 1, B),
        Proposal(1, 3, B, 1),
        Vote(PREVOTE, 1, 3, B),
    ]


@pytest.mark.parametrize("end", range(len(STORY) + 1))
def test_no_crash_makes_it_contradict_itself(end: int) -> None:
    """Killed after each input, and then told another story: it stands by what it said."""
    before, record = heard(STORY[:end])
    engine = core(0)
    after = sign_all(engine, 0, engine.process(Restored(record)) if record else engine.start())
    # everyone else says other things now
    for block in (B, A):
        after += sign_all(engine, 0, engine.process(BlockProposed(1, block)))
    for round_ in range(5):
        other = A if round_ % 2 else B
        for message in [
            proposal((round_ + 1) % 4, other, round_),
            *(prevote(index, other, round_) for index in (1, 2, 3)),
            *(precommit(index, NIL, round_) for index in (1, 2, 3)),
        ]:
            after += sign_all(engine, 0, engine.process(received(message)))
        for kind in ("propose", "prevote", "precommit"):
            after += sign_all(engine, 0, engine.process(TimeoutElapsed(Timeout(kind, 1, round_))))
    said: dict[tuple[str, int], Vote | Proposal] = {}
    for vote in votes_of(before + after):
        kind = vote.kind.name if isinstance(vote, Vote) else "PROPOSAL"
        assert said.setdefault((kind, vote.round), vote) == vote
    assert any(vote.round == 4 for vote in votes_of(after))
