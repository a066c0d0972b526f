"""Human-readable ABI: one line of Solidity for each entry, as in ethers.

::

    function transfer(address to, uint256 value) returns (bool)
    function balanceOf(address owner) view returns (uint256)
    event Transfer(address indexed from, address indexed to, uint256 value)
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)
    constructor(string name, uint8 decimals)

A tuple is written as its members in parentheses, with or without the word ``tuple`` before them:
``(address to, uint256 value)[] payments``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from chainstack_sdk.primitives.abi.entries import Constructor, ErrorType, Event, Function, Param
from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MUTABILITIES = ("view", "pure", "payable", "nonpayable")
_VISIBILITIES = ("external", "public")
_LOCATIONS = ("memory", "calldata", "storage")
_MAX_NESTING = 32


def parse_signature(text: str) -> Function | Event | ErrorType | Constructor:
    """Return the ABI entry that a line of Solidity declares.

    Parameters
    ----------
    text
        A declaration beginning with ``function``, ``event``, ``error`` or ``constructor``; visibility,
        data locations and a final semicolon may be there and mean nothing.

    Raises
    ------
    UsageError
        When it is not one, or names an unknown type.
    """
    return _Parser(text).entry()


class _Parser:
    """Recursive descent over the words and marks of one declaration."""

    def __init__(self, text: str) -> None:
        import re

        self.text = text
        self.tokens = re.findall(r"[A-Za-z_$][A-Za-z0-9_$]*|[0-9]+|\S", text)
        if self.tokens[-1:] == [";"]:
            self.tokens.pop()
        self.at = 0
        self.depth = 0

    def entry(self) -> Function | Event | ErrorType | Constructor:
        kind = self.next()
        entry: Function | Event | ErrorType | Constructor
        if kind == "function":
            entry = self.function()
        elif kind == "event":
            entry = Event(self.name(), self.params(may_index=True))
        elif kind == "error":
            entry = ErrorType(self.name(), self.params())
        elif kind == "constructor":
            entry = Constructor(self.params(), self.mutability("payable", "nonpayable"))
        else:
            self.fail("function, event, error or constructor")
        if self.at < len(self.tokens):
            self.fail("the end")
        return entry

    def function(self) -> Function:
        name, inputs, mutability = self.name(), self.params(), self.mutability(*_MUTABILITIES)
        outputs = self.params() if self.accept("returns") else ()
        return Function(name, inputs, outputs, mutability)

    def mutability(self, *allowed: str) -> str:
        """Read the words between the parameters and the results: visibility and mutability."""
        self.accept(*_VISIBILITIES)
        found = self.accept(*allowed) or "nonpayable"
        self.accept(*_VISIBILITIES)
        return found

    def params(self, *, may_index: bool = False) -> tuple[Param, ...]:
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise UsageError("ABI signature is nested too deeply", expected=_MAX_NESTING)
        self.expect("(")
        found: list[Param] = []
        if not self.accept(")"):
            found.append(self.param(may_index))
            while self.accept(","):
                found.append(self.param(may_index))
            self.expect(")")
        self.depth -= 1
        return tuple(found)

    def param(self, may_index: bool) -> Param:
        self.accept("tuple")
        components: tuple[Param, ...] = ()
        if self.peek() == "(":
            components = self.params()
            kind = f"({','.join(member.type for member in components)})"
        else:
            kind = self.name()
        while self.accept("["):
            count = "" if self.peek() == "]" else self.next()
            self.expect("]")
            kind += f"[{count}]"
        indexed = may_index and self.accept("indexed") is not None
        self.accept(*_LOCATIONS)
        name = "" if self.peek() in (",", ")") else self.name()
        return Param(abi_type(kind).name, name, indexed, components)

    def name(self) -> str:
        token = self.next()
        if not (token.isascii() and (token[0].isalpha() or token[0] in "_$")):
            self.at -= 1
            self.fail("a name")
        return token

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next(self) -> str:
        token = self.peek()
        if token is None:
            self.fail("more")
        self.at += 1
        return token

    def accept(self, *tokens: str) -> str | None:
        """Read the next token if it is one of these."""
        token = self.peek()
        if token not in tokens:
            return None
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.accept(token) is None:
            self.fail(token)

    def fail(self, expected: str) -> NoReturn:
        raise UsageError(
            "ABI signature is not understood", expected=expected, actual=self.peek(), text=self.text
        )


def parse_abi(lines: Sequence[str]) -> tuple[Function | Event | ErrorType | Constructor, ...]:
    """Return the entries of a whole human-readable ABI, in order; see :func:`parse_signature`."""
    return tuple(parse_signature(line) for line in lines)
