"""From the bytes that a transport received to JSON values, whoever sent them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from typing import NoReturn

MAX_NESTING = 32
"""Arrays and objects within each other; the deepest request that means anything has seven."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
"""A string, or what is left when it does not end; matches at every quotation mark, so in linear time."""
_BRACKETS = b"[]{}"
_OPENING = b"[{"
_OTHER_BYTES = bytes(byte for byte in range(256) if byte not in _BRACKETS)


def parse_json(body: bytes) -> Any:
    """Parse JSON in UTF-8.

    Python's parser recurses and is kept from overrunning the stack by the interpreter's recursion limit
    alone, which common packages raise far beyond what the stack can take. So nesting is counted first.

    Raises
    ------
    InvalidInput
        When it is not JSON, is nested too deeply, or has an integer of more digits than Python reads.
    """
    if _is_nested_deeply(body):
        raise InvalidInput("nested too deeply", expected=MAX_NESTING)
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except ValueError as error:
        raise InvalidInput("not JSON") from error


def _is_nested_deeply(body: bytes) -> bool:
    """Tell whether brackets outside of strings are nested too deeply, at least as far as this is JSON."""
    if body.count(b"[") + body.count(b"{") <= MAX_NESTING:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _OTHER_BYTES):
        depth += 1 if bracket in _OPENING else -1
        if depth > MAX_NESTING:
            return True
    return False


def _refuse(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would read."""
    raise ValueError(name)
