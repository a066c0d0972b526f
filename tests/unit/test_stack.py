"""The composition root of a system of chains."""

from __future__ import annotations

from itertools import repeat

import pytest

from chainstack_sdk import Chain, ChainConfig, ChainStack, UsageError, ether
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.core import MemoryStore
from chainstack_sdk.testing import ScriptedConsensus, ScriptedEngine, accounts, decide

ALICE, BOB = accounts(2)


def test_a_local_system() -> None:
    with ChainStack.local({ALICE: ether(1)}, chain_id=7) as stack:
        assert isinstance(stack.main, Chain)
        assert (stack.main.chain_id, stack.main.auto_seal) == (7, True)
        assert stack.main.transfer(ALICE, BOB, 5).height == 1
        assert stack.main.balance(BOB) == 5


def test_sealing_by_hand() -> None:
    chain = ChainStack.local({ALICE: ether(1)}, auto_seal=False).main
    chain.send(chain.sign(ALICE, BOB, value=5))
    assert chain.height == 0
    assert len(chain.seal().transactions) == 1


def test_the_main_chain_is_mined_and_certified() -> None:
    chain = ChainStack.local({ALICE: ether(1)}).main
    assert chain.engine.name == chain.blockchain.genesis.engine == "dpow"
    chain.transfer(ALICE, BOB, 5)
    assert len(CommitteeSeal.decode(chain.head.seal).certificate) > 3 * 65  # of four members


@pytest.mark.parametrize("name", ["instant", "pos", "pbft", "dpos", "pow"])
def test_another_engine_by_name(name: str) -> None:
    with ChainStack.local({ALICE: ether(1)}, consensus=name, validators=2) as stack:
        assert stack.main.transfer(ALICE, BOB, 5).succeeded
        assert stack.main.engine.name == name
        assert stack.main.blockchain.genesis.engine == name


def test_a_consensus_of_ones_own() -> None:
    consensus = ScriptedConsensus(ScriptedEngine(repeat(decide(b"done"))))
    chain = ChainStack.local({ALICE: ether(1)}, consensus=consensus).main
    assert chain.transfer(ALICE, BOB, 5).succeeded
    assert chain.head.seal == b"done"


def test_no_engine_of_that_name() -> None:
    with pytest.raises(UsageError, match="no engine"):
        ChainStack.local(consensus="poa")


def test_leaving_the_context_closes_the_chains() -> None:
    store = MemoryStore()
    with ChainStack(Chain.open(store, ChainConfig())):
        assert store.get(b"m") is not None
    with pytest.raises(UsageError, match="closed"):
        store.get(b"m")
