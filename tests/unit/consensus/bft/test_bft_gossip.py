"""What is handed to those who missed something, and that it is enough."""

from __future__ import annotations

from bft_kit import FOUR, A, B, core, precommit, prevote, proposal, received, sign_all

from chainstack_sdk.consensus.bft.gossip import MAX_EARLY, EarlyMessages, messages_to_resend
from chainstack_sdk.consensus.bft.messages import NIL, SignedMessage, decode_message
from chainstack_sdk.consensus.bft.round import Decision, RoundState, Step
from chainstack_sdk.consensus.bft.votes import VoteKeeper
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide


def keeper(*messages: SignedMessage, round_: int) -> VoteKeeper:
    made = VoteKeeper(FOUR)
    made.enter(round_)
    for message in messages:
        made.add(message)
    return made


def test_the_polka_the_decision_and_the_last_two_rounds() -> None:
    old = [proposal(1, A), *(prevote(index, A) for index in (0, 1, 2))]
    useless = [prevote(3, NIL), precommit(0, A), *(prevote(index, NIL, 1) for index in range(4))]
    middle = [proposal(3, B, 2), prevote(0, B, 2), precommit(1, B, 2)]
    newest = [proposal(0, A, 3, 0), prevote(0, A, 3)]
    log = keeper(*old, *useless, *middle, *newest, round_=3)
    state = RoundState(1, 3, Step.PREVOTE, A, 0, A, 0)
    assert list(messages_to_resend(state, log, None, 0)) == [*old, *middle, *newest]
    assert list(messages_to_resend(state, log, None, 3)) == [*old, *newest]
    state = RoundState(1, 3, Step.PREVOTE)
    decision = Decision(0, A)
    expected = [proposal(1, A), precommit(0, A), *middle, *newest]
    assert list(messages_to_resend(state, log, decision, 0)) == expected


def test_who_is_elsewhere_gets_nothing() -> None:
    engine = core(0, height=4)
    engine.start()
    vote = prevote(1, A, height=4)
    engine.process(received(vote))
    assert engine.resend() == engine.resend((4, 0)) == (vote.encode(),)
    assert engine.resend((3, 0)) == engine.resend((5, 0)) == engine.resend((4, 1)) == ()


def test_nothing_is_said_twice() -> None:
    engine = core(0)
    sign_all(engine, 0, engine.start())
    engine.process(BlockProposed(1, A))
    for message in (
        proposal(1, A),
        *(make(index, A) for make in (prevote, precommit) for index in (1, 2, 3)),
    ):
        sign_all(engine, 0, engine.process(received(message)))
    assert engine.step is Step.COMMITTED
    said = engine.resend()
    assert len(said) == len(set(said)) == 1 + 4 + 4


def test_a_peer_that_missed_everything_decides_by_what_is_sent_again() -> None:
    ahead = core(0)
    sign_all(ahead, 0, ahead.start())
    ahead.process(BlockProposed(1, A))
    for message in (proposal(1, A), *(make(index, A) for make in (prevote, precommit) for index in (1, 2))):
        sign_all(ahead, 0, ahead.process(received(message)))
    behind = core(3)
    behind.start()
    behind.process(BlockProposed(1, A))
    outputs = [output for said in ahead.resend() for output in behind.process(received(decode_message(said)))]
    assert [output.block_hash for output in outputs if isinstance(output, Decide)] == [A]
    assert ahead.process(BlockCommitted(1, A))
    assert ahead.resend() == ()


def test_a_peer_rounds_behind_is_taken_along() -> None:
    """Two validators that have reached round 6 bring a third there, and let it unlock."""
    engines = [core(index) for index in (0, 1, 2)]
    for index, engine in enumerate(engines[:2]):
        sign_all(engine, index, engine.start())
        for other in (2, 3):
            sign_all(engine, index, engine.process(received(precommit(other, NIL, 6))))
        assert engine.round == 6
    last = engines[2]
    last.start()
    # either has its own word to say in that round only once the wait for a proposal is over
    for said in (precommit(0, NIL, 6), precommit(1, NIL, 6)):
        engines[0].process(received(said))
    for message in engines[0].resend((1, 0)):
        last.process(received(decode_message(message)))
    assert last.round == 6


def test_room_for_early_messages() -> None:
    early = EarlyMessages()
    messages = [prevote(1, A, round_) for round_ in range(MAX_EARLY)]
    for message in messages:
        assert early.has_room(message)
        early.keep(message)
        assert not early.has_room(message)
    assert not early.has_room(prevote(1, B))
    assert early.has_room(prevote(2, B))
    early.keep(prevote(2, B, height=2))
    assert early.take(1) == messages
    assert early.take(1) == early.take(2) == []
