"""The part of JSON Schema that tasks use: each keyword, what is refused, and that no value is repeated."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk import InvalidInput
from chainstack_sdk.apps.exchange import check_schema, check_value
from chainstack_sdk.apps.exchange import schema as schema_module
from chainstack_sdk.apps.exchange.schema import TYPES
from chainstack_sdk.apps.sandbox.json_values import recode

PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}, "names": {"items": {"type": "string"}}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "null"}, [None], [0, False, "", [], {}]),
        ({"type": "boolean"}, [True, False], [0, 1, None]),
        ({"type": "integer"}, [0, -5, 3.0, 10**70], [True, 3.5, "3"]),
        ({"type": "number"}, [0, 3.5], [True, "3", None]),
        ({"type": "string"}, ["", "x"], [None, 1, ["x"]]),
        ({"type": "array"}, [[], [1]], [{}, "x"]),
        ({"type": "object"}, [{}, {"a": 1}], [[], None]),
        ({"type": ["null", "integer"]}, [None, 1], [1.5, "x"]),
        ({"enum": ["a", 1, None]}, ["a", 1, None], ["b", True, 1.0, 0]),
        ({"const": {"a": [1]}}, [{"a": [1]}], [{"a": [True]}, {"a": 1}]),
        ({"const": False}, [False], [0, None]),
        ({"minimum": 2}, [2, 2.5, "x", None, True], [1, 1.99]),
        ({"maximum": 2.5}, [2.5, -9, "xxx"], [3, 2.51]),
        ({"minLength": 2}, ["ab", 1, []], ["a", ""]),
        ({"maxLength": 2}, ["ab", 123], ["abc"]),
        ({"minItems": 1}, [[0], "", {}], [[]]),
        ({"maxItems": 1}, [[0], [], "ab"], [[0, 0]]),
        ({"items": {"type": "integer"}}, [[], [1, 2], "x"], [[1, "2"], [[1]]]),
        ({"properties": {"a": {"type": "null"}}}, [{}, {"a": None}, {"b": 1}, 5], [{"a": 1}]),
        ({"required": ["a"]}, [{"a": None}, []], [{}, {"b": 1}]),
        ({"additionalProperties": False}, [{}, [1]], [{"a": 1}]),
        ({"additionalProperties": True}, [{"a": 1}], []),
        ({"title": "t", "description": "d"}, [None, 1, "x"], []),
        ({}, [None, {"a": [1]}], []),
        (PERSON, [{"age": 3}, {"age": 0, "names": ["x"]}], [{}, {"age": -1}, {"age": 1, "x": 1}]),
        (PERSON, [], [{"age": 1, "names": [1]}, {"age": "1"}]),
    ],
)
def test_keywords_mean_what_they_say(schema, good, bad) -> None:
    check_schema(schema)
    for value in good:
        check_value(schema, value)
    for value in bad:
        with pytest.raises(InvalidInput, match="does not fit"):
            check_value(schema, value)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (True, "a JSON object"),
        (None, "a JSON object"),
        ({"pattern": "(a+)+$"}, "not known here"),
        ({"$ref": "#"}, "not known here"),
        ({"properties": {"a": {"anyOf": []}}}, "not known here"),
        ({"items": {"items": {"format": "date"}}}, "not known here"),
        ({"type": "int"}, "wrong value"),
        ({"type": []}, "wrong value"),
        ({"type": [{}]}, "wrong value"),
        ({"enum": "ab"}, "wrong value"),
        ({"minimum": True}, "wrong value"),
        ({"maximum": "9"}, "wrong value"),
        ({"minLength": -1}, "wrong value"),
        ({"maxItems": 1.5}, "wrong value"),
        ({"maxLength": True}, "wrong value"),
        ({"items": [{}]}, "wrong value"),
        ({"properties": []}, "wrong value"),
        ({"properties": {"a": 1}}, "a JSON object"),
        ({"required": "a"}, "wrong value"),
        ({"required": [1]}, "wrong value"),
        ({"additionalProperties": {}}, "wrong value"),
        ({"title": 1}, "wrong value"),
        ({"description": None}, "wrong value"),
    ],
)
def test_what_is_no_schema_is_refused(schema, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_schema(schema)


def test_a_refusal_tells_nothing_of_the_value() -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_value({"maxLength": 3}, "a secret")
    assert str(refusal.value) == "a value does not fit its schema (keyword maxLength)"


def test_large_rules_and_large_values_do_not_multiply(monkeypatch) -> None:
    """A buyer writes both, and a wallet checks them outside of the sandbox's limits."""
    encoded = 0

    def counted(value):
        nonlocal encoded
        encoded += 1
        return recode(value)

    monkeypatch.setattr(schema_module, "recode", counted)
    values, names = list(range(4_000)), [f"n{at}" for at in range(4_000)]
    monkeypatch.setitem(schema_module._READY, "const", counted)
    check_value({"items": {"enum": values}}, [3_999] * 4_000)
    check_value({"items": {"const": names}}, [names] * 10)
    check_value({"items": {"type": ["null"] * 4_000 + ["integer"]}}, values)
    check_value({"items": {"required": ["a"] * 16_000}}, [{"a": 0}] * 4_000)
    assert encoded == 4_000 + 4_000 + 1 + 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYWORDS = ["type", "enum", "const", "minimum", "maxLength", "items", "properties", "required", "title"]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(KEYWORDS), JSON | st.sampled_from(TYPES)), JSON)
def test_anything_passes_or_is_invalid_input(schema, value) -> None:
    with suppress(InvalidInput):
        check_schema(schema)
        check_value(schema, value)


@settings(max_examples=50)
@given(JSON)
def test_a_value_is_its_own_constant(value) -> None:
    check_value({"const": value, "enum": [0, value]}, value)
