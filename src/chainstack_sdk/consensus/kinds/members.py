"""Consortium and private chains: members that know each other agree by PBFT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import BftCore, Secp256k1Scheme
from chainstack_sdk.consensus.kinds.keys import is_keyed, key_contracts, keyed_rules, with_first_key
from chainstack_sdk.consensus.membership import (
    MEMBERSHIP_ADDRESS,
    MEMBERSHIP_CODE,
    MembershipContract,
    MembershipRules,
    MembersOfSlots,
    PbftEngine,
    PbftRule,
    with_membership,
)
from chainstack_sdk.consensus.membership.genesis import genesis_members, schedule_of
from chainstack_sdk.consensus.staking import StateCommittees
from chainstack_sdk.core.late import LateRules
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.bft import ValidatorSet
    from chainstack_sdk.consensus.kinds.keys import FirstKey
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Contract
    from chainstack_sdk.core.view import ChainView


class PbftChain:
    """Members certify blocks, one vote each; they may admit and expel each other by votes on the chain.

    Parameters
    ----------
    members
        Addresses of those who validate from the start; not needed to follow a chain that exists.
    blocks_per_slot
        How many blocks a committee serves.
    governed
        Whether the membership may change at all.
    senders
        Who may send besides members, which makes the chain private; None: everybody may.
    chain_key
        Whether the committees hold a chain key, for light proofs; takes slots of at least 4 blocks.
    first_key
        Returns the public polynomial of a key that the first committee, given, holds from the start; by
        default it generates one in slot 0.
    """

    name = "pbft"

    def __init__(
        self,
        members: Sequence[bytes] = (),
        *,
        blocks_per_slot: int = 100,
        governed: bool = True,
        senders: Sequence[bytes] | None = None,
        chain_key: bool = False,
        first_key: FirstKey | None = None,
    ) -> None:
        self._chain_key = chain_key
        self._first_key = first_key
        self._members = tuple(members)
        self._blocks_per_slot = blocks_per_slot
        self._governed = governed
        self._senders = senders
        self._scheme = Secp256k1Scheme()

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and the contracts of membership and key."""
        joined = with_membership(
            replace(genesis, engine=self.name),
            self._members,
            blocks_per_slot=self._blocks_per_slot,
            governed=self._governed,
            senders=self._senders,
        )
        if not self._chain_key:
            return joined
        return with_first_key(joined, genesis_members(joined), self._blocks_per_slot, self._first_key)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the contracts of membership and key."""
        return {MEMBERSHIP_CODE: MembershipContract(), **key_contracts()}

    def key_slots(self, genesis: Genesis) -> SlotSchedule | None:
        """Return the slots by which the chain's key is handed over; None when it has none."""
        return schedule_of(genesis) if is_keyed(genesis) else None

    def header_rule(self, genesis: Genesis, view: ChainView) -> PbftRule:
        """Return the rule by which the chain checks headers; it reads the members from its state."""
        membership = self.membership(genesis, view)
        return PbftRule(
            genesis.chain_id,
            schedule_of(genesis),
            membership,
            self._scheme,
            has_extra_data=is_keyed(genesis),
        )

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules:
        """Return what the chain does at the end of a block."""
        schedule = schedule_of(genesis)
        rules = MembershipRules(schedule, burn_base_fee=genesis.burn_base_fee)
        if not is_keyed(genesis):
            return rules
        committees = StateCommittees(view.state, MEMBERSHIP_ADDRESS)
        return LateRules(lambda: keyed_rules(rules, schedule, committees.at, self._scheme, view))

    def membership(self, genesis: Genesis, view: ChainView) -> MembersOfSlots:
        """Return who validates, height by height."""
        committees = StateCommittees(view.state, MEMBERSHIP_ADDRESS)

        def committee(slot: int) -> ValidatorSet | None:
            try:
                return committees.at(slot)
            except InvalidInput:
                return None

        return MembersOfSlots(schedule_of(genesis), committee)

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> PbftEngine:
        """Return the engine of one participant."""
        core = BftCore(
            genesis.chain_id,
            self.membership(genesis, view),
            address=address,
            height=view.blockchain.height + 1,
            scheme=self._scheme,
        )
        return PbftEngine(core, self.header_rule(genesis, view))


if TYPE_CHECKING:
    _check: type[Kind] = PbftChain
