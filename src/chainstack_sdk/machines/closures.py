"""From expressions to Python closures, made once for each machine that a node meets.

A closure takes the :class:`~chainstack_sdk.core.call.Call` and the frame, a list: at 0 the state in which
the call found the machine, at 1 the transfers of tokens that are still to be made, then the locals. It
returns the value. What an operation works on is computed from left to right. Types were checked when the
tree was made; what is checked here is what depends on values: ranges, divisors, indices. No source is
generated.

A call of a Python function takes as long as several operations. So the commonest shapes have closures of
their own that look at locals, constants and the caller themselves in place of asking another closure.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.slots import following, slot
from chainstack_sdk.core.panics import OVERFLOW, panic
from chainstack_sdk.machines.storage import KeySlots, first_slots, loader
from chainstack_sdk.machines.types import UINT
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.ir import Expression, MachineIR
    from chainstack_sdk.machines.types import Type

    Frame: TypeAlias = list[Any]
    Closure: TypeAlias = Callable[[Call, Frame], Any]

LOCALS = 2
"""Where the locals begin in a frame."""
OUT_OF_BOUNDS = 0x32
"""Panic code: no such element in the array."""

PLAIN = ("uint256", "enum")
"""Types of which a slot holds the value as it is."""

_INT_LIMIT = 1 << 255
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
"""What comparisons compute."""
_COMPUTE: dict[str, Callable[[int, int], int]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.floordiv,
    "mod": operator.mod,
}


class Expressions:
    """Makes the closures of one machine's expressions.

    Parameters
    ----------
    machine
        Which machine.
    """

    def __init__(self, machine: MachineIR) -> None:
        self.machine = machine
        self.firsts = first_slots(machine)
        self._slots: dict[tuple[bytes, tuple[bool, ...]], KeySlots] = {}

    def make(self, expression: Expression) -> Closure:
        """Return the closure of an expression."""
        op, data = expression.op, expression.data
        match op:
            case "const":
                return lambda call, frame: data
            case "local":
                at = LOCALS + int(data)
                return lambda call, frame: frame[at]
            case "load":
                return self._load(expression)
            case "state":
                return lambda call, frame: frame[0] == data
            case "if":
                return self._conditional(expression)
            case "keccak":
                return self._keccak(expression.args)
        if op in _CONTEXT:
            return _CONTEXT[op]
        args = [self.make(each) for each in expression.args]
        if op in _COMPUTE or op in ("min", "max"):
            return _arithmetic(op, expression, *args)
        if op in COMPARE:
            return _pair(COMPARE[op], expression.args, *args)
        return _OTHERS[op](*args)

    def place(self, field: int, keys: Sequence[Expression]) -> tuple[Closure, Type]:
        """Return what finds the slot of a field's value under keys, and the type of that value."""
        kind, base = self.machine.fields[field].type, slot(self.firsts[field])
        mapped: list[Expression] = []
        while kind.kind == "mapping" and len(mapped) < len(keys):
            mapped.append(keys[len(mapped)])
            kind = kind.parts[1]
        found = self._mapped(base, mapped)
        if len(mapped) == len(keys):
            return found, kind
        return _element(found, self.make(keys[-1]), kind.bound), kind.parts[0]

    def _mapped(self, base: bytes, keys: Sequence[Expression]) -> Closure:
        if not keys:
            return lambda call, frame: base
        slots = self._key_slots(base, keys)
        made = [self.make(each) for each in keys]
        if len(made) == 1:
            one, at = made[0], local_place(keys[0])
            if at:
                return lambda call, frame: slots[frame[at]]
            if keys[0].op == "caller":
                return lambda call, frame: slots[call.caller]
            return lambda call, frame: slots[one(call, frame)]
        return lambda call, frame: slots[tuple([each(call, frame) for each in made])]

    def _key_slots(self, base: bytes, keys: Sequence[Expression]) -> KeySlots:
        """Return the slots of a mapping, the same wherever it is used."""
        signed = tuple([each.type.kind == "int256" for each in keys])
        return self._slots.setdefault((base, signed), KeySlots(base, signed))

    def _load(self, expression: Expression) -> Closure:
        field, keys = int(expression.data), expression.args
        find, kind = self.place(field, keys)
        if not keys:
            read, first = loader(kind), slot(self.firsts[field])
            if kind.kind in PLAIN:
                return lambda call, frame: call.load(first)
            return lambda call, frame: read(call, first)
        if kind.kind in PLAIN:
            if len(keys) > 1 or self.machine.fields[field].type.kind == "array":
                return lambda call, frame: call.load(find(call, frame))
            slots, at = self._key_slots(slot(self.firsts[field]), keys), local_place(keys[0])
            if at:
                return lambda call, frame: call.load(slots[frame[at]])
            if keys[0].op == "caller":
                return lambda call, frame: call.load(slots[call.caller])
            return lambda call, frame: call.load(find(call, frame))
        get = loader(kind)
        return lambda call, frame: get(call, find(call, frame))

    def _conditional(self, expression: Expression) -> Closure:
        condition, one, other = [self.make(each) for each in expression.args]
        return lambda call, frame: one(call, frame) if condition(call, frame) else other(call, frame)

    def _keccak(self, args: Sequence[Expression]) -> Closure:
        made = [(self.make(each), word_bytes(each.type)) for each in args]

        def hashed(call: Call, frame: Frame) -> bytes:
            return keccak256(b"".join([encode(value(call, frame)) for value, encode in made]))

        return hashed


def word_bytes(kind: Type) -> Callable[[Any], bytes]:
    """Return the function from a value to what is hashed of it: its word, or the bytes of a string."""
    match kind.kind:
        case "int256":
            return lambda value: value.to_bytes(32, signed=True)
        case "address" | "bytes32":
            return lambda value: value.rjust(32, b"\0")
        case "string":
            return lambda value: value.encode()
        case "bytes":
            return lambda value: value
    return lambda value: int(value).to_bytes(32)


def _element(find: Closure, index: Closure, bound: int) -> Closure:
    def place(call: Call, frame: Frame) -> bytes:
        first, at = find(call, frame), index(call, frame)
        if at >= bound:
            raise panic(OUT_OF_BOUNDS)
        return following(first, at)

    return place


# Numbers


def local_place(expression: Expression) -> int:
    """Return where in a frame a local is; 0 for everything else."""
    return LOCALS + int(expression.data) if expression.op == "local" else 0


def _arithmetic(op: str, expression: Expression, one: Closure, other: Closure) -> Closure:
    unsigned, args = expression.type == UINT, expression.args
    if op in ("min", "max"):
        choose: Callable[[int, int], int] = min if op == "min" else max
        return lambda call, frame: choose(one(call, frame), other(call, frame))
    if unsigned and op in ("div", "mod"):
        return _pair(_COMPUTE[op], args, one, other)
    if unsigned and op == "sub" and (left := local_place(args[0])) and (right := local_place(args[1])):
        return _difference(left, right)
    compute = _COMPUTE[op]
    return _checked_unsigned(compute, one, other) if unsigned else _checked_signed(compute, one, other)


def _difference(left: int, right: int) -> Closure:
    def computed(call: Call, frame: Frame) -> int:
        value: int = frame[left] - frame[right]
        if value < 0:
            raise panic(OVERFLOW)
        return value

    return computed


def _checked_unsigned(compute: Callable[[int, int], int], one: Closure, other: Closure) -> Closure:
    def computed(call: Call, frame: Frame) -> int:
        value = compute(one(call, frame), other(call, frame))
        if value >> 256:  # negative, or too large
            raise panic(OVERFLOW)
        return value

    return computed


def _checked_signed(compute: Callable[[int, int], int], one: Closure, other: Closure) -> Closure:
    def computed(call: Call, frame: Frame) -> int:
        return _signed(compute(one(call, frame), other(call, frame)))

    return computed


def _signed(value: int) -> int:
    if not -_INT_LIMIT <= value < _INT_LIMIT:
        raise panic(OVERFLOW)
    return value


def _unsigned(value: int) -> int:
    if value < 0:
        raise panic(OVERFLOW)
    return value


def _pair(
    compute: Callable[[Any, Any], Any], args: Sequence[Expression], one: Closure, other: Closure
) -> Closure:
    """Return the closure of two values of which nothing is checked."""
    left, right = local_place(args[0]), local_place(args[1])
    if args[1].op == "const":
        value = args[1].data
        if left:
            return lambda call, frame: compute(frame[left], value)
        return lambda call, frame: compute(one(call, frame), value)
    if left and right:
        return lambda call, frame: compute(frame[left], frame[right])
    return lambda call, frame: compute(one(call, frame), other(call, frame))


# The rest


def _and(one: Closure, other: Closure) -> Closure:
    return lambda call, frame: one(call, frame) and other(call, frame)


def _or(one: Closure, other: Closure) -> Closure:
    return lambda call, frame: one(call, frame) or other(call, frame)


def _not(one: Closure) -> Closure:
    return lambda call, frame: not one(call, frame)


def _neg(one: Closure) -> Closure:
    return lambda call, frame: _signed(-one(call, frame))


def _to_int(one: Closure) -> Closure:
    return lambda call, frame: _signed(one(call, frame))


def _to_uint(one: Closure) -> Closure:
    return lambda call, frame: _unsigned(one(call, frame))


def _contains(array: Closure, one: Closure) -> Closure:
    def found(call: Call, frame: Frame) -> bool:
        values = array(call, frame)
        return one(call, frame) in values

    return found


def _in(one: Closure, *others: Closure) -> Closure:
    def found(call: Call, frame: Frame) -> bool:
        value = one(call, frame)
        return value in [each(call, frame) for each in others]

    return found


def _item(array: Closure, index: Closure) -> Closure:
    def item(call: Call, frame: Frame) -> Any:
        values, at = array(call, frame), index(call, frame)
        if at >= len(values):
            raise panic(OUT_OF_BOUNDS)
        return values[at]

    return item


_OTHERS: dict[str, Callable[..., Closure]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "neg": _neg,
    "to_int": _to_int,
    "to_uint": _to_uint,
    "contains": _contains,
    "in": _in,
    "item": _item,
}

_CONTEXT: dict[str, Closure] = {
    "caller": lambda call, frame: call.caller,
    "value": lambda call, frame: call.value,
    "now": lambda call, frame: call.block.timestamp,
    "height": lambda call, frame: call.block.height,
    "balance": lambda call, frame: call.balance(call.address),
    "this": lambda call, frame: call.address,
}
