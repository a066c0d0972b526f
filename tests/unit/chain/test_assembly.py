"""How a chain's parts come together, and which do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat

import pytest

from chainstack_sdk import Chain, ChainConfig, UsageError, ether
from chainstack_sdk.chain.assembly import assemble, closing_on_error, flat_state, with_issuers
from chainstack_sdk.consensus.instant import InstantEngine
from chainstack_sdk.consensus.kinds.miners import PowChain
from chainstack_sdk.core import Genesis, MemoryStore
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.native import NativeContract, external, system_code
from chainstack_sdk.machines import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.network.hosting import FollowedConsensus
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE
from chainstack_sdk.testing import FixedFees, ScriptedConsensus, ScriptedEngine, accounts, decide

ALICE, BOB = accounts(2)
PARTS = {"registry": None, "fees": None, "engine": None, "consensus": None}


def assembled(genesis: Genesis, **parts):
    return assemble(with_issuers(genesis), MemoryLedger(), flat_state(None), **{**PARTS, **parts})


def test_instant_unless_something_else_is_said() -> None:
    blockchain, engine = assembled(Genesis())
    assert isinstance(engine, InstantEngine)
    assert engine.height == 0
    assert blockchain.header_rule is engine.header_rule
    assert blockchain.rules is None


def test_an_engine_alone() -> None:
    mine = ScriptedEngine()
    blockchain, engine = assembled(Genesis(engine="scripted"), engine=mine)
    assert engine is mine
    assert blockchain.header_rule is mine.header_rule


def test_a_genesis_names_a_consensus_that_comes_with_the_library() -> None:
    blockchain, engine = assembled(PowChain().prepare(Genesis()))
    assert engine.name == "pow"
    assert blockchain.rules is not None


def test_a_consensus_sees_the_chain_that_it_is_for() -> None:
    seen = []

    class Looking(ScriptedConsensus):
        """Looks at its chain when asked for an engine."""

        def engine(self, genesis, view):
            seen.append(view.blockchain)
            return super().engine(genesis, view)

    consensus = Looking()
    blockchain, _ = assembled(consensus.prepare(Genesis()), consensus=consensus)
    assert seen == [blockchain]


def test_the_contracts_of_a_consensus_answer() -> None:
    class Greeter(NativeContract):
        """Says one number."""

        @external("function answer() view returns (uint256)")
        def answer(self, call):
            return 42

    code = system_code("greeter")
    where = b"\x42" * 20

    class Greeting(ScriptedConsensus):
        """Puts a contract into the genesis."""

        def prepare(self, genesis):
            account = replace(genesis.accounts[ALICE.address], balance=0, code=code)
            return replace(super().prepare(genesis), accounts={**genesis.accounts, where: account})

    consensus = Greeting(ScriptedEngine(repeat(decide())), contracts={code: Greeter()})
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=consensus)
    entry = Greeter.abi_function("answer")
    assert entry.decode_output(chain.call(where, entry.encode_call())) == (42,)
    chain.seal()
    assert chain.height == 1


@pytest.mark.parametrize(
    ("genesis", "parts", "message"),
    [
        (Genesis(engine="poa"), {}, "no engine of this name"),
        (Genesis(engine="dpow"), {}, "fixes no parameters"),
        (Genesis(), {"engine": ScriptedEngine()}, "names another engine"),
        (Genesis(), {"consensus": ScriptedConsensus()}, "names another engine"),
        (Genesis(), {"engine": ScriptedEngine(), "consensus": ScriptedConsensus()}, "one or the other"),
    ],
)
def test_what_does_not_go_together(genesis, parts, message) -> None:
    with pytest.raises(UsageError, match=message):
        assembled(genesis, **parts)


def test_fees_follow_the_policy_only_without_rules() -> None:
    burning = FixedFees()
    chain = Chain.in_memory({ALICE: ether(1)}, fees=burning, auto_seal=True)
    chain.transfer(ALICE, BOB, 1)
    assert chain.supply() < ether(1)
    consensus = FollowedConsensus(PowChain())
    blockchain, _ = assembled(consensus.prepare(Genesis()), consensus=consensus, fees=burning)
    assert blockchain.rules is not None


def test_factory_and_deployer_are_put_in_place_once() -> None:
    genesis = with_issuers(Genesis())
    assert genesis.accounts[FACTORY_ADDRESS].code == FACTORY_CODE
    assert genesis.accounts[DEPLOYER_ADDRESS].code == DEPLOYER_CODE
    assert with_issuers(genesis) is genesis
    own = GenesisAccount(balance=1)
    left = with_issuers(Genesis(accounts={DEPLOYER_ADDRESS: own}))
    assert left.accounts == {DEPLOYER_ADDRESS: own, FACTORY_ADDRESS: genesis.accounts[FACTORY_ADDRESS]}


def test_a_configuration_and_a_consensus() -> None:
    consensus = ScriptedConsensus(ScriptedEngine(repeat(decide())))
    for chain in (
        Chain.in_memory(config=ChainConfig(chain_id=5), consensus=consensus),
        Chain.open(MemoryStore(), ChainConfig(chain_id=5), consensus=consensus),
    ):
        assert (chain.chain_id, chain.blockchain.genesis.engine) == (5, "scripted")


def test_a_store_is_closed_when_an_error_passes() -> None:
    store = MemoryStore()
    with pytest.raises(ZeroDivisionError), closing_on_error(store):
        raise ZeroDivisionError
    with pytest.raises(UsageError, match="closed"):
        store.get(b"")
    with pytest.raises(ZeroDivisionError), closing_on_error(None):
        raise ZeroDivisionError
