"""The canonical encoding of machines: what goes on chain, and what their hash is taken of.

RLP. Numbers are RLP integers, names and texts UTF-8. With ``[…]`` for a list and ``x*`` for a list of any
number of ``x``::

    machine     [1, name, enum*, record* (events), record* (errors), state*, field*, function (constructor:
                 named "payable" when coin may come with the deployment, or ""), transition*, timer*,
                 function* (views), function* (invariants)]
    enum        [name, name*]
    record      [name, parameter*]
    parameter   [name, type, 1 when indexed or 0]
    state       [name, 1 when final or 0]
    field       [name, type, threshold: 0 unless it is a role]
    function    [name, parameter*, block, expression* (results)]
    transition  [function, number* (sources), target + 1 or 0 for none, 1 when payable, role + 1 or 0]
    timer       [name, source, delay, target, block]
    block       statement*
    statement   [code, data…, expression…, block…]
    expression  [code, data…, expression…]
    type        0 to 4: bool uint256 int256 address bytes32;  [5, number] enum;  [6, bound] string;
                [7, bound] bytes;  [8, length, type] array;  [9, type, type] mapping

The codes are the positions in :data:`EXPRESSIONS` and :data:`STATEMENTS`. The data of a ``const`` is its type
and value: integers, negative ones in two's complement of 256 bits, or bytes.

Every machine has one encoding: a decoder makes the tree, through the same rules as the compiler, encodes it
again and refuses bytes that differ. Locals have no names; comments and layout leave no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.rules import ARITHMETIC, CONTEXT, EQUALITY, ORDER, TOKENS
from chainstack_sdk.machines.types import WORD_KINDS
from chainstack_sdk.primitives.rlp import rlp_encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.machines.ir import (
        Block,
        Expression,
        Function,
        MachineIR,
        Parameter,
        Record,
        Statement,
        Timer,
        Transition,
    )
    from chainstack_sdk.machines.types import Type
    from chainstack_sdk.primitives.rlp import Encodable

FORMAT = 1
"""Number of this format."""
MAX_SIZE = 16_384
"""Bytes of an encoding."""
PAYABLE = "payable"
"""Name of a constructor with which coin may come; others have none."""

EXPRESSIONS = (
    "const",
    "local",
    *CONTEXT,
    "load",
    "state",
    "item",
    *ARITHMETIC,
    "neg",
    *EQUALITY,
    *ORDER,
    "and",
    "or",
    "not",
    "if",
    "in",
    "contains",
    "keccak",
    "to_int",
    "to_uint",
)
"""Operations by code."""
STATEMENTS = (
    "let",
    "set",
    "store",
    "increase",
    "decrease",
    "if",
    "for",
    "require",
    "refuse",
    "pay",
    *TOKENS,
    "emit",
)
"""Operations by code; ``refuse`` is a ``require`` with an error in place of a text."""

NUMBERED = ("local", "load", "state", "set", "store", "increase", "decrease", "refuse", "emit")
"""Operations whose data is one number."""

_CODE = {op: code for code, op in enumerate(EXPRESSIONS)}
_STATEMENT_CODE = {op: code for code, op in enumerate(STATEMENTS)}


def encode_machine(machine: MachineIR) -> bytes:
    """Return the canonical encoding."""
    return rlp_encode(
        [
            FORMAT,
            machine.name.encode(),
            [[each.name.encode(), [name.encode() for name in each.members]] for each in machine.enums],
            [_record(each) for each in machine.events],
            [_record(each) for each in machine.errors],
            [[each.name.encode(), int(each.final)] for each in machine.states],
            [[each.name.encode(), _type(each.type), each.threshold] for each in machine.fields],
            _function(PAYABLE if machine.payable else "", machine.constructor),
            [_transition(each) for each in machine.transitions],
            [_timer(each) for each in machine.timers],
            [_function(each.name, each.function) for each in machine.views],
            [_function(each.name, each.function) for each in machine.invariants],
        ]
    )


def _record(record: Record) -> Encodable:
    return [record.name.encode(), _parameters(record.parameters)]


def _parameters(parameters: Sequence[Parameter]) -> Encodable:
    return [[each.name.encode(), _type(each.type), int(each.indexed)] for each in parameters]


def _function(name: str, function: Function) -> Encodable:
    return [
        name.encode(),
        _parameters(function.parameters),
        _block(function.body),
        [_expression(each) for each in function.results],
    ]


def _transition(transition: Transition) -> Encodable:
    return [
        _function(transition.name, transition.function),
        list(transition.sources),
        0 if transition.target is None else transition.target + 1,
        int(transition.payable),
        0 if transition.role is None else transition.role + 1,
    ]


def _timer(timer: Timer) -> Encodable:
    return [timer.name.encode(), timer.source, _expression(timer.delay), timer.target, _block(timer.body)]


def _type(kind: Type) -> Encodable:
    match kind.kind:
        case "enum":
            return [5, kind.bound]
        case "string":
            return [6, kind.bound]
        case "bytes":
            return [7, kind.bound]
        case "array":
            return [8, kind.bound, _type(kind.parts[0])]
        case "mapping":
            return [9, _type(kind.parts[0]), _type(kind.parts[1])]
    return WORD_KINDS.index(kind.kind)


def _block(block: Block) -> Encodable:
    return [_statement(each) for each in block]


def _statement(statement: Statement) -> Encodable:
    op, data = statement.op, statement.data
    parts: list[Encodable] = []
    if isinstance(data, str):
        parts.append(data.encode())
    elif op == "require":
        op = "refuse"
    if isinstance(data, tuple):
        parts.extend(data[:2])
    elif isinstance(data, int) and op in NUMBERED:
        parts.append(data)
    args = [_expression(each) for each in statement.args]
    return [_STATEMENT_CODE[op], *parts, *args, *[_block(each) for each in statement.blocks]]


def _expression(expression: Expression) -> Encodable:
    op, data = expression.op, expression.data
    parts: list[Encodable] = []
    if op == "const":
        parts = [_type(expression.type), _constant(data)]
    elif isinstance(data, int) and op in NUMBERED:
        parts = [data]
    return [_CODE[op], *parts, *[_expression(each) for each in expression.args]]


def _constant(value: bool | int | bytes | str) -> Encodable:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    return int(value) % (1 << 256)
