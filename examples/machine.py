"""A contract as a finite state machine: an escrow with judges and a deadline, its cost known beforehand."""

from __future__ import annotations

from typing import Annotated

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines import (
    Event,
    Indexed,
    Machine,
    State,
    address,
    after,
    days,
    emit,
    require,
    role,
    transfer,
    transition,
    uint256,
    view,
)


class Escrow(Machine):
    """Holds the price until the buyer accepts, two of three judges decide, or the time is over."""

    seller = role()
    buyer = role()
    judges = role(3, threshold=2)
    price: uint256
    window: uint256

    offered = State()
    paid = State()
    closed = State(final=True)

    class Paid(Event):
        """The price is in."""

        buyer: Indexed[address]
        amount: uint256

    def __init__(self, judges: Annotated[list[address], 3], price: uint256, window: uint256) -> None:
        """Offer something."""
        require(price > 0, "the price is zero")
        self.seller = self.caller
        self.judges = judges
        self.price = price
        self.window = window

    @transition(offered, paid, payable=True)
    def pay(self) -> None:
        """Put the price in."""
        require(self.value == self.price, "not the price")
        self.buyer = self.caller
        emit(self.Paid(self.caller, self.value))

    @transition(paid, closed, by=buyer)
    def accept(self) -> None:
        """Hand the price to the seller."""
        transfer(self.seller, self.balance)

    @transition(paid, closed, by=judges)
    def decide(self, winner: address) -> None:
        """Hand the price to whom two judges name."""
        require(winner in (self.seller, self.buyer), "neither seller nor buyer")
        transfer(winner, self.balance)

    @after(paid, lambda self: self.window, closed)
    def expire(self) -> None:
        """Give the price back."""
        transfer(self.buyer, self.balance)

    @view
    def held(self) -> uint256:
        """Tell how much is held."""
        return self.balance


if __name__ == "__main__":
    alice, bob, *judges = (Account.from_key(bytes([number]) * 32) for number in range(1, 6))
    clock = ManualClock()
    funds = dict.fromkeys((alice, bob, *judges), ether(1))
    chain = Chain.in_memory(funds, clock=clock, auto_seal=True)

    print("encoding:", len(Escrow.encoding()), "bytes, gas:", Escrow.gas())
    escrow = Escrow.deploy(chain, alice, judges=judges, price=500, window=7 * days)
    escrow.send(bob, "pay", value=500)
    print(escrow.state, escrow.read("held"))
    try:
        escrow.send(alice, "accept")
    except Reverted as refusal:
        print("refused:", refusal.message)
    escrow.send(judges[0], "decide", alice)
    escrow.send(judges[2], "decide", alice)
    print(escrow.state, escrow.read("held"))

    late = Escrow.deploy(chain, alice, judges=judges, price=500, window=7 * days)
    late.send(bob, "pay", value=500)
    clock.advance(8 * days)
    chain.seal()  # nobody has to call: the block fires the timer
    print(late.state, late.read("held"))
