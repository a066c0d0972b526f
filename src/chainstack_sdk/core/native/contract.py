"""Native contracts: Python methods behind an ABI.

A contract is a class whose methods are declared, each with its line of Solidity::

    class Greeter(NativeContract):
        Greeted = event("event Greeted(address indexed who)")

        @external("function greet(address who) returns (bool)")
        def greet(self, call: Call, who: bytes) -> bool:
            call.emit(self.Greeted, who)
            return True

Calls are answered as compiled Solidity answers them: an unknown selector, malformed arguments, or coin
for a function that is not ``payable`` revert with empty data; a ``view`` or ``pure`` function cannot write;
a result or a stored or emitted number that does not fit its type, and a division by zero, revert with
``Panic(uint256)``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from chainstack_sdk.core.panics import DIVISION_BY_ZERO, checked, panic
from chainstack_sdk.primitives.abi import ErrorType, Event, Function, parse_signature
from chainstack_sdk.primitives.errors import InvalidInput, Reverted, UsageError

if TYPE_CHECKING:
    from typing import TypeAlias

    from chainstack_sdk.core.call import Call

    EntryPoint: TypeAlias = Callable[[Call, bytes], bytes]
    """Takes whole call data, selector included, and returns the encoded result."""

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])

_TRUE = (1).to_bytes(32, "big")
_FALSE = bytes(32)
_ZERO_12 = bytes(12)
_MARK = "_external"
_READ_ONLY = ("view", "pure")


class External(NamedTuple):
    """What :func:`external` declares of a method."""

    function: Function
    when: tuple[str, ...]
    """Names in the config of which one must be true for the function to be there; none: always."""


def external(signature: str, *, when: str = "") -> Callable[[Method], Method]:
    """Declare a method that transactions and queries may call.

    The method takes the :class:`~chainstack_sdk.core.call.Call`, then the decoded arguments: integers,
    ``bool``, 20 bytes for an address, bytes, ``str``, tuples. It returns the result, a tuple when there are
    several, and whatever when there are none.

    Parameters
    ----------
    signature
        ``"function transfer(address to, uint256 value) returns (bool)"``.
    when
        Names of config fields, separated by spaces: an instance has the function only when one of them
        is true. Fields that a config does not have count as false.

    Raises
    ------
    UsageError
        When the signature is not understood, or the method takes another number of arguments.
    """
    function = parse_signature(signature)
    if not isinstance(function, Function):
        raise UsageError("an external method is declared by a function signature", actual=signature)

    def mark(method: Method) -> Method:
        if isinstance(method, FunctionType):
            expected, actual = len(function.inputs) + 2, method.__code__.co_argcount
            if actual != expected:
                raise UsageError(
                    f"{method.__qualname__} takes self, call and the arguments of {function.signature}",
                    expected=expected,
                    actual=actual,
                )
        vars(method)[_MARK] = External(function, tuple(when.split()))
        return method

    return mark


def event(signature: str) -> Event:
    """Return the event that a line of Solidity declares."""
    entry = parse_signature(signature)
    if not isinstance(entry, Event):
        raise UsageError("not the signature of an event", actual=signature)
    return entry


def error(signature: str) -> ErrorType:
    """Return the custom error that a line of Solidity declares."""
    entry = parse_signature(signature)
    if not isinstance(entry, ErrorType):
        raise UsageError("not the signature of an error", actual=signature)
    return entry


class NativeContract:
    """Base of every contract: collects what the class declares and dispatches calls to it.

    A method of the name ``receive(self, call)`` takes plain payments; without it they revert.

    Raises
    ------
    UsageError
        When a subclass declares two functions with the same selector.
    """

    externals: ClassVar[dict[str, External]] = {}
    """By the name of the Python method, in order of declaration, base classes first."""
    abi_events: ClassVar[tuple[Event, ...]] = ()
    abi_errors: ClassVar[tuple[ErrorType, ...]] = ()

    _entries: dict[bytes, EntryPoint]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                # an override without a declaration of its own keeps that of the method it overrides
                mark = getattr(value, _MARK, None)
                if mark is not None:
                    declared[name] = mark
                elif isinstance(value, Event | ErrorType):
                    declared[name] = value
        cls.externals = {name: value for name, value in declared.items() if isinstance(value, External)}
        cls.abi_events = tuple(value for value in declared.values() if isinstance(value, Event))
        cls.abi_errors = tuple(value for value in declared.values() if isinstance(value, ErrorType))
        _check_selectors(cls)

    def __init__(self) -> None:
        self._entries = {
            declared.function.selector: _entry_point(declared.function, getattr(self, name))
            for name, declared in self.externals.items()
            if self.offers(declared)
        }

    def offers(self, declared: External) -> bool:
        """Tell whether this contract has a function that its class declares."""
        return not declared.when

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Run one call; see :meth:`chainstack_sdk.core.interfaces.Contract.invoke`."""
        entry = self._entries.get(data[:4])
        if entry is not None:
            return entry(call, data)
        receive = getattr(self, "receive", None)
        if data or receive is None:
            raise Reverted("no such function" if data else "this contract takes no payments")
        run(receive, call)
        return b""

    @classmethod
    def abi_function(cls, name: str, count: int | None = None) -> Function:
        """Return a declared function.

        Parameters
        ----------
        name
            Its name, or its signature ``"mint(address,uint256)"`` where several have that name.
        count
            Number of arguments, to choose between functions of the same name.

        Raises
        ------
        UsageError
            When there is none or more than one.
        """
        functions = [declared.function for declared in cls.externals.values()]
        found = [entry for entry in functions if name in (entry.name, entry.signature)]
        if len(found) > 1 and count is not None:
            found = [entry for entry in found if len(entry.inputs) == count]
        if len(found) != 1:
            what = "several functions have this name; give the signature" if found else "no such function"
            raise UsageError(what, actual=name, expected=", ".join(entry.signature for entry in functions))
        return found[0]

    @classmethod
    def abi_event(cls, name: str) -> Event:
        """Return a declared event.

        Raises
        ------
        UsageError
            When there is none of this name.
        """
        for declared in cls.abi_events:
            if declared.name == name:
                return declared
        raise UsageError(
            "no such event", actual=name, expected=", ".join(each.name for each in cls.abi_events)
        )

    @classmethod
    def abi(cls) -> list[dict[str, Any]]:
        """Return the contract's standard JSON ABI: functions, events, errors, in order of declaration."""
        return [
            *[declared.function.to_json() for declared in cls.externals.values()],
            *[entry.to_json() for entry in cls.abi_events],
            *[entry.to_json() for entry in cls.abi_errors],
        ]


def _check_selectors(cls: type[NativeContract]) -> None:
    seen: dict[bytes, str] = {}
    for declared in cls.externals.values():
        function = declared.function
        if function.selector in seen:
            raise UsageError(
                f"two functions of {cls.__name__} have one selector",
                actual=f"{seen[function.selector]} and {function.signature}",
            )
        seen[function.selector] = function.signature


def _entry_point(function: Function, method: Callable[..., Any]) -> EntryPoint:
    inputs = tuple(param.type for param in function.inputs)
    outputs = tuple(param.type for param in function.outputs)
    if (inputs, outputs, function.mutability) == (("address", "uint256"), ("bool",), "nonpayable"):
        return _token_entry(method)
    payable, read_only = function.mutability == "payable", function.mutability in _READ_ONLY
    decode, encode = function.decode_input, _encoder(function)

    def entry(call: Call, data: bytes) -> bytes:
        if call.value and not payable:
            raise Reverted("the function takes no coin")
        if read_only:
            call.read_only = True
        try:
            args = decode(data[4:])
        except InvalidInput as error:
            raise Reverted("malformed call data") from error
        return encode(run(method, call, *args))

    return entry


def run(method: Callable[..., T], call: Call, *args: Any) -> T:
    """Run a contract's method; a division by zero reverts with ``Panic(0x12)``, as in Solidity."""
    try:
        return method(call, *args)
    except ZeroDivisionError as error:
        raise panic(DIVISION_BY_ZERO) from error


def _token_entry(method: Callable[..., Any]) -> EntryPoint:
    """Return the entry point of ``f(address,uint256) returns (bool)``: most calls of most chains."""
    from_bytes = int.from_bytes

    def entry(call: Call, data: bytes) -> bytes:
        if len(data) < 68 or data[4:16] != _ZERO_12:
            raise Reverted("malformed call data")
        if call.value:
            raise Reverted("the function takes no coin")
        try:
            return _TRUE if method(call, data[16:36], from_bytes(data[36:68], "big")) else _FALSE
        except ZeroDivisionError as error:
            raise panic(DIVISION_BY_ZERO) from error

    return entry


def _encoder(function: Function) -> Callable[[Any], bytes]:
    params, encode = function.outputs, function.encode_output

    def several(results: Any) -> bytes:
        return checked(params, results, lambda: encode(results))

    match len(params):
        case 0:
            return lambda _result: b""
        case 1:
            return lambda result: several((result,))
    return several
