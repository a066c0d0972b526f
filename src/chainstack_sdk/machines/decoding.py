"""From bytes to machines: strict, bounded, and through all rules of the language.

Whatever is given, the result is a machine or :class:`~chainstack_sdk.primitives.errors.InvalidInput`. The
work is bounded by :data:`~chainstack_sdk.machines.encoding.MAX_SIZE` and :data:`MAX_DEPTH`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from chainstack_sdk.machines.encoding import (
    EXPRESSIONS,
    FORMAT,
    MAX_SIZE,
    NUMBERED,
    PAYABLE,
    STATEMENTS,
    encode_machine,
)
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
from chainstack_sdk.machines.rules import CONTEXT, Scope
from chainstack_sdk.machines.types import INT, WORD_KINDS, Type
from chainstack_sdk.machines.whole import check_machine, check_tables
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode

if TYPE_CHECKING:
    from chainstack_sdk.machines.ir import Block, Expression, Statement
    from chainstack_sdk.primitives.rlp import RlpItem

MAX_DEPTH = 32
"""Expressions in expressions and blocks in blocks, together."""


def decode_machine(data: bytes) -> MachineIR:
    """Return the machine of an encoding.

    Raises
    ------
    InvalidInput
        When these bytes are not the canonical encoding of a machine that keeps every rule.
    """
    if len(data) > MAX_SIZE:
        raise InvalidMachine("the machine is too large", expected=MAX_SIZE, actual=len(data))
    machine = _machine(rlp_decode(data))
    if encode_machine(machine) != data:
        raise InvalidMachine("not the canonical encoding of the machine")
    return machine


def _machine(item: RlpItem) -> MachineIR:
    match item:
        case [
            mark,
            name,
            enums,
            events,
            errors,
            states,
            fields,
            creation,
            transitions,
            timers,
            views,
            invariants,
        ]:
            pass
        case _:
            _malformed("a machine")
    if _int(mark) != FORMAT:
        raise InvalidMachine("a machine of another format", expected=FORMAT, actual=_int(mark))
    tables = Tables(
        tuple([_enum(each) for each in _list(enums)]),
        tuple([_record(each) for each in _list(events)]),
        tuple([_record(each) for each in _list(errors)]),
        tuple([_state(each) for each in _list(states)]),
        tuple([_field(each) for each in _list(fields)]),
    )
    check_tables(tables)
    payable, constructor = _constructor(tables, creation)
    machine = MachineIR(
        _text(name),
        tables.enums,
        tables.events,
        tables.errors,
        tables.states,
        tables.fields,
        constructor,
        tuple([_transition(tables, each) for each in _list(transitions)]),
        tuple([_timer(tables, each) for each in _list(timers)]),
        tuple([View(*_function(tables, each, "view")) for each in _list(views)]),
        tuple([View(*_function(tables, each, "invariant")) for each in _list(invariants)]),
        payable,
    )
    check_machine(machine)
    return machine


# Declarations


def _enum(item: RlpItem) -> Enumeration:
    match item:
        case [name, members]:
            return Enumeration(_text(name), tuple([_text(each) for each in _list(members)]))
    _malformed("an enumeration")


def _record(item: RlpItem) -> Record:
    match item:
        case [name, parameters]:
            return Record(_text(name), _parameters(parameters))
    _malformed("an event or error")


def _parameters(item: RlpItem) -> tuple[Parameter, ...]:
    found = []
    for each in _list(item):
        match each:
            case [name, kind, indexed]:
                found.append(Parameter(_text(name), _type(kind), _flag(indexed)))
            case _:
                _malformed("a parameter")
    return tuple(found)


def _state(item: RlpItem) -> StateInfo:
    match item:
        case [name, final]:
            return StateInfo(_text(name), _flag(final))
    _malformed("a state")


def _field(item: RlpItem) -> Field:
    match item:
        case [name, kind, threshold]:
            return Field(_text(name), _type(kind), _int(threshold))
    _malformed("a field")


def _type(item: RlpItem, depth: int = 0) -> Type:
    if depth > MAX_DEPTH:
        raise InvalidMachine("nested too deeply", expected=MAX_DEPTH)
    match item:
        case bytes():
            code = _int(item)
            if code < len(WORD_KINDS) - 1:
                return Type(WORD_KINDS[code])
        case [code, one]:
            kind = {5: "enum", 6: "string", 7: "bytes"}.get(_int(code))
            if kind:
                return Type(kind, _int(one))
        case [code, one, other]:
            if _int(code) == 8:
                return Type("array", _int(one), (_type(other, depth + 1),))
            if _int(code) == 9:
                return Type("mapping", 0, (_type(one, depth + 1), _type(other, depth + 1)))
    _malformed("a type")


def _function(tables: Tables, item: RlpItem, kind: str, *, payable: bool = False) -> tuple[str, Function]:
    match item:
        case [name, parameters, body, results]:
            taken = _parameters(parameters)
            scope = Scope(tables, kind, payable=payable, parameters=[each.type for each in taken])
            done = _block(scope, body, 0)
            told = tuple([_expression(scope, each, 0) for each in _list(results)])
            return _text(name), Function(taken, done, told)
    _malformed("a function")


def _constructor(tables: Tables, item: RlpItem) -> tuple[bool, Function]:
    match item:
        case [bytes(name), *_] if name in (b"", PAYABLE.encode()):
            return bool(name), _function(tables, item, "constructor", payable=bool(name))[1]
    _malformed("a constructor")


def _transition(tables: Tables, item: RlpItem) -> Transition:
    match item:
        case [function, sources, target, payable, role]:
            paid = _flag(payable)
            name, made = _function(tables, function, "transition", payable=paid)
            numbers = tuple([_int(each) for each in _list(sources)])
            return Transition(name, numbers, _optional(target), paid, _optional(role), made)
    _malformed("a transition")


def _timer(tables: Tables, item: RlpItem) -> Timer:
    match item:
        case [name, source, delay, target, body]:
            scope = Scope(tables, "timer")
            wait = _expression(scope, delay, 0)
            return Timer(_text(name), _int(source), wait, _int(target), _block(scope, body, 0))
    _malformed("a timer")


# Code


def _block(scope: Scope, item: RlpItem, depth: int) -> Block:
    if depth > MAX_DEPTH:
        raise InvalidMachine("nested too deeply", expected=MAX_DEPTH)
    return tuple([_statement(scope, each, depth + 1) for each in _list(item)])


def _statement(scope: Scope, item: RlpItem, depth: int) -> Statement:
    op, rest = _operation(STATEMENTS, item)
    match op, rest:
        case "if", [condition, then, otherwise]:
            args = [_expression(scope, condition, depth)]
            with scope.block():
                one = _block(scope, then, depth)
            with scope.block():
                other = _block(scope, otherwise, depth)
            return scope.statement(op, args, 0, [one, other])
        case "for", [start, stop, body]:
            with scope.block(counter=True):
                turn = _block(scope, body, depth)
            return scope.statement(op, (), (_int(start), _int(stop)), [turn])
        case "require", [reason, condition]:
            return scope.statement(op, [_expression(scope, condition, depth)], _text(reason))
        case "if" | "for" | "require", _:
            _malformed("a statement")
    data = 0
    if op in NUMBERED:
        data, rest = _number(rest)
    args = [_expression(scope, each, depth) for each in rest]
    return scope.statement("require" if op == "refuse" else op, args, data)


def _expression(scope: Scope, item: RlpItem, depth: int) -> Expression:
    if depth > MAX_DEPTH:
        raise InvalidMachine("nested too deeply", expected=MAX_DEPTH)
    op, rest = _operation(EXPRESSIONS, item)
    if op == "const":
        match rest:
            case [kind, bytes(content)]:
                return _constant(scope, _type(kind), content)
        _malformed("a constant")
    if op in CONTEXT and rest:
        _malformed("an expression")
    data = 0
    if op in NUMBERED:
        data, rest = _number(rest)
    return scope.expression(op, [_expression(scope, each, depth + 1) for each in rest], data)


def _constant(scope: Scope, kind: Type, content: bytes) -> Expression:
    if kind.kind in ("address", "bytes32", "bytes"):
        return scope.constant(kind, content)
    if kind.kind == "string":
        return scope.constant(kind, _text(content))
    number = decode_int(content)
    if kind == INT and number >> 255:
        number -= 1 << 256
    if kind.kind == "bool":
        return scope.constant(kind, bool(number))
    return scope.constant(kind, number)


def _operation(codes: tuple[str, ...], item: RlpItem) -> tuple[str, list[RlpItem]]:
    match item:
        case [bytes(code), *rest]:
            number = decode_int(code)
            if number < len(codes):
                return codes[number], rest
    _malformed("an operation")


def _number(rest: list[RlpItem]) -> tuple[int, list[RlpItem]]:
    if not rest:
        _malformed("an operation")
    return _int(rest[0]), rest[1:]


# Leaves


def _list(item: RlpItem) -> list[RlpItem]:
    if not isinstance(item, list):
        _malformed("a list")
    return item


def _int(item: RlpItem) -> int:
    if not isinstance(item, bytes):
        _malformed("a number")
    return decode_int(item)


def _flag(item: RlpItem) -> bool:
    number = _int(item)
    if number > 1:
        _malformed("a flag")
    return bool(number)


def _optional(item: RlpItem) -> int | None:
    number = _int(item)
    return number - 1 if number else None


def _text(item: RlpItem) -> str:
    if isinstance(item, bytes):
        try:
            return item.decode()
        except UnicodeDecodeError:
            pass
    _malformed("a text")


def _malformed(what: str) -> NoReturn:
    raise InvalidMachine(f"malformed encoding of {what}")
