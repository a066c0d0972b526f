"""Making chains, going back, files, clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk import Chain, ChainConfig, InvalidInput, ManualClock, UsageError, ether
from chainstack_sdk.core import Genesis, GenesisAccount, MemoryStore, ProposerFees
from chainstack_sdk.core.config import AccountConfig
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.machines import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Registry, default_registry
from chainstack_sdk.testing import FixedFees, NaiveTrie, ScriptedEngine, accounts, decide

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB, CAROL = accounts(3)
CONFIG = ChainConfig(funds={ALICE.checksum_address: ether(10)})


def new_chain(**options: object) -> Chain:
    return Chain.in_memory({ALICE: ether(10)}, **options)  # type: ignore[arg-type]


# Making chains -------------------------------------------------------------------------------------------


def test_defaults() -> None:
    chain = Chain.in_memory()
    genesis = chain.blockchain.genesis
    factory, deployer = (GenesisAccount(nonce=1, code=code) for code in (FACTORY_CODE, DEPLOYER_CODE))
    assert genesis == Genesis(accounts={FACTORY_ADDRESS: factory, DEPLOYER_ADDRESS: deployer})
    assert repr(chain) == "<Chain 31337 at height 0>"
    assert isinstance(chain.blockchain.fees, ProposerFees)
    assert chain.engine.name == genesis.engine == "instant"
    chain.close()


def test_the_genesis_names_the_engine() -> None:
    assert new_chain(engine=ScriptedEngine()).blockchain.genesis.engine == "scripted"
    with pytest.raises(UsageError, match="another engine"):
        Chain.in_memory(config=CONFIG, engine=ScriptedEngine())
    scripted = CONFIG.model_copy(update={"engine": "scripted"})
    assert Chain.in_memory(config=scripted, engine=ScriptedEngine()).height == 0
    with pytest.raises(UsageError, match="no engine of this name"):
        Chain.in_memory(config=scripted)


def test_options() -> None:
    registry = Registry()
    chain = Chain.in_memory(
        {ALICE: 5, BOB.address: 6, CAROL.checksum_address: 7},
        chain_id=7,
        gas_limit=10**6,
        base_fee=9,
        registry=registry,
        fees=FixedFees(),
    )
    genesis = chain.blockchain.genesis
    assert (genesis.chain_id, genesis.gas_limit, genesis.base_fee) == (7, 10**6, 9)
    assert [chain.balance(who) for who in (ALICE, BOB, CAROL)] == [5, 6, 7]
    assert chain.registry is registry


def test_a_configuration_says_it_all() -> None:
    config = ChainConfig(
        chain_id=7,
        funds={ALICE.checksum_address: ether(1)},
        accounts={BOB.checksum_address: AccountConfig(nonce=3, balance=4)},
        burn_base_fee=True,
        keep_states=1,
    )
    chain = Chain.in_memory(config=config)
    assert (chain.chain_id, chain.nonce(BOB), chain.balance(BOB)) == (7, 3, 4)
    supply = chain.supply()
    chain.transfer(ALICE, CAROL, 1)
    assert chain.supply() == supply - 21_000 * chain.head.header.base_fee
    chain.seal()
    assert chain.balance(CAROL, block=1) == 1
    with pytest.raises(UsageError, match="pruned"):
        chain.balance(CAROL, block=0)


def test_funds_come_from_one_place() -> None:
    with pytest.raises(UsageError, match="not both"):
        Chain.in_memory({ALICE: 1}, config=CONFIG)
    with pytest.raises(UsageError, match="twice"):
        Chain.in_memory({ALICE: 1, ALICE.address: 2})
    for funds in ({"alice": 1}, {ALICE: -1}, {ALICE: 1 << 256}):
        with pytest.raises(UsageError):
            Chain.in_memory(funds)


def test_a_genesis_may_place_the_factory_itself() -> None:
    placed = AccountConfig(nonce=1, balance=5, code=FACTORY_CODE)
    config = ChainConfig(accounts={"0x" + FACTORY_ADDRESS.hex(): placed})
    assert Chain.in_memory(config=config).balance(FACTORY_ADDRESS) == 5


def test_another_trie_gives_the_same_chain() -> None:
    fast, naive = new_chain(), new_chain(new_trie=NaiveTrie)
    assert naive.head == fast.head
    assert naive.transfer(ALICE, BOB, 1) == fast.transfer(ALICE, BOB, 1)
    assert naive.head == fast.head


# Stores --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("archive", [False, True])
def test_a_store_is_taken_up_where_it_was_left(archive: bool) -> None:
    store, config = MemoryStore(), CONFIG.model_copy(update={"archive": archive})
    chain = Chain.open(store, config, auto_seal=True)
    chain.transfer(ALICE, BOB, 5)
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    again = Chain.open(store, config)
    assert again.head == chain.head
    assert again.balance(BOB) == 5
    assert again.erc20.at(token.address).balance_of(ALICE) == 100
    assert again.clock.now_ms() == chain.head.timestamp_ms
    assert again.seal().height == 3


def test_a_store_of_another_chain() -> None:
    for change, told in (({"chain_id": 7}, "another genesis"), ({"archive": True}, "archive")):
        store = MemoryStore()
        Chain.open(store, CONFIG)
        with pytest.raises(UsageError, match=told):
            Chain.open(store, CONFIG.model_copy(update=change))
        with pytest.raises(UsageError, match="closed"):  # the chain owned it and did not come to be
            store.get(b"m")


def test_how_much_is_kept_may_change() -> None:
    store = MemoryStore()
    chain = Chain.open(store, CONFIG, auto_seal=True)
    for _ in range(4):
        chain.transfer(ALICE, BOB, 1)
    chain = Chain.open(store, CONFIG.model_copy(update={"keep_states": 2}), auto_seal=True)
    assert chain.balance(BOB, block=0) == 0
    chain.transfer(ALICE, BOB, 1)
    assert chain.balance(BOB, block=3) == 3
    with pytest.raises(UsageError, match="pruned"):
        chain.balance(BOB, block=2)


def test_closing() -> None:
    store = MemoryStore()
    with Chain.open(store, CONFIG) as chain:
        assert chain.height == 0
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")


# Files ---------------------------------------------------------------------------------------------------


def test_a_file_makes_the_same_chain(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    chain = new_chain(auto_seal=True, chain_id=7)
    chain.transfer(ALICE, BOB, 5)
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    chain.export(tmp_path / "chain", progress=lambda done, all_: told.append((done, all_)))
    copy = Chain.load(
        tmp_path / "chain", progress=lambda done, all_: told.append((done, all_)), auto_seal=True
    )
    assert told == [(1, 2), (2, 2)] * 2
    assert copy.head == chain.head
    assert copy.chain_id == 7
    assert copy.erc20.at(token.address).balance_of(ALICE) == 100
    assert copy.clock.now_ms() == chain.clock.now_ms()
    assert copy.transfer(ALICE, BOB, 1) == chain.transfer(ALICE, BOB, 1)
    assert copy.head == chain.head


def test_a_loaded_chain_has_the_parts_it_is_given(tmp_path: Path) -> None:
    registry, engine = default_registry(), ScriptedEngine([(), decide()], name="instant")
    chain = new_chain(fees=FixedFees())
    chain.transfer(ALICE, BOB, 5)
    chain.export(str(tmp_path / "chain"))
    with pytest.raises(InvalidInput, match="state root"):
        Chain.load(tmp_path / "chain")
    copy = Chain.load(str(tmp_path / "chain"), fees=FixedFees(), registry=registry, engine=engine)
    assert copy.head == chain.head
    assert copy.registry is registry
    assert engine.inputs == [BlockCommitted(1, chain.head.hash)]
    assert copy.seal().height == 2


@pytest.mark.parametrize("archive", [False, True])
def test_a_file_can_be_loaded_into_a_store(tmp_path: Path, archive: bool) -> None:
    chain = new_chain(auto_seal=True)
    chain.transfer(ALICE, BOB, 5)
    chain.export(tmp_path / "chain")
    store = MemoryStore()
    copy = Chain.load(tmp_path / "chain", store=store, archive=archive)
    assert copy.head == chain.head
    copy.seal()
    again = Chain.open(store, CONFIG.model_copy(update={"archive": archive}))
    assert (again.height, again.head) == (2, copy.head)
    with pytest.raises(UsageError, match="blocks already"):
        Chain.load(tmp_path / "chain", store=store, archive=archive)
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")


def test_a_store_is_closed_when_nothing_comes_of_it(tmp_path: Path) -> None:
    (tmp_path / "chain").write_bytes(b"junk")
    store = MemoryStore()
    with pytest.raises(InvalidInput):
        Chain.load(tmp_path / "chain", store=store)
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")


def test_a_damaged_file(tmp_path: Path) -> None:
    chain = new_chain()
    chain.transfer(ALICE, BOB, 5)
    chain.export(tmp_path / "chain")
    data = (tmp_path / "chain").read_bytes()
    for damaged in (b"", data[:-1], data + b"\x00", data[:-1] + bytes([data[-1] ^ 1])):
        (tmp_path / "chain").write_bytes(damaged)
        with pytest.raises(InvalidInput):
            Chain.load(tmp_path / "chain")


# Going back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "store", "archive"])
def test_going_back_to_a_snapshot(kind: str) -> None:
    if kind == "memory":
        chain = new_chain()
    else:
        chain = Chain.open(MemoryStore(), CONFIG.model_copy(update={"archive": kind == "archive"}))
    chain.transfer(ALICE, BOB, 1)
    waiting = chain.send(chain.sign(ALICE, BOB, value=2))
    snapshot = chain.snapshot()
    before = (chain.head, chain.clock.now_ms(), chain.blockchain.state.root, chain.blockchain.history.root)
    for _ in range(2):  # a snapshot may be used more than once
        assert isinstance(chain.clock, ManualClock)
        chain.clock.advance(1_000)
        chain.transfer(ALICE, BOB, 3)
        chain.seal()
        assert chain.balance(BOB) == 6
        chain.revert(snapshot)
        state = chain.blockchain
        assert (chain.head, chain.clock.now_ms(), state.state.root, state.history.root) == before
        assert [one.hash for one in chain.pool] == [waiting]
        assert chain.balance(BOB) == 1
    assert len(chain.seal().transactions) == 1


def test_a_snapshot_of_now_brings_back_the_pool() -> None:
    chain = new_chain()
    snapshot = chain.snapshot()
    chain.send(chain.sign(ALICE, BOB, value=1))
    chain.revert(snapshot)
    assert len(chain.pool) == 0


def test_another_clock_is_left_alone() -> None:
    class Ticking:
        def __init__(self) -> None:
            self.now = 10**13

        def now_ms(self) -> int:
            return self.now

        def next_block_ms(self, parent_ms: int) -> int:
            self.now += 1
            return self.now

    clock = Ticking()
    chain = new_chain(clock=clock)
    snapshot = chain.snapshot()
    chain.seal()
    chain.revert(snapshot)
    assert clock.now == 10**13 + 1


def test_the_engine_follows_back() -> None:
    engine = ScriptedEngine([decide(), (), (), decide()])
    chain = new_chain(engine=engine)
    genesis = chain.head.hash
    snapshot = chain.snapshot()
    chain.seal()
    chain.revert(snapshot)
    assert engine.inputs[-1] == BlockCommitted(0, genesis)
    assert chain.seal().height == 1


def test_snapshots_that_lead_nowhere() -> None:
    chain = new_chain()
    chain.seal()
    foreign = chain.snapshot()
    chain.transfer(ALICE, BOB, 1)
    later = chain.snapshot()
    other = new_chain(chain_id=7)
    other.seal()
    with pytest.raises(UsageError, match="past"):
        other.revert(foreign)
    with pytest.raises(UsageError, match="past"):
        other.revert(later)
    assert other.height == 1


def test_pruned_snapshots() -> None:
    chain = new_chain(keep_states=1)
    snapshot = chain.snapshot()
    chain.transfer(ALICE, BOB, 1)
    chain.transfer(ALICE, BOB, 1)
    with pytest.raises(UsageError, match="pruned"):
        chain.revert(snapshot)
    assert (chain.height, chain.balance(BOB)) == (2, 2)


# Contracts and clients -----------------------------------------------------------------------------------


def test_ways_to_contracts() -> None:
    chain = new_chain(auto_seal=True)
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    assert chain.paradigm("erc20").at(token.address).address == token.address
    art = chain.erc721.issue(ALICE, name="Art", symbol="ART")
    assert chain.code(art.address) != chain.code(token.address)
    with pytest.raises(UsageError):
        chain.paradigm("no such")


def test_json_rpc() -> None:
    answer = new_chain().rpc({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}
