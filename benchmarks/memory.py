"""What an account that holds coin and a token takes in memory.

One child process makes a chain with many such accounts in a store, by transactions; another opens the store
and reports by how much its resident memory grows: tables, tries, headers and whatever else an open chain
keeps. The blocks stay on disk, so that what is measured is the state and not the history.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, progress, summary
from chainstack_sdk import Account, Chain, ChainConfig, ether
from chainstack_sdk.core import SqliteStore
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.core.transactions import Transaction

PER_BLOCK = 4_000
OWNER = Account.from_key(10**9)
TRANSFER = keccak256(b"transfer(address,uint256)")[:4]


def config() -> ChainConfig:
    """Return the configuration of the chain: all coin is the owner's, old states are dropped."""
    return ChainConfig(funds={OWNER.checksum_address: ether(10**9)}, keep_states=1)


def build(path: str, count: int) -> None:
    """Make a chain in a store on which so many accounts hold coin and tokens."""
    with Chain.open(SqliteStore(path), config()) as chain:
        token = chain.erc20.issue(OWNER, name="Gold", symbol="GLD", supply=count * 10**18).address
        batch: list[Transaction] = []
        for number in range(count):
            holder = keccak256(number.to_bytes(8, "big"))[12:]
            data = TRANSFER + holder.rjust(32, b"\0") + (10**18 - number).to_bytes(32, "big")
            for to, value, call in ((holder, ether(1) + number, b""), (token, 0, data)):
                nonce = chain.nonce(OWNER) + len(batch)
                batch.append(
                    sign_transaction(
                        OWNER,
                        chain_id=chain.chain_id,
                        nonce=nonce,
                        to=to,
                        value=value,
                        data=call,
                        gas=100_000 if call else 21_000,
                        max_fee_per_gas=10**12,
                        max_priority_fee_per_gas=0,
                    )
                )
            if len(batch) >= PER_BLOCK or number == count - 1:
                chain.send_many(batch)
                if len(chain.seal().transactions) != len(batch):
                    raise AssertionError("a transfer was left out of its block")
                batch.clear()


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(path: str) -> None:
    """Open a chain and print how much memory and time that took, as JSON."""
    Chain.in_memory({OWNER: 1})  # whatever is loaded on first use is loaded now
    before, start = resident(), time.process_time()
    with Chain.open(SqliteStore(path), config()) as chain:
        seconds = time.process_time() - start
        print(json.dumps({"bytes": resident() - before, "seconds": seconds, "height": chain.height}))


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def per_account(*, quick: bool) -> Iterator[Figure]:
    """Measure the memory of an open chain in fresh processes."""
    count = 20_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "chain.sqlite")
        progress(f"making {count:,} accounts ")
        _child("build", path, str(count))
        runs = []
        for _ in range(3):
            runs.append(json.loads(_child("measure", path)))
            progress(".")
    progress("\n")
    yield summary(
        f"memory of an account with coin and token, at {count:,}",
        [run["bytes"] / count / 1000 for run in runs],
        unit="kB",
        target=1.5,
        at_most=True,
        note=f"opened from a store in {min(run['seconds'] for run in runs):.1f} s",
    )


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(sys.argv[2], int(sys.argv[3]))
    else:
        measure(sys.argv[2])
