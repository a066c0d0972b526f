"""Side chains of all engines: made in one call, known to the main chain, and reached by assets."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from chainstack_sdk import Chain, ChainConfig, ChainStack, Rejected, UsageError, ether
from chainstack_sdk.chain.crosschain import CrossChain
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS
from chainstack_sdk.consensus.membership.storage import read_members
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.core.store import SqliteStore
from chainstack_sdk.cspv.operator import OperatorKey
from chainstack_sdk.network.hosting import HostedConsensus, local_members
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.stack import OPERATOR_ALLOWANCE, local_operator
from chainstack_sdk.system import SideChainConfig, TransferStatus, WorkDemands
from chainstack_sdk.system.engines import WorkOfSideChain
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.xchain import mailbox_registry

ALICE, BOB, MALLORY = accounts(3)
OWN_ENGINE = Path(__file__).parents[3] / "examples" / "own_engine.py"
ENGINES = [
    ("instant", {}),
    ("pbft", {"blocks_per_slot": 8}),
    ("pbft", {"finality": "committee", "blocks_per_slot": 2}),
    ("pos", {"validators": 2}),
    ("pow", {"work": {"confirmations": 3}}),
    ("dpos", {"validators": 3, "blocks_per_slot": 16}),
]


@pytest.fixture
def stack() -> ChainStack:
    return ChainStack.local({ALICE: ether(10)}, consensus="instant")


@pytest.mark.parametrize(("engine", "fields"), ENGINES)
def test_a_side_chain_of_every_engine(stack: ChainStack, engine: str, fields) -> None:
    side = stack.spawn(name="side", consensus=engine, funds={ALICE: ether(1)}, **fields)
    entry = stack.registry.chain("side")
    assert (entry.chain_id, entry.engine) == (side.chain_id, engine)
    assert entry.genesis_hash == side.block(0).hash
    assert entry.anchor.chain_id == side.chain_id
    assert stack.chains == {"main": stack.main, "side": side}
    there = stack.transfer(None, ALICE, to="side", amount=ether(2))
    assert there.status is TransferStatus.ARRIVED
    token = there.token
    assert (token.name, token.total_supply()) == ("Coin (chain 31337)", ether(2))
    back = stack.transfer(token, ALICE, to="main", amount=ether(2), recipient=BOB)
    assert (back.status, back.token) == (TransferStatus.ARRIVED, None)
    assert stack.main.balance(BOB) == ether(2)
    assert token.total_supply() == 0


def test_each_chain_has_validators_and_coin_of_its_own(stack: ChainStack) -> None:
    one, other = (
        stack.spawn(name=name, consensus="pbft", validators=2, funds={BOB: wei})
        for name, wei in (("one", 5), ("other", 7))
    )
    assert (one.chain_id, other.chain_id) == (31338, 31339)
    storages = (StateStorage(chain.blockchain.state, MEMBERSHIP_ADDRESS) for chain in (one, other))
    members = [set(read_members(storage)) for storage in storages]
    assert len(members[0] | members[1]) == 4
    assert (one.balance(BOB), other.balance(BOB), stack.main.balance(BOB)) == (5, 7, 0)
    assert one.pool is not other.pool


def test_by_configuration_and_json(stack: ChainStack) -> None:
    config = SideChainConfig.parse(
        '{"name": "shop", "chain_id": 77, "coin_name": "Franc", "coin_symbol": "FRC",'
        f' "funds": {{"0x{ALICE.address.hex()}": "1000000000000000000"}}, "burn_base_fee": true}}'
    )
    shop = stack.spawn(config)
    assert (shop.chain_id, shop.balance(ALICE)) == (77, ether(1))
    assert shop.blockchain.genesis.burn_base_fee
    assert stack.transfer("coin", ALICE, source="shop", to="main", amount=5).token.symbol == "FRC"
    with pytest.raises(UsageError, match="not both"):
        stack.spawn(config, name="again")


def test_a_private_chain_has_no_outsiders(stack: ChainStack) -> None:
    funds = {ALICE: ether(1), BOB: ether(1), MALLORY: ether(1)}
    private = stack.spawn(
        name="private",
        consensus="pbft",
        validators=1,
        membership="private",
        permitted=[ALICE, BOB],
        funds=funds,
    )
    private.transfer(ALICE, BOB, 1)
    with pytest.raises(Rejected) as refusal:
        private.transfer(MALLORY, BOB, 1)
    assert refusal.value.code == "not_permitted"
    arrived = stack.transfer(None, ALICE, to=private, amount=5, recipient=MALLORY)
    assert arrived.token.balance_of(MALLORY) == 5
    with pytest.raises(Rejected):
        stack.transfer(arrived.token, MALLORY, to="main", amount=5)


def test_everybody_sends_on_the_chain_of_a_consortium(stack: ChainStack) -> None:
    fields = {"consensus": "pbft", "validators": 1, "membership": "consortium", "governed": False}
    chain = stack.spawn(name="consortium", funds={MALLORY: ether(1)}, **fields)
    assert chain.transfer(MALLORY, BOB, 1).succeeded


def test_paradigms_that_may_be_issued(stack: ChainStack) -> None:
    chain = stack.spawn(name="one", paradigms=["mailbox", "erc20"], registry=mailbox_registry())
    assert chain.registry.names == ("mailbox", "erc20")
    with pytest.raises(UsageError, match="no such paradigm"):
        stack.spawn(name="other", paradigms=["erc1155"])
    assert list(stack.chains) == ["main", "one"]


def test_an_engine_of_ones_own(stack: ChainStack) -> None:
    notary_chain = runpy.run_path(str(OWN_ENGINE))["NotaryChain"]
    notaries = local_members(3)
    consensus = HostedConsensus(notary_chain([each.address for each in notaries]), notaries)
    store = MemoryStore()
    with pytest.raises(UsageError, match="give the chain a finality"):
        stack.spawn(name="silent", consensus=consensus, store=store)
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")
    finality = OperatorKey(bytes(32)).finality(500)
    side = stack.spawn(name="notaries", chain_id=500, consensus=consensus, finality=finality)
    assert stack.registry.chain("notaries").engine == "notaries"
    assert stack.transfer(None, ALICE, to="notaries", amount=5).token.balance_of(ALICE) == 5
    assert len(side.head.seal) // 65 == 2
    with pytest.raises(UsageError, match="says itself"):
        stack.spawn(name="other", consensus=consensus, finality=finality, membership="public")


def test_blocks_are_written_down_on_the_main_chain(stack: ChainStack) -> None:
    for name, engine in (("instant", {}), ("mined", {"consensus": "pow", "work": {"confirmations": 2}})):
        side = stack.spawn(name=name, anchoring_interval=4, **engine)
        stack.relay()
        assert stack.registry.newest_block(side.chain_id).height == 0
        while side.height < 11:
            side.seal()
        stack.relay()
        newest = stack.registry.newest_block(side.chain_id)
        assert (newest.height, newest.block_hash) == (8, side.block(8).hash)
        written = len(stack.registry.events("BlockAnchored"))
        stack.relay()
        assert len(stack.registry.events("BlockAnchored")) == written


def test_a_block_that_the_anchor_cannot_prove_is_left_out(stack: ChainStack) -> None:
    fields = {"consensus": "pbft", "validators": 1, "finality": "committee", "blocks_per_slot": 4}
    side = stack.spawn(name="side", anchoring_interval=2, **fields)
    for _ in range(20):
        side.seal()
    stack.relay(limit=1)  # the anchor is behind: it takes a step a time
    assert stack.registry.newest_block(side.chain_id).height == 0
    stack.relay()
    assert stack.registry.newest_block(side.chain_id).height == side.height


def test_both_chains_go_on_from_their_stores(tmp_path: Path) -> None:
    operator = local_operator()
    setup = CrossChain(operator.address, allowance=OPERATOR_ALLOWANCE)

    def opened() -> ChainStack:
        config = ChainConfig(funds={"0x" + ALICE.address.hex(): ether(10)})
        store = SqliteStore(tmp_path / "main")
        main = Chain.open(store, config, crosschain=setup, auto_seal=True, operator_seed=bytes(32))
        stack = ChainStack(main)
        stack.spawn(name="side", store=SqliteStore(tmp_path / "side"), funds={ALICE: ether(1)})
        return stack

    with opened() as stack:
        sent = stack.transfer(None, ALICE, to="side", amount=5, relay=False)
        assert sent.token is None
        height = stack.main.height
    with opened() as stack:
        assert stack.main.height == height
        assert stack.relay().carried == 1
        (row,) = (row for row in stack.assets().on("side") if row.symbol == "COIN" and row.origin)
        assert row.supply == 5


def test_names_and_ids_are_taken_once(stack: ChainStack) -> None:
    stack.spawn(name="side", chain_id=9)
    for fields, told in (({"name": "side"}, "name"), ({"name": "x", "chain_id": 9}, "id")):
        with pytest.raises(UsageError, match=f"of this {told}"):
            stack.spawn(**fields)
    with pytest.raises(UsageError, match="of this id"):
        stack.join("twin", Chain.in_memory(chain_id=9, crosschain=local_operator()))
    assert stack.chain("side") is stack.chain(stack.chains["side"])
    for which in ("none", Chain.in_memory()):
        with pytest.raises(UsageError, match="no such chain"):
            stack.chain(which)


def test_a_main_chain_without_a_hub_or_with_anothers() -> None:
    for main in (Chain.in_memory(), Chain.in_memory(crosschain=ALICE)):
        with pytest.raises(UsageError, match="no hub that the operator"):
            ChainStack(main).spawn(name="side")


def test_a_chain_whose_operator_cannot_pay_joins_later(stack: ChainStack) -> None:
    chain = Chain.in_memory({ALICE: ether(10)}, chain_id=9, crosschain=stack.operator, auto_seal=True)
    with pytest.raises(Rejected, match="balance"):
        stack.join("poor", chain)
    assert list(stack.chains) == ["main"]
    assert stack.relay().is_quiet
    chain.transfer(ALICE, stack.operator, ether(1))
    stack.join("poor", chain)
    assert stack.transfer(None, ALICE, to="poor", amount=5).status is TransferStatus.ARRIVED
    assert [entry.name for entry in stack.registry.chains()] == ["poor"]


def test_two_side_chains_are_linked_once(stack: ChainStack) -> None:
    one, other = stack.spawn(name="one"), stack.spawn(name="other")
    stack.link("one", other)
    heights = one.height, other.height
    stack.link(other, "one")
    assert (one.height, other.height) == heights


def test_closing_closes_every_chain() -> None:
    store = MemoryStore()
    with ChainStack.local(consensus="instant") as stack:
        stack.spawn(name="side", store=store)
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")


def test_a_prover_of_work_needs_its_chain() -> None:
    with pytest.raises(InvariantBroken):
        WorkOfSideChain(WorkDemands()).anchor()


def test_blocks_made_by_hand_on_both_sides() -> None:
    stack = ChainStack.local({ALICE: ether(1)}, consensus="instant", auto_seal=False, operator=BOB)
    assert stack.operator == BOB
    stack.spawn(name="side", options={"auto_seal": False})
    assert stack.transfer(None, ALICE, to="side", amount=5).status is TransferStatus.ARRIVED
