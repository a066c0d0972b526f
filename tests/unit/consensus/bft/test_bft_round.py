"""One height as a pure function: tables of events, with the outputs and the whole state after each.

Every table is a story; docs/consensus-rules.md says which line of the algorithm it shows.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from bft_kit import PRECOMMIT, PREVOTE, A, B

from chainstack_sdk.consensus.bft.messages import NIL, Proposal, Vote
from chainstack_sdk.consensus.bft.round import (
    LAST_ROUND,
    AnyPolka,
    AnyPrecommit,
    Decision,
    NilPolka,
    OthersAhead,
    PrecommitTimedOut,
    PrevoteTimedOut,
    Proposed,
    ProposedWithPolka,
    ProposeTimedOut,
    RequestValue,
    RoundEvent,
    RoundOutput,
    RoundStarted,
    RoundState,
    StartRound,
    Step,
    ValueKnown,
    ValuePolka,
    ValuePrecommit,
    apply,
)
from chainstack_sdk.core.engine import ScheduleTimeout, Timeout

H = 5
FRESH = RoundState(H)
WAITS = RoundState(H, awaits_value=True)
PREVOTED = RoundState(H, step=Step.PREVOTE)
LOCKED = RoundState(H, 0, Step.PRECOMMIT, A, 0, A, 0, polka_taken=True)
"""Precommitted to A in round 0."""
NEXT = RoundState(H, 1, Step.PROPOSE, A, 0, A, 0)
"""The same validator in round 1."""

StepRow = tuple[str, RoundEvent, tuple[RoundOutput, ...], RoundState]


def wait(kind: str, round_: int = 0) -> ScheduleTimeout:
    return ScheduleTimeout(Timeout(kind, H, round_))


def prevote(block: bytes, round_: int = 0) -> Vote:
    return Vote(PREVOTE, H, round_, block)


def precommit(block: bytes, round_: int = 0) -> Vote:
    return Vote(PRECOMMIT, H, round_, block)


def run(state: RoundState, *steps: StepRow) -> None:
    for desc, event, outputs, after in steps:
        transition = apply(state, event)
        assert transition.outputs == outputs, desc
        assert transition.state == after, desc
        assert transition.accepted is ((outputs, after) != ((), state)), desc
        state = transition.state


def refuses(state: RoundState, *events: RoundEvent) -> None:
    for event in events:
        transition = apply(state, event)
        assert (transition.state, transition.outputs, transition.accepted) == (state, (), False), event


def test_a_decision_in_the_first_round() -> None:
    run(
        FRESH,
        ("others propose: wait", RoundStarted(0, False), (wait("propose"),), FRESH),
        ("a valid proposal: prevote for it", Proposed(A, True), (prevote(A),), PREVOTED),
        (
            "2/3 have prevoted: wait for the rest",
            AnyPolka(),
            (wait("prevote"),),
            replace(PREVOTED, polka_waited=True),
        ),
        (
            "all for the proposal: lock it, precommit",
            ValuePolka(A),
            (precommit(A),),
            replace(LOCKED, polka_waited=True),
        ),
        (
            "2/3 have precommitted: wait for the rest",
            AnyPrecommit(),
            (wait("precommit"),),
            replace(LOCKED, polka_waited=True, precommit_waited=True),
        ),
        (
            "all to the proposal: decide",
            ValuePrecommit(0, A),
            (Decision(0, A),),
            replace(LOCKED, step=Step.COMMITTED, polka_waited=True, precommit_waited=True),
        ),
    )


def test_a_proposer_asks_for_a_value_and_proposes_it() -> None:
    run(
        FRESH,
        ("its turn", RoundStarted(0, True), (wait("propose"), RequestValue()), WAITS),
        ("a block is there", ValueKnown(A), (Proposal(H, 0, A),), FRESH),
    )
    refuses(FRESH, ValueKnown(B))


def test_a_proposer_with_a_valid_value_proposes_that() -> None:
    asks = replace(NEXT, awaits_value=True)
    run(
        LOCKED,
        ("its turn", RoundStarted(1, True), (wait("propose", 1), RequestValue()), asks),
        ("another block will not do", ValueKnown(B), (), asks),
        ("the valid one", ValueKnown(A), (Proposal(H, 1, A, 0),), NEXT),
    )


def test_a_proposer_whose_time_is_up_proposes_no_more() -> None:
    run(WAITS, ("no value came", ProposeTimedOut(0), (prevote(NIL),), PREVOTED))
    refuses(PREVOTED, ValueKnown(A))


def test_a_round_begins_with_its_flags_cleared() -> None:
    busy = replace(LOCKED, polka_waited=True, precommit_waited=True)
    run(busy, ("the next round", RoundStarted(1, False), (wait("propose", 1),), NEXT))
    refuses(NEXT, RoundStarted(0, False), RoundStarted(0, True))


def test_an_invalid_proposal_gets_nil() -> None:
    run(FRESH, ("invalid", Proposed(A, False), (prevote(NIL),), PREVOTED))


def test_a_locked_validator_prevotes_for_its_lock_only() -> None:
    voted = replace(NEXT, step=Step.PREVOTE)
    run(NEXT, ("its own", Proposed(A, True), (prevote(A, 1),), voted))
    run(NEXT, ("another", Proposed(B, True), (prevote(NIL, 1),), voted))
    run(NEXT, ("its own, found invalid since", Proposed(A, False), (prevote(NIL, 1),), voted))


SECOND = RoundState(H, 3, Step.PROPOSE, A, 1, A, 1)
"""Locked on A since round 1, now in round 3."""


@pytest.mark.parametrize(
    ("desc", "event", "block"),
    [
        ("a later polka releases the lock", ProposedWithPolka(B, 2, True), B),
        ("one of the same round does", ProposedWithPolka(B, 1, True), B),
        ("an earlier one does not", ProposedWithPolka(B, 0, True), NIL),
        ("the locked value, whatever the polka", ProposedWithPolka(A, 0, True), A),
        ("an invalid block gets nothing", ProposedWithPolka(B, 2, False), NIL),
    ],
)
def test_a_polka_justifies_a_proposal(desc: str, event: RoundEvent, block: bytes) -> None:
    run(SECOND, (desc, event, (prevote(block, 3),), replace(SECOND, step=Step.PREVOTE)))


def test_a_polka_that_is_not_earlier_justifies_nothing() -> None:
    refuses(SECOND, ProposedWithPolka(B, 3, True), ProposedWithPolka(B, 4, True))
    refuses(SECOND, ProposedWithPolka(B, -1, True))


def test_prevotes_are_cast_once_in_a_round() -> None:
    for step in (Step.PREVOTE, Step.PRECOMMIT):
        state = replace(SECOND, step=step)
        refuses(state, Proposed(A, True), ProposedWithPolka(B, 2, True), ProposeTimedOut(3))


def test_the_prevote_wait_begins_once_and_only_in_that_step() -> None:
    waited = replace(PREVOTED, polka_waited=True)
    run(PREVOTED, ("any polka", AnyPolka(), (wait("prevote"),), waited))
    refuses(waited, AnyPolka())
    refuses(FRESH, AnyPolka())
    refuses(LOCKED, AnyPolka())


def test_a_late_polka_makes_a_value_valid_without_locking_it() -> None:
    late = RoundState(H, 0, Step.PRECOMMIT)
    valid = replace(late, valid_value=A, valid_round=0, polka_taken=True)
    run(late, ("precommitted nil already", ValuePolka(A), (), valid))
    refuses(valid, ValuePolka(A), ValuePolka(B))


def test_a_polka_moves_the_lock() -> None:
    prevoted = replace(SECOND, step=Step.PREVOTE)
    moved = RoundState(H, 3, Step.PRECOMMIT, B, 3, B, 3, polka_taken=True)
    run(prevoted, ("a polka for another", ValuePolka(B), (precommit(B, 3),), moved))


def test_no_polka_is_taken_before_the_prevote() -> None:
    refuses(FRESH, ValuePolka(A), NilPolka())


def test_a_polka_for_nil_gets_a_precommit_for_nil_and_keeps_the_lock() -> None:
    prevoted = replace(SECOND, step=Step.PREVOTE)
    run(prevoted, ("nil", NilPolka(), (precommit(NIL, 3),), replace(SECOND, step=Step.PRECOMMIT)))
    refuses(replace(SECOND, step=Step.PRECOMMIT), NilPolka())


def test_the_precommit_wait_begins_once_in_any_step() -> None:
    for step in (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT):
        state = RoundState(H, step=step)
        waited = replace(state, precommit_waited=True)
        run(state, ("any precommits", AnyPrecommit(), (wait("precommit"),), waited))
        refuses(waited, AnyPrecommit())


def test_precommits_of_any_round_decide() -> None:
    for round_ in (0, 3, 9):
        decided = replace(SECOND, step=Step.COMMITTED)
        run(SECOND, ("a quorum", ValuePrecommit(round_, B), (Decision(round_, B),), decided))


def test_a_later_round_is_entered_when_others_are_there() -> None:
    run(SECOND, ("ahead", OthersAhead(7), (StartRound(7),), SECOND))
    refuses(SECOND, OthersAhead(3), OthersAhead(2))


def test_the_propose_wait_ends_with_nil() -> None:
    run(NEXT, ("time is up", ProposeTimedOut(1), (prevote(NIL, 1),), replace(NEXT, step=Step.PREVOTE)))
    refuses(NEXT, ProposeTimedOut(0), ProposeTimedOut(2))


def test_the_prevote_wait_ends_with_nil() -> None:
    prevoted = replace(NEXT, step=Step.PREVOTE)
    run(prevoted, ("up", PrevoteTimedOut(1), (precommit(NIL, 1),), replace(NEXT, step=Step.PRECOMMIT)))
    refuses(prevoted, PrevoteTimedOut(0), PrevoteTimedOut(2))
    refuses(NEXT, PrevoteTimedOut(1))
    refuses(replace(NEXT, step=Step.PRECOMMIT), PrevoteTimedOut(1))


def test_the_precommit_wait_ends_with_the_next_round() -> None:
    for step in (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT):
        state = replace(NEXT, step=step)
        run(state, ("up", PrecommitTimedOut(1), (StartRound(2),), state))
        refuses(state, PrecommitTimedOut(0), PrecommitTimedOut(2))


def test_there_is_no_round_after_the_last() -> None:
    refuses(RoundState(H, LAST_ROUND), PrecommitTimedOut(LAST_ROUND))


EVENTS: list[RoundEvent] = [
    RoundStarted(9, True),
    ValueKnown(A),
    Proposed(A, True),
    Proposed(B, True),
    ProposedWithPolka(A, 0, True),
    AnyPolka(),
    ValuePolka(A),
    ValuePolka(B),
    NilPolka(),
    AnyPrecommit(),
    ValuePrecommit(0, B),
    OthersAhead(9),
    ProposeTimedOut(0),
    PrevoteTimedOut(0),
    PrecommitTimedOut(0),
    ProposeTimedOut(9),
    PrevoteTimedOut(9),
]


def test_nothing_happens_in_a_decided_height() -> None:
    refuses(replace(LOCKED, step=Step.COMMITTED), *EVENTS)


def test_no_order_of_events_makes_two_votes_of_a_kind_in_a_round() -> None:
    """Every state that can be reached by the events above, and every vote that can be cast in it."""
    start = apply(FRESH, RoundStarted(0, True)).state
    frontier: list[tuple[RoundState, frozenset[tuple[int, int]]]] = [(start, frozenset())]
    seen = set(frontier)
    while frontier:
        state, cast = frontier.pop()
        for event in EVENTS:
            transition = apply(state, event)
            votes = [(vote.round, vote.kind) for vote in transition.outputs if isinstance(vote, Vote)]
            if state.round > 0 and event == RoundStarted(9, True):
                continue  # a round is entered once
            assert not cast & set(votes), (state, event)
            reached = transition.state, cast | set(votes)
            if reached not in seen:
                seen.add(reached)
                frontier.append(reached)
    assert len(seen) > 100
