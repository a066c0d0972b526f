"""Nodes put together from a kind of consensus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chainstack_sdk.clock import ManualClock
from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.kinds.miners import PowChain
from chainstack_sdk.consensus.staking import STAKING_CODE, GenesisValidator
from chainstack_sdk.consensus.vrf import vrf_verify
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.state import State
from chainstack_sdk.network.effects import Mine, Send, SetTimer
from chainstack_sdk.network.fork import ForkNode
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.validator import BUILD, ValidatorNode
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing import NullRuntime, ScriptedContract, ScriptedRuntime

if TYPE_CHECKING:
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.network.hosting import Member

MEMBERS = local_members(5)
PARAMETERS = CommitteeParameters(committee_size=4, difficulty=16, window=0)
DPOW = DpowChain(
    [GenesisValidator(one.address, one.vrf.public, PARAMETERS.minimum_deposit) for one in MEMBERS[:4]],
    parameters=PARAMETERS,
)
PBFT = PbftChain([one.address for one in MEMBERS[:1]])
POW = PowChain()


def make(kind: Kind, member: Member | None = MEMBERS[0], **options: Any) -> FullNode:
    genesis = kind.prepare(Genesis(chain_id=7))
    return full_node(kind, genesis, member, **{"runtime": NullRuntime(), "clock": ManualClock()} | options)


def test_the_engine_decides_what_kind_of_node_it_is() -> None:
    assert isinstance(make(DPOW).node, ValidatorNode)
    assert isinstance(make(PBFT).node, ValidatorNode)
    assert isinstance(make(POW).node, ForkNode)


def test_parts_belong_together() -> None:
    full = make(PBFT)
    assert full.blockchain is full.application.blockchain
    assert full.pool is full.application.pool
    assert full.node.application is full.application
    assert (full.blockchain.height, len(full.pool)) == (0, 0)


def test_one_member_alone_decides_for_itself() -> None:
    full = make(PBFT)
    full.node.start()
    for height in range(1, 4):
        full.node.elapsed(BUILD)
        assert full.blockchain.height == height
    assert full.blockchain.head.proposer == MEMBERS[0].address


def test_parts_may_be_given() -> None:
    pool, ledger, state, told = Mempool(chain_id=7), MemoryLedger(), State(), list[bytes]()
    full = make(PBFT, pool=pool, ledger=ledger, state=state, on_evidence=told.append)
    assert full.pool is pool
    assert (full.blockchain.ledger, full.blockchain.state) == (ledger, state)
    full.application.accuse(b"proof")
    assert told == [b"proof"]


@pytest.mark.parametrize("kind", [DPOW, PBFT, POW])
def test_a_follower_makes_no_blocks(kind: Kind) -> None:
    full = make(kind, None)
    effects = full.node.start()
    assert not any(isinstance(effect, Mine | Send) or effect == SetTimer(BUILD, 0) for effect in effects)
    assert full.application.build(1) is None


def test_a_member_mines_if_it_is_producing() -> None:
    miner, idle = make(DPOW, MEMBERS[4]).node, make(DPOW, MEMBERS[4], producing=False).node
    assert SetTimer(BUILD, 0) in miner.start()
    assert SetTimer(BUILD, 0) not in idle.start()
    assert any(isinstance(effect, Mine) for effect in miner.elapsed(BUILD))


def test_a_miner_says_whom_to_pay() -> None:
    full = make(POW, attachment=lambda: MEMBERS[1].address + (5).to_bytes(16, "big"))
    candidate = full.application.build(1)
    assert candidate is not None
    assert candidate.body.count(MEMBERS[1].address) == 1


def test_members_of_the_committee_prove_the_seed() -> None:
    full, outsider = make(DPOW), make(DPOW, MEMBERS[4])
    candidate = full.application.build(1)
    assert candidate is not None
    header = full.application.header(candidate.block_hash)
    assert header is not None
    proof = full.application.extra(candidate)
    vrf_verify(MEMBERS[0].vrf.public, seed_alpha(7, 1, header.seed), proof)
    outsider.application.check(candidate)
    assert outsider.application.extra(candidate) == b""


@pytest.mark.parametrize("kind", [PBFT, POW])
def test_where_there_is_no_seed_nothing_is_proven(kind: Kind) -> None:
    full = make(kind)
    candidate = full.application.build(1)
    assert candidate is not None
    assert full.application.extra(candidate) == b""


def test_contracts_of_the_consensus_are_found_beside_those_of_the_runtime() -> None:
    own = ScriptedContract()
    runtime = make(DPOW, runtime=ScriptedRuntime({b"own": own})).blockchain.runtime
    assert runtime.resolve(b"own") is own
    assert runtime.resolve(STAKING_CODE) is not None
    assert runtime.resolve(b"unknown") is None


def test_a_record_is_handed_to_the_engine() -> None:
    with pytest.raises(InvalidInput):
        make(PBFT, record=b"damaged").node.start()


def test_the_genesis_must_name_the_kind() -> None:
    genesis = PBFT.prepare(Genesis(chain_id=7))
    with pytest.raises(UsageError) as caught:
        full_node(POW, genesis, runtime=NullRuntime(), clock=ManualClock())
    assert (caught.value.expected, caught.value.actual) == ("pbft", "pow")
