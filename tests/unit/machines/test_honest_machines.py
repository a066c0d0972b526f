"""Machines without defects: nothing is found, and everything in them was tried."""

from __future__ import annotations

from typing import Annotated

import pytest

from chainstack_sdk.machines.check import check_machine
from chainstack_sdk.machines.language import (
    ZERO_ADDRESS,
    Machine,
    State,
    address,
    after,
    bytes32,
    days,
    invariant,
    keccak,
    payable,
    require,
    role,
    send_nft,
    take_nft,
    timestamp,
    transfer,
    transition,
    uint256,
)


class CommitReveal(Machine):
    """Two players put a stake in and reveal numbers that they had sealed."""

    first = role()
    second = role()
    sealed_first: bytes32
    sealed_second: bytes32
    done_first: bool
    done_second: bool
    sum: uint256
    STAKE = 50
    open = State()
    waiting = State()
    revealing = State()
    over = State(final=True)

    @transition(open, waiting, payable=True)
    def start(self, sealed: bytes32) -> None:
        require(self.value == self.STAKE, "stake")
        self.first = self.caller
        self.sealed_first = sealed

    @transition(waiting, revealing, payable=True)
    def join(self, sealed: bytes32) -> None:
        require(self.value == self.STAKE and self.caller != self.first, "stake")
        require(sealed != self.sealed_first, "the same")
        self.second = self.caller
        self.sealed_second = sealed

    @after(waiting, 5 * days, over)
    def nobody_came(self) -> None:
        transfer(self.first, self.balance)

    @transition(revealing, by=first)
    def reveal_first(self, number: uint256) -> None:
        require(not self.done_first and keccak(number) == self.sealed_first, "wrong")
        self.done_first = True
        self.sum += number % 2

    @transition(revealing, by=second)
    def reveal_second(self, number: uint256) -> None:
        require(not self.done_second and keccak(number) == self.sealed_second, "wrong")
        self.done_second = True
        self.sum += number % 2

    @transition(revealing, over)
    def finish(self) -> None:
        require(self.done_first and self.done_second, "wait")
        transfer(self.second if self.sum == 1 else self.first, self.balance)

    @after(revealing, 2 * days, over)
    def give_up(self) -> None:
        if self.done_first and not self.done_second:
            transfer(self.first, self.balance)
        elif self.done_second and not self.done_first:
            transfer(self.second, self.balance)
        else:
            transfer(self.first, self.balance // 2)
            transfer(self.second, self.balance)


class NftRental(Machine):
    """A token is lent for a fee and a pledge."""

    owner = role()
    renter = role()
    token: address
    token_id: uint256
    fee: uint256
    pledge: uint256
    idle = State()
    listed = State()
    rented = State()
    gone = State(final=True)

    def __init__(self, token: address, token_id: uint256, fee: uint256, pledge: uint256) -> None:
        require(fee <= 10**27 and pledge <= 10**27, "bounds")
        self.owner = self.caller
        self.token = token
        self.token_id = token_id
        self.fee = fee
        self.pledge = pledge

    @transition(idle, listed, by=owner)
    def put(self) -> None:
        take_nft(self.token, self.owner, self.token_id)

    @transition(listed, rented, payable=True)
    def rent(self) -> None:
        require(self.value == self.fee + self.pledge, "fee and pledge")
        self.renter = self.caller
        transfer(self.owner, self.fee)
        send_nft(self.token, self.caller, self.token_id)

    @transition(rented, listed, by=renter)
    def give_back(self) -> None:
        take_nft(self.token, self.renter, self.token_id)
        transfer(self.renter, self.pledge)

    @after(rented, 30 * days, gone)
    def default(self) -> None:
        transfer(self.owner, self.balance)

    @transition(listed, gone, by=owner)
    def take(self) -> None:
        send_nft(self.token, self.owner, self.token_id)


class DutchAuction(Machine):
    """A token becomes cheaper until somebody buys it."""

    seller = role()
    token: address
    token_id: uint256
    start: uint256
    floor: uint256
    began: timestamp
    LENGTH = 7 * days
    ready = State()
    open = State()
    over = State(final=True)

    def __init__(self, token: address, token_id: uint256, start: uint256, floor: uint256) -> None:
        require(floor > 0 and floor <= start and start <= 10**27, "prices")
        self.seller = self.caller
        self.token = token
        self.token_id = token_id
        self.start = start
        self.floor = floor

    @transition(ready, open, by=seller)
    def begin(self) -> None:
        self.began = self.now
        take_nft(self.token, self.seller, self.token_id)

    @transition(open, over, payable=True)
    def buy(self) -> None:
        price = self.start - (self.start - self.floor) * (self.now - self.began) // self.LENGTH
        require(self.value >= price, "too little")
        transfer(self.seller, price)
        transfer(self.caller, self.balance)
        send_nft(self.token, self.caller, self.token_id)

    @after(open, LENGTH, over)
    def end(self) -> None:
        send_nft(self.token, self.seller, self.token_id)


class Vesting(Machine):
    """Coin becomes free little by little."""

    giver = role()
    holder = role()
    total: uint256
    taken: uint256
    start: timestamp
    length: uint256
    vesting = State()
    done = State(final=True)

    @payable
    def __init__(self, holder: address, length: uint256) -> None:
        require(self.value > 0 and self.value <= 10**27, "total")
        require(length > 0 and length <= 3650 * days, "length")
        require(holder != ZERO_ADDRESS, "nobody")
        self.giver = self.caller
        self.holder = holder
        self.total = self.value
        self.length = length
        self.start = self.now

    @transition(vesting, by=holder)
    def take(self) -> None:
        vested = self.total * min(self.now - self.start, self.length) // self.length
        due = vested - self.taken
        require(due > 0, "nothing yet")
        self.taken = vested
        transfer(self.holder, due)

    @transition(vesting, done, by=giver)
    def revoke(self) -> None:
        vested = self.total * min(self.now - self.start, self.length) // self.length
        transfer(self.holder, vested - self.taken)
        transfer(self.giver, self.balance)

    @after(vesting, lambda self: self.length, done)
    def finish(self) -> None:
        transfer(self.holder, self.balance)

    @invariant
    def covered(self) -> bool:
        return self.is_in(self.done) or self.balance == self.total - self.taken


class Winner(Machine):
    """The prize goes bit by bit to a winner who is stored."""

    host = role()
    winner: address
    playing = State()
    won = State()

    @payable
    def __init__(self) -> None:
        self.host = self.caller

    @transition(playing, payable=True)
    def enter(self) -> None:
        require(self.value == 5, "stake")
        self.winner = self.caller

    @transition(playing, won, by=host)
    def end(self) -> None:
        require(self.winner != ZERO_ADDRESS, "nobody")

    @transition(won)
    def take(self, amount: uint256) -> None:
        require(self.caller == self.winner, "not you")
        transfer(self.caller, amount)

    @transition(won)
    def sweep(self) -> None:
        require(self.caller == self.winner, "not you")
        transfer(self.caller, self.balance)


class Job(Machine):
    """A wage for whoever applies, delivers and is approved of."""

    owner = role()
    worker = role()
    open = State()
    taken = State()
    delivered = State()
    done = State(final=True)

    @payable
    def __init__(self) -> None:
        require(self.value > 0, "no wage")
        self.owner = self.caller

    @transition(open, taken)
    def apply(self) -> None:
        self.worker = self.caller

    @transition(taken, delivered, by=worker)
    def deliver(self, proof: bytes32) -> None:
        require(proof != keccak(0), "no proof")

    @transition(delivered, done, by=owner)
    def approve(self) -> None:
        transfer(self.worker, self.balance)

    @transition((delivered, taken), open, by=owner)
    def refuse(self) -> None:
        pass

    @after(delivered, 14 * days, done)
    def accept(self) -> None:
        transfer(self.worker, self.balance)

    @after(taken, 14 * days, open)
    def too_slow(self) -> None:
        pass

    @transition(open, done, by=owner)
    def cancel(self) -> None:
        transfer(self.owner, self.balance)


class Raffle(Machine):
    """A sealed number picks one of four; silence gives all their coin back."""

    host = role()
    sealed: bytes32
    players: Annotated[list[address], 4]
    count: uint256
    selling = State()
    closed = State()
    over = State(final=True)

    def __init__(self, sealed: bytes32) -> None:
        self.host = self.caller
        self.sealed = sealed

    @transition(selling, payable=True)
    def enter(self) -> None:
        require(self.value == 100, "ticket is 100")
        require(self.count < 4, "full")
        self.players[self.count] = self.caller
        self.count += 1

    @transition(selling, closed, by=host)
    def close(self) -> None:
        require(self.count > 0, "empty")

    @after(selling, 30 * days, over)
    def too_few(self) -> None:
        for i in range(4):
            if i < self.count:
                transfer(self.players[i], 100)

    @transition(closed, over, by=host)
    def reveal(self, number: uint256) -> None:
        require(keccak(number) == self.sealed, "wrong")
        transfer(self.host, self.balance // 10)
        transfer(self.players[number % self.count], self.balance)

    @after(closed, 2 * days, over)
    def give_back(self) -> None:
        for i in range(4):
            if i < self.count:
                transfer(self.players[i], 100)

    @invariant
    def paid_in(self) -> bool:
        return self.is_in(self.over) or self.balance >= 100 * self.count


class Succession(Machine):
    """Who is silent for too long loses the keys to anybody who asks for them."""

    keeper = role()
    seen: timestamp

    open = State()

    def __init__(self) -> None:
        self.keeper = self.caller
        self.seen = self.now

    @transition(open, payable=True)
    def put(self) -> None:
        pass

    @transition(open, by=keeper)
    def take(self, amount: uint256) -> None:
        self.seen = self.now
        transfer(self.keeper, amount)

    @transition(open)
    def succeed(self) -> None:
        require(self.now >= self.seen + 30 * days, "the keeper is there")
        self.keeper = self.caller
        self.seen = self.now


@pytest.mark.parametrize(
    "machine", [CommitReveal, NftRental, DutchAuction, Vesting, Winner, Job, Raffle, Succession]
)
def test_nothing_is_found_and_everything_tried(machine: type[Machine]) -> None:
    report = check_machine(machine.ir(), budget=2_000, walks=1)
    assert report.findings == (), str(report)
    assert report.notes == (), str(report)
