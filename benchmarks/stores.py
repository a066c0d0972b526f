"""What durability and JSON-RPC cost: the same transfers, by other ways. Without targets."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.evm import BLOCK_GAS_LIMIT, CHAIN_ID
from benchmarks.measure import Figure, in_turn
from benchmarks.transfers import unknown
from benchmarks.workload import PER_BLOCK, run_blocks, transfers
from chainstack_sdk import Chain, ChainConfig
from chainstack_sdk.core import LmdbStore, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.workload import Transfers

WAYS: tuple[tuple[str, type[SqliteStore] | type[LmdbStore], bool], ...] = (
    ("SQLite", SqliteStore, False),
    ("LMDB", LmdbStore, False),
    ("LMDB, as an archive", LmdbStore, True),
)


def durable(*, quick: bool) -> Iterator[Figure]:
    """Compare chains in stores, one durable write a block, with a chain in memory; in wall time."""
    work = transfers(3_000)
    for name, store, archive in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            paths = (str(Path(folder) / str(number)) for number in count())
            rounds = in_turn(
                partial(_stored, work, store, paths, archive),
                partial(unknown, work),
                3 if quick else 5,
                clock=time.perf_counter,
            )
        stored, memory = rounds.micros()
        yield rounds.figure(
            f"transfers kept in {name}, wall time over in memory",
            note=f"{stored:.0f} us and {memory:.0f} us a transfer",
        )


def _stored(
    work: Transfers, store: type[SqliteStore] | type[LmdbStore], paths: Iterator[str], archive: bool
) -> Callable[[], int]:
    config = ChainConfig(
        chain_id=CHAIN_ID,
        gas_limit=BLOCK_GAS_LIMIT,
        archive=archive,
        funds={account.checksum_address: wei for account, wei in work.funds.items()},
    )
    chain = work.issued(Chain.open(store(next(paths)), config))
    work.forgotten()

    def run() -> int:
        with chain:
            return run_blocks(chain, work.raws)

    return run


def _by_rpc(work: Transfers) -> Callable[[], int]:
    chain = work.chain()
    work.forgotten()
    requests = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
        for number, raw in enumerate(work.raws)
    ]

    def run() -> int:
        for start in range(0, len(requests), PER_BLOCK):
            for request in requests[start : start + PER_BLOCK]:
                if "error" in chain.rpc(request):
                    raise AssertionError("a transfer was refused")
            chain.seal()
        return len(requests)

    return run


def json_rpc(*, quick: bool) -> Iterator[Figure]:
    """Compare transfers sent by ``eth_sendRawTransaction`` in process with ``send_many``."""
    work = transfers(3_000)
    rounds = in_turn(lambda: _by_rpc(work), lambda: unknown(work), 3 if quick else 5)
    ours, plain = rounds.micros()
    yield rounds.figure(
        "transfers by eth_sendRawTransaction in process, time over send_many",
        note=f"{ours:.0f} us and {plain:.0f} us a transfer",
    )
