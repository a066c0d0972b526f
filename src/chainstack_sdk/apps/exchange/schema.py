"""The part of JSON Schema that tasks describe their results in: bounded work, no references, no patterns.

Keywords: ``type`` (one or a list of ``null boolean integer number string array object``), ``enum``,
``const``, ``minimum``, ``maximum``, ``minLength``, ``maxLength``, ``minItems``, ``maxItems``, ``items``,
``properties``, ``required``, ``additionalProperties`` (true or false), and ``title`` and ``description``,
which mean nothing here. The others mean what they mean in JSON Schema (draft 2020-12), but two values are
equal only when their canonical JSON is. A schema with any other keyword is refused: half understood, it
would promise too much.

**Caveats.** A narrow schema also bounds what an applet can hide in its result: say ``{"type": "integer",
"minimum": 0, "maximum": 50000}`` and not just ``{"type": "integer"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.sandbox.json_values import recode
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.apps.sandbox.json_values import Json

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
"""The names of types."""


def check_schema(schema: Json) -> None:
    """Check that a JSON value is a schema.

    Raises
    ------
    InvalidInput
        When it is none, or goes beyond the keywords of this module.
    """
    if not isinstance(schema, dict):
        raise InvalidInput("a schema is a JSON object")
    for keyword, rule in schema.items():
        good = _RULES.get(keyword)
        if good is None:
            raise InvalidInput("a schema has a keyword that is not known here", keyword=keyword)
        if not good(rule):
            raise InvalidInput("a keyword of a schema has a wrong value", keyword=keyword)
    properties = schema.get("properties", {})
    inner = list(properties.values()) if isinstance(properties, dict) else []
    for each in [*inner, *([schema["items"]] if "items" in schema else [])]:
        check_schema(each)


def check_value(schema: Json, value: Json) -> None:
    """Check that a value is what a schema describes.

    Parameters
    ----------
    schema
        One that :func:`check_schema` passes.
    value
        As the sandbox's JSON has it.

    Raises
    ------
    InvalidInput
        When it is not. Names the keyword that it breaks, and nothing of the value.
    """
    _check(_ready(schema), value)


def _ready(schema: Json) -> dict[str, Any]:
    """Return a schema with each list of its rules as a set, and each constant encoded.

    A value may have a million parts, and a rule thousands of members: what is not done once for each of the
    rules and once for each of the parts is done a thousand million times.
    """
    assert isinstance(schema, dict)
    ready: dict[str, Any] = dict(schema)
    for keyword, prepare in _READY.items():
        if keyword in ready:
            ready[keyword] = prepare(ready[keyword])
    return ready


def _check(schema: dict[str, Any], value: Json) -> None:
    for keyword, rule in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None and not check(rule, value):
            raise InvalidInput("a value does not fit its schema", keyword=keyword)
    if isinstance(value, list) and "items" in schema:
        for each in value:
            _check(schema["items"], each)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, each in value.items():
            if name in properties:
                _check(properties[name], each)
            elif schema.get("additionalProperties") is False:
                raise InvalidInput("a value does not fit its schema", keyword="additionalProperties")


# What each keyword may say


def _is_number(rule: Json) -> bool:
    return isinstance(rule, int | float) and not isinstance(rule, bool)


def _is_size(rule: Json) -> bool:
    return isinstance(rule, int) and not isinstance(rule, bool) and rule >= 0


def _is_type(rule: Json) -> bool:
    names = rule if isinstance(rule, list) else [rule]
    return bool(names) and all(name in TYPES for name in names)


def _is_names(rule: Json) -> bool:
    return isinstance(rule, list) and all(isinstance(name, str) for name in rule)


_RULES: dict[str, Callable[[Json], bool]] = {
    "type": _is_type,
    "enum": lambda rule: isinstance(rule, list),
    "const": lambda rule: True,
    "minimum": _is_number,
    "maximum": _is_number,
    "minLength": _is_size,
    "maxLength": _is_size,
    "minItems": _is_size,
    "maxItems": _is_size,
    "items": lambda rule: isinstance(rule, dict),
    "properties": lambda rule: isinstance(rule, dict),
    "required": _is_names,
    "additionalProperties": lambda rule: isinstance(rule, bool),
    "title": lambda rule: isinstance(rule, str),
    "description": lambda rule: isinstance(rule, str),
}


_READY: dict[str, Callable[[Any], Any]] = {
    "type": lambda rule: frozenset(rule if isinstance(rule, list) else [rule]),
    "enum": lambda rule: frozenset(map(recode, rule)),
    "const": recode,
    "required": frozenset,
    "items": _ready,
    "properties": lambda rule: {name: _ready(each) for name, each in rule.items()},
}


# What each asks of a value; those about one type pass values of others, as JSON Schema has it


def _has_type(rule: frozenset[str], value: Json) -> bool:
    found: tuple[str, ...]
    match value:
        case None:
            found = ("null",)
        case bool():
            found = ("boolean",)
        case int():
            found = ("integer", "number")
        case float():
            found = ("integer", "number") if value.is_integer() else ("number",)
        case str():
            found = ("string",)
        case list():
            found = ("array",)
        case _:
            found = ("object",)
    return any(name in rule for name in found)


_CHECKS: dict[str, Callable[..., bool]] = {
    "type": _has_type,
    "enum": lambda rule, value: recode(value) in rule,
    "const": lambda rule, value: recode(value) == rule,
    "minimum": lambda rule, value: not _is_number(value) or value >= rule,
    "maximum": lambda rule, value: not _is_number(value) or value <= rule,
    "minLength": lambda rule, value: not isinstance(value, str) or len(value) >= rule,
    "maxLength": lambda rule, value: not isinstance(value, str) or len(value) <= rule,
    "minItems": lambda rule, value: not isinstance(value, list) or len(value) >= rule,
    "maxItems": lambda rule, value: not isinstance(value, list) or len(value) <= rule,
    "required": lambda rule, value: not isinstance(value, dict) or rule <= value.keys(),
}
