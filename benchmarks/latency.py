"""One transaction at a time: from signed bytes to the receipt, in a block of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Figure, in_turn
from benchmarks.workload import bare_recovery, transfers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.workload import Transfers

BATCH = 500


def one_by_one(work: Transfers) -> Callable[[], int]:
    """Prepare a chain that seals each transfer at once."""
    chain = work.chain()
    chain.auto_seal = True
    work.forgotten()

    def run() -> int:
        for raw in work.raws[:BATCH]:
            if not chain.receipt(chain.send(raw)).succeeded:
                raise AssertionError("a transfer failed")
        return BATCH

    return run


def recoveries(work: Transfers) -> Callable[[], int]:
    """Prepare the recoveries of the same transfers."""
    recover = bare_recovery()

    def run() -> int:
        for digest, signature in work.signed[:BATCH]:
            recover(digest, signature)
        return BATCH

    return run


def bytes_to_receipt(*, quick: bool) -> Iterator[Figure]:
    """Compare the time from bytes to receipt with a bare recovery."""
    work = transfers(3_000 if quick else 10_000)
    rounds = in_turn(lambda: one_by_one(work), lambda: recoveries(work), 5 if quick else 11)
    ours, bare = rounds.micros()
    yield rounds.figure(
        "one transfer to a block, bytes to receipt, time over bare recovery",
        target=4.0,
        at_most=True,
        note=f"{ours:.0f} us, {bare:.0f} us a recovery",
    )
