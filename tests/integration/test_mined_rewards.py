"""A master with three workers mines the main chain, and the chain pays the workers for what they brought.

The work is done by threads, and counted by the shares they bring; the count becomes the next block's list of
payouts, which its header commits to before anybody hashes it. Everything else is simulated time.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from chainstack_sdk.consensus import mapreduce
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain
from chainstack_sdk.consensus.mapreduce import Tally
from chainstack_sdk.consensus.payouts import Payouts, split
from chainstack_sdk.consensus.staking import GenesisValidator
from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.mining import Miner
from chainstack_sdk.network.pool import ExecutorPool
from chainstack_sdk.testing import NullRuntime
from chainstack_sdk.testing.sim.net import SimNet

BLOCKS = 6
REWARD = 10**18
MINERS_PART = REWARD * 87 // 100
*COMMITTEE, MASTER = local_members(5)
WORKERS = [bytes([number]) * 20 for number in (0xA1, 0xB2, 0xC3)]
PARAMETERS = CommitteeParameters(committee_size=4, difficulty=20_000, window=0, block_reward=REWARD)
KIND = DpowChain(
    [GenesisValidator(one.address, one.vrf.public, PARAMETERS.minimum_deposit) for one in COMMITTEE],
    parameters=PARAMETERS,
)
GENESIS = KIND.prepare(Genesis(chain_id=7))


@dataclass
class Clock:
    net: list[SimNet] = field(default_factory=list)

    def now_ms(self) -> int:
        return GENESIS.timestamp_ms + self.net[0].now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        return max(self.now_ms(), parent_ms + 1)


class Counted(Tally):
    """A tally that remembers all that was ever brought."""

    def __init__(self) -> None:
        super().__init__()
        self.brought = dict.fromkeys(WORKERS, 0)

    def credit(self, address: bytes, work: int) -> None:
        self.brought[address] += work
        super().credit(address, work)


class Master:
    """The master: its node, and the workers who hash for it. The first worker has two of four slots."""

    def __init__(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        self.tally = Counted()
        master = mapreduce.Master(DoubleSha256(), tally=self.tally, first_count=512, range_ms=5)
        slots = [WORKERS[0], WORKERS[0], WORKERS[1], WORKERS[2]]
        self.pool = ExecutorPool(Miner(executor, slots, slots=4, master=master))
        self.full: FullNode = full_node(
            KIND,
            GENESIS,
            MASTER,
            runtime=NullRuntime(),
            clock=clock,
            producing=True,
            attachment=self.next_payouts,
        )
        self.settled = 0

    @property
    def blocks(self) -> list[Block]:
        chain = self.full.blockchain
        return [chain.ledger.block(height) for height in range(1, chain.height + 1)]

    def next_payouts(self) -> bytes:
        """Take off what the chain has paid; what is still owed goes on the next block."""
        for block in self.blocks[self.settled :]:
            self.pool.settle(block.attachment)
            self.settled += 1
        return self.pool.attachment()

    def search(self, block_hash: bytes, target: int) -> int:
        nonce = self.pool.find(block_hash, target)
        assert nonce is not None
        return nonce


@pytest.fixture(scope="module")
def master() -> Iterator[Master]:
    """A master that has mined some blocks."""
    clock = Clock()
    with ThreadPoolExecutor(4) as executor:
        master = Master(executor, clock)
        committee = [
            full_node(KIND, GENESIS, member, runtime=NullRuntime(), clock=clock, producing=False)
            for member in COMMITTEE
        ]
        nodes = [full.node for full in (master.full, *committee)]
        net = SimNet(1, [lambda record, node=node: node for node in nodes], search=master.search)
        clock.net.append(net)
        assert net.run(stop=lambda: master.full.blockchain.height == BLOCKS, max_events=100_000)
        yield master


def test_every_block_is_mined_by_the_workers_and_certified(master: Master) -> None:
    assert len(master.blocks) == BLOCKS
    assert {block.header.proposer for block in master.blocks} == {MASTER.address}


def test_the_tally_becomes_the_payouts_of_the_next_block(master: Master) -> None:
    first, *others = master.blocks
    assert first.attachment == b""  # nobody had brought anything yet
    for block in others:
        payouts = Payouts.decode(block.attachment)
        assert {address for address, _ in payouts.entries} <= set(WORKERS)
        assert payouts.entries
        assert block.header.work_commitment[32:] == payouts.hash


def test_the_chain_pays_in_proportion(master: Master) -> None:
    expected = dict.fromkeys(WORKERS, 0)
    for block in master.blocks[1:]:
        for address, wei in split(MINERS_PART, Payouts.decode(block.attachment).entries):
            expected[address] += wei
    state = master.full.blockchain.state
    assert {address: state.balance(address) for address in WORKERS} == expected
    assert min(expected.values()) > 0
    assert state.balance(MASTER.address) == MINERS_PART  # for the first block, which has no payouts


def test_nothing_is_paid_twice_and_nothing_forgotten(master: Master) -> None:
    master.next_payouts()
    for address in WORKERS:
        paid = sum(Payouts.decode(block.attachment).weight_of(address) for block in master.blocks)
        assert paid > 0
        assert paid + master.tally.work_of(address) == master.tally.brought[address]
