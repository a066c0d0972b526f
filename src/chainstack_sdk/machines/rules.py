"""The rules of types and places: the only maker of expressions and statements.

The compiler and the decoder both build trees through a :class:`Scope`, one node at a time and from the leaves
up, so that what an author may write and what a node accepts is the same by construction.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.machines.ir import Expression, Statement
from chainstack_sdk.machines.types import ADDRESS, BOOL, BYTES32, INT, UINT, Type, bytes_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chainstack_sdk.machines.ir import Block, Record, Tables

MAX_LOCALS = 64
"""Locals in scope at one place, parameters included."""
MAX_LOOP = 1_024
"""Turns of a loop."""
MAX_REASON = 128
"""Bytes of the text with which a machine refuses."""
MAX_CONSTANT = 256
"""Bytes of a constant text or byte string."""

CONTEXT = {"caller": ADDRESS, "value": UINT, "now": UINT, "height": UINT, "balance": UINT, "this": ADDRESS}
"""What an expression may ask about the call, with its types; wei, Unix seconds."""
ARITHMETIC = ("add", "sub", "mul", "div", "mod", "min", "max")
ORDER = ("lt", "le", "gt", "ge")
EQUALITY = ("eq", "ne")
EFFECTS = ("store", "increase", "decrease", "pay", "send_token", "take_token", "send_nft", "take_nft", "emit")
"""Statements that views and invariants do not have."""
TOKENS = ("send_token", "take_token", "send_nft", "take_nft")

_ORDERED = ("uint256", "int256", "address", "bytes32")


class Scope:
    """Where code stands: what it may use, and which locals there are.

    Parameters
    ----------
    tables
        The machine's.
    kind
        ``"constructor"``, ``"transition"``, ``"timer"``, ``"view"`` or ``"invariant"``.
    payable
        Whether coin may come with the call.
    parameters
        Types of the first locals.
    """

    __slots__ = ("fixed", "kind", "locals", "payable", "tables")

    def __init__(
        self, tables: Tables, kind: str, *, payable: bool = False, parameters: Sequence[Type] = ()
    ) -> None:
        self.tables = tables
        self.kind = kind
        self.payable = payable
        self.locals: list[Type] = list(parameters)
        self.fixed: list[int] = []
        """Numbers of the locals that count loops."""

    # Expressions

    def expression(
        self, op: str, args: Sequence[Expression] = (), data: bool | int | bytes | str = 0
    ) -> Expression:
        """Make an expression of other operations than ``const``.

        Raises
        ------
        InvalidMachine
            When the operation does not take these arguments, or not here.
        """
        for each in args:
            if not each.type.is_value:
                raise InvalidMachine(f"a mapping is no value: name a key of it, not {each.type} as a whole")
        if op in CONTEXT:
            return Expression(op, self._context(op, args))
        rule = _RULES.get(op)
        if rule is None:
            raise InvalidMachine("no such operation", actual=op)
        return Expression(op, rule(self, tuple(args), data), tuple(args), data)

    def constant(self, kind: Type, value: bool | int | bytes | str) -> Expression:
        """Make a constant.

        Raises
        ------
        InvalidMachine
            When the type does not have this value.
        """
        if not self.holds(kind, value):
            raise InvalidMachine(f"{value!r:.80} is no {kind}")
        return Expression("const", kind, (), value)

    def holds(self, kind: Type, value: bool | int | bytes | str) -> bool:
        """Tell whether a type, as constants have it, holds a value."""
        match kind.kind:
            case "bool":
                return isinstance(value, bool)
            case "uint256":
                return type(value) is int and 0 <= value < 1 << 256
            case "int256":
                return type(value) is int and -(1 << 255) <= value < 1 << 255
            case "enum":
                enums = self.tables.enums
                known = kind.bound < len(enums) and type(value) is int
                return known and 0 <= int(value) < len(enums[kind.bound].members)
            case "address" | "bytes32":
                return isinstance(value, bytes) and len(value) == (20 if kind == ADDRESS else 32)
            case "string":
                return isinstance(value, str) and bytes_bound(value) == kind.bound <= MAX_CONSTANT
        return isinstance(value, bytes) and len(value) == kind.bound <= MAX_CONSTANT and kind.kind == "bytes"

    def place(self, field: object, keys: Sequence[Expression]) -> Type:
        """Return the type of what a field holds under keys.

        Raises
        ------
        InvalidMachine
            When there is no such field, or it does not have such keys.
        """
        if type(field) is not int or not 0 <= field < len(self.tables.fields):
            raise InvalidMachine("no such field", actual=field)
        kind = self.tables.fields[field].type
        for key in keys:
            match kind.kind:
                case "mapping":
                    expect(kind.parts[0], key)
                    kind = kind.parts[1]
                case "array":
                    expect(UINT, key)
                    kind = kind.parts[0]
                case _:
                    raise InvalidMachine(f"{kind} has no elements")
        return kind

    def _context(self, op: str, args: Sequence[Expression]) -> Type:
        if args:
            raise InvalidMachine(f"{op} takes no arguments")
        if op == "value" and not self.payable:
            raise InvalidMachine("no coin comes here: only payable functions know a value")
        if op == "caller" and self.kind in ("timer", "invariant"):
            raise InvalidMachine("nobody calls here: what happens by itself has no caller")
        return CONTEXT[op]

    # Statements

    def statement(
        self,
        op: str,
        args: Sequence[Expression] = (),
        data: int | str | tuple[int, ...] = 0,
        blocks: Sequence[Block] = (),
    ) -> Statement:
        """Make a statement; that of ``let`` brings a new local into scope.

        The blocks of ``if`` and ``for`` are made before, each within :meth:`block`.

        Raises
        ------
        InvalidMachine
            When the operation does not take these arguments, or not here.
        """
        for each in args:
            if not each.type.is_value:
                raise InvalidMachine(f"a mapping is no value: name a key of it, not {each.type} as a whole")
        rule = _STATEMENTS.get(op)
        if rule is None:
            raise InvalidMachine("no such statement", actual=op)
        if op in EFFECTS and self.kind in ("view", "invariant"):
            raise InvalidMachine("views and invariants change nothing, pay nothing and emit nothing")
        if len(blocks) != {"if": 2, "for": 1}.get(op, 0):
            raise InvalidMachine(f"{op} does not have this number of blocks")
        rule(self, tuple(args), data)
        if op == "let":
            data = len(self.locals)
            self.add_local(args[0].type)
        elif isinstance(data, tuple):
            data = (*data[:2], len(self.locals))
        return Statement(op, tuple(args), data, tuple(blocks))

    @contextmanager
    def block(self, *, counter: bool = False) -> Iterator[None]:
        """Open a block: its locals go when it ends.

        Parameters
        ----------
        counter
            Whether it is the body of a loop, with a first local that counts and cannot be set.
        """
        before = len(self.locals)
        if counter:
            self.fixed.append(before)
            self.add_local(UINT)
        yield
        if counter:
            self.fixed.pop()
        del self.locals[before:]

    def add_local(self, kind: Type) -> None:
        """Bring a local into scope."""
        if len(self.locals) >= MAX_LOCALS:
            raise InvalidMachine("too many locals", expected=MAX_LOCALS)
        self.locals.append(kind)

    def local(self, number: object) -> Type:
        """Return the type of a local."""
        if type(number) is not int or not 0 <= number < len(self.locals):
            raise InvalidMachine("no such local", actual=number)
        return self.locals[number]


def fits(wanted: Type, actual: Type) -> bool:
    """Tell whether a value of one type may stand where another is wanted: shorter text for longer."""
    if wanted.is_bytes:
        return actual.kind == wanted.kind and actual.bound <= wanted.bound
    return wanted == actual


def expect(wanted: Type, value: Expression) -> None:
    """Check the type of an expression.

    Raises
    ------
    InvalidMachine
        When it is another.
    """
    if not fits(wanted, value.type):
        raise InvalidMachine(f"expected {wanted}, not {value.type}")


def _count(args: Sequence[Expression], count: int, least: bool = False) -> None:
    if len(args) < count or (len(args) > count and not least):
        raise InvalidMachine("wrong number of values", expected=count, actual=len(args))


def _all(args: Sequence[Expression], *wanted: Type) -> None:
    _count(args, len(wanted))
    for kind, value in zip(wanted, args, strict=True):
        expect(kind, value)


# What each operation takes and gives

_Data = bool | int | bytes | str | tuple[int, ...]


def _local(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 0)
    return scope.local(data)


def _load(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    kind = scope.place(data, args)
    if not kind.is_value:
        raise InvalidMachine(f"a mapping is no value: name a key of it, not {kind} as a whole")
    return kind


def _item(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2)
    if args[0].type.kind != "array":
        raise InvalidMachine(f"{args[0].type} has no elements")
    expect(UINT, args[1])
    return args[0].type.parts[0]


def _number(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2)
    kind = args[0].type
    if kind not in (UINT, INT) or args[1].type != kind:
        raise InvalidMachine(f"arithmetic takes two numbers of one type, not {kind} and {args[1].type}")
    return kind


def _order(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2)
    kind = args[0].type
    if kind.kind not in _ORDERED or args[1].type != kind:
        raise InvalidMachine(f"{kind} and {args[1].type} have no order between them")
    return BOOL


def _comparable(one: Type, other: Type) -> None:
    if one.kind == "array" or (one != other and not (one.is_bytes and one.kind == other.kind)):
        raise InvalidMachine(f"{one} and {other} cannot be compared")


def _equal(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2)
    _comparable(args[0].type, args[1].type)
    return BOOL


def _logic(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _all(args, BOOL, BOOL)
    return BOOL


def _not(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _all(args, BOOL)
    return BOOL


def _if(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 3)
    expect(BOOL, args[0])
    one, other = args[1].type, args[2].type
    if fits(one, other):
        return one
    if not fits(other, one):
        raise InvalidMachine(f"the two values are of different types, {one} and {other}")
    return other


def _in(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2, least=True)
    for each in args[1:]:
        _comparable(args[0].type, each.type)
    return BOOL


def _contains(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 2)
    if args[0].type.kind != "array":
        raise InvalidMachine(f"{args[0].type} has no elements")
    expect(args[0].type.parts[0], args[1])
    return BOOL


def _keccak(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 1, least=True)
    if len(args) == 1 and args[0].type.is_bytes:
        return BYTES32
    for each in args:
        if not each.type.is_word:
            raise InvalidMachine("keccak takes one string or any number of words")
    return BYTES32


def _neg(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _all(args, INT)
    return INT


def _to_int(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _all(args, UINT)
    return INT


def _to_uint(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _all(args, INT)
    return UINT


def _state(scope: Scope, args: tuple[Expression, ...], data: _Data) -> Type:
    _count(args, 0)
    if type(data) is not int or not 0 <= data < len(scope.tables.states):
        raise InvalidMachine("no such state", actual=data)
    if scope.kind == "constructor":
        raise InvalidMachine("a machine is in no state before it has been made")
    return BOOL


_RULES: dict[str, Callable[[Scope, tuple[Expression, ...], _Data], Type]] = {
    "local": _local,
    "load": _load,
    "item": _item,
    **dict.fromkeys(ARITHMETIC, _number),
    **dict.fromkeys(ORDER, _order),
    **dict.fromkeys(EQUALITY, _equal),
    "neg": _neg,
    "and": _logic,
    "or": _logic,
    "not": _not,
    "if": _if,
    "in": _in,
    "contains": _contains,
    "keccak": _keccak,
    "to_int": _to_int,
    "to_uint": _to_uint,
    "state": _state,
}


def _let(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _count(args, 1)


def _set(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _all(args, scope.local(data))
    if data in scope.fixed:
        raise InvalidMachine("what counts a loop is not set by hand")


def _store(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _count(args, 1, least=True)
    kind = scope.place(data, args[:-1])
    if not kind.is_value:
        raise InvalidMachine("a mapping is written key by key")
    expect(kind, args[-1])


def _change(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _store(scope, args, data)
    expect(UINT, args[-1])


def _branch(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _all(args, BOOL)


def _loop(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _count(args, 0)
    if not isinstance(data, tuple) or not 0 <= data[0] <= data[1] <= data[0] + MAX_LOOP < 1 << 256:
        raise InvalidMachine(f"a loop has at most {MAX_LOOP} turns, from a constant to a constant")


def _require(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _count(args, 1, least=True)
    expect(BOOL, args[0])
    if isinstance(data, str):
        _count(args, 1)
        if bytes_bound(data) > MAX_REASON:
            raise InvalidMachine(f"a reason has at most {MAX_REASON} bytes")
    else:
        _record(scope.tables.errors, data, args[1:])


def _pay(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _all(args, ADDRESS, UINT)


def _token(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _all(args, ADDRESS, ADDRESS, UINT)


def _emit(scope: Scope, args: tuple[Expression, ...], data: _Data) -> None:
    _record(scope.tables.events, data, args)


def _record(records: Sequence[Record], number: object, args: Sequence[Expression]) -> None:
    if type(number) is not int or not 0 <= number < len(records):
        raise InvalidMachine("no such event or error", actual=number)
    _all(args, *[each.type for each in records[number].parameters])


_STATEMENTS: dict[str, Callable[[Scope, tuple[Expression, ...], _Data], None]] = {
    "let": _let,
    "set": _set,
    "store": _store,
    "increase": _change,
    "decrease": _change,
    "if": _branch,
    "for": _loop,
    "require": _require,
    "pay": _pay,
    **dict.fromkeys(TOKENS, _token),
    "emit": _emit,
}
