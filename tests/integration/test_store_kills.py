"""Stores whose process is killed with SIGKILL while it writes, at random moments.

A child writes numbered batches for ever, each touching many keys, and tells each number once the batch
returned. However it dies, the reopened store holds one whole batch, and none that was told is lost.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.store import LmdbStore, SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from chainstack_sdk.core import store

kind, path = sys.argv[1:]
options = {"map_size": 1 << 16} if kind == "LmdbStore" else {}
with getattr(store, kind)(path, **options) as opened:
    number = int.from_bytes(opened.get(b"number") or b"", "big")
    while True:
        number += 1
        told = number.to_bytes(8, "big")
        puts = {b"key %02d" % slot: told * (1 + 7 * slot * slot) for slot in range(40)}
        puts[b"only " + told] = told
        opened.write_batch({**puts, b"number": told}, deletes=[b"only " + (number - 1).to_bytes(8, "big")])
        print(number, flush=True)
"""


def write_until_killed(kind: str, path: Path, delay: float) -> int:
    """Return the last number that the child told before it was killed."""
    with subprocess.Popen([sys.executable, "-c", WRITER, kind, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        told = [child.stdout.readline()]
        time.sleep(delay)
        child.kill()
        told += child.stdout.read().splitlines(keepends=True)
    assert child.returncode == -9
    return int([line for line in told if line.endswith(b"\n")][-1])


def check_survival(
    store_type: type[SqliteStore] | type[LmdbStore], path: Path, kills: int, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(kills):
        told = write_until_killed(store_type.__name__, path, chance.uniform(0, 0.06))
        with store_type(path) as store:
            rows = dict(store.iterate())
            number = rows.pop(b"number")
            assert int.from_bytes(number, "big") in (told, told + 1)
            assert rows.pop(b"only " + number) == number
            assert rows == {b"key %02d" % slot: number * (1 + 7 * slot * slot) for slot in range(40)}


@pytest.mark.parametrize("store_type", [SqliteStore, LmdbStore])
def test_kills(store_type: type[SqliteStore] | type[LmdbStore], tmp_path: Path) -> None:
    check_survival(store_type, tmp_path / "chain.db", kills=5, seed=20_240_607)


@pytest.mark.long
@pytest.mark.parametrize("store_type", [SqliteStore, LmdbStore])
def test_many_kills(store_type: type[SqliteStore] | type[LmdbStore], tmp_path: Path) -> None:
    check_survival(store_type, tmp_path / "chain.db", kills=100, seed=random.SystemRandom().getrandbits(32))
