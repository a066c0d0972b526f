"""Learning from refusals: a call that failed on a comparison is tried again with what it was compared with.

So the price that a machine computes, the moment that it waits for and the person whom it expects are found
without being told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.check.people import PURSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.machines.check.people import Cast
    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.ir import Function

MOST_HINTS = 24
"""Variants of one refused call."""
ROUNDS = 4
"""How often a variant is varied again: conditions that are fulfilled one after the other."""


def variants(
    step: Step, function: Function, compared: Iterable[tuple[Any, Any]], cast: Cast, *, payable: bool
) -> list[Step]:
    """Return a refused step with one thing changed to what it was compared with.

    Parameters
    ----------
    step, function
        The call, and what it calls.
    compared
        Pairs of values.
    cast
        Who there is.
    payable
        Whether coin may come with the call.
    """
    found: dict[Step, None] = {}
    for pair in compared:
        for value in _near(pair):
            for changed in _with(step, function, value, cast, payable=payable):
                found.setdefault(changed)
    return list(found)[:MOST_HINTS]


def _near(pair: Sequence[Any]) -> list[Any]:
    near = list(pair)
    for each in pair:
        if type(each) is int:
            near += [each + 1, each - 1]
    return near


def _with(step: Step, function: Function, value: Any, cast: Cast, *, payable: bool) -> Iterator[Step]:
    """Yield the step with a value wherever it fits."""
    args = step.args
    for at, parameter in enumerate(function.parameters):
        if _fits(parameter.type.kind, value) and args[at] != value:
            yield replace(step, args=(*args[:at], value, *args[at + 1 :]))
        if parameter.type.kind == "array" and _fits(parameter.type.parts[0].kind, value):
            for place, held in enumerate(args[at]):
                if held != value:
                    row = (*args[at][:place], value, *args[at][place + 1 :])
                    yield replace(step, args=(*args[:at], row, *args[at + 1 :]))
    if payable and type(value) is int and 0 <= value <= PURSE // 100 and value != step.value:
        yield replace(step, value=value)
    if step.kind == "call" and isinstance(value, bytes) and cast.names.get(value) in cast.people:
        yield replace(step, by=cast.names[value])


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "uint256":
            return type(value) is int and 0 <= value < 1 << 256
        case "int256":
            return type(value) is int and -1 << 255 <= value < 1 << 255
        case "address" | "bytes32":
            return isinstance(value, bytes) and len(value) == (20 if kind == "address" else 32)
    return False
