"""The core chain: building, committing, undoing, looking back, and being as before after any failure.

Blocks made elsewhere are in ``test_validation.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.consensus import InstantEngine
from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.execution import BlockExecution
from chainstack_sdk.core.genesis import Genesis, GenesisAccount, state_root
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.queries import prove
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    FailingLedger,
    RecordingStore,
    ScriptedContract,
    ScriptedRules,
    ScriptedRuntime,
    accounts,
    bare_chain,
    extend,
    payment,
)
from chainstack_sdk.testing.bare import PROPOSER

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.chain import Blockchain

ALICE, BOB = accounts(2)
VAULT = b"\x0c" * 20
CODE = b"\xef\x43vault"
ONE = (1).to_bytes(32, "big")


def count(call: Call, data: bytes) -> bytes:
    call.store(ONE, call.load(ONE) + 1)
    return b""


def blunder(call: Call, data: bytes) -> bytes:
    call.store(ONE, 99)
    raise UsageError("a mistake in the contract")


RUNTIME = ScriptedRuntime({CODE: ScriptedContract({b"": count, b"oops": blunder})})
GENESIS = Genesis(
    accounts={
        ALICE.address: GenesisAccount(balance=10**20),
        VAULT: GenesisAccount(nonce=1, code=CODE, storage={7: 70}),
    }
)
IDENTITY = keccak256(GENESIS.encode())


def in_memory() -> Blockchain:
    return bare_chain(genesis=GENESIS, runtime=RUNTIME)


def on_store(store: RecordingStore | None = None) -> Blockchain:
    ledger = StoredLedger(RecordingStore() if store is None else store, IDENTITY, FlatCodec())
    return bare_chain(genesis=GENESIS, runtime=RUNTIME, ledger=ledger)


def archive(store: RecordingStore | None = None) -> Blockchain:
    store = RecordingStore() if store is None else store
    commitment = StoredCommitment(store)
    return bare_chain(
        genesis=GENESIS,
        runtime=RUNTIME,
        ledger=StoredLedger(store, IDENTITY, NodeCodec(commitment)),
        state=State(commitment),
    )


SOURCE = in_memory()
"""A chain at height 1."""


@pytest.fixture(params=[in_memory, on_store, archive])
def chain(request: pytest.FixtureRequest) -> Blockchain:
    return request.param()  # type: ignore[no-any-return]


def calls(chain: Blockchain, data: bytes = b"", value: int = 0, nonce: int | None = None) -> Any:
    return payment(chain, ALICE, VAULT, value, data=data, gas=100_000, nonce=nonce)


extend(SOURCE, calls(SOURCE))


def picture(chain: Blockchain) -> tuple[object, ...]:
    """All that must not change when something is refused."""
    state = chain.state
    facts = tuple(
        (state.nonce(who), state.balance(who)) for who in (ALICE.address, BOB.address, VAULT, PROPOSER)
    )
    return (
        chain.height,
        chain.head,
        chain.ledger.height,
        chain.history.root,
        state.root,
        state.checkpoint(),
        facts,
        state.storage(VAULT, ONE),
    )


def when(chain: Blockchain) -> dict[str, Any]:
    return {"timestamp_ms": chain.head.timestamp_ms + 1_000, "proposer": PROPOSER}


def test_block_0(chain: Blockchain) -> None:
    assert chain.height == 0
    assert chain.head == GENESIS.header(state_root(GENESIS.accounts))
    assert chain.ledger.block(0).transactions == ()
    assert chain.ledger.receipts(0) == ()
    history = MountainRange()
    history.append(chain.head.hash, 1)
    assert chain.history.root == history.root


def test_building_changes_nothing(chain: Blockchain) -> None:
    before = picture(chain)
    candidate = chain.build([payment(chain, ALICE, BOB, 5), calls(chain, nonce=1)], **when(chain))
    assert picture(chain) == before
    assert candidate.rejected == ()
    assert len(candidate.block.transactions) == len(candidate.receipts) == 2
    header = candidate.block.header
    assert header.state_root != before[4]
    assert (header.height, header.parent_hash, header.proposer) == (1, chain.head.hash, PROPOSER)
    assert (header.slot, header.gas_used) == (0, candidate.receipts[-1].cumulative_gas_used)
    assert header.history_root == chain.history.root


def test_commit_and_produce_agree() -> None:
    built, produced = in_memory(), in_memory()
    transactions = [payment(built, ALICE, BOB, 5), calls(built, nonce=1)]
    candidate = built.build(transactions, **when(built))
    block = built.commit(candidate, b"seal")
    same, rejected = produced.produce(transactions, decide=lambda header: b"seal", **when(produced))
    assert block == same
    assert rejected == ()
    assert picture(built) == picture(produced)
    assert block.seal == b"seal"


def test_many_candidates_one_commit(chain: Blockchain) -> None:
    first = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain))
    second = chain.build([calls(chain)], **when(chain))
    block = chain.commit(second)
    assert block.header == second.block.header == chain.head
    assert chain.state.root == chain.head.state_root
    assert chain.state.storage(VAULT, ONE) == 1
    assert chain.state.balance(BOB.address) == 0
    with pytest.raises(UsageError, match="child"):
        chain.commit(first)
    chain.undo()
    assert chain.commit(first).header == first.block.header
    assert chain.state.balance(BOB.address) == 5


def test_what_may_not_run_is_left_out(chain: Blockchain) -> None:
    good, gap = payment(chain, ALICE, BOB, 5), payment(chain, ALICE, BOB, 5, nonce=2)
    poor = payment(chain, BOB, ALICE, 6)
    block, rejected = chain.produce([gap, good, poor, good], decide=lambda header: b"", **when(chain))
    assert block.transactions == (good,)
    assert [(one.hash, error.code) for one, error in rejected] == [
        (gap.hash, "nonce_too_high"),
        (poor.hash, "insufficient_funds"),
        (good.hash, "nonce_too_low"),
    ]


def test_an_empty_block(chain: Blockchain) -> None:
    before = chain.state.root
    block = extend(chain)
    assert (block.transactions, block.header.gas_used, block.state_root) == ((), 0, before)


def test_base_fees_follow_the_blocks(chain: Blockchain) -> None:
    expected = chain.next_base_fee
    assert expected == GENESIS.base_fee * 7 // 8
    assert extend(chain).header.base_fee == expected


# Failures leave the chain as it was ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "error"),
    [
        ("the parent's time", {"timestamp_ms": GENESIS.timestamp_ms}, UsageError),
        ("a time above 64 bits", {"timestamp_ms": 1 << 64}, InvalidInput),
        ("a short proposer", {"proposer": bytes(19)}, UsageError),
        ("an attachment without rules", {"attachment": b"payouts"}, UsageError),
    ],
)
def test_a_block_that_cannot_be(
    chain: Blockchain, name: str, change: dict[str, Any], error: type[Exception]
) -> None:
    before = picture(chain)
    with pytest.raises(error):
        chain.build([payment(chain, ALICE, BOB, 5)], **{**when(chain), **change})
    assert picture(chain) == before
    extend(chain, payment(chain, ALICE, BOB, 5))


def test_a_slot_that_fits_no_header() -> None:
    chain = bare_chain(genesis=GENESIS, rules=ScriptedRules(slot=-1))
    before = picture(chain)
    with pytest.raises(InvalidInput, match="slot"):
        chain.build([payment(chain, ALICE, BOB, 5)], **when(chain))
    assert picture(chain) == before


def test_a_contract_that_blunders(chain: Blockchain) -> None:
    before = picture(chain)
    crashing = calls(chain, b"oops", nonce=1)
    with pytest.raises(UsageError, match="crashed") as caught:
        chain.build([payment(chain, ALICE, BOB, 5), crashing], **when(chain))
    assert caught.value.transaction_hash == crashing.hash
    assert picture(chain) == before


def test_an_engine_that_does_not_decide(chain: Blockchain) -> None:
    before = picture(chain)

    def decide(header: Header) -> bytes:
        raise UsageError("not now")

    with pytest.raises(UsageError, match="not now"):
        chain.produce([payment(chain, ALICE, BOB, 5)], decide=decide, **when(chain))
    assert picture(chain) == before


@pytest.mark.parametrize("way", ["commit", "produce"])
def test_a_seal_that_breaks_the_rule(way: str) -> None:
    chain = bare_chain(genesis=GENESIS, header_rule=InstantEngine().header_rule)
    before = picture(chain)
    candidate = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain))
    act: dict[str, Callable[[], object]] = {
        "commit": lambda: chain.commit(candidate, b"seal"),
        "produce": lambda: chain.produce(
            candidate.block.transactions, decide=lambda header: b"seal", **when(chain)
        ),
    }
    with pytest.raises(InvalidInput, match="seal"):
        act[way]()
    assert picture(chain) == before


class Weighty(AcceptAllHeaders):
    """Weighs genesis, and fails on every other block."""

    def work(self, header: Header) -> int:
        if header.height:
            raise UsageError("no weight")
        return 1


def make_failing(kind: str) -> Blockchain:
    """A chain at height 1 that fails on its third change."""
    if kind == "memory":
        chain = bare_chain(genesis=GENESIS, runtime=RUNTIME, ledger=FailingLedger(fail_on={3}))
    elif kind == "store":
        chain = on_store(RecordingStore(fail_on={3}))
    else:
        chain = archive(RecordingStore(fail_on={3}))
    extend(chain, calls(chain))
    return chain


@pytest.mark.parametrize("kind", ["memory", "store", "archive"])
@pytest.mark.parametrize("way", ["commit", "produce", "append", "undo"])
def test_a_disk_that_fails(kind: str, way: str) -> None:
    chain = make_failing(kind)
    before = picture(chain)
    transactions = [payment(chain, ALICE, BOB, 5), calls(chain, nonce=2)]
    candidate = chain.build(transactions, **when(chain))
    act: dict[str, Callable[[], object]] = {
        "commit": lambda: chain.commit(candidate),
        "produce": lambda: chain.produce(transactions, decide=lambda header: b"", **when(chain)),
        "append": lambda: chain.append(candidate.block),
        "undo": chain.undo,
    }
    with pytest.raises(OSError, match="on purpose"):
        act[way]()
    assert picture(chain) == before
    act[way]()
    assert chain.height == (0 if way == "undo" else 2)
    assert chain.state.root == chain.head.state_root
    if kind != "memory":
        store = chain.ledger._store.store  # type: ignore[attr-defined]
        reopened = (on_store if kind == "store" else archive)(RecordingStore(store))
        assert picture(reopened) == picture(chain)


def test_a_rule_that_cannot_weigh() -> None:
    chain = bare_chain(genesis=GENESIS, header_rule=Weighty())
    before = picture(chain)
    candidate = chain.build([payment(chain, ALICE, BOB, 5)], **when(chain))
    for act in (
        lambda: chain.commit(candidate),
        lambda: chain.append(candidate.block),
        lambda: chain.produce(candidate.block.transactions, decide=lambda header: b"", **when(chain)),
    ):
        with pytest.raises(UsageError, match="weight"):
            act()
        assert picture(chain) == before


def test_the_history_weighs_blocks_as_the_rule_says() -> None:
    chain = bare_chain(genesis=GENESIS, header_rule=AcceptAllHeaders(work=5))
    blocks = [extend(chain, payment(chain, ALICE, BOB, 5)) for _ in range(3)]
    expected = MountainRange()
    for header in (chain.ledger.header(0), *(block.header for block in blocks)):
        expected.append(header.hash, 5)
    assert chain.history.root == expected.root
    resumed = bare_chain(
        genesis=GENESIS, header_rule=AcceptAllHeaders(work=5), ledger=chain.ledger, state=chain.state
    )
    assert resumed.history.root == expected.root


# Undoing and looking back --------------------------------------------------------------------------------


def test_undo_goes_back_step_by_step(chain: Blockchain) -> None:
    pictures, blocks = [picture(chain)], []
    for _ in range(3):
        nonce = chain.state.nonce(ALICE.address)
        blocks.append(extend(chain, payment(chain, ALICE, BOB, 5), calls(chain, nonce=nonce + 1)))
        pictures.append(picture(chain))
    for height in (2, 1, 0):
        assert chain.undo() == blocks[height]
        assert picture(chain) == pictures[height]
    with pytest.raises(UsageError, match="genesis"):
        chain.undo()
    for height, block in enumerate(blocks, 1):
        chain.append(block)
        assert picture(chain) == pictures[height]


def test_pruned_blocks_stay_pruned() -> None:
    chain = bare_chain(genesis=GENESIS, ledger=MemoryLedger(keep_states=2))
    for _ in range(4):
        extend(chain, payment(chain, ALICE, BOB, 5))
    with chain.state_at(2) as state:
        assert state.balance(BOB.address) == 10
    before = picture(chain)
    with pytest.raises(UsageError, match="pruned"), chain.state_at(1):
        raise AssertionError("not reached")
    assert picture(chain) == before
    chain.undo()
    chain.undo()
    before = picture(chain)
    with pytest.raises(UsageError, match="pruned"):
        chain.undo()
    assert picture(chain) == before


def grown(chain: Blockchain) -> list[tuple[object, ...]]:
    pictures = [picture(chain)]
    for _ in range(3):
        nonce = chain.state.nonce(ALICE.address)
        extend(chain, payment(chain, ALICE, BOB, 5), calls(chain, nonce=nonce + 1))
        pictures.append(picture(chain))
    return pictures


@pytest.mark.parametrize("proofs", [False, True])
def test_states_of_the_past(chain: Blockchain, proofs: bool) -> None:
    pictures = grown(chain)
    for height in (0, 2, 1, 3, 0):
        with chain.state_at(height, proofs=proofs) as state:
            assert state.balance(BOB.address) == 5 * height
            assert state.storage(VAULT, ONE) == height
            if proofs:
                assert state.root == pictures[height][4]
        assert picture(chain) == pictures[3]
    for height in range(4):
        proof = prove(chain, VAULT, (ONE, (7).to_bytes(32, "big")), height)
        proof.verify(chain.ledger.header(height).state_root)
        assert [slot.value for slot in proof.storage] == [height, 70]
    assert picture(chain) == pictures[3]


@pytest.mark.parametrize("proofs", [False, True])
@pytest.mark.parametrize("height", [1, 3])
def test_what_is_tried_in_the_past_is_undone(chain: Blockchain, height: int, proofs: bool) -> None:
    pictures = grown(chain)
    with chain.state_at(height, proofs=proofs) as state:
        state.set_balance(BOB.address, 10**9)
        state.set_storage(VAULT, ONE, 0)
    assert picture(chain) == pictures[3]
    with pytest.raises(Rejected), chain.state_at(height, proofs=proofs) as state:
        try_a_gap(chain, state)
    assert picture(chain) == pictures[3]
    extend(chain, calls(chain))


def test_reverse_diffs_that_lead_elsewhere_prove_nothing() -> None:
    chain = in_memory()
    grown(chain)
    before = picture(chain)
    ledger = chain.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger._undo[3] = replace(ledger.undo(3) or StateDiff(), balances={BOB.address: 1})
    with pytest.raises(InvalidInput, match="reverse diffs"), chain.state_at(2, proofs=True):
        raise AssertionError("not reached")
    with pytest.raises(InvalidInput, match="reverse diff"):
        chain.undo()
    assert picture(chain) == before


def test_a_damaged_archive_is_not_the_contracts_fault() -> None:
    store = RecordingStore()
    chain = archive(store)
    extend(chain, calls(chain))
    storage_node = b"n" + chain.state.commitment.storage_root(VAULT)
    chain = archive(RecordingStore(store.store))
    before = (chain.head, chain.state.root, chain.state.checkpoint())
    node = store.get(storage_node)
    assert node is not None
    store.store.write_batch({}, [storage_node])
    candidate = SOURCE.build([calls(SOURCE)], **when(SOURCE))
    for act in (
        lambda: chain.build(candidate.block.transactions, **when(chain)),
        lambda: chain.append(candidate.block),
    ):
        with pytest.raises(InvalidInput, match="missing"):
            act()
        assert (chain.head, chain.state.root, chain.state.checkpoint()) == before
    store.store.write_batch({storage_node: node})
    chain.append(candidate.block)
    assert chain.state.storage(VAULT, ONE) == 2


def try_a_gap(chain: Blockchain, state: State) -> None:
    state.set_nonce(ALICE.address, 50)
    BlockExecution(state, chain.context(1), chain.runtime).apply(payment(chain, ALICE, BOB, nonce=51))


@pytest.mark.parametrize("height", [-1, 4])
def test_blocks_that_are_not_there(chain: Blockchain, height: int) -> None:
    grown(chain)
    with pytest.raises(UsageError, match="no such block"), chain.state_at(height):
        raise AssertionError("not reached")


@pytest.mark.parametrize("proofs", [False, True])
def test_nothing_else_while_wound_back(proofs: bool) -> None:
    chain = in_memory()
    grown(chain)
    before = picture(chain)
    candidate = chain.build([], **when(chain))
    with chain.state_at(1, proofs=proofs):
        for act in (
            lambda: chain.build([], **when(chain)),
            lambda: chain.commit(candidate),
            lambda: chain.produce([], decide=lambda header: b"", **when(chain)),
            lambda: chain.append(candidate.block),
            lambda: chain.undo(),
            lambda: chain.state_at(2).__enter__(),
        ):
            with pytest.raises(UsageError, match="wound back"):
                act()
    assert picture(chain) == before
    chain.commit(candidate)


def test_looking_at_the_head_twice(chain: Blockchain) -> None:
    grown(chain)
    with chain.state_at(3) as outer, chain.state_at(3) as inner:
        assert outer.balance(BOB.address) == inner.balance(BOB.address) == 15


def test_contexts(chain: Blockchain) -> None:
    grown(chain)
    header = chain.ledger.header(2)
    context = chain.context(2)
    assert (context.chain_id, context.height, context.slot) == (31337, 2, 0)
    assert (context.timestamp_ms, context.proposer) == (header.timestamp_ms, PROPOSER)
    assert (context.gas_limit, context.base_fee) == (header.gas_limit, header.base_fee)
    assert context.parent_hash == header.parent_hash
    following = chain.next_context(timestamp_ms=5, proposer=bytes(20))
    assert (following.height, following.parent_hash) == (4, chain.head.hash)
    assert (following.base_fee, following.slot) == (chain.next_base_fee, 0)


def test_headers_by_hash(chain: Blockchain) -> None:
    grown(chain)
    for height in range(4):
        header = chain.ledger.header(height)
        assert chain.header_of(header.hash) == header
    assert chain.header_of(bytes(32)) is None
    first, second = (
        chain.build([payment(chain, ALICE, BOB, value)], **when(chain)).block for value in (1, 2)
    )
    assert chain.header_of(second.hash) == second.header
    assert chain.header_of(first.hash) is None
    chain.append(first)
    assert chain.header_of(first.hash) == first.header


# Taking up a ledger --------------------------------------------------------------------------------------


def test_a_ledger_in_memory_can_be_taken_up_again() -> None:
    first = in_memory()
    grown(first)
    second = bare_chain(genesis=GENESIS, runtime=RUNTIME, ledger=first.ledger, state=first.state)
    assert picture(second) == picture(first)


def test_a_ledger_needs_its_state() -> None:
    first = in_memory()
    grown(first)
    with pytest.raises(UsageError, match="state"):
        bare_chain(genesis=GENESIS, ledger=first.ledger)


def test_a_ledger_of_another_genesis_is_refused() -> None:
    first = in_memory()
    with pytest.raises(UsageError, match="another genesis"):
        bare_chain(genesis=replace(GENESIS, chain_id=9), ledger=first.ledger, state=first.state)


def test_refused_transactions_are_named_by_extend() -> None:
    chain = in_memory()
    before = picture(chain)
    with pytest.raises(Rejected) as caught:
        extend(chain, payment(chain, ALICE, BOB, 5, nonce=1))
    assert caught.value.code == "nonce_too_high"
    assert picture(chain) == before
