"""A data task: a buyer pays providers for answers that an applet finds in their own records.

The buyer deploys the machine with the whole escrow, price times number of answers. A provider answers once,
with commitments to a sealed result and to the data behind it. From then on a part of the escrow is the
answer's, until one of these happens:

========================  ==================================  =============  ==================
What                      Who, when                           Then           The price goes
========================  ==================================  =============  ==================
``accept``                the buyer, while it is undecided    paid           to the provider
``settle``, no objection  anybody, after the objection time   paid           to the provider
``object``                the buyer, in the objection time    refused        back to the escrow
``object``, with arbiter  the buyer, in the objection time    contested      nowhere yet
``rule`` to pay           the arbiter, in the ruling time     paid           to the provider
``rule`` not to pay       the arbiter, in the ruling time     refused        back to the escrow
``settle``, contested     anybody, after the ruling time      refused        back to the escrow
========================  ==================================  =============  ==================

"Back to the escrow" pays for another answer while the task is open, and is paid to the buyer at once when it
has ended. When the task ends by time, everything that no answer has a claim to goes to the buyer. Silence
counts: that of the buyer for the provider, that of the arbiter for the buyer.

Nobody is paid but the buyer, and providers whose answers the buyer accepted or did not oppose, or the arbiter
upheld.

**Caveats**

- Anybody may answer, with anything, under any number of addresses: a buyer must look at answers in time, and
  object to what is worthless.
- Without an arbiter a buyer's objection is final, also against a good answer that has been read. It is
  public, with its reason, and so are those before.
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
    after,
    bytes32,
    days,
    emit,
    invariant,
    keccak,
    payable,
    require,
    role,
    timestamp,
    transfer,
    transition,
    uint256,
    view,
)


class DataTask(Machine):
    """Buys answers from the holders of data, for a price in escrow."""

    MAX_ANSWERS = 10_000
    MAX_WINDOW = 366 * days
    MAX_PERIOD = 90 * days

    class Status(Enum):
        """What has become of an answer."""

        none = 0
        waiting = 1
        paid = 2
        contested = 3
        refused = 4

    buyer = role()
    arbiter = role()
    applet: bytes32
    specification: bytes32
    key: bytes32
    price: uint256
    wanted: uint256
    window: uint256
    deadline: timestamp
    objection_period: uint256
    ruling_period: uint256
    count: uint256
    pending: uint256
    paid: uint256
    providers: Mapping[uint256, address]
    numbers: Mapping[address, uint256]
    statuses: Mapping[uint256, Status]
    since: Mapping[uint256, timestamp]
    sealed: Mapping[uint256, bytes32]

    open = State()
    ended = State()
    closed = State(final=True)

    class Published(Event):
        """A task is there."""

        buyer: Indexed[address]
        applet: Indexed[bytes32]
        specification: Indexed[bytes32]
        text: Annotated[bytes, 1024]

    class Answered(Event):
        """A provider has answered."""

        number: Indexed[uint256]
        provider: Indexed[address]
        sealed: bytes32
        data: bytes32
        envelope: Annotated[bytes, 1024]

    class Objected(Event):
        """The buyer does not want to pay for an answer."""

        number: Indexed[uint256]
        provider: Indexed[address]
        reason: Annotated[str, 128]

    class Paid(Event):
        """A provider has the price."""

        number: Indexed[uint256]
        provider: Indexed[address]
        amount: uint256

    class Refused(Event):
        """An answer will not be paid."""

        number: Indexed[uint256]
        provider: Indexed[address]

    class Refunded(Event):
        """The buyer has got a part of the escrow back."""

        amount: uint256

    @payable
    def __init__(
        self,
        applet: bytes32,
        specification: bytes32,
        text: Annotated[bytes, 1024],
        key: bytes32,
        price: uint256,
        wanted: uint256,
        window: uint256,
        objection_period: uint256,
        ruling_period: uint256,
        arbiter: address,
    ) -> None:
        """Publish a task."""
        require(price > 0, "the price is zero")
        require(wanted > 0 and wanted <= self.MAX_ANSWERS, "a task takes 1 to 10,000 answers")
        require(self.value == price * wanted, "not the price of all answers")
        require(window > 0 and window <= self.MAX_WINDOW, "a task is open for up to 366 days")
        require(objection_period > 0 and objection_period <= self.MAX_PERIOD, "up to 90 days for objections")
        require(ruling_period <= self.MAX_PERIOD, "up to 90 days for rulings")
        require((arbiter == ZERO_ADDRESS) == (ruling_period == 0), "an arbiter has time, nobody has none")
        require(arbiter != self.caller, "nobody is judge in their own case")
        require(text == b"" or keccak(text) == specification, "the text is not the specification")
        self.buyer = self.caller
        self.arbiter = arbiter
        self.applet = applet
        self.specification = specification
        self.key = key
        self.price = price
        self.wanted = wanted
        self.window = window
        self.deadline = self.now + window
        self.objection_period = objection_period
        self.ruling_period = ruling_period
        emit(self.Published(self.caller, applet, specification, text))

    @transition(open)
    def answer(
        self, applet: bytes32, sealed: bytes32, data: bytes32, envelope: Annotated[bytes, 1024]
    ) -> uint256:
        """Answer, and get the answer's number, from 1."""
        require(applet == self.applet, "another applet")
        require(self.caller not in (self.buyer, self.arbiter), "buyer and arbiter do not answer")
        require(self.numbers[self.caller] == 0, "you have answered already")
        require(self.pending + self.paid < self.wanted, "no more answers are wanted now")
        require(envelope == b"" or keccak(envelope) == sealed, "not the envelope that is committed to")
        self.count += 1
        number = self.count
        self.pending += 1
        self.numbers[self.caller] = number
        self.providers[number] = self.caller
        self.statuses[number] = self.Status.waiting
        self.since[number] = self.now
        self.sealed[number] = sealed
        emit(self.Answered(number, self.caller, sealed, data, envelope))
        return number

    @transition((open, ended), by=buyer)
    def accept(self, number: uint256) -> None:
        """Pay for an answer, or withdraw an objection to it."""
        require(self.statuses[number] in (self.Status.waiting, self.Status.contested), "nothing to accept")
        self.statuses[number] = self.Status.paid
        self.pending -= 1
        self.paid += 1
        transfer(self.providers[number], self.price)
        emit(self.Paid(number, self.providers[number], self.price))

    @transition((open, ended), by=buyer)
    def object(self, number: uint256, reason: Annotated[str, 128]) -> None:
        """Refuse to pay for an answer, for a reason that everybody can read."""
        require(self.statuses[number] == self.Status.waiting, "nothing to object to")
        require(self.now < self.since[number] + self.objection_period, "too late to object")
        emit(self.Objected(number, self.providers[number], reason))
        if self.arbiter == ZERO_ADDRESS:
            self.statuses[number] = self.Status.refused
            self.pending -= 1
            emit(self.Refused(number, self.providers[number]))
            if self.is_in(self.ended):
                transfer(self.buyer, self.price)
                emit(self.Refunded(self.price))
        else:
            self.statuses[number] = self.Status.contested
            self.since[number] = self.now

    @transition((open, ended), by=arbiter)
    def rule(self, number: uint256, pay: bool) -> None:
        """Decide a contested answer."""
        require(self.statuses[number] == self.Status.contested, "nothing to rule on")
        require(self.now < self.since[number] + self.ruling_period, "too late to rule")
        self.pending -= 1
        if pay:
            self.statuses[number] = self.Status.paid
            self.paid += 1
            transfer(self.providers[number], self.price)
            emit(self.Paid(number, self.providers[number], self.price))
        else:
            self.statuses[number] = self.Status.refused
            emit(self.Refused(number, self.providers[number]))
            if self.is_in(self.ended):
                transfer(self.buyer, self.price)
                emit(self.Refunded(self.price))

    @transition((open, ended))
    def settle(self, number: uint256) -> None:
        """Close an answer whose time is up: what nobody objected to is paid, what nobody ruled on is not."""
        status = self.statuses[number]
        require(status in (self.Status.waiting, self.Status.contested), "nothing to settle")
        waiting = status == self.Status.waiting
        period = self.objection_period if waiting else self.ruling_period
        require(self.now >= self.since[number] + period, "too early to settle")
        self.pending -= 1
        if waiting:
            self.statuses[number] = self.Status.paid
            self.paid += 1
            transfer(self.providers[number], self.price)
            emit(self.Paid(number, self.providers[number], self.price))
        else:
            self.statuses[number] = self.Status.refused
            emit(self.Refused(number, self.providers[number]))
            if self.is_in(self.ended):
                transfer(self.buyer, self.price)
                emit(self.Refunded(self.price))

    @after(open, lambda self: self.window, ended)
    def end(self) -> None:
        """Give back what no answer has a claim to."""
        rest = self.balance - self.price * self.pending
        transfer(self.buyer, rest)
        emit(self.Refunded(rest))

    @transition(ended, closed)
    def close(self) -> None:
        """Close the task, when no answer waits any more."""
        require(self.pending == 0, "answers are waiting")
        transfer(self.buyer, self.balance)

    @view
    def terms(
        self,
    ) -> tuple[address, address, bytes32, bytes32, bytes32, uint256, uint256, timestamp, uint256, uint256]:
        """Tell buyer, arbiter, applet, specification, key, price, number, deadline and both periods."""
        return (
            self.buyer,
            self.arbiter,
            self.applet,
            self.specification,
            self.key,
            self.price,
            self.wanted,
            self.deadline,
            self.objection_period,
            self.ruling_period,
        )

    @view
    def progress(self) -> tuple[uint256, uint256, uint256]:
        """Tell how many answers there have been, how many wait or are contested, how many are paid."""
        return self.count, self.pending, self.paid

    @view
    def answer_of(self, number: uint256) -> tuple[address, Status, timestamp, bytes32]:
        """Tell an answer's provider, status, since when it has it while undecided, and sealed result."""
        return (
            self.providers[number],
            self.statuses[number],
            self.since[number],
            self.sealed[number],
        )

    @view
    def number_of(self, provider: address) -> uint256:
        """Tell the number of a provider's answer, 0 for none."""
        return self.numbers[provider]

    @invariant
    def covered(self) -> bool:
        """Every answer that may be paid has its price here; an open task could pay for all it wants."""
        due = self.pending if not self.is_in(self.open) else self.wanted - self.paid
        return self.balance >= self.price * due

    @invariant
    def bounded(self) -> bool:
        """No more answers are paid or may be than are wanted."""
        return self.pending + self.paid <= self.wanted
