"""JSON of applets: one encoding for each value, bounds on everything, time linear in the size."""

from __future__ import annotations

import json
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk import InvalidInput, UsageError
from chainstack_sdk.apps.sandbox import decode_json, encode_json
from chainstack_sdk.apps.sandbox.json_values import MAX_DEPTH, MAX_JSON, canonical_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**78) + 1, 10**78 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(VALUES)
def test_what_is_encoded_is_decoded(value) -> None:
    data = encode_json(value)
    assert decode_json(data) == value
    assert canonical_json(json.dumps(value, indent=2).encode()) == data


@given(st.binary(max_size=40) | st.text('[]{}",:\\0123e.-tfn ', max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_invalid(data: bytes) -> None:
    try:
        canonical = canonical_json(data)
    except InvalidInput:
        return
    assert canonical_json(canonical) == canonical


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not JSON"),
        (b"[1", "not JSON"),
        (b"\xff", "not JSON"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b'"abc\\', "not JSON"),
        (nested(MAX_DEPTH + 1), "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"NaN", "finite"),
        (b"-Infinity", "finite"),
        (b"1e999", "finite"),
        (b"9" * 79, "78 digits"),
        (b"9" * 1_000_000, "78 digits"),
        (b'{"a":1,"a":1}', "doubled key"),
        (b'"\\ud800"', "surrogates"),
    ],
)
def test_bad_json_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        canonical_json(data)


@pytest.mark.parametrize(
    ("data", "canonical"),
    [
        (b' { "b" : 1 , "a" : [ ] } ', b'{"a":[],"b":1}'),
        (b'"\\u00e9"', "\u00e9".encode().join([b'"', b'"'])),
        (b'"[[\\"{{"', b'"[[\\"{{"'),
        (b"-" + b"9" * 78, b"-" + b"9" * 78),
        (b"1E2", b"100.0"),
        (b'{"__proto__":{}}', b'{"__proto__":{}}'),
        (nested(MAX_DEPTH), nested(MAX_DEPTH)),
        (b'"' + b"[" * 500 + b'"', b'"' + b"[" * 500 + b'"'),
    ],
)
def test_there_is_one_encoding(data: bytes, canonical: bytes) -> None:
    assert canonical_json(data) == canonical


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b'\\"' * 500_000, b'"\\'])
def test_unfinished_text_takes_linear_time(data: bytes) -> None:
    before = process_time()
    with pytest.raises(InvalidInput):
        decode_json(data)
    assert process_time() - before < 2


class Odd(dict):
    pass


def circle() -> list:
    value: list = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (10**78, "78 digits"),
        (-(10**78), "78 digits"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        ({1: 2}, "key in JSON is text"),
        (b"bytes", "no such value"),
        ((1, 2), "no such value"),
        (circle(), "nested too deeply"),
        ("\ud800", "surrogates"),
        ({"\udfff": 1}, "surrogates"),
        ("x" * MAX_JSON, "too large"),
    ],
)
def test_what_json_has_no_word_for_is_the_callers_mistake(value, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        encode_json(value)
