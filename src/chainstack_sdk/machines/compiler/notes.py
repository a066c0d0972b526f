"""What a machine's source says besides its meaning: words for people, and names of locals.

None of it is in the encoding. Reports show it where the source is at hand.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.machines.compiler.source import Source


@dataclass(frozen=True, slots=True)
class Notes:
    """What is known from the source; nothing by default."""

    text: str = ""
    """The docstring of the class."""
    functions: dict[str, str] = field(default_factory=dict)
    """Docstrings of methods by name, that of ``__init__`` too; only those that have one."""
    fields: dict[str, str] = field(default_factory=dict)
    """Docstrings below fields, roles and states by name."""
    locals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By name of the method: the names of its locals, in the order in which they are declared."""


def notes_of(source: Source) -> Notes:
    """Return what a source says besides its meaning; it compiles, which is not checked here."""
    body = source.node.body
    methods = [each for each in body if isinstance(each, ast.FunctionDef)]
    texts = {each.name: ast.get_docstring(each) or "" for each in methods}
    return Notes(
        ast.get_docstring(source.node) or "",
        {name: text for name, text in texts.items() if text},
        dict(_below(body)),
        {each.name: tuple(_declared(each.body, {arg.arg for arg in each.args.args})) for each in methods},
    )


def _below(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield names of declarations that a text follows, with the text."""
    for declared, text in pairwise(body):
        match declared, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, words


def _declared(body: Sequence[ast.stmt], known: set[str]) -> Iterator[str]:
    """Yield names of locals as the compiler numbers them: those of a block are forgotten when it ends."""
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name not in known:
                    known.add(name)
                    yield name
            case ast.If(body=then, orelse=otherwise):
                yield from _declared(then, {*known})
                yield from _declared(otherwise, {*known})
            case ast.For(target=ast.Name(id=name), body=turn):
                yield name
                yield from _declared(turn, {*known, name})
