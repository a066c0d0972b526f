"""Arguments as bytes of a fixed width, for everything that is hashed or proven."""

from __future__ import annotations

from chainstack_sdk.primitives.errors import UsageError


def uint_bytes(value: int, size: int, name: str) -> bytes:
    """Return a non-negative integer as `size` bytes, big-endian.

    Raises
    ------
    UsageError
        When it is negative or needs more bytes; the message says its `name`.
    """
    if not 0 <= value < 1 << 8 * size:
        raise UsageError(f"the {name} does not fit into {size} bytes", actual=value)
    return value.to_bytes(size, "big")


def exact_bytes(value: bytes, size: int, name: str) -> bytes:
    """Return the value itself.

    Raises
    ------
    UsageError
        When it has not exactly `size` bytes; the message says its `name` but not the value, which may be
        secret.
    """
    if len(value) != size:
        raise UsageError(f"the {name} has another length", expected=size, actual=len(value))
    return value
