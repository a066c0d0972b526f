"""The standard ABI of a machine.

Besides its transitions and views, every machine answers ``state()``; one with timers ``due()``, whether a
timer may fire, and ``poke()``, which fires it. What several members must agree on emits ``Confirmed`` for
each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.contract import event
from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.primitives.abi import Constructor, ErrorType, Event, Function, Param
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.machines.ir import MachineIR, Parameter, Record

STATE = Function("state", (), (Param("uint8"),), "view")
"""The number of the machine's state, in the order of their declaration."""
DUE = Function("due", (), (Param("bool"),), "view")
"""Whether a timer may fire now."""
POKE = Function("poke")
"""Fires the timer that is due."""
CONFIRMED = event("event Confirmed(bytes32 indexed action, address indexed member, uint256 count)")
"""A member has made a call that several must make; ``action`` is where the machine counts them."""
BUILT_IN = ("state", "due", "poke", "constructor")
"""Names that no function of a machine has."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The entries of a machine's ABI."""

    constructor: Constructor
    functions: tuple[Function, ...]
    """Transitions, views, then what every machine has."""
    events: tuple[Event, ...]
    """Those declared, in order, then ``Confirmed`` where it can happen."""
    errors: tuple[ErrorType, ...]
    by_name: dict[str, Function] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.functions})

    def function(self, name: str) -> Function:
        """Return a function.

        Raises
        ------
        UsageError
            When there is none of this name.
        """
        found = self.by_name.get(name)
        if found is None:
            raise UsageError("no such function", actual=name, expected=", ".join(self.by_name))
        return found

    def event(self, name: str) -> Event:
        """Return an event.

        Raises
        ------
        UsageError
            When there is none of this name.
        """
        for each in self.events:
            if each.name == name:
                return each
        raise UsageError("no such event", actual=name, expected=", ".join(each.name for each in self.events))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the standard JSON ABI."""
        entries: tuple[Any, ...] = (self.constructor, *self.functions, *self.events, *self.errors)
        return [each.to_json() for each in entries]


def interface_of(machine: MachineIR) -> Interface:
    """Return the ABI of a machine.

    Raises
    ------
    InvalidMachine
        When two functions, events or errors cannot be told apart by their selector or topic.
    """
    functions = []
    for transition in machine.transitions:
        made = transition.function
        results = tuple([Param(each.type.abi) for each in made.results])
        mutability = "payable" if transition.payable else "nonpayable"
        functions.append(Function(transition.name, _params(made.parameters), results, mutability))
    for view in machine.views:
        results = tuple([Param(each.type.abi) for each in view.function.results])
        functions.append(Function(view.name, _params(view.function.parameters), results, "view"))
    functions.append(STATE)
    if machine.timers:
        functions += [DUE, POKE]
    events = [Event(each.name, _event_params(each)) for each in machine.events]
    if any(each.threshold > 1 for each in machine.fields):
        events.append(CONFIRMED)
    errors = [ErrorType(each.name, _params(each.parameters)) for each in machine.errors]
    _distinct([each.selector for each in functions], "two functions have one selector")
    _distinct([each.topic for each in events], "two events have one topic")
    _distinct([each.selector for each in errors], "two errors have one selector")
    mutability = "payable" if machine.payable else "nonpayable"
    constructor = Constructor(_params(machine.constructor.parameters), mutability)
    return Interface(constructor, tuple(functions), tuple(events), tuple(errors))


def _params(parameters: Iterable[Parameter]) -> tuple[Param, ...]:
    return tuple([Param(each.type.abi, each.name) for each in parameters])


def _event_params(record: Record) -> tuple[Param, ...]:
    return tuple([Param(each.type.abi, each.name, each.indexed) for each in record.parameters])


def _distinct(marks: list[bytes], told: str) -> None:
    if len(set(marks)) < len(marks):
        raise InvalidMachine(told)
