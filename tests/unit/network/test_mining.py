"""The miner on real thread pools, with tasks that go wrong in every way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from operator import truediv
from threading import Event
from typing import Any

import pytest

from chainstack_sdk.consensus.mapreduce import Master, Won, hash_range
from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork, target_of
from chainstack_sdk.network.mining import Miner, Progress, WorkersLost
from chainstack_sdk.primitives.errors import ChainStackError, UsageError
from chainstack_sdk.primitives.keccak import keccak256

ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
BLOCK = keccak256(b"block")
TARGET = target_of(3_000)
NONCE = DoubleSha256().search(BLOCK, 0, 100_000, TARGET, TARGET).nonce
NEVER = 0

Task = Callable[..., object]
Change = Callable[[Task, tuple[Any, ...]], tuple[Task, tuple[Any, ...]]]
Plan = dict[int, Change]


class Sabotage(Executor):
    """An executor on which the tasks with certain numbers become others."""

    def __init__(self, inner: Executor, plan: Plan) -> None:
        self.inner = inner
        self.plan = plan
        self.submitted: list[Future[Any]] = []
        self.works: list[Any] = []
        self.stopped = False

    def submit(self, function: Task, /, *arguments: Any, **options: Any) -> Future[Any]:
        change = self.plan.get(len(self.submitted))
        self.works.append(arguments[1])
        if change is not None:
            function, arguments = change(function, arguments)
        future = self.inner.submit(function, *arguments, **options)
        self.submitted.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.stopped = True
        self.inner.shutdown(wait, cancel_futures=cancel_futures)


def raising(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
    return truediv, (1, 0)


def lying(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
    return lambda: (replace(hash_range(*arguments), nonce=arguments[1].start), 5), ()


def babbling(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
    return str, ("done",)


def always(change: Change) -> Plan:
    return dict.fromkeys(range(1_000), change)


def small(**settings: Any) -> Master:
    return Master(DoubleSha256(), **{"first_count": 256} | settings)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def block(extra_nonce: int) -> bytes:
    assert extra_nonce == 0
    return BLOCK


def test_the_winner_and_the_tally(pool: ThreadPoolExecutor) -> None:
    assert NONCE is not None
    reports: list[Progress] = []
    with Miner(pool, (ALICE, BOB), slots=2, master=small(), progress=reports.append) as miner:
        assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert [report.total for report in reports] == [
        sum(one.hashes for one in reports[: index + 1]) for index in range(len(reports))
    ]
    assert reports[-1].total >= NONCE + 1
    assert {report.address for report in reports} == {ALICE, BOB}
    paid = dict(miner.master.tally.payouts().entries)
    assert paid.keys() == {ALICE, BOB}
    assert sum(paid.values()) == pytest.approx(reports[-1].total, rel=0.4)


def test_another_hash(pool: ThreadPoolExecutor) -> None:
    expected = KeccakWork().search(BLOCK, 0, 100_000, TARGET, TARGET).nonce
    assert expected is not None
    assert expected != NONCE
    miner = Miner(pool, ALICE, slots=2, master=Master(KeccakWork()))
    assert miner.mine(block, TARGET) == Won(BLOCK, expected, 0)


def test_one_candidate_after_another(pool: ThreadPoolExecutor) -> None:
    miner = Miner(pool, ALICE, slots=2)
    for number in range(5):
        block_hash = keccak256(b"%d" % number)
        expected = DoubleSha256().search(block_hash, 0, 1_000_000, TARGET, TARGET).nonce
        assert expected is not None
        assert miner.mine(lambda _, it=block_hash: it, TARGET) == Won(block_hash, expected, 0)


def test_extra_nonces(pool: ThreadPoolExecutor) -> None:
    blocks = [keccak256(b"candidate %d" % number) for number in range(100)]
    expected = next(
        Won(one, nonce, number)
        for number, one in enumerate(blocks)
        for nonce in DoubleSha256().search(one, 0, 500, 0, TARGET).shares[:1]
    )
    assert expected.extra_nonce > 0
    asked: list[int] = []

    def candidate(extra_nonce: int) -> bytes:
        asked.append(extra_nonce)
        return blocks[extra_nonce]

    miner = Miner(pool, ALICE, slots=2, master=small(nonces=500))
    assert miner.mine(candidate, TARGET) == expected
    assert asked == list(range(len(asked)))


def test_stopping(pool: ThreadPoolExecutor) -> None:
    stop: Future[None] = Future()
    miner = Miner(
        pool, ALICE, slots=2, master=small(), progress=lambda _: stop.done() or stop.set_result(None)
    )
    assert miner.mine(block, NEVER, stop=stop) is None
    assert miner.mine(block, TARGET, stop=stop) is None, "stopped before it began"
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)


def test_tasks_that_raise_cost_their_range_only(pool: ThreadPoolExecutor) -> None:
    executor = Sabotage(pool, {0: raising, 2: raising, 3: raising})
    miner = Miner(executor, ALICE, slots=2, master=small())
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert [work.start for work in executor.works].count(0) == 2
    assert miner.master.workers, "nobody was dismissed for that"


def test_tasks_that_always_raise(pool: ThreadPoolExecutor) -> None:
    executor = Sabotage(pool, always(raising))
    miner = Miner(executor, (ALICE, BOB), slots=2, master=small(max_failures=3))
    with pytest.raises(WorkersLost) as caught:
        miner.mine(block, TARGET)
    assert isinstance(caught.value, ChainStackError)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.liars == ()
    assert len(executor.submitted) <= 3 + 3 + 2
    executor.plan.clear()
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0), "a new job gives everyone a new chance"


@pytest.mark.parametrize("change", [lying, babbling])
def test_a_liar_is_dropped(pool: ThreadPoolExecutor, change: Change) -> None:
    miner = Miner(Sabotage(pool, {0: change}), (ALICE, BOB), slots=2, master=small())
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert miner.master.liars == (ALICE,)
    assert miner.master.tally.work_of(ALICE) == 0
    assert miner.master.tally.work_of(BOB) > 0
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert miner.master.tally.work_of(ALICE) == 0


def test_nothing_but_liars(pool: ThreadPoolExecutor) -> None:
    made: list[Executor] = []
    miner = Miner(
        Sabotage(pool, always(lying)),
        (ALICE, BOB),
        slots=3,
        replace=lambda: made.append(pool) or pool,
    )
    with pytest.raises(WorkersLost) as caught:
        miner.mine(block, TARGET)
    assert sorted(caught.value.liars) == [ALICE, BOB]
    assert made == [], "a fresh executor does not make liars honest"


def test_a_cancelled_task_is_handed_out_again(pool: ThreadPoolExecutor) -> None:
    def meddle(_: Progress) -> None:
        for future in executor.submitted:
            future.cancel()

    executor = Sabotage(pool, {})
    miner = Miner(executor, ALICE, slots=4, master=small(max_failures=1_000), progress=meddle)
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert any(future.cancelled() for future in executor.submitted)


def test_silence_and_a_late_report() -> None:
    """The first task hangs until mining is over, and then reports the truth."""
    release = Event()

    def late(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
        return lambda: (release.wait(30), function(*arguments))[1], ()

    with ThreadPoolExecutor(2) as pool:
        executor = Sabotage(pool, {0: late})
        miner = Miner(executor, (ALICE, BOB), slots=2, master=small(timeout_ms=400, range_ms=20))
        assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
        hashes, tally = miner.master.hashes, miner.master.tally.payouts()
        assert not executor.submitted[0].done()
        starts = [work.start for work in executor.works]
        assert starts.count(0) == 2, "the range was handed out again"
        release.set()
        assert executor.submitted[0].result()[0].hashes == executor.works[0].count
        assert (miner.master.hashes, miner.master.tally.payouts()) == (hashes, tally)
        assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)


def test_a_silent_task_takes_up_its_slot_until_it_comes_back() -> None:
    """Meanwhile the other worker gets all ranges; the late report is not counted."""
    release, stop = Event(), Future[None]()
    alone: list[Progress] = []
    again: list[Progress] = []

    def late(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
        return lambda: (release.wait(30), function(*arguments))[1], ()

    def progress(report: Progress) -> None:
        if release.is_set():
            again.append(report)
            if [one.address for one in again].count(ALICE) == 5 and not stop.done():
                stop.set_result(None)
        elif [work.start for work in executor.works].count(0) == 2:
            alone.append(report)
            if len(alone) == 12:
                release.set()

    with ThreadPoolExecutor(2) as pool:
        executor = Sabotage(pool, {0: late})
        master = small(timeout_ms=400, range_ms=20)
        miner = Miner(executor, (ALICE, BOB), slots=2, master=master, progress=progress)
        try:
            assert miner.mine(block, NEVER, stop=stop) is None
        finally:
            release.set()
    assert [one.address for one in alone].count(ALICE) <= 1, "one may have been on its way"
    starts = sorted((work.start, work.start + work.count) for work in executor.works)
    assert starts[0][0] == starts[1][0] == 0
    assert executor.submitted[0].result()[0].hashes == 256


def hanging(release: Event) -> Plan:
    return always(lambda function, arguments: (release.wait, (30,)))


def test_all_slots_silent() -> None:
    release = Event()
    with ThreadPoolExecutor(2) as pool:
        miner = Miner(Sabotage(pool, hanging(release)), ALICE, slots=2, master=small(timeout_ms=80))
        try:
            with pytest.raises(WorkersLost):
                miner.mine(block, TARGET)
        finally:
            release.set()


def test_all_slots_silent_and_a_fresh_executor(pool: ThreadPoolExecutor) -> None:
    release = Event()
    with ThreadPoolExecutor(2) as stuck:
        fresh = Sabotage(pool, {})
        miner = Miner(
            Sabotage(stuck, hanging(release)),
            (ALICE, BOB),
            slots=2,
            master=small(timeout_ms=300, range_ms=20),
            replace=lambda: fresh,
        )
        try:
            assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
        finally:
            release.set()
        assert not fresh.stopped
        miner.close()
        assert fresh.stopped


def test_fresh_executors_in_vain() -> None:
    """No more than three in a row; each but the last is shut down when the next is made."""
    made: list[Sabotage] = []

    def shut() -> Executor:
        dead = ThreadPoolExecutor(1)
        dead.shutdown()
        made.append(Sabotage(dead, {}))
        return made[-1]

    with Miner(shut(), ALICE, slots=2, replace=shut) as miner:
        with pytest.raises(WorkersLost) as caught:
            miner.mine(block, TARGET)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert [one.stopped for one in made] == [False, True, True, False], "the first is not the miner's"
    assert [one.stopped for one in made] == [False, True, True, True]


class Frail(Sabotage):
    """Takes four tasks, and then no more."""

    def __init__(self) -> None:
        super().__init__(ThreadPoolExecutor(2), {})

    def submit(self, function: Task, /, *arguments: Any, **options: Any) -> Future[Any]:
        if len(self.submitted) == 4:
            raise RuntimeError("worn out")
        return super().submit(function, *arguments, **options)


def test_executors_that_do_some_work_may_be_replaced_for_ever() -> None:
    made: list[Frail] = []

    def frail() -> Executor:
        made.append(Frail())
        return made[-1]

    with Miner(frail(), ALICE, slots=2, master=small(range_ms=1), replace=frail) as miner:
        assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    assert len(made) > 4
    assert [one.stopped for one in made] == [False] + [True] * (len(made) - 1)
    made[0].shutdown()


def test_losers_that_have_not_begun_are_cancelled(pool: ThreadPoolExecutor) -> None:
    assert NONCE is not None

    def slow_above(function: Task, arguments: tuple[Any, ...]) -> tuple[Task, tuple[Any, ...]]:
        wait_s = 0.05 if arguments[1].start > NONCE else 0
        return lambda: (time.sleep(wait_s), function(*arguments))[1], ()

    executor = Sabotage(pool, always(slow_above))
    assert Miner(executor, ALICE, slots=10, master=small()).mine(block, TARGET) == Won(BLOCK, NONCE, 0)
    cancelled = [
        work for work, future in zip(executor.works, executor.submitted, strict=True) if future.cancelled()
    ]
    assert cancelled
    assert min(work.start for work in cancelled) > NONCE


def test_a_closed_executor() -> None:
    dead = ThreadPoolExecutor(1)
    dead.shutdown()
    with pytest.raises(WorkersLost):
        Miner(dead, ALICE, slots=1).mine(block, TARGET)


def test_the_given_executor_is_left_alone(pool: ThreadPoolExecutor) -> None:
    with Miner(pool, ALICE, slots=1) as miner:
        miner.mine(block, TARGET)
    assert pool.submit(int).result() == 0


def test_time_comes_from_the_given_clock(pool: ThreadPoolExecutor) -> None:
    """Each look at this clock is an hour later than the one before, so nobody waits for the time-out."""
    hours, release = iter(range(10**9)), Event()
    miner = Miner(
        Sabotage(pool, hanging(release)),
        ALICE,
        slots=2,
        master=small(timeout_ms=1_000_000),
        clock=lambda: 3_600.0 * next(hours),
    )
    try:
        with pytest.raises(WorkersLost):
            miner.mine(block, TARGET)
        assert not release.is_set()
    finally:
        release.set()
    assert next(hours) < 20


def test_impossible_miners(pool: ThreadPoolExecutor) -> None:
    for addresses, slots in ((ALICE, 0), ((), 1), (b"", 1), ((ALICE, b"\x01"), 2)):
        with pytest.raises(UsageError):
            Miner(pool, addresses, slots=slots)
    miner = Miner(pool, ALICE, slots=1)
    for candidate, target in ((b"", 1), (BLOCK, -1)):
        with pytest.raises(UsageError):
            miner.mine(lambda _, it=candidate: it, target)
    assert miner.mine(block, TARGET) == Won(BLOCK, NONCE, 0)
