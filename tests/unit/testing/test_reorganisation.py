from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ChainConfig, SystemClock, ether
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import FixedClock, ScriptedEngine, accounts, decide
from chainstack_sdk.testing.reorganisation import reorganise

ALICE, BOB, CAROL, DAVE = accounts(4)
FUNDS = {ALICE: ether(10), BOB: ether(10)}


@pytest.fixture
def chain() -> Chain:
    return Chain.in_memory(FUNDS)


def story(chain: Chain):
    """A token, then three blocks: a payment each, and a transfer in the second."""
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    receipts = [chain.transfer(BOB, CAROL, 1)]
    receipts.append(token.transfer(ALICE, DAVE, 30))
    receipts.append(chain.transfer(BOB, CAROL, 2))
    return token, [receipt.transaction_hash for receipt in receipts]


def facts(chain: Chain) -> tuple[object, ...]:
    pool = [transaction.hash for transaction in chain.pool]
    return chain.height, chain.head, chain.clock, chain.clock.now_ms(), pool, chain.auto_seal


def test_a_longer_branch_with_the_same_transactions(chain: Chain) -> None:
    token, hashes = story(chain)
    old = [chain.block(height) for height in (2, 3, 4)]
    logs = list(chain.logs(address=token.address, first=2))
    report = reorganise(chain, 3)
    assert chain.height == 5
    outcome = report.reorganisation
    assert outcome.ancestor_height == 1
    assert outcome.removed == tuple(old)
    assert [len(block.transactions) for block in outcome.added] == [1, 1, 1, 0]
    assert {block.hash for block in outcome.added}.isdisjoint(block.hash for block in old)
    assert [one.transaction.hash for one in report.replayed] == hashes
    assert report.changed == report.dropped == report.waiting == report.refused == ()
    for one in report.replayed:
        assert chain.receipt(one.transaction.hash) == one.after
        assert one.before.succeeded
    assert token.balance_of(DAVE) == 30
    assert list(report.removed_logs) == logs != []


def test_without_some_transactions(chain: Chain) -> None:
    token, hashes = story(chain)
    first, transfer, last = (chain.transaction(digest) for digest in hashes)
    report = reorganise(chain, 3, transactions=[first], blocks=1)
    assert (chain.height, len(report.reorganisation.added)) == (2, 1)
    assert report.dropped == report.waiting == (transfer, last)
    assert token.balance_of(DAVE) == 0
    assert {one.hash for one in chain.pool} == {transfer.hash, last.hash}
    chain.seal()
    assert token.balance_of(DAVE) == 30
    assert "2 dropped out, 2 of them wait" in str(report)
    assert transfer.hash.hex() in str(report)


def test_with_another_transaction_in_the_place_of_one(chain: Chain) -> None:
    _, hashes = story(chain)
    paid = chain.transaction(hashes[0])
    instead = chain.sign(BOB, DAVE, value=5, nonce=0)
    report = reorganise(
        chain, 3, transactions=[instead.encode(), *[chain.transaction(one) for one in hashes[1:]]]
    )
    # nothing says in which block the new one was, so it is in the last, after one that it must not follow
    assert chain.receipt(instead.hash).succeeded
    assert paid in report.dropped
    assert report.waiting == ()
    assert chain.balance(DAVE) == 5


def test_an_outcome_may_change(chain: Chain) -> None:
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    funded = token.transfer(ALICE, BOB, 10)
    spent = token.transfer(BOB, CAROL, 10)
    without = [chain.transaction(spent.transaction_hash)]
    report = reorganise(chain, 2, transactions=without)
    (replayed,) = report.changed
    assert (replayed.before.succeeded, replayed.after.succeeded) == (True, False)
    assert [one.hash for one in report.waiting] == [funded.transaction_hash]
    assert len(report.removed_logs) == 2
    assert [(log.height, log.log_index) for log in report.removed_logs] == [(2, 0), (3, 0)]
    assert f"changed  0x{spent.transaction_hash.hex()}" in str(report)


def test_what_is_refused_on_the_new_branch_is_told(chain: Chain) -> None:
    story(chain)
    gone = chain.sign(BOB, DAVE, value=1, nonce=0, gas=21_000)
    poor = chain.sign(CAROL, DAVE, value=ether(1), gas=21_000)
    report = reorganise(chain, 1, transactions=[gone, poor])
    assert [(one.hash, error.code) for one, error in report.refused] == [
        (gone.hash, "nonce_too_low"),
        (poor.hash, "insufficient_funds"),
    ]
    assert "refused" in str(report)


def test_a_seed_spreads_transactions_the_same_way_each_time() -> None:
    layouts = []
    for seed in (1, 1, 2, 3, 4):
        chain = Chain.in_memory(FUNDS)
        for number in range(6):
            chain.transfer((ALICE, BOB)[number % 2], CAROL, 1)
        report = reorganise(chain, 6, seed=seed)
        assert len(report.replayed) == 6
        assert report.dropped == ()
        layouts.append(tuple(len(block.transactions) for block in report.reorganisation.added))
    assert layouts[0] == layouts[1]
    assert len(set(layouts)) > 1


def test_pool_clock_and_settings_are_kept(chain: Chain) -> None:
    story(chain)
    chain.auto_seal = True
    chain.clock.advance(3_600)
    before = chain.clock.now_ms()
    reorganise(chain, 2)
    assert chain.auto_seal
    assert chain.clock.now_ms() == before
    chain.auto_seal = False
    waiting = chain.sign(ALICE, DAVE, value=1)
    chain.send(waiting)
    report = reorganise(chain, 2)
    assert waiting.hash in chain.pool
    assert report.waiting == ()


@pytest.mark.parametrize("clock", [SystemClock(), FixedClock()])
def test_any_clock_will_do(clock) -> None:
    chain = Chain.in_memory(FUNDS, clock=clock)
    for _ in range(3):
        chain.transfer(ALICE, BOB, 1)
    report = reorganise(chain, 3)
    assert chain.clock is clock
    assert len(report.replayed) == 3
    stamps = [chain.block(height).timestamp_ms for height in range(5)]
    assert stamps == sorted(set(stamps))


def test_a_chain_in_a_store_will_do() -> None:
    config = ChainConfig(funds={ALICE.checksum_address: ether(1)})
    store = MemoryStore()
    with Chain.open(store, config, auto_seal=True) as chain:
        chain.transfer(ALICE, BOB, 1)
        chain.transfer(ALICE, BOB, 1)
        assert len(reorganise(chain, 2).replayed) == 2
        assert chain.balance(BOB) == 2


def test_what_is_not_possible_changes_nothing(chain: Chain) -> None:
    story(chain)
    before = facts(chain)
    for depth in (0, 5, -1):
        with pytest.raises(UsageError, match="no such depth"):
            reorganise(chain, depth)
    with pytest.raises(UsageError, match="at least one block"):
        reorganise(chain, 1, blocks=0)
    with pytest.raises(InvalidInput):
        reorganise(chain, 1, transactions=[b"junk"])
    assert facts(chain) == before
    pruned = Chain.in_memory(FUNDS, keep_states=1)
    pruned.seal()
    pruned.seal()
    before = facts(pruned)
    with pytest.raises(UsageError, match="pruned"):
        reorganise(pruned, 2)
    assert facts(pruned) == before


def test_an_engine_that_fails_half_way_leaves_the_chain_as_it_was() -> None:
    engine = ScriptedEngine([decide(), (), decide(), (), (), decide(), (), (), (), ()], name="scripted")
    chain = Chain.in_memory(FUNDS, engine=engine)
    chain.seal()
    chain.seal()
    before = facts(chain)
    with pytest.raises(UsageError, match="needs a host"):
        reorganise(chain, 2)
    assert facts(chain) == before
