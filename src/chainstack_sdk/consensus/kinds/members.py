"""Consortium and private chains: members that know each other agree by PBFT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import BftCore, Secp256k1Scheme
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
from chainstack_sdk.consensus.membership.genesis import schedule_of
from chainstack_sdk.consensus.staking import StateCommittees
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.bft import ValidatorSet
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Contract
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
    """

    name = "pbft"

    def __init__(
        self,
        members: Sequence[bytes] = (),
        *,
        blocks_per_slot: int = 100,
        governed: bool = True,
        senders: Sequence[bytes] | None = None,
    ) -> None:
        self._members = tuple(members)
        self._blocks_per_slot = blocks_per_slot
        self._governed = governed
        self._senders = senders
        self._scheme = Secp256k1Scheme()

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and the membership contract."""
        return with_membership(
            replace(genesis, engine=self.name),
            self._members,
            blocks_per_slot=self._blocks_per_slot,
            governed=self._governed,
            senders=self._senders,
        )

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the membership contract."""
        return {MEMBERSHIP_CODE: MembershipContract()}

    def header_rule(self, genesis: Genesis, view: ChainView) -> PbftRule:
        """Return the rule by which the chain checks headers; it reads the members from its state."""
        membership = self.membership(genesis, view)
        return PbftRule(genesis.chain_id, schedule_of(genesis), membership, self._scheme)

    def rules(self, genesis: Genesis, view: ChainView) -> MembershipRules:
        """Return what the chain does at the end of a block."""
        return MembershipRules(schedule_of(genesis), burn_base_fee=genesis.burn_base_fee)

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
