"""Handles of contracts that a consensus brings."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, UsageError, ether
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, MembershipContract
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)


def chain_of(name: str) -> Chain:
    return Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus(name, validators=2))


def test_any_contract_by_address_and_class() -> None:
    chain = chain_of("pbft")
    handle = chain.contract(MEMBERSHIP_ADDRESS, MembershipContract)
    assert handle.address == MEMBERSHIP_ADDRESS
    assert len(handle.read("members")) == 2
    assert handle.read("isGoverned")


@pytest.mark.parametrize("name", ["dpow", "pos"])
def test_the_staking_contract(name: str) -> None:
    staking = chain_of(name).staking
    assert len(staking.read("validators")) == 2
    assert staking.read("minted") == 0


@pytest.mark.parametrize("name", ["pbft", "dpos", "pow"])
def test_no_staking_contract(name: str) -> None:
    chain = chain_of(name)
    with pytest.raises(UsageError, match="elects no committees") as caught:
        _ = chain.staking
    assert caught.value.facts == {"engine": name}
