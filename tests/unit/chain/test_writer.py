"""Changing a chain through the facade: signing, admitting, sealing, appending."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chainstack_sdk import (
    Chain,
    InvalidInput,
    ManualClock,
    Rejected,
    Reverted,
    SystemClock,
    UsageError,
    ether,
)
from chainstack_sdk.chain import DEFAULT_PROPOSER, DEFAULT_TIP
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.core.transactions import decode_transaction, sign_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.testing import FixedClock, ScriptedEngine, ScriptedRules, accounts, decide

ALICE, BOB, CAROL = accounts(3)


def new_chain(**options: object) -> Chain:
    return Chain.in_memory({ALICE: ether(10), BOB: ether(1)}, **options)  # type: ignore[arg-type]


@pytest.fixture
def chain() -> Chain:
    return new_chain()


# Signing -------------------------------------------------------------------------------------------------


def test_what_signing_fills_in(chain: Chain) -> None:
    signed = chain.sign(ALICE, BOB, value=5)
    assert (signed.sender, signed.to, signed.value, signed.data) == (ALICE.address, BOB.address, 5, b"")
    assert (signed.chain_id, signed.nonce, signed.gas) == (31337, 0, 21_000)
    assert signed.max_priority_fee_per_gas == DEFAULT_TIP
    assert signed.max_fee_per_gas == 2 * chain.next_base_fee + DEFAULT_TIP
    assert chain.height == len(chain.pool) == 0


def test_the_next_nonce_counts_what_waits(chain: Chain) -> None:
    for number in range(3):
        signed = chain.sign(ALICE, BOB)
        assert signed.nonce == number
        chain.send(signed)
    assert chain.sign(ALICE, BOB, nonce=1).nonce == 1


def test_gas_for_calls_has_a_margin(chain: Chain) -> None:
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    data = token.contract.abi_function("transfer").encode_call(BOB.address, 1)
    used = chain.estimate_gas(token.address, data, sender=ALICE)
    assert chain.sign(ALICE, token.address, data=data).gas == used + used // 5
    assert chain.sign(ALICE, token.address, data=data, gas=77_000).gas == 77_000
    with pytest.raises(Reverted):
        chain.sign(BOB, token.address, data=data)


def test_the_margin_ends_at_the_blocks_limit() -> None:
    data = b"\x01" * 2_000
    chain = new_chain(gas_limit=53_100)
    assert chain.estimate_gas(BOB, data, sender=ALICE) == 53_000
    assert chain.sign(ALICE, BOB, data=data).gas == 53_100


# Admitting -----------------------------------------------------------------------------------------------


def test_sending_objects_and_bytes(chain: Chain) -> None:
    first, second = chain.sign(ALICE, BOB, value=1), chain.sign(BOB, ALICE, value=1)
    assert chain.send(first) == first.hash
    assert chain.send(second.raw) == second.hash
    assert first.hash in chain.pool
    assert len(chain.seal().transactions) == 2


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x05\xc0", b"\xc0"])
def test_malformed_bytes(chain: Chain, raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        chain.send(raw)
    assert len(chain.pool) == 0


def test_refusals(chain: Chain) -> None:
    spent = chain.sign(ALICE, BOB, value=1)
    chain.send(spent)
    for code, transaction in (
        ("already_known", spent),
        ("insufficient_funds", chain.sign(ALICE, BOB, value=ether(10), gas=21_000)),
        ("underpriced", chain.sign(ALICE, BOB, value=2, nonce=0)),
        ("gas_limit", chain.sign(BOB, ALICE, gas=chain.head.header.gas_limit + 1)),
        ("wrong_chain", new_chain(chain_id=7).sign(BOB, ALICE)),
        ("unsupported", create()),
    ):
        with pytest.raises(Rejected) as caught:
            chain.send(transaction)
        assert caught.value.code == code
    chain.seal()
    with pytest.raises(Rejected) as caught:
        chain.send(spent)
    assert caught.value.code == "nonce_too_low"
    assert len(chain.pool) == 0


def test_those_whom_the_rules_do_not_let_send(chain: Chain) -> None:
    chain.blockchain.rules = rules = ScriptedRules(refused=[BOB.address])
    allowed, refused = chain.sign(ALICE, BOB, value=1), chain.sign(BOB, ALICE, value=1)
    with pytest.raises(Rejected) as caught:
        chain.send(refused)
    assert caught.value.code == "not_permitted"
    outcomes = chain.send_many([refused, allowed], strict=False)
    assert isinstance(outcomes[0], Rejected)
    assert outcomes[1] == allowed.hash
    assert list(chain.pool) == [allowed]
    rules.refused.clear()
    chain.send(refused)
    assert len(chain.seal().transactions) == 2


def test_who_may_no_longer_send_is_dropped_when_sealing(chain: Chain) -> None:
    chain.blockchain.rules = rules = ScriptedRules()
    sent = chain.sign(BOB, ALICE, value=1)
    chain.send(sent)
    rules.refused.add(BOB.address)
    assert chain.seal().transactions == ()
    assert len(chain.pool) == 0


def create() -> object:
    return sign_transaction(
        BOB,
        chain_id=31337,
        nonce=0,
        to=None,
        gas=100_000,
        max_fee_per_gas=10**10,
        max_priority_fee_per_gas=1,
    )


def test_sending_many(chain: Chain) -> None:
    run = [chain.sign(ALICE, BOB, value=1, nonce=number) for number in range(5)]
    assert chain.send_many([run[0], *[one.raw for one in run[1:]]]) == [one.hash for one in run]
    assert chain.height == 0
    assert len(chain.seal().transactions) == 5


def test_sending_many_of_which_some_are_refused(chain: Chain) -> None:
    good = [chain.sign(ALICE, BOB, value=1, nonce=number) for number in range(2)]
    poor = chain.sign(CAROL, BOB, gas=21_000)
    outcomes = chain.send_many([good[0], b"junk", poor, good[1].raw], strict=False)
    assert outcomes[0] == good[0].hash
    assert outcomes[3] == good[1].hash
    assert isinstance(outcomes[1], InvalidInput)
    assert isinstance(outcomes[2], Rejected)
    assert len(chain.pool) == 2


def test_the_first_refusal_is_raised_and_the_rest_admitted(chain: Chain) -> None:
    good = [chain.sign(ALICE, BOB, value=1, nonce=number) for number in range(2)]
    with pytest.raises(InvalidInput) as caught:
        chain.send_many([good[0], b"junk", good[1]])
    assert caught.value.index == 1
    assert len(chain.pool) == 2


def unsigned() -> bytes:
    """A transaction whose r is the x of no point."""
    chain = new_chain()
    raw = chain.sign(ALICE, BOB, value=1).raw
    for last in range(256):
        changed = decode_transaction(raw[:-34] + bytes([last]) + raw[-33:])
        try:
            changed.sender  # noqa: B018
        except InvalidInput:
            return changed.raw
    raise AssertionError("about half of all numbers are no x")


@pytest.mark.parametrize("parallel", [False, True])
def test_signatures_of_nobody(parallel: bool) -> None:
    known.clear()
    with ThreadPoolExecutor(1) as executor:
        chain = new_chain(executor=executor if parallel else None)
        good = chain.sign(ALICE, BOB, value=1)
        known.clear()
        outcomes = chain.send_many([unsigned(), good.raw], strict=False)
        assert isinstance(outcomes[0], InvalidInput)
        assert outcomes[1] == good.hash


# Sealing -------------------------------------------------------------------------------------------------


def test_an_empty_block(chain: Chain) -> None:
    block = chain.seal()
    assert (block.height, block.transactions) == (1, ())
    assert chain.head == block


def test_sealing_a_few(chain: Chain) -> None:
    chain.send_many([chain.sign(ALICE, BOB, value=1, nonce=number) for number in range(5)])
    assert len(chain.seal(max_transactions=2).transactions) == 2
    assert len(chain.pool) == 3
    assert chain.seal(max_transactions=0).transactions == ()
    assert len(chain.seal().transactions) == 3


def test_sealing_after_each_send() -> None:
    chain = new_chain(auto_seal=True)
    chain.send(chain.sign(ALICE, BOB, value=1))
    chain.send_many([chain.sign(ALICE, BOB, value=1, nonce=number) for number in (1, 2)])
    assert [len(chain.block(height).transactions) for height in (1, 2)] == [1, 2]


@pytest.mark.parametrize("auto_seal", [False, True])
def test_a_payment_in_one_step(auto_seal: bool) -> None:
    chain = new_chain(auto_seal=auto_seal)
    receipt = chain.transfer(ALICE, CAROL, 7)
    assert (receipt.height, receipt.status, receipt.gas_used) == (1, 1, 21_000)
    assert chain.balance(CAROL) == 7


def test_a_call_that_fails_in_the_block(chain: Chain) -> None:
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    data = token.contract.abi_function("transfer").encode_call(BOB.address, 101)
    with pytest.raises(Reverted, match="ERC20InsufficientBalance"):
        chain.send_call(ALICE, token.address, data)
    assert chain.height == 1
    with pytest.raises(Reverted) as caught:
        chain.send_call(ALICE, token.address, data, gas=100_000)
    assert caught.value.receipt == chain.receipts(2)[0]
    assert caught.value.data == caught.value.receipt.output


def test_who_earns_the_fees() -> None:
    chain = new_chain()
    chain.transfer(ALICE, BOB, 1)
    fee = chain.receipts(1)[0].effective_gas_price * 21_000
    assert chain.balance(DEFAULT_PROPOSER) == fee
    chain = new_chain(proposer=CAROL)
    chain.transfer(ALICE, BOB, 1)
    assert chain.balance(CAROL) == fee
    assert chain.supply() == ether(11)


def test_time_is_the_callers() -> None:
    chain = new_chain()
    assert isinstance(chain.clock, ManualClock)
    assert chain.clock.now_ms() == DEFAULT_TIMESTAMP_MS
    assert chain.seal().timestamp_ms == chain.clock.now_ms() == DEFAULT_TIMESTAMP_MS + 1_000
    chain.clock.advance(60)
    assert chain.seal().timestamp_ms == DEFAULT_TIMESTAMP_MS + 61_000
    assert (
        new_chain(clock=FixedClock(DEFAULT_TIMESTAMP_MS + 5)).seal().timestamp_ms == DEFAULT_TIMESTAMP_MS + 5
    )
    clock = SystemClock()
    assert new_chain(clock=clock).seal().timestamp_ms <= clock.next_block_ms(DEFAULT_TIMESTAMP_MS)


def test_queries_do_not_move_the_clock(chain: Chain) -> None:
    now = chain.clock.now_ms()
    chain.estimate_gas(BOB, sender=ALICE, value=1)
    chain.sign(ALICE, BOB)
    assert chain.clock.now_ms() == now


# Engines -------------------------------------------------------------------------------------------------


def test_an_engine_is_asked_and_told() -> None:
    engine = ScriptedEngine([decide(b"seal")])
    chain = new_chain(engine=engine)
    block = chain.seal()
    assert block.seal == b"seal"
    assert engine.inputs == [BlockProposed(1, block.hash), BlockCommitted(1, block.hash)]


@pytest.mark.parametrize(
    "reaction",
    [(), (Decide(1, b"\x01" * 32, b""),), (BlockProposed(1, bytes(32)),)],
    ids=["silence", "another block", "no decision"],
)
def test_an_engine_that_does_not_decide(reaction: tuple[object, ...]) -> None:
    chain = new_chain(engine=ScriptedEngine([reaction]))  # type: ignore[list-item]
    waiting = [chain.send(chain.sign(ALICE, BOB, value=1)) for _ in range(2)]
    root = chain.head.state_root
    with pytest.raises(UsageError, match="scripted engine needs a host"):
        chain.seal()
    assert (chain.height, chain.blockchain.state.root) == (0, root)
    assert [one.hash for one in chain.pool] == waiting


# Blocks made elsewhere -----------------------------------------------------------------------------------


def test_appending_blocks_made_elsewhere(chain: Chain) -> None:
    source = new_chain()
    assert isinstance(source.clock, ManualClock)
    source.clock.advance(100)
    shared = source.sign(ALICE, BOB, value=1)
    source.send(shared)
    chain.send_many([shared, chain.sign(ALICE, CAROL, value=2, nonce=1)])
    first = source.seal()
    second = source.seal()
    assert chain.append(first) == source.receipts(1)
    assert shared.hash not in chain.pool
    assert chain.clock.now_ms() == first.timestamp_ms
    assert chain.append(second.encode()) == ()
    assert chain.head == source.head
    mine = chain.seal()
    assert len(mine.transactions) == 1
    assert mine.timestamp_ms == second.timestamp_ms + 1_000
    source.append(mine)
    assert source.balance(CAROL) == 2


def test_appending_with_an_executor() -> None:
    source = new_chain()
    source.send(source.sign(ALICE, BOB, value=1))
    raw = source.seal().encode()
    known.clear()
    with ThreadPoolExecutor(1) as executor:
        chain = new_chain(executor=executor)
        chain.append(raw)
    assert chain.head == source.head


def test_appending_what_is_wrong(chain: Chain) -> None:
    for wrong in (b"", b"\xc0", new_chain(chain_id=7).seal(), chain.head):
        with pytest.raises(InvalidInput):
            chain.append(wrong)
    assert chain.height == 0
