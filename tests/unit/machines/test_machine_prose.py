"""Every operation of the language has its words."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from chainstack_sdk.machines import compile_text
from chainstack_sdk.machines.encoding import EXPRESSIONS, STATEMENTS
from chainstack_sdk.machines.ir import Expression, Function, Statement
from chainstack_sdk.machines.prose import Prose, coin, duration, listed, moment, number
from chainstack_sdk.machines.steps import Step, tell

HEAD = """\
class M(Machine):
    class Colour(Enum):
        red = 0
        blue = 1
    class Noted(Event):
        text: Annotated[str, 9]
        amount: uint256
    class Done(Event):
        pass
    class Never(Error):
        who: address
    owner = role()
    flag: bool
    count: uint256
    start: timestamp
    rest: int256
    key: bytes32
    colour: Colour
    note: Annotated[str, 9]
    raw: Annotated[bytes, 9]
    row: Annotated[list[uint256], 3]
    held: Mapping[address, uint256]
    allowed: Mapping[address, Mapping[address, uint256]]
    rows: Mapping[address, Annotated[list[uint256], 2]]
    open = State()
    closed = State(final=True)
"""


def machine_with(body: str, kind: str = "@transition(open, payable=True)", head: str = "(self, n: uint256)"):
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return compile_text(f"{HEAD}    {kind}\n    def act{head} -> None:\n{lines}")


def expression(text: str, type_: str = "bool") -> tuple[str, Expression]:
    machine = machine_with(f"value: {type_} = {text}")
    prose = Prose(machine)
    function = machine.transitions[0].function
    tell(prose, function)
    (made,) = function.body[0].args
    return prose.words(made), made


CASES = [
    ("const", "bool", "True", "true"),
    ("const", "bool", "False", "false"),
    ("const", "uint256", "1000000", "1,000,000"),
    ("const", "int256", "-5", "−5"),  # noqa: RUF001
    ("const", "address", "ZERO_ADDRESS", "nobody"),
    ("const", "Annotated[str, 9]", "'hi'", "'hi'"),
    ("const", "Annotated[bytes, 2]", "b'\\x01\\x02'", "0x0102"),
    ("const", "Annotated[bytes, 2]", "b'\\x00\\x00'", "2 zero bytes"),
    ("const", "Colour", "self.Colour.blue", "blue"),
    ("local", "uint256", "n", "n"),
    ("caller", "address", "self.caller", "the caller"),
    ("value", "uint256", "self.value", "the coin sent"),
    ("now", "uint256", "self.now", "the time of the block"),
    ("height", "uint256", "self.height", "the number of the block"),
    ("balance", "uint256", "self.balance", "all coin of the machine"),
    ("this", "address", "self.this", "the machine's own account"),
    ("load", "uint256", "self.count", "count"),
    ("load", "uint256", "self.held[self.caller]", "held for the caller"),
    ("load", "uint256", "self.allowed[self.caller][self.owner]", "allowed for the caller and owner"),
    ("load", "uint256", "self.row[1]", "entry 1 of row"),
    ("load", "uint256", "self.rows[self.owner][n]", "entry n of rows for owner"),
    ("state", "bool", "self.is_in(self.open)", "the machine is in open"),
    ("add", "uint256", "n + (self.count + 1)", "n + count + 1"),
    ("add", "uint256", "self.held[self.caller] + 1", "held for the caller + 1"),
    ("sub", "uint256", "n - (self.count - 1)", "n − (count − 1)"),  # noqa: RUF001
    ("mul", "uint256", "(n + 1) * self.count", "(n + 1) × count"),  # noqa: RUF001
    ("mul", "uint256", "self.value * 2", "the coin sent × 2"),  # noqa: RUF001
    ("div", "uint256", "n // (self.count * 2)", "n ÷ (count × 2)"),  # noqa: RUF001
    ("mod", "uint256", "n % 7", "the remainder of n ÷ 7"),
    ("min", "uint256", "min(n, self.count + 1)", "the smaller of n and count + 1"),
    ("max", "uint256", "max(n, 3) + 1", "(the larger of n and 3) + 1"),
    ("neg", "int256", "-self.rest", "−rest"),  # noqa: RUF001
    ("eq", "bool", "n == 1", "n is 1"),
    ("ne", "bool", "self.colour != self.Colour.red", "colour is not red"),
    ("lt", "bool", "n < self.count", "n is less than count"),
    ("le", "bool", "n <= self.count", "n is at most count"),
    ("gt", "bool", "self.value > 10**17", "the coin sent is more than 0.1 ether"),
    ("ge", "bool", "self.balance >= 5", "all coin of the machine is at least 5 wei"),
    ("lt", "bool", "self.now < self.start", "the time of the block is before start"),
    (
        "ge",
        "bool",
        "self.now >= self.start + 30 * 86400",
        "the time of the block is not before start + 30 days",
    ),
    ("le", "bool", "self.now <= 1700000000", "the time of the block is not after 2023-11-14 22:13:20 UTC"),
    ("gt", "bool", "self.start + 5 > self.now", "start + 5 seconds is after the time of the block"),
    ("eq", "bool", "self.now == self.start", "the time of the block is start"),
    ("gt", "bool", "(self.now if self.flag else n) > 60", None),
    ("and", "bool", "n > 1 and (self.flag or n > 2)", "n is more than 1 and (flag or n is more than 2)"),
    ("or", "bool", "n > 1 and self.flag or n > 2", "n is more than 1 and flag or n is more than 2"),
    ("not", "bool", "not self.flag", "not flag"),
    ("not", "bool", "not (self.flag or n > 1)", "not (flag or n is more than 1)"),
    ("not", "bool", "not n > 1", "n is at most 1"),
    ("not", "bool", "n not in (1, 2)", "n is none of 1 and 2"),
    ("not", "bool", "self.is_in(self.open) and not self.is_in(self.closed)", None),
    ("not", "bool", "n not in self.row", "n is not among row"),
    ("if", "uint256", "(1 if self.flag else n) + 1", "(1 if flag, otherwise n) + 1"),
    ("in", "bool", "n in (1, 2, 3)", "n is one of 1, 2 and 3"),
    ("in", "bool", "n in (1,)", "n is 1"),
    ("contains", "bool", "n in self.row", "n is among row"),
    ("item", "uint256", "(self.row if self.flag else self.row)[n]", None),
    ("keccak", "bytes32", "keccak(n, self.owner)", "the hash of n and owner"),
    ("to_int", "int256", "int256(n)", "n as signed number"),
    ("to_uint", "uint256", "uint256(self.rest)", "rest as unsigned number"),
]
LONGER = {
    "(self.now if self.flag else n) > 60": ("(the time of the block if flag, otherwise n) is after 1 minute"),
    "self.is_in(self.open) and not self.is_in(self.closed)": (
        "the machine is in open and the machine is not in closed"
    ),
    "(self.row if self.flag else self.row)[n]": "entry n of (row if flag, otherwise row)",
}


@pytest.mark.parametrize(("op", "type_", "text", "words"), CASES)
def test_expressions_in_words(op: str, type_: str, text: str, words: str | None) -> None:
    told, made = expression(text, type_)
    assert told == (LONGER[text] if words is None else words)
    assert op in {each.op for each in within(made)}


def within(made: Expression):
    yield made
    for each in made.args:
        yield from within(each)


def test_every_operation_is_among_the_cases() -> None:
    assert {op for op, *_ in CASES} == set(EXPRESSIONS)


STATEMENT_CASES = [
    (("let",), "x = n + 1", ["Let x be n + 1"]),
    (("let", "set"), "x = n\nx = 5", ["Let x be n", "x becomes 5"]),
    (("store",), "self.count = n", ["count becomes n"]),
    (("store",), "self.row[1] = n", ["entry 1 of row becomes n"]),
    (("increase",), "self.held[self.caller] += n", ["held for the caller grows by n"]),
    (("decrease",), "self.count -= 2", ["count falls by 2"]),
    (("if",), "if self.flag:\n    self.count = 1\nelse:\n    pass", ["If flag:", "  count becomes 1"]),
    (("if",), "if self.flag:\n    pass\nelse:\n    self.count = 1", ["If flag:", "- count becomes 1"]),
    (
        ("for",),
        "for i in range(3):\n    self.count += i",
        ["For i from 0 to 2, one after the other:", "  count grows by i"],
    ),
    (("for",), "for i in range(0):\n    self.count += i", ["For no i at all:", "  count grows by i"]),
    (("require",), "require(n > 1, 'small')", ["**Only if** n is more than 1; otherwise refused: 'small'"]),
    (
        ("refuse",),
        "require(n > 1, self.Never(self.caller))",
        ["**Only if** n is more than 1; otherwise refused with Never (who = the caller)"],
    ),
    (("pay",), "transfer(self.owner, n)", ["**Money:** pays n wei to owner"]),
    (("pay",), "transfer(self.owner, 5)", ["**Money:** pays 5 wei to owner"]),
    (("pay",), "transfer(self.owner, self.balance)", ["**Money:** pays all coin of the machine to owner"]),
    (
        ("pay",),
        "transfer(self.owner, self.value - n)",
        ["**Money:** pays (the coin sent − n) wei to owner"],  # noqa: RUF001
    ),
    (("send_token",), "send_token(self.owner, self.caller, n)", ["sends n units of owner to the caller"]),
    (
        ("take_token",),
        "take_token(self.owner, self.caller, n)",
        ["takes n units of owner from the caller, who must have approved it"],
    ),
    (("send_nft",), "send_nft(self.owner, self.caller, 7)", ["sends token no. 7 of owner to the caller"]),
    (
        ("take_nft",),
        "take_nft(self.owner, self.caller, 7)",
        ["takes token no. 7 of owner from the caller, who must have approved it"],
    ),
    (("emit",), "emit(self.Noted('hi', n))", ["Records Noted (text = 'hi', amount = n)"]),
    (("emit",), "emit(self.Done())", ["Records Done"]),
]


def lines(steps: tuple[Step, ...], indent: str = ""):
    for step in steps:
        yield indent + step.words
        yield from lines(step.then, "  ")
        yield from lines(step.otherwise, "- ")


@pytest.mark.parametrize(("ops", "body", "told"), STATEMENT_CASES)
def test_statements_in_words(ops: tuple[str, ...], body: str, told: list[str]) -> None:
    machine = machine_with(body)
    function = machine.transitions[0].function
    names = [name for name in ("x", "i") if f"{name} " in body]
    steps = tell(Prose(machine), function, names).steps
    prefix = "**Money:** " if ops[0] in ("send_token", "take_token", "send_nft", "take_nft") else ""
    assert [*lines(steps)] == [prefix + line if prefix else line for line in told]
    assert [("refuse" if "with Never" in step.words else step.statement.op) for step in steps] == [*ops]


def test_every_statement_is_among_the_cases() -> None:
    assert {op for ops, *_ in STATEMENT_CASES for op in ops} == set(STATEMENTS)


def test_a_statement_without_words_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no words for dance"):
        tell(Prose(machine_with("pass")), Function((), (Statement("dance"),)))


def test_money_says_from_whom_to_whom() -> None:
    machine = machine_with("transfer(self.owner, 1)\ntake_nft(self.owner, self.caller, n)")
    paid, taken = tell(Prose(machine), machine.transitions[0].function).steps
    assert paid.money == ("1 wei", "the machine", "owner")
    assert taken.money == ("token no. n of owner", "the caller", "the machine")


def test_locals_without_names_get_some_and_numbers_are_used_again() -> None:
    body = "if self.flag:\n    a = n\n    self.count = a\nelse:\n    b = 2\n    self.count = b\n"
    body += "c = 3\nself.count = c"
    machine = machine_with(body)
    function = machine.transitions[0].function
    told = tell(Prose(machine), function).steps
    assert [*lines(told)] == [
        "If flag:",
        "  Let interim value 1 be n",
        "  count becomes interim value 1",
        "- Let interim value 2 be 2",
        "- count becomes interim value 2",
        "Let interim value 3 be 3",
        "count becomes interim value 3",
    ]


def test_a_local_named_as_a_field_is_told_apart() -> None:
    machine = machine_with(
        "count = n + 1\nself.count = count + start", head="(self, n: uint256, start: uint256)"
    )
    told = tell(Prose(machine), machine.transitions[0].function, ["count"]).steps
    assert [*lines(told)] == [
        "Let the interim count be n + 1",
        "count becomes the interim count + the given start",
    ]


def test_a_local_is_about_what_it_was_made_of() -> None:
    machine = machine_with(
        "share = self.value // 2\nend = self.now + 60\nrequire(share > 5 and end > 70, 'x')"
    )
    told = tell(Prose(machine), machine.transitions[0].function, ["share", "end"]).steps
    assert (
        told[2].words
        == "**Only if** share is more than 5 wei and end is after 1 minute 10 seconds; otherwise refused: 'x'"
    )


def test_results_that_are_true_or_false() -> None:
    machine = compile_text(
        HEAD + "    @view\n    def both(self) -> tuple[bool, bool, bool]:\n"
        "        return self.flag, True, self.count > 1 and self.flag\n"
    )
    assert tell(Prose(machine), machine.views[0].function).results == (
        "flag",
        "true",
        "whether count is more than 1 and flag",
    )


@pytest.mark.parametrize(
    ("delay", "words"),
    [
        ("36 * 3600", "1 day 12 hours"),
        ("lambda self: self.count", "count seconds"),
        ("lambda self: self.count + 60", "count seconds + 1 minute"),
    ],
)
def test_delays(delay: str, words: str) -> None:
    machine = compile_text(
        f"{HEAD}    @after(open, {delay}, closed)\n    def end(self) -> None:\n        pass\n"
    )
    assert Prose(machine).delay(machine.timers[0].delay) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "1 minute 30 seconds"),
        (86_400, "1 day"),
        (30 * 86_400, "30 days"),
        (129_600, "1 day 12 hours"),
        (10**9 * 86_400, "1,000,000,000 days"),
    ],
)
def test_durations(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("wei", "words"),
    [
        (0, "0 wei"),
        (1, "1 wei"),
        (10**13, "10,000,000,000,000 wei"),
        (10**14, "0.0001 ether"),
        (15 * 10**17, "1.5 ether"),
        (10**18, "1 ether"),
        (1_234 * 10**18, "1,234 ether"),
        (10**18 + 1, "1,000,000,000,000,000,001 wei"),
    ],
)
def test_amounts(wei: int, words: str) -> None:
    assert coin(wei) == words


def test_moments_are_those_of_the_calendar() -> None:
    draw = random.Random(1)
    some = [draw.randrange(253_402_300_800) for _ in range(20)]
    for seconds in (0, 10**9, 951_782_399, 951_782_400, 951_868_800, 4_107_542_400, 253_402_300_799, *some):
        told = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        assert moment(seconds) == f"{told:%Y-%m-%d %H:%M:%S} UTC"


def test_small_words() -> None:
    assert number(-1234) == "−1,234"  # noqa: RUF001
    assert [listed(["a", "b", "c"][:count], "and") for count in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("self.now - self.count >= 60", "the time of the block − count is at least 1 minute"),  # noqa: RUF001
        ("self.now - 60 < self.count", "the time of the block − 1 minute is before count"),  # noqa: RUF001
        ("n * (self.now - self.count) > 60", "n × (the time of the block − count) is more than 60"),  # noqa: RUF001
        ("2 * (self.now - n) > 60", "2 × (the time of the block − n) is more than 1 minute"),  # noqa: RUF001
        ("self.now // 86400 > 60", "the time of the block ÷ 86,400 is more than 60"),
        ("self.now % 86400 < 60", "the remainder of the time of the block ÷ 86,400 is less than 1 minute"),
        ("self.balance % 7 < 60", "the remainder of all coin of the machine ÷ 7 is less than 60 wei"),
        (
            "self.balance // 10**18 > 60",
            "all coin of the machine ÷ 1,000,000,000,000,000,000 is more than 60",
        ),
        ("self.raw == b''", "raw is empty"),
        ("self.balance // 2 > 60", "all coin of the machine ÷ 2 is more than 60 wei"),
        ("self.value // n > 60", "the coin sent ÷ n is more than 60"),
        ("self.value * self.value > 60", "the coin sent × the coin sent is more than 60"),  # noqa: RUF001
        (
            "min(self.now - n, 60) > 70",
            "(the smaller of the time of the block − n and 1 minute) is more than 1 minute 10 seconds",  # noqa: RUF001
        ),
    ],
)
def test_units_are_those_of_what_is_computed(condition: str, words: str) -> None:
    machine = machine_with(f"require({condition}, 'x')")
    told = tell(Prose(machine), machine.transitions[0].function).steps
    assert told[0].words == f"**Only if** {words}; otherwise refused: 'x'"


def test_a_local_that_becomes_something_else_has_no_unit() -> None:
    machine = machine_with("x = self.balance\nx = n\nx = n + 1\nrequire(x > 5, 'x')")
    told = tell(Prose(machine), machine.transitions[0].function, ["x"]).steps
    assert told[-1].words == "**Only if** x is more than 5; otherwise refused: 'x'"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("n", "n wei"),
        ("n - self.count", "(n − count) wei"),  # noqa: RUF001
        ("self.balance", "all coin of the machine"),
        ("n + 10**18", "n wei + 1 ether"),
        ("self.balance - (n + 10**18)", "all coin of the machine − (n wei + 1 ether)"),  # noqa: RUF001
        ("10**18 if self.flag else n", "(1 ether if flag, otherwise n)"),
    ],
)
def test_an_amount_has_one_unit(amount: str, words: str) -> None:
    machine = machine_with(f"transfer(self.caller, {amount})")
    (paid,) = tell(Prose(machine), machine.transitions[0].function).steps
    assert paid.words == f"**Money:** pays {words} to the caller"
