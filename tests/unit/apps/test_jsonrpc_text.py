from __future__ import annotations

import json
import sys

import pytest

from chainstack_sdk.apps.jsonrpc.text import MAX_NESTING, parse_json
from chainstack_sdk.primitives.errors import InvalidInput


@pytest.mark.parametrize(
    "value", [{}, [], None, 1, "é", {"a": [1, 1.5, {"b": None}]}, [[]] * 1_000], ids=repr
)
def test_json(value) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1] 2",
        b"\xff\xfe{",
        "{}".encode("utf-16"),
        b'{"id": NaN}',
        b"-Infinity",
        b'{"id": ' + b"1" * 10_000 + b"}",
        b'"',
        b'"\\',
        b"[" * MAX_NESTING,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        parse_json(body)


@pytest.fixture
def no_recursion_limit():
    """As after importing web3, whose dependencies set it to 100,000."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'["]",' * 200_000,
        b'["\\"]",' * 200_000,
        b'["\\\\",' * 200_000,
        b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_deep_nesting_does_not_reach_the_parser(body: bytes, no_recursion_limit: None) -> None:
    with pytest.raises(InvalidInput, match="nested too deeply"):
        parse_json(body)


def test_brackets_in_strings_do_not_count() -> None:
    for value in (["[" * 1_000], ['"[' * 1_000, "\\"], [["]{"] * 1_000], {'\\"[': ["["] * 100}):
        assert parse_json(json.dumps(value).encode()) == value


def test_the_deepest_that_is_allowed() -> None:
    value: list = []
    for _ in range(MAX_NESTING - 1):
        value = [[], value]
    body = json.dumps(value).encode()
    assert body.count(b"[") > MAX_NESTING
    assert parse_json(body) == value
    with pytest.raises(InvalidInput, match="nested too deeply"):
        parse_json(b"[" + body + b"]")


def test_many_quotation_marks_take_linear_time() -> None:
    """A pattern that began anew at each of them would need hours."""
    with pytest.raises(InvalidInput, match="not JSON"):
        parse_json(b"[]" * (MAX_NESTING + 1) + b'"' + b'\\"' * 200_000 + b"\\")
