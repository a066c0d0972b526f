"""Counting: thresholds, each told once; double votes; what is kept of rounds ahead."""

from __future__ import annotations

import pytest
from bft_kit import FOUR, PRECOMMIT, PREVOTE, A, B, C, committee, precommit, prevote, proposal, vote, who

from chainstack_sdk.consensus.bft.evidence import Evidence
from chainstack_sdk.consensus.bft.messages import NIL, SignedMessage, VoteKind, attach, content
from chainstack_sdk.consensus.bft.votes import (
    Fact,
    PolkaAny,
    PolkaNil,
    PolkaValue,
    PrecommitAny,
    PrecommitValue,
    SkipRound,
    VoteKeeper,
)

Found = tuple[Fact | Evidence, ...]
Steps = list[tuple[str, SignedMessage, Found]]


def run(keeper: VoteKeeper, steps: Steps) -> None:
    for desc, message, found in steps:
        assert keeper.add(message) == found, desc


def test_a_polka_for_a_block() -> None:
    run(
        VoteKeeper(FOUR),
        [
            ("one", prevote(0, A), ()),
            ("the same again", prevote(0, A), ()),
            ("two are not more than 2/3", prevote(1, A), ()),
            ("three are", prevote(2, A), (PolkaValue(0, A), PolkaAny(0))),
            ("told once", prevote(3, A), ()),
        ],
    )


def test_a_polka_for_nil_and_one_for_whatever() -> None:
    run(
        VoteKeeper(FOUR),
        [
            ("nil", prevote(0, NIL), ()),
            ("a block", prevote(1, A), ()),
            ("2/3 voted for whatever", prevote(2, NIL), (PolkaAny(0),)),
            ("and now 2/3 for nil", prevote(3, NIL), (PolkaNil(0),)),
        ],
    )


def test_precommits() -> None:
    run(
        VoteKeeper(FOUR),
        [
            ("nil", precommit(0, NIL), ()),
            ("a block", precommit(1, A), ()),
            ("any", precommit(2, A), (PrecommitAny(0),)),
            ("the block", precommit(3, A), (PrecommitValue(0, A),)),
        ],
    )
    keeper = VoteKeeper(FOUR)
    for index in (0, 1):
        assert keeper.add(precommit(index, NIL)) == ()
    assert keeper.add(precommit(2, NIL)) == (PrecommitAny(0),)  # a quorum for nil is nothing special
    assert keeper.quorums(PRECOMMIT) == []


def test_kinds_and_rounds_do_not_mix() -> None:
    keeper = VoteKeeper(FOUR)
    for message in (prevote(0, A), precommit(1, A), prevote(2, A, round=1), prevote(3, A)):
        assert keeper.add(message) == ()


def test_weights_count() -> None:
    run(
        VoteKeeper(committee(5, 3, 1)),
        [
            ("5 of 9", prevote(0, A), ()),
            ("6 of 9 are not more than 2/3", prevote(2, A), ()),
            ("9 of 9", prevote(1, A), (PolkaValue(0, A), PolkaAny(0))),
        ],
    )
    assert VoteKeeper(committee(7, 1, 1)).add(prevote(0, A)) == (PolkaValue(0, A), PolkaAny(0))


def test_what_can_be_asked() -> None:
    keeper = VoteKeeper(FOUR)
    votes = [prevote(1, A), prevote(0, NIL), precommit(2, A), prevote(3, A), prevote(2, A)]
    for message in votes:
        keeper.add(message)
    assert keeper.has_quorum(PREVOTE, 0, A)
    assert not keeper.has_quorum(PREVOTE, 0, NIL)
    assert not keeper.has_quorum(PRECOMMIT, 0, A)
    assert not keeper.has_quorum(PREVOTE, 1, A)
    assert keeper.has_any_quorum(PREVOTE, 0)
    assert not keeper.has_any_quorum(PRECOMMIT, 0)
    assert not keeper.has_any_quorum(PRECOMMIT, 1)
    assert keeper.quorums(PREVOTE) == [(0, A)]
    assert keeper.votes_for(PREVOTE, 0, A) == {who(1): votes[0], who(3): votes[3], who(2): votes[4]}
    assert keeper.votes_for(PREVOTE, 0, B) == keeper.votes_for(PREVOTE, 7, A) == {}
    assert list(keeper.votes(0)) == [votes[0], votes[3], votes[4], votes[1], votes[2]]
    assert list(keeper.votes(1)) == []


@pytest.mark.parametrize("kind", list(VoteKind))
def test_a_double_vote_is_evidence_once(kind: VoteKind) -> None:
    first, second = vote(kind, 0, A), vote(kind, 0, B)
    run(
        VoteKeeper(FOUR),
        [
            ("the first", first, ()),
            ("another block", second, (Evidence.of(first, second),)),
            ("said again", second, ()),
            ("a third block", vote(kind, 0, C), ()),
            ("another round", vote(kind, 0, A, round=1), ()),
            ("is another fault", vote(kind, 0, NIL, round=1), (_pair(kind, A, NIL, 1),)),
        ],
    )


def _pair(kind: VoteKind, one: bytes, other: bytes, round_: int) -> Evidence:
    return Evidence.of(vote(kind, 0, one, round_), vote(kind, 0, other, round_))


def test_prevote_and_precommit_may_differ() -> None:
    run(VoteKeeper(FOUR), [("prevote", prevote(0, A), ()), ("precommit", precommit(0, NIL), ())])


def test_the_first_vote_counts() -> None:
    accusation = Evidence.of(prevote(0, A), prevote(0, B))
    run(
        VoteKeeper(FOUR),
        [
            ("for A", prevote(0, A), ()),
            ("then for B, behind which nobody stands", prevote(0, B), (accusation,)),
            ("B", prevote(1, B), ()),
            ("three have voted, but only two for B", prevote(2, B), (PolkaAny(0),)),
            ("the fourth makes it three", prevote(3, B), (PolkaValue(0, B),)),
        ],
    )


def test_a_second_vote_counts_for_a_block_that_has_support() -> None:
    """Otherwise an equivocator could show a polka to some that the others would never see."""
    accusation = Evidence.of(prevote(0, NIL), prevote(0, B))
    run(
        VoteKeeper(FOUR),
        [
            ("nil", prevote(0, NIL), ()),
            ("B", prevote(1, B), ()),
            ("B", prevote(2, B), (PolkaAny(0),)),
            ("the vote that others saw", prevote(0, B), (accusation, PolkaValue(0, B))),
            ("once", prevote(0, B), ()),
        ],
    )
    keeper = VoteKeeper(FOUR)
    for message in (prevote(0, NIL), prevote(1, B)):
        keeper.add(message)
    assert keeper.add(prevote(0, B)) == (accusation,)
    assert keeper.votes_for(PREVOTE, 0, B).keys() == {who(1)}  # not with 1/3 only


def test_one_vote_with_two_signatures_is_one() -> None:
    keeper = VoteKeeper(FOUR)
    keeper.add(prevote(0, A))
    assert keeper.add(attach(prevote(0, A).vote, who(0), bytes(65))) == ()
    assert keeper.votes_for(PREVOTE, 0, A) == {who(0): prevote(0, A)}


def test_two_proposals_are_kept_and_are_evidence() -> None:
    keeper = VoteKeeper(FOUR)
    first, second, third = proposal(1, A), proposal(1, B), proposal(1, C)
    run(
        keeper,
        [
            ("a proposal", first, ()),
            ("again", first, ()),
            ("another", second, (Evidence.of(first, second),)),
            ("again", second, ()),
            ("a third", third, ()),
        ],
    )
    assert keeper.proposals(0) == (first, second)
    assert keeper.proposals(1) == ()


def test_a_third_proposal_is_kept_when_others_stand_behind_it() -> None:
    keeper = VoteKeeper(FOUR)
    for message in (proposal(1, A), proposal(1, B), prevote(0, C), proposal(1, C)):
        keeper.add(message)
    assert len(keeper.proposals(0)) == 2
    keeper.add(prevote(2, C))
    keeper.add(proposal(1, C))
    assert keeper.proposals(0) == (proposal(1, A), proposal(1, B), proposal(1, C))
    keeper.add(proposal(1, C, extra=b"with more"))  # a fourth, for a block that is there
    assert len(keeper.proposals(0)) == 3


def test_rounds_ahead() -> None:
    keeper = VoteKeeper(FOUR)
    run(
        keeper,
        [
            ("one is ahead", prevote(0, A, round=5), ()),
            ("again", prevote(0, A, round=5), ()),
            ("more of the same validator", precommit(0, A, round=5), ()),
            ("another, less far: more than 1/3 are at 3 or above", prevote(1, A, round=3), (SkipRound(3),)),
            ("the second again says nothing new", precommit(1, A, round=3), ()),
            ("a third: more than 1/3 are at 4 or above", proposal(2, A, round=4), (SkipRound(4),)),
            ("the second goes on too", prevote(1, A, round=9), (SkipRound(5),)),
        ],
    )
    assert keeper.skip_target() == 5
    assert keeper.enter(5) == ()
    assert keeper.skip_target() is None
    assert list(keeper.votes(5)) == [prevote(0, A, round=5), precommit(0, A, round=5)]
    run(keeper, [("two ahead of the new round", prevote(2, A, round=6), (SkipRound(6),))])


def test_the_next_round_is_counted_at_once() -> None:
    keeper = VoteKeeper(FOUR)
    run(
        keeper,
        [
            ("one", prevote(0, A, round=1), ()),
            ("two: more than 1/3", prevote(1, A, round=1), (SkipRound(1),)),
            (
                "three: a polka too",
                prevote(2, A, round=1),
                (PolkaValue(1, A), PolkaAny(1), SkipRound(1)),
            ),
        ],
    )


def test_quorums_of_rounds_ahead_are_found_on_entering() -> None:
    keeper = VoteKeeper(FOUR)
    for index in range(3):
        keeper.add(precommit(index, A, round=7))
    assert keeper.quorums(PRECOMMIT) == []
    assert keeper.enter(7) == (PrecommitValue(7, A), PrecommitAny(7))
    assert keeper.quorums(PRECOMMIT) == [(7, A)]


def test_of_rounds_ahead_only_the_newest_is_kept() -> None:
    keeper = VoteKeeper(FOUR)
    for round_ in (3, 8, 5):
        keeper.add(prevote(0, A, round=round_))
    keeper.enter(8)
    kept = [content(message).round for round_ in range(10) for message in keeper.votes(round_)]
    assert kept == [8]


def test_of_a_round_ahead_few_messages_are_kept() -> None:
    keeper = VoteKeeper(FOUR)
    blocks = [bytes([number]) * 32 for number in range(1, 9)]
    for block in blocks:
        keeper.add(prevote(0, block, round=9))
    assert keeper.holds(prevote(0, blocks[3], round=9))
    assert not keeper.holds(prevote(0, blocks[4], round=9))
    assert keeper.enter(9) == (Evidence.of(prevote(0, blocks[0], round=9), prevote(0, blocks[1], round=9)),)


def test_what_is_held() -> None:
    keeper = VoteKeeper(FOUR)
    held = [prevote(0, A), precommit(0, A), proposal(1, A), prevote(2, A, round=7), proposal(3, A, round=6)]
    for message in held:
        assert not keeper.holds(message)
        keeper.add(message)
        assert keeper.holds(message)
    assert not keeper.holds(attach(prevote(0, A).vote, who(0), bytes(65)))
    assert not keeper.holds(prevote(0, B))
    assert not keeper.holds(proposal(1, B))
