"""Revert data: why a contract refused.

Source: the Solidity documentation, "Panic via assert and Error via require" and "Custom errors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.abi.codec import codec
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.primitives.abi.entries import ErrorType, Param

ERROR_SELECTOR = keccak256(b"Error(string)")[:4]
"""0x08c379a0: the revert data of ``require(condition, reason)`` begins with it."""

PANIC_SELECTOR = keccak256(b"Panic(uint256)")[:4]
"""0x4e487b71: the revert data of a failed ``assert``, an overflow and the like begins with it."""

_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x22: "bad encoding of a byte array in storage",
    0x31: "pop from an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}


def encode_revert(reason: str) -> bytes:
    """Return the revert data ``Error(string)`` with a reason in words.

    Raises
    ------
    UsageError
        When `reason` is not text that UTF-8 can encode.
    """
    return ERROR_SELECTOR + codec(("string",)).encode((reason,))


def decode_revert(data: bytes, errors: Iterable[ErrorType] = ()) -> str:
    """Return revert data as a reason for people; never raises.

    Parameters
    ----------
    data
        Revert data, well-formed or not.
    errors
        The custom errors that the contract may have used; the first that fits is taken.

    Returns
    -------
    str
        The words of ``Error(string)``; ``"Panic 0x11: arithmetic overflow or underflow"``;
        ``"InsufficientBalance(sender=0x…, needed=5)"``; for other data its hexadecimal digits; for none
        ``"reverted without a reason"``.
    """
    if not data:
        return "reverted without a reason"
    selector = data[:4]
    try:
        if selector == ERROR_SELECTOR:
            return str(codec(("string",)).decode(data[4:])[0])
        if selector == PANIC_SELECTOR:
            (code,) = codec(("uint256",)).decode(data[4:])
            return f"Panic 0x{code:02x}: {_PANICS.get(code, 'of no known kind')}"
        for error in errors:
            if selector == error.selector:
                values = error.decode(data).values()
                shown = [_named(param, value) for param, value in zip(error.inputs, values, strict=True)]
                return f"{error.name}({', '.join(shown)})"
    except InvalidInput:
        pass  # a known selector before something else
    return f"reverted with 0x{data.hex()}"


def _named(param: Param, value: Any) -> str:
    shown = to_checksum_address(value) if param.type == "address" else _show(value)
    return f"{param.name}={shown}" if param.name else shown


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return f"({', '.join(_show(item) for item in value)})"
    return repr(value)
