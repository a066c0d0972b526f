"""Statements: from Python's syntax tree to blocks by the rules."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from chainstack_sdk.machines.compiler.expressions import ExpressionCompiler
from chainstack_sdk.machines.rules import TOKENS, fits
from chainstack_sdk.machines.types import ADDRESS, BOOL, UINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.machines.ir import Block, Expression, Record, Statement
    from chainstack_sdk.machines.types import Type

_HINTS: dict[type[ast.stmt], str] = {
    ast.While: "loops have a known number of turns: write for i in range(...) with constants",
    ast.Try: "a refusal cannot be caught: it undoes the whole call",
    ast.With: "there are no contexts",
    ast.Raise: 'write require(condition, "reason") or require(False, "reason")',
    ast.Assert: 'write require(condition, "reason")',
    ast.Delete: "assign 0, False, an empty text or ZERO_ADDRESS",
    ast.Return: "return stands at the end of the function: choose the value with if ... else before",
    ast.Break: "a loop runs to its end: put what follows under an if",
    ast.Continue: "a turn runs to its end: put what follows under an if",
    ast.FunctionDef: "there are no functions in functions",
    ast.Import: "a machine uses nothing but the language",
    ast.ImportFrom: "a machine uses nothing but the language",
    ast.Global: "what lasts is in fields: self.name",
}


class StatementCompiler(ExpressionCompiler):
    """Compiles the body of one function."""

    def block(self, nodes: Sequence[ast.stmt]) -> Block:
        """Compile statements; the caller has opened their block."""
        return tuple([made for node in nodes for made in self._statement(node)])

    def inner(self, nodes: Sequence[ast.stmt], counter: str | None = None) -> Block:
        """Compile the statements of a block of their own, whose locals go when it ends."""
        outside = dict(self.locals)
        with self.scope.block(counter=counter is not None):
            if counter is not None:
                self.locals[counter] = len(self.scope.locals) - 1
            made = self.block(nodes)
        self.locals = outside
        return made

    def put(
        self,
        node: ast.AST,
        op: str,
        args: Sequence[Expression] = (),
        data: int | str | tuple[int, ...] = 0,
        blocks: Sequence[Block] = (),
    ) -> Statement:
        """Make a statement by the rules; refuse the node when they do."""
        return self.source.checked(node, self.scope.statement, op, args, data, blocks)

    def _statement(self, node: ast.stmt) -> Iterator[Statement]:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                return
            case ast.Expr(value=ast.Call() as call):
                yield self._do(call)
            case ast.Assign(targets=[target], value=value):
                yield self._assign(node, target, value, None)
            case ast.AnnAssign(target=ast.Name() as target, annotation=kind, value=ast.expr() as value):
                yield self._assign(node, target, value, self.names.type_of(kind, node))
            case ast.AugAssign(target=target, op=op, value=value):
                yield self._augment(node, target, op, value)
            case ast.If(test=test, body=then, orelse=otherwise):
                condition = self.expression(test, BOOL)
                blocks = [self.inner(then), self.inner(otherwise)]
                yield self.put(node, "if", [condition], 0, blocks)
            case ast.For():
                yield self._loop(node)
            case _:
                self.fail(node, _HINTS.get(type(node), f"{type(node).__name__} is not in the language"))

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr, kind: Type | None) -> Statement:
        match target:
            case ast.Name(id=name) if name in self.locals:
                number = self.locals[name]
                return self.put(node, "set", [self.expression(value, self.scope.local(number))], number)
            case ast.Name(id=name):
                made = self.expression(value, kind)
                if kind is not None and not fits(kind, made.type):
                    self.fail(node, f"{name} is said to be {kind} and gets {made.type}")
                statement = self.put(node, "let", [made])
                self.locals[name] = len(self.scope.locals) - 1
                return statement
        place = self.place(target)
        if place is None:
            self.fail(target, "assign to a local, or to a field: self.name, self.name[key]")
        field, keys = place
        wanted = self.source.checked(target, self.scope.place, field, keys)
        return self.put(node, "store", [*keys, self.expression(value, wanted)], field)

    def _augment(self, node: ast.stmt, target: ast.expr, op: ast.operator, value: ast.expr) -> Statement:
        place = self.place(target)
        if place is not None and isinstance(op, ast.Add | ast.Sub):
            field, keys = place
            if self.source.checked(target, self.scope.place, field, keys) == UINT:
                change = "increase" if isinstance(op, ast.Add) else "decrease"
                return self.put(node, change, [*keys, self.expression(value, UINT)], field)
        both = ast.copy_location(ast.BinOp(left=target, op=op, right=value), node)
        return self._assign(node, target, both, None)

    def _loop(self, node: ast.For) -> Statement:
        hint = "write for i in range(n) with a constant n"
        match node:
            case ast.For(
                target=ast.Name(id=name),
                iter=ast.Call(func=ast.Name(id="range"), args=[_] | [_, _] as ends, keywords=[]),
                orelse=[],
            ):
                numbers = [self._constant_end(each, hint) for each in ends]
            case _:
                self.fail(node, hint)
        if name in self.locals:
            self.fail(node, f"{name} is taken: count with another name")
        start, stop = numbers if len(numbers) == 2 else (0, numbers[0])
        body = self.inner(node.body, name)
        return self.put(node, "for", (), (start, max(start, stop)), [body])

    def _constant_end(self, node: ast.expr, hint: str) -> int:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                made = self.expression(node, UINT)
                return int(made.data)
        value = self.names.fold(node)
        if type(value) is not int:
            self.fail(node, hint)
        return value

    # Calls

    def _do(self, node: ast.Call) -> Statement:
        if node.keywords:
            self.fail(node, "arguments go by position here")
        match node.func, node.args:
            case ast.Name(id="require"), [condition, refusal]:
                return self._require(node, condition, refusal)
            case ast.Name(id="require"), [_]:
                self.fail(node, 'say why it is refused: require(condition, "reason")')
            case ast.Name(id="emit"), [ast.Call() as made]:
                number, args = self._record(made, self.names.events, "event")
                return self.put(node, "emit", args, number)
            case ast.Name(id="emit"), _:
                self.fail(node, "write emit(self.Name(values)) with an event of the machine")
            case ast.Name(id="transfer"), [to, amount]:
                return self.put(node, "pay", [self.expression(to, ADDRESS), self.expression(amount, UINT)])
            case ast.Name(id=name), [token, party, amount] if name in TOKENS:
                parties = [self.expression(each, ADDRESS) for each in (token, party)]
                return self.put(node, name, [*parties, self.expression(amount, UINT)])
            case ast.Name(id=("transfer" | "send_token" | "take_token" | "send_nft" | "take_nft") as name), _:
                count = "to, amount" if name == "transfer" else "token, account, amount or id"
                self.fail(node, f"{name} takes ({count})")
        value = self.expression(node)
        self.fail(node, f"this has a value, {value.type}, that nobody takes")

    def _require(self, node: ast.Call, condition: ast.expr, refusal: ast.expr) -> Statement:
        test = self.expression(condition, BOOL)
        reason = self.names.fold(refusal)
        if isinstance(reason, str):
            return self.put(node, "require", [test], reason)
        if not isinstance(refusal, ast.Call):
            self.fail(refusal, "the reason is a constant text, or an error of the machine: self.Name(values)")
        number, args = self._record(refusal, self.names.errors, "error")
        return self.put(node, "require", [test, *args], number)

    def _record(self, node: ast.Call, table: dict[str, Record], what: str) -> tuple[int, list[Expression]]:
        match node.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in (
                "self",
                self.source.node.name,
            ):
                record = table.get(name)
            case _:
                record, name = None, ast.unparse(node.func)
        if record is None:
            self.fail(node, f"{name} is no {what} of the machine: write self.Name(values)")
        given = {each.name: value for each, value in zip(record.parameters, node.args, strict=False)}
        for keyword in node.keywords:
            given[(keyword.arg or "").removesuffix("_")] = keyword.value
        wanted = [each.name for each in record.parameters]
        if sorted(given) != sorted(wanted) or len(node.args) + len(node.keywords) != len(wanted):
            self.fail(node, f"{name} takes ({', '.join(wanted)})")
        return list(table).index(name), [
            self.expression(given[each.name], each.type) for each in record.parameters
        ]
