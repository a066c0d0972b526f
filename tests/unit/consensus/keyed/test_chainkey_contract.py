"""The chain key contract, as others ask it."""

from __future__ import annotations

import pytest

from chainstack_sdk import Reverted
from chainstack_sdk.consensus.chainkey.contract import ChainKeyContract
from chainstack_sdk.testing import accounts


def test_there_are_views_only() -> None:
    entries = ChainKeyContract.abi()
    assert {entry["stateMutability"] for entry in entries} == {"view"}
    assert {entry["name"] for entry in entries} >= {"groupKey", "polynomial", "holders", "link"}


def test_a_key_from_genesis(world, choose) -> None:
    chain = world()
    contract, holders = chain.contract(), chain.key.holders
    assert contract.read("groupKey") == holders.key
    assert contract.read("polynomial") == holders.polynomial.encode()
    assert contract.read("holders") == tuple(member.address for member in choose(0, 1, 2, 3))
    assert (contract.read("generation"), contract.read("round"), contract.read("threshold")) == (1, 0, 3)
    assert (contract.read("ceremonyRound"), contract.read("ceremonyGeneration")) == (1, 1)
    assert (contract.read("logsPosted"), contract.read("attestation"), contract.read("link", 1)) == (
        0,
        b"",
        b"",
    )


def test_before_there_is_a_key(world) -> None:
    contract = world(keyed=False).contract()
    for name in ("groupKey", "polynomial", "attestation"):
        assert contract.read(name) == b""
    assert contract.read("holders") == ()
    assert (contract.read("generation"), contract.read("round"), contract.read("threshold")) == (0, 0, 0)
    assert (contract.read("ceremonyRound"), contract.read("ceremonyGeneration")) == (1, 1)


def test_it_follows_the_chain(world) -> None:
    chain = world()
    chain.select()
    contract = chain.contract()
    assert contract.read("logsPosted") == 3
    chain.attest()
    chain.finish()
    holders = chain.key.holders
    assert (contract.read("round"), contract.read("ceremonyRound"), contract.read("logsPosted")) == (1, 2, 0)
    assert contract.read("groupKey") == holders.key
    assert (contract.read("polynomial"), contract.read("attestation")) == (
        holders.polynomial.encode(),
        holders.attestation,
    )


def test_nobody_can_write_to_it_or_pay_it(world) -> None:
    chain = world()
    with pytest.raises(Reverted):
        chain.chain.transfer(accounts(1)[0], chain.contract().address, 1)
