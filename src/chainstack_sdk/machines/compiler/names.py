"""What a class declares, by name; types as they are written; constants."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.machines.ir import Enumeration, Field, Record, StateInfo, Tables
from chainstack_sdk.machines.types import ADDRESS, BOOL, BYTES32, INT, UINT, Type

if TYPE_CHECKING:
    from chainstack_sdk.machines.compiler.source import Source

SIMPLE = {
    "bool": BOOL,
    "uint256": UINT,
    "int256": INT,
    "timestamp": UINT,
    "address": ADDRESS,
    "bytes32": BYTES32,
}
"""Types that are one word."""
NUMBERS = {"minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
"""Constants that the language has by name: seconds."""
UNITS = {"ether": 10**18, "gwei": 10**9}
"""Functions of constants: wei in one."""
HINTS = {
    "int": "write uint256, or int256 for numbers below zero",
    "str": "write Annotated[str, 64]: text has a bound, in bytes",
    "bytes": "write bytes32, or Annotated[bytes, 64]: byte strings have a bound",
    "list": "write Annotated[list[uint256], 10]: arrays have a length",
    "dict": "write Mapping[address, uint256]",
    "float": "there are no fractions: count in a smaller unit, as uint256",
    "None": "there is no None",
}
"""What to write in place of a type of Python."""
MAX_EXPONENT = 256

Folded: TypeAlias = bool | int | str | bytes
"""A constant of the source."""


@dataclass(slots=True)
class Names:
    """What a machine declares, in order."""

    source: Source
    enums: dict[str, Enumeration] = field(default_factory=dict)
    events: dict[str, Record] = field(default_factory=dict)
    errors: dict[str, Record] = field(default_factory=dict)
    states: dict[str, StateInfo] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    constants: dict[str, Folded] = field(default_factory=dict)

    @property
    def tables(self) -> Tables:
        """The same by number."""
        return Tables(
            tuple(self.enums.values()),
            tuple(self.events.values()),
            tuple(self.errors.values()),
            tuple(self.states.values()),
            tuple(self.fields.values()),
        )

    # Types

    def type_of(self, node: ast.expr | None, at: ast.AST) -> Type:
        """Return the type that an annotation names.

        Parameters
        ----------
        at
            What the annotation is of, where there is none.

        Raises
        ------
        CompileError
            When it is no type of the language.
        """
        match node:
            case None:
                self.source.fail(at, "say of which type it is: name: uint256")
            case ast.Name(id=name) if name in SIMPLE:
                return SIMPLE[name]
            case ast.Name(id=name) if name in self.enums:
                return Type("enum", list(self.enums).index(name))
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in self.enums:
                if owner == self.source.node.name:
                    return Type("enum", list(self.enums).index(name))
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, bound])):
                return self._bounded(node, inner, bound)
            case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[key, value])):
                return Type("mapping", 0, (self.type_of(key, at), self.type_of(value, at)))
        name = ast.unparse(node).partition("[")[0]
        self.source.fail(node, f"no type of the language: {HINTS.get(name, ast.unparse(node))}")

    def _bounded(self, node: ast.expr, inner: ast.expr, bound: ast.expr) -> Type:
        size = self.fold(bound)
        if type(size) is not int or size < 1:
            self.source.fail(bound, "the bound is a constant of at least 1")
        match inner:
            case ast.Name(id="str"):
                return Type("string", size)
            case ast.Name(id="bytes"):
                return Type("bytes", size)
            case ast.Subscript(value=ast.Name(id="list"), slice=element):
                return Type("array", size, (self.type_of(element, node),))
        self.source.fail(inner, "only str, bytes and list[...] are Annotated with a bound")

    # Constants

    def fold(self, node: ast.expr) -> Folded | None:
        """Return the value of a constant expression, or None when it is not constant.

        Raises
        ------
        CompileError
            When it is, and has no value.
        """
        match node:
            case ast.Constant(value=bool() | int() | str() | bytes() as value):
                return value
            case ast.Name(id=name) if name in NUMBERS:
                return NUMBERS[name]
            case ast.Name(id="ZERO_ADDRESS"):
                return bytes(20)
            case ast.Name(id=name) if name in self.constants:
                return self.constants[name]
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in (
                "self",
                self.source.node.name,
            ):
                return self.constants.get(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                negated = self.fold(operand)
                return -negated if type(negated) is int else None
            case ast.BinOp(left=left, op=op, right=right):
                return self._computed(node, op, self.fold(left), self.fold(right))
            case ast.Call(func=ast.Name(id=name), args=[amount], keywords=[]) if name in UNITS:
                count = self.fold(amount)
                return count * UNITS[name] if type(count) is int else None
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="bytes"), attr="fromhex"),
                args=[ast.Constant(value=str(digits))],
                keywords=[],
            ):
                try:
                    return bytes.fromhex(digits)
                except ValueError:
                    self.source.fail(node, "these are no hexadecimal digits")
        return None

    def _computed(
        self, node: ast.AST, op: ast.operator, one: Folded | None, other: Folded | None
    ) -> int | None:
        if type(one) is not int or type(other) is not int:
            return None
        match op:
            case ast.Add():
                return one + other
            case ast.Sub():
                return one - other
            case ast.Mult():
                return one * other
            case ast.FloorDiv() if other:
                return one // other
            case ast.Mod() if other:
                return one % other
            case ast.Pow() if 0 <= other <= MAX_EXPONENT and abs(one).bit_length() <= MAX_EXPONENT:
                return int(one**other)
            case ast.FloorDiv() | ast.Mod():
                self.source.fail(node, "this divides by zero")
        return None
