"""Chain.reorganise: pool, clock and engine follow the branch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import Chain, ManualClock, ether
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.testing import FixedClock, ScriptedEngine, accounts, decide

ALICE, BOB, CAROL = accounts(3)
FUNDS = {ALICE: ether(10), BOB: ether(10)}


def blocks_of(chain: Chain) -> list[Block]:
    return [chain.block(height) for height in range(1, chain.height + 1)]


def other_branch(*contents: list) -> list[Block]:
    chain = Chain.in_memory(FUNDS, proposer=CAROL)
    for content in contents:
        chain.send_many(content)
        chain.seal()
    return blocks_of(chain)


def test_dropped_transactions_wait_again_and_run_again() -> None:
    chain = Chain.in_memory(FUNDS)
    first, second = chain.sign(ALICE, CAROL, value=1), chain.sign(ALICE, CAROL, value=2, nonce=1)
    third, other = chain.sign(ALICE, CAROL, value=4, nonce=2), chain.sign(BOB, CAROL, value=8)
    for transaction in (first, second):
        chain.send(transaction)
        chain.seal()
    chain.send(third)
    outcome = chain.reorganise(0, other_branch([other], [first], []))
    assert chain.height == 3
    assert outcome.dropped() == (second,)
    assert {one.hash for one in chain.pool} == {second.hash, third.hash}
    assert chain.next_nonce(ALICE) == 3
    assert [one.hash for one in chain.seal().transactions] == [second.hash, third.hash]
    assert chain.balance(CAROL) >= 15


def test_a_transaction_whose_nonce_is_used_does_not_come_back() -> None:
    chain = Chain.in_memory(FUNDS)
    paid, instead = chain.sign(ALICE, CAROL, value=1), chain.sign(ALICE, BOB, value=3)
    chain.send(paid)
    chain.seal()
    pending = chain.sign(BOB, ALICE, value=1)
    chain.send(pending)
    chain.reorganise(0, other_branch([instead], [pending]))
    assert len(chain.pool) == 0
    assert chain.find_receipt(paid.hash) is None
    assert chain.receipt(instead.hash).succeeded


def test_clock_and_engine_are_told_of_the_tip_only() -> None:
    engine = ScriptedEngine([decide(), (), decide(), ()], name="scripted")
    chain = Chain.in_memory(FUNDS, engine=engine)
    chain.seal()
    chain.seal()
    maker = Chain.in_memory(
        config=None, engine=ScriptedEngine([decide(), ()] * 3, name="scripted"), funds=FUNDS
    )
    for _ in range(3):
        maker.clock.advance(100)
        maker.seal()
    told = len(engine.inputs)
    chain.reorganise(0, blocks_of(maker))
    assert engine.inputs[told:] == [BlockCommitted(3, maker.head.hash)]
    assert isinstance(chain.clock, ManualClock)
    assert chain.clock.now_ms() == maker.head.timestamp_ms
    told = len(engine.inputs)
    chain.reorganise(1, [])
    assert engine.inputs[told:] == [BlockCommitted(1, maker.block(1).hash)]


def test_an_invalid_branch_changes_nothing() -> None:
    chain = Chain.in_memory(FUNDS, clock=FixedClock())
    waiting = chain.sign(ALICE, CAROL, value=1)
    chain.seal()
    chain.send(waiting)
    head = chain.head
    good, bad = other_branch([], [])
    with pytest.raises(InvalidInput):
        chain.reorganise(0, [good, replace(bad, seal=b"x")])
    assert chain.head == head
    assert waiting.hash in chain.pool
    chain.reorganise(0, [good, bad])
    assert chain.height == 2
    assert waiting.hash in chain.pool
