"""Voted delegates with chains of their own: turns by the clock, branches, crashes, one chain in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.consensus.dpos import DelegatedProofOfStake
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.node import Timing
from chainstack_sdk.testing import NullRuntime, accounts, payment
from chainstack_sdk.testing.sim.links import LinkFaults
from chainstack_sdk.testing.sim.net import SimNet

if TYPE_CHECKING:
    from chainstack_sdk.network.effects import Node

INTERVAL_MS = 500
REWARD = 10**18
MEMBERS = local_members(4)
KIND = DposChain(
    [member.address for member in MEMBERS],
    parameters=DposParameters(
        blocks_per_epoch=6, seats=4, interval_ms=INTERVAL_MS, block_reward=REWARD, minimum_deposit=1
    ),
)
ALICE, BOB = accounts(2)
GENESIS = KIND.prepare(
    Genesis(chain_id=7, accounts={one.address: GenesisAccount(balance=10**20) for one in (ALICE, BOB)})
)


@dataclass
class Clock:
    """The virtual time of a network."""

    net: SimNet | None = None

    def now_ms(self) -> int:
        assert self.net is not None
        return GENESIS.timestamp_ms + self.net.now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        raise AssertionError("a delegate's block bears the time of its turn")


class Delegates:
    """Four nodes, each with a chain of its own, which is lost when it crashes; its record is not."""

    def __init__(self, seed: int, links: LinkFaults) -> None:
        self.full: dict[int, FullNode] = {}
        self.clock = Clock()
        self.net = self.clock.net = SimNet(
            seed,
            [lambda record, number=number: self.node(number, record) for number in range(4)],
            links=links,
        )

    def node(self, number: int, record: bytes | None) -> Node:
        full = full_node(
            KIND,
            GENESIS,
            MEMBERS[number],
            runtime=NullRuntime(),
            clock=self.clock,
            record=record,
            timing=Timing(resend_ms=300),
        )
        full.pool.put_back([payment(full.blockchain, ALICE, BOB, 5, nonce=nonce) for nonce in range(5)])
        self.full[number] = full
        return full.node

    def check(self) -> None:
        for full in self.full.values():
            chain = full.blockchain
            assert chain.state.root == chain.head.state_root
            assert chain.state.supply() == 2 * 10**20 + 4 + REWARD * chain.height
            turns = [chain.ledger.header(height).timestamp_ms for height in range(1, chain.height + 1)]
            assert turns == sorted(set(turns))
            assert all(turn % INTERVAL_MS == 0 for turn in turns)
        settled = min(self.irreversible())
        assert len({full.blockchain.ledger.header(settled).hash for full in self.full.values()}) == 1

    def irreversible(self) -> list[int]:
        heights = []
        for full in self.full.values():
            assert isinstance(full.node.engine, DelegatedProofOfStake)
            header = full.node.engine.irreversible
            heights.append(0 if header is None else header.height)
        return heights

    @property
    def heights(self) -> list[int]:
        return [full.blockchain.height for full in self.full.values()]


def test_delegates_take_turns() -> None:
    delegates = Delegates(1, LinkFaults(latency_ms=(10, 100)))
    delegates.net.run(until_ms=10_300)
    delegates.check()
    assert min(delegates.heights) == 20
    assert min(delegates.irreversible()) >= 15
    chain = delegates.full[0].blockchain
    proposers = [chain.ledger.header(height).proposer for height in range(1, 21)]
    assert proposers[:4] == proposers[4:8] == proposers[16:]
    assert set(proposers) == {member.address for member in MEMBERS}
    assert chain.state.balance(BOB.address) == 10**20 + 25


@pytest.mark.parametrize("seed", range(3))
def test_messages_get_lost_and_one_crashes(seed: int) -> None:
    delegates = Delegates(seed, LinkFaults(latency_ms=(10, 200), loss=100, duplication=50))
    net = delegates.net
    net.at(3_000, lambda: net.crash("n2"))
    net.at(5_200, lambda: net.restart("n2"))
    net.run(until_ms=12_000)
    delegates.check()
    net.set_links(LinkFaults(latency_ms=(5, 20)))
    net.run(until_ms=16_300)
    delegates.check()
    assert len(set(delegates.heights)) == 1
    assert min(delegates.heights) > 20


def test_the_lighter_side_of_a_partition_goes_over() -> None:
    delegates = Delegates(5, LinkFaults(latency_ms=(5, 20)))
    net = delegates.net
    net.at(2_100, lambda: net.cut(["n0"], ["n1", "n2", "n3"]))
    net.run(until_ms=8_300)
    delegates.check()
    apart = delegates.heights
    assert apart[0] < apart[1] == apart[2] == apart[3]
    assert delegates.irreversible()[1] > delegates.irreversible()[0]
    net.heal()
    net.run(until_ms=10_300)
    delegates.check()
    assert len(set(delegates.heights)) == 1
    assert delegates.full[0].blockchain.head.hash == delegates.full[3].blockchain.head.hash
