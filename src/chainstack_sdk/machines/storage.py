"""Where the values of a machine live: the layout of Solidity, one field after the other, nothing packed.

=========  ==================================================================================
Slot       Value
=========  ==================================================================================
0          state ‖ since when ‖ how often: state + since * 2^8 + changes * 2^72
1 …        the fields in order of declaration, each with as many slots as its type takes
after all  confirmations: mapping from an action to a bit map of the members who made the call
=========  ==================================================================================

``since`` is when the machine came into its state, Unix seconds; ``changes`` counts how often it came into
one, its making included, so that the slot is never zero. An action is the hash of the role's members,
``changes`` and the call's data: what members agreed to lapses when the machine comes into a state, or the
role has other members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.slots import following, load_bytes, mapping_slot, slot, store_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.ir import MachineIR
    from chainstack_sdk.machines.types import Type

    Loader = Callable[[Call, bytes], Any]
    Storer = Callable[[Call, bytes, Any], None]

STATUS = slot(0)
"""The slot of the state."""
CACHE_LIMIT = 16_384
"""Slots of one mapping that a node remembers before it starts afresh."""

_WRAP = 1 << 256
_SIGN = 1 << 255


def first_slots(machine: MachineIR) -> tuple[int, ...]:
    """Return the number of the first slot of each field, and after them that of the confirmations."""
    found, at = [], 1
    for each in machine.fields:
        found.append(at)
        at += each.type.slots
    return (*found, at)


def first_status(now: int) -> int:
    """Return what slot 0 holds when a machine has been made."""
    return now << 8 | 1 << 72


def next_status(status: int, state: int, now: int) -> int:
    """Return what slot 0 holds when a machine has come into a state."""
    return state | now << 8 | (status >> 72) + 1 << 72


def since(status: int) -> int:
    """Return when the machine came into its state, Unix seconds."""
    return status >> 8 & 0xFFFF_FFFF_FFFF_FFFF


class KeySlots(dict[Any, bytes]):
    """The slots of one mapping by key, hashed once; those of mappings in mappings by tuples of keys.

    Parameters
    ----------
    base
        Slot of the mapping, 32 bytes.
    signed
        Which of the keys are ``int256``.
    """

    __slots__ = ("base", "signed")

    def __init__(self, base: bytes, signed: tuple[bool, ...]) -> None:
        super().__init__()
        self.base = base
        self.signed = signed

    def __missing__(self, key: Any) -> bytes:
        found = self.base
        for one, signed in zip(key if len(self.signed) > 1 else (key,), self.signed, strict=True):
            found = mapping_slot(found, one % _WRAP if signed else one)
        if len(self) >= CACHE_LIMIT:
            self.clear()
        self[key] = found
        return found


# From slots to values and back


def loader(kind: Type) -> Loader:
    """Return the function that reads a value of a type from its first slot."""
    match kind.kind:
        case "bool":
            return lambda call, at: bool(call.load(at))
        case "int256":
            return _load_signed
        case "address":
            return lambda call, at: call.load(at).to_bytes(20)
        case "bytes32":
            return lambda call, at: call.load(at).to_bytes(32)
        case "string":
            return lambda call, at: load_bytes(call, at).decode()
        case "bytes":
            return load_bytes
        case "array":
            element, places = loader(kind.parts[0]), range(kind.bound)
            return lambda call, at: tuple([element(call, following(at, place)) for place in places])
    return lambda call, at: call.load(at)


def storer(kind: Type) -> Storer:
    """Return the function that writes a value of a type from its first slot on."""
    match kind.kind:
        case "bool":
            return lambda call, at, value: call.store(at, int(value))
        case "int256":
            return lambda call, at, value: call.store(at, value % _WRAP)
        case "address" | "bytes32":
            return lambda call, at, value: call.store(at, int.from_bytes(value))
        case "string":
            return lambda call, at, value: store_bytes(call, at, value.encode())
        case "bytes":
            return store_bytes
        case "array":
            return _array_storer(storer(kind.parts[0]))
    return lambda call, at, value: call.store(at, value)


def _load_signed(call: Call, at: bytes) -> int:
    value = call.load(at)
    return value - _WRAP if value >= _SIGN else value


def _array_storer(element: Storer) -> Storer:
    def store(call: Call, at: bytes, values: Any) -> None:
        for place, value in enumerate(values):
            element(call, following(at, place), value)

    return store
