"""Members, and a consensus around one chain: hosted with their keys, or followed without any."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, InvalidInput, UsageError, ether
from chainstack_sdk.consensus.beacon import seed_alpha
from chainstack_sdk.consensus.bft import Evidence
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import GenesisValidator
from chainstack_sdk.consensus.vrf import vrf_verify
from chainstack_sdk.consensus.work import KeccakWork, is_worked
from chainstack_sdk.core.engine import Accuse
from chainstack_sdk.network.hosting import FollowedConsensus, HostedConsensus, Member, local_members
from chainstack_sdk.network.loop_host import LoopHost
from chainstack_sdk.testing import ScriptedEngine, accounts

ALICE, BOB = accounts(2)
MEMBERS = local_members(4)
VALIDATORS = [GenesisValidator(member.address, member.vrf.public, ether(32)) for member in MEMBERS]
EASY = CommitteeParameters(blocks_per_slot=4, committee_size=4, difficulty=16, window=0)


def hosted(kind, members=MEMBERS, **options) -> Chain:
    consensus = HostedConsensus(kind, members, **options)
    return Chain.in_memory({ALICE: ether(1)}, consensus=consensus, auto_seal=True)


# Members


def test_a_seed_makes_the_same_member_again() -> None:
    one, same, other = (Member.from_seed(seed) for seed in (b"a", b"a", b"b"))
    assert (one.address, one.vrf.public) == (same.address, same.vrf.public)
    assert one.address == one.account.address
    assert one.address != other.address
    assert one.vrf.public != other.vrf.public
    assert one.vrf is one.vrf


def test_local_members_are_the_same_in_every_run() -> None:
    assert [each.address for each in local_members(4)] == [each.address for each in MEMBERS]
    assert local_members(2, "others")[0].address != MEMBERS[0].address
    assert local_members(0) == []


# Hosted


def test_somebody_must_take_part() -> None:
    with pytest.raises(UsageError, match="take part"):
        HostedConsensus(PowChain(), [])


def test_the_members_are_one_engine() -> None:
    chain = hosted(PbftChain([member.address for member in MEMBERS]))
    assert isinstance(chain.engine, LoopHost)
    assert chain.engine.name == chain.blockchain.genesis.engine == "pbft"
    assert chain.transfer(ALICE, BOB, 5).succeeded


def test_the_proof_in_a_seal_is_that_of_a_member_over_the_seed() -> None:
    chain = hosted(PosChain(VALIDATORS, parameters=EASY))
    chain.seal()
    header = chain.head.header
    proof = CommitteeSeal.decode(chain.head.seal).seed_proof
    alpha = seed_alpha(chain.chain_id, 1, header.seed)
    proven = 0
    for member in MEMBERS:
        try:
            vrf_verify(member.vrf.public, alpha, proof)
        except InvalidInput:
            continue
        proven += 1
    assert proven == 1


def test_work_is_done_with_the_hash_of_the_kind() -> None:
    for kind in (
        DpowChain(VALIDATORS, parameters=EASY, work_hash=KeccakWork()),
        PowChain(parameters=PowParameters(difficulty=16, window=0), work_hash=KeccakWork()),
    ):
        chain = hosted(kind)
        chain.seal()
        seal = chain.head.seal
        nonce = int.from_bytes(seal, "big") if kind.name == "pow" else CommitteeSeal.decode(seal).nonce
        assert is_worked(chain.head.hash, nonce, 16, KeccakWork())


def test_less_than_two_thirds_of_the_members_decide_on_nothing() -> None:
    chain = hosted(PbftChain([member.address for member in MEMBERS]), MEMBERS[:2])
    with pytest.raises(UsageError, match="does not agree"):
        chain.seal()
    assert chain.height == 0


def test_a_member_that_is_away_costs_a_round() -> None:
    chain = hosted(PosChain(VALIDATORS, parameters=EASY), MEMBERS[:3])
    for _ in range(8):
        chain.seal()
    assert chain.head.header.slot == 1


def test_evidence_reaches_whoever_wants_it() -> None:
    heard: list[bytes] = []

    class Accusing(PbftChain):
        """One member's engine brings a charge."""

        def member(self, genesis, view, address, **options):
            if address == MEMBERS[3].address:
                return ScriptedEngine([(Accuse(b"proof"),)])
            return super().member(genesis, view, address, **options)

    hosted(Accusing([member.address for member in MEMBERS]), on_evidence=heard.append).seal()
    assert heard == [b"proof"]
    with pytest.raises(InvalidInput):
        Evidence.decode(heard[0])


def test_no_proof_for_a_block_that_is_not_there() -> None:
    consensus = HostedConsensus(PosChain(VALIDATORS, parameters=EASY), MEMBERS)
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=consensus)
    with pytest.raises(UsageError, match="no candidate"):
        chain.engine._prove(0, b"\x05" * 32)


# Followed


def test_a_follower_has_no_voice() -> None:
    kind = PosChain(VALIDATORS, parameters=EASY)
    producer = hosted(kind)
    follower = Chain.in_memory({ALICE: ether(1)}, consensus=FollowedConsensus(kind))
    assert follower.engine.name == "pos"
    with pytest.raises(UsageError, match="needs a host"):
        follower.seal()
    producer.transfer(ALICE, BOB, 5)
    follower.append(producer.head)
    assert follower.head.hash == producer.head.hash
