"""What is known about one height."""

from __future__ import annotations

from bft_kit import FOUR, A, B, precommit, prevote, proposal, signature_of

from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.heightlog import HeightLog
from chainstack_sdk.consensus.bft.messages import NIL
from chainstack_sdk.consensus.bft.round import Decision, RoundState


def test_verdicts_and_candidates() -> None:
    log = HeightLog(1, FOUR)
    for block, extra in ((B, b""), (A, b"mine"), (A, b""), (B, None), (B, None)):
        log.judge(block, extra)
    assert log.verdicts == {A: True, B: False}
    assert log.candidates == {A: b"mine"}


def test_a_block_is_fetched_once_and_not_when_judged() -> None:
    log = HeightLog(1, FOUR)
    log.judge(A, None)
    assert [log.needs_fetching(block) for block in (A, B, B)] == [False, True, False]


def test_the_votes_that_a_state_rests_on() -> None:
    log = HeightLog(1, FOUR)
    log.keeper.enter(2)
    polka = [prevote(2, A), prevote(0, A)]
    before = [precommit(0, B, 1), precommit(1, NIL, 1)]
    for message in (*polka, prevote(1, B), precommit(1, A), prevote(0, A, 1), *before, precommit(0, A, 2)):
        log.keeper.add(message)
    assert log.votes_to_keep(RoundState(1)) == ()
    assert log.votes_to_keep(RoundState(1, valid_value=A, valid_round=0)) == tuple(polka)
    assert log.votes_to_keep(RoundState(1, 2, valid_value=A, valid_round=0)) == (*polka, *before)


def test_the_seal_and_the_extra_of_the_decision() -> None:
    log = HeightLog(1, FOUR)
    assert (log.seal(), log.decided_extra()) == (b"", None)
    for index in (3, 0, 1):
        log.keeper.add(precommit(index, A))
    log.decision = Decision(0, A)
    assert log.seal() == Certificate(0, tuple((index, signature_of(index)) for index in (0, 1, 3))).encode()
    assert log.decided_extra() is None
    log.keeper.add(proposal(1, B, extra=b"other"))
    assert log.decided_extra() is None
    log.keeper.add(proposal(1, A, extra=b"right"))
    assert log.decided_extra() == b"right"


def test_the_chain_has_the_last_word_on_what_was_decided() -> None:
    log = HeightLog(1, FOUR)
    for index in (0, 1, 2):
        log.keeper.add(precommit(index, A))
    log.close(A)
    assert log.decision == Decision(0, A)
    log.close(A)
    assert log.decision == Decision(0, A)
    log.close(B)
    assert log.decision is None
