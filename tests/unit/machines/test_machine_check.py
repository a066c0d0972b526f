"""Checks of machines: what they leave alone, what they tell, and that they tell it twice the same way."""

from __future__ import annotations

import builtins
import pickle
import random
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ChainConfig, UsageError, ether
from chainstack_sdk.machines import (
    DEPLOYER_ADDRESS,
    DEPLOYER_CODE,
    DefectiveMachine,
    Machine,
    State,
    check_machine,
    compile_text,
    require,
    role,
    transfer,
    transition,
    uint256,
)
from chainstack_sdk.machines.check import CheckReport, Finding, quick_check
from chainstack_sdk.machines.check.tree import Influence
from chainstack_sdk.machines.ir import MachineIR
from chainstack_sdk.testing.drawn_machines import MachineMaker

ALICE = Account.from_key(b"\1" * 32)
PEOPLE = [bytes([number]) * 20 for number in range(1, 6)]


class Leaky(Machine):
    """Pays whoever asks."""

    owner = role()
    goal: uint256
    open = State()

    def __init__(self, goal: uint256) -> None:
        self.owner = self.caller
        self.goal = goal

    @transition(open, payable=True, by=owner)
    def fill(self) -> None:
        require(self.value >= self.goal, "too little")

    @transition(open)
    def leak(self) -> None:
        transfer(self.caller, self.balance)


def reproduce(finding: Finding) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(finding.as_test(), "generated", "exec"), namespace)
    (test,) = [value for name, value in namespace.items() if name.startswith("test_")]
    test()


def checked(text: str, budget: int = 2_000, walks: int = 2) -> CheckReport:
    report = check_machine(compile_text(text), budget=budget, walks=walks)
    for each in report.findings:
        assert str(each) in str(report)
        if each.trace is not None:
            reproduce(each)
    return report


def found(report: CheckReport) -> list[tuple[str, str, str]]:
    return [(each.severity, each.kind, each.place) for each in report.findings]


def chain() -> Chain:
    accounts = {"0x" + DEPLOYER_ADDRESS.hex(): {"nonce": 1, "code": DEPLOYER_CODE}}
    config = ChainConfig(funds={ALICE.checksum_address: ether(1)}, accounts=accounts)
    return Chain.in_memory(config=config, auto_seal=True)


def test_a_report_says_where() -> None:
    report = Leaky.check(budget=1_000, walks=1)
    assert not report.ok
    (finding,) = report.errors
    assert (finding.kind, finding.place, report.warnings) == ("open-money", "leak", ())
    assert finding.filename == __file__
    with open(__file__, encoding="utf-8") as source:
        assert source.read().splitlines()[(finding.line or 0) - 1].strip() == "def leak(self) -> None:"
    page = str(report)
    assert page.startswith("Leaky: 1 errors, 0 warnings\n")
    assert f"{__file__}:{finding.line}: error: open-money: leak: anyone may take coin" in page
    assert "    1. alice deploys(2)\n    2. alice fill() with " in page
    assert "3. mallory leak()" in page
    reproduce(finding)


def test_deployment_refuses_what_is_defective() -> None:
    with pytest.raises(DefectiveMachine, match=r"open-money of leak .* unchecked=True") as caught:
        Leaky.deploy(chain(), ALICE, goal=1)
    assert caught.value.report == quick_check(Leaky.ir())
    assert pickle.loads(pickle.dumps(caught.value)).report == caught.value.report
    assert Leaky.deploy(chain(), ALICE, goal=1, unchecked=True).state == "open"


def test_a_check_is_made_once() -> None:
    assert quick_check(Leaky.ir()) is quick_check(Leaky.ir())


def test_the_same_machine_has_the_same_report() -> None:
    assert str(Leaky.check(budget=500, walks=3)) == str(Leaky.check(budget=500, walks=3))


def test_budgets_are_not_negative() -> None:
    for wrong in ({"budget": -1}, {"walks": -1}):
        with pytest.raises(UsageError, match="not negative"):
            Leaky.check(**wrong)


def test_without_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "hypothesis":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    report = Leaky.check(budget=500)
    assert any("chainstack-sdk[check]" in note for note in report.notes)


def test_walks_go_where_the_search_does_not() -> None:
    text = """\
class Long(Machine):
    count: uint256
    open = State()
    @transition(open)
    def step(self) -> None:
        self.count += 1
    @invariant
    def short(self) -> bool:
        return self.count < 14
"""
    assert found(checked(text, budget=16, walks=0)) == []
    assert found(checked(text, budget=16, walks=1)) == [("error", "invariant", "short")]


def test_what_has_no_trace_is_no_test() -> None:
    report = checked(
        """\
class Gone(Machine):
    a = State()
    b = State(final=True)
    @view
    def v(self) -> bool:
        return True
"""
    )
    assert found(report) == [("error", "unreachable-state", "b"), ("error", "dead-end", "a")]
    with pytest.raises(UsageError, match="nothing to run"):
        report.findings[0].as_test()
    assert str(report.findings[0]).startswith("error: unreachable-state: b: ")


def test_a_machine_that_accepts_no_deployment() -> None:
    report = checked(
        """\
class Never(Machine):
    a = State()
    def __init__(self) -> None:
        require(self.balance > 0, "no")
    @transition(a)
    def go(self) -> None:
        pass
"""
    )
    assert (report.ok, report.configurations) == (True, 0)
    assert report.notes == ("no deployment that was tried is accepted: nothing of the machine was run",)


def test_a_delay_that_can_no_longer_be_computed_never_comes() -> None:
    report = checked(
        """\
class Shares(Machine):
    owner = role()
    open = State()
    over = State(final=True)
    @payable
    def __init__(self) -> None:
        self.owner = self.caller
    @transition(open, by=owner)
    def take(self) -> None:
        transfer(self.owner, self.balance)
    @after(open, lambda self: 1_000_000 // self.balance, over)
    def end(self) -> None:
        transfer(self.owner, self.balance)
"""
    )
    assert ("error", "overflow", "end") in found(report)
    for each in report.findings:
        assert each.trace is not None
        assert each.trace.steps[0].value > 0


# What is meant so is left alone


HONEST = {
    "who knows the secret is paid": """\
class Lock(Machine):
    owner = role()
    hashed: bytes32
    open = State()
    paid = State(final=True)
    def __init__(self, hashed: bytes32) -> None:
        self.owner = self.caller
        self.hashed = hashed
    @transition(open, payable=True, by=owner)
    def fund(self) -> None:
        pass
    @transition(open, paid)
    def claim(self, secret: bytes32) -> None:
        require(keccak(secret) == self.hashed, "wrong")
        transfer(self.caller, self.balance)
""",
    "work that others had time to refuse": """\
class Task(Machine):
    buyer = role()
    worker: address
    open = State()
    done = State()
    over = State(final=True)
    def __init__(self) -> None:
        self.buyer = self.caller
    @transition(open, payable=True, by=buyer)
    def fund(self) -> None:
        pass
    @transition(open, over, by=buyer)
    def cancel(self) -> None:
        transfer(self.buyer, self.balance)
    @transition(open, done)
    def answer(self) -> None:
        self.worker = self.caller
    @transition(done, over, by=buyer)
    def refuse(self) -> None:
        transfer(self.buyer, self.balance)
    @after(done, 3 * days, over)
    def pay(self) -> None:
        transfer(self.worker, self.balance)
""",
    "the caller's own number is too large": """\
class Add(Machine):
    sum: uint256
    only = State()
    @transition(only)
    def add(self, a: uint256, b: int256, c: Annotated[list[uint256], 2]) -> None:
        self.sum = a * 3 + uint256(b) + c[0]
""",
    "coin is burnt in so many words": """\
class Burn(Machine):
    only = State()
    @transition(only, payable=True)
    def burn(self) -> None:
        transfer(ZERO_ADDRESS, self.value)
""",
    "a lottery for more than the check pays": """\
class Lottery(Machine):
    last: address
    count: uint256
    open = State()
    over = State(final=True)
    @transition(open, payable=True)
    def play(self) -> None:
        require(self.value == 5, "five")
        self.count += 1
        self.last = self.caller
    @transition(open, over)
    def draw(self) -> None:
        require(self.count >= 9, "more")
        transfer(self.last, self.balance)
""",
    "a known recipient of whom nothing is known": """\
class Fixed(Machine):
    empty = State()
    full = State()
    over = State(final=True)
    @transition(empty, full, payable=True)
    def pay(self) -> None:
        require(self.value > 0, "nothing")
    @transition(full, over)
    def take(self) -> None:
        require(self.caller == bytes.fromhex("1111111111111111111111111111111111111111"), "not you")
        transfer(self.caller, self.balance)
""",
    "a word that is not among those tried": """\
class Word(Machine):
    empty = State()
    full = State()
    over = State(final=True)
    @transition(empty, full, payable=True)
    def pay(self) -> None:
        require(self.value == 7, "seven")
    @transition(full, over)
    def take(self, number: uint256) -> None:
        require(number * number == 1_522_756, "wrong")
        transfer(self.caller, self.balance)
""",
    "times, heights, enumerations and bytes": """\
class Mixed(Machine):
    class Mood(Enum):
        calm = 0
        cross = 1
    owner = role()
    board = role(3, threshold=2)
    until: uint256
    mood: Mood
    name: Annotated[str, 10]
    data: Annotated[bytes, 10]
    signed: int256
    seen: Mapping[address, Mapping[bytes32, bool]]
    first = State()
    second = State()
    over = State(final=True)
    def __init__(self, board: Annotated[list[address], 3], name: Annotated[str, 10]) -> None:
        require(board[0] != board[1], "twice")
        self.owner = self.caller
        self.board = board
        self.until = self.now + 3 * days
        self.name = name
    @transition(first, by=owner)
    def feel(self, mood: Mood, data: Annotated[bytes, 10], signed: int256) -> None:
        require(self.height > 0, "never")
        self.mood = mood
        self.data = data
        self.signed = signed
    @transition(first)
    def see(self, mark: bytes32) -> None:
        self.seen[self.caller][mark] = True
    @transition(first, second, by=board)
    def move(self, flag: bool) -> None:
        pass
    @transition(second, over, payable=True)
    def end(self) -> None:
        require(self.now >= self.until, "too early")
        transfer(self.owner, self.balance)
    @after(second, lambda self: self.until, over)
    def lapse(self) -> None:
        pass
""",
}


@pytest.mark.parametrize("name", HONEST)
def test_what_is_meant_so_is_left_alone(name: str) -> None:
    report = checked(HONEST[name], budget=1_500)
    assert report.ok, str(report)


# What else is seen


def test_a_view_that_has_the_name_of_the_claim() -> None:
    report = checked(
        """\
class Claims(Machine):
    n: uint256
    only = State()
    @transition(only)
    def claim(self, n: uint256) -> None:
        self.n = n
    @invariant
    def small(self) -> bool:
        return 10 // self.n < 3
"""
    )
    assert found(report) == [("error", "invariant", "small")]


def test_a_machine_that_counts_blocks() -> None:
    report = checked(
        """\
class Blocks(Machine):
    first: uint256
    only = State()
    def __init__(self) -> None:
        self.first = self.height
    @transition(only)
    def go(self) -> None:
        require(self.height > self.first, "never")
    @after(only, 10, only)
    def tick(self) -> None:
        pass
    @invariant
    def young(self) -> bool:
        return self.height < self.first + 20
"""
    )
    assert found(report) == [("error", "invariant", "young")]


def test_a_timer_that_pays_nobody_and_a_delay_without_value() -> None:
    report = checked(
        """\
class Odd(Machine):
    to: address
    by: uint256
    open = State()
    over = State()
    last = State(final=True)
    def __init__(self, by: uint256) -> None:
        self.by = by
    @transition(open, payable=True)
    def pay(self) -> None:
        pass
    @after(open, 7 * days, over)
    def lapse(self) -> None:
        transfer(self.to, self.balance)
    @after(over, lambda self: 100 // self.by, last)
    def end(self) -> None:
        pass
"""
    )
    assert found(report) == [("error", "stuck-funds", "lapse"), ("error", "overflow", "lapse")]


def test_a_share_that_comes_too_early_works_again() -> None:
    report = checked(
        """\
class Early(Machine):
    members: uint256
    each: uint256
    open = State()
    @transition(open)
    def join(self) -> None:
        require(self.members < 5, "full")
        self.members += 1
    @transition(open)
    def share(self) -> None:
        self.each = 100 // self.members
"""
    )
    assert found(report) == [("warning", "overflow", "share")]


def test_what_is_compared_is_learned() -> None:
    report = checked(
        """\
class Booking(Machine):
    row: Annotated[list[uint256], 3]
    nights: uint256
    flags: Annotated[list[bool], 2]
    open = State()
    booked = State()
    over = State(final=True)
    def __init__(self, row: Annotated[list[uint256], 3]) -> None:
        require(row[2] == 77_000 * 13, "no such row")
        self.row = row
    @transition(open, booked, payable=True)
    def book(self, nights: uint256, flags: Annotated[list[bool], 2]) -> None:
        require(nights > 0 and nights < 9, "too many")
        require(self.value == nights * 1_234, "the price")
        self.nights = nights
    @transition(booked, over)
    def end(self) -> None:
        pass
"""
    )
    assert found(report) == [("error", "stuck-funds", "booked"), ("error", "stuck-funds", "over")]


def test_the_last_of_many_is_found() -> None:
    text = """\
class Many(Machine):
    heirs: Annotated[list[address], 12]
    empty = State()
    full = State()
    over = State(final=True)
    def __init__(self, heirs: Annotated[list[address], 12]) -> None:
        for at in range(11):
            require(heirs[at] != heirs[at + 1], "twice")
        self.heirs = heirs
    @transition(empty, full, payable=True)
    def fill(self) -> None:
        require(self.value == 3, "three")
    @transition(full, over)
    def inherit(self) -> None:
        require(self.caller == self.heirs[11], "not the last")
        transfer(self.caller, self.balance)
"""
    report = checked(text)
    assert (found(report), report.exhaustive, report.notes) == ([], True, ())


def test_arguments_do_not_help() -> None:
    report = checked(
        """\
class Shut(Machine):
    owner = role()
    opened: bool
    log: uint256
    empty = State()
    full = State()
    over = State(final=True)
    def __init__(self) -> None:
        self.owner = self.caller
    @transition(empty, full, payable=True, by=owner)
    def fill(self) -> None:
        require(self.value > 0, "nothing")
    @transition(full, by=owner)
    def note(self, number: uint256) -> None:
        require(self.opened, "shut")
        self.log = number
    @transition(full, over, by=owner)
    def take(self, number: uint256) -> None:
        require(self.opened, "shut")
        self.log = number
        transfer(self.owner, self.balance)
"""
    )
    assert found(report)[0] == ("error", "stuck-funds", "full")
    assert "take always refused" in report.errors[0].message


def test_a_timer_that_is_too_late_in_a_state_not_met() -> None:
    report = checked(
        """\
class Hidden(Machine):
    open = State()
    late = State()
    over = State(final=True)
    @transition(open, late)
    def guess(self, number: uint256) -> None:
        require(number * number == 1_522_756, "wrong")
    @after(late, 200 * 366 * days, over)
    def end(self) -> None:
        pass
"""
    )
    assert ("error", "timer", "end") in found(report)
    assert "the search did not come into late" in report.notes


def test_tokens_refuse_what_tokens_refuse() -> None:
    report = checked(
        """\
class Wild(Machine):
    token: address
    open = State()
    def __init__(self, token: address) -> None:
        self.token = token
    @transition(open)
    def own(self) -> None:
        take_token(self.token, self.this, 1)
    @transition(open)
    def nobody(self) -> None:
        send_token(self.token, ZERO_ADDRESS, 0)
    @transition(open)
    def other(self) -> None:
        take_nft(self.token, self.caller, 10**30)
"""
    )
    assert report.errors == ()
    assert sorted(note.split()[0] for note in report.notes) == ["nobody", "other", "own"]


def test_what_the_caller_chooses_is_followed() -> None:
    machine = compile_text(
        """\
class Kept(Machine):
    kept: uint256
    other: uint256
    sum: uint256
    open = State()
    @transition(open)
    def add(self, a: uint256) -> None:
        self.kept = a
        twice = 0
        free = 5
        if a > 0:
            twice = 3
        self.sum = self.kept
        self.sum = twice
        self.sum = free
        self.sum = self.other
"""
    )
    function = machine.transitions[0].function
    sums = [each.args for each in function.body if each.op == "store" and each.data == 2]
    assert [Influence(function).reaches(each) for each in sums] == [True, True, False, False]


def test_a_signed_number_is_learned() -> None:
    report = checked(
        """\
class Signed(Machine):
    open = State()
    over = State()
    @transition(open, over)
    def go(self, by: int256) -> None:
        require(by == int256(77) * 1_000 - 3, "not this")
"""
    )
    assert found(report) == [("error", "dead-end", "over")]
    report = checked(
        """\
class Pair(Machine):
    a: address
    open = State()
    @transition(open)
    def go(self, pair: Annotated[list[address], 2]) -> None:
        self.a = pair[0]
    @invariant
    def fine(self) -> bool:
        return self.a == ZERO_ADDRESS
"""
    )
    assert "mallory go([" in str(report)


def drawn(seed: int) -> MachineIR:
    return MachineMaker(random.Random(seed), PEOPLE, [b"\xbb" * 20]).machine()


def check_many(seeds: range) -> None:
    traces = 0
    for seed in seeds:
        report = check_machine(drawn(seed), budget=200, walks=1)
        for each in report.findings:
            if each.trace is not None:
                traces += 1
                reproduce(each)
    assert traces > len(seeds) // 10


def test_drawn_machines() -> None:
    check_many(range(8))


@pytest.mark.long
def test_many_drawn_machines() -> None:
    check_many(range(1_000, 1_300))
