"""JSON in and out of applets: bounded, strict, and with one encoding for each value.

The canonical encoding is UTF-8 without white space, the keys of objects in order of their code points.
Accepted are numbers that are finite, whole numbers of at most 78 digits (2**256 has 78), nesting up to
:data:`MAX_DEPTH`, text without lone surrogates, and objects without doubled keys.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import NoReturn, TypeAlias

from chainstack_sdk.primitives.errors import InvalidInput, UsageError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value."""

MAX_DEPTH = 64
"""How deep lists and objects may be nested."""

MAX_JSON = 16 << 20
"""The largest input or record, in bytes of its canonical encoding: 16 MiB."""

_MAX_DIGITS = 78
_TOO_LARGE = 10**_MAX_DIGITS

# An unfinished string is one token up to the end; were it tried anew at each quote, time would be quadratic.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


def encode_json(value: Json) -> bytes:
    """Return the canonical encoding of a value of the caller's.

    Raises
    ------
    UsageError
        When it is not a JSON value as this module bounds them, or takes more than :data:`MAX_JSON` bytes.
    """
    _check(value, MAX_DEPTH)
    try:
        data = _dump(value)
    except UnicodeEncodeError:
        raise UsageError("text in JSON does not hold lone surrogates") from None
    if len(data) > MAX_JSON:
        raise UsageError("a JSON value is too large", limit=MAX_JSON, actual=len(data))
    return data


def decode_json(data: bytes) -> Json:
    """Return the value that JSON text stands for; it need not be in its canonical encoding.

    Raises
    ------
    InvalidInput
        When it is not JSON as this module bounds it.
    """
    _check_depth(data)
    try:
        value: Json = json.loads(
            data.decode(),
            parse_float=_float,
            parse_int=_int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except ValueError:
        raise InvalidInput("not JSON", size=len(data)) from None
    return value


def canonical_json(data: bytes) -> bytes:
    """Return the canonical encoding of the value that JSON text stands for.

    Raises
    ------
    InvalidInput
        As :func:`decode_json`, and for lone surrogates.
    """
    return recode(decode_json(data))


def recode(value: Json) -> bytes:
    """Return the canonical encoding of a decoded value.

    Raises
    ------
    InvalidInput
        When its text holds lone surrogates.
    """
    try:
        return _dump(value)
    except UnicodeEncodeError:
        raise InvalidInput("text in JSON does not hold lone surrogates") from None


def _dump(value: Json) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _check(value: object, depth: int) -> None:
    """Refuse what JSON has no word for, before the encoder sees it: it would recurse without bound."""
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) >= _TOO_LARGE:
                raise UsageError("a whole number in JSON has at most 78 digits", bits=value.bit_length())
        case float():
            if not isfinite(value):
                raise UsageError("a number in JSON is finite", actual=value)
        case list() | dict():
            if not depth:
                raise UsageError("a JSON value is nested too deeply", limit=MAX_DEPTH)
            if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
                raise UsageError("a key in JSON is text")
            for item in value.values() if isinstance(value, dict) else value:
                _check(item, depth - 1)
        case _:
            raise UsageError("JSON has no such value", actual=type(value).__name__)


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting by counting brackets outside of strings, as the decoder would recurse."""
    depth = 0
    for token in _TOKENS.finditer(data):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidInput("JSON is nested too deeply", limit=MAX_DEPTH)
        elif first in b"]}":
            depth -= 1


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS + digits.startswith("-"):
        raise InvalidInput("a whole number in JSON has at most 78 digits", digits=len(digits))
    return int(digits)


def _float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise InvalidInput("a number in JSON is finite", text=text)
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput("a number in JSON is finite", text=name)


def _object(pairs: list[tuple[str, Json]]) -> Json:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise InvalidInput("an object in JSON has a doubled key")
    return entries
