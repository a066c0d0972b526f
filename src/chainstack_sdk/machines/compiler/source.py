"""Finding the source of a machine, and pointing into it.

The lines come from the file that Python compiled the class from, wherever in the file it stands: a module, or
a block of Python in a text.
"""

from __future__ import annotations

import ast
import linecache
import re
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, NoReturn

from chainstack_sdk.machines.errors import CompileError, InvalidMachine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A class in the machine language."""

    node: ast.ClassDef
    filename: str
    indent: int = 0
    """Columns that were cut off in front of each line."""

    def lines(self) -> dict[str, int]:
        """Return the line on which each name of the class is declared, from 1."""
        found: dict[str, int] = {}
        for each in self.node.body:
            match each:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found[name] = each.lineno
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    found[name] = each.lineno
        return found

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        """Refuse what is written at a node.

        Raises
        ------
        CompileError
            Always.
        """
        line, column = getattr(node, "lineno", self.node.lineno), getattr(node, "col_offset", 0)
        raise CompileError(message, filename=self.filename, line=line, column=column + 1 + self.indent)

    def checked(self, node: ast.AST, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something; what breaks a rule is refused at a node.

        Raises
        ------
        CompileError
            When it breaks one.
        """
        try:
            return act(*args, **kwargs)
        except InvalidMachine as error:
            self.fail(node, str(error))


def machine_source(cls: type) -> Source:
    """Return the source of a class.

    Raises
    ------
    CompileError
        When Python does not know the lines any more, or there are no methods to tell where the class is.
    """
    codes = [value.__code__ for value in vars(cls).values() if isinstance(value, FunctionType)]
    filename = codes[0].co_filename if codes else "<unknown>"
    lines = linecache.getlines(filename)
    mine = [code.co_firstlineno for code in codes if code.co_filename == filename]
    pattern = re.compile(rf"(\s*)class\s+{cls.__name__}\b")
    for first in range(min([*mine, len(lines)], default=0) - 1, -1, -1):
        head = pattern.match(lines[first])
        if head:
            return _parsed(_block(lines, first, len(head[1])), filename, first, len(head[1]))
    raise CompileError(
        f"the source of {cls.__name__} is not to be found: machines are compiled from the file they are "
        "written in, and have at least one method",
        filename=filename,
        line=1,
        column=1,
    )


def text_source(text: str, filename: str = "<machine>") -> Source:
    """Return the first class of a text.

    Raises
    ------
    CompileError
        When there is none, or the text is no Python.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise _not_python(error, filename, 0, 0) from error
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            return Source(node, filename)
    raise CompileError("there is no class here", filename=filename, line=1, column=1)


def _block(lines: list[str], first: int, indent: int) -> str:
    """Return the lines of a class without their indent: up to the first that stands no further in."""
    kept = [lines[first][indent:]]
    for line in lines[first + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        kept.append(line[indent:] if line.strip() else "\n")
    return "".join(kept)


def _parsed(text: str, filename: str, before: int, indent: int) -> Source:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise _not_python(error, filename, before, indent) from error
    ast.increment_lineno(tree, before)
    (node,) = tree.body
    assert isinstance(node, ast.ClassDef)
    return Source(node, filename, indent)


def _not_python(error: SyntaxError, filename: str, before: int, indent: int) -> CompileError:
    line, column = (error.lineno or 1) + before, (error.offset or 1) + indent
    return CompileError(f"not Python: {error.msg}", filename=filename, line=line, column=column)
