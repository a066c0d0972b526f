"""Every kind of consensus: what it fixes in a genesis, and what it makes of one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import UsageError, ether
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_CODE
from chainstack_sdk.consensus.committee_engine import CommitteeEngine
from chainstack_sdk.consensus.dpos import DELEGATION_ADDRESS, DelegatedProofOfStake, genesis_delegates
from chainstack_sdk.consensus.dpow import DpowEngine
from chainstack_sdk.consensus.kinds import KINDS, kind_named
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
from chainstack_sdk.consensus.kinds.kind import Kind, Rule
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, PbftEngine, genesis_members
from chainstack_sdk.consensus.pow import ProofOfWork
from chainstack_sdk.consensus.reputation import StakePerformanceActivity
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.staking import (
    STAKING_ADDRESS,
    GenesisValidator,
    StakingParameters,
    genesis_committees,
)
from chainstack_sdk.consensus.terms import drawn_leader, rotating_leader
from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork
from chainstack_sdk.core import Genesis, ProposerFees
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.engine import BlockCommitted, RequestBlock
from chainstack_sdk.core.state import State
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.paradigms import Runtime

MEMBERS = local_members(4)
ADDRESSES = [member.address for member in MEMBERS]
VALIDATORS = [GenesisValidator(member.address, member.vrf.public, ether(32)) for member in MEMBERS]
NEW = {
    "dpow": lambda: DpowChain(VALIDATORS),
    "pos": lambda: PosChain(VALIDATORS),
    "pbft": lambda: PbftChain(ADDRESSES),
    "pow": lambda: PowChain(),
    "dpos": lambda: DposChain(ADDRESSES),
}
ENGINES = {
    "dpow": DpowEngine,
    "pos": CommitteeEngine,
    "pbft": PbftEngine,
    "pow": ProofOfWork,
    "dpos": DelegatedProofOfStake,
}


def chain_of(kind, genesis: Genesis) -> tuple[Blockchain, ChainView]:
    state = State()
    view = ChainView(state)
    runtime = Runtime()
    for code, contract in kind.contracts().items():
        runtime.add_system(code, contract)
    blockchain = Blockchain(
        genesis,
        runtime=runtime,
        header_rule=kind.header_rule(genesis, view),
        fees=ProposerFees(),
        rules=kind.rules(genesis, view),
        state=state,
    )
    view.bind(blockchain)
    return blockchain, view


def test_there_are_five_besides_instant() -> None:
    assert set(KINDS) == set(NEW) == set(ENGINES)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_by_its_name_follows_a_chain_that_exists(name) -> None:
    genesis = NEW[name]().prepare(Genesis())
    kind = kind_named(name)
    assert kind.name == genesis.engine == name
    blockchain, view = chain_of(kind, genesis)
    engine = kind.member(genesis, view, None, headers=view.header, producing=False)
    assert type(engine) is ENGINES[name]
    assert engine.name == name
    assert not [
        output
        for output in engine.process(BlockCommitted(0, blockchain.head.hash))
        if isinstance(output, RequestBlock)
    ]
    assert kind.header_rule(genesis, view).work(blockchain.head) == 1
    codes = {account.code for account in genesis.accounts.values()}
    assert codes - {b""} <= set(kind.contracts()) <= codes | {CHAIN_KEY_CODE}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_what_a_kind_has(name) -> None:
    kind = NEW[name]()
    assert all(hasattr(kind, member) for member in vars(Kind) if not member.startswith("_"))
    rule = kind.header_rule(kind.prepare(Genesis()), ChainView(State()))
    assert all(hasattr(rule, member) for member in vars(Rule) if not member.startswith("_"))


def test_no_kind_of_another_name() -> None:
    for name in ("instant", "poa", ""):
        with pytest.raises(UsageError, match="no engine"):
            kind_named(name)


@pytest.mark.parametrize("name", KINDS)
def test_a_genesis_that_was_not_prepared(name) -> None:
    kind = kind_named(name)
    genesis = Genesis(engine=name)
    with pytest.raises(UsageError):
        chain_of(kind, genesis)


@pytest.mark.parametrize("name", ["dpow", "pos", "pow", "dpos"])
def test_damaged_parameters(name) -> None:
    genesis = replace(NEW[name]().prepare(Genesis()), engine_parameters=b"\xc1\x05")
    with pytest.raises(UsageError, match="fixes no parameters"):
        chain_of(kind_named(name), genesis)


@pytest.mark.parametrize(("name", "weight"), [("dpow", 1), ("pos", 2)])
def test_a_committee_chain_fixes_its_validators(name, weight) -> None:
    chosen = CommitteeParameters(blocks_per_slot=7, committee_size=3, minimum_deposit=ether(16))
    kind = (DpowChain if name == "dpow" else PosChain)(VALIDATORS, parameters=chosen)
    genesis = kind.prepare(Genesis())
    assert CommitteeParameters.decode(genesis.engine_parameters) == chosen
    fixed = StakingParameters.of(genesis)
    assert (fixed.blocks_per_slot, fixed.committee_size, fixed.minimum_deposit) == (7, 3, ether(16))
    assert genesis.accounts[STAKING_ADDRESS].balance == 4 * ether(32)
    for committee in genesis_committees(genesis).values():
        assert [member.weight for member in committee] == [
            weight
        ] * 3  # deposits count where there is no work


def test_leaders_take_turns_beside_miners_and_are_drawn_without() -> None:
    for kind, leader in ((DpowChain(VALIDATORS), rotating_leader), (PosChain(VALIDATORS), drawn_leader)):
        genesis = kind.prepare(Genesis())
        terms = kind.terms(genesis, lambda _: None)
        assert terms.leader is leader
        assert (terms.work is None) == (kind.name == "pos")
        blockchain, view = chain_of(kind, genesis)
        membership = kind.membership(genesis, view)
        assert membership.validators(1) == genesis_committees(genesis)[0]
        assert membership.proposer(1, 0) == leader(membership.validators(1), blockchain.head.seed, 1, 0)


def test_policies_of_ones_own_reach_the_rules() -> None:
    class Taxing(SharedRewards):
        """All to the verifiers."""

        def divide(self, reward_and_fees: int) -> tuple[int, int]:
            return 0, reward_and_fees

    class Tracked(StakePerformanceActivity):
        """Remembers that it was asked."""

    kind = DpowChain(VALIDATORS, rewards=Taxing(), reputation=Tracked(ether(32)), work_hash=KeccakWork())
    genesis = kind.prepare(Genesis())
    rules = kind.rules(genesis, ChainView(State()))
    assert isinstance(rules.made._rewards, Taxing)
    assert isinstance(rules.made._reputation, Tracked)
    assert isinstance(kind.work_hash, KeccakWork)
    assert isinstance(DpowChain().work_hash, DoubleSha256)
    assert not hasattr(PosChain(), "work_hash")


def test_members_of_a_consortium() -> None:
    genesis = PbftChain(ADDRESSES, blocks_per_slot=3, governed=False, senders=ADDRESSES[:1]).prepare(
        Genesis()
    )
    assert MEMBERSHIP_ADDRESS in genesis.accounts
    assert [member.address for member in genesis_members(genesis)[1]] == sorted(ADDRESSES)


def test_a_chain_of_miners() -> None:
    chosen = PowParameters(difficulty=5, window=0, confirmations=2)
    kind = PowChain(parameters=chosen, work_hash=KeccakWork())
    genesis = kind.prepare(Genesis())
    assert PowParameters.decode(genesis.engine_parameters) == chosen
    _, view = chain_of(kind, genesis)
    rule = kind.header_rule(genesis, view)
    assert (rule.confirmations, rule.work_hash) == (2, kind.work_hash)
    assert kind.contracts() == {}
    engine = kind.member(genesis, view, ADDRESSES[0], headers=view.header, producing=True)
    assert RequestBlock(1) in engine.process(BlockCommitted(0, view.blockchain.head.hash))


def test_a_chain_of_delegates() -> None:
    chosen = DposParameters(blocks_per_epoch=6, seats=5, interval_ms=500, minimum_deposit=7)
    genesis = DposChain(ADDRESSES, parameters=chosen).prepare(Genesis())
    assert DposParameters.decode(genesis.engine_parameters) == chosen
    assert genesis.accounts[DELEGATION_ADDRESS].balance == 4 * 7
    assert [member.address for member in genesis_delegates(genesis)] == sorted(ADDRESSES)
    kind = DposChain()
    _, view = chain_of(kind, genesis)
    rules = kind.rules(genesis, view)
    assert rules.reward.minted(3) == 3 * ether(2)
    assert kind.header_rule(genesis, view).parameters == chosen.delegation()


def test_members_of_a_slot_that_has_no_committee_yet() -> None:
    kind = PbftChain([member.address for member in MEMBERS])
    genesis = kind.prepare(Genesis())
    membership = kind.membership(genesis, ChainView(State()))  # an empty state: nobody has been written to it
    with pytest.raises(UsageError, match="not known"):
        membership.validators(1)
