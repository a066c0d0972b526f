"""Chains in every store, flat and as archives: reopened they are the same, damaged they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk import Chain, ChainConfig, InvalidInput, UsageError, ether
from chainstack_sdk.core import LmdbStore, MemoryStore, SqliteStore
from chainstack_sdk.testing import accounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chainstack_sdk.core.interfaces import KeyValueStore

ALICE, BOB, CAROL = accounts(3)


def config(archive: bool) -> ChainConfig:
    return ChainConfig(funds={ALICE.checksum_address: ether(10)}, archive=archive)


class Disk:
    """Opens one and the same store again and again."""

    def __init__(self, kind: str, path: Path, archive: bool) -> None:
        self.kind, self.path, self.archive = kind, path, archive
        self.memory: dict[bytes, bytes] = {}

    def store(self) -> KeyValueStore:
        if self.kind == "memory":
            store = MemoryStore()
            store.write_batch(self.memory)
            return store
        return SqliteStore(self.path) if self.kind == "sqlite" else LmdbStore(self.path, map_size=1 << 20)

    def open(self) -> Chain:
        return Chain.open(self.store(), config(self.archive), auto_seal=True)

    def close(self, chain: Chain) -> None:
        self.memory = dict(chain.blockchain.ledger._store.iterate())  # type: ignore[attr-defined]
        chain.close()


@pytest.fixture(params=["memory", "sqlite", "lmdb"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["flat", "archive"])
def disk(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Disk:
    return Disk(kind, tmp_path / "chain.db", request.param)


def issue(chain: Chain) -> None:
    chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)


def spend(chain: Chain) -> None:
    token = chain.erc20.at(chain.receipts(2)[0].contract_address or b"")
    token.transfer(ALICE, BOB, 10)
    token.transfer(BOB, CAROL, 10)


STEPS: list[Callable[[Chain], object]] = [
    lambda chain: chain.transfer(ALICE, BOB, ether(1)),
    issue,
    spend,
    lambda chain: chain.seal(),
    lambda chain: chain.transfer(BOB, CAROL, 3),
]


def picture(chain: Chain) -> list[object]:
    """All that a chain answers, block by block."""
    state = chain.blockchain.state
    told: list[object] = [chain.height, state.root, chain.blockchain.history.root, chain.clock.now_ms()]
    for height in range(chain.height + 1):
        block = chain.block(height)
        told += [block, chain.receipts(height), chain.block(block.hash).hash]
        told += [chain.receipt(one.hash) for one in block.transactions]
        told += [
            (chain.balance(who, block=height), chain.nonce(who, block=height)) for who in (ALICE, BOB, CAROL)
        ]
    told += [(log.height, log.log_index, log.log) for log in chain.logs()]
    return told


def test_a_reopened_chain_is_the_same(disk: Disk) -> None:
    twin = Chain.in_memory(config=config(False), auto_seal=True)
    for step in STEPS:
        chain = disk.open()
        step(chain)
        step(twin)
        assert picture(chain) == picture(twin)
        disk.close(chain)
        chain = disk.open()
        assert picture(chain) == picture(twin)
        for who in (ALICE, BOB):
            chain.prove_account(who).verify(twin.head.state_root)
        disk.close(chain)


def test_undoing_goes_on_after_a_restart(disk: Disk) -> None:
    twin = Chain.in_memory(config=config(False), auto_seal=True)
    pictures = [picture(twin)[1:]]
    chain = disk.open()
    for step in STEPS:
        step(chain)
        for height in range(twin.height + 1, chain.height + 1):
            twin.append(chain.block(height))
            pictures.append(picture(twin)[1:])
    for height in range(chain.height - 1, -1, -1):
        disk.close(chain)
        chain = disk.open()
        chain.blockchain.undo()
        disk.close(chain)
        chain = disk.open()
        assert chain.height == height
        assert picture(chain)[1:] == pictures[height]
    for height in range(1, twin.height + 1):
        chain.append(twin.block(height))
    assert picture(chain) == picture(twin)
    disk.close(chain)


def test_a_snapshot_outlives_many_blocks(disk: Disk) -> None:
    chain = disk.open()
    STEPS[0](chain)
    snapshot, before = chain.snapshot(), picture(chain)
    for step in STEPS[1:]:
        step(chain)
    chain.revert(snapshot)
    assert picture(chain) == before
    disk.close(chain)
    assert picture(disk.open()) == before


def test_exports_are_equal(disk: Disk, tmp_path: Path) -> None:
    chain = disk.open()
    for step in STEPS:
        step(chain)
    chain.export(tmp_path / "export")
    expected = picture(chain)
    disk.close(chain)
    again = disk.open()
    again.export(tmp_path / "again")
    assert (tmp_path / "export").read_bytes() == (tmp_path / "again").read_bytes()
    assert picture(Chain.load(tmp_path / "export")) == expected


def test_another_genesis_is_refused_and_nothing_changed(disk: Disk) -> None:
    chain = disk.open()
    STEPS[0](chain)
    expected = picture(chain)
    disk.close(chain)
    for other in ({"chain_id": 7}, {"base_fee": 1}, {"funds": {}}, {"archive": not disk.archive}):
        store = disk.store()
        with pytest.raises(UsageError):
            Chain.open(store, config(disk.archive).model_copy(update=other))
        store.close()
    assert picture(disk.open()) == expected


def flip(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1 << at % 8]) + value[at + 1 :] if value else b"\x01"


@pytest.mark.parametrize("archive", [False, True], ids=["flat", "archive"])
def test_any_damaged_entry_is_noticed_or_harmless(archive: bool) -> None:
    """An entry lost, emptied or with a bit turned: no question is answered wrongly."""
    disk = Disk("memory", None, archive)  # type: ignore[arg-type]
    chain = disk.open()
    for step in STEPS[:3]:
        step(chain)
    disk.close(chain)
    whole, truth = dict(disk.memory), {repr(fact) for fact in picture(disk.open())}
    noticed = 0
    for key, value in whole.items():
        damages = [flip(value, 0), flip(value, len(value) // 2), flip(value, len(value) - 1), b"", None]
        for damaged in damages:
            disk.memory = {**whole, key: damaged or b""}
            if damaged is None:
                del disk.memory[key]
            try:
                told = {repr(fact) for fact in picture(disk.open())}
            except InvalidInput:
                noticed += 1
            except UsageError:
                assert key[:1] in b"mitd"  # others are found by it: what it led to is not there
                noticed += 1
            else:
                assert told <= truth
    assert noticed > 3 * len(whole)
