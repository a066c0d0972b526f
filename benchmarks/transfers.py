"""Signed ERC-20 transfers: raw bytes in, blocks of 1,000 with all their roots out."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.evm import balance_slot, tester
from benchmarks.measure import Figure, Rounds, in_turn, progress
from benchmarks.workload import COIN, HOLDING, PER_BLOCK, bare_recovery, run_blocks, transfers
from chainstack_sdk.core.transactions import Transaction, decode_and_recover, decode_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.workload import Transfers

WORKERS = 2


def unknown(work: Transfers, **options: Any) -> Callable[[], int]:
    """Prepare the whole path: the process has never seen the transfers."""
    chain = work.chain(**options)
    work.forgotten()
    return lambda: run_blocks(chain, work.raws)


def recoveries(work: Transfers) -> Callable[[], int]:
    """Prepare the signature recoveries alone."""
    recover = bare_recovery()

    def run() -> int:
        for digest, signature in work.signed:
            recover(digest, signature)
        return len(work.signed)

    return run


def against_recovery(*, quick: bool) -> Iterator[Figure]:
    """Compare the whole path with the recoveries that it cannot do without."""
    work = transfers(3_000 if quick else 10_000)
    rounds = in_turn(lambda: unknown(work), lambda: recoveries(work), 3 if quick else 7)
    ours, bare = rounds.micros()
    yield rounds.figure(
        "transfers, time over bare recovery",
        target=1.6,
        at_most=True,
        note=f"{ours:.0f} us a transfer, {bare:.0f} us a recovery",
    )


def senders_known(*, quick: bool) -> Iterator[Figure]:
    """Compare transfers that this process has signed with bare recoveries."""
    work = transfers(3_000 if quick else 10_000)
    signed = [decode_transaction(raw) for raw in work.raws]

    def prepare() -> Callable[[], int]:
        chain = work.chain()
        work.forgotten()
        work.remember(signed)
        return lambda: run_blocks(chain, work.raws)

    rounds = in_turn(lambda: recoveries(work), prepare, 3 if quick else 7)
    bare, ours = rounds.micros()
    yield rounds.figure(
        "transfers with known senders, rate over bare recovery",
        target=2.0,
        note=f"{ours:.0f} us a transfer, {bare:.0f} us a recovery",
    )


def recovered_ahead(work: Transfers, pool: ProcessPoolExecutor) -> Callable[[], int]:
    """Prepare the whole path with workers that recover a block's senders while the one before is sealed."""
    chain = work.chain()
    work.forgotten()

    def run() -> int:
        stream = decode_and_recover(work.raws, pool)
        while batch := [one for one in islice(stream, PER_BLOCK) if isinstance(one, Transaction)]:
            chain.send_many(batch)
            if len(chain.seal().transactions) != len(batch):
                raise AssertionError("a transfer was left out of its block")
        return len(work.raws)

    return run


def two_workers(*, quick: bool) -> Iterator[Figure]:
    """Compare two recovery processes with none, in wall time."""
    work = transfers(3_000 if quick else 10_000)
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(time.sleep, [0.05] * WORKERS))  # start them
        ways = (
            ("block by block", lambda: unknown(work, executor=pool)),
            ("ahead of sealing", lambda: recovered_ahead(work, pool)),
        )
        for name, helped in ways:
            alone = partial(unknown, work)
            rounds = in_turn(alone, helped, 3 if quick else 9, clock=time.perf_counter)
            yield rounds.figure(
                f"transfers with two recovery workers, {name}, rate over none",
                target=1.4,
                note=_rates(rounds) + ", wall time",
            )


class Evm:
    """eth-tester with the same accounts and tokens; every transfer is sent to it once."""

    def __init__(self, work: Transfers) -> None:
        addresses = [account.address for account in work.accounts]
        self.work = work
        self.tester = tester(work.token, dict.fromkeys(addresses, COIN), dict.fromkeys(addresses, HOLDING))
        self.done = 0

    def next(self, count: int) -> tuple[bytes, ...]:
        """Return transfers that have not been sent yet."""
        self.done += count
        return self.work.raws[self.done - count : self.done]

    def one_by_one(self, count: int) -> Callable[[], int]:
        """Prepare sending to eth-tester as it is used: each transfer is mined at once."""
        batch = ["0x" + raw.hex() for raw in self.next(count)]

        def run() -> int:
            for raw in batch:
                self.tester.send_raw_transaction(raw)
            return count

        return run

    def in_bulk(self, count: int) -> Callable[[], int]:
        """Prepare py-evm's own call for many transactions in one block, without eth-tester around it."""
        batch = self.next(count)
        chain = self.tester.backend.chain

        def run() -> int:
            decode = chain.get_vm().get_transaction_builder().decode
            chain.mine_all([decode(raw) for raw in batch])
            return count

        return run

    def check(self) -> None:
        """Run what was sent on this library's chain too and compare every balance of tokens."""
        chain = self.work.chain()
        run_blocks(chain, self.work.raws[: self.done])
        for account in self.work.accounts:
            slot = balance_slot(account.address)
            ours = chain.storage(self.work.token, slot)
            theirs = self.tester.backend.get_storage(self.work.token, slot)
            if ours != theirs:
                raise AssertionError(f"balances differ: {ours} here, {theirs} on py-evm")


def against_evm(*, quick: bool) -> Iterator[Figure]:
    """Compare with OpenZeppelin's ERC-20 on py-evm: the same transfers, the same balances after them."""
    work = transfers(3_000 if quick else 10_000)
    progress("setting eth-tester up ")
    evm = Evm(work)
    count = 30 if quick else 60
    ways: tuple[tuple[str, Callable[[], Callable[[], int]], float | None], ...] = (
        ("transfers, rate over eth-tester (py-evm)", lambda: evm.one_by_one(count), 100.0),
        ("transfers, rate over py-evm alone, in bulk", lambda: evm.in_bulk(3 * count), None),
    )
    for name, theirs, target in ways:
        rounds = in_turn(theirs, lambda: unknown(work), 3 if quick else 5)
        yield rounds.figure(name, target=target, note=_rates(rounds))
    evm.check()


def _rates(rounds: Rounds) -> str:
    one, other = rounds.micros()
    return f"{1e6 / one:,.0f} and {1e6 / other:,.0f} transfers a second"
