"""Pools: who works on candidates, and whom blocks pay for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chainstack_sdk import ChainStack, UsageError, ether
from chainstack_sdk.consensus.chainkey.payload import unwrap
from chainstack_sdk.consensus.mapreduce import Master
from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork, is_worked, target_of
from chainstack_sdk.network import local_consensus
from chainstack_sdk.network.mining import Miner
from chainstack_sdk.network.pool import ExecutorPool, SoloPool
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import accounts

ALICE, BOB, ONE, TWO, THREE = accounts(5)
BLOCK = keccak256(b"a block")
DIFFICULTY = 300


@pytest.mark.parametrize("work_hash", [DoubleSha256(), KeccakWork()])
def test_one_that_works_alone(work_hash) -> None:
    pool = SoloPool(work_hash)
    nonce = pool.find(BLOCK, target_of(DIFFICULTY))
    assert is_worked(BLOCK, nonce, DIFFICULTY, work_hash)
    assert not any(is_worked(BLOCK, below, DIFFICULTY, work_hash) for below in range(nonce))
    pool.settle(pool.attachment())
    assert pool.attachment() == b""


def test_many_find_the_same_and_are_owed_for_it() -> None:
    with ThreadPoolExecutor(2) as executor:
        pool = ExecutorPool(Miner(executor, [ONE.address, TWO.address], slots=2))
        assert pool.attachment() == b""
        assert pool.find(BLOCK, target_of(DIFFICULTY)) == SoloPool().find(BLOCK, target_of(DIFFICULTY))
        owed = pool.attachment()
        assert Payouts.decode(owed).entries
        pool.settle(b"")
        assert pool.attachment() == owed
        pool.settle(owed)
        assert pool.attachment() == b""


def test_candidates_of_a_pool_have_one_nonce_space() -> None:
    with ThreadPoolExecutor(1) as executor:
        master = Master(DoubleSha256(), nonces=16)
        pool = ExecutorPool(Miner(executor, ONE.address, slots=1, master=master))
        with pytest.raises(UsageError, match="spent"):
            pool.find(BLOCK, 0)


def test_a_stopped_miner_finds_nothing() -> None:
    class Stopped(Miner):
        def mine(self, candidate, target, *, stop=None):
            return None

    with ThreadPoolExecutor(1) as executor:
        assert ExecutorPool(Stopped(executor, ONE.address, slots=1)).find(BLOCK, 1) is None


@pytest.mark.parametrize("name", ["dpow", "pow"])
def test_workers_of_a_chain_are_paid_by_the_blocks_after_their_work(name: str) -> None:
    with ThreadPoolExecutor(3) as executor:
        workers = [ONE, TWO, THREE]
        # ranges so small that each worker gets some of every block
        master = Master(DoubleSha256(), first_count=8, depth=1, range_ms=1)
        pool = ExecutorPool(Miner(executor, [worker.address for worker in workers], slots=3, master=master))
        chain = ChainStack.local({ALICE: ether(1)}, consensus=local_consensus(name, pool=pool)).main
        first = chain.transfer(ALICE, BOB, 1)
        assert chain.block(first.height).attachment == b""
        for _ in range(12):
            before = {worker: chain.balance(worker) for worker in workers}
            owed = dict(master.tally.payouts().entries)
            chain.seal()
            block = chain.head
            carried = unwrap(block.attachment)[0] if name == "dpow" else block.attachment  # beside the key's
            assert dict(Payouts.decode(carried).entries) == owed
            gained = {worker.address: chain.balance(worker) - before[worker] for worker in workers}
            total, weights = sum(gained.values()), sum(owed.values())
            assert total > ether(1)
            for worker in workers:
                share = total * owed.get(worker.address, 0) // weights
                assert abs(gained[worker.address] - share) <= 1  # wei
        assert sum(chain.balance(worker) > 0 for worker in workers) >= 2


def test_going_back_pays_again_for_what_is_owed_again() -> None:
    with ThreadPoolExecutor(1) as executor:
        pool = ExecutorPool(Miner(executor, ONE.address, slots=1))
        chain = ChainStack.local({ALICE: ether(1)}, consensus=local_consensus("dpow", pool=pool)).main
        chain.seal()
        snapshot = chain.snapshot()
        chain.seal()
        paid = chain.balance(ONE)
        chain.revert(snapshot)
        assert chain.balance(ONE) < paid
        chain.seal()
        assert chain.head.attachment
