"""One height of Tendermint consensus as a pure function.

Source: Buchman, Kwon, Milosevic, *The latest gossip on BFT consensus*, arXiv:1807.04938, Algorithm 1.
``Lnn`` are its line numbers. The algorithm's conditions over received messages are events here, made by
:mod:`~chainstack_sdk.consensus.bft.rules`; what it broadcasts, schedules and decides are outputs.

=================  =====================================================  ===========================
event              condition of the paper                                 lines
=================  =====================================================  ===========================
RoundStarted       StartRound(round)                                      L11-L21
ValueKnown         getValue() has answered                                L18, L19
Proposed           ⟨PROPOSAL, h, round, v, -1⟩                            L22-L27
ProposedWithPolka  ⟨PROPOSAL, h, round, v, vr⟩ and 2f+1 prevotes in vr    L28-L33
AnyPolka           2f+1 prevotes in the round                             L34, L35
ValuePolka         ⟨PROPOSAL, h, round, v, any⟩ and 2f+1 prevotes for v   L36-L43
NilPolka           2f+1 prevotes for nil                                  L44-L46
AnyPrecommit       2f+1 precommits in the round                           L47, L48
ValuePrecommit     ⟨PROPOSAL, h, r, v, any⟩ and 2f+1 precommits for v     L49-L54
OthersAhead        f+1 messages of a later round                          L55, L56
ProposeTimedOut    OnTimeoutPropose                                       L57-L60
PrevoteTimedOut    OnTimeoutPrevote                                       L61-L64
PrecommitTimedOut  OnTimeoutPrecommit                                     L65-L67
=================  =====================================================  ===========================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from chainstack_sdk.consensus.bft.messages import NIL, Proposal, Vote, VoteKind
from chainstack_sdk.core.engine import ScheduleTimeout, Timeout

LAST_ROUND = 2**32 - 1
"""Rounds are 32-bit numbers; nobody waits long enough to see the last."""


class Step(IntEnum):
    """Where a validator stands in a round."""

    PROPOSE = 1
    PREVOTE = 2
    PRECOMMIT = 3
    COMMITTED = 4
    """The height is decided; nothing more happens in it."""


class TimeoutKind:
    """The kinds of :class:`~chainstack_sdk.core.engine.Timeout` that are scheduled."""

    PROPOSE = "propose"
    PREVOTE = "prevote"
    PRECOMMIT = "precommit"


@dataclass(frozen=True, slots=True)
class RoundState:
    """What a validator remembers within a height (L1-L9)."""

    height: int
    round: int = 0
    step: Step = Step.PROPOSE
    locked_value: bytes | None = None
    """The block it last precommitted to: 32 bytes, or None."""
    locked_round: int = -1
    valid_value: bytes | None = None
    """The newest block known to have had a polka: 32 bytes, or None."""
    valid_round: int = -1
    awaits_value: bool = False
    """It is this validator's turn, and getValue() has not answered yet."""
    polka_waited: bool = False
    """L34 has been taken in this round ("for the first time")."""
    polka_taken: bool = False
    """L36 has been taken in this round ("for the first time")."""
    precommit_waited: bool = False
    """L47 has been taken in this round ("for the first time")."""


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """A round begins."""

    round: int
    is_proposer: bool
    """Whether it is this validator's turn."""


@dataclass(frozen=True, slots=True)
class ValueKnown:
    """A block to propose is there."""

    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal without a valid round, and the verdict on its block."""

    block_hash: bytes
    is_valid: bool


@dataclass(frozen=True, slots=True)
class ProposedWithPolka:
    """A proposal with a valid round whose polka has been seen, and the verdict on its block."""

    block_hash: bytes
    valid_round: int
    is_valid: bool


@dataclass(frozen=True, slots=True)
class AnyPolka:
    """More than 2/3 prevoted, for whatever."""


@dataclass(frozen=True, slots=True)
class ValuePolka:
    """More than 2/3 prevoted for a valid block that is proposed in this round."""

    block_hash: bytes


@dataclass(frozen=True, slots=True)
class NilPolka:
    """More than 2/3 prevoted nil."""


@dataclass(frozen=True, slots=True)
class AnyPrecommit:
    """More than 2/3 precommitted, to whatever."""


@dataclass(frozen=True, slots=True)
class ValuePrecommit:
    """More than 2/3 precommitted in some round to a valid block that was proposed in it."""

    round: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class OthersAhead:
    """More than 1/3 have reached a later round."""

    round: int


@dataclass(frozen=True, slots=True)
class ProposeTimedOut:
    """The wait for a proposal is over."""

    round: int


@dataclass(frozen=True, slots=True)
class PrevoteTimedOut:
    """The wait for more prevotes is over."""

    round: int


@dataclass(frozen=True, slots=True)
class PrecommitTimedOut:
    """The wait for more precommits is over."""

    round: int


@dataclass(frozen=True, slots=True)
class RequestValue:
    """Output: getValue() is called."""


@dataclass(frozen=True, slots=True)
class StartRound:
    """Output: enter a round and answer :class:`RoundStarted`."""

    round: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Output: the height is decided."""

    round: int
    """The round of the precommits."""
    block_hash: bytes


RoundEvent: TypeAlias = (
    RoundStarted
    | ValueKnown
    | Proposed
    | ProposedWithPolka
    | AnyPolka
    | ValuePolka
    | NilPolka
    | AnyPrecommit
    | ValuePrecommit
    | OthersAhead
    | ProposeTimedOut
    | PrevoteTimedOut
    | PrecommitTimedOut
)
RoundOutput: TypeAlias = Proposal | Vote | ScheduleTimeout | RequestValue | StartRound | Decision


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event leads to."""

    state: RoundState
    outputs: tuple[RoundOutput, ...] = ()
    accepted: bool = True
    """False when the event has no effect in the state it met."""


def apply(state: RoundState, event: RoundEvent) -> Transition:
    """Take one event. Pure: the same state and event always give the same transition.

    Two departures from the paper, both harmless to safety. A proposer waits for the end of the propose
    step like everyone else, since its getValue() is a question to the host and may stay unanswered; and
    the transactions of a decided height go no further (L52-L54 are the engine's: a new state).
    """
    if state.step is Step.COMMITTED:
        return Transition(state, accepted=False)
    step, round_ = state.step, state.round
    match event:
        case RoundStarted(started, is_proposer) if started >= round_:  # L11-L21
            return _start(state, started, is_proposer)
        case ValueKnown(value) if state.awaits_value and state.valid_value in (None, value):  # L16, L18, L19
            proposal = Proposal(state.height, round_, value, state.valid_round)
            return Transition(replace(state, awaits_value=False), (proposal,))
        case Proposed(value, is_valid) if step is Step.PROPOSE:  # L22-L27
            free = state.locked_round == -1 or state.locked_value == value
            return _prevote(state, value if is_valid and free else NIL)
        case ProposedWithPolka(value, polka, is_valid) if step is Step.PROPOSE and 0 <= polka < round_:
            free = state.locked_round <= polka or state.locked_value == value  # L28-L33
            return _prevote(state, value if is_valid and free else NIL)
        case AnyPolka() if step is Step.PREVOTE and not state.polka_waited:  # L34, L35
            return Transition(replace(state, polka_waited=True), (_timeout(state, TimeoutKind.PREVOTE),))
        case ValuePolka(value) if step >= Step.PREVOTE and not state.polka_taken:  # L36-L43
            return _take_polka(state, value)
        case NilPolka() if step is Step.PREVOTE:  # L44-L46
            return _precommit(state, NIL)
        case AnyPrecommit() if not state.precommit_waited:  # L47, L48
            return Transition(
                replace(state, precommit_waited=True), (_timeout(state, TimeoutKind.PRECOMMIT),)
            )
        case ValuePrecommit(decided, value):  # L49-L51
            return Transition(replace(state, step=Step.COMMITTED), (Decision(decided, value),))
        case OthersAhead(ahead) if ahead > round_:  # L55, L56
            return Transition(state, (StartRound(ahead),))
        case ProposeTimedOut(late) if late == round_ and step is Step.PROPOSE:  # L57-L60
            return _prevote(state, NIL)
        case PrevoteTimedOut(late) if late == round_ and step is Step.PREVOTE:  # L61-L64
            return _precommit(state, NIL)
        case PrecommitTimedOut(late) if late == round_ < LAST_ROUND:  # L65-L67
            return Transition(state, (StartRound(round_ + 1),))
        case _:
            return Transition(state, accepted=False)


def _start(state: RoundState, round_: int, is_proposer: bool) -> Transition:
    started = RoundState(
        state.height,
        round_,
        Step.PROPOSE,
        state.locked_value,
        state.locked_round,
        state.valid_value,
        state.valid_round,
        awaits_value=is_proposer,
    )
    wait = _timeout(started, TimeoutKind.PROPOSE)
    return Transition(started, (wait, RequestValue()) if is_proposer else (wait,))


def _prevote(state: RoundState, value: bytes) -> Transition:
    vote = Vote(VoteKind.PREVOTE, state.height, state.round, value)
    return Transition(replace(state, step=Step.PREVOTE, awaits_value=False), (vote,))


def _precommit(state: RoundState, value: bytes) -> Transition:
    vote = Vote(VoteKind.PRECOMMIT, state.height, state.round, value)
    return Transition(replace(state, step=Step.PRECOMMIT), (vote,))


def _take_polka(state: RoundState, value: bytes) -> Transition:
    taken = replace(state, valid_value=value, valid_round=state.round, polka_taken=True)
    if state.step is Step.PRECOMMIT:  # L42, L43 only
        return Transition(taken)
    return _precommit(replace(taken, locked_value=value, locked_round=state.round), value)


def _timeout(state: RoundState, kind: str) -> ScheduleTimeout:
    return ScheduleTimeout(Timeout(kind, state.height, state.round))
