"""Expressions of the typed tree in words, for people who do not read code.

Every operation has its words. Parentheses stand where they are needed, and nowhere else. Constants are shown
by what they are compared with or added to: as durations and dates beside the time, as coin beside coin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chainstack_sdk.machines.types import ADDRESS
from chainstack_sdk.primitives.address import to_checksum_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.machines.ir import Expression, MachineIR
    from chainstack_sdk.machines.types import Type

    Worded: TypeAlias = tuple[str, int]
    """Words, and how firmly they hold together."""

CHOICE, OR, AND, NOT, COMPARED, SUM, PRODUCT, SIGN, ATOM = range(9)
"""How firmly words hold together, the loosest first."""
TIME, SPAN, COIN = "time", "span", "coin"
"""What a number is about: a point of time, seconds, wei; of others nothing is known."""

_ETHER = 10**18
_SMALLEST_ETHER = 10**14
"""Wei from which on an amount is shown in ether."""
_FIRST_DATE, _LAST_DATE = 10**9, 253_402_300_800
"""Seconds between which a constant beside the time is a date: 2001 to 9999."""
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_FACTS = {
    "value": "the coin sent",
    "now": "the time of the block",
    "height": "the number of the block",
    "balance": "all coin of the machine",
    "this": "the machine's own account",
}
_UNITS = {"value": COIN, "balance": COIN, "now": TIME}
_SIGNS = {"add": ("+", SUM), "sub": ("−", SUM), "mul": ("×", PRODUCT), "div": ("÷", PRODUCT)}  # noqa: RUF001
_RELATIONS = {
    "eq": "is",
    "ne": "is not",
    "lt": "is less than",
    "le": "is at most",
    "gt": "is more than",
    "ge": "is at least",
}
_OF_TIME = {
    "lt": "is before",
    "le": "is not after",
    "gt": "is after",
    "ge": "is not before",
}
_OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
_SMALL = 10**6
_UNIT_SHOWN = re.compile(r"\d (wei|ether|days?|hours?|minutes?|seconds?)\b")


class Prose:
    """Puts expressions of one machine into words.

    Parameters
    ----------
    machine
        Which machine.
    mark
        How names of the author's are set off; by default not at all.
    quote
        How texts are shown; by default within quotation marks.

    Attributes
    ----------
    locals
        What locals are called, by number; whoever walks through a function keeps them.
    units
        What locals are about, by number.
    caller
        What the one who calls is called.
    was
        What stands for "is" where a state is asked for.
    """

    def __init__(
        self, machine: MachineIR, mark: Callable[[str], str] = str, quote: Callable[[str], str] = repr
    ) -> None:
        self.machine = machine
        self.mark = mark
        self.quote = quote
        self.locals: dict[int, str] = {}
        self.units: dict[int, str] = {}
        self.caller = "the caller"
        self.was = "is"

    def words(self, expression: Expression, least: int = CHOICE, unit: str = "") -> str:
        """Return an expression in words.

        Parameters
        ----------
        least
            How firmly they must hold together; parentheses see to it.
        unit
            What a number is about, where that is known from outside.
        """
        text, firm = self._worded(expression, unit)
        return f"({text})" if firm < least else text

    def amount(self, expression: Expression) -> str:
        """Return an amount of coin, with its unit."""
        return self._measured(expression, COIN, "wei")

    def delay(self, expression: Expression) -> str:
        """Return a span of time, with its unit."""
        if expression.op == "const":
            return duration(int(expression.data))
        return self._measured(expression, SPAN, "seconds")

    def _measured(self, expression: Expression, unit: str, name: str) -> str:
        """Return an amount with its unit; what is added to a constant has one of its own."""
        op, args = expression.op, expression.args
        text = self.words(expression, SIGN, unit)
        if op in _UNITS:
            return text
        if not _UNIT_SHOWN.search(text):
            return f"{text} {name}"
        if op not in ("add", "sub"):
            return text
        one, other = (self._measured(each, unit, name) for each in args)
        nested = args[1].op in ("add", "sub") and _UNIT_SHOWN.search(other)
        return f"{one} {_SIGNS[op][0]} {f'({other})' if nested else other}"

    def local(self, name: str, kind: str) -> str:
        """Return what a local is called; the kind is told where a field has the same name."""
        taken = any(each.name == name for each in self.machine.fields)
        return f"the {kind} {self.mark(name)}" if taken else self.mark(name)

    def unit(self, expression: Expression) -> str:
        """Return what a number is about, as far as it can be told."""
        op, args = expression.op, expression.args
        if op in _UNITS:
            return _UNITS[op]
        if op == "local":
            return self.units.get(int(expression.data), "")
        if op not in ("add", "sub", "mul", "div", "mod", "min", "max", "if"):
            return ""
        one, other = (self.unit(each) for each in args[-2:])
        match op:
            case "sub" if one == TIME:
                return TIME if args[1].op == "const" else SPAN
            case "mul":  # half of a coin is one, a coin times a coin is none
                return next((u for u, by in ((one, args[1]), (other, args[0])) if by.op == "const"), "")
            case "div":  # a large divisor is a unit itself, such as an ether
                return one if one == COIN and self._is_small(args[1]) else ""
            case "mod":
                return SPAN if one == TIME else one
        return TIME if TIME in (one, other) else one or other

    @staticmethod
    def _is_small(divisor: Expression) -> bool:
        return divisor.op == "const" and int(divisor.data) < _SMALL

    def place(self, field: int, keys: Sequence[Expression]) -> str:
        """Return what a field holds under keys."""
        declared = self.machine.fields[field]
        kind, name = declared.type, self.mark(declared.name)
        mapped: list[str] = []
        for key in keys:
            if kind.kind == "array":
                name = f"entry {self.words(key, ATOM)} of {name}"
            else:
                mapped.append(self.words(key, SUM))
            kind = kind.parts[-1]
        return name + (f" for {listed(mapped, 'and')}" if mapped else "")

    def _worded(self, expression: Expression, unit: str) -> Worded:
        op, args, data = expression.op, expression.args, expression.data
        match op:
            case "const":
                return self._constant(expression.type, data, unit), ATOM
            case "local":
                return self.locals[int(data)], ATOM
            case "caller":
                return self.caller, ATOM
            case "load":
                return self.place(int(data), args), SUM if args else ATOM
            case "state":
                return f"the machine {self.was} in {self._state(data)}", COMPARED
            case "not":
                return self._negated(args[0])
        if op in _FACTS:
            return _FACTS[op], ATOM
        if op in _RELATIONS:
            return self._relation(op, args)
        return self._computed(op, args, unit)

    def _computed(self, op: str, args: Sequence[Expression], unit: str) -> Worded:
        unit = unit or next((found for each in args if (found := self.unit(each))), "")
        match op:
            case "add" | "sub" | "mul" | "div":
                sign, firm = _SIGNS[op]
                right = firm if op in ("add", "mul") else firm + 1
                unit = unit if firm == SUM else ""
                return f"{self.words(args[0], firm, unit)} {sign} {self.words(args[1], right, unit)}", firm
            case "mod":
                return f"the remainder of {self.words(args[0], SIGN)} ÷ {self.words(args[1], SIGN)}", PRODUCT
            case "min" | "max":
                which = "smaller" if op == "min" else "larger"
                one, other = (self.words(each, SUM, unit) for each in args)
                return f"the {which} of {one} and {other}", COMPARED
            case "neg":
                return f"−{self.words(args[0], ATOM)}", SIGN  # noqa: RUF001
            case "and":
                return " and ".join([self.words(each, AND) for each in args]), AND
            case "or":
                return " or ".join([self.words(each, OR) for each in args]), OR
            case "if":
                one, other = (self.words(each, COMPARED, unit) for each in args[1:])
                return f"{one} if {self.words(args[0], OR)}, otherwise {other}", CHOICE
            case "in":
                return self._membership(args, "is one of", "is"), COMPARED
            case "contains":
                return f"{self.words(args[1], SUM)} is among {self.words(args[0], SUM)}", COMPARED
            case "item":
                return f"entry {self.words(args[1], ATOM)} of {self.words(args[0], SUM)}", SUM
            case "keccak":
                return f"the hash of {listed([self.words(each, SUM) for each in args], 'and')}", COMPARED
        signed = "signed" if op == "to_int" else "unsigned"
        return f"{self.words(args[0], SUM, unit)} as {signed} number", COMPARED

    def _relation(self, op: str, args: Sequence[Expression]) -> Worded:
        unit = self.unit(args[0]) or self.unit(args[1])
        relation = (_OF_TIME if unit == TIME else _RELATIONS).get(op) or _RELATIONS[op]
        one, other = (self.words(each, SUM, unit) for each in args)
        return f"{one} {relation} {other}", COMPARED

    def _negated(self, condition: Expression) -> Worded:
        args = condition.args
        if condition.op in _OPPOSITE:
            return self._relation(_OPPOSITE[condition.op], args)
        match condition.op:
            case "in":
                return self._membership(args, "is none of", "is not"), COMPARED
            case "contains":
                return f"{self.words(args[1], SUM)} is not among {self.words(args[0], SUM)}", COMPARED
            case "state":
                return f"the machine {self.was} not in {self._state(condition.data)}", COMPARED
        return f"not {self.words(condition, ATOM)}", NOT

    def _membership(self, args: Sequence[Expression], several: str, single: str) -> str:
        values = [self.words(each, SUM) for each in args[1:]]
        relation = several if len(values) > 1 else single
        return f"{self.words(args[0], SUM)} {relation} {listed(values, 'and')}"

    def _state(self, number: object) -> str:
        assert isinstance(number, int)
        return self.mark(self.machine.states[number].name)

    def _constant(self, kind: Type, value: bool | int | bytes | str, unit: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return self.quote(value)
        if isinstance(value, bytes):
            if kind == ADDRESS:
                return to_checksum_address(value) if any(value) else "nobody"
            return f"0x{value.hex()}" if any(value) else f"{len(value)} zero bytes" if value else "empty"
        if kind.kind == "enum":
            return self.mark(self.machine.enums[kind.bound].members[value])
        if unit in (TIME, SPAN) and value:
            dated = unit == TIME and _FIRST_DATE <= value < _LAST_DATE
            return moment(value) if dated else duration(value)
        return coin(value) if unit == COIN else number(value)


def listed(words: Sequence[str], joint: str) -> str:
    """Return "a, b and c"."""
    return f" {joint} ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def number(value: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{value:,}".replace("-", "−")  # noqa: RUF001


def coin(wei: int) -> str:
    """Return an amount of coin: large ones that are round in ether (10^18 wei)."""
    if wei % _SMALLEST_ETHER or not wei:
        return f"{number(wei)} wei"
    whole, rest = divmod(wei, _ETHER)
    return number(whole) + f".{rest:018}".rstrip("0").rstrip(".") + " ether"


def duration(seconds: int) -> str:
    """Return a span of time: "1 day 12 hours"."""
    parts = []
    for size, name in _SPANS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{number(count)} {name}{'s' if count > 1 else ''}")
    return " ".join(parts) or "0 seconds"


def moment(seconds: int) -> str:
    """Return a point of time, given in Unix seconds from 1970 to 9999, in the Gregorian calendar."""
    days, rest = divmod(seconds, 86_400)
    year = 1970
    while days >= (length := 366 if _is_leap(year) else 365):
        year, days = year + 1, days - length
    month = 0
    while days >= (length := _MONTHS[month] + (month == 1 and _is_leap(year))):
        month, days = month + 1, days - length
    hour, minute, second = rest // 3_600, rest // 60 % 60, rest % 60
    return f"{year}-{month + 1:02}-{days + 1:02} {hour:02}:{minute:02}:{second:02} UTC"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
