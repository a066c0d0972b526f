"""What a chain shows of its finality, engine by engine."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chainstack_sdk import Chain, ChainConfig, UsageError, ether
from chainstack_sdk.chain.finality import keyed_finality
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.cspv import (
    AccountKey,
    ChainKeyAnchor,
    CommitteeAnchor,
    OperatorKey,
    StorageKey,
    WorkAnchor,
    WorkFinality,
    WorkPolicy,
    anchor_from_bytes,
)
from chainstack_sdk.network.hosting import FollowedConsensus
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)
SEED = b"of an operator".ljust(32, b".")


def chain_of(name: str, **options) -> Chain:
    return Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus(name, **options), auto_seal=True)


@pytest.mark.parametrize(
    ("name", "options", "anchor"),
    [
        ("dpow", {}, ChainKeyAnchor),
        ("pos", {"chain_key": False}, CommitteeAnchor),
        ("dpow", {"chain_key": False}, CommitteeAnchor),
        ("pbft", {"chain_key": False}, CommitteeAnchor),
        ("pbft", {"blocks_per_slot": 3}, CommitteeAnchor),
        ("dpos", {"blocks_per_slot": 16}, ChainKeyAnchor),
    ],
)
def test_the_engine_decides_what_an_anchor_is(name, options, anchor) -> None:
    chain = chain_of(name, **options)
    receipt = chain.transfer(ALICE, BOB, 7)
    while chain.finalized_height <= receipt.height:
        chain.seal()
    assert type(chain.anchor) is anchor
    held = anchor_from_bytes(chain.anchor.to_bytes())
    assert held.verify(chain.prove(receipt).to_bytes()).succeeded
    assert held.verify(chain.prove(AccountKey(BOB.address))).balance == 7
    assert held.verify(chain.prove(StorageKey(BOB.address, 0))).value == 0
    proof = chain.prove(chain.transaction(receipt.transaction_hash), anchor=held)
    assert held.verify(proof).hash == receipt.transaction_hash


def test_work_with_a_policy_of_ones_own() -> None:
    chain = chain_of("pow")
    receipt = chain.transfer(ALICE, BOB, 7)
    assert type(chain.anchor) is WorkAnchor
    with pytest.raises(UsageError, match="too few blocks"):
        chain.prove(receipt)
    policy = WorkPolicy(soundness_bits=8, confirmations=4, parts=2)
    patient = Chain(chain.blockchain, chain.engine, finality=WorkFinality(chain.blockchain, policy))
    for _ in range(8):
        patient.seal()
    assert patient.anchor.verify(patient.prove(receipt)).succeeded


def test_one_party_signs_with_its_own_key() -> None:
    chain = Chain.in_memory({ALICE: ether(1)}, operator_seed=SEED, auto_seal=True)
    receipt = chain.transfer(ALICE, BOB, 7)
    assert chain.anchor.key == OperatorKey(SEED).public_key
    assert chain.anchor.verify(chain.prove(receipt)).succeeded
    one, other = (Chain.in_memory({ALICE: ether(1)}) for _ in range(2))
    assert one.anchor == one.anchor != other.anchor


def test_a_chain_in_a_store_is_given_its_key() -> None:
    config = ChainConfig(funds={ALICE.checksum_address: ether(1)})
    with pytest.raises(UsageError, match="operator_seed"):
        Chain.open(MemoryStore(), config).anchor  # noqa: B018
    assert Chain.open(MemoryStore(), config, operator_seed=SEED).anchor.key == OperatorKey(SEED).public_key


def test_an_engine_that_offers_nothing() -> None:
    with pytest.raises(UsageError, match="offers no light proofs"):
        chain_of("dpos", blocks_per_slot=8).anchor  # noqa: B018


def test_a_follower_proves_what_blocks_carry_signatures_of() -> None:
    chain = chain_of("pbft")
    receipt = chain.transfer(ALICE, BOB, 7)
    chain.seal()
    consensus = FollowedConsensus(local_consensus("pbft").kind)
    follower = Chain.in_memory({ALICE: ether(1)}, consensus=consensus)
    for height in range(1, chain.height + 1):
        follower.append(chain.block(height))
    assert follower.anchor == chain.anchor
    assert chain.anchor.verify(follower.prove(receipt)).succeeded
    with pytest.raises(UsageError, match="has not signed"):
        follower.prove(AccountKey(BOB.address))


def test_no_link_leads_from_a_key_that_is_none_of_the_chains() -> None:
    chain = chain_of("pbft")
    receipt = chain.transfer(ALICE, BOB, 7)
    foreign = ChainKeyAnchor(chain.chain_id, OperatorKey(SEED).public_key)
    with pytest.raises(UsageError, match="no links"):
        chain.prove(receipt, anchor=foreign)
    silent = keyed_finality(chain.blockchain, SimpleNamespace(signature=lambda height: None), foreign.key)
    with pytest.raises(UsageError, match="has not signed"):
        silent.evidence(chain.head.header)


def test_a_chain_that_is_to_make_its_first_key_has_no_anchor_yet() -> None:
    from chainstack_sdk.consensus.kinds.members import PbftChain
    from chainstack_sdk.network.hosting import HostedConsensus, local_members

    members = local_members(4)
    kind = PbftChain([one.address for one in members], blocks_per_slot=4, chain_key=True)
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=HostedConsensus(kind, members))
    with pytest.raises(UsageError, match="no key yet"):
        chain.anchor  # noqa: B018
    for _ in range(5):
        chain.seal()
    assert chain.anchor.verify(chain.prove(AccountKey(ALICE.address))).exists
