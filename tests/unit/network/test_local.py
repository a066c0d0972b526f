"""Consensus among members of one's own, by name."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chainstack_sdk import Chain, UsageError, ether
from chainstack_sdk.consensus.dpos import genesis_delegates
from chainstack_sdk.consensus.kinds import KINDS
from chainstack_sdk.consensus.membership import genesis_members
from chainstack_sdk.consensus.staking import genesis_committees
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.local import DEFAULT_VALIDATORS, LOCAL_INTERVAL_MS, local_consensus
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)


def chain_of(consensus, **options) -> Chain:
    return Chain.in_memory({ALICE: ether(1)}, consensus=consensus, auto_seal=True, **options)


@pytest.mark.parametrize("name", KINDS)
def test_every_engine_runs(name) -> None:
    consensus = local_consensus(name)
    assert consensus.name == name
    assert len(consensus.members) == (1 if name == "pow" else DEFAULT_VALIDATORS)
    chain = chain_of(consensus)
    assert chain.transfer(ALICE, BOB, 5).succeeded
    assert chain.blockchain.genesis.engine == name


@pytest.mark.parametrize(
    ("name", "committee"),
    [
        ("dpow", lambda genesis: genesis_committees(genesis)[0]),
        ("pos", lambda genesis: genesis_committees(genesis)[0]),
        ("dpos", genesis_delegates),
    ],
)
def test_fewer_seats_than_members(name, committee) -> None:
    consensus = local_consensus(name, validators=5, seats=3, blocks_per_slot=6)
    chain = chain_of(consensus)
    assert len(consensus.members) == 5
    assert len(committee(chain.blockchain.genesis)) == 3
    assert chain.transfer(ALICE, BOB, 5).succeeded


def test_members_of_ones_own() -> None:
    members = local_members(2, "ours")
    consensus = local_consensus("pbft", members=members, blocks_per_slot=2)
    genesis = chain_of(consensus).blockchain.genesis
    assert {each.address for each in genesis_members(genesis)[0]} == {each.address for each in members}


def test_delegates_take_turns_as_the_clock_goes() -> None:
    chain = chain_of(local_consensus("dpos"))
    for _ in range(8):
        chain.seal()
    headers = [chain.block(height).header for height in range(1, 9)]
    assert [header.proposer for header in headers[:4]] == [header.proposer for header in headers[4:]]
    assert len({header.proposer for header in headers}) == 4
    times = [header.timestamp_ms for header in headers]
    assert [after - before for before, after in pairwise(times)] == [LOCAL_INTERVAL_MS] * 7


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("instant", {}, "no engine"),
        ("pow", {"validators": 0}, "take part"),
        ("pbft", {"members": []}, "take part"),
        ("dpos", {"blocks_per_slot": 3}, "a block for each seat"),
    ],
)
def test_what_is_refused(name, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        local_consensus(name, **options)
