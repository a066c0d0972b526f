"""Parametric insurance of one event: a measured value decides, and the payments follow by themselves.

An insurer offers policies on something that can be measured: the delay of a flight, the rain of a month. The
payout is read from a table of thresholds. Each policy sold sets the highest payout of the pool aside, so that
whatever is reported can be paid. When two of three oracles have reported the same value, all holders are paid
in that transaction.

=============  ==================================  =======================================================
State          Ends                                What happens
=============  ==================================  =======================================================
``selling``    when the selling time is over       the insurer funds the pool, anybody buys
``covered``    with the report, or when the time   the event happens; then the oracles report
               for reports is over
``settled``    never                               all holders have been paid, the insurer has the rest
``expired``    never                               nobody reported: holders take their premiums back, the
                                                   insurer has the rest
=============  ==================================  =======================================================
"""

from __future__ import annotations

from typing import Annotated

from chainstack_sdk.machines.language import (
    ZERO_ADDRESS,
    Event,
    Indexed,
    Machine,
    State,
    address,
    after,
    days,
    emit,
    int256,
    invariant,
    require,
    role,
    timestamp,
    transfer,
    transition,
    uint256,
    view,
)


class Insurance(Machine):
    """One insured event: premium, table of payouts, times, three oracles of whom two decide."""

    PLACES = 64
    TIERS = 4
    LIMIT = 10**27
    LONGEST = 3_660 * days

    insurer = role()
    oracles = role(3, threshold=2)
    subject: Annotated[str, 96]
    premium: uint256
    thresholds: Annotated[list[int256], TIERS]
    payouts: Annotated[list[uint256], TIERS]
    at_most: bool
    most: uint256
    sales_end: timestamp
    cover_end: timestamp
    report_end: timestamp
    wait: uint256
    holders: Annotated[list[address], PLACES]
    sold: uint256
    reserved: uint256
    reported: int256
    payout: uint256

    selling = State()
    covered = State()
    settled = State()
    expired = State()

    class Funded(Event):
        """The insurer has put coin into the pool."""

        amount: uint256

    class Bought(Event):
        """A policy is sold, and its highest payout set aside."""

        holder: Indexed[address]
        policy: uint256

    class Paid(Event):
        """A policy has paid."""

        holder: Indexed[address]
        policy: uint256
        amount: uint256

    class Settled(Event):
        """The value is known: what each policy has paid, and how many there were."""

        value: int256
        payout: uint256
        policies: uint256

    class Expired(Event):
        """The oracles have failed: so much of premiums may be taken back."""

        premiums: uint256

    class Refunded(Event):
        """A premium has been taken back."""

        holder: Indexed[address]
        policy: uint256

    class Withdrawn(Event):
        """The insurer has taken coin that nothing needs."""

        amount: uint256

    def __init__(
        self,
        oracles: Annotated[list[address], 3],
        subject: Annotated[str, 96],
        premium: uint256,
        thresholds: Annotated[list[int256], 4],
        payouts: Annotated[list[uint256], 4],
        at_most: bool,
        selling_time: uint256,
        cover_time: uint256,
        report_time: uint256,
    ) -> None:
        """Offer a product. Tiers that are not used pay nothing and come last."""
        pairs = oracles[0] != oracles[1] and oracles[1] != oracles[2]
        require(pairs and oracles[2] != oracles[0], "the oracles are three accounts")
        require(ZERO_ADDRESS not in oracles, "an oracle is missing")
        require(self.caller not in oracles, "the insurer is no oracle")
        most = payouts[0]
        require(most > 0, "the first tier pays nothing")
        for i in range(1, self.TIERS):
            if payouts[i] > 0:
                further = thresholds[i] < thresholds[i - 1] if at_most else thresholds[i] > thresholds[i - 1]
                require(further, "each threshold lies beyond the one before")
                require(payouts[i - 1] > 0 and payouts[i] > most, "each tier pays more than the one before")
                most = payouts[i]
        require(most <= self.LIMIT, "too high a payout")
        require(premium > 0 and premium <= most, "the premium is from 1 to the highest payout")
        require(selling_time > 0 and cover_time > 0 and report_time > 0, "each time takes a second at least")
        require(max(max(selling_time, cover_time), report_time) <= self.LONGEST, "too long a time")
        self.insurer = self.caller
        self.oracles = oracles
        self.subject = subject
        self.premium = premium
        self.thresholds = thresholds
        self.payouts = payouts
        self.at_most = at_most
        self.most = most
        self.sales_end = self.now + selling_time
        self.cover_end = self.now + selling_time + cover_time
        self.report_end = self.now + selling_time + cover_time + report_time
        self.wait = selling_time

    # Selling

    @transition(selling, payable=True, by=insurer)
    def fund(self) -> None:
        """Put coin into the pool."""
        emit(self.Funded(self.value))

    @transition(selling, payable=True)
    def buy(self) -> uint256:
        """Buy a policy for the caller; returns its number, from 0."""
        require(self.value == self.premium, "not the premium")
        require(self.caller not in self.oracles, "an oracle has no interest in the event")
        number = self.sold
        require(number < self.PLACES, "sold out")
        needed = self.reserved + self.most
        require(needed <= self.balance, "the pool cannot cover one more policy")
        self.reserved = needed
        self.holders[number] = self.caller
        self.sold = number + 1
        emit(self.Bought(self.caller, number))
        return number

    @after(selling, lambda self: self.wait, covered)
    def stop_selling(self) -> None:
        """Wait for the report, until a time that does not depend on when this fires."""
        self.wait = self.report_end - self.now if self.now < self.report_end else 0

    # The event

    @transition(covered, settled, by=oracles)
    def attest(self, value: int256) -> None:
        """Say what was measured; the second oracle that says the same pays all holders."""
        require(self.now >= self.cover_end, "the cover lasts still")
        payout = 0
        for i in range(self.TIERS):
            limit = self.thresholds[i]
            if self.payouts[i] > payout and (value <= limit if self.at_most else value >= limit):
                payout = self.payouts[i]
        sold = self.sold
        self.reported = value
        self.payout = payout
        self.reserved = 0
        for number in range(self.PLACES):
            if number < sold and payout > 0:
                holder = self.holders[number]
                transfer(holder, payout)
                emit(self.Paid(holder, number, payout))
        transfer(self.insurer, self.balance)
        emit(self.Settled(value, payout, sold))

    @after(covered, lambda self: self.wait, expired)
    def expire(self) -> None:
        """Give the reserve back to the insurer, but for the premiums: what was bought was not delivered."""
        premiums = self.sold * self.premium
        self.reserved = premiums
        transfer(self.insurer, self.balance - premiums)
        emit(self.Expired(premiums))

    @transition(expired)
    def refund(self, number: uint256) -> None:
        """Take the premium of a policy back; its holder may."""
        require(number < self.sold, "no such policy")
        require(self.caller == self.holders[number], "not your policy, or refunded already")
        self.holders[number] = ZERO_ADDRESS
        self.reserved -= self.premium
        transfer(self.caller, self.premium)
        emit(self.Refunded(self.caller, number))

    # The pool

    @transition((selling, covered, settled, expired), by=insurer)
    def withdraw(self, amount: uint256) -> None:
        """Take coin that nothing needs; also what somebody has sent here by mistake."""
        require(amount <= self.balance - self.reserved, "more than is free")
        transfer(self.insurer, amount)
        emit(self.Withdrawn(amount))

    @invariant
    def is_solvent(self) -> bool:
        """Hold what may have to be paid."""
        return self.balance >= self.reserved

    @invariant
    def reserves_the_highest_payout(self) -> bool:
        """Keep enough to pay every policy in full, as long as the value is open."""
        is_open = self.is_in(self.selling) or self.is_in(self.covered)
        return not is_open or self.reserved == self.sold * self.most

    # Questions

    @view
    def terms(
        self,
    ) -> tuple[
        Annotated[str, 96],
        uint256,
        Annotated[list[int256], 4],
        Annotated[list[uint256], 4],
        bool,
        timestamp,
        timestamp,
        timestamp,
    ]:
        """Return subject, premium, thresholds, payouts, direction; ends of sale, cover and reports."""
        return (
            self.subject,
            self.premium,
            self.thresholds,
            self.payouts,
            self.at_most,
            self.sales_end,
            self.cover_end,
            self.report_end,
        )

    @view
    def parties(self) -> tuple[address, Annotated[list[address], 3]]:
        """Return the insurer and the oracles."""
        return self.insurer, self.oracles

    @view
    def pool(self) -> tuple[uint256, uint256, uint256]:
        """Return what there is, what of it is reserved, and how many policies have been sold."""
        return self.balance, self.reserved, self.sold

    @view
    def policies(self) -> Annotated[list[address], 64]:
        """Return the holder of each policy; nobody's address where there is none, or it was refunded."""
        return self.holders

    @view
    def outcome(self) -> tuple[int256, uint256]:
        """Return the reported value, and what each policy has paid; zeros before."""
        return self.reported, self.payout
