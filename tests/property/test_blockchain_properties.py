"""Any story of transfers, calls, blocks and undos: nodes agree, coin is conserved, the past is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.genesis import Genesis, GenesisAccount, state_root
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.queries import prove
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import AcceptAllHeaders, ScriptedContract, ScriptedRuntime, accounts
from chainstack_sdk.testing.bare import PROPOSER

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.interfaces import Ledger
    from chainstack_sdk.core.transactions import Transaction

PEOPLE = accounts(4)
BANK = b"\x0c" * 20
CODE = b"\xef\x43bank"
EVERYBODY = [*(one.address for one in PEOPLE), BANK, PROPOSER]
SLOTS = [number.to_bytes(32, "big") for number in range(3)]
WEALTH = 10**16


def bank(call: Call, data: bytes) -> bytes:
    """Keep the value in a slot, pay it out, or change everything and refuse."""
    slot = SLOTS[data[0] % 3]
    kept = call.load(slot)
    call.log([slot], data)
    if data[0] % 5 == 0:
        call.store(slot, 0)
        call.transfer(call.caller, min(kept, call.balance(call.address)))
    else:
        call.store(slot, kept + call.value)
    call.require(data[0] % 7, "seven")
    return b""


RUNTIME = ScriptedRuntime({CODE: ScriptedContract({b"": bank})})
GENESIS = Genesis(
    accounts={
        BANK: GenesisAccount(nonce=1, code=CODE, balance=5, storage={1: 5}),
        **{one.address: GenesisAccount(balance=WEALTH) for one in PEOPLE[:3]},
    },
    gas_limit=300_000,
)
IDENTITY = keccak256(GENESIS.encode())


@dataclass(frozen=True)
class Plan:
    """One transaction of a story: from whom to whom, how much, and what may be wrong with it."""

    sender: int
    receiver: int
    value: int
    gap: int
    data: bytes
    gas: int
    tip: int


plans = st.builds(
    Plan,
    sender=st.integers(0, 3),
    receiver=st.integers(0, 4),
    value=st.one_of(st.integers(0, 10), st.sampled_from([WEALTH // 3, WEALTH, WEALTH * 2])),
    gap=st.sampled_from([0, 0, 0, 0, 0, 0, -1, 1]),
    data=st.binary(min_size=1, max_size=2),
    gas=st.sampled_from([21_000, 40_000, 100_000, 100_000, 301_000]),
    tip=st.sampled_from([0, 1, 10**9]),
)
blocks = st.lists(plans, max_size=5)
UNDO = "undo"
stories = st.lists(st.one_of(blocks, blocks, blocks, st.just(UNDO)), min_size=1, max_size=8)
few = settings(max_examples=settings().max_examples // 2)


def sign(chain: Blockchain, plan: Plan, nonces: dict[int, int]) -> Transaction:
    sender = PEOPLE[plan.sender]
    to_bank = plan.receiver == 4
    nonce = nonces.setdefault(plan.sender, chain.state.nonce(sender.address))
    nonces[plan.sender] += not plan.gap
    return sign_transaction(
        sender,
        chain_id=GENESIS.chain_id,
        nonce=max(nonce + plan.gap, 0),
        to=BANK if to_bank else PEOPLE[plan.receiver].address,
        gas=max(plan.gas, 40_000) if to_bank else plan.gas,
        value=plan.value,
        data=plan.data if to_bank else b"",
        max_fee_per_gas=chain.next_base_fee + plan.tip,
        max_priority_fee_per_gas=plan.tip,
    )


def node(ledger: Ledger, state: State | None = None, *, burn: bool = False) -> Blockchain:
    return Blockchain(
        GENESIS,
        runtime=RUNTIME,
        header_rule=AcceptAllHeaders(),
        fees=ProposerFees(burn_base_fee=burn),
        ledger=ledger,
        state=state,
    )


def flat_node(store: MemoryStore, *, burn: bool = False) -> Blockchain:
    return node(StoredLedger(store, IDENTITY, FlatCodec()), burn=burn)


def archive_node(store: MemoryStore, *, burn: bool = False) -> Blockchain:
    commitment = StoredCommitment(store)
    return node(StoredLedger(store, IDENTITY, NodeCodec(commitment)), State(commitment), burn=burn)


def produce(chain: Blockchain, plan: list[Plan]) -> Block:
    nonces: dict[int, int] = {}
    block, _ = chain.produce(
        [sign(chain, one, nonces) for one in plan],
        timestamp_ms=chain.head.timestamp_ms + 1,
        proposer=PROPOSER,
        decide=lambda header: b"",
    )
    return block


def facts(state: State) -> dict[bytes, GenesisAccount]:
    found = {}
    for who in EVERYBODY:
        storage = {at: state.storage(who, slot) for at, slot in enumerate(SLOTS) if state.storage(who, slot)}
        account = GenesisAccount(state.nonce(who), state.balance(who), state.code(who), storage)
        if account != GenesisAccount():
            found[who] = account
    return found


@few
@given(stories, st.booleans())
def test_nodes_agree(story: list[list[Plan] | str], burn: bool) -> None:
    """One node makes blocks in memory; others append them from their bytes, on stores, and are reopened."""
    maker = node(MemoryLedger(), burn=burn)
    stores = MemoryStore(), MemoryStore()
    for event in story:
        others = flat_node(stores[0], burn=burn), archive_node(stores[1], burn=burn)
        if isinstance(event, str):
            if maker.height:
                gone = maker.undo()
                assert [other.undo() for other in others] == [gone, gone]
        else:
            raw = produce(maker, event).encode()
            receipts = maker.ledger.receipts(maker.height)
            assert [other.append(Block.decode(raw)) for other in others] == [receipts, receipts]
        assert maker.state.root == maker.head.state_root == state_root(facts(maker.state))
        for other in others:
            assert (other.head, other.state.root) == (maker.head, maker.state.root)
            assert other.history.root == maker.history.root
            assert facts(other.state) == facts(maker.state)


@few
@given(stories)
def test_building_and_producing_agree(story: list[list[Plan] | str]) -> None:
    producer, builders = node(MemoryLedger()), [node(MemoryLedger()), archive_node(MemoryStore())]
    for event in story:
        if isinstance(event, str):
            continue
        block = produce(producer, event)
        for builder in builders:
            before = builder.state.root
            candidate = builder.build(block.transactions, timestamp_ms=block.timestamp_ms, proposer=PROPOSER)
            assert builder.state.root == before
            assert candidate.rejected == ()
            assert builder.commit(candidate) == block
            assert builder.state.root == producer.state.root
            assert builder.ledger.receipts(block.height) == producer.ledger.receipts(block.height)


@few
@given(st.lists(blocks, min_size=1, max_size=6), st.booleans())
def test_coin_is_conserved(story: list[list[Plan]], burn: bool) -> None:
    chain = node(MemoryLedger(), burn=burn)
    for plan in story:
        before = chain.state.supply()
        header = produce(chain, plan).header
        burnt = header.gas_used * header.base_fee if burn else 0
        assert chain.state.supply() == before - burnt
        receipts = chain.ledger.receipts(chain.height)
        assert header.gas_used == sum(receipt.gas_used for receipt in receipts)


@few
@given(st.lists(blocks, min_size=1, max_size=5), st.data())
def test_the_past_stays_readable(story: list[list[Plan]], data: st.DataObject) -> None:
    for chain in (node(MemoryLedger()), flat_node(MemoryStore()), archive_node(MemoryStore())):
        recorded = [facts(chain.state)]
        for plan in story:
            produce(chain, plan)
            recorded.append(facts(chain.state))
        present = chain.state.root
        for height in data.draw(st.permutations(range(len(recorded)))):
            root = chain.ledger.header(height).state_root
            with chain.state_at(height) as state:
                assert facts(state) == recorded[height]
            with chain.state_at(height, proofs=True) as state:
                assert state.root == root
            for who in (data.draw(st.sampled_from(EVERYBODY)), b"\x99" * 20):
                proof = prove(chain, who, SLOTS, height)
                proof.verify(root)
                account = recorded[height].get(who, GenesisAccount())
                assert (proof.nonce, proof.balance) == (account.nonce, account.balance)
                assert [slot.value for slot in proof.storage] == [
                    account.storage.get(at, 0) for at in range(3)
                ]
        assert chain.state.root == present
        assert facts(chain.state) == recorded[-1]


@few
@given(st.lists(blocks, min_size=1, max_size=6), st.integers(1, 4), st.booleans())
def test_pruning_keeps_just_what_was_asked_for(story: list[list[Plan]], keep: int, on_store: bool) -> None:
    ledger: Ledger = MemoryLedger(keep_states=keep)
    if on_store:
        ledger = StoredLedger(MemoryStore(), IDENTITY, FlatCodec(), keep_states=keep)
    chain = node(ledger)
    recorded = [facts(chain.state)]
    for plan in story:
        produce(chain, plan)
        recorded.append(facts(chain.state))
    for height in range(chain.height + 1):
        if height >= chain.height - keep:
            with chain.state_at(height) as state:
                assert facts(state) == recorded[height]
        else:
            with pytest.raises(UsageError, match="pruned"), chain.state_at(height):
                raise AssertionError("not reached")
    oldest = max(chain.height - keep, 0)
    while chain.height > oldest:
        chain.undo()
        assert facts(chain.state) == recorded[chain.height]
    with pytest.raises(UsageError):
        chain.undo()


@few
@given(blocks, blocks, st.integers(0, 10**6))
def test_a_refused_block_leaves_no_trace(first: list[Plan], second: list[Plan], noise: int) -> None:
    """Blocks whose roots were changed together with their content are refused, on every kind of node."""
    maker = node(MemoryLedger())
    good = produce(maker, first)
    bad = produce(maker, second)
    field = ("state_root", "receipts_root", "logs_bloom", "gas_used", "history_root")[noise % 5]
    value = getattr(bad.header, field)
    wrong = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1 + noise % 255]) + value[1:]
    for chain in (node(MemoryLedger()), flat_node(MemoryStore()), archive_node(MemoryStore())):
        chain.append(good)
        before = (chain.head, chain.state.root, chain.history.root, facts(chain.state))
        with pytest.raises(InvalidInput, match="wrong"):
            chain.append(replace(bad, header=replace(bad.header, **{field: wrong})))
        assert (chain.head, chain.state.root, chain.history.root, facts(chain.state)) == before
        chain.append(bad)
        assert chain.state.root == maker.state.root
