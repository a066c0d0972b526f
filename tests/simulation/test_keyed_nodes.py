"""Whole nodes with a chain key in virtual time: blocks, votes, hand-overs and light proofs, all real."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chainstack_sdk.chain.assembly import stored_parts
from chainstack_sdk.chain.finality import keyed_finality
from chainstack_sdk.consensus.chainkey import KeyPayload, PublicPolynomial, deal_locally, read_key_state
from chainstack_sdk.consensus.chainkey.payload import unwrap
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.staking import GenesisValidator
from chainstack_sdk.core import Genesis, MemoryStore
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.cspv import AccountKey, prove
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.keyed import KeyedNode
from chainstack_sdk.network.node import Timing
from chainstack_sdk.paradigms import Runtime
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.sim import SimNet

MEMBERS = local_members(4)
BLOCKS_PER_SLOT = 8
BLOCKS_PER_EPOCH = 16
"""Of delegates, whose blocks are final some blocks later."""
ALICE = accounts(1)[0]
START_MS = 1_700_000_000_000
SEED = b"dealt before the chain began".ljust(32)


def kind_of(name: str, first_key=None):
    common = {"chain_key": True, "first_key": first_key}
    addresses = [one.address for one in MEMBERS]
    match name:
        case "pbft":
            return PbftChain(addresses, blocks_per_slot=BLOCKS_PER_SLOT, **common)
        case "dpos":
            parameters = DposParameters(blocks_per_epoch=BLOCKS_PER_EPOCH, seats=4, interval_ms=400)
            return DposChain(addresses, parameters=parameters, **common)
    parameters = CommitteeParameters(
        blocks_per_slot=BLOCKS_PER_SLOT, committee_size=4, difficulty=16, window=0
    )
    deposit = parameters.minimum_deposit
    validators = [GenesisValidator(one.address, one.vrf.public, deposit) for one in MEMBERS]
    return {"dpow": DpowChain, "pos": PosChain}[name](validators, parameters=parameters, **common)


@dataclass
class Nodes:
    """Four whole nodes with stores that survive crashes."""

    engine: str
    dealt: bool
    seed: int
    fulls: dict[str, FullNode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first_key = (lambda committee: deal_locally(committee, SEED)[0]) if self.dealt else None
        self.kind = kind_of(self.engine, first_key)
        funds = {ALICE.address: GenesisAccount(balance=10**20)}
        self.genesis = self.kind.prepare(Genesis(7, funds, timestamp_ms=START_MS))
        self.stores = {f"n{number}": MemoryStore() for number in range(4)}
        self.net = SimNet(self.seed, {name: self.factory(name) for name in self.stores})

    def now_ms(self) -> int:
        return START_MS + self.net.now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        return max(self.now_ms(), parent_ms + 1)

    def factory(self, name: str):
        def make(record: bytes | None):
            member = MEMBERS[int(name[1:])]
            ledger, state = stored_parts(self.stores[name], self.genesis, archive=False, keep_states=None)
            full = full_node(
                self.kind,
                self.genesis,
                member,
                runtime=Runtime(),
                clock=self,
                record=record,
                timing=Timing(base_ms=600, step_ms=300, resend_ms=300, pause_ms=20),
                ledger=ledger,
                state=state,
                shares=self.first_shares(member.address),
                entropy=keccak256(name.encode()),
                peers={one.address: f"n{number}" for number, one in enumerate(MEMBERS)},
            )
            self.fulls[name] = full
            return full.node

        return make

    def first_shares(self, address: bytes):
        if not self.dealt:
            return None
        holders = read_key_state(self.state_of_genesis()).holders
        return deal_locally(holders.members, SEED)[1][holders.members.index_of(address)]

    def state_of_genesis(self):
        return full_node(self.kind, self.genesis, runtime=Runtime(), clock=self).blockchain.state

    def run_to(self, height: int) -> None:
        def there() -> bool:
            up = [name for name in self.stores if self.net.node(name) is not None]
            return bool(up) and all(self.chain(name).height >= height for name in up)

        assert self.net.run(self.net.now_ms + 300_000, stop=there), [
            full.blockchain.height for full in self.fulls.values()
        ]

    def chain(self, name: str = "n0"):
        return self.fulls[name].blockchain

    def key(self, name: str = "n0"):
        return read_key_state(self.chain(name).state)

    def machine(self, name: str):
        node = self.fulls[name].node
        assert isinstance(node, KeyedNode)
        return node.machine


def check_shares(nodes: Nodes, polynomial: PublicPolynomial) -> None:
    """Every member holds right shares of the key."""
    for name in nodes.fulls:
        shares = nodes.machine(name).shares(polynomial)
        assert shares, name
        assert all(polynomial.is_share(place, share) for place, share in shares.items())


def check_proof(nodes: Nodes, anchor, height: int) -> None:
    chain = nodes.chain()
    proof = prove(chain, keyed_finality(chain, nodes.machine("n0")), AccountKey(ALICE.address), height)
    assert anchor.verify(proof.to_bytes()).balance == 10**20


@pytest.mark.parametrize("engine", ["pos", "pbft", "dpow"])
def test_a_key_from_genesis_is_handed_over(engine: str) -> None:
    nodes = Nodes(engine, dealt=True, seed=1)
    nodes.run_to(2 * BLOCKS_PER_SLOT + 3)
    key = nodes.key()
    assert (key.holders.generation, key.holders.round, key.failures) == (1, 2, 0)
    anchor = keyed_finality(nodes.chain(), None).anchor()
    assert anchor.key == deal_locally(key.holders.members, SEED)[0].key
    check_shares(nodes, key.holders.polynomial)
    for height in (1, BLOCKS_PER_SLOT, 2 * BLOCKS_PER_SLOT):
        check_proof(nodes, anchor, height)
    headers = [nodes.chain().ledger.header(height) for height in range(1, 2 * BLOCKS_PER_SLOT + 1)]
    with_proof = [header.height for header in headers if header.seed_proof]
    assert with_proof == ([] if engine == "pbft" else [BLOCKS_PER_SLOT, 2 * BLOCKS_PER_SLOT])


def test_without_a_key_from_genesis_the_first_slot_makes_one() -> None:
    nodes = Nodes("pos", dealt=False, seed=2)
    nodes.run_to(BLOCKS_PER_SLOT + 3)
    key = nodes.key()
    assert (key.holders.generation, key.holders.round) == (1, 1)
    check_shares(nodes, key.holders.polynomial)
    check_proof(nodes, keyed_finality(nodes.chain(), None).anchor(), BLOCKS_PER_SLOT + 1)


def test_a_member_that_crashes_goes_on_from_its_record() -> None:
    nodes = Nodes("pos", dealt=True, seed=3)
    nodes.run_to(BLOCKS_PER_SLOT // 2)
    nodes.net.crash("n2")
    nodes.run_to(BLOCKS_PER_SLOT - 1)
    nodes.net.restart("n2")
    nodes.run_to(2 * BLOCKS_PER_SLOT + 3)
    key = nodes.key("n2")
    assert (key.holders.round, key.failures) == (2, 0)
    check_shares(nodes, key.holders.polynomial)


def test_without_enough_shares_the_chain_goes_on_and_makes_another_key() -> None:
    nodes = Nodes("pos", dealt=True, seed=4)
    nodes.first_shares = lambda address: None  # everybody has lost what was dealt
    nodes.run_to(5 * BLOCKS_PER_SLOT + 4)
    key = nodes.key()
    assert key.holders.generation == 2
    headers = [nodes.chain().ledger.header(height) for height in range(1, 5 * BLOCKS_PER_SLOT + 1)]
    assert not headers[BLOCKS_PER_SLOT - 1].seed_proof, "nobody could sign the first slot"
    assert headers[-1].seed_proof
    check_proof(nodes, keyed_finality(nodes.chain(), None).anchor(), 5 * BLOCKS_PER_SLOT + 1)


def test_delegates_sign_what_is_final() -> None:
    nodes = Nodes("dpos", dealt=True, seed=5)
    nodes.run_to(2 * BLOCKS_PER_EPOCH + 3)
    assert nodes.key().holders.round == 2
    final = nodes.fulls["n0"].node.inner.engine.finalized_height()
    assert 0 < final < nodes.chain().height
    signed = [
        height
        for block in map(nodes.chain().ledger.block, range(1, nodes.chain().height + 1))
        for height, _ in KeyPayload.decode(unwrap(block.attachment)[1]).signatures
    ]
    assert set(range(1, final - 2)) <= set(signed)
    check_proof(nodes, keyed_finality(nodes.chain(), None).anchor(), final - 3)
