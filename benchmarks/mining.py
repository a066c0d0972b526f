"""Map-Reduce proof of work on worker processes, beside a bare loop of the same hash."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.measure import in_turn, summary
from chainstack_sdk.consensus.work import DoubleSha256, target_of
from chainstack_sdk.network.mining import Miner
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measure import Figure

ADDRESS = b"\x01" * 20
# the lowest winning nonces are known only so that a search takes a few seconds: 2,194,460 and 478,197
CANDIDATE, DIFFICULTY = keccak256(b"mining benchmark 3"), 1_500_000
CANDIDATE_QUICK, DIFFICULTY_QUICK = keccak256(b"mining benchmark 1"), 300_000


class Recorder(Executor):
    """Notes which nonces the workers hash in each search, whether or not their reports are wanted."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner
        self.searches: list[list[tuple[int, Future[Any]]]] = []
        """For each search, the first nonce of each task, and the task."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Pass on a task whose second argument is a range."""
        future = self.inner.submit(function, *arguments, **options)
        self.searches[-1].append((arguments[1].start, future))
        return future

    def settle(self) -> None:
        """Wait for tasks that run although their search is over."""
        wait([future for tasks in self.searches for _, future in tasks])

    def twice(self) -> list[float]:
        """Return for each search what percentage of its hashes was of nonces hashed before."""
        shares = []
        for tasks in self.searches:
            done = [(start, future.result()[0].hashes) for start, future in tasks if not future.cancelled()]
            done.sort()
            again = [max(start + hashes - later, 0) for (start, hashes), (later, _) in pairwise(done)]
            shares.append(100 * sum(again) / sum(hashes for _, hashes in done))
        return shares


def bare(recorder: Recorder, candidate: bytes, target: int) -> Callable[[], int]:
    """Prepare the search without master and workers: one loop up to the winner."""
    recorder.settle()
    return lambda: DoubleSha256().search(candidate, 0, 1 << 40, target, target).hashes


def mined(recorder: Recorder, miner: Miner, candidate: bytes, target: int) -> Callable[[], int]:
    """Prepare the same search on workers; only hashes up to the winner are counted as work done."""
    recorder.settle()
    recorder.searches.append([])

    def run() -> int:
        won = miner.mine(lambda _: candidate, target)
        if won is None:
            raise AssertionError("nobody has stopped the search, and yet it ended")
        return won.nonce + 1

    return run


def against_a_loop(*, quick: bool) -> Iterator[Figure]:
    """Compare 1 and 2 mining workers with a bare loop; count what was hashed twice."""
    candidate = CANDIDATE_QUICK if quick else CANDIDATE
    target = target_of(DIFFICULTY_QUICK if quick else DIFFICULTY)
    twice: list[float] = []
    for workers in (1, 2):
        with ProcessPoolExecutor(workers) as pool:
            recorder = Recorder(pool)
            miner = Miner(recorder, ADDRESS, slots=workers)
            mined(recorder, miner, candidate, target)()  # starts the processes and finds their pace
            rounds = in_turn(
                partial(bare, recorder, candidate, target),
                partial(mined, recorder, miner, candidate, target),
                3 if quick else 5,
                clock=time.perf_counter,
            )
        twice += recorder.twice()
        alone, helped = rounds.micros()
        yield rounds.figure(
            f"mining with {workers} worker{'s' if workers > 1 else ''}, rate over a bare loop",
            note=f"{1e6 / alone:,.0f} hashes a second in the loop, {1e6 / helped:,.0f} mined, wall time",
        )
    if any(twice):
        raise AssertionError(f"nonces were hashed twice: {max(twice):.2f}% in the worst search")
    yield summary("mining, hashes of nonces hashed before", twice, unit="%", target=0.0, at_most=True)
