"""A second opinion on machines: a slow, obvious interpreter.

The :class:`ReferenceMachine` walks a machine's tree for each call, on plain dictionaries. It shares nothing
with the closures that nodes run but the tree itself. What both must agree on is the outcome of every call:
success, output or revert data, logs, the whole storage, the balance, and what waits in the calendar. At the
end of a block, :meth:`World.end_block` fires what is due, however much that is. Not for production.

**Caveats.** Refusals of token contracts are compared as such, not by their data.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.interface import CONFIRMED, interface_of
from chainstack_sdk.primitives.abi import PANIC_SELECTOR, encode_abi, encode_revert
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.machines.ir import Block, Expression, Function, MachineIR, Statement, Transition
    from chainstack_sdk.machines.types import Type

_WRAP = 1 << 256


class Refusal(Exception):
    """The reference refuses a call; carries the revert data."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call."""

    ok: bool
    output: bytes
    """The result, or the revert data."""
    logs: tuple[tuple[tuple[bytes, ...], bytes], ...] = ()
    """Topics and data."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A timer that the chain is to fire."""

    due: int
    """Unix second."""
    machine: bytes
    """20 bytes."""
    changes: int
    firings: int
    """How many timers have been paid for."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer that the chain has fired, or tried to."""

    machine: bytes
    """20 bytes."""
    timer: str
    outcome: Outcome


@dataclass(slots=True)
class World:
    """Where a reference machine lives: the block, and what everybody has."""

    now: int = 0
    """Unix seconds."""
    height: int = 0
    coins: dict[bytes, int] = field(default_factory=dict)
    """Wei by address."""
    tokens: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    """Balances by ERC-20 token; whoever owns some, other than a machine itself, has approved all of
    them for every machine."""
    calendar: list[Waiting] = field(default_factory=list)
    """Timers in the order in which they were written down."""

    def end_block(self, machines: Sequence[ReferenceMachine]) -> list[Fired]:
        """Fire what is due, first what has been due longest, and tell what came of each."""
        by_address, found = {each.address: each for each in machines}, []
        while self.calendar:
            first = min(self.calendar, key=lambda each: each.due)  # the earliest of equal ones
            if first.due > self.now:
                break
            self.calendar.remove(first)
            outcome = by_address[first.machine].fire_by_chain(first)
            if outcome is not None:
                found.append(outcome)
        return found


class ReferenceMachine:
    """Runs a machine by walking its tree.

    Parameters
    ----------
    machine
        What to run.
    address
        Its address, 20 bytes.
    world
        Where it lives.
    """

    def __init__(self, machine: MachineIR, address: bytes, world: World) -> None:
        self.machine = machine
        self.address = address
        self.world = world
        self.interface = interface_of(machine)
        self.state = self.since = self.changes = 0
        self.fields: list[dict[tuple[Any, ...], Any]] = [{} for _ in machine.fields]
        """By field: values by their keys; those without keys under ``()``."""
        self.confirmations: dict[bytes, int] = {}
        self._logs: list[tuple[tuple[bytes, ...], bytes]] = []
        self._pending: list[tuple[str, bytes, bytes, int]] = []
        self._caller, self._value = bytes(20), 0

    # Calls

    def create(self, caller: bytes, args: Sequence[Any], value: int = 0) -> Outcome:
        """Run the constructor."""
        return self._whole(caller, value, lambda: self._construct(args))

    def call(self, caller: bytes, name: str, args: Sequence[Any], value: int = 0) -> Outcome:
        """Call a function by name; its arguments are of the right types, though perhaps too long or large."""
        return self._whole(caller, value, lambda: self._dispatch(name, args))

    def _whole(self, caller: bytes, value: int, act: Any) -> Outcome:
        kept = deepcopy((self.state, self.since, self.changes, self.fields, self.confirmations))
        coins, tokens = dict(self.world.coins), deepcopy(self.world.tokens)
        calendar = list(self.world.calendar)
        self._caller, self._value, self._logs, self._pending = caller, value, [], []
        self._move(caller, self.address, value)
        try:
            output = act()
            return Outcome(True, output, tuple(self._logs))
        except Refusal as refusal:
            self.state, self.since, self.changes, self.fields, self.confirmations = kept
            self.world.coins, self.world.tokens, self.world.calendar = coins, tokens, calendar
            return Outcome(False, refusal.data)

    def _construct(self, args: Sequence[Any]) -> bytes:
        function = self.machine.constructor
        if self._value and not self.machine.payable:
            raise Refusal(b"")
        self._check(function, args)
        self._run(function.body, list(args))
        self._come_into(0)
        self._wait()
        self._settle()
        return b""

    def _dispatch(self, name: str, args: Sequence[Any]) -> bytes:
        if self._value and self.interface.function(name).mutability != "payable":
            raise Refusal(b"")
        for view in self.machine.views:
            if view.name == name:
                self._check(view.function, args)
                return self._results(view.function, args)
        if name == "state":
            return self.state.to_bytes(32)
        if name == "due":
            return int(self._due() is not None).to_bytes(32)
        if name == "poke":
            if self._due() is None:
                raise Refusal(encode_revert("no timer is due"))
            self._fire()
            self._wait()
            return b""
        (transition,) = [each for each in self.machine.transitions if each.name == name]
        return self._transition(transition, args)

    def _transition(self, transition: Transition, args: Sequence[Any]) -> bytes:
        self._check(transition.function, args)
        coins = self.world.coins
        coins[self.address] = coins.get(self.address, 0) - self._value  # it comes after the timer
        fired = self._fire()
        coins[self.address] += self._value
        if self.state not in transition.sources:
            where = self.machine.states[self.state].name
            raise Refusal(encode_revert(f"{transition.name} is not possible in state {where}"))
        if not self._agreed(transition, args):
            if fired:
                self._wait()
            return b""
        output = self._results(transition.function, args)
        if transition.target is not None:
            self._come_into(transition.target)
        if fired or transition.target is not None or self._may_have_moved(transition):
            self._wait()
        self._settle()
        return output

    def _check(self, function: Function, args: Sequence[Any]) -> None:
        for parameter, value in zip(function.parameters, args, strict=True):
            if parameter.type.kind in ("string", "bytes"):
                size = len(value if isinstance(value, bytes) else value.encode())
                if size > parameter.type.bound:
                    told = f"{parameter.name} takes at most {parameter.type.bound} bytes"
                    raise Refusal(encode_revert(told))
        for parameter, value in zip(function.parameters, args, strict=True):
            kind, values = parameter.type, [value]
            if kind.kind == "array":
                kind, values = kind.parts[0], value
            if kind.kind == "enum" and max(values) >= len(self.machine.enums[kind.bound].members):
                raise Refusal(b"")

    def _results(self, function: Function, args: Sequence[Any]) -> bytes:
        state, frame = self.state, list(args)
        self._run(function.body, frame)
        assert state == self.state
        values = [self._eval(each, frame) for each in function.results]
        return encode_abi([each.type.abi for each in function.results], values)

    def _agreed(self, transition: Transition, args: Sequence[Any]) -> bool:
        if transition.role is None:
            return True
        role = self.machine.fields[transition.role]
        held = self._read(transition.role, [])
        members = held if isinstance(held, tuple) else (held,)
        if self._caller not in members:
            raise Refusal(encode_revert(f"only {role.name} may call {transition.name}"))
        if role.threshold == 1:
            return True
        data = self.interface.function(transition.name).encode_call(*args)
        words = b"".join([bytes(12) + each for each in members])
        mark = keccak256(words + self.changes.to_bytes(32) + data)
        action = keccak256(mark + self._first_slot(len(self.machine.fields)).to_bytes(32))
        bit = 1 << members.index(self._caller)
        found = self.confirmations.get(action, 0)
        if found & bit:
            raise Refusal(encode_revert("you have confirmed this already"))
        count = bin(found | bit).count("1")
        self.confirmations[action] = found | bit if count < role.threshold else 0
        self._logs.append(CONFIRMED.encode(action, self._caller, count))
        return count >= role.threshold

    # Time and states

    def _due(self) -> int | None:
        for number, timer in enumerate(self.machine.timers):
            if timer.source == self.state and self.since + self._eval(timer.delay, []) <= self.world.now:
                return number
        return None

    def _fire(self, firings: int = 0) -> bool:
        number = self._due()
        if number is None:
            return False
        timer = self.machine.timers[number]
        self._run(timer.body, [])
        self._come_into(timer.target)
        if firings:
            self._wait(firings)
        self._settle()
        return True

    def fire_by_chain(self, entry: Waiting) -> Fired | None:
        """Fire the timer that an entry is about; None when it is about none any more."""
        if entry.changes != self.changes:
            return None
        (timer,) = [each for each in self.machine.timers if each.source == self.state]
        changes = self.changes

        def fire() -> bytes:
            self._fire(entry.firings - 1)
            return b""

        outcome = self._whole(bytes(20), 0, fire)
        if outcome.ok and self.changes == changes:
            return None  # its time has been moved
        return Fired(self.address, timer.name, outcome)

    def _wait(self, firings: int | None = None) -> None:
        """Write the timer of the state, if it has one, into the calendar."""
        for timer in self.machine.timers:
            if timer.source == self.state:
                due = max(self.since + self._eval(timer.delay, []), self.world.now)
                paid = self._lap() if firings is None else firings
                if due < 1 << 32:
                    self.world.calendar.append(Waiting(due, self.address, self.changes, paid))

    def _lap(self) -> int:
        """Count the timers that fire one after the other from the state on, until one comes again."""
        targets = {timer.source: timer.target for timer in self.machine.timers}
        state, passed = self.state, set()
        while state in targets and state not in passed:
            passed.add(state)
            state = targets[state]
        return len(passed)

    def _may_have_moved(self, transition: Transition) -> bool:
        """Tell whether a transition's body names a field for writing that the delay of the state reads."""
        delays = [timer.delay for timer in self.machine.timers if timer.source == self.state]
        read = {int(each.data) for each in _expressions(delays) if each.op == "load"}
        return any(
            each.data in read
            for each in _statements(transition.function.body)
            if each.op in ("store", "increase", "decrease")
        )

    def _come_into(self, state: int) -> None:
        self.state, self.since = state, self.world.now
        self.changes += 1

    # Statements

    def _run(self, block: Block, frame: list[Any]) -> None:
        for statement in block:
            self._do(statement, frame)

    def _do(self, statement: Statement, frame: list[Any]) -> None:
        op, args, data = statement.op, statement.args, statement.data
        if op == "for":
            assert isinstance(data, tuple)
            for number in range(data[0], data[1]):
                _put(frame, data[2], number)
                self._run(statement.blocks[0], frame)
            return
        if op in ("store", "increase", "decrease"):
            assert isinstance(data, int)
            self._write(statement, data, frame)
            return
        first = self._eval(args[0], frame) if args else None
        if op == "if":
            self._run(statement.blocks[0 if first else 1], frame)
            return
        if op == "require":
            if not first:
                self._refuse(data, [self._eval(each, frame) for each in args[1:]])
            return
        values = [first, *[self._eval(each, frame) for each in args[1:]]] if args else []
        match op:
            case "let" | "set":
                assert isinstance(data, int)
                _put(frame, data, first)
            case "pay":
                self._move(self.address, values[0], values[1])
            case "emit":
                assert isinstance(data, int)
                self._logs.append(self.interface.events[data].encode(*values))
            case _:
                self._pending.append((op, values[0], values[1], values[2]))

    def _refuse(self, refusal: object, values: Sequence[Any]) -> None:
        if isinstance(refusal, int):
            raise Refusal(self.interface.errors[refusal].encode(*values))
        raise Refusal(encode_revert(str(refusal)))

    def _move(self, source: bytes, to: bytes, amount: int) -> None:
        coins = self.world.coins
        if coins.get(source, 0) < amount:
            raise Refusal(encode_revert("insufficient balance for transfer"))
        coins[source] = coins.get(source, 0) - amount
        coins[to] = coins.get(to, 0) + amount

    def _settle(self) -> None:
        waiting, self._pending = self._pending, []
        for op, token, party, amount in waiting:
            balances = self.world.tokens.get(token)
            source, to = (self.address, party) if op == "send_token" else (party, self.address)
            if balances is None or balances.get(source, 0) < amount or not any(to) or not any(source):
                raise Refusal(b"")
            if op == "take_token" and source == self.address and amount:
                raise Refusal(b"")
            balances[source] = balances.get(source, 0) - amount
            balances[to] = balances.get(to, 0) + amount

    # Storage

    def _keys(self, number: int, args: Sequence[Expression], frame: list[Any]) -> tuple[list[Any], Type]:
        kind, keys = self.machine.fields[number].type, [self._eval(each, frame) for each in args]
        for key in keys:
            if kind.kind == "array" and key >= kind.bound:
                raise _panic(0x32)
            kind = kind.parts[-1]
        return keys, kind

    def _read(self, number: int, keys: Sequence[Any]) -> Any:
        kind = self.machine.fields[number].type
        for _ in keys:
            kind = kind.parts[-1]
        if kind.kind == "array":
            return tuple([self._read(number, [*keys, at]) for at in range(kind.bound)])
        return self.fields[number].get(tuple(keys), _zero(kind))

    def _write(self, statement: Statement, number: int, frame: list[Any]) -> None:
        keys, kind = self._keys(number, statement.args[:-1], frame)
        value = self._eval(statement.args[-1], frame)
        if statement.op != "store":
            value = self._read(number, keys) + (value if statement.op == "increase" else -value)
            if not 0 <= value < _WRAP:
                raise _panic(0x11)
        if kind.kind == "array":
            for at, each in enumerate(value):
                self.fields[number][(*keys, at)] = each
        else:
            self.fields[number][tuple(keys)] = value

    def _first_slot(self, number: int) -> int:
        return 1 + sum(each.type.slots for each in self.machine.fields[:number])

    def slots(self) -> dict[bytes, int]:
        """Return the whole storage as Solidity would lay it out, without zeros."""
        found = {0: self.state + (self.since << 8) + (self.changes << 72)}
        for number, values in enumerate(self.fields):
            for keys, value in values.items():
                self._lay_out(found, number, keys, value)
        for action, bits in self.confirmations.items():
            found[int.from_bytes(action)] = bits
        return {number.to_bytes(32): value for number, value in found.items() if value}

    def _lay_out(self, found: dict[int, int], number: int, keys: tuple[Any, ...], value: Any) -> None:
        kind, at = self.machine.fields[number].type, self._first_slot(number)
        for key in keys:
            if kind.kind == "mapping":
                at = int.from_bytes(keccak256(_word(kind.parts[0], key) + at.to_bytes(32)))
            else:
                at += key
            kind = kind.parts[-1]
        if kind.kind not in ("string", "bytes"):
            found[at] = int.from_bytes(_word(kind, value))
            return
        content = value if isinstance(value, bytes) else value.encode()
        if len(content) < 32:
            found[at] = int.from_bytes(content.ljust(32, b"\0")) + 2 * len(content)
            return
        found[at] = 2 * len(content) + 1
        first = int.from_bytes(keccak256(at.to_bytes(32)))
        for place in range(0, len(content), 32):
            found[first + place // 32] = int.from_bytes(content[place : place + 32].ljust(32, b"\0"))

    # Expressions

    def _eval(self, expression: Expression, frame: list[Any]) -> Any:
        op, args, data = expression.op, expression.args, expression.data
        match op:
            case "const":
                return data
            case "local":
                return frame[int(data)]
            case "load":
                return self._read(int(data), self._keys(int(data), args, frame)[0])
            case "state":
                return self.state == data
            case "and":
                return self._eval(args[0], frame) and self._eval(args[1], frame)
            case "or":
                return self._eval(args[0], frame) or self._eval(args[1], frame)
            case "if":
                return self._eval(args[1 if self._eval(args[0], frame) else 2], frame)
        values = [self._eval(each, frame) for each in args]
        if not args:
            return self._fact(op)
        return _computed(expression, values)

    def _fact(self, op: str) -> Any:
        return {
            "caller": self._caller,
            "value": self._value,
            "now": self.world.now,
            "height": self.world.height,
            "balance": self.world.coins.get(self.address, 0),
            "this": self.address,
        }[op]


def _computed(expression: Expression, values: list[Any]) -> Any:
    kind = expression.type
    match expression.op, values:
        case "add", [one, other]:
            return _ranged(kind, one + other)
        case "sub", [one, other]:
            return _ranged(kind, one - other)
        case "mul", [one, other]:
            return _ranged(kind, one * other)
        case (("div" | "mod"), [_, 0]):
            raise _panic(0x12)
        case "div", [one, other]:
            return _ranged(kind, one // other)
        case "mod", [one, other]:
            return one % other
        case "min", [one, other]:
            return one if one <= other else other
        case "max", [one, other]:
            return one if one >= other else other
        case "neg", [one]:
            return _ranged(kind, -one)
        case (("to_int" | "to_uint"), [one]):
            return _ranged(kind, one)
        case "eq", [one, other]:
            return one == other
        case "ne", [one, other]:
            return one != other
        case "lt", [one, other]:
            return one < other
        case "le", [one, other]:
            return one <= other
        case "gt", [one, other]:
            return one > other
        case "ge", [one, other]:
            return one >= other
        case "not", [one]:
            return not one
        case "in", [one, *others]:
            return any(one == each for each in others)
        case "contains", [array, one]:
            return any(one == each for each in array)
        case "item", [array, at]:
            if at >= len(array):
                raise _panic(0x32)
            return array[at]
    assert expression.op == "keccak"
    return keccak256(b"".join([_word(each.type, v) for each, v in zip(expression.args, values, strict=True)]))


def _expressions(found: Sequence[Expression]) -> list[Expression]:
    return [*found, *[inner for each in found for inner in _expressions(each.args)]]


def _statements(block: Block) -> list[Statement]:
    return [*block, *[inner for each in block for part in each.blocks for inner in _statements(part)]]


def _panic(code: int) -> Refusal:
    return Refusal(PANIC_SELECTOR + code.to_bytes(32))


def _ranged(kind: Type, value: int) -> int:
    low, high = (0, _WRAP) if kind.kind == "uint256" else (-_WRAP // 2, _WRAP // 2)
    if not low <= value < high:
        raise _panic(0x11)
    return value


def _zero(kind: Type) -> Any:
    return {"bool": False, "address": bytes(20), "bytes32": bytes(32), "string": "", "bytes": b""}.get(
        kind.kind, 0
    )


def _word(kind: Type, value: Any) -> bytes:
    """Return a word, or the content of text and bytes."""
    match value:
        case str():
            return value.encode()
        case bytes():
            return value if kind.kind == "bytes" else bytes(32 - len(value)) + value
    return (int(value) % _WRAP).to_bytes(32)


def _put(frame: list[Any], number: int, value: Any) -> None:
    while len(frame) <= number:
        frame.append(None)
    frame[number] = value
