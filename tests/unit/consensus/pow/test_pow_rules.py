from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.pow import WorkRules
from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, parse_work_commitment, target_of
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import accounts, payment
from chainstack_sdk.testing.forks import work_host

MINER, WORKER, HELPER, PAYER = accounts(4)
GENESIS = Genesis(accounts={PAYER.address: GenesisAccount(balance=10**20)}, engine="pow")
REWARD = ConstantReward(1_000_003)


def host(**options):
    options.setdefault("reward", REWARD)
    return work_host(GENESIS, FixedDifficulty(2), proposer=MINER.address, **options)


def test_the_proposer_earns_reward_and_fees() -> None:
    node = host()
    block = node.propose(
        [payment(node.chain, PAYER, WORKER, 5, tip=3)], timestamp_ms=GENESIS.timestamp_ms + 1
    )
    (receipt,) = node.chain.ledger.receipts(1)
    fees = receipt.gas_used * receipt.effective_gas_price
    assert node.chain.state.balance(MINER.address) == fees + 1_000_003
    assert node.chain.state.supply() == 10**20 + REWARD.minted(1)
    assert block.attachment == b""
    assert parse_work_commitment(block.header.work_commitment) == (2, bytes(32))


def test_the_payout_list_divides_all_of_it() -> None:
    node = host()
    payouts = Payouts.of({WORKER.address: 2, HELPER.address: 1})
    block = node.propose(timestamp_ms=GENESIS.timestamp_ms + 1, attachment=payouts.encode())
    balance = node.chain.state.balance
    assert balance(WORKER.address) + balance(HELPER.address) == 1_000_003
    assert balance(WORKER.address) == 666_669 - (balance(HELPER.address) == 333_335)
    assert balance(MINER.address) == 0
    assert parse_work_commitment(block.header.work_commitment)[1] == payouts.hash
    other = host()
    other.chain.append(Block.decode(block.encode()))
    assert other.chain.head == block.header


def test_by_default_a_block_mints_two_ether() -> None:
    node = host(reward=None)
    node.propose(timestamp_ms=GENESIS.timestamp_ms + 1)
    assert node.chain.state.balance(MINER.address) == 2 * 10**18
    free = host(reward=ConstantReward(0))
    free.propose(timestamp_ms=GENESIS.timestamp_ms + 1)
    assert free.chain.state.supply() == 10**20


def test_the_attachment_is_the_list_that_the_header_commits_to() -> None:
    node = host()
    candidate = node.chain.build([], timestamp_ms=GENESIS.timestamp_ms + 1, proposer=MINER.address)
    nonce = DoubleSha256().search(candidate.block.hash, 0, NONCES, *[target_of(2)] * 2).nonce
    sealed = replace(candidate.block, seal=nonce.to_bytes(8, "big"))
    before = node.chain.state.root
    for attachment in (Payouts.of({WORKER.address: 1}).encode(), b"short"):
        with pytest.raises(InvalidInput):
            node.chain.append(replace(sealed, attachment=attachment))
        assert node.chain.state.root == before
    with pytest.raises(UsageError, match="not a list of payouts"):
        node.chain.build(
            [], timestamp_ms=GENESIS.timestamp_ms + 1, proposer=MINER.address, attachment=b"short"
        )
    node.chain.append(sealed)


def test_difficulty_follows_the_chain() -> None:
    node = work_host(GENESIS, MovingWindow(1_000, 2, 16))
    now, seen = GENESIS.timestamp_ms, []
    for delay_ms in (1_000, 100, 100, 100, 60_000, 60_000):
        now += delay_ms
        block = node.propose(timestamp_ms=now)
        seen.append(parse_work_commitment(block.header.work_commitment)[0])
    assert seen[:2] == [16, 16]
    assert seen[2] < seen[3] < seen[4]
    assert seen[5] < seen[4]
    assert WorkRules(MovingWindow(1_000, 2, 16), node.chain.header_of).slot(7) == 0
