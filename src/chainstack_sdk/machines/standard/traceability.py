"""Traceability of things: who has had them, how they were kept, and whether they may be sold.

One machine serves one line of products, with any number of things in batches. A thing is whatever has a label
of its own: a bottle, a pallet, a watch. It is known by 32 bytes, and lives through these stages:

==============  =========================================================================================
Status          What can happen
==============  =========================================================================================
``unknown``     the maker registers it: a label that is unknown is a counterfeit
``held``        its holder, a dealer or the maker, offers it to another who accepts it; sells it; destroys it
``sold``        its owner offers the certificate to another who accepts it; destroys it
``destroyed``   nothing
==============  =========================================================================================

Recall and condition stand beside the status. Both are kept for things and for batches, and what is said of a
batch holds for all things in it. What is recalled is never sold again, and moves back to the maker only. What
was kept too warm, too cold, too dry or too damp, or failed an inspection, is not sold until an inspector has
passed it.

An inspector can be appointed again, so decisions about one are numbered: what the third regulator says when
two have decided already does not wait for the next time.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from chainstack_sdk.machines.language import (
    ZERO_ADDRESS,
    Event,
    Indexed,
    Machine,
    Mapping,
    State,
    address,
    bytes32,
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


class Traceability(Machine):
    """A line of products: its maker, dealers, sensors, inspectors; three regulators of whom two decide."""

    AT_ONCE = 16
    NOTHING = bytes.fromhex("0000000000000000000000000000000000000000000000000000000000000000")

    class Status(Enum):
        """How far a thing has come."""

        unknown = 0
        held = 1
        sold = 2
        destroyed = 3

    class Condition(Enum):
        """How a thing or a batch was kept: a reading out of bounds, or an inspection, changes it."""

        good = 0
        violated = 1
        rejected = 2

    maker = role()
    regulators = role(3, threshold=2)
    product: Annotated[str, 64]
    coldest: int256
    warmest: int256
    driest: int256
    dampest: int256
    dealers: Mapping[address, bool]
    sensors: Mapping[address, bool]
    changes: Mapping[address, uint256]
    opened: Mapping[bytes32, timestamp]
    best_before: Mapping[bytes32, timestamp]
    status: Mapping[bytes32, Status]
    batch: Mapping[bytes32, bytes32]
    holder: Mapping[bytes32, address]
    receiver: Mapping[bytes32, address]
    condition: Mapping[bytes32, Condition]
    recalled: Mapping[bytes32, bool]
    registered: uint256
    sold: uint256
    destroyed: uint256

    producing = State()
    discontinued = State()

    class Admitted(Event):
        """The maker has admitted, or dismissed, a dealer or a sensor."""

        who: Indexed[address]
        dealer: bool
        sensor: bool

    class Appointed(Event):
        """The regulators have appointed, or dismissed, an inspector."""

        who: Indexed[address]
        inspector: bool

    class Opened(Event):
        """There is a new batch; it may be sold until a time, or for ever when that is zero."""

        thing: Indexed[bytes32]
        best_before: timestamp

    class Registered(Event):
        """There is a new thing."""

        thing: Indexed[bytes32]
        batch: Indexed[bytes32]

    class Offered(Event):
        """A holder offers a thing."""

        thing: Indexed[bytes32]
        holder: Indexed[address]
        receiver: Indexed[address]

    class Cancelled(Event):
        """An offer is taken back, or declined."""

        thing: Indexed[bytes32]
        by: Indexed[address]

    class HandedOver(Event):
        """A thing has another holder."""

        thing: Indexed[bytes32]
        giver: Indexed[address]
        receiver: Indexed[address]

    class Sold(Event):
        """A thing has left the trade; the buyer is nobody's address when no one is named."""

        thing: Indexed[bytes32]
        seller: Indexed[address]
        buyer: Indexed[address]

    class Destroyed(Event):
        """A thing is no more."""

        thing: Indexed[bytes32]
        by: Indexed[address]

    class Measured(Event):
        """A sensor has told how a thing, or a batch, is kept."""

        thing: Indexed[bytes32]
        sensor: Indexed[address]
        temperature: int256
        humidity: int256
        is_within: bool

    class Inspected(Event):
        """An inspector has passed or failed a thing, or a batch; the report is known by its hash."""

        thing: Indexed[bytes32]
        inspector: Indexed[address]
        passed: bool
        report: bytes32

    class Recalled(Event):
        """A thing, or a batch, is called back."""

        thing: Indexed[bytes32]
        by_regulators: bool
        reason: Annotated[str, 64]

    def __init__(
        self,
        regulators: Annotated[list[address], 3],
        product: Annotated[str, 64],
        coldest: int256,
        warmest: int256,
        driest: int256,
        dampest: int256,
    ) -> None:
        """Open a line of products with the bounds within which they are to be kept."""
        pairs = regulators[0] != regulators[1] and regulators[1] != regulators[2]
        require(pairs and regulators[2] != regulators[0], "the regulators are three accounts")
        require(ZERO_ADDRESS not in regulators, "a regulator is missing")
        require(self.caller not in regulators, "the maker is no regulator")
        require(coldest <= warmest and driest <= dampest, "nothing is within these bounds")
        self.maker = self.caller
        self.regulators = regulators
        self.product = product
        self.coldest = coldest
        self.warmest = warmest
        self.driest = driest
        self.dampest = dampest

    # Who takes part

    @transition((producing, discontinued), by=maker)
    def admit(self, who: address, dealer: bool, sensor: bool) -> None:
        """Say whether an account is a dealer, a sensor, both or neither."""
        self.dealers[who] = dealer
        self.sensors[who] = sensor
        emit(self.Admitted(who, dealer, sensor))

    @transition((producing, discontinued), by=regulators)
    def appoint(self, who: address, inspector: bool, change: uint256) -> None:
        """Say whether an account is an inspector, about which there have been so many decisions."""
        require(change == self.changes[who], "another decision")
        require(inspector == (change % 2 == 0), "it is so already")
        self.changes[who] = change + 1
        emit(self.Appointed(who, inspector))

    # Making

    @transition(producing, by=maker)
    def open_batch(self, batch: bytes32, best_before: timestamp) -> None:
        """Open a batch; its things may be sold until a time, Unix seconds, or for ever when that is zero."""
        require(batch != self.NOTHING, "a batch has a number")
        require(self.opened[batch] == 0, "there is this batch already")
        require(self.status[batch] == self.Status.unknown, "there is a thing of this number")
        require(best_before == 0 or best_before > self.now, "the time to sell it is over")
        self.opened[batch] = self.now
        self.best_before[batch] = best_before
        emit(self.Opened(batch, best_before))

    @transition(producing, by=maker)
    def register(self, batch: bytes32, things: Annotated[list[bytes32], 16]) -> None:
        """Register up to 16 things of a batch; zeros are passed over."""
        require(self.opened[batch] > 0, "no such batch")
        count = 0
        for i in range(self.AT_ONCE):
            thing = things[i]
            if thing != self.NOTHING:
                require(self.status[thing] == self.Status.unknown, "there is this thing already")
                require(self.opened[thing] == 0, "there is a batch of this number")
                self.status[thing] = self.Status.held
                self.batch[thing] = batch
                self.holder[thing] = self.caller
                count += 1
                emit(self.Registered(thing, batch))
        self.registered += count

    @transition(producing, discontinued, by=maker)
    def discontinue(self) -> None:
        """Make no more of it; what there is lives on."""

    # Custody

    @transition((producing, discontinued))
    def offer(self, thing: bytes32, to: address) -> None:
        """Offer a thing; its holder may, to a dealer or the maker, or to anybody when it is sold."""
        status = self.status[thing]
        require(status in (self.Status.held, self.Status.sold), "there is no such thing")
        require(self.caller == self.holder[thing], "only its holder may")
        require(self.receiver[thing] == ZERO_ADDRESS, "it is offered already")
        require(to != ZERO_ADDRESS and to != self.caller, "offer it to somebody else")
        may_have = to == self.maker or status == self.Status.sold or self.dealers[to]
        require(may_have, "only dealers have what is not sold")
        is_recalled = self.recalled[thing] or self.recalled[self.batch[thing]]
        require(not is_recalled or to == self.maker, "it is recalled: it goes back to the maker")
        self.receiver[thing] = to
        emit(self.Offered(thing, self.caller, to))

    @transition((producing, discontinued))
    def cancel(self, thing: bytes32) -> None:
        """Take an offer back, or decline it."""
        receiver = self.receiver[thing]
        require(receiver != ZERO_ADDRESS, "it is not offered")
        require(self.caller in (receiver, self.holder[thing]), "only holder and receiver may")
        self.receiver[thing] = ZERO_ADDRESS
        emit(self.Cancelled(thing, self.caller))

    @transition((producing, discontinued))
    def accept(self, thing: bytes32) -> None:
        """Take a thing over that was offered to the caller."""
        require(self.caller == self.receiver[thing], "it is not offered to you")
        is_maker = self.caller == self.maker
        may_have = is_maker or self.status[thing] == self.Status.sold or self.dealers[self.caller]
        require(may_have, "only dealers have what is not sold")
        is_recalled = self.recalled[thing] or self.recalled[self.batch[thing]]
        require(not is_recalled or is_maker, "it is recalled: it goes back to the maker")
        giver = self.holder[thing]
        self.holder[thing] = self.caller
        self.receiver[thing] = ZERO_ADDRESS
        emit(self.HandedOver(thing, giver, self.caller))

    @transition((producing, discontinued))
    def sell(self, thing: bytes32, buyer: address) -> None:
        """Sell a thing out of the trade; without a buyer nobody has its certificate."""
        require(self.status[thing] == self.Status.held, "there is no such thing in the trade")
        require(self.caller == self.holder[thing], "only its holder may")
        require(self.receiver[thing] == ZERO_ADDRESS, "it is offered already")
        require(self.caller == self.maker or self.dealers[self.caller], "only a dealer may")
        batch = self.batch[thing]
        require(not self.recalled[thing] and not self.recalled[batch], "it is recalled")
        good = self.Condition.good
        require(self.condition[thing] == good and self.condition[batch] == good, "it was not kept well")
        until = self.best_before[batch]
        require(until == 0 or self.now <= until, "the time to sell it is over")
        self.status[thing] = self.Status.sold
        self.holder[thing] = buyer
        self.sold += 1
        emit(self.Sold(thing, self.caller, buyer))

    @transition((producing, discontinued))
    def destroy(self, thing: bytes32) -> None:
        """Say that a thing is no more; its holder may."""
        status = self.status[thing]
        require(status in (self.Status.held, self.Status.sold), "there is no such thing")
        require(self.caller == self.holder[thing], "only its holder may")
        require(self.receiver[thing] == ZERO_ADDRESS, "it is offered already")
        if status == self.Status.sold:
            self.sold -= 1
        self.status[thing] = self.Status.destroyed
        self.holder[thing] = ZERO_ADDRESS
        self.destroyed += 1
        emit(self.Destroyed(thing, self.caller))

    # Condition and recall: of a thing, or of a batch

    @transition((producing, discontinued))
    def measure(self, thing: bytes32, temperature: int256, humidity: int256) -> None:
        """Tell how it is kept; a sensor may. A value out of bounds stays until an inspector has passed it."""
        require(self.sensors[self.caller], "only a sensor may")
        is_kept = self.status[thing] in (self.Status.held, self.Status.sold)
        require(is_kept or self.opened[thing] > 0, "there is no such thing")
        is_warm_right = temperature >= self.coldest and temperature <= self.warmest
        is_within = is_warm_right and humidity >= self.driest and humidity <= self.dampest
        if not is_within and self.condition[thing] == self.Condition.good:
            self.condition[thing] = self.Condition.violated
        emit(self.Measured(thing, self.caller, temperature, humidity, is_within))

    @transition((producing, discontinued))
    def inspect(self, thing: bytes32, passed: bool, report: bytes32) -> None:
        """Pass or fail it; an inspector may."""
        require(self.changes[self.caller] % 2 == 1, "only an inspector may")
        is_kept = self.status[thing] in (self.Status.held, self.Status.sold)
        require(is_kept or self.opened[thing] > 0, "there is no such thing")
        self.condition[thing] = self.Condition.good if passed else self.Condition.rejected
        emit(self.Inspected(thing, self.caller, passed, report))

    @transition((producing, discontinued), by=maker)
    def recall(self, thing: bytes32, reason: Annotated[str, 64]) -> None:
        """Call it back for ever."""
        is_kept = self.status[thing] in (self.Status.held, self.Status.sold)
        require(is_kept or self.opened[thing] > 0, "there is no such thing")
        require(not self.recalled[thing], "it is recalled already")
        self.recalled[thing] = True
        emit(self.Recalled(thing, False, reason))

    @transition((producing, discontinued), by=regulators)
    def order_recall(self, thing: bytes32, reason: Annotated[str, 64]) -> None:
        """Call it back for ever, whatever the maker says."""
        is_kept = self.status[thing] in (self.Status.held, self.Status.sold)
        require(is_kept or self.opened[thing] > 0, "there is no such thing")
        require(not self.recalled[thing], "it is recalled already")
        self.recalled[thing] = True
        emit(self.Recalled(thing, True, reason))

    @transition((producing, discontinued), by=maker)
    def sweep(self) -> None:
        """Take coin that somebody has sent here by mistake."""
        transfer(self.maker, self.balance)

    @invariant
    def counts_add_up(self) -> bool:
        """Sell and destroy nothing that was not registered."""
        return self.sold + self.destroyed <= self.registered

    # Questions

    @view
    def thing(
        self, thing: bytes32
    ) -> tuple[Status, bytes32, address, address, Condition, bool, timestamp, bool]:
        """Return status, batch, holder, receiver, condition, recall, best before, and whether it may be sold.

        Condition and recall are the worse of the thing's own and its batch's.
        """
        batch = self.batch[thing]
        condition = self.condition[thing]
        if self.condition[batch] != self.Condition.good and condition != self.Condition.rejected:
            condition = self.condition[batch]
        is_recalled = self.recalled[thing] or self.recalled[batch]
        until = self.best_before[batch]
        is_fresh = until == 0 or self.now <= until
        is_sound = condition == self.Condition.good and not is_recalled and is_fresh
        status = self.status[thing]
        return (
            status,
            batch,
            self.holder[thing],
            self.receiver[thing],
            condition,
            is_recalled,
            until,
            status == self.Status.held and is_sound,
        )

    @view
    def batch_of(self, batch: bytes32) -> tuple[timestamp, timestamp, Condition, bool]:
        """Return when a batch was opened, zero: never; best before, condition, recall."""
        return self.opened[batch], self.best_before[batch], self.condition[batch], self.recalled[batch]

    @view
    def part_of(self, who: address) -> tuple[bool, bool, bool]:
        """Return whether an account is a dealer, a sensor, an inspector."""
        return self.dealers[who], self.sensors[who], self.changes[who] % 2 == 1

    @view
    def changes_of(self, who: address) -> uint256:
        """Return how many decisions of regulators there have been about an account: odd for an inspector."""
        return self.changes[who]

    @view
    def counts(self) -> tuple[uint256, uint256, uint256]:
        """Return how many things have been registered, are sold, and are destroyed."""
        return self.registered, self.sold, self.destroyed

    @view
    def line(
        self,
    ) -> tuple[address, Annotated[list[address], 3], Annotated[str, 64], int256, int256, int256, int256]:
        """Return maker, regulators, product, and the bounds of temperature and humidity."""
        return (
            self.maker,
            self.regulators,
            self.product,
            self.coldest,
            self.warmest,
            self.driest,
            self.dampest,
        )
