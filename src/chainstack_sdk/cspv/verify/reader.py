"""Reading bytes that come from outside, and what several parts of a proof are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_BYTES = 32


class Reader:
    """A cursor over bytes that come from outside.

    Parameters
    ----------
    data
        What is read.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises
        ------
        InvalidInput
            When there are fewer.
        """
        end = self._at + size
        if end > len(self._data):
            raise InvalidInput("the bytes end early", offset=self._at, expected=size)
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        """Return the next big-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._data) - self._at)

    def finish(self) -> None:
        """Refuse bytes that nobody has read.

        Raises
        ------
        InvalidInput
            When there are any.
        """
        if self._at != len(self._data):
            raise InvalidInput("more bytes follow than belong there", offset=self._at, actual=len(self._data))


def encode_nodes(nodes: Sequence[bytes]) -> bytes:
    """Return ``count 1 ‖ each: length 2 ‖ bytes``, for what :func:`require_nodes` lets pass."""
    return bytes((len(nodes),)) + b"".join([len(node).to_bytes(2, "big") + node for node in nodes])


def read_nodes(reader: Reader) -> tuple[bytes, ...]:
    """Return what :func:`encode_nodes` wrote."""
    return tuple(reader.take(reader.number(2)) for _ in range(reader.number(1)))


def require_nodes(nodes: Sequence[bytes]) -> None:
    """Refuse more than 255 parts, and any of more than 65,535 bytes.

    Raises
    ------
    InvalidInput
        When it does.
    """
    if len(nodes) > 0xFF or any(len(node) > 0xFFFF for node in nodes):
        raise InvalidInput("too many parts, or one is too long", actual=len(nodes))


def require_hashes(hashes: Sequence[bytes]) -> None:
    """Refuse hashes of other than 32 bytes.

    Raises
    ------
    InvalidInput
        When it does.
    """
    for one in hashes:
        require_size("a hash", one, HASH_BYTES)


def require_size(what: str, data: bytes, size: int) -> None:
    """Refuse bytes of another number; the message says `what` they are.

    Raises
    ------
    InvalidInput
        When it does.
    """
    if len(data) != size:
        raise InvalidInput(f"{what} has {size} bytes", actual=len(data))
