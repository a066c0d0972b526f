"""Machines with one defect each: it is found, its trace leads a chain there, the repaired twin is clean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chainstack_sdk.machines import compile_text
from chainstack_sdk.machines.check import Finding, check_machine


@dataclass(frozen=True)
class Planted:
    """A machine, what is to be found in it, and how it is repaired."""

    text: str
    kind: str
    place: str
    repairs: tuple[tuple[str, str], ...]
    severity: str = "error"
    traced: bool = True

    @property
    def repaired(self) -> str:
        text = self.text
        for old, new in self.repairs:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text


PLANTED = {
    "a state into which nothing leads": Planted(
        """\
class Parcel(Machine):
    sender = role()
    sent = State()
    lost = State()
    received = State(final=True)
    def __init__(self) -> None:
        self.sender = self.caller
    @transition(sent, received)
    def receive(self) -> None:
        pass
    @transition(lost, received, by=sender)
    def find(self) -> None:
        pass
""",
        "unreachable-state",
        "lost",
        (("@transition(sent, received)", "@transition(sent, lost)"),),
        traced=False,
    ),
    "a state behind a role that nobody has": Planted(
        """\
class Vote(Machine):
    clerk = role()
    asked = State()
    carried = State(final=True)
    def __init__(self, clerk: address) -> None:
        pass
    @transition(asked, carried, by=clerk)
    def carry(self) -> None:
        pass
""",
        "unreachable-state",
        "carried",
        (("        pass\n    @", "        self.clerk = clerk\n    @"),),
        traced=False,
    ),
    "a state that conditions never let in": Planted(
        """\
class Steps(Machine):
    owner = role()
    count: uint256
    going = State()
    over = State(final=True)
    def __init__(self) -> None:
        self.owner = self.caller
    @transition(going, by=owner)
    def step(self) -> None:
        require(self.count < 3, "enough")
        self.count += 1
    @transition(going, over, by=owner)
    def finish(self) -> None:
        require(self.count > 3, "not yet")
""",
        "unreachable-state",
        "over",
        (("count > 3", "count == 3"),),
        severity="warning",
        traced=False,
    ),
    "a dispute without an end": Planted(
        """\
class Job(Machine):
    client = role()
    open = State()
    disputed = State()
    done = State(final=True)
    def __init__(self) -> None:
        self.client = self.caller
    @transition(open, done, by=client)
    def accept(self) -> None:
        pass
    @transition(open, disputed, by=client)
    def dispute(self) -> None:
        pass
""",
        "dead-end",
        "disputed",
        (("@transition(open, done, by=client)", "@transition((open, disputed), done, by=client)"),),
        traced=False,
    ),
    "a transition that nobody can call": Planted(
        """\
class Switch(Machine):
    admins = role(2, threshold=1)
    on: bool
    only = State()
    def __init__(self, admins: Annotated[list[address], 2]) -> None:
        self.on = True
    @transition(only, by=admins)
    def toggle(self) -> None:
        self.on = not self.on
""",
        "dead-end",
        "toggle",
        (("self.on = True", "self.admins = admins"),),
        traced=False,
    ),
    "a price paid out where more was paid in": Planted(
        """\
class Sale(Machine):
    seller = role()
    price: uint256
    offered = State()
    sold = State(final=True)
    def __init__(self, price: uint256) -> None:
        self.seller = self.caller
        self.price = price
    @transition(offered, sold, payable=True)
    def buy(self) -> None:
        require(self.value >= self.price, "too little")
        transfer(self.seller, self.price)
""",
        "stuck-funds",
        "sold",
        (("self.value >= self.price", "self.value == self.price"),),
    ),
    "a condition that nothing fulfils": Planted(
        """\
class Deposit(Machine):
    tenant = role()
    landlord = role()
    released: bool
    empty = State()
    held = State()
    over = State(final=True)
    def __init__(self, tenant: address) -> None:
        self.tenant = tenant
        self.landlord = self.caller
    @transition(empty, held, payable=True, by=tenant)
    def pay(self) -> None:
        require(self.value > 0, "nothing")
    @transition(held, by=landlord)
    def release(self) -> None:
        self.released = False
    @transition(held, over, by=tenant)
    def take(self) -> None:
        require(self.released, "not released")
        transfer(self.tenant, self.balance)
""",
        "stuck-funds",
        "held",
        (("self.released = False", "self.released = True"),),
    ),
    "tokens left in a final state": Planted(
        """\
class Swap(Machine):
    owner = role()
    token: address
    amount: uint256
    empty = State()
    full = State()
    done = State(final=True)
    def __init__(self, token: address, amount: uint256) -> None:
        require(amount > 0, "nothing")
        self.owner = self.caller
        self.token = token
        self.amount = amount
    @transition(empty, full, by=owner)
    def fill(self) -> None:
        take_token(self.token, self.owner, self.amount)
    @transition(full, done, payable=True)
    def buy(self) -> None:
        require(self.value == self.amount, "one for one")
        send_token(self.token, self.caller, self.amount // 2)
        transfer(self.owner, self.value)
""",
        "stuck-funds",
        "done",
        ((" // 2", ""),),
    ),
    "an NFT that is never given back": Planted(
        """\
class Pawn(Machine):
    owner = role()
    token: address
    number: uint256
    empty = State()
    held = State()
    back = State(final=True)
    def __init__(self, token: address) -> None:
        self.owner = self.caller
        self.token = token
    @transition(empty, held, by=owner)
    def put(self, number: uint256) -> None:
        self.number = number
        take_nft(self.token, self.owner, number)
    @transition(held, back, by=owner)
    def end(self) -> None:
        pass
""",
        "stuck-funds",
        "held",
        (
            (
                "def end(self) -> None:\n        pass",
                "def end(self) -> None:\n        send_nft(self.token, self.owner, self.number)",
            ),
        ),
    ),
    "a winner who may not exist": Planted(
        """\
class Prize(Machine):
    host = role()
    winner: address
    open = State()
    over = State(final=True)
    def __init__(self) -> None:
        self.host = self.caller
    @transition(open, payable=True, by=host)
    def fund(self) -> None:
        pass
    @transition(open, by=host)
    def name(self, winner: address) -> None:
        self.winner = winner
    @transition(open, over, by=host)
    def close(self) -> None:
        transfer(self.winner, self.balance)
""",
        "stuck-funds",
        "close",
        (
            (
                "        transfer(self.winner",
                '        require(self.winner != ZERO_ADDRESS, "nobody")\n        transfer(self.winner',
            ),
        ),
    ),
    "a pot that anyone empties": Planted(
        """\
class Pot(Machine):
    owner = role()
    open = State()
    failed = State()
    def __init__(self) -> None:
        self.owner = self.caller
    @transition(open, payable=True)
    def give(self) -> None:
        pass
    @after(open, 30 * days, failed)
    def give_up(self) -> None:
        pass
    @transition((open, failed))
    def take(self) -> None:
        transfer(self.caller, self.balance)
""",
        "open-money",
        "take",
        (("@transition((open, failed))", "@transition((open, failed), by=owner)"),),
    ),
    "tokens that anyone sends": Planted(
        """\
class Safe(Machine):
    owner = role()
    token: address
    open = State()
    def __init__(self, token: address) -> None:
        self.owner = self.caller
        self.token = token
    @transition(open, by=owner)
    def put(self, amount: uint256) -> None:
        take_token(self.token, self.owner, amount)
    @transition(open)
    def send(self, to: address, amount: uint256) -> None:
        send_token(self.token, to, amount)
""",
        "open-money",
        "send",
        (("    @transition(open)\n", "    @transition(open, by=owner)\n"),),
    ),
    "anyone registers and is paid at once": Planted(
        """\
class Wages(Machine):
    boss = role()
    worker: Mapping[address, bool]
    paid: Mapping[address, bool]
    open = State()
    def __init__(self) -> None:
        self.boss = self.caller
    @transition(open, payable=True, by=boss)
    def fund(self) -> None:
        pass
    @transition(open, by=boss)
    def close(self) -> None:
        transfer(self.boss, self.balance)
    @transition(open)
    def register(self, who: address) -> None:
        self.worker[who] = True
    @transition(open)
    def draw(self) -> None:
        require(self.worker[self.caller] and not self.paid[self.caller], "not owed")
        self.paid[self.caller] = True
        transfer(self.caller, 1)
""",
        "open-money",
        "draw",
        (
            (
                "    @transition(open)\n    def register(self",
                "    @transition(open, by=boss)\n    def register(self",
            ),
        ),
    ),
    "a delay in milliseconds": Planted(
        """\
class Lease(Machine):
    running = State()
    over = State(final=True)
    @after(running, 365 * days * 1_000, over)
    def end(self) -> None:
        pass
    @transition(running, over)
    def stop(self) -> None:
        pass
""",
        "timer",
        "end",
        ((" * 1_000", ""),),
    ),
    "a window that is always too long": Planted(
        """\
class Window(Machine):
    until: uint256
    running = State()
    over = State(final=True)
    def __init__(self, length: uint256) -> None:
        self.until = (1_700_000_000 + length) * 1_000
    @after(running, lambda self: self.until, over)
    def end(self) -> None:
        pass
    @transition(running, over)
    def stop(self) -> None:
        pass
""",
        "timer",
        "end",
        (("(1_700_000_000 + length) * 1_000", "length"),),
    ),
    "a timer that refuses": Planted(
        """\
class Bond(Machine):
    owner = role()
    amount: uint256
    open = State()
    over = State(final=True)
    def __init__(self, amount: uint256) -> None:
        require(amount > 0, "nothing")
        self.owner = self.caller
        self.amount = amount
    @transition(open, payable=True, by=owner)
    def pay(self) -> None:
        pass
    @after(open, 7 * days, over)
    def end(self) -> None:
        transfer(self.owner, self.amount)
""",
        "timer",
        "end",
        (("transfer(self.owner, self.amount)", "transfer(self.owner, self.balance)"),),
    ),
    "a timer of a state that never comes": Planted(
        """\
class Late(Machine):
    open = State()
    late = State()
    over = State(final=True)
    @transition(open, over)
    def close(self) -> None:
        pass
    @after(late, 7 * days, over)
    def end(self) -> None:
        pass
""",
        "timer",
        "end",
        (("@transition(open, over)", "@transition(open, late)"),),
        traced=False,
    ),
    "a timer that anyone puts off": Planted(
        """\
class Will(Machine):
    heir = role()
    note: uint256
    open = State()
    over = State(final=True)
    def __init__(self, heir: address) -> None:
        self.heir = heir
    @transition(open, open)
    def ping(self, note: uint256) -> None:
        self.note = note
    @after(open, 7 * days, over)
    def end(self) -> None:
        pass
""",
        "timer",
        "end",
        (("@transition(open, open)", "@transition(open)"),),
        severity="warning",
        traced=False,
    ),
    "a stored number too large for the sum": Planted(
        """\
class Meter(Machine):
    user = role()
    units: uint256
    owed: uint256
    reading = State()
    billed = State()
    settled = State(final=True)
    def __init__(self, user: address) -> None:
        self.user = user
    @transition(reading, billed)
    def read_off(self, units: uint256) -> None:
        self.units = units
    @transition(billed, settled, by=user)
    def settle(self) -> None:
        self.owed = self.units * 3 + 1
""",
        "overflow",
        "settle",
        (
            (
                "        self.units = units",
                '        require(units < 1_000, "too many")\n        self.units = units',
            ),
        ),
    ),
    "a share of nobody": Planted(
        """\
class Share(Machine):
    owner = role()
    members: uint256
    each: uint256
    joining = State()
    sharing = State()
    over = State(final=True)
    def __init__(self) -> None:
        self.owner = self.caller
    @transition(joining, by=owner)
    def join(self) -> None:
        require(self.members < 3, "full")
        self.members += 1
    @transition(joining, sharing, by=owner)
    def close(self) -> None:
        pass
    @transition(sharing, over, by=owner)
    def share(self) -> None:
        self.each = 100 // self.members
""",
        "overflow",
        "share",
        (
            (
                "def close(self) -> None:\n        pass",
                'def close(self) -> None:\n        require(self.members > 0, "nobody")',
            ),
        ),
    ),
    "a timer with a sum too large": Planted(
        """\
class Sum(Machine):
    rate: uint256
    total: uint256
    open = State()
    over = State(final=True)
    @transition(open)
    def set_rate(self, rate: uint256) -> None:
        self.rate = rate
    @after(open, 7 * days, over)
    def end(self) -> None:
        self.total = self.rate + 7
""",
        "overflow",
        "end",
        (("        self.rate = rate", '        require(rate < 100, "too high")\n        self.rate = rate'),),
    ),
    "seats that run out": Planted(
        """\
class Seats(Machine):
    seats: uint256
    open = State()
    def __init__(self) -> None:
        self.seats = 2
    @transition(open)
    def sit(self) -> None:
        self.seats -= 1
""",
        "overflow",
        "sit",
        (("        self.seats -= 1", '        require(self.seats > 0, "full")\n        self.seats -= 1'),),
        severity="warning",
    ),
    "a row that is full": Planted(
        """\
class Row(Machine):
    row: Annotated[list[uint256], 2]
    used: uint256
    open = State()
    @transition(open)
    def push(self, value: uint256) -> None:
        self.row[self.used] = value
        self.used += 1
""",
        "overflow",
        "push",
        (("        self.row[", '        require(self.used < 2, "full")\n        self.row['),),
        severity="warning",
    ),
    "a promise that is not covered": Planted(
        """\
class Cover(Machine):
    insurer = role()
    reserved: uint256
    open = State()
    def __init__(self) -> None:
        self.insurer = self.caller
    @transition(open, payable=True, by=insurer)
    def fund(self) -> None:
        pass
    @transition(open, by=insurer)
    def draw(self, amount: uint256) -> None:
        require(amount <= self.balance - self.reserved, "reserved")
        transfer(self.insurer, amount)
    @transition(open)
    def promise(self, amount: uint256) -> None:
        require(amount <= self.balance, "too much")
        self.reserved += amount
    @transition(open, by=insurer)
    def release(self) -> None:
        self.reserved = 0
    @invariant
    def solvent(self) -> bool:
        return self.reserved <= self.balance
""",
        "invariant",
        "solvent",
        (("require(amount <= self.balance, ", "require(amount <= self.balance - self.reserved, "),),
    ),
    "one too many": Planted(
        """\
class Mint(Machine):
    CAP = 3
    minted: uint256
    held: Mapping[address, uint256]
    open = State()
    @transition(open)
    def mint(self) -> None:
        require(self.minted <= self.CAP, "no more")
        self.minted += 1
        self.held[self.caller] += 1
    @invariant
    def capped(self) -> bool:
        left = 3 - self.minted
        return left <= 3
""",
        "invariant",
        "capped",
        (("self.minted <= self.CAP", "self.minted < self.CAP"),),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_defect_is_found(name: str, reproduce: Callable[[Finding], str]) -> None:
    planted = PLANTED[name]
    report = check_machine(compile_text(planted.text), budget=1_500, walks=1)
    found = [each for each in report.findings if (each.kind, each.place) == (planted.kind, planted.place)]
    assert [each.severity for each in found] == [planted.severity], str(report)
    assert (found[0].trace is not None) == planted.traced
    for each in report.findings:
        if each.trace is not None:
            reproduce(each)


@pytest.mark.parametrize("name", PLANTED)
def test_the_repaired_machine_is_clean(name: str) -> None:
    report = check_machine(compile_text(PLANTED[name].repaired), budget=1_500, walks=1)
    assert report.findings == (), str(report)


def test_each_class_has_two() -> None:
    kinds = [each.kind for each in PLANTED.values()]
    assert {kind: kinds.count(kind) for kind in kinds if kinds.count(kind) < 2} == {}
    assert len(set(kinds)) == 7
