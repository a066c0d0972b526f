from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.reorganise import reorganise
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import FailingLedger, accounts, bare_chain, extend, payment

ALICE, BOB = accounts(2)
FUNDS = {ALICE: 10**21, BOB: 10**21}


def flat() -> Blockchain:
    return bare_chain(FUNDS, ledger=StoredLedger(MemoryStore(), bytes(32), FlatCodec()))


def archive() -> Blockchain:
    store = MemoryStore()
    commitment = StoredCommitment(store)
    ledger = StoredLedger(store, bytes(32), NodeCodec(commitment))
    return bare_chain(FUNDS, ledger=ledger, state=State(commitment))


def grown(chain: Blockchain, values: list[int]) -> Blockchain:
    for value in values:
        extend(chain, payment(chain, ALICE, BOB, value))
    return chain


def branch(values: list[int], start: int = 0) -> list[Block]:
    chain = grown(bare_chain(FUNDS), values)
    return [chain.ledger.block(height) for height in range(start + 1, chain.height + 1)]


def facts(chain: Blockchain) -> tuple[object, ...]:
    state = chain.state
    return chain.head, chain.history.root, state.root, state.balance(BOB.address), state.nonce(ALICE.address)


@pytest.mark.parametrize("make", [lambda: bare_chain(FUNDS), flat, archive])
def test_the_other_branch_takes_the_place_of_the_newest_blocks(make) -> None:
    chain = grown(make(), [1, 2, 3])
    old = [chain.ledger.block(height) for height in (2, 3)]
    old_receipts = tuple(chain.ledger.receipts(height) for height in (2, 3))
    new = branch([1, 20, 30, 40], 1)
    outcome = reorganise(chain, 1, new)
    assert facts(chain) == facts(grown(bare_chain(FUNDS), [1, 20, 30, 40]))
    assert outcome.ancestor_height == 1
    assert (outcome.removed, outcome.added) == (tuple(old), tuple(new))
    assert outcome.removed_receipts == old_receipts
    assert outcome.added_receipts == tuple(chain.ledger.receipts(height) for height in (2, 3, 4))
    assert [one.hash for one in outcome.dropped()] == [block.transactions[0].hash for block in old]
    assert chain.ledger.height_of(old[0].hash) is None


def test_transactions_of_both_branches_do_not_drop_out() -> None:
    chain = grown(bare_chain(FUNDS), [1, 2, 3])
    second, third = (chain.ledger.block(height).transactions[0] for height in (2, 3))
    other = grown(bare_chain(FUNDS), [1])
    extend(other)
    extend(other, second)
    outcome = reorganise(chain, 1, [other.ledger.block(height) for height in (2, 3)])
    assert outcome.dropped() == (third,)


def test_going_back_only_and_staying() -> None:
    chain = grown(bare_chain(FUNDS), [1, 2])
    assert reorganise(chain, 2, []).removed == ()
    assert len(reorganise(chain, 0, []).removed) == 2
    assert facts(chain) == facts(bare_chain(FUNDS))
    with ThreadPoolExecutor(1) as executor:
        assert len(reorganise(chain, 0, branch([5]), executor).added) == 1


@pytest.mark.parametrize("make", [lambda: bare_chain(FUNDS), flat, archive])
def test_an_invalid_block_leaves_everything_as_it_was(make) -> None:
    chain = grown(make(), [1, 2, 3])
    before = facts(chain)
    good, bad, *rest = branch([1, 20, 30, 40], 1)
    wrong = replace(bad, header=replace(bad.header, state_root=bytes(32)))
    with pytest.raises(InvalidInput, match="wrong state root") as caught:
        reorganise(chain, 1, [good, wrong])
    assert caught.value.block_hash == wrong.hash
    assert facts(chain) == before
    with pytest.raises(InvalidInput, match="not one branch"):
        reorganise(chain, 1, [good, *rest])
    with pytest.raises(InvalidInput, match="not one branch"):
        reorganise(chain, 0, [good])
    assert facts(chain) == before
    extend(chain)


def test_what_is_not_there_cannot_be_gone_back_to() -> None:
    chain = grown(bare_chain(FUNDS, ledger=MemoryLedger(keep_states=2)), [1, 2, 3])
    before = facts(chain)
    for height in (-1, 4):
        with pytest.raises(UsageError, match="no such block"):
            reorganise(chain, height, [])
    with pytest.raises(UsageError, match="pruned"):
        reorganise(chain, 0, branch([9]))
    assert facts(chain) == before


def test_a_ledger_that_fails_once_leaves_everything_as_it_was() -> None:
    # genesis and two blocks are the changes 1 to 3; both come off, and the second of the others fails
    ledger = FailingLedger(fail_on=[7])
    chain = grown(bare_chain(FUNDS, ledger=ledger), [1, 2])
    before = facts(chain)
    with pytest.raises(OSError, match="7"):
        reorganise(chain, 0, branch([7, 8]))
    assert facts(chain) == before
    assert ledger.changes == 10
