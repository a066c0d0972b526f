"""Whole classes: declarations, then functions, then the rules of whole machines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.compiler.names import Names
from chainstack_sdk.machines.compiler.source import Source, machine_source, text_source
from chainstack_sdk.machines.compiler.statements import StatementCompiler
from chainstack_sdk.machines.decoding import decode_machine
from chainstack_sdk.machines.encoding import encode_machine
from chainstack_sdk.machines.ir import (
    Enumeration,
    Field,
    Function,
    MachineIR,
    Parameter,
    Record,
    StateInfo,
    Timer,
    Transition,
    View,
)
from chainstack_sdk.machines.rules import CONTEXT, Scope, expect
from chainstack_sdk.machines.types import ADDRESS, BOOL, UINT, Type
from chainstack_sdk.machines.whole import check_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESERVED = (
    *("ir", "encoding", "identity", "abi", "gas", "check", "diagram", "report", "deploy", "at", "is_in"),
    *("state", "due", "poke"),
)
"""Names in a class that are not the author's: methods of ``Machine`` and functions that every machine has."""
CONSTRUCTOR_RESERVED = ("chain", "sender", "value", "gas", "unchecked")
"""Names of parameters of ``Machine.deploy``."""

_BASES = ("Enum", "Event", "Error")
_COMPILED = "_compiled_machine"


def compile_machine(cls: type) -> MachineIR:
    """Compile a class, once.

    Raises
    ------
    CompileError
        When it is not in the language; says where, and what to write instead.
    """
    found = vars(cls).get(_COMPILED)
    if not isinstance(found, MachineIR):
        found = compile_source(machine_source(cls))
        setattr(cls, _COMPILED, found)
    return found


def compile_text(text: str, filename: str = "<machine>") -> MachineIR:
    """Compile the first class of a text; nothing of it is run.

    Raises
    ------
    CompileError
        When it is not in the language.
    """
    return compile_source(text_source(text, filename))


def compile_source(source: Source) -> MachineIR:
    """Compile a class of which the source is known.

    Raises
    ------
    CompileError
        When it is not in the language.
    """
    return _ClassCompiler(source).machine()


class _ClassCompiler:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.names = Names(source)
        self.functions: list[ast.FunctionDef] = []

    def machine(self) -> MachineIR:
        node, names = self.source.node, self.names
        if [ast.unparse(base) for base in node.bases] != ["Machine"] or node.keywords or node.decorator_list:
            self.source.fail(node, f"a machine stands for itself: write class {node.name}(Machine)")
        self._declare(node.body)
        tables = names.tables
        self.source.checked(node, check_tables, tables)
        made: dict[str, list[Any]] = {"transition": [], "after": [], "view": [], "invariant": []}
        constructor, payable = Function((), ()), False
        for each in self.functions:
            if each.name == "__init__":
                payable = self._is_payable(each)
                constructor = self._constructor(each, payable)
            else:
                kind, call = self._declared(each)
                made[kind].append(getattr(self, f"_{kind}")(each, call))
        machine = MachineIR(
            node.name,
            *(tables.enums, tables.events, tables.errors, tables.states, tables.fields),
            constructor,
            tuple(made["transition"]),
            tuple(made["after"]),
            tuple(made["view"]),
            tuple(made["invariant"]),
            payable,
        )
        # what comes back has passed every rule of nodes: size, depth, names, cost
        return self.source.checked(node, decode_machine, encode_machine(machine))

    # Declarations

    def _declare(self, body: Sequence[ast.stmt]) -> None:
        classes = [each for each in body if isinstance(each, ast.ClassDef)]
        for each in classes:
            self._nested(each, "Enum")
        for statement in body:
            self._declare_one(statement)
        for each in classes:
            self._nested(each, "Event")
            self._nested(each, "Error")
            if len(each.bases) != 1 or ast.unparse(each.bases[0]) not in _BASES:
                self.source.fail(each, "a class in a machine is an Enum, an Event or an Error")

    def _declare_one(self, node: ast.stmt) -> None:
        names = self.names
        match node:
            case ast.Pass() | ast.ClassDef() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.FunctionDef():
                self._free(node, node.name)
                self.functions.append(node)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=None):
                self._free(node, name)
                names.fields[name] = Field(name, names.type_of(kind, node))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="State")) as call):
                self._free(node, name)
                names.states[name] = StateInfo(name, self._final(call))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="role")) as call):
                self._free(node, name)
                names.fields[name] = self._role(name, call)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self._free(node, name)
                constant = names.fold(value)
                if constant is None:
                    self.source.fail(value, "a class of a machine holds fields, states, roles and constants")
                names.constants[name] = constant
            case _:
                self.source.fail(node, "a class of a machine holds declarations and methods only")

    def _free(self, node: ast.stmt, name: str) -> None:
        names = self.names
        tables = (names.enums, names.states, names.fields, names.constants)
        taken = [table for table in tables if name in table]
        if name in RESERVED or name in CONTEXT or taken or any(name == each.name for each in self.functions):
            self.source.fail(node, f"the name {name} is taken")

    def _final(self, call: ast.Call) -> bool:
        match call:
            case ast.Call(args=[], keywords=[]):
                return False
            case ast.Call(
                args=[], keywords=[ast.keyword(arg="final", value=ast.Constant(value=bool(final)))]
            ):
                return final
        self.source.fail(call, "write State() or State(final=True)")

    def _role(self, name: str, call: ast.Call) -> Field:
        given = {"threshold": 1} | {
            each.arg: self.names.fold(each.value) for each in call.keywords if each.arg is not None
        }
        for key, each in zip(("members", "more"), call.args, strict=False):
            given[key] = self.names.fold(each)
        match given:
            case {"threshold": 1, **rest} if not rest and not call.args:
                return Field(name, ADDRESS, 1)
            case {"members": int(members), "threshold": int(threshold)} if len(given) == 2 and threshold > 0:
                return Field(name, Type("array", members, (ADDRESS,)), threshold)
        self.source.fail(call, "write role(), or role(3, threshold=2) with constants")

    def _nested(self, node: ast.ClassDef, base: str) -> None:
        if [ast.unparse(each) for each in node.bases] != [base]:
            return
        names = self.names
        if base == "Enum":
            self._free(node, node.name)
            names.enums[node.name] = Enumeration(node.name, tuple(self._members(node)))
            return
        table = names.events if base == "Event" else names.errors
        if node.name in names.events or node.name in names.errors:
            self.source.fail(node, f"the name {node.name} is taken")
        table[node.name] = Record(node.name, tuple(self._record_parameters(node, base)))

    def _members(self, node: ast.ClassDef) -> Iterator[str]:
        for number, each in enumerate(_without_text(node.body)):
            match each:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self.names.fold(value) == number:
                    yield name
                case _:
                    self.source.fail(each, f"members are numbered from 0 on: write name = {number}")

    def _record_parameters(self, node: ast.ClassDef, base: str) -> Iterator[Parameter]:
        for each in _without_text(node.body):
            match each:
                case ast.Pass():
                    pass
                case ast.AnnAssign(
                    target=ast.Name(id=name),
                    annotation=ast.Subscript(value=ast.Name(id="Indexed"), slice=kind),
                    value=None,
                ) if base == "Event":
                    yield Parameter(_plain(name), self.names.type_of(kind, each), True)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=None):
                    yield Parameter(_plain(name), self.names.type_of(kind, each))
                case _:
                    self.source.fail(each, "parameters are written name: type")

    # Functions

    def _declared(self, node: ast.FunctionDef) -> tuple[str, ast.Call | None]:
        match node.decorator_list:
            case [ast.Name(id=("view" | "invariant") as kind)]:
                return kind, None
            case [ast.Call(func=ast.Name(id=("transition" | "after") as kind)) as call]:
                return kind, call
        self.source.fail(
            node, f"say what {node.name} is: @transition(state, ...), @after(...), @view or @invariant"
        )

    def _function(self, node: ast.FunctionDef, kind: str, *, payable: bool = False) -> Function:
        arguments = node.args
        odd = [*arguments.posonlyargs, *arguments.kwonlyargs, *arguments.defaults]
        if (
            odd
            or arguments.vararg
            or arguments.kwarg
            or not arguments.args
            or arguments.args[0].arg != "self"
        ):
            self.source.fail(node, "parameters are self and then name: type, without defaults")
        parameters = tuple(
            [
                Parameter(_plain(each.arg), self.names.type_of(each.annotation, each))
                for each in arguments.args[1:]
            ]
        )
        scope = Scope(self.names.tables, kind, payable=payable, parameters=[each.type for each in parameters])
        compiler = StatementCompiler(self.names, scope, [each.arg for each in arguments.args[1:]])
        body, last = list(node.body), node.body[-1]
        wanted = self._results(node)
        values: list[ast.expr] = []
        if isinstance(last, ast.Return):
            body.pop()
            if last.value is not None:
                values = list(last.value.elts) if isinstance(last.value, ast.Tuple) else [last.value]
        done = compiler.block(body)
        if len(values) != len(wanted):
            self.source.fail(
                last, f"{node.name} returns {len(wanted)} values at its end, as it says after ->"
            )
        results = []
        for value, result in zip(values, wanted, strict=True):
            made = compiler.expression(value, result)
            self.source.checked(value, expect, result, made)
            results.append(made)
        return Function(parameters, done, tuple(results))

    def _results(self, node: ast.FunctionDef) -> list[Type]:
        match node.returns:
            case None:
                self.source.fail(node, "say what it returns: -> None, -> uint256")
            case ast.Constant(value=None):
                return []
            case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=kinds)):
                return [self.names.type_of(each, node) for each in kinds]
            case kind:
                return [self.names.type_of(kind, node)]

    def _is_payable(self, node: ast.FunctionDef) -> bool:
        match node.decorator_list:
            case []:
                return False
            case [ast.Name(id="payable")]:
                return True
        self.source.fail(node, "of what stands before a method, __init__ takes @payable only")

    def _constructor(self, node: ast.FunctionDef, payable: bool) -> Function:
        for each in node.args.args:
            if _plain(each.arg) in CONSTRUCTOR_RESERVED:
                self.source.fail(each, f"{each.arg} is a parameter of deploy: take another name")
        return self._function(node, "constructor", payable=payable)

    def _transition(self, node: ast.FunctionDef, call: ast.Call) -> Transition:
        given = self._arguments(call, ("source", "target"), ("source", "target", "payable", "by"))
        if "source" not in given:
            self.source.fail(call, "say in which state it may be called: @transition(state, target)")
        source = given["source"]
        starts = source.elts if isinstance(source, ast.Tuple) else [source]
        sources = tuple(sorted([self._state(each) for each in starts]))
        target = self._state(given["target"]) if "target" in given else None
        payable = self.names.fold(given["payable"]) if "payable" in given else False
        if not isinstance(payable, bool):
            self.source.fail(given["payable"], "payable is True or False")
        role = None
        if "by" in given:
            match given["by"]:
                case ast.Name(id=name) if name in self.names.fields and self.names.fields[name].threshold:
                    role = list(self.names.fields).index(name)
                case other:
                    self.source.fail(other, "by is a role: write name = role() above")
        function = self._function(node, "transition", payable=payable)
        return Transition(node.name, sources, target, payable, role, function)

    def _after(self, node: ast.FunctionDef, call: ast.Call) -> Timer:
        order = ("source", "delay", "target")
        given = self._arguments(call, order, order)
        if len(given) < len(order):
            self.source.fail(call, "write @after(state, delay, target)")
        wait = given["delay"]
        if isinstance(wait, ast.Lambda):
            wait = wait.body
        compiler = StatementCompiler(self.names, Scope(self.names.tables, "timer"))
        delay = compiler.expression(wait, UINT)
        self.source.checked(given["delay"], expect, UINT, delay)
        function = self._function(node, "timer")
        if function.parameters or function.results:
            self.source.fail(node, "what happens by itself takes and returns nothing")
        return Timer(
            node.name, self._state(given["source"]), delay, self._state(given["target"]), function.body
        )

    def _view(self, node: ast.FunctionDef, call: None) -> View:
        return View(node.name, self._function(node, "view"))

    def _invariant(self, node: ast.FunctionDef, call: None) -> View:
        made = View(node.name, self._function(node, "invariant"))
        if [each.type for each in made.function.results] != [BOOL]:
            self.source.fail(node, "an invariant returns bool")
        return made

    def _arguments(self, call: ast.Call, order: Sequence[str], names: Sequence[str]) -> dict[str, ast.expr]:
        given = dict(zip(order, call.args, strict=False))
        given |= {
            each.arg: each.value for each in call.keywords if each.arg is not None and each.arg in names
        }
        if len(given) < len(call.args) + len(call.keywords):
            self.source.fail(call, f"{ast.unparse(call.func)} takes ({', '.join(names)})")
        return given

    def _state(self, node: ast.expr) -> int:
        match node:
            case ast.Name(id=name) if name in self.names.states:
                return list(self.names.states).index(name)
        self.source.fail(node, "this is no state: write name = State() above")


def _plain(name: str) -> str:
    """Return a name as the ABI has it: ``from_`` stands for ``from``."""
    return name.removesuffix("_") if len(name) > 1 else name


def _without_text(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return what a class holds besides its docstring."""
    return [
        each for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]
