"""A shared resource for rent: bandwidth, storage, anything that is metered.

An owner offers units at a price each, and time at a price for each second. Somebody books some of both and
puts in what they come to, and a deposit for more. Three meters, of which two must agree, tell when the
resource is there and how much of it is used. At the end the owner gets what that comes to, at most what was
put in, and the user the rest. Whoever books has agreed to the meters.

Nobody can hold up another's coin: in every state but ``offered`` a timer runs, and silence has a price. An
owner whose resource the meters never see returns all. Meters that say nothing more have said their last word.
A user who says nothing has accepted the bill. Meters that do not decide on an objection decide for the user.
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
    invariant,
    require,
    role,
    timestamp,
    transfer,
    transition,
    uint256,
    view,
)


class Rental(Machine):
    """One metered resource, rented by one user at a time, again and again until the owner withdraws it."""

    MAX_PRICE = 2**96
    MAX_UNITS = 2**64
    MAX_TIME = 366 * days

    owner = role()
    user = role()
    meters = role(3, threshold=2)
    unit: Annotated[str, 32]
    unit_price: uint256
    time_price: uint256
    deposit: uint256
    capacity: uint256
    longest: uint256
    patience: uint256
    window: uint256

    duration: uint256
    started: timestamp
    used: uint256
    served: uint256
    claim: uint256

    offered = State()
    booked = State()
    running = State()
    reading = State()
    billed = State()
    disputed = State()
    withdrawn = State(final=True)

    class Booked(Event):
        """Somebody has put coin in; ``escrow`` is all of it, wei."""

        user: Indexed[address]
        units: uint256
        duration: uint256
        escrow: uint256

    class Began(Event):
        """The meters see the resource."""

        user: Indexed[address]

    class Metered(Event):
        """The meters tell how many units have been used since the beginning."""

        user: Indexed[address]
        used: uint256

    class Billed(Event):
        """What the owner will get, wei, unless the user objects."""

        user: Indexed[address]
        used: uint256
        served: uint256
        claim: uint256

    class Objected(Event):
        """The user admits so much of the claim, wei."""

        user: Indexed[address]
        admitted: uint256

    class Settled(Event):
        """What the owner got, and what the user got back, wei."""

        user: Indexed[address]
        paid: uint256
        returned: uint256

    def __init__(
        self,
        meters: Annotated[list[address], 3],
        unit: Annotated[str, 32],
        unit_price: uint256,
        time_price: uint256,
        deposit: uint256,
        capacity: uint256,
        longest: uint256,
        patience: uint256,
        window: uint256,
    ) -> None:
        """Offer the caller's resource: prices in wei for a unit and for a second, times in seconds."""
        require(ZERO_ADDRESS not in meters, "a meter is nobody")
        require(meters[0] not in (meters[1], meters[2]) and meters[1] != meters[2], "a meter stands twice")
        require(self.caller not in meters, "the owner is no meter")
        require(unit_price <= self.MAX_PRICE and time_price <= self.MAX_PRICE, "a price is too high")
        require(deposit <= self.MAX_PRICE, "the deposit is too high")
        require(capacity > 0 and capacity <= self.MAX_UNITS, "the capacity is out of bounds")
        require(longest > 0 and longest <= self.MAX_TIME, "the longest time is out of bounds")
        require(patience > 0 and patience <= self.MAX_TIME, "the patience is out of bounds")
        require(window > 0 and window <= self.MAX_TIME, "the window is out of bounds")
        self.owner = self.caller
        self.meters = meters
        self.unit = unit
        self.unit_price = unit_price
        self.time_price = time_price
        self.deposit = deposit
        self.capacity = capacity
        self.longest = longest
        self.patience = patience
        self.window = window

    # Booking

    @transition(offered, booked, payable=True)
    def book(self, units: uint256, duration: uint256) -> None:
        """Book units and seconds; the coin that comes is what both come to, and the deposit."""
        require(self.caller not in self.meters, "a meter does not book")
        require(units <= self.capacity, "more than the capacity")
        require(duration > 0 and duration <= self.longest, "the duration is out of bounds")
        price = units * self.unit_price + duration * self.time_price
        require(self.value == price + self.deposit, "not the price and the deposit")
        self.user = self.caller
        self.duration = duration
        self.used = 0
        self.served = 0
        emit(self.Booked(self.caller, units, duration, self.value))

    @transition(offered, withdrawn, by=owner)
    def withdraw(self) -> None:
        """Take the offer back for ever."""
        transfer(self.owner, self.balance)

    @transition(booked, offered, by=user)
    def cancel(self) -> None:
        """Take the coin back before the resource is there."""
        emit(self.Settled(self.user, 0, self.balance))
        transfer(self.user, self.balance)

    @transition(booked, offered, by=owner)
    def decline(self) -> None:
        """Give the coin back before the resource is there."""
        emit(self.Settled(self.user, 0, self.balance))
        transfer(self.user, self.balance)

    @after(booked, lambda self: self.patience, offered)
    def give_up(self) -> None:
        """Give all back: the meters have not seen the resource in time."""
        emit(self.Settled(self.user, 0, self.balance))
        transfer(self.user, self.balance)

    # Use

    @transition(booked, running, by=meters)
    def begin(self) -> None:
        """Tell that the resource is there: time counts from now."""
        self.started = self.now
        emit(self.Began(self.user))

    @transition(running, by=meters)
    def meter(self, used: uint256) -> None:
        """Tell how many units have been used since the beginning."""
        require(used >= self.used and used <= self.capacity, "less than before, or more than the capacity")
        self.used = used
        emit(self.Metered(self.user, used))

    @transition(running, reading, by=user)
    def finish(self) -> None:
        """Need it no longer: time stops."""
        self.served = self.now - self.started

    @transition(running, reading, by=owner)
    def stop(self) -> None:
        """Serve it no longer: time stops."""
        self.served = self.now - self.started

    @after(running, lambda self: self.duration, reading)
    def run_out(self) -> None:
        """End the booked time, however late somebody looks."""
        self.served = self.duration

    # The bill

    @transition(reading, billed, by=meters)
    def conclude(self, used: uint256) -> None:
        """Tell how many units have been used in all."""
        require(used >= self.used and used <= self.capacity, "less than before, or more than the capacity")
        self.used = used
        self.claim = min(self.balance, used * self.unit_price + self.served * self.time_price)
        emit(self.Billed(self.user, used, self.served, self.claim))

    @after(reading, lambda self: self.window, billed)
    def take_last_reading(self) -> None:
        """Count what the meters told last: they tell no more."""
        self.claim = min(self.balance, self.used * self.unit_price + self.served * self.time_price)
        emit(self.Billed(self.user, self.used, self.served, self.claim))

    @transition(billed, offered, by=user)
    def accept(self) -> None:
        """Have the bill paid at once."""
        transfer(self.owner, self.claim)
        emit(self.Settled(self.user, self.claim, self.balance))
        transfer(self.user, self.balance)

    @after(billed, lambda self: self.window, offered)
    def settle(self) -> None:
        """Pay the bill: the user has not objected."""
        transfer(self.owner, self.claim)
        emit(self.Settled(self.user, self.claim, self.balance))
        transfer(self.user, self.balance)

    # Objections

    @transition(billed, disputed, by=user)
    def object(self, admitted: uint256) -> None:
        """Admit less than the claim, wei."""
        require(admitted < self.claim, "that is the whole claim")
        self.claim = admitted
        emit(self.Objected(self.caller, admitted))

    @transition(disputed, offered, by=owner)
    def concede(self) -> None:
        """Take what the user admits."""
        transfer(self.owner, self.claim)
        emit(self.Settled(self.user, self.claim, self.balance))
        transfer(self.user, self.balance)

    @transition(disputed, offered, by=meters)
    def decide(self, used: uint256, served: uint256) -> None:
        """Read again: units and seconds that count, at most those of the bill."""
        require(used <= self.used and served <= self.served, "more than the bill")
        due = min(self.balance, used * self.unit_price + served * self.time_price)
        transfer(self.owner, due)
        emit(self.Settled(self.user, due, self.balance))
        transfer(self.user, self.balance)

    @after(disputed, lambda self: self.window, offered)
    def decide_for_user(self) -> None:
        """Pay what the user admits: the meters do not decide."""
        transfer(self.owner, self.claim)
        emit(self.Settled(self.user, self.claim, self.balance))
        transfer(self.user, self.balance)

    # Questions

    @view
    def terms(
        self,
    ) -> tuple[Annotated[str, 32], uint256, uint256, uint256, uint256, uint256, uint256, uint256]:
        """Tell unit, prices of a unit and a second, deposit, capacity, longest time, patience, window."""
        return (
            self.unit,
            self.unit_price,
            self.time_price,
            self.deposit,
            self.capacity,
            self.longest,
            self.patience,
            self.window,
        )

    @view
    def parties(self) -> tuple[address, Annotated[list[address], 3]]:
        """Tell owner and meters."""
        return self.owner, self.meters

    @view
    def lease(self) -> tuple[address, uint256, timestamp, uint256, uint256, uint256, uint256]:
        """Tell user, duration, start, units used, seconds served, claim, and what is held."""
        return self.user, self.duration, self.started, self.used, self.served, self.claim, self.balance

    @view
    def quote(self, units: uint256, duration: uint256) -> uint256:
        """Tell what is to come with a booking, wei."""
        return units * self.unit_price + duration * self.time_price + self.deposit

    # What always holds

    @invariant
    def bills_are_covered(self) -> bool:
        """Tell whether a claim that is to be paid is held."""
        return not (self.is_in(self.billed) or self.is_in(self.disputed)) or self.claim <= self.balance

    @invariant
    def readings_are_possible(self) -> bool:
        """Tell whether use and time are within what was booked."""
        return self.used <= self.capacity and self.served <= self.duration
