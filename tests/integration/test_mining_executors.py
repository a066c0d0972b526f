"""The same mining on threads, processes and a Dask cluster, with every fault really happening."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from operator import truediv
from typing import Any

import pytest

from chainstack_sdk.consensus.mapreduce import Master, Won, WorkRange
from chainstack_sdk.consensus.work import DoubleSha256, Found, is_worked, target_of
from chainstack_sdk.network.cluster import dask_executor
from chainstack_sdk.network.mining import Miner, Progress, WorkersLost
from chainstack_sdk.primitives.keccak import keccak256

ADDRESSES = [bytes([byte]) * 20 for byte in (1, 2)]
DIFFICULTY = 60_000
TARGET = target_of(DIFFICULTY)
BLOCK = keccak256(b"mining 0")
WON = Won(BLOCK, 122_806, 0)

# What tasks become; all of it can be pickled.
FAULTS: dict[str, Callable[[WorkRange], tuple[Callable[..., object], tuple[Any, ...]]]] = {
    "raises": lambda work: (truediv, (1, 0)),
    "lies": lambda work: (tuple, ([Found(work.start, 1, (work.start,)), 5],)),
    "is silent": lambda work: (time.sleep, (1.5,)),
}


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@contextmanager
def cluster() -> Iterator[Executor]:
    """Two worker processes, a scheduler in this one."""
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    local = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1")
    with local, dask_executor(local) as (executor, slots):
        assert slots == 2
        yield executor


class Sabotage(Executor):
    """The first task becomes something else."""

    def __init__(self, inner: Executor, fault: str) -> None:
        self.inner = inner
        self.fault: str | None = fault
        self.works: list[WorkRange] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        self.works.append(arguments[1])
        if self.fault is not None:
            function, arguments = FAULTS[self.fault](arguments[1])
            self.fault = None
        return self.inner.submit(function, *arguments, **options)


def block(_: int) -> bytes:
    return BLOCK


def test_a_bare_loop() -> None:
    assert DoubleSha256().search(BLOCK, 0, 10**6, TARGET, TARGET).nonce == WON.nonce
    assert is_worked(BLOCK, WON.nonce, DIFFICULTY, DoubleSha256())


def check_the_winner(pool: Executor) -> None:
    """It is the bare loop's, and in a space of 5,000 nonces it is of the same candidate."""
    miner = Miner(pool, ADDRESSES, slots=2)
    assert miner.mine(block, TARGET) == WON
    assert {address for address, _ in miner.master.tally.payouts().entries} == set(ADDRESSES)
    short = Miner(pool, ADDRESSES, slots=2, master=Master(DoubleSha256(), nonces=5_000))
    won = short.mine(lambda extra_nonce: keccak256(b"mining %d" % extra_nonce), target_of(8_000))
    expected = next(
        Won(candidate, nonce, extra_nonce)
        for extra_nonce in range(100)
        for candidate in [keccak256(b"mining %d" % extra_nonce)]
        for nonce in DoubleSha256().search(candidate, 0, 5_000, 0, target_of(8_000)).shares[:1]
    )
    assert won == expected


def check_that_a_fault_costs_its_range_only(pool: Executor, fault: str) -> None:
    executor = Sabotage(pool, fault)
    timeout_ms = 1_000 if fault == "is silent" else 30_000
    master = Master(DoubleSha256(), timeout_ms=timeout_ms, range_ms=50)
    miner = Miner(executor, ADDRESSES, slots=2, master=master)
    assert miner.mine(block, TARGET) == WON
    assert [work.start for work in executor.works].count(0) >= 2, "the first range was handed out again"
    assert miner.master.liars == (tuple(ADDRESSES[:1]) if fault == "lies" else ())
    assert miner.master.tally.work_of(ADDRESSES[1]) > 0


def check_a_killed_worker(pool: Executor) -> None:
    """Dask itself hands the range to another worker, and starts a new one."""
    miner = Miner(pool, ADDRESSES, slots=2, progress=kill(pool))
    assert miner.mine(block, TARGET) == WON


@pytest.mark.parametrize("executor", [threads, processes, cluster], ids=["threads", "processes", "dask"])
def test_the_same_on_every_executor(executor: Callable[[], AbstractContextManager[Executor]]) -> None:
    """One test for each, as a cluster takes long to start."""
    with executor() as pool:
        check_the_winner(pool)
        for fault in FAULTS:
            check_that_a_fault_costs_its_range_only(pool, fault)
        if executor is cluster:
            check_a_killed_worker(pool)


def kill(pool: Executor) -> Callable[[Progress], None]:
    """Kill a process of the pool when the first range is done."""
    victim = pool.submit(os.getpid).result()
    assert victim != os.getpid()
    killed: list[int] = []

    def progress(_: Progress) -> None:
        if not killed:
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    return progress


def test_a_killed_process_and_a_fresh_pool() -> None:
    made: list[ProcessPoolExecutor] = []

    def fresh() -> ProcessPoolExecutor:
        made.append(processes())
        return made[-1]

    with (
        processes() as pool,
        Miner(pool, ADDRESSES, slots=2, replace=fresh, progress=kill(pool)) as miner,
    ):
        assert miner.mine(block, TARGET) == WON
        assert len(made) == 1
        assert miner.mine(block, TARGET) == WON
        assert len(made) == 1, "the fresh pool stays"
    with pytest.raises(RuntimeError):
        made[0].submit(os.getpid)


def test_a_killed_process_and_no_other() -> None:
    with processes() as pool:
        miner = Miner(pool, ADDRESSES, slots=2, progress=kill(pool))
        with pytest.raises(WorkersLost) as caught:
            miner.mine(block, TARGET)
        assert isinstance(caught.value.__cause__, BrokenExecutor)
