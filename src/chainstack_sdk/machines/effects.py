"""From statements to Python closures; see :mod:`chainstack_sdk.machines.closures`.

Transfers of tokens run code of others. They are noted in the frame and made by :func:`settle` when everything
else of the call has been done and the machine's state is written, so that a token which calls back meets the
machine as any other caller would, and finds nothing half done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.environment import OutOfGas
from chainstack_sdk.core.panics import OVERFLOW, panic
from chainstack_sdk.machines.closures import LOCALS, PLAIN, Expressions, local_place
from chainstack_sdk.machines.gas import NFT_GAS, TOKEN_GAS
from chainstack_sdk.machines.interface import interface_of
from chainstack_sdk.machines.storage import storer
from chainstack_sdk.primitives.abi import Function, Param

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.closures import Closure, Frame
    from chainstack_sdk.machines.ir import Block, Expression, MachineIR, Statement
    from chainstack_sdk.primitives.abi import ErrorType, Event

    Action: TypeAlias = Callable[[Call, Frame], None]

_TRUE = (1).to_bytes(32)
_TO_AMOUNT = (Param("address"), Param("uint256"))
_FROM_TO = (Param("address"), Param("address"), Param("uint256"))
TRANSFER = Function("transfer", _TO_AMOUNT, (Param("bool"),))
"""ERC-20."""
TRANSFER_FROM = Function("transferFrom", _FROM_TO, (Param("bool"),))
"""ERC-20 and ERC-721; only that of ERC-20 returns something."""


class Statements(Expressions):
    """Makes the closures of one machine's statements and expressions.

    Attributes
    ----------
    locals
        How many locals a frame needs for all that has been made.
    """

    def __init__(self, machine: MachineIR) -> None:
        super().__init__(machine)
        interface = interface_of(machine)
        self.events, self.errors = interface.events, interface.errors
        self.locals = 0

    def block(self, block: Block) -> Action:
        """Return the closure of statements in order."""
        made = tuple([self.act(each) for each in block])
        if len(made) == 1:
            return made[0]

        def run(call: Call, frame: Frame) -> None:
            for each in made:
                each(call, frame)

        return run

    def act(self, statement: Statement) -> Action:
        """Return the closure of a statement."""
        op, args = statement.op, statement.args
        match op, statement.data:
            case (("let" | "set"), int(number)):
                return self._set(number, self.make(args[0]))
            case (("store" | "increase" | "decrease"), int(field)):
                return self._write(statement, field)
            case "if", _:
                return _branch(self.make(args[0]), *[self.block(each) for each in statement.blocks])
            case "for", (start, stop, number):
                return self._loop(range(start, stop), number, statement.blocks[0])
            case "require", _:
                return self._require(statement)
            case "pay", _:
                return _pay(self.make(args[0]), self.make(args[1]))
            case "emit", int(number):
                return self._emit(self.events[number], args)
        return _note(op, [self.make(each) for each in args])

    def _set(self, number: int, value: Closure) -> Action:
        at = self._local(number)

        def act(call: Call, frame: Frame) -> None:
            frame[at] = value(call, frame)

        return act

    def _local(self, number: int) -> int:
        self.locals = max(self.locals, number + 1)
        return LOCALS + number

    def _loop(self, turns: range, number: int, body: Block) -> Action:
        at, turn = self._local(number), self.block(body)

        def act(call: Call, frame: Frame) -> None:
            for frame[at] in turns:
                turn(call, frame)

        return act

    def _write(self, statement: Statement, field: int) -> Action:
        find, kind = self.place(field, statement.args[:-1])
        value = self.make(statement.args[-1])
        if statement.op != "store":
            return _grow(find, value) if statement.op == "increase" else _shrink(find, value)
        if kind.kind in PLAIN:
            return lambda call, frame: call.store(find(call, frame), value(call, frame))
        put = storer(kind)

        def act(call: Call, frame: Frame) -> None:
            put(call, find(call, frame), value(call, frame))

        return act

    def _emit(self, event: Event, args: Sequence[Expression]) -> Action:
        values, inputs = [self.make(each) for each in args], event.inputs
        if not inputs or any(param.type not in _WORDS for param in inputs):
            return _emit_any(event, values)
        indexed = sum(param.indexed for param in inputs)
        if not all(param.indexed for param in inputs[:indexed]):
            return _emit_any(event, values)
        topic = event.topic
        words = [
            _word(param.type, each, value) for param, each, value in zip(inputs, args, values, strict=True)
        ]

        def act(call: Call, frame: Frame) -> None:
            made = [each(call, frame) for each in words]
            call.log([topic, *made[:indexed]], b"".join(made[indexed:]))

        return act

    def _require(self, statement: Statement) -> Action:
        condition, data = self.make(statement.args[0]), statement.data
        values = [self.make(each) for each in statement.args[1:]]
        refusal: str | ErrorType = self.errors[data] if isinstance(data, int) else str(data)

        def act(call: Call, frame: Frame) -> None:
            if not condition(call, frame):
                raise call.error(refusal, *[each(call, frame) for each in values])

        return act


def _grow(find: Closure, value: Closure) -> Action:
    def act(call: Call, frame: Frame) -> None:
        if call.try_add(find(call, frame), value(call, frame)) >> 256:
            raise panic(OVERFLOW)

    return act


def _shrink(find: Closure, value: Closure) -> Action:
    def act(call: Call, frame: Frame) -> None:
        if call.try_add(find(call, frame), -value(call, frame)) < 0:
            raise panic(OVERFLOW)

    return act


def _branch(condition: Closure, then: Action, otherwise: Action) -> Action:
    def act(call: Call, frame: Frame) -> None:
        if condition(call, frame):
            then(call, frame)
        else:
            otherwise(call, frame)

    return act


def _pay(to: Closure, amount: Closure) -> Action:
    def act(call: Call, frame: Frame) -> None:
        call.transfer(to(call, frame), amount(call, frame))

    return act


def _emit_any(event: Event, values: Sequence[Closure]) -> Action:
    def act(call: Call, frame: Frame) -> None:
        call.emit(event, *[each(call, frame) for each in values])

    return act


def _word(kind: str, expression: Expression, value: Closure) -> Closure:
    """Return what computes the word of a value for an event: values of a running machine need no checks."""
    at = local_place(expression)
    match kind:
        case "uint256" if at:
            return lambda call, frame: frame[at].to_bytes(32)
        case "uint256":
            return lambda call, frame: value(call, frame).to_bytes(32)
        case "address" if at:
            return lambda call, frame: _ZEROS + frame[at]
        case "address" if expression.op == "caller":
            return lambda call, frame: _ZEROS + call.caller
        case "address":
            return lambda call, frame: _ZEROS + value(call, frame)
    return value


_ZEROS = bytes(12)
_WORDS = ("uint256", "address", "bytes32")
"""The commonest types in events."""


# Tokens of others


def _note(op: str, args: Sequence[Closure]) -> Action:
    def act(call: Call, frame: Frame) -> None:
        frame[1].append((op, *[each(call, frame) for each in args]))

    return act


def settle(call: Call, frame: Frame) -> None:
    """Make the transfers of tokens that were noted.

    Raises
    ------
    Reverted
        When a token refuses, is no contract, takes more than its share of gas or does not confirm.
    """
    for op, token, party, amount in frame[1]:
        if not call.is_contract(token):
            raise call.error("the token is not a contract")
        match op:
            case "send_token":
                data = TRANSFER.encode_call(party, amount)
            case "take_token":
                data = TRANSFER_FROM.encode_call(party, call.address, amount)
            case "send_nft":
                data = TRANSFER_FROM.encode_call(call.address, party, amount)
            case _:
                data = TRANSFER_FROM.encode_call(party, call.address, amount)
        fungible = op in ("send_token", "take_token")
        answer = _outside(call, token, data, TOKEN_GAS if fungible else NFT_GAS)
        if fungible and answer[:32] != _TRUE:
            raise call.error("the token did not confirm the transfer")
    frame[1].clear()


def _outside(call: Call, to: bytes, data: bytes, allowance: int) -> bytes:
    """Call a token that may use so much gas and no more."""
    kept = call.gas_left - gas.CALL - allowance
    call.charge(kept)
    try:
        return call.call(to, data)
    except OutOfGas:
        raise call.error("the token takes more gas than a transfer may") from None
    finally:
        call.charge(-kept)
