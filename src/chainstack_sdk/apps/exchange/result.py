"""What an applet's result must be: one value, in canonical JSON, that fits the task's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.apps.exchange.errors import AnswerRefused
from chainstack_sdk.apps.exchange.schema import check_value
from chainstack_sdk.apps.sandbox.json_values import decode_json, recode
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.apps.exchange.specification import Specification
    from chainstack_sdk.apps.sandbox.json_values import Json


def only_result(emitted: tuple[bytes, ...], specification: Specification) -> bytes:
    """Return the one value that an applet let out, if it is what was asked for.

    Raises
    ------
    AnswerRefused
        When it is not one value, or does not fit the schema.
    """
    if len(emitted) != 1:
        raise AnswerRefused("the applet is to let out one value", expected=1, actual=len(emitted))
    check_result(emitted[0], specification)
    return emitted[0]


def check_result(result: bytes, specification: Specification) -> Json:
    """Return the value of a result that fits the schema.

    Raises
    ------
    AnswerRefused
        When it is not canonical JSON, or does not fit.
    """
    try:
        value = decode_json(result)
        canonical = recode(value) == result
    except InvalidInput:
        canonical = False
    if not canonical:
        raise AnswerRefused("the result is not canonical JSON")
    try:
        check_value(specification.schema, value)
    except InvalidInput as error:
        raise AnswerRefused("the result does not fit the schema", **error.facts) from None
    return value
