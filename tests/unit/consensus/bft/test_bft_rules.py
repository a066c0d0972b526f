"""Which rule applies next: messages and verdicts in, one event out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from bft_kit import FOUR, A, B, precommit, prevote, proposal

from chainstack_sdk.consensus.bft.messages import NIL, SignedMessage
from chainstack_sdk.consensus.bft.round import (
    AnyPolka,
    AnyPrecommit,
    NilPolka,
    OthersAhead,
    Proposed,
    ProposedWithPolka,
    RoundEvent,
    RoundState,
    Step,
    ValuePolka,
    ValuePrecommit,
)
from chainstack_sdk.consensus.bft.rules import blocks_in_question, next_event
from chainstack_sdk.consensus.bft.votes import VoteKeeper

PROPOSE, PREVOTE, PRECOMMIT = (
    RoundState(1),
    RoundState(1, step=Step.PREVOTE),
    RoundState(1, step=Step.PRECOMMIT),
)
SECOND = RoundState(1, 1)
VALID, INVALID, UNKNOWN = {A: True}, {A: False}, dict[bytes, bool]()


def prevotes(block: bytes, *indices: int, round_: int = 0) -> list[SignedMessage]:
    return [prevote(index, block, round_) for index in indices]


def precommits(block: bytes, *indices: int, round_: int = 0) -> list[SignedMessage]:
    return [precommit(index, block, round_) for index in indices]


def keeper(messages: Iterable[SignedMessage], round_: int) -> VoteKeeper:
    made = VoteKeeper(FOUR)
    made.enter(round_)
    for message in messages:
        made.add(message)
    return made


@pytest.mark.parametrize(
    ("desc", "state", "messages", "verdicts", "expected"),
    [
        ("nothing yet", PROPOSE, [], VALID, None),
        ("L22 with a valid block", PROPOSE, [proposal(1, A)], VALID, Proposed(A, True)),
        ("L22 with an invalid block", PROPOSE, [proposal(1, A)], INVALID, Proposed(A, False)),
        ("L22 without a verdict", PROPOSE, [proposal(1, A)], UNKNOWN, None),
        ("L22 of another round", SECOND, [proposal(1, A)], VALID, None),
        (
            "L22 with the second of two proposals",
            PROPOSE,
            [proposal(1, B), proposal(1, A)],
            VALID,
            Proposed(A, True),
        ),
        (
            "L28 with its polka",
            SECOND,
            [proposal(2, A, 1, 0), *prevotes(A, 0, 1, 2)],
            VALID,
            ProposedWithPolka(A, 0, True),
        ),
        ("L28 without its polka", SECOND, [proposal(2, A, 1, 0), *prevotes(A, 0, 1)], VALID, None),
        ("L28 with another's", SECOND, [proposal(2, A, 1, 0), *prevotes(B, 0, 1, 2)], VALID, None),
        ("L34", PREVOTE, [*prevotes(A, 0, 1), *prevotes(NIL, 2)], VALID, AnyPolka()),
        ("L34 before the step", PROPOSE, prevotes(A, 0, 1, 2), VALID, None),
        ("L34 a second time", replace(PREVOTE, polka_waited=True), prevotes(A, 0, 1, 2), VALID, None),
        ("L36", PREVOTE, [proposal(1, A), *prevotes(A, 0, 1, 2)], VALID, ValuePolka(A)),
        ("L36 in the last step", PRECOMMIT, [proposal(1, A), *prevotes(A, 0, 1, 2)], VALID, ValuePolka(A)),
        ("L36 before the prevote", PROPOSE, [proposal(1, A), *prevotes(A, 0, 1, 2)], UNKNOWN, None),
        ("L36 without a verdict", PREVOTE, [proposal(1, A), *prevotes(A, 0, 1, 2)], UNKNOWN, AnyPolka()),
        ("L36 with an invalid block", PREVOTE, [proposal(1, A), *prevotes(A, 0, 1, 2)], INVALID, AnyPolka()),
        ("L36 without a proposal", PREVOTE, prevotes(A, 0, 1, 2), VALID, AnyPolka()),
        ("L36 with another's polka", PREVOTE, [proposal(1, A), *prevotes(B, 0, 1, 2)], VALID, AnyPolka()),
        (
            "L36 a second time",
            replace(PRECOMMIT, polka_taken=True),
            [proposal(1, A), *prevotes(A, 0, 1, 2)],
            VALID,
            None,
        ),
        ("L44", PREVOTE, prevotes(NIL, 0, 1, 2), VALID, NilPolka()),
        ("L44 after the step", PRECOMMIT, prevotes(NIL, 0, 1, 2), VALID, None),
        ("L47", PROPOSE, [*precommits(A, 0, 1), *precommits(NIL, 2)], VALID, AnyPrecommit()),
        ("L47 a second time", replace(PROPOSE, precommit_waited=True), precommits(A, 0, 1, 2), VALID, None),
        ("L49", PROPOSE, [proposal(1, A), *precommits(A, 0, 1, 2)], VALID, ValuePrecommit(0, A)),
        (
            "L49 of an earlier round",
            SECOND,
            [proposal(1, A), *precommits(A, 0, 1, 2)],
            VALID,
            ValuePrecommit(0, A),
        ),
        (
            "L49 without a verdict",
            PRECOMMIT,
            [proposal(1, A), *precommits(A, 0, 1, 2)],
            UNKNOWN,
            AnyPrecommit(),
        ),
        ("L49 without a proposal", PRECOMMIT, precommits(A, 0, 1, 2), VALID, AnyPrecommit()),
        (
            "L49 with another's proposal",
            PRECOMMIT,
            [proposal(1, B), *precommits(A, 0, 1, 2)],
            VALID,
            AnyPrecommit(),
        ),
        ("L55", PROPOSE, prevotes(A, 0, 1, round_=4), VALID, OthersAhead(4)),
        ("L55 with 1/3 only", PROPOSE, prevotes(A, 0, round_=4), VALID, None),
        (
            "nothing in a decided height",
            RoundState(1, step=Step.COMMITTED),
            [proposal(1, A), *precommits(A, 0, 1, 2)],
            VALID,
            None,
        ),
    ],
)
def test_the_next_event(
    desc: str,
    state: RoundState,
    messages: list[SignedMessage],
    verdicts: dict[bytes, bool],
    expected: RoundEvent | None,
) -> None:
    assert next_event(state, keeper(messages, state.round), verdicts) == expected


def test_a_decision_comes_before_all_else() -> None:
    messages = [proposal(1, A), *precommits(A, 0, 1, 2), *prevotes(A, 0, 1, 2), *prevotes(B, 0, 1, round_=6)]
    assert next_event(PREVOTE, keeper(messages, 0), VALID) == ValuePrecommit(0, A)
    assert next_event(PREVOTE, keeper(messages, 0), UNKNOWN) == OthersAhead(6)


def test_blocks_on_which_a_verdict_is_wanted() -> None:
    polkas = [
        proposal(2, A, 1),
        *prevotes(B, 0, 1, 2),
        *precommits(b"\xcc" * 32, 0, 1, 2),
        prevote(3, b"\xdd" * 32),
    ]
    assert list(blocks_in_question(SECOND, keeper(polkas, 1))) == [b"\xcc" * 32, B, A]
