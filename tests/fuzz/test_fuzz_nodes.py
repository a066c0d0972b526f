"""Damaged messages to whole nodes: nothing is raised, and neither the votes nor the chain change.

The messages are those of a simulated network, the nodes its own, in the middle of a height. A damaged
message may still mean something, such as a block that is only asked for, so the answers do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

import pytest
from fuzzing.harness import Target, as_rlp, fuzz
from fuzzing.mutation import ByteMutator

from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
from chainstack_sdk.consensus.kinds.kind import Kind as ConsensusKind
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.staking import GenesisValidator
from chainstack_sdk.core import Genesis, GenesisAccount
from chainstack_sdk.network import wire
from chainstack_sdk.network.abilities import Resending
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.keyed import KeyedNode
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.testing import NullRuntime, accounts, payment
from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.net import SimNet

QUICK_INPUTS, LONG_INPUTS = 150, 15_000
"""Inputs of each kind of consensus, in the default mode and in the long one."""
DIFFICULTY = 1 << 16
"""So great that no damaged header meets it by chance."""
MEMBERS = local_members(4)
ALICE, BOB = accounts(2)
SAMPLES_OF_A_KIND = 12


def committee(kind: type[DpowChain] | type[PosChain]) -> ConsensusKind:
    chosen = CommitteeParameters(committee_size=4, blocks_per_slot=2, difficulty=DIFFICULTY, window=0)
    deposit = chosen.minimum_deposit
    validators = [GenesisValidator(one.address, one.vrf.public, deposit) for one in MEMBERS]
    return kind(validators, parameters=chosen)


KINDS: dict[str, Callable[[], ConsensusKind]] = {
    "dpow": lambda: committee(DpowChain),
    "pos": lambda: committee(PosChain),
    "pbft": lambda: PbftChain([one.address for one in MEMBERS]),
    "pbft with a key": lambda: PbftChain([one.address for one in MEMBERS], blocks_per_slot=8, chain_key=True),
    "dpos": lambda: DposChain(
        [one.address for one in MEMBERS], parameters=DposParameters(seats=4, interval_ms=500)
    ),
    "pow": lambda: PowChain(parameters=PowParameters(difficulty=DIFFICULTY, window=0)),
}


@dataclass
class Story:
    """A network that has come to a few blocks, and what was said there."""

    nodes: list[FullNode] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    net: SimNet | None = None
    start_ms: int = 0

    def now_ms(self) -> int:
        assert self.net is not None
        return self.start_ms + self.net.now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        return max(self.now_ms(), parent_ms + 1)

    def fingerprint(self) -> tuple[object, ...]:
        """What no message may change but a right one: the node's votes, its chain, its pool."""
        full = self.nodes[0]
        keyed = isinstance(full.node, KeyedNode)
        chain, engine = full.blockchain, (full.node.inner if keyed else full.node).engine
        votes = engine.resend() if isinstance(engine, Resending) else ()
        secrets = full.node.machine._record.encode() if keyed else b""
        pool = [each.hash for each in full.pool]
        return votes, chain.height, chain.head.hash, chain.state.root, pool, secrets


@cache
def story(name: str) -> Story:
    kind = KINDS[name]()
    genesis = kind.prepare(Genesis(chain_id=7, accounts={ALICE.address: GenesisAccount(balance=10**20)}))
    made = Story(start_ms=genesis.timestamp_ms)

    def make(number: int) -> FullNode:
        full = full_node(
            kind,
            genesis,
            MEMBERS[number],
            runtime=NullRuntime(),
            clock=made,
            producing=number < 2 or name != "dpow",
            entropy=bytes([number]) * 32,
        )
        full.pool.put_back([payment(full.blockchain, ALICE, BOB, 5, nonce=nonce) for nonce in range(4)])
        return full

    made.nodes = [make(number) for number in range(len(MEMBERS))]
    net = made.net = SimNet(
        3, [lambda record, full=full: full.node for full in made.nodes], hashes_per_ms=DIFFICULTY // 500
    )
    net.run(stop=lambda: made.nodes[0].blockchain.height == 3, max_events=20_000)
    net.run(max_events=12)  # into the next height
    assert made.nodes[0].blockchain.height >= 3
    by_kind: dict[int, list[bytes]] = {}
    said = dict.fromkeys(entry.data for entry in net.audit.entries if entry.kind == audit.SEND)
    for message in said:
        by_kind.setdefault(message[0], []).append(message)
    sealed = made.nodes[1].application.sealed(2)
    assert sealed is not None
    by_kind.setdefault(Kind.DECIDED, []).append(wire.encode(Kind.DECIDED, sealed))
    by_kind.setdefault(Kind.FETCH, []).append(wire.encode(Kind.FETCH, made.nodes[0].application.head_hash))
    by_kind.setdefault(Kind.STATUS, []).append(wire.encode_status(2))
    made.messages = [message for kind in sorted(by_kind) for message in by_kind[kind][-SAMPLES_OF_A_KIND:]]
    return made


def as_messages(rng: Random, samples: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """Damage whole messages; what follows the kind; or, of blocks, the items inside."""
    blocks = [sample[1:] for sample in samples if sample[0] in (Kind.CANDIDATE, Kind.DECIDED)]
    whole, rest = ByteMutator(rng, samples), ByteMutator(rng, [sample[1:] for sample in samples])
    inside = as_rlp(rng, blocks)

    def damage(message: bytes) -> bytes:
        choice = rng.random()
        if choice < 0.2:
            return whole.mutate(message)
        is_block = message[0] in (Kind.CANDIDATE, Kind.DECIDED)
        return message[:1] + (inside(message[1:]) if is_block and choice < 0.7 else rest.mutate(message[1:]))

    return damage


def target(name: str) -> Target:
    made = story(name)
    right = frozenset(made.messages)

    def run(message: bytes) -> None:
        before = made.fingerprint()
        made.nodes[0].node.receive("n1", message)
        assert message in right or made.fingerprint() == before

    return Target(name, lambda: made.messages, run, refusals=(), damage=as_messages)


@pytest.mark.parametrize("name", KINDS)
def test_damaged_messages(name: str, fuzz_seed: int) -> None:
    expected = set(Kind) if "key" in name else set(Kind) - {Kind.KEY}
    assert {message[0] for message in story(name).messages} == expected
    fuzz(target(name), QUICK_INPUTS, fuzz_seed)


@pytest.mark.long
@pytest.mark.parametrize("name", KINDS)
def test_many_damaged_messages(name: str, fuzz_seed: int) -> None:
    fuzz(target(name), LONG_INPUTS, fuzz_seed + 1)


@pytest.mark.parametrize("name", KINDS)
def test_a_change_would_be_seen(name: str) -> None:
    """What the nodes go on to say does change something."""
    made = story(name)
    assert made.net is not None
    before = made.fingerprint()
    assert made.net.run(stop=lambda: made.fingerprint() != before, max_events=1_000)
