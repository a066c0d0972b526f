"""A main chain of whole nodes in real time: miners and a committee, each with a chain of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass

from chainstack_sdk.clock import SystemClock
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import GenesisValidator
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.network.asyncio_host import AsyncioHost
from chainstack_sdk.network.effects import Accused, Committed
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.node import Timing
from chainstack_sdk.paradigms import Runtime
from chainstack_sdk.testing import accounts, payment

VALIDATORS, MINERS = 4, 2
BLOCKS = 3
SECONDS = 5.0
MEMBERS = local_members(VALIDATORS + MINERS)
PARAMETERS = CommitteeParameters(
    blocks_per_slot=2, committee_size=VALIDATORS, difficulty=20_000, interval_ms=100, window=4
)
KIND = DpowChain(
    [
        GenesisValidator(one.address, one.vrf.public, PARAMETERS.minimum_deposit)
        for one in MEMBERS[:VALIDATORS]
    ],
    parameters=PARAMETERS,
)
ALICE, BOB = accounts(2)
GENESIS = KIND.prepare(
    Genesis(
        chain_id=7,
        accounts={one.address: GenesisAccount(balance=10**20) for one in (ALICE, BOB)},
        timestamp_ms=time.time_ns() // 1_000_000,
    )
)


@dataclass
class Network:
    """Nodes over one event loop; it stops once all of them stand at a height."""

    nodes: dict[Hashable, FullNode]
    seconds: float = 0

    def run(self, height: int) -> None:
        asyncio.run(self._run(height))

    async def _run(self, height: int) -> None:
        def listen(name: Hashable, news: Committed | Accused) -> None:
            assert isinstance(news, Committed)
            if all(full.blockchain.height >= height for full in self.nodes.values()):
                host.stop()

        host = AsyncioHost({name: full.node for name, full in self.nodes.items()}, listener=listen)
        start = time.monotonic()
        await asyncio.wait_for(host.run(), 60)
        self.seconds = time.monotonic() - start


def new_network() -> Network:
    nodes: dict[Hashable, FullNode] = {}
    for number, member in enumerate(MEMBERS):
        nodes[number] = full_node(
            KIND,
            GENESIS,
            member,
            runtime=Runtime(),
            clock=SystemClock(),
            producing=number >= VALIDATORS,
            timing=Timing(base_ms=1_000, step_ms=500, resend_ms=300),
        )
    return Network(nodes)


def test_miners_and_a_committee_make_a_chain() -> None:
    network = new_network()
    chains = [full.blockchain for full in network.nodes.values()]
    transfers = [payment(chains[0], ALICE, BOB, 5, nonce=0), payment(chains[0], ALICE, BOB, 7, nonce=1)]
    for full in network.nodes.values():
        full.pool.put_back(transfers)
    network.run(BLOCKS)
    assert network.seconds < SECONDS
    assert len({chain.ledger.header(BLOCKS).hash for chain in chains}) == 1
    first = chains[0].ledger.block(1)
    assert first.transactions == tuple(transfers)
    miners = {one.address for one in MEMBERS[VALIDATORS:]}
    for full in network.nodes.values():
        chain = full.blockchain
        assert len(full.pool) == 0
        assert chain.state.root == chain.head.state_root
        assert chain.state.balance(BOB.address) == 10**20 + 12
        for height in range(1, chain.height + 1):
            block = chain.ledger.block(height)
            assert block.header.proposer in miners
            seal = CommitteeSeal.decode(block.seal)
            assert seal.nonce is not None
            assert seal.certificate


def test_a_follower_with_nothing_but_the_blocks_agrees() -> None:
    network = new_network()
    network.run(BLOCKS)
    source = network.nodes[0].application
    follower = full_node(KIND, GENESIS, None, runtime=Runtime(), clock=SystemClock())
    for height in range(1, BLOCKS + 1):
        sealed = source.sealed(height)
        assert sealed is not None
        follower.application.append(sealed)
    assert follower.blockchain.state.root == source.blockchain.ledger.header(BLOCKS).state_root
