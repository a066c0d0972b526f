"""ABI encoding and decoding of lists of values, as contracts and their callers exchange them.

The rules are told in :mod:`~chainstack_sdk.primitives.abi.values`. Types are compiled once and kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.abi.containers import tuple_type
from chainstack_sdk.primitives.abi.types import abi_type
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.primitives.abi.values import Room

_NO_ROOM: Room = []


class Codec:
    """Encoder and decoder of the values of some types, in this order.

    Attributes
    ----------
    types
        Their canonical names.
    static_size
        Bytes that the encoding of any values takes; ``None`` when that depends on the values.
    """

    __slots__ = ("_decode", "_encode", "static_size", "types")

    _decode: Callable[[bytes, int, Room], tuple[Any, ...]]

    def __init__(self, types: Sequence[str]) -> None:
        elements = [abi_type(name) for name in types]
        whole = tuple_type(elements)
        self.types = tuple(element.name for element in elements)
        self.static_size = None if whole.dynamic else whole.size
        self._encode = whole.encode
        self._decode = whole.decode

    def encode(self, values: Sequence[Any]) -> bytes:
        """Return the encoding of a list or tuple of values.

        Raises
        ------
        UsageError
            When there are too few or too many, or one does not fit its type.
        """
        return self._encode(values)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Return the values that `data` begins with; what follows them is ignored, as in Solidity.

        Raises
        ------
        InvalidInput
            When `data` is cut short or not a strict encoding of these types.
        """
        if type(data) is not bytes:
            data = bytes(data)  # a subclass or a view would pass its type on to the values
        size = self.static_size
        if size is None:
            return self._decode(data, 0, [len(data)])
        if len(data) < size:
            raise InvalidInput("ABI data is cut short", expected=size, actual=len(data))
        return self._decode(data, 0, _NO_ROOM)


@lru_cache(maxsize=4096)
def codec(types: tuple[str, ...]) -> Codec:
    """Return the codec of these types; the same one each time.

    Parameters
    ----------
    types
        ``uint8`` … ``uint256``, ``int8`` … ``int256``, ``address``, ``bool``, ``bytes1`` … ``bytes32``,
        ``bytes``, ``string``, ``T[]``, ``T[k]``, ``(T,U)``.

    Raises
    ------
    UsageError
        When one is not a type.
    """
    return Codec(types)


def encode_abi(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the ABI encoding of `values`; see :meth:`Codec.encode`."""
    return codec(tuple(types)).encode(values)


def decode_abi(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the values that ABI-encoded `data` begins with; see :meth:`Codec.decode`."""
    return codec(tuple(types)).decode(data)
