"""Expressions: from Python's syntax tree to typed ones."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NoReturn

from chainstack_sdk.machines.rules import CONTEXT, Scope
from chainstack_sdk.machines.types import ADDRESS, BOOL, BYTES32, INT, UINT, Type, bytes_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.machines.compiler.names import Folded, Names
    from chainstack_sdk.machines.ir import Expression

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "div",
    ast.Mod: "mod",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}
_OPERATOR_HINTS: dict[type[ast.AST], str] = {
    ast.Div: "there are no fractions: write // for division that rounds down",
    ast.Pow: "only constants have powers: multiply",
    ast.Is: "write ==",
    ast.IsNot: "write !=",
}
_HINTS: dict[type[ast.expr], str] = {
    ast.JoinedStr: "text is not put together on chain: emit the values",
    ast.Lambda: "there are no functions as values",
    ast.ListComp: "there are no comprehensions: write a for loop over range(...) of constants",
    ast.GeneratorExp: "there are no comprehensions: write a for loop over range(...) of constants",
    ast.NamedExpr: "assign on a line of its own",
    ast.Await: "nothing waits on chain",
    ast.List: "arrays come as arguments or from storage",
    ast.Tuple: "several values stand only after return",
}
_STATEMENT_CALLS = ("require", "emit", "transfer", "send_token", "take_token", "send_nft", "take_nft")


class ExpressionCompiler:
    """Compiles the expressions of one function.

    Parameters
    ----------
    names
        What the machine declares.
    scope
        Where the function stands.
    parameters
        Names of the first locals.
    """

    def __init__(self, names: Names, scope: Scope, parameters: Sequence[str] = ()) -> None:
        self.names = names
        self.source = names.source
        self.scope = scope
        self.locals = {name: number for number, name in enumerate(parameters)}

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        """Refuse what is written at a node."""
        self.source.fail(node, message)

    def make(
        self, node: ast.AST, op: str, args: Sequence[Expression] = (), data: bool | int | bytes | str = 0
    ) -> Expression:
        """Make an expression by the rules; refuse the node when they do."""
        return self.source.checked(node, self.scope.expression, op, args, data)

    def expression(self, node: ast.expr, wanted: Type | None = None) -> Expression:
        """Compile an expression.

        Parameters
        ----------
        wanted
            The type that a constant takes here; other expressions have theirs.

        Raises
        ------
        CompileError
            When it is not in the language.
        """
        constant = None if isinstance(node, ast.Name) and node.id in self.locals else self.names.fold(node)
        if constant is not None:
            return self._constant(node, constant, wanted)
        match node:
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node, wanted)
            case ast.BinOp(left=left, op=op, right=right):
                operation = _BINARY.get(type(op))
                if operation is None:
                    self.fail(node, _OPERATOR_HINTS.get(type(op), "there is no such operator"))
                return self.make(node, operation, self.pair(left, right, wanted))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.make(node, "not", [self.expression(operand, BOOL)])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.make(node, "neg", [self.expression(operand, INT)])
            case ast.BoolOp(op=op, values=[first, *rest]):
                found = self.expression(first, BOOL)
                for each in rest:
                    both = [found, self.expression(each, BOOL)]
                    found = self.make(node, "and" if isinstance(op, ast.And) else "or", both)
                return found
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compare(node, left, op, right)
            case ast.Compare():
                self.fail(node, "compare two values at a time: a < b and b < c")
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.make(node, "if", [self.expression(test, BOOL), *self.pair(body, other, wanted)])
        self.fail(node, _HINTS.get(type(node), f"{type(node).__name__} is not in the language"))

    def pair(self, left: ast.expr, right: ast.expr, wanted: Type | None = None) -> list[Expression]:
        """Compile two expressions of one type: a constant takes the type of the other."""
        if self.names.fold(left) is not None and self.names.fold(right) is None:
            other = self.expression(right, wanted)
            return [self.expression(left, other.type), other]
        one = self.expression(left, wanted)
        return [one, self.expression(right, one.type)]

    def _constant(self, node: ast.AST, value: Folded, wanted: Type | None) -> Expression:
        if isinstance(value, bool):
            kind = BOOL
        elif isinstance(value, int):
            kind = wanted if wanted in (UINT, INT) else (UINT if value >= 0 else INT)
        elif isinstance(value, str):
            kind = Type("string", bytes_bound(value))
        elif wanted is None or wanted not in (ADDRESS, BYTES32):
            plain = Type("bytes", len(value))
            word = {20: ADDRESS, 32: BYTES32}.get(len(value), plain)
            kind = word if wanted is None or wanted.kind != "bytes" else plain
        else:
            kind = wanted
        return self.source.checked(node, self.scope.constant, kind, value)

    def _name(self, node: ast.AST, name: str) -> Expression:
        if name in self.locals:
            return self.make(node, "local", data=self.locals[name])
        if name in self.names.fields or name in CONTEXT:
            self.fail(node, f"write self.{name}")
        self.fail(
            node, f"{name} has no value here: locals are assigned before, and before an if, not only in it"
        )

    def _attribute(self, node: ast.Attribute) -> Expression:
        names, attr = self.names, node.attr
        owner = _own(node.value, self.source.node.name)
        if owner is None:
            return self._member(node)
        if attr in CONTEXT and attr not in names.fields:
            return self.make(node, attr)
        if attr in names.fields:
            return self.make(node, "load", data=list(names.fields).index(attr))
        if attr in names.states:
            self.fail(node, f"a state is no value: write self.is_in(self.{attr})")
        self.fail(node, f"the machine has no {attr}")

    def _member(self, node: ast.Attribute) -> Expression:
        match node.value:
            case ast.Attribute(value=owner, attr=enum) if _own(owner, self.source.node.name):
                found = self.names.enums.get(enum)
                if found is not None:
                    if node.attr not in found.members:
                        self.fail(node, f"{enum} has no member {node.attr}")
                    kind = Type("enum", list(self.names.enums).index(enum))
                    number = found.members.index(node.attr)
                    return self.source.checked(node, self.scope.constant, kind, number)
        self.fail(node, "only the machine has attributes: write self.name, or self.Enumeration.member")

    def place(self, node: ast.expr) -> tuple[int, list[Expression]] | None:
        """Return the field and the keys that ``self.field[key]…`` names; None for anything else."""
        keys: list[ast.expr] = []
        while isinstance(node, ast.Subscript):
            keys.insert(0, node.slice)
            node = node.value
        if not isinstance(node, ast.Attribute) or not _own(node.value, self.source.node.name):
            return None
        if node.attr not in self.names.fields:
            return None
        field = list(self.names.fields).index(node.attr)
        kind, found = self.names.fields[node.attr].type, []
        for key in keys:
            if isinstance(key, ast.Tuple):
                self.fail(key, "one key at a time: write [a][b]")
            found.append(self.expression(key, kind.parts[0] if kind.kind == "mapping" else UINT))
            kind = kind.parts[-1] if kind.parts else kind
        return field, found

    def _subscript(self, node: ast.Subscript) -> Expression:
        place = self.place(node)
        if place is not None:
            field, keys = place
            return self.make(node, "load", keys, field)
        if isinstance(node.slice, ast.Slice):
            self.fail(node, "there are no slices")
        return self.make(node, "item", [self.expression(node.value), self.expression(node.slice, UINT)])

    def _compare(self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Expression:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._membership(node, left, right)
            return self.make(node, "not", [found]) if isinstance(op, ast.NotIn) else found
        name = _COMPARE.get(type(op))
        if name is None:
            self.fail(node, _OPERATOR_HINTS[type(op)])
        return self.make(node, name, self.pair(left, right))

    def _membership(self, node: ast.AST, left: ast.expr, right: ast.expr) -> Expression:
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            kinds = [self.expression(each).type for each in right.elts if self.names.fold(each) is None]
            one = self.expression(left, kinds[0] if kinds else None)
            return self.make(node, "in", [one, *[self.expression(each, one.type) for each in right.elts]])
        array = self.expression(right)
        element = array.type.parts[0] if array.type.parts else None
        return self.make(node, "contains", [array, self.expression(left, element)])

    def _call(self, node: ast.Call, wanted: Type | None) -> Expression:
        if node.keywords:
            self.fail(node, "arguments go by position here")
        match node.func, node.args:
            case ast.Attribute(value=ast.Name(id="self"), attr="is_in"), [ast.Attribute(attr=name)]:
                if name not in self.names.states:
                    self.fail(node, f"{name} is no state")
                return self.make(node, "state", data=list(self.names.states).index(name))
            case ast.Name(id=("min" | "max") as name), [left, right]:
                return self.make(node, name, self.pair(left, right, wanted))
            case ast.Name(id="keccak"), args:
                return self.make(node, "keccak", [self.expression(each) for each in args])
            case ast.Name(id="len"), [value]:
                kind = self.expression(value).type
                if kind.kind != "array":
                    self.fail(node, "only arrays have a length, and it is constant")
                return self._constant(node, kind.bound, wanted)
            case ast.Name(id="int256"), [value]:
                return self.make(node, "to_int", [self.expression(value, UINT)])
            case ast.Name(id="uint256"), [value]:
                return self.make(node, "to_uint", [self.expression(value, INT)])
            case ast.Name(id=name), _ if name in _STATEMENT_CALLS:
                self.fail(node, f"{name} is a statement of its own and has no value")
        self.fail(
            node,
            f"{ast.unparse(node.func)} cannot be called: a machine calls only require, emit, transfer, "
            "send_token, take_token, send_nft, take_nft, and in expressions keccak, min, max, len, int256, "
            "uint256, self.is_in",
        )


def _own(node: ast.expr, name: str) -> bool | None:
    """Tell whether an expression is the machine itself, or its class."""
    return True if isinstance(node, ast.Name) and node.id in ("self", name) else None
