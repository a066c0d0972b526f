"""Questions to a chain: calls, traces, proofs, logs; nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.queries import (
    FoundLog,
    StorageChange,
    find_logs,
    find_receipt,
    find_transaction,
    prove,
    simulate,
    trace,
)
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, Reverted, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import ScriptedContract, ScriptedRuntime, accounts, bare_chain, extend, payment
from chainstack_sdk.testing.bare import PROPOSER

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.chain import Blockchain

ALICE, BOB = accounts(2)
VAULT, BELL = b"\x0c" * 20, b"\x0d" * 20
VAULT_CODE, BELL_CODE = b"\xef\x43vault", b"\xef\x43bell"
ONE, TWO = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
TOPICS = [bytes([number]) * 32 for number in range(5)]


def add(call: Call, data: bytes) -> bytes:
    """Count in slot 1; touch slot 2 and leave it as it was; pass three wei on."""
    total = call.load(ONE) + 1
    call.store(ONE, total)
    call.store(TWO, 5)
    call.store(TWO, 0)
    call.log([TOPICS[1]], data)
    if call.value:
        call.transfer(BOB.address, 3)
    return total.to_bytes(32, "big")


def ring(call: Call, data: bytes) -> bytes:
    """Emit one log for each byte of the data after the selector, with as many topics as it says."""
    for number in data[4:]:
        call.log(TOPICS[1 : 1 + number], data)
    return b""


def refuse(call: Call, data: bytes) -> bytes:
    call.store(ONE, 99)
    raise call.error("no")


def facts(call: Call, data: bytes) -> bytes:
    return b"".join(
        number.to_bytes(32, "big") for number in (call.block.height, call.block.timestamp_ms, call.gas_left)
    )


def issue(call: Call, data: bytes) -> bytes:
    return call.create(BELL_CODE)


def crash(call: Call, data: bytes) -> bytes:
    call.store(ONE, 99)
    return bytes([1 // len(data[4:])])


VAULT_ANSWERS = {b"oops": crash, b"add!": add, b"no!!": refuse, b"fact": facts, b"new!": issue}
GENESIS = Genesis(
    accounts={
        ALICE.address: GenesisAccount(balance=10**20),
        VAULT: GenesisAccount(nonce=1, code=VAULT_CODE),
        BELL: GenesisAccount(nonce=1, code=BELL_CODE),
    }
)


def new_chain(kind: str = "memory") -> Blockchain:
    runtime = ScriptedRuntime(
        {VAULT_CODE: ScriptedContract(VAULT_ANSWERS), BELL_CODE: ScriptedContract({b"ring": ring})}
    )
    ledger: Any = None
    state: State | None = None
    store, identity = MemoryStore(), keccak256(GENESIS.encode())
    if kind == "store":
        ledger = StoredLedger(store, identity, FlatCodec())
    elif kind == "archive":
        commitment = StoredCommitment(store)
        ledger, state = StoredLedger(store, identity, NodeCodec(commitment)), State(commitment)
    elif kind == "pruned":
        ledger = MemoryLedger(keep_states=1)
    return bare_chain(genesis=GENESIS, runtime=runtime, ledger=ledger, state=state)


def grow(chain: Blockchain) -> None:
    """Block 1: two additions; 2: nothing; 3: bells, a failure, an addition; 4: a payment."""
    extend(chain, *send(chain, (VAULT, b"add!a", 3), (VAULT, b"add!b", 0)))
    extend(chain)
    calls = (BELL, b"ring\x00\x04", 0), (VAULT, b"no!!", 9), (VAULT, b"add!c", 7), (BELL, b"ring\x01\x02", 0)
    extend(chain, *send(chain, *calls))
    extend(chain, payment(chain, ALICE, BOB, 5))


def send(chain: Blockchain, *calls: tuple[bytes, bytes, int]) -> list[Any]:
    nonce = chain.state.nonce(ALICE.address)
    return [
        payment(chain, ALICE, to, value, data=data, gas=150_000, nonce=nonce + at)
        for at, (to, data, value) in enumerate(calls)
    ]


@pytest.fixture(params=["memory", "store", "archive"])
def chain(request: pytest.FixtureRequest) -> Blockchain:
    made = new_chain(request.param)
    grow(made)
    return made


def picture(chain: Blockchain) -> tuple[object, ...]:
    state = chain.state
    return (
        chain.head,
        state.root,
        state.checkpoint(),
        [(state.nonce(who), state.balance(who)) for who in (ALICE.address, BOB.address, VAULT, bytes(20))],
        state.storage(VAULT, ONE),
    )


# Calls ---------------------------------------------------------------------------------------------------


def test_a_call_tells_what_it_would_do(chain: Blockchain) -> None:
    before = picture(chain)
    found = simulate(chain, to=VAULT, data=b"add!x", sender=ALICE.address, value=4)
    assert found.output == (4).to_bytes(32, "big")
    assert found.logs == (Log(VAULT, (TOPICS[1],), b"add!x"),)
    assert picture(chain) == before
    assert extend(chain, *send(chain, (VAULT, b"add!x", 4))).header.gas_used == found.gas_used


def test_a_call_to_a_plain_account(chain: Blockchain) -> None:
    found = simulate(chain, to=BOB.address, sender=ALICE.address, value=1)
    assert (found.output, found.gas_used, found.logs) == (b"", 21_000, ())


def test_calls_on_old_states(chain: Blockchain) -> None:
    before = picture(chain)
    totals = [simulate(chain, to=VAULT, data=b"add!", height=height).output[-1] for height in range(5)]
    assert totals == [1, 3, 3, 4, 4]
    assert picture(chain) == before


def test_the_block_a_call_believes_in(chain: Blockchain) -> None:
    def told(**options: Any) -> tuple[int, ...]:
        output = simulate(chain, to=VAULT, data=b"fact", **options).output
        return tuple(int.from_bytes(output[at : at + 32], "big") for at in (0, 32))

    assert told() == (4, chain.head.timestamp_ms)
    assert told(height=2) == (2, chain.ledger.header(2).timestamp_ms)
    context = chain.next_context(timestamp_ms=99, proposer=PROPOSER)
    assert told(context=context) == (5, 99)


@pytest.mark.parametrize(("gas", "limit"), [(None, 10**9), (50_000, 50_000), (10**12, 10**9)])
def test_the_gas_a_call_has(chain: Blockchain, gas: int | None, limit: int) -> None:
    intrinsic = simulate(chain, to=BOB.address, data=b"fact").gas_used
    output = simulate(chain, to=VAULT, data=b"fact", gas=gas).output
    assert int.from_bytes(output[64:], "big") == limit - intrinsic


def test_a_call_that_creates_believes_in_its_own_nonce(chain: Blockchain) -> None:
    found = simulate(chain, to=VAULT, data=b"new!", sender=ALICE.address)
    assert found.output == contract_address(ALICE.address, chain.state.nonce(ALICE.address))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"value": 1}, "insufficient_funds"),
        ({"sender": ALICE.address, "value": 10**21}, "insufficient_funds"),
        ({"gas": 20_999}, "intrinsic_gas"),
    ],
)
def test_calls_that_cannot_be(chain: Blockchain, options: dict[str, Any], code: str) -> None:
    before = picture(chain)
    with pytest.raises(Rejected) as caught:
        simulate(chain, to=BOB.address, **options)
    assert caught.value.code == code
    assert picture(chain) == before


def test_calls_that_crash(chain: Blockchain) -> None:
    before = picture(chain)
    with pytest.raises(UsageError, match="crashed") as caught:
        simulate(chain, to=VAULT, data=b"oops", sender=ALICE.address)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert picture(chain) == before


def test_a_call_brings_no_negative_coin(chain: Blockchain) -> None:
    with pytest.raises(UsageError, match="negative"):
        simulate(chain, to=BOB.address, sender=ALICE.address, value=-1)


@pytest.mark.parametrize(("data", "told"), [(b"no!!", "no"), (b"what", "no answer")])
def test_calls_that_are_refused(chain: Blockchain, data: bytes, told: str) -> None:
    before = picture(chain)
    with pytest.raises(Reverted):
        simulate(chain, to=VAULT, data=data, sender=ALICE.address, value=3)
    assert picture(chain) == before


def test_a_call_without_enough_gas(chain: Blockchain) -> None:
    with pytest.raises(Reverted, match="out of gas"):
        simulate(chain, to=VAULT, data=b"add!", gas=22_000)


# Transactions --------------------------------------------------------------------------------------------


def test_transactions_and_receipts_by_hash(chain: Blockchain) -> None:
    for height in (1, 3, 4):
        transactions = chain.ledger.block(height).transactions
        for index, transaction in enumerate(transactions):
            assert find_transaction(chain, transaction.hash) == (transaction, height, index)
            receipt = find_receipt(chain, transaction.hash)
            assert receipt == chain.ledger.receipts(height)[index]
    assert find_transaction(chain, bytes(32)) is None
    assert find_receipt(chain, bytes(32)) is None


def test_a_trace_tells_what_changed(chain: Blockchain) -> None:
    before = picture(chain)
    adding = chain.ledger.block(3).transactions[2]
    told = trace(chain, adding.hash)
    assert told.receipt._replace(cumulative_gas_used=0) == find_receipt(chain, adding.hash)._replace(  # type: ignore[union-attr]
        cumulative_gas_used=0
    )
    assert told.storage == (StorageChange(VAULT, ONE, 2, 3),)
    changes = {address: after - earlier for address, earlier, after in told.balances}
    fee = told.receipt.gas_used * told.receipt.effective_gas_price
    assert changes == {ALICE.address: -7 - fee, VAULT: 4, BOB.address: 3}
    assert picture(chain) == before


def test_the_trace_of_a_failure(chain: Blockchain) -> None:
    refused = chain.ledger.block(3).transactions[1]
    told = trace(chain, refused.hash)
    assert told.receipt == find_receipt(chain, refused.hash)
    assert told.storage == ()
    ((address, before, after),) = told.balances
    assert address == ALICE.address
    assert before - after == told.receipt.gas_used * told.receipt.effective_gas_price


def test_no_trace_of_what_is_not_there(chain: Blockchain) -> None:
    with pytest.raises(UsageError, match="no such transaction"):
        trace(chain, bytes(32))


def test_pruned_states_give_no_answers() -> None:
    chain = new_chain("pruned")
    grow(chain)
    first = chain.ledger.block(1).transactions[0].hash
    before = picture(chain)
    for ask in (
        lambda: trace(chain, first),
        lambda: simulate(chain, to=BOB.address, height=2),
        lambda: prove(chain, ALICE.address, height=2),
    ):
        with pytest.raises(UsageError, match="pruned"):
            ask()
    assert picture(chain) == before
    assert trace(chain, chain.ledger.block(4).transactions[0].hash).receipt.height == 4


# Proofs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [None, 0, 1, 2, 3, 4])
def test_proofs_at_every_block(chain: Blockchain, height: int | None) -> None:
    before = picture(chain)
    root = chain.ledger.header(4 if height is None else height).state_root
    for address in (ALICE.address, BOB.address, VAULT, b"\x99" * 20):
        proof = prove(chain, address, (ONE, TWO), height)
        proof.verify(root)
        assert proof.height == (4 if height is None else height)
        if height != 4:
            wrong = chain.ledger.header(0 if height else 4).state_root
            assert wrong != root or height is None
            if wrong != root and address == ALICE.address:
                with pytest.raises(InvalidInput):
                    proof.verify(wrong)
    assert picture(chain) == before


# Logs ----------------------------------------------------------------------------------------------------

ALL = [(1, 0, 0), (1, 1, 1), (3, 0, 0), (3, 0, 1), (3, 2, 2), (3, 3, 3), (3, 3, 4)]
"""(height, transaction, log index) of every log of the story."""


def places(chain: Blockchain, **options: Any) -> list[tuple[int, int, int]]:
    return [(log.height, log.transaction_index, log.log_index) for log in find_logs(chain, **options)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ALL),
        ({"addresses": [VAULT]}, [ALL[0], ALL[1], ALL[4]]),
        ({"addresses": [BELL]}, [ALL[2], ALL[3], ALL[5], ALL[6]]),
        ({"addresses": [VAULT, BELL]}, ALL),
        ({"addresses": [ALICE.address]}, []),
        ({"topics": [TOPICS[1]]}, [ALL[0], ALL[1], *ALL[3:]]),
        ({"topics": [None]}, [ALL[0], ALL[1], *ALL[3:]]),
        ({"topics": [None, TOPICS[2]]}, [ALL[3], ALL[6]]),
        ({"topics": [None, None, None]}, [ALL[3]]),
        ({"topics": [TOPICS[1], TOPICS[2], TOPICS[3], TOPICS[4]]}, [ALL[3]]),
        ({"topics": [None] * 5}, []),
        ({"topics": [TOPICS[2]]}, []),
        ({"topics": [(TOPICS[2], TOPICS[1])], "addresses": [VAULT]}, [ALL[0], ALL[1], ALL[4]]),
        ({"topics": [()]}, []),
        ({"first": 2}, ALL[2:]),
        ({"last": 2}, ALL[:2]),
        ({"first": 1, "last": 1}, ALL[:2]),
        ({"first": -5, "last": 99}, ALL),
        ({"first": 3, "last": 2}, []),
    ],
)
def test_logs_are_found(chain: Blockchain, options: dict[str, Any], expected: list[object]) -> None:
    assert places(chain, **options) == expected


def test_a_found_log_tells_its_place(chain: Blockchain) -> None:
    found = list(find_logs(chain, addresses=[VAULT]))[2]
    block = chain.ledger.block(3)
    assert found == FoundLog(
        Log(VAULT, (TOPICS[1],), b"add!c"), 3, block.hash, block.transactions[2].hash, 2, 2
    )


def test_blooms_spare_the_blocks_that_cannot_match(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = new_chain()
    grow(chain)
    read: list[int] = []
    receipts = chain.ledger.receipts

    def spy(height: int) -> object:
        read.append(height)
        return receipts(height)

    monkeypatch.setattr(chain.ledger, "receipts", spy)
    assert len(places(chain, addresses=[BELL])) == 4
    assert read == [3]
