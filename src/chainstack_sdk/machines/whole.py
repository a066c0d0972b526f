"""The rules of whole machines: names, numbers of things, states, roles, cost.

What single expressions and statements must keep is in :mod:`chainstack_sdk.machines.rules`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.machines.gas import MAX_GAS, gas_table
from chainstack_sdk.machines.interface import BUILT_IN, interface_of
from chainstack_sdk.machines.rules import expect
from chainstack_sdk.machines.types import ADDRESS, BOOL, MAX_ARRAY, MAX_BOUND, MAX_MAPPING_DEPTH, UINT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainstack_sdk.machines.ir import Field, Function, MachineIR, Parameter, Tables, Transition
    from chainstack_sdk.machines.types import Type

MAX_NAME = 64
"""Characters of a name."""
MAX_STATES = 64
MAX_FIELDS = 64
MAX_FUNCTIONS = 64
"""Transitions, views, timers: of each."""
MAX_RECORDS = 64
"""Events, errors, enumerations: of each."""
MAX_MEMBERS = 256
"""Members of an enumeration."""
MAX_PARAMETERS = 16
"""Parameters, or results, of a function, an event or an error."""
MAX_COMMITTEE = 64
"""Members of a role."""
MAX_INDEXED = 3

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def check_tables(tables: Tables) -> None:
    """Check what a machine declares apart from code.

    Raises
    ------
    InvalidMachine
        When it breaks a rule.
    """
    if not tables.states:
        raise InvalidMachine("a machine has at least one state")
    _names([each.name for each in tables.states], MAX_STATES)
    _names([each.name for each in tables.fields], MAX_FIELDS)
    for names in (
        [each.name for each in tables.enums],
        [each.name for each in tables.events],
        [each.name for each in tables.errors],
    ):
        _names(names, MAX_RECORDS)
    for enum in tables.enums:
        _names(enum.members, MAX_MEMBERS)
        if not enum.members:
            raise InvalidMachine("an enumeration has at least one member", actual=enum.name)
    for event in tables.events:
        _check_parameters(tables, event.parameters)
        if sum(each.indexed for each in event.parameters) > MAX_INDEXED:
            raise InvalidMachine("an event has at most three indexed parameters", actual=event.name)
    for error in tables.errors:
        _check_parameters(tables, error.parameters)
        _none_indexed(error.parameters)
    for field in tables.fields:
        _check_field(tables, field)


def check_machine(machine: MachineIR) -> None:
    """Check a machine whose parts are in order.

    Raises
    ------
    InvalidMachine
        When it breaks a rule.
    """
    _names([machine.name], 1)
    functions = [*[each.name for each in machine.transitions], *[each.name for each in machine.views]]
    _names([*functions, *BUILT_IN], 2 * MAX_FUNCTIONS)
    _names([each.name for each in machine.timers], MAX_FUNCTIONS)
    _names([each.name for each in machine.invariants], MAX_FUNCTIONS)
    _check_function(machine, machine.constructor)
    if machine.constructor.results:
        raise InvalidMachine("a constructor has no result")
    for transition in machine.transitions:
        _check_transition(machine, transition)
    _check_timers(machine)
    for view in machine.views:
        _check_function(machine, view.function)
        if not view.function.results:
            raise InvalidMachine("a view returns something", actual=view.name)
    for claim in machine.invariants:
        _check_function(machine, claim.function)
        if claim.function.parameters or [each.type for each in claim.function.results] != [BOOL]:
            raise InvalidMachine("an invariant has no parameters and returns a bool", actual=claim.name)
    interface_of(machine)
    for name, cost in gas_table(machine).items():
        if cost > MAX_GAS:
            raise InvalidMachine(f"{name} costs more gas than a function may", expected=MAX_GAS, actual=cost)


def _names(names: Sequence[str], most: int) -> None:
    if len(names) > most:
        raise InvalidMachine("too many of one kind", expected=most, actual=len(names))
    for name in names:
        if len(name) > MAX_NAME or not _NAME.fullmatch(name):
            raise InvalidMachine("not a name", actual=name)
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise InvalidMachine("this name is taken already", actual=twice)


def _check_type(tables: Tables, kind: Type, depth: int = 0) -> None:
    match kind.kind:
        case "enum":
            good = kind.bound < len(tables.enums)
        case "string" | "bytes":
            good = 1 <= kind.bound <= MAX_BOUND
        case "array":
            good = 1 <= kind.bound <= MAX_ARRAY and kind.parts[0].is_word
        case "mapping":
            good = depth < MAX_MAPPING_DEPTH and kind.parts[0].is_word
        case _:
            good = True
    if not good:
        raise InvalidMachine(f"there is no type {kind}: too large, too deep, or its parts are no words")
    for part in kind.parts:
        _check_type(tables, part, depth + 1)


def _check_field(tables: Tables, field: Field) -> None:
    _check_type(tables, field.type)
    if not field.threshold:
        return
    kind = field.type
    members = kind.bound if kind.kind == "array" and kind.parts[0] == ADDRESS else int(kind == ADDRESS)
    if not field.threshold <= members <= MAX_COMMITTEE:
        raise InvalidMachine(
            f"a role has 1 to {MAX_COMMITTEE} members, and a threshold of at most as many", actual=field.name
        )


def _check_parameters(tables: Tables, parameters: Sequence[Parameter]) -> None:
    _names([each.name for each in parameters], MAX_PARAMETERS)
    for each in parameters:
        _check_type(tables, each.type)
        if not each.type.is_value:
            raise InvalidMachine("a mapping stays in storage", actual=each.name)


def _none_indexed(parameters: Iterable[Parameter]) -> None:
    for each in parameters:
        if each.indexed:
            raise InvalidMachine("only parameters of events are indexed", actual=each.name)


def _check_function(machine: MachineIR, function: Function) -> None:
    _check_parameters(machine.tables, function.parameters)
    _none_indexed(function.parameters)
    if len(function.results) > MAX_PARAMETERS:
        raise InvalidMachine("too many results", expected=MAX_PARAMETERS)


def _check_transition(machine: MachineIR, transition: Transition) -> None:
    _check_function(machine, transition.function)
    _check_states(machine, transition.sources)
    if transition.target is not None:
        _state_number(machine, transition.target)
    if transition.role is None:
        return
    if transition.role >= len(machine.fields) or not machine.fields[transition.role].threshold:
        raise InvalidMachine("only a role can be who may call", actual=transition.name)
    if machine.fields[transition.role].threshold > 1 and (transition.payable or transition.function.results):
        raise InvalidMachine(
            "what several must agree on takes no coin and returns nothing", actual=transition.name
        )


def _check_states(machine: MachineIR, sources: Sequence[int]) -> None:
    if not sources or list(sources) != sorted(set(sources)):
        raise InvalidMachine("a transition starts from one or more states, each named once, in their order")
    for number in sources:
        _state_number(machine, number)
        if machine.states[number].final:
            raise InvalidMachine("nothing leads out of a final state", actual=machine.states[number].name)


def _state_number(machine: MachineIR, number: int) -> None:
    if number >= len(machine.states):
        raise InvalidMachine("no such state", actual=number)


def _check_timers(machine: MachineIR) -> None:
    for timer in machine.timers:
        _check_states(machine, [timer.source])
        _state_number(machine, timer.target)
        expect(UINT, timer.delay)
    sources = [each.source for each in machine.timers]
    if len(set(sources)) < len(sources):
        raise InvalidMachine("a state has at most one timer")
