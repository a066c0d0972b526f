"""From the name of a type to its compiled form."""

from __future__ import annotations

from functools import lru_cache

from chainstack_sdk.primitives.abi.containers import array_type, fixed_array_type, tuple_type
from chainstack_sdk.primitives.abi.values import (
    ADDRESS,
    BOOL,
    BYTES,
    STRING,
    AbiType,
    fixed_bytes_type,
    int_type,
    uint_type,
)
from chainstack_sdk.primitives.errors import UsageError

_MAX_NESTING = 32
_SIMPLE = {
    "address": ADDRESS,
    "bool": BOOL,
    "bytes": BYTES,
    "string": STRING,
    "uint": uint_type("uint256", 256),
    "int": int_type("int256", 256),
}
_SIZED = (
    ("uint", 256, 8, uint_type),
    ("int", 256, 8, int_type),
    ("bytes", 32, 1, fixed_bytes_type),
)


@lru_cache(maxsize=4096)
def abi_type(name: str) -> AbiType:
    """Return the compiled type of this name; ``uint`` and ``int`` are short for 256 bits.

    Raises
    ------
    UsageError
        When there is no such type, or tuples and arrays are nested more than 32 deep.
    """
    return _compile(name, 0)


def _compile(name: str, depth: int) -> AbiType:
    if depth > _MAX_NESTING:
        raise UsageError("ABI type is nested too deeply", expected=_MAX_NESTING)
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        if not count:
            return array_type(_compile(element, depth + 1))
        return fixed_array_type(_compile(element, depth + 1), _number(count, name))
    if name.startswith("(") and name.endswith(")") and len(name) > 2:
        return tuple_type([_compile(part, depth + 1) for part in _split(name[1:-1])])
    if name in _SIMPLE:
        return _SIMPLE[name]
    for stem, highest, step, make in _SIZED:
        if name.startswith(stem) and name != stem:
            size = _number(name[len(stem) :], name)
            if size <= highest and size % step == 0:
                return make(name, size)
    raise UsageError("no such ABI type", actual=name)


def _number(text: str, name: str) -> int:
    """Return the positive number in a type's name."""
    if not (text.isascii() and text.isdigit()) or text[0] == "0" or len(text) > 9:
        raise UsageError("no such ABI type", actual=name)
    return int(text)


def _split(inside: str) -> list[str]:
    """Split the inside of a tuple at the commas that are not inside an inner tuple."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(inside):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(inside[start:at])
            start = at + 1
    parts.append(inside[start:])
    return parts
