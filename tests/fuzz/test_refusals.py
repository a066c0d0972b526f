"""What is refused or reverts leaves no trace but what the rules say; and coin is conserved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from fuzzing import contracts, samples
from fuzzing.contracts import recipients, tables
from fuzzing.entrances import SUPPLY, fingerprint
from fuzzing.mutation import ByteMutator
from fuzzing.samples import ALICE, BOB, CAROL, GWEI, PEOPLE, sign
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import Chain, InvalidInput, Rejected, Reverted
from chainstack_sdk.core import BlockContext, BlockExecution, Transaction, binary_root, sign_transaction

FUNDED = 10**20
BASE_FEE = GWEI
GAS_LIMIT = 1_000_000
numbers = st.integers(0, 2**64 - 2)


def transact(**changes: object) -> Transaction:
    """Sign a transfer of Alice's that may run next on :func:`busy_chain`, with some changes."""
    fields: dict[str, object] = {"chain_id": 7, "nonce": 2, "to": BOB.address, "gas": 50_000, "value": 1}
    fees = {"max_fee_per_gas": 3 * GWEI, "max_priority_fee_per_gas": GWEI}
    return sign_transaction(ALICE, **{**fields, **fees, **changes})


def busy_chain(**options: object) -> Chain:
    """Return a chain on which Alice has sent two transactions, one of hers and one of Carol's wait."""
    funds = dict.fromkeys(PEOPLE, FUNDED)
    chain = Chain.in_memory(funds, chain_id=7, gas_limit=GAS_LIMIT, base_fee=BASE_FEE, **options)
    for nonce in range(2):
        chain.send(transact(nonce=nonce))
    chain.seal()
    chain.send(transact(value=100))
    chain.send(sign(CAROL, 0, to=ALICE.address, value=3))
    return chain


# For each code: from a number that hypothesis draws to what is wrong with a transaction.
WRONG: dict[str, Callable[[int], dict[str, object]]] = {
    "wrong_chain": lambda n: {"chain_id": n % 2**40 + 8},
    "unsupported": lambda n: {"to": None, "gas": 60_000 + n % 1_000},
    "nonce_too_low": lambda n: {"nonce": n % 2},
    "nonce_too_high": lambda n: {"nonce": max(n, 3)},
    "gas_limit": lambda n: {"gas": GAS_LIMIT + 1 + n % 2**60},
    "fee_too_low": lambda n: {"max_fee_per_gas": n % (BASE_FEE // 2), "max_priority_fee_per_gas": 0},
    "insufficient_funds": lambda n: {"value": FUNDED + n},
}
# The same for the pool, where a nonce may be ahead, and one of Alice's transactions waits already.
IN_POOL: dict[str, Callable[[int], dict[str, object]]] = {
    **{code: wrong for code, wrong in WRONG.items() if code != "nonce_too_high"},
    "insufficient_funds": lambda n: {"nonce": 3, "value": FUNDED - 100 - n % 1_000},
    "already_known": lambda n: {"value": 100},
    "underpriced": lambda n: {"value": n % 100, "max_fee_per_gas": 3 * GWEI + n % (GWEI // 5)},
    "pool_full": lambda n: {"nonce": 4 + n % 1_000},
}


@given(st.sampled_from(sorted(IN_POOL)), numbers)
def test_what_the_pool_refuses(code: str, number: int) -> None:
    chain = busy_chain()
    if code == "pool_full":
        chain.pool.max_transactions = len(chain.pool)
    before, contents = fingerprint(chain), tables(chain)
    transaction = transact(**IN_POOL[code](number))
    with pytest.raises(Rejected) as refusal:
        chain.send(transaction.raw)
    assert refusal.value.code == code
    assert (fingerprint(chain), tables(chain)) == (before, contents)
    (outcome,) = chain.send_many([transaction], strict=False)
    assert isinstance(outcome, Rejected)
    assert (fingerprint(chain), tables(chain)) == (before, contents)


@given(st.sampled_from(sorted(WRONG)), numbers, st.integers(0, 2))
def test_what_a_block_leaves_out(code: str, number: int, place: int) -> None:
    """A block is the same with a transaction that may not run among its candidates and without it."""
    chain = busy_chain()
    before, contents = fingerprint(chain), tables(chain)
    good = [sign(CAROL, nonce, to=ALICE.address, value=nonce) for nonce in range(2)]
    bad = transact(**WRONG[code](number))
    moment = chain.head.timestamp_ms + 1
    without = chain.blockchain.build(good, timestamp_ms=moment, proposer=BOB.address)
    candidate = chain.blockchain.build(
        [*good[:place], bad, *good[place:]], timestamp_ms=moment, proposer=BOB.address
    )
    assert (candidate.block, candidate.receipts) == (without.block, without.receipts)
    ((left_out, refusal),) = candidate.rejected
    assert (left_out, refusal.code) == (bad, code)
    assert (fingerprint(chain), tables(chain)) == (before, contents)

    transactions = (*good[:place], bad, *good[place:])
    root = binary_root([transaction.raw for transaction in transactions])
    header = replace(candidate.block.header, transactions_root=root)
    with pytest.raises(InvalidInput) as invalid:
        chain.append(replace(candidate.block, header=header, transactions=transactions))
    assert invalid.value.code == code
    assert (fingerprint(chain), tables(chain)) == (before, contents)


@given(st.sampled_from(sorted(WRONG)), numbers)
def test_what_execution_refuses(code: str, number: int) -> None:
    chain = busy_chain()
    state = chain.blockchain.state
    state.set_balance(BOB.address, 1)
    journal, contents = state.checkpoint(), tables(chain)
    context = BlockContext(7, 2, 2**41, BOB.address, GAS_LIMIT, BASE_FEE, chain.head.hash)
    execution = BlockExecution(state, context, chain.blockchain.runtime)
    with pytest.raises(Rejected) as refusal:
        execution.apply(transact(**WRONG[code](number)))
    assert refusal.value.code == code
    assert (state.checkpoint(), tables(chain), execution.receipts) == (journal, contents, [])


@given(st.data())
def test_gas_decides_between_all_and_nothing(data: st.DataObject) -> None:
    """With less gas than a call uses nothing happens but the fee; with more, always the same."""
    chain = contracts.stage().chain
    start, before = chain.snapshot(), tables(chain)
    which, value, call = data.draw(st.sampled_from(contracts.calls()))
    to = recipients()[which]
    simulated = chain.simulate(to, call, sender=ALICE, value=value)
    least = chain.sign(ALICE, to, value=value, data=call, gas=GAS_LIMIT).intrinsic_gas
    gas = data.draw(st.integers(least, 2 * simulated.gas_used))
    try:
        digest = chain.send(chain.sign(ALICE, to, value=value, data=call, gas=gas))
        proposer = chain.seal().header.proposer
        receipt, after = chain.receipt(digest), tables(chain)
    finally:
        chain.revert(start)
    assert receipt.succeeded == (gas >= simulated.gas_used)
    fee = receipt.gas_used * receipt.effective_gas_price
    if receipt.succeeded:
        assert (receipt.gas_used, receipt.output, receipt.logs) == (
            simulated.gas_used,
            simulated.output,
            simulated.logs,
        )
        assert after[1, ALICE.address] == before[1, ALICE.address] - fee - value
    else:
        assert (receipt.gas_used, receipt.output, receipt.logs) == (gas, b"", ())
        expected = {**before, (0, ALICE.address): before[0, ALICE.address] + 1}
        expected[1, ALICE.address] -= fee
        expected[1, proposer] = before.get((1, proposer), 0) + fee
        assert after == expected


@cache
def burning() -> Chain:
    config = samples.CONFIG.model_copy(update={"burn_base_fee": True})
    return samples.tell(Chain.in_memory(config=config, auto_seal=True)).chain


@given(st.integers(0, 2**32), st.booleans())
def test_coin_is_conserved_by_every_block(seed: int, burn: bool) -> None:
    """Blocks of transfers and damaged calls: the supply stays, or falls by the base fees that are burnt."""
    chain, rng = burning() if burn else contracts.stage().chain, Random(seed)
    start = chain.snapshot()
    calls = [(recipients()[which], call) for which, _value, call in contracts.calls()]
    damage = ByteMutator(rng, [call for _to, call in calls])
    for _ in range(3):
        for _ in range(rng.randint(0, 5)):
            sender, (to, call) = rng.choice(PEOPLE), rng.choice(calls)
            call, value = rng.choice((call, damage.mutate(call))), rng.choice((0, 0, 1, 10**21))
            outcome = chain.send_many(
                [chain.sign(sender, to, data=call, value=value, gas=contracts.GAS)], strict=False
            )[0]
            assert isinstance(outcome, bytes) or outcome.code == "insufficient_funds"
        chain.seal()
    burnt = 0
    for height in range(chain.height + 1):
        header = chain.block(height).header
        burnt += header.gas_used * header.base_fee if burn else 0
        with chain.blockchain.state_at(height) as state:
            assert state.supply() == SUPPLY - burnt
    assert bool(burnt) == burn
    chain.revert(start)


def test_a_refused_call_in_a_query_leaves_nothing() -> None:
    chain = contracts.stage().chain
    before, contents = fingerprint(chain), tables(chain)
    transfer = contracts.stage().token.contract.abi_function("transfer")
    for amount in (0, 10**30):
        for person in (bytes([number]) * 20 for number in range(1, 50)):
            try:
                chain.call(contracts.stage().token.address, transfer.encode_call(person, amount), sender=BOB)
            except Reverted:
                assert amount
    assert (fingerprint(chain), tables(chain)) == (before, contents)
