"""Where the time of a transfer goes, by sampling.

A timer interrupts the whole path every millisecond and notes in which stage it is. Unlike a tracing
profiler this slows nothing down and so distorts nothing.
"""

from __future__ import annotations

import signal
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, progress, timed
from benchmarks.transfers import unknown
from benchmarks.workload import transfers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

INTERVAL = 0.001
STAGES = {
    "recover the sender": ("keys.recover_many",),
    "decode": ("decode.decode_many",),
    "hand over, remember": ("senders._with_senders",),
    "admit to the pool": ("writer._admit",),
    "take from the pool": ("mempool.take", "mempool.on_block"),
    "execute": ("execution.apply", "execution.close"),
    "state root": ("state.commit",),
    "transactions root": ("validation.transactions_root",),
    "receipts root": ("validation.receipts_root",),
    "header, ledger": ("writer.seal",),
}
"""Module and function; the innermost one that is running counts."""


class Sampler:
    """Counts in which stage the program is, a thousand times a second."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._stage_of = {name: stage for stage, names in STAGES.items() for name in names}

    def __enter__(self) -> Sampler:
        self._before = signal.signal(signal.SIGALRM, self._sample)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            module = code.co_filename.rpartition("/")[2].removesuffix(".py")
            stage = self._stage_of.get(f"{module}.{code.co_name}")
            if stage is not None:
                self.counts[stage] += 1
                return
            frame = frame.f_back
        self.counts["anything else"] += 1


def shares(*, quick: bool) -> Iterator[Figure]:
    """Return each stage's share of the whole path, in per cent."""
    work = transfers(3_000 if quick else 10_000)
    sampler = Sampler()

    def prepare() -> Callable[[], int]:
        run = unknown(work)

        def sampled() -> int:
            with sampler:
                return run()

        return sampled

    times = []
    for _ in range(3 if quick else 6):
        times.append(timed(prepare))
        progress(".")
    progress("\n")
    samples = sum(sampler.counts.values())
    for stage in (*STAGES, "anything else"):
        share = sampler.counts[stage] / samples
        error = 2 * (share * (1 - share) / samples) ** 0.5  # two standard deviations of the sampling
        yield Figure(
            f"share of a transfer: {stage}",
            100 * share,
            100 * max(0.0, share - error),
            100 * (share + error),
            unit="%",
            note=f"{share * median(times) * 1e6:.1f} us",
        )
