"""What a chain with members does at the end of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.membership.storage import MEMBERSHIP_ADDRESS, is_permitted, read_members
from chainstack_sdk.consensus.staking.committees import (
    KEPT_SLOTS,
    delete_committee,
    read_hash,
    write_committee,
)
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.closing import NO_EXTRAS
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.interfaces import ChainRules
    from chainstack_sdk.core.state import State


class MembershipRules:
    """Fees to the proposer, no new coin; the members at a slot's end are the committee two slots later.

    Parameters
    ----------
    schedule
        The slots.
    burn_base_fee
        Destroy the base fees instead of paying them to the proposer.
    """

    def __init__(self, schedule: SlotSchedule, *, burn_base_fee: bool = False) -> None:
        self._schedule = schedule
        self._burn_base_fee = burn_base_fee

    def slot(self, height: int) -> int:
        """Return the slot in which a height lies."""
        return self._schedule.slot_of(height)

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return nothing: members need neither seeds nor work.

        Raises
        ------
        UsageError
            When there is an attachment.
        """
        if attachment:
            raise UsageError("this chain has no rules for an attachment", actual=attachment)
        return NO_EXTRAS

    def admit(self, state: State, sender: bytes) -> None:
        """Refuse senders that the members have not admitted, where that is asked for.

        Raises
        ------
        Rejected
            With code ``not_permitted``.
        """
        if not is_permitted(StateStorage(state, MEMBERSHIP_ADDRESS), sender):
            raise Rejected("this account may not send on this chain", code="not_permitted", sender=sender)

    def close(self, closing: Closing) -> None:
        """Pay the proposer; at a slot's end, fix the committee after the next.

        Raises
        ------
        InvalidInput
            When the block has an attachment, as nothing commits to one.
        """
        context = closing.context
        if closing.extras.attachment:
            raise InvalidInput("blocks of this engine have no attachment", height=context.height)
        fees = closing.fees(burn_base_fee=self._burn_base_fee)
        if fees:
            closing.state.add_balance(context.proposer, fees)
        storage = StateStorage(closing.state, MEMBERSHIP_ADDRESS)
        newest = self._schedule.newest_fixed(context.height)
        if self._schedule.is_last(context.height):
            write_committee(storage, newest, committee_of(read_members(storage)))
            if newest >= KEPT_SLOTS:
                delete_committee(storage, newest - KEPT_SLOTS)
        closing.next_committee_hash = read_hash(storage, newest)


def committee_of(members: list[bytes]) -> ValidatorSet:
    """Return the committee in which each of these addresses has one vote."""
    return ValidatorSet(Validator(address, 1) for address in members)


if TYPE_CHECKING:
    _check: type[ChainRules] = MembershipRules
