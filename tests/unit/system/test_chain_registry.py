"""The registry contract: entries by the governor, blocks by proof."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, InvalidInput, Reverted, UsageError, ether
from chainstack_sdk.cspv import AccountKey, StorageKey
from chainstack_sdk.testing import accounts
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.hub import Hub
from chainstack_sdk.xchain.registry import ChainRegistryApi, RegisteredBlock, RegisteredChain

GOVERNOR, ALICE = accounts(2)
SEEDS = {1: b"\x01" * 32, 2: b"\x02" * 32}


def made(chain_id: int, seed: bytes | None = None) -> Chain:
    return Chain.in_memory(
        {GOVERNOR: ether(1), ALICE: ether(1)},
        chain_id=chain_id,
        crosschain=GOVERNOR,
        auto_seal=True,
        operator_seed=seed or SEEDS[chain_id],
    )


@pytest.fixture
def main() -> Chain:
    return made(1)


@pytest.fixture
def side() -> Chain:
    return made(2)


@pytest.fixture
def registry(main: Chain, side: Chain) -> ChainRegistryApi:
    """The registry of the main chain, whose hub knows the side chain."""
    main.contract(HUB_ADDRESS, Hub).send(GOVERNOR, "registerChain", 2, side.anchor.to_bytes())
    return ChainRegistryApi(main)


@pytest.fixture
def entered(registry: ChainRegistryApi, side: Chain) -> ChainRegistryApi:
    registry.register(GOVERNOR, 2, "side", side.block(0).hash, "instant")
    return registry


def proof_at(chain: Chain, height: int) -> bytes:
    return chain.prove(StorageKey(HUB_ADDRESS, 0), height=height).to_bytes()


def test_an_entry_is_found_by_name_and_in_the_list(entered: ChainRegistryApi, side: Chain) -> None:
    expected = RegisteredChain(2, "side", side.block(0).hash, "instant", side.anchor)
    assert entered.chains() == (expected,)
    assert entered.chain("side") == expected
    assert entered.is_registered(2)
    assert not entered.is_registered(3)
    (event,) = entered.events("ChainEntered", chain=2)
    assert event.args["name"] == "side"
    with pytest.raises(UsageError, match="no chain of this name"):
        entered.chain("other")
    with pytest.raises(Reverted, match="UnknownChain"):
        entered.read("chainOf", 3)


def test_long_names_are_kept_whole(registry: ChainRegistryApi, side: Chain) -> None:
    name, engine = "n" * 64, "e" * 33
    registry.register(GOVERNOR, 2, name, side.block(0).hash, engine)
    assert (registry.chain(name).name, registry.chain(name).engine) == (name, engine)


@pytest.mark.parametrize(
    ("sender", "chain_id", "name", "engine", "refusal"),
    [
        (ALICE, 2, "side", "instant", "NotTheGovernor"),
        (GOVERNOR, 3, "side", "instant", "UnknownChain"),
        (GOVERNOR, 1, "side", "instant", "UnknownChain"),
        (GOVERNOR, 2, "", "instant", "InvalidName"),
        (GOVERNOR, 2, "é" * 33, "instant", "InvalidName"),
        (GOVERNOR, 2, "side", "", "InvalidName"),
    ],
)
def test_entries_that_are_refused(registry, sender, chain_id, name, engine, refusal) -> None:
    root = registry.host.blockchain.state.root
    with pytest.raises(Reverted, match=refusal):
        registry.register(sender, chain_id, name, bytes(32), engine)
    assert registry.host.blockchain.state.root == root


def test_one_entry_for_each_chain_and_name(entered: ChainRegistryApi, main: Chain) -> None:
    with pytest.raises(Reverted, match="AlreadyRegistered"):
        entered.register(GOVERNOR, 2, "again", bytes(32), "instant")
    third = made(3, b"\x03" * 32)
    main.contract(HUB_ADDRESS, Hub).send(GOVERNOR, "registerChain", 3, third.anchor.to_bytes())
    with pytest.raises(Reverted, match="NameTaken"):
        entered.register(GOVERNOR, 3, "side", bytes(32), "instant")
    entered.register(GOVERNOR, 3, "third", bytes(32), "instant")
    assert [entry.name for entry in entered.chains()] == ["side", "third"]


def test_anybody_has_blocks_written_down_by_proof(entered: ChainRegistryApi, side: Chain) -> None:
    assert entered.newest_block(2) == RegisteredBlock(0, side.block(0).hash)
    for _ in range(3):
        side.seal()
    for height in (3, 1):
        entered.anchor_block(ALICE, 2, proof_at(side, height))
        assert entered.block_hash(2, height) == side.block(height).hash
    assert entered.block_hash(2, 2) is None
    assert entered.newest_block(2) == RegisteredBlock(3, side.block(3).hash)
    assert [event.args["height"] for event in entered.events("BlockAnchored", chain=2)] == [3, 1]


def test_blocks_that_are_refused(entered: ChainRegistryApi, side: Chain, main: Chain) -> None:
    side.seal()
    good = proof_at(side, 1)
    account = side.prove(AccountKey(HUB_ADDRESS), height=1).to_bytes()
    forger = made(2, b"\x09" * 32)
    forger.seal()
    for proof in (b"", good[:-1], account, proof_at(main, 1), proof_at(forger, 1)):
        with pytest.raises(Reverted, match="InvalidProof"):
            entered.anchor_block(ALICE, 2, proof)
    with pytest.raises(Reverted, match="UnknownChain"):
        entered.anchor_block(ALICE, 3, good)
    entered.anchor_block(ALICE, 2, good)
    with pytest.raises(Reverted, match="AlreadyAnchored"):
        entered.anchor_block(ALICE, 2, good)


def test_another_block_of_the_same_height_is_refused(entered: ChainRegistryApi, side: Chain) -> None:
    twin = made(2)
    side.seal()
    twin.transfer(ALICE, GOVERNOR, 1)
    entered.anchor_block(ALICE, 2, proof_at(side, 1))
    with pytest.raises(Reverted, match="ConflictingBlock"):
        entered.anchor_block(ALICE, 2, proof_at(twin, 1))
    assert entered.block_hash(2, 1) == side.block(1).hash


def test_the_operator_of_a_forged_chain_proves_nothing(side: Chain) -> None:
    forger = made(2, b"\x09" * 32)
    forger.seal()
    with pytest.raises(InvalidInput):
        side.anchor.verify(proof_at(forger, 1))
