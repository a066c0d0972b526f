"""What every store checks before it touches its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def check_key(key: bytes) -> None:
    """Raise `UsageError` unless a key (or a prefix of keys) is ``bytes``."""
    if not isinstance(key, bytes):
        raise UsageError("a store's keys are bytes", actual=type(key).__name__)


def check_batch(puts: Mapping[bytes, bytes], deletes: Iterable[bytes]) -> list[bytes]:
    """Return the keys to delete, once everything in a batch is known to be bytes.

    Raises
    ------
    UsageError
        If a key or a value is anything but ``bytes``.
    """
    gone = list(deletes)
    kinds = {*map(type, puts), *map(type, puts.values()), *map(type, gone)}
    if not all(issubclass(kind, bytes) for kind in kinds):
        raise UsageError(
            "a store's keys and values are bytes", actual=sorted(kind.__name__ for kind in kinds)
        )
    return gone


def prefix_end(prefix: bytes) -> bytes | None:
    """Return the first key after all those that start with ``prefix``; None if nothing comes after."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else None


def closed_error() -> UsageError:
    """Return the error for using a store that was closed."""
    return UsageError("the store is closed")
