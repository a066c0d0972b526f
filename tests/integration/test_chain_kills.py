"""Chains whose process is killed with SIGKILL while it seals blocks, at random moments.

A child seals blocks of signed transfers for ever and tells the height and state root of each. However it
dies, the reopened chain stands at a whole block, none that was told is lost, a second node that runs every
block again agrees with it, and it goes on.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk import Chain, ChainConfig, ether
from chainstack_sdk.core import GenesisAccount, LmdbStore, SqliteStore, state_root
from chainstack_sdk.core.config import AccountConfig
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE
from chainstack_sdk.primitives.rlp import rlp_decode
from chainstack_sdk.testing import accounts

if TYPE_CHECKING:
    from pathlib import Path

    from chainstack_sdk.core.interfaces import KeyValueStore

PEOPLE = accounts(6)
FACTORY = AccountConfig(nonce=1, code=FACTORY_CODE)

CHILD = """
import random, sys
from chainstack_sdk import Chain, ChainConfig
from chainstack_sdk.core import store as stores
from chainstack_sdk.testing import accounts

kind, path, config, seed = sys.argv[1:]
options = {"map_size": 1 << 16} if kind == "LmdbStore" else {}
chain = Chain.open(getattr(stores, kind)(path, **options), ChainConfig.load(config))
people, chance = accounts(6), random.Random(int(seed))
if chain.height == 0:
    chain.erc20.issue(people[0], name="Gold", symbol="GLD", supply=10**9)
gold = chain.receipts(1)[0].contract_address
transfer = chain.erc20.at(gold).contract.abi_function("transfer")
while True:
    for _ in range(chance.randrange(12)):
        sender, receiver = chance.sample(people, 2)
        if chance.random() < 0.5:
            chain.send(chain.sign(sender, receiver, value=chance.randrange(10**9), gas=21_000))
        else:
            data = transfer.encode_call(receiver.address, chance.randrange(100))
            chain.send(chain.sign(sender, gold, data=data, gas=80_000))
    block = chain.seal()
    print(block.height, block.state_root.hex(), flush=True)
"""


def seal_until_killed(kind: str, path: Path, config: Path, chance: random.Random) -> tuple[int, str]:
    """Return the last height and state root that the child told before it was killed."""
    command = [sys.executable, "-c", CHILD, kind, str(path), str(config), str(chance.getrandbits(32))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        told = [child.stdout.readline()]
        time.sleep(chance.uniform(0, 0.1))
        child.kill()
        told += child.stdout.read().splitlines(keepends=True)
    assert child.returncode == -9
    height, root = [line for line in told if line.endswith(b"\n")][-1].split()
    return int(height), root.decode()


def stored_accounts(store: KeyValueStore) -> dict[bytes, GenesisAccount]:
    """Every account of a flat store, read without the library's own reader."""
    found = {}
    for key, value in store.iterate(b"a"):
        nonce, balance, code_hash = rlp_decode(value)
        code = store.get(b"c" + code_hash) or b""  # type: ignore[operator]
        slots = {
            int.from_bytes(slot[21:], "big"): int.from_bytes(content, "big")
            for slot, content in store.iterate(b"s" + key[1:])
        }
        numbers = (int.from_bytes(number, "big") for number in (nonce, balance))  # type: ignore[arg-type]
        found[key[1:]] = GenesisAccount(*numbers, code, slots)
    return found


def check_survival(kind: str, archive: bool, folder: Path, kills: int, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    config = ChainConfig(
        funds={one.checksum_address: ether(1_000) for one in PEOPLE},
        accounts={"0x" + FACTORY_ADDRESS.hex(): FACTORY},
        archive=archive,
    )
    config.save(folder / "config.json")
    twin = Chain.in_memory(config=config)
    for _ in range(kills):
        height, root = seal_until_killed(kind, folder / "chain.db", folder / "config.json", chance)
        store = (SqliteStore if kind == "SqliteStore" else LmdbStore)(folder / "chain.db")
        if not archive:
            whole = state_root(stored_accounts(store))
        with Chain.open(store, config) as chain:
            assert chain.height in (height, height + 1)
            assert chain.block(height).state_root.hex() == root
            for number in range(twin.height + 1, chain.height + 1):
                assert twin.append(chain.block(number)) == chain.receipts(number)
            assert chain.head == twin.head
            assert chain.blockchain.state.root == twin.blockchain.state.root
            assert archive or whole == twin.head.state_root
            for who in PEOPLE:
                chain.prove_account(who).verify(twin.head.state_root)
                assert (chain.balance(who), chain.nonce(who)) == (twin.balance(who), twin.nonce(who))
            chain.send(chain.sign(PEOPLE[0], PEOPLE[1], value=1, gas=21_000))
            twin.append(chain.seal())
    assert twin.height > 2 * kills
    assert twin.supply() == ether(1_000) * len(PEOPLE)


@pytest.mark.parametrize(
    ("kind", "archive", "kills"),
    [("SqliteStore", False, 4), ("LmdbStore", False, 3), ("SqliteStore", True, 2), ("LmdbStore", True, 1)],
)
def test_kills(kind: str, archive: bool, kills: int, tmp_path: Path) -> None:
    check_survival(kind, archive, tmp_path, kills, seed=20_260_101)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["SqliteStore", "LmdbStore"])
@pytest.mark.parametrize("archive", [False, True])
def test_many_kills(kind: str, archive: bool, tmp_path: Path) -> None:
    check_survival(kind, archive, tmp_path, kills=50, seed=random.SystemRandom().getrandbits(32))
