"""The entries of a contract's ABI: functions, events, errors, the constructor.

Source: the Solidity documentation, "Contract ABI Specification". Each entry knows its signature, its
selector or topic, how to encode and decode what belongs to it, and its form in the standard JSON ABI.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.abi.codec import Codec, codec
from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.primitives.abi.values import Encoder

_MAX_INDEXED = 3


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter or result."""

    type: str
    """Canonical name of the type, tuples written out: ``"(address,uint256)[]"``."""
    name: str = ""
    """May be empty."""
    indexed: bool = False
    """In an event: whether the value is a topic."""
    components: tuple[Param, ...] = ()
    """The members, when the type is a tuple or an array of tuples."""

    def to_json(self) -> dict[str, Any]:
        """Return the parameter as in a JSON ABI (without ``indexed``)."""
        if not self.components:
            return {"name": self.name, "type": self.type}
        suffix = self.type[self.type.rindex(")") + 1 :]
        return {
            "name": self.name,
            "type": "tuple" + suffix,
            "components": [member.to_json() for member in self.components],
        }


@dataclass(frozen=True, slots=True)
class Function:
    """A function that transactions and queries call by its selector."""

    name: str
    inputs: tuple[Param, ...] = ()
    outputs: tuple[Param, ...] = ()
    mutability: str = "nonpayable"
    """``"pure"``, ``"view"``, ``"nonpayable"`` or ``"payable"``."""
    signature: str = field(init=False, compare=False)
    """Name and types, such as ``"transfer(address,uint256)"``."""
    selector: bytes = field(init=False, compare=False)
    """The first 4 bytes of the signature's hash; call data begins with them."""
    _inputs: Codec = field(init=False, repr=False, compare=False)
    _outputs: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        signature = _signature(self.name, self.inputs)
        _set(self, "signature", signature)
        _set(self, "selector", keccak256(signature.encode())[:4])
        _set(self, "_inputs", _codec(self.inputs))
        _set(self, "_outputs", _codec(self.outputs))

    def encode_call(self, *args: Any) -> bytes:
        """Return the call data: selector, then arguments.

        Raises
        ------
        UsageError
            When the arguments do not fit.
        """
        return self.selector + _encode_args(self.signature, self._inputs, args)

    def decode_input(self, data: bytes) -> tuple[Any, ...]:
        """Return the arguments from call data *without* its selector.

        Raises
        ------
        InvalidInput
            When they are not encoded as declared.
        """
        return self._inputs.decode(data)

    def encode_output(self, values: Sequence[Any]) -> bytes:
        """Return the encoding of the results, given as a list or tuple even when there is one.

        Raises
        ------
        UsageError
            When they do not fit.
        """
        return self._outputs.encode(values)

    def decode_output(self, data: bytes) -> tuple[Any, ...]:
        """Return the results, as a tuple even when there is one.

        Raises
        ------
        InvalidInput
            When they are not encoded as declared.
        """
        return self._outputs.decode(data)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as in a JSON ABI."""
        return {
            "type": "function",
            "name": self.name,
            "inputs": [param.to_json() for param in self.inputs],
            "outputs": [param.to_json() for param in self.outputs],
            "stateMutability": self.mutability,
        }


@dataclass(frozen=True, slots=True)
class Event:
    """An event: what a contract writes into the log of a transaction's receipt."""

    name: str
    inputs: tuple[Param, ...] = ()
    signature: str = field(init=False, compare=False)
    """Name and types, such as ``"Transfer(address,address,uint256)"``."""
    topic: bytes = field(init=False, compare=False)
    """The signature's hash (32 bytes), the first topic of the log."""
    _topics: tuple[Encoder | None, ...] = field(init=False, repr=False, compare=False)
    """For each parameter how it becomes a topic; ``None`` where it goes into the data."""
    _data: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        indexed = sum(param.indexed for param in self.inputs)
        if indexed > _MAX_INDEXED:
            raise UsageError("an event has at most three indexed parameters", actual=indexed)
        signature = _signature(self.name, self.inputs)
        _set(self, "signature", signature)
        _set(self, "topic", keccak256(signature.encode()))
        _set(self, "_topics", tuple([_topic_encoder(param) for param in self.inputs]))
        _set(self, "_data", _codec([param for param in self.inputs if not param.indexed]))

    def encode(self, *values: Any) -> tuple[tuple[bytes, ...], bytes]:
        """Return the topics (32 bytes each) and the data of the log with these values, in declared order.

        An indexed array, tuple, string or ``bytes`` is represented by its hash.

        Raises
        ------
        UsageError
            When the values do not fit.
        """
        if len(values) != len(self.inputs):
            raise _wrong_count(self.signature, self.inputs, values)
        topics = [self.topic]
        rest = []
        for encode_topic, value in zip(self._topics, values, strict=True):
            if encode_topic is None:
                rest.append(value)
            else:
                topics.append(encode_topic(value))
        return tuple(topics), self._data.encode(rest)

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Return the values of a log by parameter name; a nameless parameter goes by its position.

        An indexed array, tuple, string or ``bytes`` gives its hash, all that the log tells of it.

        Raises
        ------
        InvalidInput
            When the log is of another event or not encoded as declared.
        """
        if not topics or topics[0] != self.topic:
            raise InvalidInput("log is not of this event", expected=self.topic, actual=topics[:1])
        hidden = list(topics[1:])
        if len(hidden) != sum(param.indexed for param in self.inputs) or any(len(t) != 32 for t in hidden):
            raise InvalidInput("log has other topics than the event", actual=len(topics))
        shown = list(self._data.decode(data))
        hidden.reverse()
        shown.reverse()
        values = [_from_topic(p, hidden.pop()) if p.indexed else shown.pop() for p in self.inputs]
        return _by_name(self.inputs, values)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as in a JSON ABI."""
        inputs = [{**param.to_json(), "indexed": param.indexed} for param in self.inputs]
        return {"type": "event", "name": self.name, "inputs": inputs, "anonymous": False}


@dataclass(frozen=True, slots=True)
class ErrorType:
    """A custom error: what a contract says when it reverts."""

    name: str
    inputs: tuple[Param, ...] = ()
    signature: str = field(init=False, compare=False)
    """Name and types, such as ``"ERC20InvalidSender(address)"``."""
    selector: bytes = field(init=False, compare=False)
    """The first 4 bytes of the signature's hash; revert data begins with them."""
    _inputs: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        signature = _signature(self.name, self.inputs)
        _set(self, "signature", signature)
        _set(self, "selector", keccak256(signature.encode())[:4])
        _set(self, "_inputs", _codec(self.inputs))

    def encode(self, *args: Any) -> bytes:
        """Return the revert data: selector, then arguments.

        Raises
        ------
        UsageError
            When the arguments do not fit.
        """
        return self.selector + _encode_args(self.signature, self._inputs, args)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the arguments from revert data by name; a nameless one goes by its position.

        Raises
        ------
        InvalidInput
            When the data is of another error or not encoded as declared.
        """
        if data[:4] != self.selector:
            raise InvalidInput("data is not of this error", expected=self.selector, actual=data[:4])
        return _by_name(self.inputs, self._inputs.decode(data[4:]))

    def to_json(self) -> dict[str, Any]:
        """Return the entry as in a JSON ABI."""
        return {"type": "error", "name": self.name, "inputs": [param.to_json() for param in self.inputs]}


@dataclass(frozen=True, slots=True)
class Constructor:
    """The parameters with which a contract is created."""

    inputs: tuple[Param, ...] = ()
    mutability: str = "nonpayable"
    """``"nonpayable"`` or ``"payable"``."""
    signature: str = field(init=False, compare=False)
    """The types, such as ``"constructor(string,uint8)"``."""
    _inputs: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _set(self, "signature", _signature("constructor", self.inputs))
        _set(self, "_inputs", _codec(self.inputs))

    def encode(self, *args: Any) -> bytes:
        """Return the encoding of the arguments.

        Raises
        ------
        UsageError
            When they do not fit.
        """
        return _encode_args(self.signature, self._inputs, args)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Return the arguments.

        Raises
        ------
        InvalidInput
            When they are not encoded as declared.
        """
        return self._inputs.decode(data)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as in a JSON ABI."""
        inputs = [param.to_json() for param in self.inputs]
        return {"type": "constructor", "inputs": inputs, "stateMutability": self.mutability}


_set = object.__setattr__  # the entries are frozen: what they derive is set once, when they are made


def _signature(name: str, params: Sequence[Param]) -> str:
    return f"{name}({','.join(param.type for param in params)})"


def _codec(params: Sequence[Param]) -> Codec:
    return codec(tuple(param.type for param in params))


def _wrong_count(signature: str, expected: Sequence[object], actual: Sequence[object]) -> UsageError:
    return UsageError(f"wrong number of values for {signature}", expected=len(expected), actual=len(actual))


def _encode_args(signature: str, inputs: Codec, args: tuple[Any, ...]) -> bytes:
    if len(args) != len(inputs.types):
        raise _wrong_count(signature, inputs.types, args)
    return inputs.encode(args)


def _topic_encoder(param: Param) -> Encoder | None:
    if not param.indexed:
        return None
    kind = abi_type(param.type)
    if not kind.hashed:
        return kind.encode
    return lambda value: keccak256(kind.encode_in_place(value))


def _from_topic(param: Param, topic: bytes) -> Any:
    kind = abi_type(param.type)
    return topic if kind.hashed else kind.decode(topic, 0, [])


def _by_name(params: Sequence[Param], values: Sequence[Any]) -> dict[str, Any]:
    return {
        param.name or str(at): value for at, (param, value) in enumerate(zip(params, values, strict=True))
    }
