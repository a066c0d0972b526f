"""The master: who gets which nonces, what is believed, who wins, what is owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chainstack_sdk.consensus.mapreduce import (
    Master,
    NeedCandidate,
    Reported,
    Tally,
    Verdict,
    Won,
    WorkRange,
    hash_range,
    is_honest,
)
from chainstack_sdk.consensus.mapreduce.space import NonceSpace, Piece
from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.work import MAX_TARGET, DoubleSha256, Found, target_of
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

HASH = DoubleSha256()
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
BLOCK = keccak256(b"the candidate")
NEVER = 0
"""A target that no hash meets."""
DIFFICULTY = 300
TARGET = target_of(DIFFICULTY)
WINNERS = HASH.search(BLOCK, 0, 4_000, NEVER, TARGET).shares
"""All nonces below 4,000 that win, the lowest first."""


def started(target: int = TARGET, **settings: int) -> Master:
    master = Master(HASH, **{"first_count": 100, "depth": 20} | settings)
    master.begin(BLOCK, target)
    return master


def take(master: Master, worker: int, now_ms: int = 0) -> WorkRange:
    work = master.assign(worker, now_ms)
    assert isinstance(work, WorkRange)
    return work


def bring(master: Master, worker: int, work: WorkRange, took_ms: int = 200) -> Reported:
    return master.report(worker, work.ticket, hash_range(HASH, work), took_ms)


def span(work: WorkRange) -> tuple[int, int]:
    return work.start, work.count


# Handing out


def test_ranges_are_disjoint_and_ascend() -> None:
    master = started()
    alice, bob = master.hire(ALICE), master.hire(BOB)
    works = [take(master, worker) for worker in (alice, bob, alice, bob)]
    assert [span(work) for work in works] == [(0, 100), (100, 100), (200, 100), (300, 100)]
    assert len({work.ticket for work in works}) == 4
    assert {(work.block_hash, work.target) for work in works} == {(BLOCK, TARGET)}


@pytest.mark.parametrize(
    ("target", "count", "share_target"),
    [
        (NEVER, 160, target_of(10)),  # sixteen shares in a range
        (NEVER, 15, MAX_TARGET),  # every nonce is one
        (target_of(7), 160, target_of(7)),  # no share is harder to find than a block
    ],
)
def test_how_hard_shares_are(target: int, count: int, share_target: int) -> None:
    master = started(target, first_count=count)
    assert take(master, master.hire(ALICE)).share_target == share_target


def test_a_worker_has_a_few_ranges_at_a_time() -> None:
    master = started(NEVER, depth=2)
    alice, bob = master.hire(ALICE), master.hire(ALICE)
    first = take(master, alice)
    take(master, alice)
    assert master.assign(alice, 0) is None
    take(master, bob)
    bring(master, alice, first)
    take(master, alice)
    assert master.assign(alice, 0) is None


def test_nothing_without_a_job_or_a_worker() -> None:
    master = Master(HASH)
    alice = master.hire(ALICE)
    assert master.assign(alice, 0) is None
    assert master.winner is None
    assert master.deadline_ms is None
    master.begin(BLOCK, NEVER)
    assert master.assign(alice + 1, 0) is None


@pytest.mark.parametrize(
    ("took_ms", "sizes"),
    [
        (200, [100, 100, 100, 100]),
        (160, [100, 125, 156, 195]),
        (10, [100, 200, 400, 800]),
        (0, [100, 200, 400, 800]),
        (400, [100, 50, 25, 16]),
        (10**9, [100, 50, 25, 16]),
        (-5, [100, 200, 400, 800]),
    ],
)
def test_ranges_grow_and_shrink_with_the_pace(took_ms: int, sizes: list[int]) -> None:
    master = started(NEVER)
    alice, seen = master.hire(ALICE), []
    for _ in range(4):
        work = take(master, alice)
        seen.append(work.count)
        bring(master, alice, work, took_ms)
    assert seen == sizes


def test_a_remnant_says_nothing_of_the_pace() -> None:
    master = started(NEVER, nonces=130)
    alice = master.hire(ALICE)
    take(master, alice)
    remnant = take(master, alice)
    assert span(remnant) == (100, 30)
    bring(master, alice, remnant, 10**6)
    master.begin(BLOCK, NEVER)
    assert take(master, alice).count == 100


# The winner


def test_the_lowest_winner_wins_whoever_comes_first() -> None:
    master = started()
    alice, bob = master.hire(ALICE), master.hire(BOB)
    works = [take(master, (alice, bob)[index % 2]) for index in range(20)]
    holding = [work for work in works for nonce in WINNERS if 0 <= nonce - work.start < work.count]
    low, high = holding[0], holding[-1]
    assert low.ticket < high.ticket
    workers = {work.ticket: (alice, bob)[index % 2] for index, work in enumerate(works)}

    answer = bring(master, workers[high.ticket], high)
    assert answer.verdict is Verdict.COUNTED
    assert answer.void == tuple(work for work in works if work.start > high.start), (
        "what lies above is called off"
    )
    assert master.winner is None, "a range below may hold a lower one"
    assert master.assign(alice, 0) is None, "nothing new is handed out"

    answer = bring(master, workers[low.ticket], low)
    assert answer.void == tuple(work for work in works if low.start < work.start < high.start)
    for work in works:
        if work.start < low.start:
            assert master.winner is None
            bring(master, workers[work.ticket], work)
    assert master.winner == Won(BLOCK, WINNERS[0], 0)
    assert master.assign(alice, 0) is None


def test_what_is_called_off_is_stale_and_earns_nothing() -> None:
    master = started(MAX_TARGET)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    low, high = take(master, alice), take(master, bob)
    assert bring(master, alice, low).void == (high,)
    assert bring(master, bob, high) == Reported(Verdict.STALE)
    assert master.tally.work_of(BOB) == 0
    assert master.winner == Won(BLOCK, 0, 0)


def test_a_lower_range_that_fails_is_hashed_again_up_to_the_winner() -> None:
    master = started(first_count=16)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    works = []
    while not works or works[-1].start + 16 <= WINNERS[0]:
        works.append(take(master, alice if len(works) < 2 else bob))
        if len(works) > 2:
            bring(master, bob, works[-1], 200)
    assert master.winner is None
    assert master.failed(alice, works[0].ticket) == ()
    assert master.winner is None
    again = take(master, bob)
    assert span(again) == span(works[0])
    assert again.ticket != works[0].ticket
    bring(master, bob, again)
    assert master.assign(bob, 0) is None
    bring(master, alice, works[1])
    assert master.winner == Won(BLOCK, WINNERS[0], 0)


def test_a_range_that_comes_back_is_cut_at_the_winner_and_to_the_workers_size() -> None:
    master = started(target_of(DIFFICULTY * 100), first_count=64)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    first, second = take(master, alice), take(master, alice)
    master.failed(alice, first.ticket)  # alice's ranges are of 32 from now on
    assert span(take(master, alice)) == (0, 32)
    assert span(take(master, bob)) == (32, 32), "the rest, before anything new"
    assert span(take(master, bob)) == (128, 64)
    master.failed(alice, second.ticket)
    assert span(take(master, alice)) == (64, 16)


def test_the_space_forgets_what_lies_above_the_winner() -> None:
    space = NonceSpace(BLOCK, 100)
    pieces = [space.take(50), space.take(50)]
    assert space.take(1) == NeedCandidate(1)
    space.extend(1, keccak256(b"x"))
    pieces.append(space.take(50))
    for piece in pieces:
        assert isinstance(piece, Piece)
        space.give_back(piece)
    space.close(0, 70)
    assert space.has_returned
    assert space.take(99) == Piece(0, 0, 50, BLOCK)
    assert space.take(99) == Piece(0, 50, 20, BLOCK)
    assert space.take(99) is None
    assert not space.has_returned
    space.give_back(Piece(0, 70, 30, BLOCK))
    space.give_back(Piece(1, 0, 30, BLOCK))
    assert not space.has_returned


def test_the_space_keeps_earlier_candidates_whole() -> None:
    space = NonceSpace(BLOCK, 100)
    piece = space.take(100)
    assert isinstance(piece, Piece)
    space.extend(1, keccak256(b"x"))
    space.close(1, 10)
    space.give_back(piece)
    assert space.take(99) == Piece(0, 0, 99, BLOCK)
    assert space.take(99) == Piece(0, 99, 1, BLOCK)
    assert space.take(99) is None


# Extra nonces


def test_another_candidate_when_the_nonces_are_spent() -> None:
    blocks = [keccak256(b"candidate %d" % number) for number in range(50)]
    expected = next(
        Won(block, nonce, number)
        for number, block in enumerate(blocks)
        for nonce in HASH.search(block, 0, 150, NEVER, target_of(700)).shares[:1]
    )
    assert expected.extra_nonce > 0, "or this tests nothing"
    master = Master(HASH, first_count=100, nonces=150)
    master.begin(blocks[0], target_of(700))
    alice = master.hire(ALICE)
    while (won := master.winner) is None:
        work = master.assign(alice, 0)
        if isinstance(work, NeedCandidate):
            master.extend(work.extra_nonce, blocks[work.extra_nonce])
        else:
            assert work is not None
            assert work.start + work.count <= 150
            bring(master, alice, work)
    assert won == expected


def test_the_first_candidate_comes_first_whatever_its_nonce() -> None:
    master = started(MAX_TARGET, nonces=10)
    alice = master.hire(ALICE)
    first = take(master, alice)
    assert master.assign(alice, 0) == NeedCandidate(1)
    master.extend(1, keccak256(b"another"))
    second = take(master, alice)
    assert bring(master, alice, second) == Reported(Verdict.COUNTED)
    assert master.winner is None
    bring(master, alice, first)
    assert master.winner == Won(BLOCK, 0, 0)


def test_a_candidate_must_be_asked_for_and_new() -> None:
    master = started(nonces=10)
    alice = master.hire(ALICE)
    with pytest.raises(UsageError, match="not asked for"):
        master.extend(1, keccak256(b"another"))
    take(master, alice)
    with pytest.raises(UsageError, match="not asked for"):
        master.extend(2, keccak256(b"another"))
    with pytest.raises(UsageError, match="changes the block hash"):
        master.extend(1, BLOCK)
    with pytest.raises(UsageError, match="32 bytes"):
        master.extend(1, b"")
    master.stop()
    with pytest.raises(UsageError, match="no job"):
        master.extend(1, keccak256(b"another"))


# Lies

HONEST_WORK = WorkRange(1, BLOCK, 100, 400, TARGET, target_of(25))
LOSING = replace(HONEST_WORK, target=NEVER)
HIT, MISS = hash_range(HASH, HONEST_WORK), hash_range(HASH, LOSING)
NO_SHARE = next(nonce for nonce in range(100, 500) if nonce not in MISS.shares)

LIES: list[tuple[str, WorkRange, Callable[[], object]]] = [
    ("no report at all", LOSING, lambda: None),
    ("a tuple", LOSING, lambda: (None, 400, ())),
    ("a nonce that does not win", LOSING, lambda: replace(MISS, nonce=MISS.shares[-1])),
    ("a nonce that is no share", LOSING, lambda: Found(NO_SHARE, NO_SHARE - 99, (NO_SHARE,))),
    ("a winner kept back", HONEST_WORK, lambda: MISS),
    ("a winner below that is kept back", HONEST_WORK, lambda: Found(HIT.nonce, HIT.hashes, HIT.shares[:-1])),
    ("a winner that is not the last", replace(HONEST_WORK, target=target_of(25)), lambda: MISS),
    ("too many hashes", LOSING, lambda: replace(MISS, hashes=401)),
    ("too few hashes", LOSING, lambda: replace(MISS, hashes=399)),
    ("hashes after the winner", HONEST_WORK, lambda: replace(HIT, hashes=400)),
    ("a share twice", LOSING, lambda: replace(MISS, shares=(MISS.shares[0], *MISS.shares))),
    ("shares out of order", LOSING, lambda: replace(MISS, shares=MISS.shares[::-1])),
    ("a share that is none", LOSING, lambda: replace(MISS, shares=(NO_SHARE,))),
    ("a share below the range", LOSING, lambda: hash_range(HASH, replace(LOSING, start=0, count=400))),
    (
        "a share above the range",
        LOSING,
        lambda: replace(hash_range(HASH, replace(LOSING, count=900)), hashes=400),
    ),
    ("more shares than nonces", replace(LOSING, count=3), lambda: Found(None, 3, (100, 101, 102, 103))),
    ("a list of shares", LOSING, lambda: replace(MISS, shares=list(MISS.shares))),
    ("shares in words", LOSING, lambda: replace(MISS, shares=("one", "two"))),
    ("a nonce in words", LOSING, lambda: replace(MISS, nonce="one")),
    ("hashes in words", LOSING, lambda: replace(MISS, hashes="many")),
    ("fractions", LOSING, lambda: replace(MISS, hashes=400.0)),
]


@pytest.mark.parametrize(("work", "lie"), [pytest.param(work, lie, id=name) for name, work, lie in LIES])
def test_lies(work: WorkRange, lie: Callable[[], object]) -> None:
    assert not is_honest(lie(), work, HASH)


def test_the_truth() -> None:
    assert HIT.nonce is not None
    assert MISS.shares
    for work in (
        HONEST_WORK,
        LOSING,
        replace(LOSING, count=1),
        replace(LOSING, target=MAX_TARGET, share_target=MAX_TARGET),
    ):
        assert is_honest(hash_range(HASH, work), work, HASH)


def test_a_liar_is_dropped_and_its_ranges_go_to_others() -> None:
    master = started(NEVER)
    alice, again, bob = master.hire(ALICE), master.hire(ALICE), master.hire(BOB)
    honest, false, other = take(master, alice), take(master, alice), take(master, again)
    bring(master, alice, honest)
    earned = master.tally.work_of(ALICE)
    assert earned > 0
    answer = master.report(alice, false.ticket, Found(None, 100, ()[:0] + (false.start,) * 2), 200)
    assert answer == Reported(Verdict.LIE, (false, other))
    assert master.liars == (ALICE,)
    assert master.workers == (bob,)
    assert master.tally.work_of(ALICE) == earned, "what it has proven it has proven"
    assert master.assign(alice, 0) is None
    assert master.assign(again, 0) is None
    assert bring(master, again, other) == Reported(Verdict.STALE)
    with pytest.raises(UsageError, match="liar"):
        master.hire(ALICE)
    assert [span(take(master, bob)) for _ in range(3)] == [(100, 100), (200, 100), (300, 100)]


def test_a_worker_that_does_not_hash_is_found_out() -> None:
    master = started(NEVER)
    alice = master.hire(ALICE)
    verdicts = []
    for _ in range(6):
        work = take(master, alice)
        verdicts.append(master.report(alice, work.ticket, Found(None, work.count, ()), 200).verdict)
    assert verdicts == [Verdict.COUNTED] * 5 + [Verdict.LIE]
    assert master.tally.payouts() == Payouts()


def test_honest_workers_are_not_taken_for_lazy() -> None:
    master = started(NEVER, first_count=64)
    alice = master.hire(ALICE)
    for _ in range(400):
        assert bring(master, alice, take(master, alice)).verdict is Verdict.COUNTED


def test_another_workers_ticket_is_of_no_use() -> None:
    master = started(NEVER)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    work = take(master, alice)
    assert bring(master, bob, work) == Reported(Verdict.STALE)
    assert master.failed(bob, work.ticket) == ()
    assert bring(master, alice, work).verdict is Verdict.COUNTED
    assert bring(master, alice, work) == Reported(Verdict.STALE), "nothing counts twice"
    assert master.failed(alice, work.ticket) == ()
    assert master.hashes == 100


# Failures


def test_silence() -> None:
    master = started(NEVER, timeout_ms=1_000)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    lost, late = take(master, alice, 0), take(master, alice, 400)
    assert master.deadline_ms == 1_000
    assert master.expire(999) == ()
    assert master.expire(1_000) == (lost,)
    assert master.deadline_ms == 1_400
    again = take(master, bob, 1_000)
    assert span(again) == span(lost)
    assert bring(master, alice, lost) == Reported(Verdict.STALE)
    assert master.tally.work_of(ALICE) == 0
    assert bring(master, bob, again).verdict is Verdict.COUNTED
    assert bring(master, bob, again) == Reported(Verdict.STALE)
    assert bring(master, alice, late).verdict is Verdict.COUNTED
    assert master.hashes == 200


def test_a_worker_that_always_fails_is_dismissed() -> None:
    master = started(NEVER, max_failures=3)
    alice = master.hire(ALICE)
    for _ in range(2):
        master.failed(alice, take(master, alice).ticket)
    bring(master, alice, take(master, alice))  # that is forgiven
    works = [take(master, alice) for _ in range(4)]
    assert master.failed(alice, works[0].ticket) == ()
    assert master.failed(alice, works[1].ticket) == ()
    assert master.failed(alice, works[2].ticket) == (works[3],)
    assert master.workers == ()
    assert master.liars == ()
    bob = master.hire(ALICE)
    starts = {span(take(master, bob))[0] for _ in range(4)}
    assert {work.start for work in works} <= starts


def test_silence_gets_dismissed_too() -> None:
    master = started(NEVER, max_failures=2, timeout_ms=10)
    alice = master.hire(ALICE)
    works = [take(master, alice) for _ in range(4)]
    assert master.expire(10) == tuple(works)
    assert master.workers == ()


def test_dismissing() -> None:
    master = started(NEVER)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    mine, other = take(master, alice), take(master, bob)
    assert master.dismiss(alice) == (mine,)
    assert master.dismiss(alice) == ()
    assert span(take(master, bob)) == span(mine)
    assert bring(master, bob, other).verdict is Verdict.COUNTED


# Jobs


def test_a_new_job_ends_the_old_one() -> None:
    master = started(MAX_TARGET)
    alice = master.hire(ALICE)
    old = [take(master, alice), take(master, alice)]
    other = keccak256(b"another")
    assert master.begin(other, MAX_TARGET) == tuple(old)
    assert bring(master, alice, old[0]) == Reported(Verdict.STALE)
    fresh = take(master, alice)
    assert (fresh.block_hash, fresh.start) == (other, 0)
    bring(master, alice, fresh)
    assert master.winner == Won(other, 0, 0)
    assert master.hashes == 1
    assert master.stop() == ()
    assert master.winner is None


def test_stopping() -> None:
    master = started()
    alice = master.hire(ALICE)
    work = take(master, alice)
    assert master.stop() == (work,)
    assert master.assign(alice, 0) is None
    assert bring(master, alice, work) == Reported(Verdict.STALE)


def test_impossible_settings() -> None:
    for wrong in (
        {"depth": 0},
        {"range_ms": 0},
        {"first_count": 0},
        {"timeout_ms": 0},
        {"max_failures": 0},
        {"nonces": 0},
        {"nonces": 2**64 + 1},
    ):
        with pytest.raises(UsageError):
            Master(HASH, **wrong)
    master = Master(HASH)
    for block_hash, target in ((b"", 1), (bytes(33), 1), (BLOCK, -1), (BLOCK, 2**256)):
        with pytest.raises(UsageError):
            master.begin(block_hash, target)
    with pytest.raises(UsageError):
        master.hire(b"")


def test_a_refused_job_leaves_the_one_before_it() -> None:
    master = started(NEVER)
    alice = master.hire(ALICE)
    work = take(master, alice)
    with pytest.raises(UsageError):
        master.begin(b"", 1)
    assert bring(master, alice, work).verdict is Verdict.COUNTED


# What is owed


def test_shares_are_credited_with_the_hashes_they_stand_for() -> None:
    master = started(NEVER, first_count=320)
    alice = master.hire(ALICE)
    work = take(master, alice)
    shares = hash_range(HASH, work).shares
    bring(master, alice, work)
    assert shares
    assert master.tally.work_of(ALICE) == 20 * len(shares)
    assert master.tally.payouts() == Payouts(((ALICE, 20 * len(shares)),))


def test_credit_is_in_proportion_to_hashes() -> None:
    """One worker is three times as fast as the other."""
    master = started(NEVER, first_count=64, depth=1)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    for _ in range(150):
        for worker in (alice, alice, bob, alice):
            bring(master, worker, take(master, worker))
    credited = [master.tally.work_of(address) for address in (ALICE, BOB)]
    assert sum(credited) == pytest.approx(master.hashes, rel=0.05)
    assert credited[0] / credited[1] == pytest.approx(3, rel=0.1)


def test_the_tally_outlasts_jobs_until_it_is_settled() -> None:
    master = started(NEVER)
    alice, bob = master.hire(ALICE), master.hire(BOB)
    bring(master, alice, take(master, alice))
    listed = master.tally.payouts()
    master.begin(keccak256(listed.encode()), NEVER)
    assert master.tally.payouts() == listed
    bring(master, alice, take(master, alice))
    bring(master, bob, take(master, bob))
    both = master.tally.payouts()
    master.tally.settle(listed)
    assert master.tally.work_of(ALICE) == both.weight_of(ALICE) - listed.weight_of(ALICE)
    assert master.tally.work_of(BOB) == both.weight_of(BOB)


def test_settling_more_than_is_owed() -> None:
    tally = Tally({ALICE: 5})
    tally.credit(BOB, 7)
    tally.credit(BOB, 0)
    tally.settle(Payouts(((ALICE, 5), (BOB, 9), (b"\xcc" * 20, 1))))
    assert tally.payouts() == Payouts()
    assert dict(Tally(dict(Payouts(((ALICE, 5),)).entries)).payouts().entries) == {ALICE: 5}


def test_a_tally_is_shared() -> None:
    tally = Tally({ALICE: 5})
    assert Master(HASH, tally=tally).tally is tally
