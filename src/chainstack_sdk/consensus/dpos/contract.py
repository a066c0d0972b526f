"""The delegation contract: who stands for election, and who votes for whom with how much coin.

Whoever leaves a deposit is a candidate. Whoever locks coin for a candidate votes for it with so much. At
the end of each epoch the candidates with most votes become the delegates of the epoch after the next.
Coin that comes out, a vote taken back or a deposit, is paid two epochs later, when the delegates that it has
helped to elect have served; what is taken back meanwhile joins it and starts the wait again.

All of it is on the contract's balance until it is withdrawn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.core.native.contract import NativeContract, error, event, external

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

MAX_CANDIDATES = 1_024
"""How many may stand for election at a time."""
UNLOCK_EPOCHS = 2
"""Epochs from taking coin back to having it."""


class DelegationContract(NativeContract):
    """Candidates and votes. An epoch is the slot of a block: see the block context."""

    Registered = event("event Registered(address indexed candidate, uint256 deposit)")
    Unregistered = event("event Unregistered(address indexed candidate, uint256 unlockEpoch)")
    Voted = event("event Voted(address indexed voter, address indexed candidate, uint256 amount)")
    Unvoted = event(
        "event Unvoted(address indexed voter, address indexed candidate, uint256 amount, uint256 unlockEpoch)"
    )
    Withdrawn = event("event Withdrawn(address indexed account, uint256 amount)")

    AlreadyCandidate = error("error AlreadyCandidate(address account)")
    NotCandidate = error("error NotCandidate(address account)")
    DepositTooLow = error("error DepositTooLow(uint256 deposit, uint256 minimum)")
    TooManyCandidates = error("error TooManyCandidates(uint256 limit)")
    NoVotes = error("error NoVotes()")
    InsufficientVotes = error("error InsufficientVotes(address candidate, uint256 locked, uint256 needed)")
    NothingToWithdraw = error("error NothingToWithdraw(address account)")
    StillLocked = error("error StillLocked(address account, uint256 unlockEpoch)")

    @external("function register() payable")
    def register(self, call: Call) -> None:
        """Become a candidate; the value of the call is the deposit. Votes of an earlier candidacy count."""
        record = layout.read_record(call, call.caller)
        call.require(not record.place, self.AlreadyCandidate, call.caller)
        minimum = call.load(layout.MINIMUM_DEPOSIT)
        call.require(call.value >= minimum, self.DepositTooLow, call.value, minimum)
        call.require(layout.candidate_count(call) < MAX_CANDIDATES, self.TooManyCandidates, MAX_CANDIDATES)
        place = layout.append_candidate(call, call.caller)
        layout.write_record(call, call.caller, replace(record, deposit=call.value, place=place))
        call.emit(self.Registered, call.caller, call.value)

    @external("function unregister()")
    def unregister(self, call: Call) -> None:
        """Stop being a candidate; the deposit unlocks in two epochs, which may still have turns for it."""
        record = layout.read_record(call, call.caller)
        call.require(record.place, self.NotCandidate, call.caller)
        layout.remove_candidate(call, record.place)
        layout.write_record(call, call.caller, replace(record, deposit=0, place=0))
        epoch = self._unlock(call, record.deposit)
        call.emit(self.Unregistered, call.caller, epoch)

    @external("function vote(address candidate) payable")
    def vote(self, call: Call, candidate: bytes) -> None:
        """Lock the value of the call as votes for a candidate."""
        record = layout.read_record(call, candidate)
        call.require(record.place, self.NotCandidate, candidate)
        call.require(call.value, self.NoVotes)
        layout.write_record(call, candidate, replace(record, votes=record.votes + call.value))
        slot = layout.locked_slot(call.caller, candidate)
        call.store(slot, call.load(slot) + call.value)
        call.emit(self.Voted, call.caller, candidate, call.value)

    @external("function unvote(address candidate, uint256 amount)")
    def unvote(self, call: Call, candidate: bytes, amount: int) -> None:
        """Take votes back; the coin unlocks in two epochs. The candidate may have left meanwhile."""
        slot = layout.locked_slot(call.caller, candidate)
        locked = call.load(slot)
        call.require(amount, self.NoVotes)
        call.require(locked >= amount, self.InsufficientVotes, candidate, locked, amount)
        call.store(slot, locked - amount)
        record = layout.read_record(call, candidate)
        layout.write_record(call, candidate, replace(record, votes=record.votes - amount))
        epoch = self._unlock(call, amount)
        call.emit(self.Unvoted, call.caller, candidate, amount, epoch)

    @external("function withdraw()")
    def withdraw(self, call: Call) -> None:
        """Pay out all that the caller has taken back, once it is unlocked."""
        amount_slot, epoch_slot = layout.unlocking_slots(call.caller)
        amount, epoch = call.load(amount_slot), call.load(epoch_slot)
        call.require(amount, self.NothingToWithdraw, call.caller)
        call.require(call.block.slot >= epoch, self.StillLocked, call.caller, epoch)
        call.store(amount_slot, 0)
        call.store(epoch_slot, 0)
        call.transfer(call.caller, amount)
        call.emit(self.Withdrawn, call.caller, amount)

    def _unlock(self, call: Call, amount: int) -> int:
        """Let the caller have an amount in two epochs; return the epoch."""
        amount_slot, epoch_slot = layout.unlocking_slots(call.caller)
        epoch = call.block.slot + UNLOCK_EPOCHS
        call.store(amount_slot, call.load(amount_slot) + amount)
        call.store(epoch_slot, epoch)
        return epoch

    # Views

    @external("function delegates(uint256 epoch) view returns (address[])")
    def delegates(self, call: Call, epoch: int) -> tuple[bytes, ...]:
        """Return the delegates of an epoch, ascending; none when they are not fixed yet or forgotten."""
        delegates = layout.read_delegates(call, epoch)
        return tuple(member.address for member in delegates or ())

    @external("function candidates() view returns (address[])")
    def candidates(self, call: Call) -> tuple[bytes, ...]:
        """Return all candidates."""
        return tuple(layout.read_candidates(call))

    @external(
        "function candidate(address account) view returns (uint256 deposit, uint256 votes, bool standing)"
    )
    def candidate(self, call: Call, account: bytes) -> tuple[int, int, bool]:
        """Return an account's deposit and votes in wei, and whether it is a candidate."""
        record = layout.read_record(call, account)
        return record.deposit, record.votes, bool(record.place)

    @external("function votesOf(address voter, address candidate) view returns (uint256)")
    def votes_of(self, call: Call, voter: bytes, candidate: bytes) -> int:
        """Return the wei that a voter has locked for a candidate."""
        return call.load(layout.locked_slot(voter, candidate))

    @external("function unlocking(address account) view returns (uint256 amount, uint256 epoch)")
    def unlocking(self, call: Call, account: bytes) -> tuple[int, int]:
        """Return the wei that wait for an account, and the epoch from which it may withdraw them."""
        amount_slot, epoch_slot = layout.unlocking_slots(account)
        return call.load(amount_slot), call.load(epoch_slot)

    @external("function minimumDeposit() view returns (uint256)")
    def minimum_deposit(self, call: Call) -> int:
        """Return the wei that a candidate leaves at least."""
        return call.load(layout.MINIMUM_DEPOSIT)

    @external("function currentEpoch() view returns (uint256)")
    def current_epoch(self, call: Call) -> int:
        """Return the epoch of the block."""
        return call.block.slot
