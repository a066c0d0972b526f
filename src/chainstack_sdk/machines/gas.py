"""What machines cost: one constant for each function, whatever it does.

The constant is the price of the function's most expensive path, from the table of
:mod:`chainstack_sdk.core.gas` with every slot at its dearest, plus :data:`STEP` for each operation. It is
charged in full by every call that reaches the function, also by one that is refused there; a call to another
token contract is given a fixed allowance, which is part of the constant. So the fee is known before the
machine is deployed, and no input can make a call cost more.

What brings a machine into a state with a timer pays for the timer beforehand: for the calendar, for its
firing, and for the timers that follow from it, each once (:func:`timers_from`). Where timers lead in a
circle, the chain goes round it once for each payment, and then waits for the next call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.machines.calendar import FIRST_GAS, INSERT_GAS, REMOVE_GAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chainstack_sdk.machines.ir import (
        Block,
        Expression,
        Field,
        Function,
        MachineIR,
        Parameter,
        Statement,
        Timer,
        Transition,
    )
    from chainstack_sdk.machines.types import Type

STEP = 5
"""An operation in memory (the EVM's ``ADD`` takes 3, ``MUL`` 5), and a turn of a loop."""
TOKEN_GAS = 80_000
"""What the contract of an ERC-20 token may use for one transfer."""
NFT_GAS = 250_000
"""What the contract of an ERC-721 token may use for one transfer: those that can be enumerated write ten
slots."""
DECODE_BYTE = 200
"""Each byte of a machine that is to be decoded and checked, before its deployment."""
MAX_GAS = 15_000_000
"""The most that a function of a machine may cost."""

MAX_REASON = 256
"""Bytes of a refusal that are told when the chain could not fire a timer."""

_COUNT = gas.LOG + 3 * gas.LOG_TOPIC + 32 * gas.LOG_BYTE
"""The event of a confirmation."""


def gas_table(machine: MachineIR) -> dict[str, int]:
    """Return the constant of each function by its name.

    ``constructor`` comes first, without what the code itself costs; ``poke`` and ``due`` are there when the
    machine has timers.
    """
    meter, arming = _Meter(machine), arming_costs(machine)
    timers = max((meter.timer(each) for each in machine.timers), default=0)
    costs = {"constructor": gas.STORAGE_SET + meter.function(machine.constructor) + arming.get(0, 0)}
    for transition in machine.transitions:
        arrivals = [arming.get(each, 0) for each in _arrivals(machine, transition)]
        costs[transition.name] = meter.transition(transition) + timers + max(arrivals, default=0)
    for view in machine.views:
        costs[view.name] = _ENTRY + meter.function(view.function)
    costs["state"] = _ENTRY
    if machine.timers:
        costs["poke"] = _ENTRY + timers + max(arming.get(each.target, 0) for each in machine.timers)
        costs["due"] = _ENTRY + max(meter.expression(each.delay) for each in machine.timers)
    return costs


def timers_from(machine: MachineIR, state: int) -> tuple[Timer, ...]:
    """Return the timers that fire one after the other from a state on, each once, if nobody calls."""
    waiting, found = {each.source: each for each in machine.timers}, []
    while state in waiting:
        found.append(waiting.pop(state))
        state = found[-1].target
    return tuple(found)


def firing_costs(machine: MachineIR) -> dict[int, int]:
    """Return the gas that each timer may use when the chain fires it, by the state that it ends."""
    meter, costs = _Meter(machine), {}
    entering = {each.source: meter.entering(each) for each in machine.timers}
    for each in machine.timers:
        costs[each.source] = _ENTRY + meter.timer(each) + entering.get(each.target, 0)
    return costs


def arming_costs(machine: MachineIR) -> dict[int, int]:
    """Return what coming into a state with a timer costs, by state.

    That is the entry in the calendar, and all that the chain will do about it: finding and removing the
    entry, firing, telling, for each of :func:`timers_from`.
    """
    meter, firing = _Meter(machine), firing_costs(machine)
    return {
        each.source: meter.entering(each)
        + sum(KEEPING_GAS + firing[later.source] for later in timers_from(machine, each.source))
        for each in machine.timers
    }


def rearming(machine: MachineIR, transition: Transition) -> frozenset[int]:
    """Return the states that a transition leaves a machine in with a timer that it may have moved.

    It does so by writing a field that the timer's delay reads.
    """
    if transition.target is not None:
        return frozenset()
    written = set(_written(transition.function.body))
    return frozenset(
        each.source
        for each in machine.timers
        if each.source in transition.sources and not written.isdisjoint(_read(each.delay))
    )


def _arrivals(machine: MachineIR, transition: Transition) -> set[int]:
    """Return the states in which a transition may have to write its machine into the calendar."""
    found = set(rearming(machine, transition))
    if transition.target is not None:
        found.add(transition.target)
    agreed = transition.role is not None and machine.fields[transition.role].threshold > 1
    if transition.target is None or agreed:  # it stays where a timer that was due has brought it
        found |= {each.target for each in machine.timers} & set(transition.sources)
    return found


def _written(block: Block) -> Iterator[int]:
    for statement in block:
        if statement.op in ("store", "increase", "decrease") and isinstance(statement.data, int):
            yield statement.data
        for inner in statement.blocks:
            yield from _written(inner)


def _read(expression: Expression) -> Iterator[int]:
    if expression.op == "load":
        yield int(expression.data)
    for each in expression.args:
        yield from _read(each)


class _Meter:
    """Adds up the most expensive path."""

    def __init__(self, machine: MachineIR) -> None:
        self.machine = machine

    def transition(self, transition: Transition) -> int:
        cost = _ENTRY + self.function(transition.function)
        if transition.target is not None:
            cost += gas.STORAGE_RESET
        if transition.role is not None:
            cost += _role(self.machine.fields[transition.role], transition.function.parameters)
        return cost

    def timer(self, timer: Timer) -> int:
        # when its tokens have been sent, the state is read again
        again = gas.STORAGE_RESET + gas.STORAGE_READ
        return STEP + self.expression(timer.delay) + self.block(timer.body) + again

    def entering(self, timer: Timer) -> int:
        return self.expression(timer.delay) + gas.BALANCE_READ + INSERT_GAS

    def function(self, function: Function) -> int:
        types = [*[each.type for each in function.parameters], *[each.type for each in function.results]]
        words = sum(_abi_words(each) for each in types)
        results = sum(self.expression(each) for each in function.results)
        return STEP * words + self.block(function.body) + results

    def block(self, block: Block) -> int:
        return sum(self.statement(each) for each in block)

    def statement(self, statement: Statement) -> int:
        cost = STEP + sum(self.expression(each) for each in statement.args)
        match statement.op, statement.data:
            case "if", _:
                return cost + max(self.block(each) for each in statement.blocks)
            case "for", (int(start), int(stop), _):
                return cost + (stop - start) * (STEP + self.block(statement.blocks[0]))
            case (("store" | "increase" | "decrease"), int(field)):
                return cost + self.write(statement, self.machine.fields[field].type)
            case "pay", _:
                return cost + gas.CALL_VALUE
            case (("send_token" | "take_token"), _):
                return cost + _OUTSIDE + TOKEN_GAS
            case (("send_nft" | "take_nft"), _):
                return cost + _OUTSIDE + NFT_GAS
            case "emit", int(event):
                return cost + sum(_log(each) for each in self.machine.events[event].parameters) + _LOG
        return cost

    def write(self, statement: Statement, kind: Type) -> int:
        if statement.op == "increase":
            return gas.STORAGE_READ + gas.STORAGE_SET
        if statement.op == "decrease":
            return gas.STORAGE_READ + gas.STORAGE_RESET
        for _key in statement.args[:-1]:
            kind = kind.parts[-1]
        return kind.words * gas.STORAGE_SET + (gas.STORAGE_READ if kind.is_bytes else 0)

    def expression(self, expression: Expression) -> int:
        args, kind = expression.args, expression.type
        if expression.op == "if":
            condition, one, other = [self.expression(each) for each in args]
            return STEP + condition + max(one, other)
        cost = STEP + sum(self.expression(each) for each in args)
        match expression.op:
            case "load":
                cost += gas.STORAGE_READ * kind.words
            case "balance":
                cost += gas.BALANCE_READ
            case "contains" | "in":
                cost += STEP * (args[0].type.slots + len(args))
            case "keccak":
                cost += _hash(sum(_content_words(each.type) for each in args))
        return cost


_ENTRY = STEP + gas.STORAGE_READ
"""Every function but the constructor looks at the state."""
KEEPING_GAS = FIRST_GAS + REMOVE_GAS + gas.LOG + 2 * gas.LOG_TOPIC + gas.LOG_BYTE * (64 + MAX_REASON)
"""What the chain does about a timer besides firing it: the calendar, and the event."""
_OUTSIDE = gas.BALANCE_READ + gas.CALL
"""A call to a token, which must be a contract."""
_LOG = gas.LOG + gas.LOG_TOPIC
"""An event without parameters."""


def _role(role: Field, parameters: Iterable[Parameter]) -> int:
    cost = (gas.STORAGE_READ + STEP) * role.type.slots
    if role.threshold == 1:
        return cost
    words = role.type.slots + 2 + sum(_abi_words(each.type) for each in parameters)
    event = gas.LOG + 3 * gas.LOG_TOPIC + 32 * gas.LOG_BYTE
    return cost + _hash(words) + gas.STORAGE_READ + gas.STORAGE_SET + event


def _log(parameter: Parameter) -> int:
    kind = parameter.type
    if not parameter.indexed:
        return 32 * gas.LOG_BYTE * _abi_words(kind)
    return gas.LOG_TOPIC + (0 if kind.is_word else _hash(_content_words(kind)))


def _hash(words: int) -> int:
    return gas.KECCAK + gas.KECCAK_WORD * words


def _content_words(kind: Type) -> int:
    return (kind.bound + 31) // 32 if kind.is_bytes else kind.slots


def _abi_words(kind: Type) -> int:
    """Return the most words that a value takes among the parameters or results of a function."""
    return 2 + _content_words(kind) if kind.is_bytes else kind.slots
