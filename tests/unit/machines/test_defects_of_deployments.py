"""Machines that take coin when they are made, each with a defect: the trace deploys with coin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest

from chainstack_sdk.machines.check import Finding, check_machine
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
    timestamp,
    transfer,
    transition,
    uint256,
)


class MoreThanTotal(Machine):
    """What comes beyond the total is never paid out."""

    giver = role()
    holder = role()
    total: uint256
    taken: uint256
    start: timestamp
    length: uint256
    vesting = State()
    done = State(final=True)

    @payable
    def __init__(self, holder: address, total: uint256, length: uint256) -> None:
        require(self.value >= total, "too little")
        require(length > 0 and length <= 3650 * days and total <= 10**27, "length")
        require(total > 0, "total")
        require(holder != ZERO_ADDRESS, "nobody")
        self.giver = self.caller
        self.holder = holder
        self.total = total
        self.length = length
        self.start = self.now

    @transition(vesting, by=holder)
    def take(self) -> None:
        vested = self.total * min(self.now - self.start, self.length) // self.length
        due = vested - self.taken
        self.taken = vested
        transfer(self.holder, due)

    @after(vesting, lambda self: self.length, done)
    def finish(self) -> None:
        transfer(self.holder, self.total - self.taken)


class LastPartStays(Machine):
    """The last part is released by nobody."""

    client = role()
    builder = role()
    parts: Annotated[list[uint256], 3]
    step: uint256
    building = State()
    done = State(final=True)

    @payable
    def __init__(self, builder: address, parts: Annotated[list[uint256], 3]) -> None:
        require(builder != ZERO_ADDRESS, "nobody")
        require(parts[0] <= 10**27 and parts[1] <= 10**27 and parts[2] <= 10**27, "bounds")
        require(self.value == parts[0] + parts[1] + parts[2] and self.value > 0, "sum")
        self.client = self.caller
        self.builder = builder
        self.parts = parts

    @transition(building, by=client)
    def release(self) -> None:
        require(self.step < 2, "all done")
        transfer(self.builder, self.parts[self.step])
        self.step += 1

    @transition(building, done, by=client)
    def finish(self) -> None:
        require(self.step == 2, "not yet")


class NobodyEntered(Machine):
    """The prize stays when nobody has entered."""

    host = role()
    players: Annotated[list[address], 3]
    count: uint256
    open = State()
    over = State(final=True)

    @payable
    def __init__(self) -> None:
        require(self.value > 0, "no prize")
        self.host = self.caller

    @transition(open)
    def enter(self) -> None:
        require(self.count < 3 and self.caller not in self.players, "full")
        self.players[self.count] = self.caller
        self.count += 1

    @after(open, 7 * days, over)
    def draw(self) -> None:
        if self.count > 0:
            transfer(self.players[self.now % self.count], self.balance)


class CancelledBounty(Machine):
    """The sponsor cancels, and has nothing back."""

    sponsor = role()
    answer: bytes32
    open = State()
    paid = State(final=True)
    cancelled = State(final=True)

    @payable
    def __init__(self, answer: bytes32) -> None:
        require(self.value > 0, "no bounty")
        self.sponsor = self.caller
        self.answer = answer

    @transition(open, paid)
    def solve(self, text: Annotated[bytes, 32]) -> None:
        require(keccak(text) == self.answer, "no")
        transfer(self.caller, self.balance)

    @transition(open, cancelled, by=sponsor)
    def cancel(self) -> None:
        pass


class RewardTooLarge(Machine):
    """The reward may be more than was put in."""

    owner = role()
    helper = role()
    working = State()
    over = State(final=True)
    REWARD = 100

    @payable
    def __init__(self, helper: address) -> None:
        require(helper != ZERO_ADDRESS, "nobody")
        self.owner = self.caller
        self.helper = helper

    @transition(working, by=owner)
    def take(self, amount: uint256) -> None:
        transfer(self.owner, amount)

    @after(working, 30 * days, over)
    def finish(self) -> None:
        transfer(self.helper, self.REWARD)
        transfer(self.owner, self.balance)


class PromisedTooMuch(Machine):
    """More may be promised than has come."""

    owner = role()
    saver = role()
    promised: uint256
    open = State()
    over = State(final=True)

    @payable
    def __init__(self, saver: address, promised: uint256) -> None:
        require(self.value > 0 and saver != ZERO_ADDRESS, "nothing")
        self.owner = self.caller
        self.saver = saver
        self.promised = promised

    @transition(open, over, by=saver)
    def take(self) -> None:
        transfer(self.saver, min(self.promised, self.balance))
        transfer(self.owner, self.balance)

    @transition(open, by=owner, payable=True)
    def add(self) -> None:
        self.promised += self.value

    @after(open, 30 * days, over)
    def end(self) -> None:
        transfer(self.owner, self.balance)

    @invariant
    def covered(self) -> bool:
        return self.is_in(self.over) or self.balance >= self.promised


@pytest.mark.parametrize(
    ("machine", "kind", "place"),
    [
        (MoreThanTotal, "stuck-funds", "done"),
        (LastPartStays, "stuck-funds", "done"),
        (NobodyEntered, "stuck-funds", "over"),
        (CancelledBounty, "stuck-funds", "cancelled"),
        (RewardTooLarge, "timer", "finish"),
        (PromisedTooMuch, "invariant", "covered"),
    ],
)
def test_coin_of_the_deployment_is_followed(
    machine: type[Machine], kind: str, place: str, reproduce: Callable[[Finding], str]
) -> None:
    report = check_machine(machine.ir(), budget=1_500, walks=1)
    (finding,) = report.findings
    assert (finding.severity, finding.kind, finding.place) == ("error", kind, place)
    assert finding.trace is not None
    printed = reproduce(finding)
    coin = finding.trace.steps[0].value
    assert (f", value={coin})" in printed) == (coin > 0)
    assert coin > 0 or kind == "timer"
