"""Running transactions: what is refused, what is paid, and what a failure leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.bloom import bloom_bits
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.execution import BlockExecution
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.core.state import State
from chainstack_sdk.core.transactions import Transaction, decode_transaction, sign_transaction
from chainstack_sdk.primitives.abi import encode_revert
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken, Rejected, Reverted, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import FixedFees, ScriptedContract, ScriptedRuntime, accounts

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

ALICE, BOB = accounts(2)
VAULT, PROPOSER = b"\x0c" * 20, b"\x0e" * 20
CODE, FOREIGN = b"\xef\x43vault", b"\xef\x43foreign"
ONE = (1).to_bytes(32, "big")
BASE_FEE, FUNDS = 100, 10**12
CONTEXT = BlockContext(
    chain_id=7,
    height=3,
    timestamp_ms=1_000,
    proposer=PROPOSER,
    gas_limit=200_000,
    base_fee=BASE_FEE,
    parent_hash=bytes(32),
)


def write_and_revert(call: Call, data: bytes) -> bytes:
    effects(call, data)
    call.create(CODE)
    raise call.error("no")


def effects(call: Call, data: bytes) -> bytes:
    call.store(ONE, 5)
    call.log([ONE], data)
    call.transfer(BOB.address, 3)
    return b"done"


def burn_all(call: Call, data: bytes) -> bytes:
    effects(call, data)
    call.charge(call.gas_left + 1)
    return b""


def issue(call: Call, data: bytes) -> bytes:
    return call.create(CODE)


def blunder(call: Call, data: bytes) -> bytes:
    effects(call, data)
    raise UsageError("a mistake in the contract")


RUNTIME = ScriptedRuntime(
    {
        CODE: ScriptedContract(
            {
                b"good": effects,
                b"bad!": write_and_revert,
                b"burn": burn_all,
                b"new!": issue,
                b"oops": blunder,
                b"mute": Reverted("no data"),
            }
        )
    }
)


@pytest.fixture
def state() -> State:
    state = State()
    state.set_balance(ALICE.address, FUNDS)
    state.set_balance(VAULT, 50)
    state.set_code(VAULT, CODE)
    state.set_code(b"\x0f" * 20, FOREIGN)
    state.commit()
    return state


@pytest.fixture
def execution(state: State) -> BlockExecution:
    return BlockExecution(state, CONTEXT, RUNTIME)


def sign(**changes: object) -> Transaction:
    fields: dict[str, object] = {
        "chain_id": 7,
        "nonce": 0,
        "to": BOB.address,
        "gas": 21_000,
        "value": 9,
        "max_fee_per_gas": BASE_FEE + 10,
        "max_priority_fee_per_gas": 10,
    }
    return sign_transaction(ALICE, **{**fields, **changes})  # type: ignore[arg-type]


def call(data: bytes, **changes: object) -> Transaction:
    return sign(to=VAULT, gas=100_000, data=data, **changes)


def balances(state: State) -> tuple[int, ...]:
    return tuple(state.balance(who) for who in (ALICE.address, BOB.address, VAULT, PROPOSER))


def test_a_payment(execution: BlockExecution, state: State) -> None:
    payment = sign()
    receipt = execution.apply(payment)
    price = BASE_FEE + 10
    assert receipt == execution.receipts[0]
    assert (receipt.transaction_hash, receipt.status, receipt.logs, receipt.bloom) == (payment.hash, 1, (), 0)
    assert (receipt.gas_used, receipt.cumulative_gas_used, receipt.effective_gas_price) == (
        21_000,
        21_000,
        price,
    )
    assert (receipt.height, receipt.transaction_index) == (3, 0)
    assert (receipt.output, receipt.contract_address) == (b"", None)
    assert balances(state) == (FUNDS - 9 - 21_000 * price, 9, 50, 0)
    assert state.nonce(ALICE.address) == 1


@pytest.mark.parametrize(
    ("fees", "price"),
    [
        ({"max_fee_per_gas": 110, "max_priority_fee_per_gas": 10}, 110),
        ({"max_fee_per_gas": 500, "max_priority_fee_per_gas": 10}, 110),
        ({"max_fee_per_gas": 105, "max_priority_fee_per_gas": 10}, 105),
        ({"max_fee_per_gas": 100, "max_priority_fee_per_gas": 0}, 100),
        ({"max_fee_per_gas": None, "max_priority_fee_per_gas": None, "gas_price": 130}, 130),
    ],
)
def test_the_price_of_gas(execution: BlockExecution, fees: dict[str, object], price: int) -> None:
    assert execution.apply(sign(**fees)).effective_gas_price == price


def test_all_one_has_may_be_spent(execution: BlockExecution, state: State) -> None:
    execution.apply(sign(value=FUNDS - 21_000 * 110))
    assert state.balance(ALICE.address) == 0


def test_paying_oneself(execution: BlockExecution, state: State) -> None:
    execution.apply(sign(to=ALICE.address, value=FUNDS // 2))
    assert state.balance(ALICE.address) == FUNDS - 21_000 * 110


def test_several_in_a_block(execution: BlockExecution, state: State) -> None:
    execution.apply(sign())
    second = execution.apply(call(b"good", nonce=1, value=1))
    third = execution.apply(sign(nonce=2))
    assert (second.transaction_index, third.transaction_index) == (1, 2)
    assert second.cumulative_gas_used == 21_000 + second.gas_used
    assert third.cumulative_gas_used == execution.gas_used == second.gas_used + 42_000
    assert execution.bloom == second.bloom == bloom_bits(VAULT) | bloom_bits(ONE)
    assert [receipt.transaction_index for receipt in execution.receipts] == [0, 1, 2]


def test_a_call(execution: BlockExecution, state: State) -> None:
    receipt = execution.apply(call(b"good", value=1))
    assert receipt.succeeded
    assert receipt.output == b"done"
    assert receipt.logs == (Log(VAULT, (ONE,), b"good"),)
    assert 21_000 < receipt.gas_used < 100_000
    assert state.storage(VAULT, ONE) == 5
    assert balances(state)[1:3] == (3, 50 + 1 - 3)


@pytest.mark.parametrize(
    ("data", "output"),
    [
        (b"bad!", encode_revert("no")),
        (b"burn", b""),
        (b"mute", b""),
        (b"what", encode_revert("the script has no answer")),
    ],
)
def test_a_failure_pays_its_fee_and_changes_nothing_else(
    execution: BlockExecution, state: State, data: bytes, output: bytes
) -> None:
    before = balances(state)
    receipt = execution.apply(call(data, value=7))
    assert (receipt.status, receipt.output, receipt.logs, receipt.contract_address) == (0, output, (), None)
    assert balances(state) == (before[0] - receipt.gas_used * 110, *before[1:])
    assert state.storage(VAULT, ONE) == 0
    assert state.nonce(ALICE.address) == 1
    assert state.code(contract_address(ALICE.address, 0)) == b""
    assert (receipt.gas_used == 100_000) == (data == b"burn")


def test_code_of_another_runtime_refuses(execution: BlockExecution) -> None:
    receipt = execution.apply(sign(to=b"\x0f" * 20, value=0))
    assert receipt.output == encode_revert("no runtime for the code at this address")


def test_an_issued_contract(execution: BlockExecution, state: State) -> None:
    receipt = execution.apply(call(b"new!", value=0))
    assert receipt.contract_address == receipt.output == contract_address(ALICE.address, 0)
    assert state.code(receipt.output) == CODE


def test_a_mistake_in_a_contract_is_not_swallowed(execution: BlockExecution, state: State) -> None:
    before, mark = balances(state), state.checkpoint()
    crashing = call(b"oops")
    with pytest.raises(UsageError, match="crashed") as caught:
        execution.apply(crashing)
    assert caught.value.transaction_hash == crashing.hash
    assert isinstance(caught.value.__cause__, UsageError)
    assert (balances(state), state.checkpoint(), state.nonce(ALICE.address)) == (before, mark, 0)
    assert (execution.receipts, execution.gas_used, execution.bloom) == ([], 0, 0)


@pytest.mark.parametrize("error", [InvariantBroken("ours"), KeyboardInterrupt()])
def test_what_is_not_the_contracts_fault_passes_through(state: State, error: BaseException) -> None:
    def interrupted(call: Call, data: bytes) -> bytes:
        effects(call, data)
        raise error

    execution = BlockExecution(state, CONTEXT, ScriptedRuntime({CODE: ScriptedContract({b"": interrupted})}))
    before = balances(state)
    with pytest.raises(type(error)) as caught:
        execution.apply(call(b"data"))
    assert caught.value is error
    assert (balances(state), state.checkpoint()) == (before, 0)


@pytest.mark.parametrize(
    ("code", "changes", "expected", "actual"),
    [
        ("wrong_chain", {"chain_id": 8}, 7, 8),
        ("nonce_too_high", {"nonce": 1}, 0, 1),
        ("gas_limit", {"gas": 200_001}, 200_000, 200_001),
        ("fee_too_low", {"max_fee_per_gas": 99}, 100, 99),
        (
            "insufficient_funds",
            {"value": FUNDS - 21_000 * 110 + 1},
            FUNDS + 1,
            FUNDS,
        ),
        (
            "insufficient_funds",
            {"max_fee_per_gas": FUNDS, "value": 0},
            21_000 * FUNDS,
            FUNDS,
        ),
    ],
)
def test_refusals_leave_no_trace(
    execution: BlockExecution,
    state: State,
    code: str,
    changes: dict[str, object],
    expected: int,
    actual: int,
) -> None:
    before, mark = balances(state), state.checkpoint()
    with pytest.raises(Rejected) as caught:
        execution.apply(sign(**changes))
    assert (caught.value.code, caught.value.expected, caught.value.actual) == (code, expected, actual)
    assert (balances(state), state.checkpoint(), state.nonce(ALICE.address)) == (before, mark, 0)
    assert (execution.receipts, execution.gas_used) == ([], 0)


def test_a_nonce_is_used_once(execution: BlockExecution) -> None:
    execution.apply(sign())
    with pytest.raises(Rejected) as caught:
        execution.apply(sign(value=10))
    assert (caught.value.code, caught.value.expected, caught.value.actual) == ("nonce_too_low", 1, 0)


def test_the_blocks_gas_counts_what_was_used(execution: BlockExecution) -> None:
    execution.apply(sign(gas=150_000))
    execution.apply(sign(nonce=1, gas=179_000))
    with pytest.raises(Rejected) as caught:
        execution.apply(sign(nonce=2, gas=158_001))
    assert caught.value.expected == 158_000


def test_a_transaction_of_no_chain_is_refused(execution: BlockExecution) -> None:
    fields = [0, 110, 21_000, BOB.address, 9, b""]
    signature = ALICE.sign(keccak256(rlp_encode(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    legacy = decode_transaction(rlp_encode([*fields, 27 + signature[64], r, s]))
    assert (legacy.sender, legacy.chain_id) == (ALICE.address, None)
    with pytest.raises(Rejected) as caught:
        execution.apply(legacy)
    assert caught.value.code == "wrong_chain"


def test_creation_goes_through_the_factory(execution: BlockExecution) -> None:
    with pytest.raises(Rejected) as caught:
        execution.apply(sign(to=None, gas=100_000))
    assert caught.value.code == "unsupported"


def unsigned() -> Transaction:
    """A transaction whose r is the x of no point."""
    raw = sign().raw
    fields = rlp_decode(raw[1:])
    assert isinstance(fields, list)
    for r in range(1, 20):
        changed = decode_transaction(b"\x02" + rlp_encode([*fields[:-2], r, fields[-1]]))
        try:
            changed.sender  # noqa: B018
        except InvalidInput:
            return changed
    raise AssertionError("about half of all numbers are no x")


def test_a_signature_without_a_sender_is_invalid(execution: BlockExecution, state: State) -> None:
    with pytest.raises(InvalidInput):
        execution.apply(unsigned())
    assert state.checkpoint() == 0


def test_fees_are_handed_out_once(execution: BlockExecution, state: State) -> None:
    supply = state.supply()
    execution.apply(sign(max_fee_per_gas=200, max_priority_fee_per_gas=30))
    execution.close(ProposerFees())
    assert state.balance(PROPOSER) == 21_000 * 130
    assert state.supply() == supply


def test_what_the_policy_leaves_is_burnt(execution: BlockExecution, state: State) -> None:
    supply = state.supply()
    execution.apply(sign())
    execution.close(FixedFees({PROPOSER: 30, BOB.address: 0, VAULT: 20}))
    assert balances(state)[1:] == (9, 50 + 21_000 * 22, 21_000 * 33)
    assert state.supply() == supply - 21_000 * 55


class Greedy:
    def __init__(self, *amounts: int) -> None:
        self.amounts = amounts

    def distribute(self, proposer: bytes, base_fees: int, tips: int) -> list[tuple[bytes, int]]:
        return [(proposer, amount) for amount in self.amounts]


@pytest.mark.parametrize("policy", [Greedy(21_000 * 110 + 1), Greedy(21_000 * 110, -1), Greedy(-1)])
def test_a_policy_that_makes_coin_is_stopped(execution: BlockExecution, state: State, policy: Greedy) -> None:
    execution.apply(sign())
    before = balances(state)
    with pytest.raises(InvariantBroken):
        execution.close(policy)
    assert balances(state) == before
