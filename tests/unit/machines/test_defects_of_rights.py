"""Machines with defects in who is paid, who may say so, and when: found, with traces that reproduce them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest

from chainstack_sdk.machines.check import Finding, check_machine
from chainstack_sdk.machines.language import (
    ZERO_ADDRESS,
    Machine,
    Mapping,
    State,
    address,
    after,
    days,
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


class PaidTwice(Machine):
    """A backer who is paid back may ask again, until the coin of the others is gone."""

    owner = role()
    goal: uint256
    given: Mapping[address, uint256]
    open = State()
    failed = State()
    paid = State(final=True)

    def __init__(self, goal: uint256) -> None:
        require(goal > 0, "goal")
        self.owner = self.caller
        self.goal = goal

    @transition(open, payable=True)
    def give(self) -> None:
        self.given[self.caller] += self.value

    @transition(open, paid, by=owner)
    def collect(self) -> None:
        require(self.balance >= self.goal, "not yet")
        transfer(self.owner, self.balance)

    @after(open, 30 * days, failed)
    def fail(self) -> None:
        pass

    @transition(failed)
    def refund(self) -> None:
        amount = self.given[self.caller]
        require(amount > 0 and amount <= self.balance, "nothing")
        transfer(self.caller, amount)


class PaidByNumber(Machine):
    """The buyer of a place is paid back once, and again."""

    owner = role()
    holders: Annotated[list[address], 3]
    sold: uint256
    PRICE = 10
    selling = State()
    cancelled = State()
    over = State(final=True)

    def __init__(self) -> None:
        self.owner = self.caller

    @transition(selling, payable=True)
    def buy(self) -> None:
        require(self.value == self.PRICE and self.sold < 3, "price")
        self.holders[self.sold] = self.caller
        self.sold += 1

    @transition(selling, cancelled, by=owner)
    def cancel(self) -> None:
        pass

    @transition(selling, over, by=owner)
    def hold(self) -> None:
        transfer(self.owner, self.balance)

    @transition(cancelled)
    def refund(self, number: uint256) -> None:
        require(number < self.sold, "none")
        require(self.holders[number] == self.caller, "not yours")
        transfer(self.caller, self.PRICE)


class OpenSeats(Machine):
    """Anybody may take a seat among the owners."""

    owners = role(3, threshold=2)
    limit: uint256
    open = State()

    def __init__(self, owners: Annotated[list[address], 3]) -> None:
        self.owners = owners
        self.limit = 100

    @transition(open, payable=True)
    def put(self) -> None:
        pass

    @transition(open, by=owners)
    def send(self, to: address, amount: uint256) -> None:
        require(amount <= self.limit, "limit")
        transfer(to, amount)

    @transition(open)
    def replace(self, index: uint256, who: address) -> None:
        self.owners[index] = who


class SelfApproved(Machine):
    """Who applies approves the work, too."""

    owner = role()
    worker: address
    open = State()
    taken = State()
    done = State(final=True)

    @payable
    def __init__(self) -> None:
        require(self.value > 0, "no wage")
        self.owner = self.caller

    @transition(open, taken)
    def apply(self) -> None:
        self.worker = self.caller

    @transition(taken, done)
    def approve(self) -> None:
        require(self.caller == self.worker, "not you")
        transfer(self.worker, self.balance)

    @transition(open, done, by=owner)
    def cancel(self) -> None:
        transfer(self.owner, self.balance)


class MomentAsDelay(Machine):
    """The moment of the end is taken for a delay."""

    owner = role()
    deadline: timestamp
    open = State()
    over = State(final=True)

    def __init__(self, length: uint256) -> None:
        require(length > 0 and length <= 365 * days, "length")
        self.owner = self.caller
        self.deadline = self.now + length

    @transition(open, payable=True)
    def give(self) -> None:
        pass

    @after(open, lambda self: self.deadline, over)
    def end(self) -> None:
        transfer(self.owner, self.balance)


class FreeBids(Machine):
    """A bid of nothing puts the end off."""

    seller = role()
    best: uint256
    leader: address
    open = State()
    ended = State(final=True)

    def __init__(self) -> None:
        self.seller = self.caller
        self.leader = self.caller

    @transition(open, open, payable=True)
    def bid(self) -> None:
        require(self.value >= self.best, "too low")
        transfer(self.leader, self.best)
        self.best = self.value
        self.leader = self.caller

    @after(open, 3 * days, ended)
    def end(self) -> None:
        transfer(self.seller, self.best)


class NobodyBid(Machine):
    """The token of an auction without bids goes to nobody."""

    seller = role()
    token: address
    token_id: uint256
    best: uint256
    leader: address
    ready = State()
    open = State()
    over = State(final=True)

    def __init__(self, token: address, token_id: uint256) -> None:
        self.seller = self.caller
        self.token = token
        self.token_id = token_id

    @transition(ready, open, by=seller)
    def begin(self) -> None:
        take_nft(self.token, self.seller, self.token_id)

    @transition(open, payable=True)
    def bid(self) -> None:
        require(self.value > self.best, "too low")
        if self.best > 0:
            transfer(self.leader, self.best)
        self.best = self.value
        self.leader = self.caller

    @after(open, 7 * days, over)
    def settle(self) -> None:
        transfer(self.seller, self.best)
        send_nft(self.token, self.leader, self.token_id)


class JudgesElectJudges(Machine):
    """Judges are elected by judges, of whom there are none."""

    owner = role()
    judges = role(3, threshold=2)
    open = State()
    disputed = State()
    over = State(final=True)

    def __init__(self) -> None:
        self.owner = self.caller

    @transition(open, payable=True)
    def pay(self) -> None:
        pass

    @transition(open, disputed, by=owner)
    def dispute(self) -> None:
        pass

    @transition(disputed, by=judges)
    def elect(self, index: uint256, who: address) -> None:
        self.judges[index] = who

    @transition(disputed, over, by=judges)
    def decide(self, to: address) -> None:
        require(to != ZERO_ADDRESS, "nobody")
        transfer(to, self.balance)

    @transition(open, over, by=owner)
    def close(self) -> None:
        transfer(self.owner, self.balance)


@pytest.mark.parametrize(
    ("machine", "budget", "found"),
    [
        (PaidTwice, 1_500, {("error", "open-money", "refund")}),
        (PaidByNumber, 3_000, {("error", "open-money", "refund")}),
        (OpenSeats, 6_000, {("error", "open-money", "replace")}),
        (SelfApproved, 1_500, {("error", "open-money", "approve")}),
        (MomentAsDelay, 1_500, {("error", "timer", "end")}),
        (FreeBids, 1_500, {("warning", "timer", "end")}),
        (NobodyBid, 1_500, {("error", "timer", "settle")}),
        (
            JudgesElectJudges,
            1_500,
            {
                ("error", "dead-end", "disputed"),
                ("error", "dead-end", "elect"),
                ("error", "dead-end", "decide"),
                ("error", "stuck-funds", "disputed"),
            },
        ),
    ],
)
def test_the_defect_and_nothing_else_is_found(
    machine: type[Machine], budget: int, found: set[tuple[str, str, str]], reproduce: Callable[[Finding], str]
) -> None:
    report = check_machine(machine.ir(), budget=budget, walks=1)
    assert {(each.severity, each.kind, each.place) for each in report.findings} == found, str(report)
    for each in report.findings:
        if each.trace is not None:
            reproduce(each)


def test_who_is_paid_again_ends_with_the_coin_of_others() -> None:
    (finding,) = check_machine(PaidTwice.ir(), budget=1_500, walks=1).findings
    assert finding.trace is not None
    assert finding.trace.steps[-1] == finding.trace.steps[-2]
    assert "nothing is stored" in finding.message


def test_a_token_refuses_in_its_own_words(reproduce: Callable[[Finding], str]) -> None:
    (finding,) = check_machine(NobodyBid.ir(), budget=1_500, walks=1).findings
    assert finding.message.endswith("a token refuses")
    assert "assert refusal.value.message" in reproduce(finding)
