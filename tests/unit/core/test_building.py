"""Building a block on a bare state; through the chain it is in ``test_chain.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.core.blocks import certificate_hash
from chainstack_sdk.core.building import build_block
from chainstack_sdk.core.closing import HeaderExtras, extras_of
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.receipts import receipt_item
from chainstack_sdk.core.state import State
from chainstack_sdk.core.transactions import Transaction, sign_transaction
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError
from chainstack_sdk.testing import NullRuntime, accounts

if TYPE_CHECKING:
    from chainstack_sdk.core.execution import BlockExecution

ALICE, BOB = accounts(2)
CONTEXT = BlockContext(7, 5, 1_000, b"\x0e" * 20, 100_000, 10, b"\x05" * 32, slot=2)
EXTRAS = HeaderExtras(
    seed=b"\x07" * 32,
    seed_proof=b"\x08" * 80,
    parent_certificate=b"votes",
    work_commitment=b"\x09" * 8,
    extra_data=b"hello",
    attachment=b"payouts",
)
COMMITTEE = b"\x0c" * 32


def finish(execution: BlockExecution, extras: HeaderExtras) -> bytes:
    assert extras is EXTRAS
    execution.close(ProposerFees())
    return COMMITTEE


PARTS: dict[str, Any] = {
    "runtime": NullRuntime(),
    "admit": None,
    "finish": finish,
    "extras": EXTRAS,
    "history_root": b"\x06" * 32,
}


@pytest.fixture
def state() -> State:
    state = State()
    state.set_balance(ALICE.address, 10**12)
    state.commit()
    return state


def payment(nonce: int, gas: int = 21_000) -> Transaction:
    return sign_transaction(
        ALICE,
        chain_id=7,
        nonce=nonce,
        to=BOB.address,
        gas=gas,
        value=3,
        max_fee_per_gas=20,
        max_priority_fee_per_gas=1,
    )


def test_the_header_tells_what_happened(state: State) -> None:
    start = state.root
    run = [payment(0), payment(1), payment(3), payment(2, gas=60_000)]
    record, rejected = build_block(state, CONTEXT, run, **PARTS)
    header = record.block.header
    assert [error.code for _, error in rejected] == ["nonce_too_high", "gas_limit"]
    assert record.block.transactions == (run[0], run[1])
    assert (header.chain_id, header.height, header.timestamp_ms, header.slot) == (7, 5, 1_000, 2)
    assert (header.proposer, header.parent_hash) == (CONTEXT.proposer, CONTEXT.parent_hash)
    assert (header.gas_limit, header.gas_used, header.base_fee) == (100_000, 42_000, 10)
    assert header.history_root == b"\x06" * 32
    assert header.transactions_root == binary_root([run[0].raw, run[1].raw])
    assert header.receipts_root == binary_root([receipt_item(receipt) for receipt in record.receipts])
    assert header.state_root == state.root
    assert (header.next_committee_hash, extras_of(record.block)) == (COMMITTEE, EXTRAS)
    assert header.parent_certificate_hash == certificate_hash(b"votes")
    assert record.block.seal == b""
    assert (state.balance(BOB.address), state.balance(CONTEXT.proposer)) == (6, 42_000 * 11)
    state.restore(record.undo, start)
    assert state.root == start


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"proposer": b"\x0e" * 19}, UsageError),
        ({"slot": 1 << 64}, InvalidInput),
        ({"height": -1}, InvalidInput),
    ],
)
def test_the_state_is_as_before_when_there_can_be_no_header(
    state: State, change: dict[str, Any], error: type[Exception]
) -> None:
    start = state.root
    with pytest.raises(error):
        build_block(state, replace(CONTEXT, **change), [payment(0)], **PARTS)
    assert (state.root, state.checkpoint(), state.balance(BOB.address)) == (start, 0, 0)


def test_who_may_not_send_is_left_out(state: State) -> None:
    def admit(seen: State, sender: bytes) -> None:
        assert (seen, sender) == (state, ALICE.address)
        if seen.nonce(sender):
            raise Rejected("one each", code="not_permitted")

    run = [payment(0), payment(1)]
    record, rejected = build_block(state, CONTEXT, run, **{**PARTS, "admit": admit})
    assert record.block.transactions == (run[0],)
    assert [(one, error.code) for one, error in rejected] == [(run[1], "not_permitted")]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": bytes(31)},
        {"seed_proof": bytes(257)},
        {"work_commitment": bytes(65)},
        {"extra_data": bytes(33)},
    ],
)
def test_the_state_is_as_before_when_the_extras_do_not_fit(state: State, change: dict[str, Any]) -> None:
    start = state.root
    parts = PARTS | {"extras": replace(EXTRAS, **change), "finish": lambda execution, extras: COMMITTEE}
    with pytest.raises(InvalidInput):
        build_block(state, CONTEXT, [payment(0)], **parts)
    assert (state.root, state.checkpoint(), state.balance(BOB.address)) == (start, 0, 0)


def test_the_state_is_as_before_when_the_block_cannot_be_closed(state: State) -> None:
    def fail(execution: BlockExecution, extras: HeaderExtras) -> bytes:
        execution.state.add_balance(BOB.address, 5)
        raise InvalidInput("a certificate that proves nothing")

    start = state.root
    with pytest.raises(InvalidInput, match="proves nothing"):
        build_block(state, CONTEXT, [payment(0)], **{**PARTS, "finish": fail})
    assert (state.root, state.checkpoint(), state.balance(BOB.address)) == (start, 0, 0)
