"""Miners with chains of their own: forks, reorganisations, partitions, and one chain in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.node import Timing
from chainstack_sdk.testing import NullRuntime, accounts, payment
from chainstack_sdk.testing.sim.links import LinkFaults
from chainstack_sdk.testing.sim.net import SimNet

if TYPE_CHECKING:
    from chainstack_sdk.network.effects import Node

DIFFICULTY = 300
REWARD = 10**18
KIND = PowChain(parameters=PowParameters(difficulty=DIFFICULTY, window=0, block_reward=REWARD))
MEMBERS = local_members(3)
ALICE, BOB = accounts(2)
FUNDS = {one.address: GenesisAccount(balance=10**20) for one in (ALICE, BOB)}
GENESIS = KIND.prepare(Genesis(chain_id=7, accounts=FUNDS))


@dataclass
class Clock:
    """The virtual time of a network."""

    net: SimNet | None = None

    def now_ms(self) -> int:
        assert self.net is not None
        return GENESIS.timestamp_ms + self.net.now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        return max(self.now_ms(), parent_ms + 1)


class Miners:
    """Three miners whose blocks come about every 100 ms, over links of up to 80 ms: many forks."""

    def __init__(self, seed: int, links: LinkFaults) -> None:
        self.full: list[FullNode] = []
        clock = Clock()
        self.net = clock.net = SimNet(
            seed, [lambda record, number=number: self.node(number, clock) for number in range(3)], links=links
        )

    def node(self, number: int, clock: Clock) -> Node:
        full = full_node(
            KIND,
            GENESIS,
            MEMBERS[number],
            runtime=NullRuntime(),
            clock=clock,
            timing=Timing(resend_ms=300),
        )
        transfers = [payment(full.blockchain, ALICE, BOB, 5, nonce=nonce, tip=10**9) for nonce in range(20)]
        full.pool.put_back(transfers)
        self.full.append(full)
        return full.node

    @property
    def heights(self) -> list[int]:
        return [full.blockchain.height for full in self.full]

    def ancestors(self, below: int) -> set[bytes]:
        """The blocks a few below the tips: one, once the network is quiet enough."""
        height = min(self.heights) - below
        return {full.blockchain.ledger.header(height).hash for full in self.full}

    def check(self) -> None:
        for full in self.full:
            chain = full.blockchain
            assert chain.state.root == chain.head.state_root
            minted = REWARD * chain.height
            assert chain.state.supply() == 2 * 10**20 + minted
            on_chain = [each for h in range(chain.height + 1) for each in chain.ledger.block(h).transactions]
            assert len(on_chain) == len({each.hash for each in on_chain}) == chain.state.nonce(ALICE.address)
            assert len(on_chain) + len(full.pool) == 20  # none was lost on the way
            assert chain.state.balance(BOB.address) == 10**20 + 5 * len(on_chain)

    def reorganisations(self) -> int:
        """How many blocks came off again, over all nodes."""
        return sum(1 for _ in self.net.commits) - sum(self.heights)


@pytest.mark.parametrize("seed", range(3))
def test_miners_agree_on_the_heaviest_chain(seed: int) -> None:
    miners = Miners(seed, LinkFaults(latency_ms=(10, 80), duplication=50, reordering=200))
    miners.net.run(until_ms=4_000)
    miners.check()
    assert min(miners.heights) > 20
    assert len(miners.ancestors(4)) == 1
    assert miners.reorganisations() > 0
    assert miners.full[0].blockchain.state.nonce(ALICE.address) == 20


@pytest.mark.parametrize("seed", range(3))
def test_after_a_partition_the_lighter_side_goes_over(seed: int) -> None:
    miners = Miners(seed, LinkFaults(latency_ms=(5, 20), loss=100))
    net = miners.net
    net.at(500, lambda: net.cut(["n0"], ["n1", "n2"]))
    net.run(until_ms=4_000)
    apart = [full.blockchain for full in miners.full]
    assert apart[0].head.hash not in {apart[1].head.hash, apart[2].head.hash}
    split = sum(
        apart[0].header_of(apart[1].ledger.header(h).hash) is not None for h in range(apart[1].height)
    )
    assert apart[0].height - split > 5
    miners.check()
    net.heal()
    net.run(until_ms=7_000)
    miners.check()
    assert len(miners.ancestors(4)) == 1


def test_one_who_was_away_catches_up() -> None:
    miners = Miners(9, LinkFaults(latency_ms=(5, 20)))
    net = miners.net
    net.run(until_ms=1_000)
    net.crash("n2")
    net.run(until_ms=3_000)
    gone = miners.full.pop()
    net.restart("n2")  # with an empty chain
    net.run(until_ms=5_000)
    assert miners.full[2] is not gone
    miners.check()
    assert len(miners.ancestors(4)) == 1
    assert min(miners.heights) > gone.blockchain.height


def test_runs_are_the_same_every_time() -> None:
    digests = []
    for _ in range(2):
        miners = Miners(1, LinkFaults(latency_ms=(10, 80)))
        miners.net.run(until_ms=1_500)
        digests.append((miners.net.digest, miners.heights))
    assert digests[0] == digests[1]
