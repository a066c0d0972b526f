"""Machines drawn by lot, with every construct of the language, and calls for them.

They are built through :class:`chainstack_sdk.machines.rules.Scope`, as the compiler and the decoder build
theirs, so that they keep all rules of types; what else they do makes no sense on purpose. The same seed gives
the same machine. Not for production.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.machines.ir import (
    Enumeration,
    Field,
    Function,
    MachineIR,
    Parameter,
    Record,
    StateInfo,
    Tables,
    Timer,
    Transition,
    View,
)
from chainstack_sdk.machines.rules import ARITHMETIC, CONTEXT, Scope, fits
from chainstack_sdk.machines.types import ADDRESS, BOOL, BYTES32, INT, UINT, Type
from chainstack_sdk.machines.whole import check_machine

if TYPE_CHECKING:
    from random import Random

    from chainstack_sdk.machines.ir import Block, Expression, Statement

COLOUR = Type("enum", 0)
WORDS = (BOOL, UINT, INT, ADDRESS, BYTES32, COLOUR)
TEXT, DATA = Type("string", 40), Type("bytes", 20)
ROW = Type("array", 3, (UINT,))
LEDGER = Type("mapping", 0, (ADDRESS, UINT))
PARAMETERS = (*WORDS, TEXT, DATA, ROW)


class MachineMaker:
    """Draws machines and calls.

    Parameters
    ----------
    random
        Where chance comes from; seed it.
    people
        Addresses that occur in constants and arguments, 20 bytes each.
    tokens
        Addresses of ERC-20 contracts among which machines send; none: they send none.
    """

    def __init__(self, random: Random, people: list[bytes], tokens: list[bytes] | None = None) -> None:
        self.random = random
        self.people = people
        self.tokens = tokens or []

    def machine(self) -> MachineIR:
        """Draw a machine that keeps every rule."""
        while True:
            try:
                made = self._machine()
                check_machine(made)
            except InvalidMachine:
                continue  # too expensive, or an array is wanted where there is none
            return made

    def value(self, kind: Type) -> Any:
        """Draw a value of a type, now and then one too long or out of an enumeration's range."""
        draw = self.random
        match kind.kind:
            case "bool":
                return draw.random() < 0.5
            case "uint256":
                return draw.choice([0, 1, 2, 3, 5, draw.randrange(100), (1 << 256) - 1])
            case "int256":
                return draw.choice([0, 1, -1, 7, draw.randrange(-50, 50), (1 << 255) - 1, -1 << 255])
            case "address":
                return draw.choice(self.people)
            case "bytes32":
                return draw.choice([bytes(32), b"\1" * 32, draw.randbytes(32)])
            case "enum":
                return draw.choice([0, 0, 1, 2, 2, 3])
            case "string":
                return "é" * draw.choice([0, 1, draw.randrange(9), kind.bound // 2, kind.bound // 2 + 1])
            case "bytes":
                return draw.randbytes(draw.randrange(kind.bound + 2))
        return tuple([self.value(kind.parts[0]) for _ in range(kind.bound)])

    # Whole machines

    def _machine(self) -> MachineIR:
        draw = self.random
        kinds = [*draw.choices((*PARAMETERS, LEDGER), k=4), *self._mappings()]
        fields = [Field(f"f{at}", kind) for at, kind in enumerate(kinds)]
        fields.append(Field("owner", ADDRESS, 1))
        fields.append(Field("board", Type("array", 3, (ADDRESS,)), draw.choice([1, 2, 3])))
        self.tables = Tables(
            (Enumeration("Colour", ("red", "green", "blue")),),
            tuple([Record(f"Seen{at}", self._event_parameters()) for at in range(2)]),
            (Record("Bad", self._parameters(2)),),
            (StateInfo("begun"), StateInfo("going"), StateInfo("over", final=draw.random() < 0.5)),
            tuple(fields),
        )
        payable = draw.random() < 0.5
        return MachineIR(
            "Drawn",
            *(
                self.tables.enums,
                self.tables.events,
                self.tables.errors,
                self.tables.states,
                self.tables.fields,
            ),
            self._constructor(payable),
            tuple([self._transition(f"go{at}") for at in range(draw.randrange(2, 5))]),
            tuple(
                self._timer(source)
                for source, each in enumerate(self.tables.states)
                if not each.final and draw.random() < 0.5
            ),
            tuple([View(f"ask{at}", self._function("view")) for at in range(2)]),
            (View("sound", self._claim()),),
            payable,
        )

    def _mappings(self) -> list[Type]:
        draw, found = self.random, []
        for _ in range(2):
            inner = draw.choice((*WORDS, TEXT, ROW))
            for _ in range(draw.randrange(1, 4)):
                inner = Type("mapping", 0, (draw.choice(WORDS), inner))
            found.append(inner)
        return found

    def _parameters(self, most: int) -> tuple[Parameter, ...]:
        kinds = self.random.choices(PARAMETERS, k=self.random.randrange(most + 1))
        return tuple([Parameter(f"p{at}", kind) for at, kind in enumerate(kinds)])

    def _event_parameters(self) -> tuple[Parameter, ...]:
        return tuple([Parameter(each.name, each.type, at < 2) for at, each in enumerate(self._parameters(4))])

    def _constructor(self, payable: bool) -> Function:
        taken = [ADDRESS, Type("array", 3, (ADDRESS,)), UINT]
        scope = Scope(self.tables, "constructor", payable=payable, parameters=taken)
        owner, board = len(self.tables.fields) - 2, len(self.tables.fields) - 1
        parameters = (
            Parameter("p0", ADDRESS),
            Parameter("p1", scope.locals[1]),
            Parameter("p2", UINT),
        )
        first = [
            scope.statement("store", [scope.expression("local", data=0)], owner),
            scope.statement("store", [scope.expression("local", data=1)], board),
        ]
        return Function(parameters, (*first, *self._block(scope, 1)))

    def _transition(self, name: str) -> Transition:
        draw = self.random
        open_states = [at for at, each in enumerate(self.tables.states) if not each.final]
        sources = tuple(sorted(draw.sample(open_states, draw.randrange(1, len(open_states) + 1))))
        role = draw.choice([None, None, len(self.tables.fields) - 2, len(self.tables.fields) - 1])
        together = role is not None and self.tables.fields[role].threshold > 1
        payable = not together and draw.random() < 0.4
        function = self._function("transition", payable=payable)
        if together:
            function = Function(function.parameters, function.body)
        return Transition(name, sources, draw.choice([None, 0, 1, 2]), payable, role, function)

    def _timer(self, source: int) -> Timer:
        scope = Scope(self.tables, "timer")
        delay = self._expression(scope, UINT, 1)
        longest = scope.constant(UINT, self.random.choice([0, 1, 60]))
        match self.random.randrange(4):
            case 0 | 1:
                delay = scope.expression("min", [delay, longest])
            case 2:
                delay = longest
        return Timer(f"later{source}", source, delay, self.random.randrange(3), self._block(scope, 2))

    def _function(self, kind: str, *, payable: bool = False) -> Function:
        parameters = self._parameters(3)
        scope = Scope(self.tables, kind, payable=payable, parameters=[each.type for each in parameters])
        body = self._block(scope, 3)
        count = self.random.randrange(1, 3) if kind == "view" else self.random.randrange(2)
        results = [self._expression(scope, self.random.choice(PARAMETERS), 3) for _ in range(count)]
        return Function(parameters, body, tuple(results))

    def _claim(self) -> Function:
        scope = Scope(self.tables, "invariant")
        return Function((), (), (self._expression(scope, BOOL, 2),))

    # Statements

    def _block(self, scope: Scope, depth: int) -> Block:
        return tuple([self._statement(scope, depth) for _ in range(self.random.randrange(1, 4))])

    def _statement(self, scope: Scope, depth: int) -> Statement:
        draw = self.random
        kinds = ["let", "set", "require"]
        if depth:
            kinds += ["if", "for"]
        if scope.kind not in ("view", "invariant"):
            kinds += ["store", "store", "store", "change", "change", "pay", "emit"]
            if self.tokens:
                kinds.append("token")
        match draw.choice(kinds):
            case "let":
                return scope.statement("let", [self._expression(scope, draw.choice(PARAMETERS), 2)])
            case "set":
                return self._set(scope)
            case "if":
                condition = self._expression(scope, BOOL, 2)
                blocks = []
                for _ in range(2):
                    with scope.block():
                        blocks.append(self._block(scope, depth - 1))
                return scope.statement("if", [condition], 0, blocks)
            case "for":
                start = draw.randrange(3)
                with scope.block(counter=True):
                    body = self._block(scope, depth - 1)
                return scope.statement("for", (), (start, start + draw.randrange(4)), [body])
            case "store":
                field = draw.randrange(len(self.tables.fields))
                keys, kind = self._keys(scope, field)
                return scope.statement("store", [*keys, self._expression(scope, kind, 2)], field)
            case "change":
                return self._change(scope)
            case "pay":
                to, amount = self._expression(scope, ADDRESS, 1), self._expression(scope, UINT, 1)
                return scope.statement("pay", [to, amount])
            case "emit":
                event = draw.randrange(len(self.tables.events))
                parameters = self.tables.events[event].parameters
                return scope.statement(
                    "emit", [self._expression(scope, each.type, 2) for each in parameters], event
                )
            case "token":
                token = scope.constant(ADDRESS, draw.choice(self.tokens))
                party = self._expression(scope, ADDRESS, 1)
                amount = scope.constant(UINT, draw.randrange(10))
                return scope.statement(draw.choice(["send_token", "take_token"]), [token, party, amount])
        return self._require(scope)

    def _set(self, scope: Scope) -> Statement:
        free = [at for at in range(len(scope.locals)) if at not in scope.fixed]
        if not free:
            return self._require(scope)
        number = self.random.choice(free)
        return scope.statement("set", [self._expression(scope, scope.locals[number], 2)], number)

    def _change(self, scope: Scope) -> Statement:
        draw = self.random
        fields = [at for at in range(len(self.tables.fields)) if self._innermost(at) == UINT]
        if not fields:
            return self._require(scope)
        field = draw.choice(fields)
        keys, kind = self._keys(scope, field)
        if kind != UINT:  # a whole array
            keys = [*keys, scope.constant(UINT, draw.randrange(4))]
        change = draw.choice(["increase", "increase", "decrease"])
        return scope.statement(change, [*keys, self._expression(scope, UINT, 1)], field)

    def _require(self, scope: Scope) -> Statement:
        # most hold, so that calls come further
        hard = self._expression(scope, BOOL, 2)
        condition = scope.expression("or", [hard, scope.constant(BOOL, self.random.random() < 0.8)])
        if self.random.random() < 0.5:
            return scope.statement("require", [condition], "no")
        values = [self._expression(scope, each.type, 1) for each in self.tables.errors[0].parameters]
        return scope.statement("require", [condition, *values], 0)

    # Expressions

    def _innermost(self, field: int) -> Type:
        kind = self.tables.fields[field].type
        while kind.parts:
            kind = kind.parts[-1]
        return kind

    def _keys(self, scope: Scope, field: int, depth: int = 1) -> tuple[list[Expression], Type]:
        kind, keys = self.tables.fields[field].type, []
        while kind.kind == "mapping" or (kind.kind == "array" and self.random.random() < 0.6):
            keys.append(self._expression(scope, kind.parts[0] if kind.kind == "mapping" else UINT, depth))
            kind = kind.parts[-1]
        return keys, kind

    def _expression(self, scope: Scope, kind: Type, depth: int) -> Expression:
        draw = self.random
        if depth >= 0 and draw.random() < 0.5:
            found = self._named(scope, kind, depth)
            if found is not None:
                return found
        if depth > 0 and draw.random() < 0.75:
            return self._composed(scope, kind, depth - 1)
        return self._constant(scope, kind)

    def _named(self, scope: Scope, kind: Type, depth: int) -> Expression | None:
        """Return a local, a fact or a field of the type, if one is drawn."""
        draw, choices = self.random, []
        choices += [("local", at) for at, each in enumerate(scope.locals) if fits(kind, each)]
        for op, fact in CONTEXT.items():
            known = (op != "value" or scope.payable) and (
                op != "caller" or scope.kind not in ("timer", "invariant")
            )
            if fact == kind and known:
                choices.append((op, 0))
        for at, each in enumerate(self.tables.fields):
            if fits(kind, each.type) or (each.type.kind == "mapping" and self._innermost(at) == kind):
                choices += [("load", at)] * 2
        if not choices:
            return None
        op, data = draw.choice(choices)
        if op != "load":
            return scope.expression(op, (), data)
        keys, found = self._keys(scope, data, depth - 1)
        return scope.expression("load", keys, data) if fits(kind, found) else None

    def _constant(self, scope: Scope, kind: Type) -> Expression:
        value: Any = 0 if kind.kind == "array" else self.value(kind)
        match kind.kind:
            case "array":
                held = [at for at, each in enumerate(self.tables.fields) if each.type == kind]
                if held:
                    return scope.expression("load", (), held[0])
                inner = [at for at, each in enumerate(scope.locals) if each == kind]
                if inner:
                    return scope.expression("local", data=inner[0])
                raise InvalidMachine("there are no constant arrays")
            case "enum":
                value %= 3
            case "string":
                value = "ab"[: self.random.randrange(3)]
                kind = Type("string", len(value))
            case "bytes":
                value = value[: kind.bound]
                kind = Type("bytes", len(value))
        return scope.constant(kind, value)

    def _composed(self, scope: Scope, kind: Type, depth: int) -> Expression:
        draw = self.random

        def some(wanted: Type) -> Expression:
            return self._expression(scope, wanted, depth)

        if draw.random() < 0.2:
            return scope.expression("if", [some(BOOL), some(kind), some(kind)])
        match kind.kind:
            case "bool":
                return self._condition(scope, depth)
            case "uint256" | "int256":
                special = draw.random()
                if special < 0.15:
                    other = INT if kind == UINT else UINT
                    return scope.expression("to_uint" if kind == UINT else "to_int", [some(other)])
                if special < 0.3:
                    return (
                        scope.expression("item", [some(ROW), some(UINT)])
                        if kind == UINT
                        else scope.expression("neg", [some(INT)])
                    )
                return scope.expression(draw.choice(ARITHMETIC), [some(kind), some(kind)])
            case "bytes32":
                one = some(draw.choice([TEXT, DATA]))
                many = [some(each) for each in draw.choices(WORDS, k=draw.randrange(1, 4))]
                return scope.expression("keccak", draw.choice([[one], many]))
        return self._constant(scope, kind)

    def _condition(self, scope: Scope, depth: int) -> Expression:
        draw = self.random

        def some(wanted: Type) -> Expression:
            return self._expression(scope, wanted, depth)

        match draw.choice(["not", "logic", "order", "equal", "in", "contains", "state"]):
            case "not":
                return scope.expression("not", [some(BOOL)])
            case "logic":
                return scope.expression(draw.choice(["and", "or"]), [some(BOOL), some(BOOL)])
            case "order":
                kind = draw.choice([UINT, INT, ADDRESS, BYTES32])
                return scope.expression(draw.choice(["lt", "le", "gt", "ge"]), [some(kind), some(kind)])
            case "in":
                kind = draw.choice((*WORDS, TEXT, DATA))
                return scope.expression("in", [some(kind) for _ in range(draw.randrange(2, 5))])
            case "contains":
                return scope.expression("contains", [some(ROW), some(UINT)])
            case "state" if scope.kind != "constructor":
                return scope.expression("state", (), draw.randrange(3))
        kind = draw.choice((*WORDS, TEXT, DATA))
        return scope.expression(draw.choice(["eq", "ne"]), [some(kind), some(kind)])
