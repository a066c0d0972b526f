"""Chains whose blocks an elected committee certifies: the main chain's "dpow", and "pos".

What only blocks need is loaded with the first block, so that a chain is ready at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.kinds.keys import (
    is_keyed,
    key_beacon,
    key_contracts,
    key_of,
    keyed_rules,
    with_first_key,
)
from chainstack_sdk.consensus.kinds.parameters import IntegerParameters
from chainstack_sdk.consensus.reputation import StakePerformanceActivity
from chainstack_sdk.consensus.retarget import retarget_over
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.staking.genesis import STAKING_CODE, genesis_committees, with_staking
from chainstack_sdk.consensus.staking.parameters import StakingParameters
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.late import LateContract, LateRules
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.certified import CommitteeRule
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules
    from chainstack_sdk.consensus.committee_engine import CommitteeEngine
    from chainstack_sdk.consensus.dpow import DpowEngine
    from chainstack_sdk.consensus.kinds.keys import FirstKey
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.reputation import Reputation
    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.rewards import RewardPolicy
    from chainstack_sdk.consensus.staking import (
        GenesisValidator,
        StakingContract,
        StakingMembership,
    )
    from chainstack_sdk.consensus.staking.mining import CommitteeWork
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Contract
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
        chain_key: bool = False,
        first_key: FirstKey | None = None,
    ) -> None:
        self._validators = tuple(validators)
        self.parameters = parameters or CommitteeParameters()
        self._chain_key = chain_key
        self._rewards = rewards
        self._reputation = reputation
        self._first_key = first_key
        self._scheme = Secp256k1Scheme()

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and parameters, and the contracts of stakes and key."""
        named = replace(genesis, engine=self.name, engine_parameters=self.parameters.encode())
        staking = self.parameters.staking(by_stake=not self._is_mined)
        staked = with_staking(named, self._validators, staking)
        if not self._chain_key:
            return staked
        blocks_per_slot = self.parameters.blocks_per_slot
        return with_first_key(staked, genesis_committees(staked), blocks_per_slot, self._first_key)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the contracts of stakes and key."""
        return {STAKING_CODE: LateContract(_staking_contract), **key_contracts()}

    def key_slots(self, genesis: Genesis) -> SlotSchedule | None:
        """Return the slots by which the chain's key is handed over; None when it has none."""
        if not is_keyed(genesis):
            return None
        return SlotSchedule(CommitteeParameters.of(genesis).blocks_per_slot)

    def header_rule(self, genesis: Genesis, view: ChainView) -> CommitteeRule:
        """Return the rule by which the chain checks headers; it reads the committees from its state."""
        from chainstack_sdk.consensus.certified import CommitteeRule
        from chainstack_sdk.consensus.staking.membership import StateCommittees

        terms = self.terms(genesis, view.header, key=key_of(view.state))
        return CommitteeRule(terms, StateCommittees(view.state))

    def rules(self, genesis: Genesis, view: ChainView) -> LateRules:
        """Return what the chain does at the end of a block: :class:`StakingRules`, with the first block."""
        return LateRules(lambda: self._rules(genesis, view))

    def _rules(self, genesis: Genesis, view: ChainView) -> ChainRules:
        from chainstack_sdk.consensus.staking.membership import StateCommittees
        from chainstack_sdk.consensus.staking.rules import StakingRules

        chosen = CommitteeParameters.of(genesis)
        keyed: KeyedRules | None = None

        def signature(slot: int) -> bytes | None:
            return None if keyed is None or keyed.desk is None else keyed.desk.beacon(slot)

        rules = StakingRules(
            self.terms(genesis, view.header, key=key_of(view.state), signature=signature),
            view.state,
            rewards=self._rewards or chosen.rewards(),
            reputation=self._reputation or StakePerformanceActivity(chosen.minimum_deposit),
            mining=self._work(chosen, view.header),
            burn_base_fee=genesis.burn_base_fee,
        )
        if not is_keyed(genesis):
            return rules
        schedule = SlotSchedule(chosen.blocks_per_slot)
        keyed = keyed_rules(rules, schedule, StateCommittees(view.state).at, self._scheme, view)
        return keyed

    def terms(
        self,
        genesis: Genesis,
        headers: Callable[[bytes], Header | None],
        *,
        key: Callable[[], bytes | None] | None = None,
        signature: Callable[[int], bytes | None] | None = None,
    ) -> CommitteeTerms:
        """Return what everybody on the chain agrees on.

        Parameters
        ----------
        headers
            Finds the ancestors of a header by hash.
        key
            Returns the chain key, 96 bytes, as of the newest block; not needed where there is none.
        signature
            Returns the chain key's signature over a slot, for whoever builds blocks.
        """
        from chainstack_sdk.consensus.terms import CommitteeTerms, drawn_leader, rotating_leader

        chosen = CommitteeParameters.of(genesis)
        schedule = SlotSchedule(chosen.blocks_per_slot)
        return CommitteeTerms(
            genesis.chain_id,
            schedule,
            self._scheme,
            leader=rotating_leader if self._is_mined else drawn_leader,
            work=self._work(chosen, headers),
            beacon=key_beacon(genesis.chain_id, schedule, key, signature) if is_keyed(genesis) else None,
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

        terms = self.terms(genesis, headers, key=key_of(view.state))
        rule = CommitteeRule(terms, StateCommittees(view.state))
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
    chain_key
        Whether the committees hold a chain key, for light proofs and as beacon; slots have at least 4 blocks
        then.
    first_key
        Returns the public polynomial of a key that the first committee, given, holds from the start; by
        default it generates one in slot 0.
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
        chain_key: bool = False,
        first_key: FirstKey | None = None,
    ) -> None:
        super().__init__(
            validators,
            parameters=parameters,
            rewards=rewards,
            reputation=reputation,
            chain_key=chain_key,
            first_key=first_key,
        )
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
    chain_key
        Whether the committees hold a chain key, for light proofs and as beacon; slots have at least 4 blocks
        then.
    first_key
        Returns the public polynomial of a key that the first committee, given, holds from the start; by
        default it generates one in slot 0.
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
