"""Statements of the typed tree in words: what a function does, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.machines.prose import SUM, number
from chainstack_sdk.machines.types import BOOL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.machines.ir import Block, Expression, Function, Record, Statement
    from chainstack_sdk.machines.prose import Prose


@dataclass(frozen=True, slots=True)
class Step:
    """A statement in words."""

    statement: Statement
    words: str
    """Without a full stop; ends with a colon when steps follow."""
    then: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()
    money: tuple[str, str, str] | None = None
    """How much, from whom and to whom, where something of value moves."""

    def all(self) -> Iterator[Step]:
        """Yield the step and all within it, in order."""
        yield self
        for each in (*self.then, *self.otherwise):
            yield from each.all()


@dataclass(frozen=True, slots=True)
class Told:
    """A function in words."""

    steps: tuple[Step, ...]
    results: tuple[str, ...]

    def all(self) -> Iterator[Step]:
        """Yield all steps, those within others too."""
        for each in self.steps:
            yield from each.all()


def tell(prose: Prose, function: Function, names: Sequence[str] = ()) -> Told:
    """Return a function in words.

    Parameters
    ----------
    prose
        What puts its expressions into words.
    names
        Of the locals that it declares, in order of their declaration; the others get names of ours.
    """
    teller = _Teller(prose, iter(names))
    prose.units.clear()
    prose.locals = {at: prose.local(each.name, "given") for at, each in enumerate(function.parameters)}
    steps = teller.block(function.body)
    return Told(steps, tuple([_result(prose, each) for each in function.results]))


def _result(prose: Prose, result: Expression) -> str:
    asked = result.type == BOOL and result.op not in ("const", "local", "load", "item")
    return f"whether {prose.words(result)}" if asked else prose.words(result)


class _Teller:
    """Walks through one function and keeps the names of locals."""

    def __init__(self, prose: Prose, names: Iterator[str]) -> None:
        self.prose = prose
        self.names = names
        self.unnamed = 0

    def block(self, block: Block) -> tuple[Step, ...]:
        return tuple([self.step(each) for each in block])

    def step(self, statement: Statement) -> Step:
        match statement.op, statement.data:
            case "if", _:
                condition = self.prose.words(statement.args[0])
                then, otherwise = (self.block(each) for each in statement.blocks)
                return Step(statement, f"If {condition}:", then, otherwise)
            case "for", (int(first), int(stop), int(local)):
                name = self._name(local, None)
                words = f"For {name} from {number(first)} to {number(stop - 1)}, one after the other:"
                if first == stop:
                    words = f"For no {name} at all:"
                return Step(statement, words, self.block(statement.blocks[0]))
            case (("pay" | "send_token" | "take_token" | "send_nft" | "take_nft"), _):
                return self._payment(statement)
        return Step(statement, self._words(statement))

    def _words(self, statement: Statement) -> str:
        words, args, machine = self.prose.words, statement.args, self.prose.machine
        match statement.op, statement.data:
            case "let", int(local):
                value = words(args[0])
                return f"Let {self._name(local, args[0])} be {value}"
            case "set", int(local):
                if self.prose.unit(args[0]) != self.prose.units.get(local):
                    self.prose.units[local] = ""
                return f"{self.prose.locals[local]} becomes {words(args[0])}"
            case (("store" | "increase" | "decrease"), int(field)):
                verb = {"store": "becomes", "increase": "grows by", "decrease": "falls by"}[statement.op]
                return f"{self.prose.place(field, args[:-1])} {verb} {words(args[-1])}"
            case "require", str(reason):
                return f"**Only if** {words(args[0])}; otherwise refused: {self.prose.quote(reason)}"
            case "require", int(error):
                told = self._record(machine.errors[error], args[1:])
                return f"**Only if** {words(args[0])}; otherwise refused with {told}"
            case "emit", int(event):
                return f"Records {self._record(machine.events[event], args)}"
        raise AssertionError(f"no words for {statement.op}")

    def _payment(self, statement: Statement) -> Step:
        words, args = self.prose.words, statement.args
        if statement.op == "pay":
            amount, party = self.prose.amount(args[1]), words(args[0])
        else:
            what = "token no." if statement.op.endswith("nft") else "units"
            value, token, party = words(args[2], SUM), words(args[0], SUM), words(args[1])
            amount = f"{what} {value} of {token}" if what == "token no." else f"{value} {what} of {token}"
        if statement.op.startswith("take"):
            told = f"**Money:** takes {amount} from {party}, who must have approved it"
            return Step(statement, told, money=(amount, party, "the machine"))
        verb = "pays" if statement.op == "pay" else "sends"
        return Step(statement, f"**Money:** {verb} {amount} to {party}", money=(amount, "the machine", party))

    def _record(self, record: Record, values: Sequence[Expression]) -> str:
        mark, name = self.prose.mark, self.prose.mark(record.name)
        told = [
            f"{mark(each.name)} = {self.prose.words(value, SUM)}"
            for each, value in zip(record.parameters, values, strict=True)
        ]
        return f"{name} ({', '.join(told)})" if told else name

    def _name(self, local: int, value: Expression | None) -> str:
        """Bring a local into scope and return its name, set off."""
        name = next(self.names, "")
        if not name:
            self.unnamed += 1
            name = f"interim value {self.unnamed}"
        self.prose.locals[local] = self.prose.local(name, "interim")
        self.prose.units[local] = self.prose.unit(value) if value is not None else ""
        return self.prose.locals[local]
