"""Chains whose blocks an elected committee certifies: the main chain's "dpow", and "pos".

What only blocks need is loaded with the first block, so that a chain is ready at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.kinds.parameters import IntegerParameters
from chainstack_sdk.consensus.reputation import StakePerformanceActivity
from chainstack_sdk.consensus.retarget import retarget_over
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.staking.genesis import STAKING_CODE, with_staking
from chainstack_sdk.consensus.staking.parameters import StakingParameters
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.late import LateContract, LateRules
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.certified import CommitteeRule
    from chainstack_sdk.consensus.committee_engine import CommitteeEngine
    from chainstack_sdk.consensus.dpow import DpowEngine
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.reputation import Reputation
    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.rewards import RewardPolicy
    from chainstack_sdk.consensus.staking import (
        GenesisValidator,
        StakingContract,
        StakingMembership,
        StakingRules,
    )
    from chainstack_sdk.consensus.staking.mining import CommitteeWork
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Contract
    from chainstack_sdk.core.view import ChainView


@dataclass(frozen=True, slots=True)
class CommitteeParameters(IntegerParameters):
    """What a genesis fixes of a committee chain, besides its first validators.

    Raises
    ------
    UsageError
        When a number is out of range.
    """

    blocks_per_slot: int = 100
    committee_size: int = 22
    minimum_deposit: int = ether(32)
    """Wei."""
    block_reward: int = ether(2)
    """Wei."""
    miner_percent: int = 87
    """Of reward and fees; the rest is the verifiers'."""
    difficulty: int = 1 << 16
    """Expected hashes of the first block; unused without proof of work."""
    interval_ms: int = 10_000
    """The distance between blocks that difficulty aims at."""
    window: int = 16
    """Blocks that difficulty looks back; 0: it stays what it is."""

    def __post_init__(self) -> None:
        IntegerParameters.__post_init__(self)
        self.retarget()
        self.rewards()
        self.staking(by_stake=True)

    def retarget(self) -> Retarget:
        """Return how difficulty follows the blocks."""
        return retarget_over(self.window, self.interval_ms, self.difficulty)

    def staking(self, *, by_stake: bool) -> StakingParameters:
        """Return what the staking contract knows; ``by_stake``: votes weigh what members have deposited."""
        return StakingParameters(
            blocks_per_slot=self.blocks_per_slot,
            committee_size=self.committee_size,
            minimum_deposit=self.minimum_deposit,
            weight_unit=self.minimum_deposit if by_stake else 0,
        )

    def rewards(self) -> SharedRewards:
        """Return who gets how much for a block."""
        return SharedRewards(block_reward=self.block_reward, miner_percent=self.miner_percent)


class _CommitteeChain:
    """What "dpow" and "pos" have in common."""

    name: ClassVar[str]
    _is_mined: ClassVar[bool]

    def __init__(
        self,
        validators: Sequence[GenesisValidator] = (),
        *,
        parameters: CommitteeParameters | None = None,
        rewards: RewardPolicy | None = None,
        reputation: Reputation | None = None,
    ) -> None:
        self._validators = tuple(validators)
        self.parameters = parameters or CommitteeParameters()
        self._rewards = rewards
        self._reputation = reputation
        self._scheme = Secp256k1Scheme()

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and parameters, and the staking contract."""
        named = replace(genesis, engine=self.name, engine_parameters=self.parameters.encode())
        staking = self.parameters.staking(by_stake=not self._is_mined)
        return with_staking(named, self._validators, staking)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the staking contract."""
        return {STAKING_CODE: LateContract(_staking_contract)}

    def header_rule(self, genesis: Genesis, view: ChainView) -> CommitteeRule:
        """Return the rule by which the chain checks headers; it reads the committees from its state."""
        from chainstack_sdk.consensus.certified import CommitteeRule
        from chainstack_sdk.consensus.staking.membership import StateCommittees

        return CommitteeRule(self.terms(genesis, view.header), StateCommittees(view.state))

    def rules(self, genesis: Genesis, view: ChainView) -> LateRules:
        """Return what the chain does at the end of a block: :class:`StakingRules`, with the first block."""
        return LateRules(lambda: self._rules(genesis, view))

    def _rules(self, genesis: Genesis, view: ChainView) -> StakingRules:
        from chainstack_sdk.consensus.staking.rules import StakingRules

        chosen = CommitteeParameters.of(genesis)
        return StakingRules(
            self.terms(genesis, view.header),
            view.state,
            rewards=self._rewards or chosen.rewards(),
            reputation=self._reputation or StakePerformanceActivity(chosen.minimum_deposit),
            mining=self._work(chosen, view.header),
            burn_base_fee=genesis.burn_base_fee,
        )

    def terms(self, genesis: Genesis, headers: Callable[[bytes], Header | None]) -> CommitteeTerms:
        """Return what everybody on the chain agrees on; ``headers`` finds the ancestors of a header."""
        from chainstack_sdk.consensus.terms import CommitteeTerms, drawn_leader, rotating_leader

        chosen = CommitteeParameters.of(genesis)
        return CommitteeTerms(
            genesis.chain_id,
            SlotSchedule(chosen.blocks_per_slot),
            self._scheme,
            leader=rotating_leader if self._is_mined else drawn_leader,
            work=self._work(chosen, headers),
        )

    def membership(self, genesis: Genesis, view: ChainView) -> StakingMembership:
        """Return who validates and who proposes, height by height."""
        from chainstack_sdk.consensus.staking.membership import StakingMembership, StateCommittees

        def seed_of(height: int) -> bytes:
            return view.blockchain.ledger.header(height).seed

        return StakingMembership(self.terms(genesis, view.header), StateCommittees(view.state), seed_of)

    def _votes(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        headers: Callable[[bytes], Header | None],
    ) -> CommitteeEngine:
        from chainstack_sdk.consensus.bft.engine import BftCore
        from chainstack_sdk.consensus.certified import CommitteeRule
        from chainstack_sdk.consensus.committee_engine import CommitteeEngine
        from chainstack_sdk.consensus.staking.membership import StateCommittees

        rule = CommitteeRule(self.terms(genesis, headers), StateCommittees(view.state))
        core = BftCore(
            genesis.chain_id,
            self.membership(genesis, view),
            address=address,
            height=view.blockchain.height + 1,
            scheme=self._scheme,
        )
        return CommitteeEngine(
            core,
            name=self.name,
            header_rule=rule,
            finality_rule=rule,
            headers=headers,
            is_seed_proof=rule.is_right,
        )

    def _work(
        self, chosen: CommitteeParameters, headers: Callable[[bytes], Header | None]
    ) -> CommitteeWork | None:
        """Return what miners must do; nothing where there are none."""
        return None


class DpowChain(_CommitteeChain):
    """The main chain: miners make blocks by proof of work, an elected committee certifies them.

    Parameters
    ----------
    validators
        Registered from the start; not needed to follow a chain that exists.
    parameters
        What the genesis fixes.
    rewards, reputation, work_hash
        Policies of one's own, which every node of the chain must have.
    """

    name = "dpow"
    _is_mined = True

    def __init__(
        self,
        validators: Sequence[GenesisValidator] = (),
        *,
        parameters: CommitteeParameters | None = None,
        rewards: RewardPolicy | None = None,
        reputation: Reputation | None = None,
        work_hash: WorkHash | None = None,
    ) -> None:
        super().__init__(validators, parameters=parameters, rewards=rewards, reputation=reputation)
        self._work_hash = work_hash

    @property
    def work_hash(self) -> WorkHash:
        """What miners hash with."""
        if self._work_hash is None:
            from chainstack_sdk.consensus.work import DoubleSha256

            self._work_hash = DoubleSha256()
        return self._work_hash

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> DpowEngine:
        """Return the engine of one participant, which mines if its host is ``producing``."""
        from chainstack_sdk.consensus.dpow import DpowEngine

        votes = self._votes(genesis, view, address, headers)
        work = self._work(CommitteeParameters.of(genesis), headers)
        return DpowEngine(votes, work, headers, mining=producing)

    def _work(self, chosen: CommitteeParameters, headers: Callable[[bytes], Header | None]) -> CommitteeWork:
        from chainstack_sdk.consensus.staking.mining import CommitteeWork

        return CommitteeWork(chosen.retarget(), headers, self.work_hash)


class PosChain(_CommitteeChain):
    """Proof of stake: votes weigh what members have deposited, and leaders are drawn by the seed.

    Parameters
    ----------
    validators
        Registered from the start; not needed to follow a chain that exists.
    parameters
        What the genesis fixes.
    rewards, reputation
        Policies of one's own, which every node of the chain must have.
    """

    name = "pos"
    _is_mined = False

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> CommitteeEngine:
        """Return the engine of one participant."""
        return self._votes(genesis, view, address, headers)


def _staking_contract() -> StakingContract:
    from chainstack_sdk.consensus.staking.contract import StakingContract

    return StakingContract()


if TYPE_CHECKING:
    _dpow: type[Kind] = DpowChain
    _pos: type[Kind] = PosChain
