"""The system contract by which members of a consortium admit and expel each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.consensus.membership.storage import (
    BLOCKS_PER_SLOT,
    GOVERNED,
    MEMBERS,
    Topic,
    add_member,
    close_ballot,
    count_votes,
    is_listed,
    is_member,
    is_permitted,
    motion,
    read_members,
    remove_member,
    set_listed,
    vote_slot,
)
from chainstack_sdk.consensus.staking import committees
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.native import NativeContract, error, event, external

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call


class MembershipContract(NativeContract):
    """Members vote on motions; one is carried when more than 2/3 of the members stand behind it.

    Motions about senders take effect at once. Motions about validators change the members at once and the
    committee two slots later, as with every committee: that of slot s + 2 is fixed at the end of slot s.

    A vote stands until it is taken back or its motion is carried. Those of present members are counted only;
    a member that was expelled and is admitted again finds its open votes as it left them.
    """

    Voted = event(
        "event Voted(address indexed member, uint8 indexed topic, address indexed who, bool admit, bool vote)"
    )
    Admitted = event("event Admitted(uint8 indexed topic, address indexed who)")
    Expelled = event("event Expelled(uint8 indexed topic, address indexed who)")

    NotMember = error("error NotMember(address account)")
    NotGoverned = error("error NotGoverned()")
    NothingToDo = error("error NothingToDo(uint8 topic, address who)")
    UnknownTopic = error("error UnknownTopic(uint8 topic)")
    LastMember = error("error LastMember()")
    TooManyMembers = error("error TooManyMembers()")

    @external("function vote(uint8 topic, address who, bool admit) returns (bool carried)")
    def vote(self, call: Call, topic: int, who: bytes, admit: bool) -> bool:
        """Vote for admitting or expelling somebody; the last vote needed carries the motion."""
        subject = self._checked(call, topic, who, admit)
        moved = motion(subject, who, admit)
        call.store(vote_slot(call, moved, call.caller), 1)
        call.emit(self.Voted, call.caller, topic, who, admit, True)
        if 3 * count_votes(call, moved) <= 2 * call.load(MEMBERS):
            return False
        close_ballot(call, moved)
        self._carry(call, subject, who, admit)
        return True

    @external("function unvote(uint8 topic, address who, bool admit)")
    def unvote(self, call: Call, topic: int, who: bytes, admit: bool) -> None:
        """Take back a vote for a motion that was not carried."""
        subject = self._checked(call, topic, who, admit)
        call.store(vote_slot(call, motion(subject, who, admit), call.caller), 0)
        call.emit(self.Voted, call.caller, topic, who, admit, False)

    @external("function votes(uint8 topic, address who, bool admit) view returns (uint256)")
    def votes(self, call: Call, topic: int, who: bytes, admit: bool) -> int:
        """Return how many members stand behind a motion now."""
        return count_votes(call, motion(self._topic(call, topic), who, admit))

    @external("function members() view returns (address[])")
    def members(self, call: Call) -> list[bytes]:
        """Return the members; those of a slot's committee may still be others."""
        return read_members(call)

    @external("function isMember(address account) view returns (bool)")
    def is_member(self, call: Call, account: bytes) -> bool:
        """Tell whether an account is a member."""
        return is_member(call, account)

    @external("function maySend(address account) view returns (bool)")
    def may_send(self, call: Call, account: bytes) -> bool:
        """Tell whether an account may send transactions."""
        return is_permitted(call, account)

    @external("function isGoverned() view returns (bool)")
    def is_governed(self, call: Call) -> bool:
        """Tell whether members may vote at all."""
        return bool(call.load(GOVERNED))

    @external("function currentSlot() view returns (uint256)")
    def current_slot(self, call: Call) -> int:
        """Return the slot of the block."""
        return SlotSchedule(call.load(BLOCKS_PER_SLOT)).slot_of(call.block.height)

    @external("function committee(uint256 slot) view returns (address[])")
    def committee(self, call: Call, slot: int) -> list[bytes]:
        """Return who validates in a slot; empty when that is not fixed yet or no longer kept."""
        return committees.read_members(call, slot)

    def _topic(self, call: Call, topic: int) -> Topic:
        call.require(topic in (Topic.VALIDATOR, Topic.SENDER), self.UnknownTopic, topic)
        return Topic(topic)

    def _checked(self, call: Call, topic: int, who: bytes, admit: bool) -> Topic:
        """Refuse what cannot be moved, or not by the caller."""
        call.require(call.load(GOVERNED), self.NotGoverned)
        call.require(is_member(call, call.caller), self.NotMember, call.caller)
        subject = self._topic(call, topic)
        stands = is_member(call, who) if subject is Topic.VALIDATOR else is_listed(call, who)
        call.require(stands != admit, self.NothingToDo, topic, who)
        return subject

    def _carry(self, call: Call, topic: Topic, who: bytes, admit: bool) -> None:
        if topic is Topic.SENDER:
            set_listed(call, who, admit)
        elif admit:
            call.require(call.load(MEMBERS) < MAX_MEMBERS, self.TooManyMembers)
            add_member(call, who)
        else:
            call.require(call.load(MEMBERS) > 1, self.LastMember)
            remove_member(call, who)
        call.emit(self.Admitted if admit else self.Expelled, topic, who)
