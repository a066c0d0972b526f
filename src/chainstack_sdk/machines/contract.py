"""The contract that a machine is on chain: calls by the standard ABI, answered by its closures.

A call of a transition goes through these steps, and reverts with ``Error(string)`` at the first that fails,
or with ``Panic(uint256)`` where arithmetic goes wrong:

1. The arguments are decoded as strictly as Solidity does; text and bytes must keep their bounds.
2. A timer that is due fires: its body runs, the machine comes into its target. Coin that comes with the call
   is not there yet.
3. The state must be one of the transition's sources.
4. The caller must have the transition's role. Where several must agree, the call is counted, ``Confirmed`` is
   emitted, and what follows happens only when enough members have made the same call.
5. The body runs, then the results are computed.
6. The machine comes into the target, if there is one.
7. If its state has a timer, and is new or the timer's delay may have changed, the machine is written into the
   calendar, from which the chain fires it (:mod:`chainstack_sdk.machines.firing`).
8. Transfers of tokens are made, in order.

A view sees the state as stored, with no timer fired. Every call costs its constant of
:mod:`chainstack_sdk.machines.gas`, whatever becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.core.panics import DIVISION_BY_ZERO, panic
from chainstack_sdk.machines.effects import Statements, settle
from chainstack_sdk.machines.gas import gas_table, rearming
from chainstack_sdk.machines.interface import CONFIRMED, DUE, POKE, STATE, interface_of
from chainstack_sdk.machines.storage import (
    STATUS,
    first_slots,
    first_status,
    loader,
    next_status,
)
from chainstack_sdk.machines.timers import Timers
from chainstack_sdk.machines.types import bytes_bound
from chainstack_sdk.primitives.abi import codec
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken, Reverted
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.closures import Frame
    from chainstack_sdk.machines.ir import Function as Code
    from chainstack_sdk.machines.ir import MachineIR, Parameter, Transition, View
    from chainstack_sdk.primitives.abi import Function

    Entry: TypeAlias = Callable[[Call, bytes], bytes]
    Guard: TypeAlias = Callable[[Call, int, Sequence[Any]], bool]
    Fire: TypeAlias = Callable[[Call, int], int]


class MachineContract:
    """A machine behind an address; one object serves all that have the same code.

    Parameters
    ----------
    machine
        One that keeps all rules, as the compiler and the decoder give it.
    maker
        Makes the closures; by default as nodes do.
    """

    def __init__(self, machine: MachineIR, maker: Statements | None = None) -> None:
        self.machine = machine
        self.costs = gas_table(machine)
        self._maker = Statements(machine) if maker is None else maker
        self._interface = interface_of(machine)
        self.timers = Timers(machine, self._maker)
        self._fire: Fire = self.timers.fire_due if machine.timers else _nothing_due
        self._create = self._constructor(machine.constructor)
        self._entries: dict[bytes, Entry] = {}
        for transition in machine.transitions:
            self._enter(transition.name, self._transition(transition))
        for view in machine.views:
            self._enter(view.name, self._view(view))
        self._enter(STATE.name, _state)
        if machine.timers:
            self._enter(DUE.name, self._due)
            self._enter(POKE.name, self._poke)

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Run one call; see :meth:`chainstack_sdk.core.interfaces.Contract.invoke`."""
        entry = self._entries.get(data[:4])
        if entry is None:
            raise Reverted("no such function" if data else "this contract takes no payments")
        return entry(call, data)

    def create(self, call: Call, arguments: bytes) -> None:
        """Run the constructor on behalf of an address that has just got the machine's code.

        Parameters
        ----------
        arguments
            ABI-encoded.

        Raises
        ------
        Reverted
            When they are malformed, coin came that it does not take, or the constructor refuses.
        """
        _metered(self._create, self.costs["constructor"], payable=True)(call, arguments)

    def fire(self, call: Call, firings: int) -> str | None:
        """Fire the timer that is due on behalf of the chain; return its name, or None when none is due.

        Parameters
        ----------
        call
            With the gas of :attr:`~chainstack_sdk.machines.timers.Timers.allowances`.
        firings
            How many timers more have been paid for: only then the chain will fire that of the new state.

        Raises
        ------
        Reverted
            When the timer or a token refuses, or the gas is not enough.
        """
        status = call.load(STATUS)
        try:
            if not self.timers.is_due(call, status):
                return None
            self.timers.fire(call, status, firings)
        except ZeroDivisionError:
            raise panic(DIVISION_BY_ZERO) from None
        return self.timers.names[status & 0xFF]

    def _enter(self, name: str, entry: Entry) -> None:
        function = self._interface.function(name)
        payable = function.mutability == "payable"
        self._entries[function.selector] = _metered(entry, self.costs[name], payable=payable)

    # Kinds of functions

    def _constructor(self, code: Code) -> Entry:
        decode, check = self._interface.constructor.decode, _bounds(code.parameters, self.machine)
        body, maker = self._maker.block(code.body), self._maker
        count, payable = len(code.parameters), self.machine.payable

        def entry(call: Call, data: bytes) -> bytes:
            if call.value and not payable:
                raise Reverted("the constructor takes no coin")
            args = _decoded(decode, data)
            if check is not None:
                check(call, args)
            frame: Frame = [0, [], *args, *[None] * (maker.locals - count)]
            body(call, frame)
            status = first_status(call.block.timestamp)
            call.store(STATUS, status)
            self.timers.arm(call, status)
            settle(call, frame)
            return b""

        return entry

    def _transition(self, transition: Transition) -> Entry:
        code, name, target = transition.function, transition.name, transition.target
        function = self._interface.function(name)
        decode, check = function.decode_input, _bounds(code.parameters, self.machine)
        body, results, fire = self._maker.block(code.body), self._results(code), self._fire
        guard = self._guard(transition, function)
        sources, states = frozenset(transition.sources), self.machine.states
        moved, arm = rearming(self.machine, transition), self.timers.arm
        rest: list[None] = [None] * (self._maker.locals - len(code.parameters))

        def entry(call: Call, data: bytes) -> bytes:
            args = _decoded(decode, data[4:])
            if check is not None:
                check(call, args)
            before = _status(call)
            status = fire(call, before)
            state = status & 0xFF
            if state not in sources:
                raise call.error(f"{name} is not possible in state {states[state].name}")
            if guard is not None and not guard(call, status, args):
                if status != before:
                    arm(call, status)
                return b""
            frame: Frame = [state, [], *args, *rest]
            body(call, frame)
            output = results(call, frame)
            if target is not None:
                status = next_status(status, target, call.block.timestamp)
                call.store(STATUS, status)
                arm(call, status)
            elif state in moved or status != before:
                arm(call, status)
            if frame[1]:
                settle(call, frame)
            return output

        return entry

    def _view(self, view: View) -> Entry:
        code, function = view.function, self._interface.function(view.name)
        decode, check = function.decode_input, _bounds(code.parameters, self.machine)
        body, results = self._maker.block(code.body), self._results(code)
        rest: list[None] = [None] * (self._maker.locals - len(code.parameters))

        def entry(call: Call, data: bytes) -> bytes:
            call.read_only = True
            args = _decoded(decode, data[4:])
            if check is not None:
                check(call, args)
            frame: Frame = [call.load(STATUS) & 0xFF, [], *args, *rest]
            body(call, frame)
            return results(call, frame)

        return entry

    def _results(self, code: Code) -> Callable[[Call, Frame], bytes]:
        made = [self._maker.make(each) for each in code.results]
        encode = codec(tuple([each.type.abi for each in code.results])).encode
        if all(each.op == "const" for each in code.results):
            output = encode([each.data for each in code.results])
            return lambda call, frame: output
        if [each.type.kind for each in code.results] == ["bool"]:
            one = made[0]
            return lambda call, frame: _TRUE if one(call, frame) else _FALSE
        return lambda call, frame: encode([each(call, frame) for each in made])

    # Who may call

    def _guard(self, transition: Transition, function: Function) -> Guard | None:
        if transition.role is None:
            return None
        role = self.machine.fields[transition.role]
        read, at = loader(role.type), slot(first_slots(self.machine)[transition.role])
        refusal = f"only {role.name} may call {transition.name}"
        if role.type.kind == "address":

            def is_holder(call: Call, status: int, args: Sequence[Any]) -> bool:
                if call.caller != read(call, at):
                    raise call.error(refusal)
                return True

            return is_holder

        def agreed(call: Call, status: int, args: Sequence[Any]) -> bool:
            members = read(call, at)
            if call.caller not in members:
                raise call.error(refusal)
            return threshold == 1 or self._confirm(
                call, members, threshold, status, function.encode_call(*args)
            )

        threshold = role.threshold
        return agreed

    def _confirm(self, call: Call, members: Sequence[bytes], needed: int, status: int, data: bytes) -> bool:
        """Count the caller's confirmation; tell whether there are enough."""
        base = slot(first_slots(self.machine)[-1])
        padded = b"".join([each.rjust(32, b"\0") for each in members])
        action = mapping_slot(base, keccak256(padded + (status >> 72).to_bytes(32) + data))
        found, bit = call.load(action), 1 << members.index(call.caller)
        if found & bit:
            raise call.error("you have confirmed this already")
        found |= bit
        count = found.bit_count()
        call.store(action, found if count < needed else 0)
        call.emit(CONFIRMED, action, call.caller, count)
        return count >= needed

    # What happens by itself

    def _due(self, call: Call, data: bytes) -> bytes:
        return _TRUE if self.timers.is_due(call, call.load(STATUS)) else _FALSE

    def _poke(self, call: Call, data: bytes) -> bytes:
        status = _status(call)
        if not self.timers.is_due(call, status):
            raise call.error("no timer is due")
        self.timers.arm(call, self.timers.fire(call, status))
        return b""


_TRUE = (1).to_bytes(32)
_FALSE = bytes(32)


def _status(call: Call) -> int:
    status = call.load(STATUS)
    if not status:  # code that a genesis put somewhere, say
        raise call.error("this machine has never been made")
    return status


def _state(call: Call, data: bytes) -> bytes:
    return (call.load(STATUS) & 0xFF).to_bytes(32)


def _nothing_due(call: Call, status: int) -> int:
    return status


def _metered(entry: Entry, cost: int, *, payable: bool) -> Entry:
    """Return an entry that costs this much, however little it does, and takes coin only if it is payable."""

    def metered(call: Call, data: bytes) -> bytes:
        rest = call.gas_left - cost
        if rest < 0:
            call.charge(cost)
        try:
            if call.value and not payable:
                raise Reverted("the function takes no coin")
            return entry(call, data)
        except ZeroDivisionError:
            raise panic(DIVISION_BY_ZERO) from None
        finally:
            over = call.gas_left - rest
            if over < 0:
                raise InvariantBroken(
                    "a machine used more gas than its constant", expected=cost, actual=-over
                )
            call.charge(over)

    return metered


def _decoded(decode: Callable[[bytes], tuple[Any, ...]], data: bytes) -> tuple[Any, ...]:
    try:
        return decode(data)
    except InvalidInput as error:
        raise Reverted("malformed call data") from error


def _bounds(
    parameters: Sequence[Parameter], machine: MachineIR
) -> Callable[[Call, Sequence[Any]], None] | None:
    """Return the check that the ABI does not make: bounds of text and bytes, numbers of members."""
    texts = [(at, each) for at, each in enumerate(parameters) if each.type.is_bytes]
    enums = []
    for at, each in enumerate(parameters):
        element = each.type.parts[0] if each.type.kind == "array" else each.type
        if element.kind == "enum":
            enums.append((at, each.type.kind == "array", len(machine.enums[element.bound].members)))
    if not texts and not enums:
        return None

    def check(call: Call, args: Sequence[Any]) -> None:
        for at, parameter in texts:
            if bytes_bound(args[at]) > parameter.type.bound:
                raise call.error(f"{parameter.name} takes at most {parameter.type.bound} bytes")
        for at, several, members in enums:
            if max(args[at] if several else (args[at],)) >= members:
                raise Reverted("no such member of the enumeration")

    return check
