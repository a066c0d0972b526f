"""Panics: how a contract refuses arithmetic that went wrong.

A number that does not fit its type and a division by zero are ordinary refusals, as in Solidity since 0.8:
the transaction reverts with ``Panic(uint256)``, and no contract can stop its chain with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chainstack_sdk.primitives.abi import PANIC_SELECTOR, decode_revert
from chainstack_sdk.primitives.errors import Reverted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.primitives.abi import Param

T = TypeVar("T")

OVERFLOW = 0x11
"""Panic code: a number does not fit its type."""
DIVISION_BY_ZERO = 0x12
"""Panic code: a division or remainder by zero."""


def panic(code: int) -> Reverted:
    """Return the exception that reverts with ``Panic(uint256)``, as Solidity does for the contract."""
    data = PANIC_SELECTOR + code.to_bytes(32, "big")
    return Reverted(decode_revert(data), data=data)


def checked(params: Sequence[Param], values: Sequence[object], encode: Callable[[], T]) -> T:
    """Encode a contract's values; a number out of its type's range reverts with ``Panic(0x11)``.

    Raises
    ------
    UsageError
        When the values do not fit in another way: a mistake in the contract.
    """
    try:
        return encode()
    except UsageError:
        if any(_overflows(param.type, value) for param, value in zip(params, values, strict=False)):
            raise panic(OVERFLOW) from None
        raise


def _overflows(type_name: str, value: object) -> bool:
    stem = type_name.rstrip("0123456789")
    if stem not in ("uint", "int") or not isinstance(value, int):
        return False
    bits = int(type_name[len(stem) :])
    if stem == "uint":
        return not 0 <= value < 1 << bits
    return not -1 << (bits - 1) <= value < 1 << (bits - 1)
