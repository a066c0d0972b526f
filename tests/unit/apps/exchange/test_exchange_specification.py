"""Specifications: one encoding each, strictly read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import InvalidInput, UsageError
from chainstack_sdk.apps.exchange import MAX_SPECIFICATION, Specification
from chainstack_sdk.apps.sandbox.json_values import Json
from chainstack_sdk.primitives.keccak import keccak256

SPECIFICATION = Specification("Steps", {"days": 2, "b": None}, {"type": "integer"})
ENCODING = b'{"about":"Steps","input":{"b":null,"days":2},"schema":{"type":"integer"}}'


def test_there_and_back() -> None:
    assert SPECIFICATION.encode() == ENCODING
    assert Specification.decode(ENCODING) == SPECIFICATION
    assert SPECIFICATION.hash == keccak256(ENCODING)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"null",
        ENCODING + b" ",
        ENCODING.replace(b":", b": ", 1),
        ENCODING.replace(b'"about":"Steps"', b'"about":1'),
        ENCODING.replace(b'"about":"Steps",', b""),
        ENCODING.replace(b'"about"', b'"a":1,"about"'),
        ENCODING.replace(b"integer", b"int"),
        ENCODING.replace(b'{"type":"integer"}', b"true"),
        ENCODING.replace(b"Steps", b"\\ud800"),
        ENCODING.replace(b"2", b"9" * 79),
        b"[" * 10_000,
        b" " * (MAX_SPECIFICATION + 1),
    ],
)
def test_what_is_no_specification_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Specification.decode(data)


@given(st.binary() | st.text().map(lambda text: ENCODING.replace(b"Steps", text.encode())))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(InvalidInput):
        assert Specification.decode(data).encode() == data


def test_a_specification_has_bounds() -> None:
    room = MAX_SPECIFICATION - len(Specification("", None, {}).encode())
    Specification("x" * room, None, {})
    with pytest.raises(UsageError, match="too large"):
        Specification("x" * (room + 1), None, {})
    with pytest.raises(UsageError, match="no such value"):
        Specification("", b"bytes", {})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="not known here"):
        Specification("", None, {"format": "date"})
    deep: Json = {}
    for _ in range(5_000):
        deep = {"items": deep}
    with pytest.raises(UsageError, match="nested too deeply"):
        Specification("", None, deep)
