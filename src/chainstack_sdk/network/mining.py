"""Mining on any executor of ``concurrent.futures``: threads, processes, or the machines of a Dask cluster.

The :class:`Miner` drives a :class:`~chainstack_sdk.consensus.mapreduce.Master`: it keeps every slot of the
executor supplied with ranges, brings the results back, and sees to what goes wrong on the way:

===========================  ====================================================================
What happens                 What it costs
===========================  ====================================================================
a task raises                its range, which is handed out again
a task lies                  its range; its address is dropped, what it has proven stays credited
a task is silent             its range after the time-out; its slot waits until the task ends
a process is killed          the ranges that were out; a fresh executor takes them
no slot is left              the executor; a fresh one takes over
===========================  ====================================================================

A fresh executor comes from ``replace``; without it, or when fresh ones do no better, mining ends with
:class:`WorkersLost`. A range is credited once, whoever else may still report it.

Every machine of a cluster must be able to import this package and the hash's class. Nothing can stop a
running task of a thread or process pool: those that are called off run to the end of their range, and one
that never ends holds its thread or process until the program exits, and may hold up that exit.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from chainstack_sdk.consensus.mapreduce import Master, NeedCandidate, Verdict, WorkRange, hash_range
from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.primitives.errors import ChainStackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from chainstack_sdk.consensus.mapreduce import Won
    from chainstack_sdk.consensus.work import Found, WorkHash

_MAX_IN_VAIN = 3
"""How many fresh executors in a row may fail to bring a single range."""


class WorkersLost(ChainStackError):
    """Nobody is left to hash: the executor is broken, its tasks all hang or fail, or every address lied.

    The error that the last failed task raised, if any did, is the cause.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """One more range is done."""

    address: bytes
    """Whose worker did it, 20 bytes."""
    hashes: int
    """How many nonces were hashed in it."""
    total: int
    """How many have been hashed in this job; each counts once."""


@dataclass(slots=True)
class _Slot:
    """One of the things that an executor does at a time."""

    address: bytes
    worker: int
    """Its number with the master."""


class _Task(NamedTuple):
    slot: _Slot
    work: WorkRange


def timed_range(work_hash: WorkHash, work: WorkRange) -> tuple[Found, int]:
    """Hash a range, and say how many milliseconds it took; this is what runs on an executor."""
    start = time.perf_counter_ns()
    found = hash_range(work_hash, work)
    return found, (time.perf_counter_ns() - start) // 1_000_000


class Miner:
    """Mines one candidate after another on an executor.

    Parameters
    ----------
    executor
        Where ranges are hashed; it stays the caller's to shut down. Results must come from
        ``concurrent.futures.Future``, as with Dask's ``client.get_executor(pure=False)``.
    addresses
        Who is credited for the work of the slots, 20 bytes each: one for all, or several in turn.
    slots
        How many tasks the executor runs at a time.
    master
        What divides the work and keeps the tally; by default one for double SHA-256.
    replace
        Makes a fresh executor with as many slots, when the one at hand is broken. The miner shuts it down.
    clock
        Seconds from any start, never going back.
    progress
        Called after each range that counts.

    Raises
    ------
    UsageError
        When there is no slot or no address, or an address has not 20 bytes.
    """

    def __init__(
        self,
        executor: Executor,
        addresses: bytes | Sequence[bytes],
        *,
        slots: int,
        master: Master | None = None,
        replace: Callable[[], Executor] | None = None,
        clock: Callable[[], float] = time.monotonic,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        owners = (addresses,) if isinstance(addresses, bytes) else tuple(addresses)
        if slots < 1 or not owners:
            raise UsageError("mining takes a slot of an executor and an address to credit")
        self.master = Master(DoubleSha256()) if master is None else master
        """What divides the work; its tally knows what is owed to whom."""
        self._executor = executor
        self._own: Executor | None = None
        self._replace = replace
        self._clock = clock
        self._progress = progress
        self._tasks: dict[Future[Any], _Task] = {}
        self._hung: dict[Future[Any], _Slot] = {}
        self._in_vain = 0
        self._broken = False
        self._error: BaseException | None = None
        in_turn = [owners[index % len(owners)] for index in range(slots)]
        self._slots = [_Slot(address, self.master.hire(address)) for address in in_turn]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Shut down what ``replace`` has made, without waiting for tasks that still run."""
        if self._own is not None:
            self._own.shutdown(wait=False)

    def mine(
        self, candidate: Callable[[int], bytes], target: int, *, stop: Future[None] | None = None
    ) -> Won | None:
        """Find the lowest nonce that meets the target.

        It is the same whatever the executor, the number of slots, and the faults on the way. Losing ranges
        are called off; those that run already end within a range's time after the return.

        Parameters
        ----------
        candidate
            Returns the block hash (32 bytes) of the candidate with an extra nonce: 0 first, then 1 when all
            nonces of the first are spent, and so on. Each hash must differ.
        target
            The greatest hash that wins.
        stop
            As soon as this future is done, mining ends: another block has won, say.

        Returns
        -------
        Won or None
            None when it was stopped.

        Raises
        ------
        WorkersLost
            When nobody is left to hash.
        UsageError
            When a candidate's hash or the target is impossible.
        """
        self.master.begin(candidate(0), target)
        self._in_vain, self._broken, self._error = 0, False, None
        self._staff()
        try:
            while (won := self.master.winner) is None and not (stop is not None and stop.done()):
                self._hand_out(candidate)
                if self._broken or not self._tasks:
                    self._renew()
                else:
                    self._wait(stop)
                    self._collect()
            return won
        finally:
            self._call_off(self.master.stop())

    # Handing out

    def _hand_out(self, candidate: Callable[[int], bytes]) -> None:
        """Give ranges to the slots in turn, as many as they take."""
        blocked = [slot.worker for slot in self._hung.values()]
        hungry = [slot for slot in self._slots if slot.worker not in blocked]
        while hungry and not self._broken:
            hungry = [slot for slot in hungry if self._give(slot, candidate)]

    def _give(self, slot: _Slot, candidate: Callable[[int], bytes]) -> bool:
        """Give a slot one more range; tell whether there was one for it."""
        while isinstance(work := self.master.assign(slot.worker, self._now_ms()), NeedCandidate):
            self.master.extend(work.extra_nonce, candidate(work.extra_nonce))
        if work is None:
            return False
        try:
            future = self._executor.submit(timed_range, self.master.work_hash, work)
        except RuntimeError as error:  # broken, or shut down by somebody
            self._broken, self._error = True, error
            return False
        self._tasks[future] = _Task(slot, work)
        return True

    # Bringing back

    def _wait(self, stop: Future[None] | None) -> None:
        """Wait until there is something to see to."""
        deadline_ms = self.master.deadline_ms
        timeout = None if deadline_ms is None else max(deadline_ms - self._now_ms(), 0) / 1_000
        awaited = [*self._tasks, *self._hung]
        wait(awaited if stop is None else [*awaited, stop], timeout, FIRST_COMPLETED)

    def _collect(self) -> None:
        """Take what is done, and give up what has taken too long."""
        for future in [future for future in self._hung if future.done()]:
            del self._hung[future]
        for future in [future for future in self._tasks if future.done()]:
            task = self._tasks.pop(future, None)
            if task is not None:  # not called off by what came before it
                self._take(future, task)
        expired = self.master.expire(self._now_ms())
        for future, task in self._pop(expired):
            if not future.cancel():  # it runs, and takes up its slot
                self._hung[future] = task.slot

    def _take(self, future: Future[Any], task: _Task) -> None:
        """Bring the end of a task before the master."""
        worker, ticket = task.slot.worker, task.work.ticket
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._error = error
            self._broken = self._broken or isinstance(error, BrokenExecutor)
            self._call_off(self.master.failed(worker, ticket))
            return
        before = self.master.hashes
        match future.result():
            case (claim, int(took_ms)):
                pass
            case claim:
                took_ms = 0
        reported = self.master.report(worker, ticket, claim, took_ms)
        self._call_off(reported.void)
        if reported.verdict is Verdict.COUNTED:
            self._in_vain = 0
            if self._progress is not None:
                total = self.master.hashes
                self._progress(Progress(task.slot.address, total - before, total))

    def _call_off(self, void: Sequence[WorkRange]) -> None:
        """Cancel the tasks of ranges that need not be hashed any more."""
        for future, _ in self._pop(void):
            future.cancel()

    def _pop(self, void: Sequence[WorkRange]) -> list[tuple[Future[Any], _Task]]:
        """Remove and return the tasks of some ranges."""
        tickets = frozenset(work.ticket for work in void)
        found = [(future, task) for future, task in self._tasks.items() if task.work.ticket in tickets]
        for future, _ in found:
            del self._tasks[future]
        return found

    # Replacing

    def _renew(self) -> None:
        """Go on with a fresh executor and fresh workers for all slots whose address has not lied."""
        self._in_vain += 1
        honest = [slot for slot in self._slots if slot.address not in self.master.liars]
        if self._replace is None or not honest or self._in_vain > _MAX_IN_VAIN:
            raise WorkersLost("nobody is left to hash", liars=self.master.liars) from self._error
        for slot in honest:
            self._call_off(self.master.dismiss(slot.worker))
        self._hung.clear()
        self.close()
        self._executor = self._own = self._replace()
        self._broken = False
        self._staff()

    def _staff(self) -> None:
        """Hire for every slot without a worker whose address has not lied."""
        for slot in self._slots:
            if slot.worker not in self.master.workers and slot.address not in self.master.liars:
                slot.worker = self.master.hire(slot.address)

    def _now_ms(self) -> int:
        return int(self._clock() * 1_000)
