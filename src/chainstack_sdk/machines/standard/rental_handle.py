"""Rented resources as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.machines.standard.handle import StandardHandle
from chainstack_sdk.machines.standard.rental import Rental

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer


@dataclass(frozen=True, slots=True)
class RentalTerms:
    """What an offer says, for ever the same. Prices in wei, times in seconds."""

    unit: str
    """What is counted: ``"GB"``."""
    unit_price: int
    time_price: int
    """For each second."""
    deposit: int
    """Put in besides the price of what is booked; pays for more."""
    capacity: int
    """Units that one lease may use."""
    longest: int
    """The longest time that may be booked."""
    patience: int
    """In which the meters must see the resource after a booking."""
    window: int
    """For the last reading, for objections, and for decisions on them: each."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The running lease, or the last one. Coin in wei, times in seconds."""

    user: bytes
    """20 bytes; the zero address before the first booking."""
    duration: int
    """Booked."""
    started: int
    """When the meters saw the resource, Unix time; of the lease before while this one has not begun."""
    used: int
    """Units, as the meters told."""
    served: int
    """Time that counts; 0 while it runs."""
    claim: int
    """What the owner gets unless somebody says otherwise: of the bill, or what the user admits of it."""
    held: int
    """Coin that the machine holds."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a lease ended: who got how much, in wei."""

    user: bytes
    """20 bytes."""
    paid: int
    """To the owner."""
    returned: int
    """To the user."""
    height: int


class RentalHandle(StandardHandle):
    """A rented resource on a chain. What a meter says counts when a second one has said the same."""

    machine_class = Rental

    @classmethod
    def issue(
        cls,
        host: ContractHost,
        sender: Signer,
        *,
        meters: Sequence[AddressLike],
        unit: str,
        unit_price: int,
        time_price: int = 0,
        deposit: int = 0,
        capacity: int,
        longest: int,
        patience: int = 3_600,
        window: int = 24 * 3_600,
        gas: int | None = None,
    ) -> Self:
        """Offer a resource by one transaction.

        Parameters
        ----------
        host
            A chain with the deployer of machines.
        sender
            The owner, who is paid.
        meters
            Three different accounts, none of them the owner, of which two must agree; they do not book.
        unit
            What is counted, at most 32 bytes.
        unit_price, time_price
            Wei for a unit and for a second, each at most 2^96.
        deposit
            Wei, at most 2^96.
        capacity
            Units that one lease may use, from 1 to 2^64.
        longest, patience, window
            Seconds, from 1 to 366 days; see :class:`RentalTerms`.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the arguments do not fit, or the chain has no deployer.
        Reverted
            When one of them is out of bounds.
        """
        machine = Rental.deploy(
            host,
            sender,
            gas=gas,
            meters=meters,
            unit=unit,
            unit_price=unit_price,
            time_price=time_price,
            deposit=deposit,
            capacity=capacity,
            longest=longest,
            patience=patience,
            window=window,
        )
        return cls(host, machine.address)

    # Questions

    def terms(self) -> RentalTerms:
        """Return what the offer says."""
        return RentalTerms(*self.read("terms"))

    def owner(self) -> bytes:
        """Return who is paid, 20 bytes."""
        return bytes(self.read("parties")[0])

    def meters(self) -> tuple[bytes, ...]:
        """Return the three meters, 20 bytes each."""
        return tuple(self.read("parties")[1])

    def lease(self, *, block: int | None = None) -> Lease:
        """Return the running lease or the last one, at a block or now."""
        return Lease(*self.read("lease", block=block))

    def quote(self, units: int, duration: int) -> int:
        """Return what a booking of so many units and seconds takes, deposit included, in wei."""
        return int(self.read("quote", units, duration))

    def settlements(self) -> list[Settlement]:
        """Return how all leases ended, in their order."""
        return [Settlement(**each.args, height=each.height) for each in self.events("Settled")]

    # What a user does

    def book(self, sender: Signer, units: int, duration: int) -> Receipt:
        """Book units and seconds, and put in what :meth:`quote` says."""
        return self.send(sender, "book", units, duration, value=self.quote(units, duration))

    def cancel(self, sender: Signer) -> Receipt:
        """Take all back, before the resource is there."""
        return self.send(sender, "cancel")

    def finish(self, sender: Signer) -> Receipt:
        """Stop before the booked time is over."""
        return self.send(sender, "finish")

    def accept(self, sender: Signer) -> Receipt:
        """Have the bill paid at once."""
        return self.send(sender, "accept")

    def object(self, sender: Signer, admitted: int) -> Receipt:
        """Object to the bill, and admit less of it, in wei."""
        return self.send(sender, "object", admitted)

    # What meters do

    def begin(self, meter: Signer) -> Receipt:
        """Tell that the resource is there: time counts."""
        return self.send(meter, "begin")

    def meter(self, meter: Signer, used: int) -> Receipt:
        """Tell how many units have been used since the beginning, while the lease runs."""
        return self.send(meter, "meter", used)

    def conclude(self, meter: Signer, used: int) -> Receipt:
        """Tell how many units have been used in all, when the lease is over: the bill."""
        return self.send(meter, "conclude", used)

    def decide(self, meter: Signer, used: int, served: int) -> Receipt:
        """Decide on an objection: units and seconds that count, at most those of the bill."""
        return self.send(meter, "decide", used, served)

    # What the owner does

    def decline(self, sender: Signer) -> Receipt:
        """Give all back, before the resource is there."""
        return self.send(sender, "decline")

    def stop(self, sender: Signer) -> Receipt:
        """Serve no longer, before the booked time is over."""
        return self.send(sender, "stop")

    def concede(self, sender: Signer) -> Receipt:
        """Take what the user admits."""
        return self.send(sender, "concede")

    def withdraw(self, sender: Signer) -> Receipt:
        """Take the offer back for ever, while nobody has booked."""
        return self.send(sender, "withdraw")
