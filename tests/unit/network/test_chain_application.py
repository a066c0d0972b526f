"""A real chain behind a node."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.work import work_commitment
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.transactions import Transaction
from chainstack_sdk.network.application import TooEarly
from chainstack_sdk.network.chain_application import MAX_AHEAD_MS, ChainApplication, validate_content
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import (
    AcceptAllHeaders,
    ScriptedContract,
    ScriptedRules,
    ScriptedRuntime,
    accounts,
    bare_chain,
    extend,
    payment,
)

ALICE, BOB, MINER = accounts(3)
FUNDS = {ALICE: 10**20, BOB: 10**20}
CODE = b"\xef\x43code"
SHOP = b"\x55" * 20
GENESIS = Genesis(accounts={SHOP: GenesisAccount(code=CODE)})


def working(answer: Any = b"fine") -> ScriptedRuntime:
    return ScriptedRuntime({CODE: ScriptedContract({b"": answer})})


def crash(*_: object) -> bytes:
    raise ZeroDivisionError


@dataclass
class Clock:
    """Time that a test sets."""

    time_ms: int = GENESIS.timestamp_ms + 10_000
    asked: list[int] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.time_ms

    def next_block_ms(self, parent_ms: int) -> int:
        self.asked.append(parent_ms)
        return self.time_ms


class Picky(AcceptAllHeaders):
    """Accepts no block of a proposer other than the miner."""

    def validate_candidate(self, header: Any, parent: Any) -> None:
        if header.proposer != MINER.address:
            raise InvalidInput("not the miner's")


def new_chain(**parts: Any) -> Blockchain:
    return bare_chain(FUNDS, **{"genesis": GENESIS, "runtime": working(), **parts})


def application(chain: Blockchain | None = None, **options: Any) -> ChainApplication:
    chain = chain or new_chain()
    settings = {"rule": Picky(), "clock": Clock(), "proposer": MINER.address}
    return ChainApplication(chain, Mempool(chain_id=chain.genesis.chain_id), **settings | options)


def add(app: ChainApplication, *transactions: Transaction) -> None:
    chain = app.blockchain
    for each in transactions:
        app.pool.add(
            each,
            nonce=chain.state.nonce(each.sender),
            balance=chain.state.balance(each.sender),
            base_fee=chain.next_base_fee,
            gas_limit=chain.head.gas_limit,
        )


def body(app: ChainApplication) -> bytes:
    built = app.build(app.height + 1)
    assert built is not None
    return built.body


def block_of(app: ChainApplication) -> Block:
    return Block.decode(body(app))


# Building


def test_a_candidate_holds_what_waits() -> None:
    app = application()
    first, second = payment(app.blockchain, ALICE, BOB, 1), payment(app.blockchain, BOB, ALICE, 2)
    add(app, first, second)
    block = block_of(app)
    assert block.transactions == (first, second)
    assert (block.header.proposer, block.timestamp_ms) == (MINER.address, Clock().time_ms)
    assert len(app.pool) == 2  # until the block is decided
    assert (app.height, app.head_hash) == (0, app.blockchain.head.hash)


def test_a_candidate_may_bear_a_certain_time() -> None:
    app = application()
    built = app.build(1, GENESIS.timestamp_ms + 77)
    assert built is not None
    assert Block.decode(built.body).timestamp_ms == GENESIS.timestamp_ms + 77


@pytest.mark.parametrize("height", [0, 2])
def test_only_the_next_block_is_built(height: int) -> None:
    assert application().build(height) is None


def test_one_who_makes_no_blocks_builds_none() -> None:
    assert application(producing=False).build(1) is None


def test_what_can_never_run_leaves_the_pool() -> None:
    app = application()
    stale = payment(app.blockchain, ALICE, BOB, 1)
    add(app, stale)
    extend(app.blockchain, payment(app.blockchain, ALICE, BOB, 3))  # without telling the pool
    assert block_of(app).transactions == ()
    assert len(app.pool) == 0


def test_what_may_run_later_stays() -> None:
    app = application()
    later = payment(app.blockchain, ALICE, BOB, 1, nonce=1)
    add(app, later)
    app.pool.put_back([later])
    assert block_of(app).transactions == ()
    assert list(app.pool) == [later]


def test_what_crashes_a_contract_is_dropped_and_the_rest_is_built() -> None:
    app = application(new_chain(runtime=working(crash)))
    crashing = payment(app.blockchain, ALICE, SHOP, data=b"oops", gas=100_000)
    good = payment(app.blockchain, BOB, ALICE, 1)
    add(app, crashing, good)
    assert block_of(app).transactions == (good,)
    assert list(app.pool) == [good]


def test_other_errors_are_not_hidden() -> None:
    app = application(clock=Clock(GENESIS.timestamp_ms))
    add(app, payment(app.blockchain, BOB, ALICE, 1))
    with pytest.raises(UsageError, match="younger"):
        app.build(1)
    assert len(app.pool) == 1


def test_the_attachment_is_asked_for() -> None:
    app = application(new_chain(rules=ScriptedRules()), attachment=lambda: b"pay bob")
    assert block_of(app).attachment == b"pay bob"


def test_extra_bytes_are_made_of_the_header() -> None:
    app = application(prove=lambda header: header.hash[:4])
    candidate = app.build(1)
    assert candidate is not None
    assert app.extra(candidate) == candidate.block_hash[:4]
    assert application().extra(candidate) == b""


# Checking and committing


def test_a_candidate_of_another_node_is_checked_and_committed() -> None:
    maker, app = application(), application()
    transfer = payment(maker.blockchain, ALICE, BOB, 1)
    add(maker, transfer)
    add(app, transfer)
    candidate = app.inspect(body(maker))
    assert app.header(candidate.block_hash) is None
    app.check(candidate)
    assert app.height == 0
    header = app.header(candidate.block_hash)
    assert header is not None
    block = app.commit(candidate, b"seal")
    assert (block.hash, block.seal) == (candidate.block_hash, b"seal")
    assert (app.height, app.head_hash) == (1, candidate.block_hash)
    assert app.header(candidate.block_hash) == header
    assert len(app.pool) == 0


def test_a_block_decided_elsewhere_is_appended() -> None:
    maker, app = application(), application()
    candidate = maker.build(1)
    assert candidate is not None
    maker.commit(candidate, b"seal")
    sealed = maker.sealed(1)
    assert sealed is not None
    assert app.append(sealed).block_hash == candidate.block_hash
    assert app.sealed(1) == sealed
    assert app.block(1) == Block.decode(sealed) == app.find(candidate.block_hash)


def test_what_there_is_not() -> None:
    app = application()
    assert (
        app.sealed(0)
        is app.sealed(1)
        is app.block(0)
        is app.find(app.head_hash)
        is app.find(bytes(32))
        is None
    )


def test_the_rule_for_candidates_counts() -> None:
    maker, app = application(proposer=BOB.address), application()
    with pytest.raises(InvalidInput, match="not the miner's"):
        app.check(app.inspect(body(maker)))


def test_a_block_from_the_future_waits() -> None:
    clock = Clock()
    ahead = application(clock=Clock(clock.time_ms + MAX_AHEAD_MS + 1))
    app = application(clock=clock)
    candidate = app.inspect(body(ahead))
    with pytest.raises(TooEarly):
        app.check(candidate)
    with pytest.raises(TooEarly):
        app.reorganise(0, [Block.decode(candidate.body)])
    clock.time_ms += 1
    app.check(candidate)


def test_a_block_whose_transaction_crashes_here_is_refused() -> None:
    maker, app = application(), application(new_chain(runtime=working(crash)))
    add(maker, payment(maker.blockchain, ALICE, SHOP, data=b"oops", gas=100_000))
    crashing = body(maker)
    block = Block.decode(crashing)
    with pytest.raises(InvalidInput, match="crashed") as caught:
        app.check(app.inspect(crashing))
    assert (caught.value.height, caught.value.block_hash) == (1, block.hash)
    with pytest.raises(InvalidInput, match="crashed"):
        app.append(crashing)
    with pytest.raises(InvalidInput, match="crashed") as caught:
        app.reorganise(0, [block])
    assert caught.value.block_hash == block.hash
    assert app.height == 0


def test_errors_of_ones_own_are_no_refusals() -> None:
    app = application()
    block = block_of(application())
    with app.blockchain.state_at(0):
        app.blockchain.state.add_balance(BOB.address, 1)
        with pytest.raises(UsageError):
            app.append(block.encode())
        app.blockchain.state.rollback(0)


# Content


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\xff" * 100])
def test_what_is_no_block_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        application().inspect(data)


def test_content_must_be_what_the_header_commits_to() -> None:
    app = application()
    add(app, payment(app.blockchain, ALICE, BOB, 1))
    block = block_of(app)
    validate_content(block)
    for damaged in (
        replace(block, transactions=()),
        replace(block, parent_certificate=b"certificate"),
        replace(block, attachment=b"pay bob"),
    ):
        assert damaged.hash == block.hash
        with pytest.raises(InvalidInput):
            application().inspect(damaged.encode())


def test_an_attachment_is_the_list_of_payouts_that_the_header_commits_to() -> None:
    payouts = Payouts.of({ALICE.address: 3})
    extras = HeaderExtras(work_commitment=work_commitment(64, payouts.hash), attachment=payouts.encode())
    app = application(new_chain(rules=ScriptedRules(extras=extras)))
    block = block_of(app)
    validate_content(block)
    for attachment in (b"", b"nonsense", Payouts.of({BOB.address: 3}).encode()):
        with pytest.raises(InvalidInput):
            validate_content(replace(block, attachment=attachment))


def test_an_engine_may_have_its_own_idea_of_content() -> None:
    def reject(block: Block) -> None:
        raise InvalidInput("never")

    with pytest.raises(InvalidInput, match="never"):
        application(content=reject).decode(body(application()))


# Branches


def test_going_over_to_another_branch_returns_transactions_to_the_pool() -> None:
    app, other = application(), new_chain()
    both, lost, gone = (
        payment(other, ALICE, BOB, 1),
        payment(other, BOB, ALICE, 2),
        payment(other, BOB, ALICE, 9),
    )
    extend(other, both)
    branch = [other.ledger.block(1), extend(other, payment(other, ALICE, BOB, 5))]
    add(app, both, lost)
    candidate = app.build(1)
    assert candidate is not None
    app.commit(candidate, b"")
    assert len(app.pool) == 0
    app.reorganise(0, branch)
    assert (app.height, app.head_hash) == (2, branch[1].hash)
    assert list(app.pool) == [lost]
    assert block_of(app).transactions == (lost,)
    again = application(other)
    extend(other, gone)
    back = new_chain()
    again.reorganise(
        0, [extend(back, payment(back, BOB, ALICE, 7)), extend(back), extend(back), extend(back)]
    )
    assert gone not in list(again.pool)  # its nonce is spent


def test_an_invalid_branch_changes_nothing() -> None:
    app, other = application(), new_chain()
    good = extend(other)
    bad = replace(good, header=replace(good.header, height=2, parent_hash=good.hash, gas_used=5))
    with pytest.raises(InvalidInput) as caught:
        app.reorganise(0, [good, bad])
    assert caught.value.block_hash == bad.hash
    assert app.height == 0


# Evidence


def test_evidence_is_handed_on() -> None:
    told: list[bytes] = []
    application(on_evidence=told.append).accuse(b"proof")
    application().accuse(b"proof")
    assert told == [b"proof"]
