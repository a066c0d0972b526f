"""How one value of each Solidity type is laid out in ABI-encoded data.

Source: the Solidity documentation, "Contract ABI Specification". Every value is made of 32-byte words,
big-endian. A *static* value stands where it belongs. A *dynamic* one (``bytes``, ``string``, ``T[]`` and
whatever contains them) leaves there the offset of its tail, counted from the start of the enclosing
tuple or array, and puts its content into the tail.

Python values: integers for ``uint<N>`` and ``int<N>``; ``bool``; 20 bytes for ``address`` (when encoding
also what :func:`~chainstack_sdk.primitives.address.to_address` takes); bytes for ``bytes<N>`` and
``bytes``; ``str`` for ``string``; tuples (when encoding also lists) for arrays and tuples.

Decoding is part of consensus, therefore strict: padding must be zero, numbers in range, text UTF-8,
offsets inside the data and behind the heads. Its work is linear in the size of the data: each byte may
be used once, so that offsets which share a tail cannot multiply it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Room: TypeAlias = list[int]
    """One number: how many bytes of the data may still be decoded."""

    Encoder: TypeAlias = Callable[[Any], bytes]
    Decoder: TypeAlias = Callable[[bytes, int, Room], Any]

_BYTES_LIKE = (bytes, bytearray, memoryview)
_ZEROS = bytes(32)
_ZERO_12 = bytes(12)
_TRUE = (1).to_bytes(32, "big")
_from_bytes = int.from_bytes


class AbiType:
    """A type, compiled to closures.

    Attributes
    ----------
    name
        Canonical name, as in signatures: ``"(address,uint256)[]"``.
    size
        Bytes that a value takes in the head of its container; 32, an offset, for a dynamic type.
    dynamic
        Whether the value itself is in the tail.
    encode
        From a value to its bytes (of the tail, for a dynamic type); ``UsageError`` on a wrong value.
    decode
        From the data, the position of the value (of its tail) and the room left to the value. The
        caller has checked that the `size` bytes of a static value, or the first word of a tail, are there.
    encode_in_place
        From a value to the bytes that are hashed when it is an indexed parameter of an event: no
        offsets, no lengths ("Encoding of Indexed Event Parameters").
    hashed
        Whether an indexed parameter of this type is stored as a hash: arrays, tuples, bytes, strings.
    """

    __slots__ = ("decode", "dynamic", "encode", "encode_in_place", "hashed", "name", "size")

    def __init__(
        self,
        name: str,
        encode: Encoder,
        decode: Decoder,
        *,
        size: int = 32,
        dynamic: bool = False,
        encode_in_place: Encoder | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self.dynamic = dynamic
        self.encode = encode
        self.decode = decode
        self.encode_in_place = encode_in_place or encode
        self.hashed = encode_in_place is not None


# -- words --------------------------------------------------------------------------------------------


def unfit(name: str, value: object) -> UsageError:
    """Return the error for a value that a type cannot hold; it does not repeat long content."""
    if isinstance(value, int) and not isinstance(value, bool):
        bits = value.bit_length()
        actual = str(value) if bits <= 256 else f"{bits} bits"  # the interpreter refuses to print huge ones
        return UsageError(f"{name} does not hold this number", actual=actual)
    if isinstance(value, bytes):
        return UsageError(f"{name} does not hold this many bytes", actual=len(value))
    return UsageError(f"{name} does not hold this value", actual=type(value).__name__)


def uint_type(name: str, bits: int) -> AbiType:
    """Return the unsigned integer of this many bits."""
    limit = 1 << bits

    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
            raise unfit(name, value)
        return value.to_bytes(32)

    def decode(data: bytes, at: int, _: Room) -> int:
        value = _from_bytes(data[at : at + 32])
        if value >= limit:
            raise InvalidInput(f"{name} is out of range", offset=at)
        return value

    def decode_full(data: bytes, at: int, _: Room) -> int:
        return _from_bytes(data[at : at + 32])

    return AbiType(name, encode, decode_full if bits == 256 else decode)


def int_type(name: str, bits: int) -> AbiType:
    """Return the signed integer, in two's complement, of this many bits."""
    limit = 1 << (bits - 1)

    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
            raise unfit(name, value)
        return value.to_bytes(32, "big", signed=True)

    def decode(data: bytes, at: int, _: Room) -> int:
        value = _from_bytes(data[at : at + 32], "big", signed=True)
        if not -limit <= value < limit:
            raise InvalidInput(f"{name} is out of range", offset=at)
        return value

    return AbiType(name, encode, decode)


def fixed_bytes_type(name: str, size: int) -> AbiType:
    """Return the string of exactly `size` bytes, padded on the right."""
    padding = bytes(32 - size)

    def encode(value: Any) -> bytes:
        if not isinstance(value, _BYTES_LIKE):
            raise unfit(name, value)
        content = bytes(value)
        if len(content) != size:
            raise unfit(name, content)
        return content + padding

    def decode(data: bytes, at: int, _: Room) -> bytes:
        if data[at + size : at + 32] != padding:
            raise InvalidInput(f"padding of {name} is not zero", offset=at)
        return data[at : at + size]

    return AbiType(name, encode, decode)


def _encode_address(value: Any) -> bytes:
    if type(value) is bytes and len(value) == 20:
        return _ZERO_12 + value
    return _ZERO_12 + to_address(value)


def _decode_address(data: bytes, at: int, _: Room) -> bytes:
    if data[at : at + 12] != _ZERO_12:
        raise InvalidInput("padding of an address is not zero", offset=at)
    return data[at + 12 : at + 32]


def _encode_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise unfit("bool", value)
    return _TRUE if value else _ZEROS


def _decode_bool(data: bytes, at: int, _: Room) -> bool:
    word = data[at : at + 32]
    if word == _TRUE:
        return True
    if word != _ZEROS:
        raise InvalidInput("bool is neither 0 nor 1", offset=at)
    return False


# -- tails --


def padded(content: bytes) -> bytes:
    """Return the content with zero bytes up to a whole number of words."""
    rest = -len(content) % 32
    return content + _ZEROS[:rest] if rest else content


def take(data: bytes, start: int, size: int, room: Room) -> None:
    """Check that `size` bytes are there from `start` on, and use them up."""
    if size > len(data) - start:
        raise InvalidInput("ABI data is cut short", offset=start, expected=size, actual=len(data) - start)
    room[0] -= size
    if room[0] < 0:
        raise InvalidInput("ABI data has overlapping parts", offset=start)


def _content(value: Any) -> bytes:
    if not isinstance(value, _BYTES_LIKE):
        raise unfit("bytes", value)
    return bytes(value)


def _encode_bytes(value: Any) -> bytes:
    content = _content(value)
    return len(content).to_bytes(32, "big") + padded(content)


def _decode_bytes(data: bytes, at: int, room: Room) -> bytes:
    size = _from_bytes(data[at : at + 32])
    padding = -size % 32
    take(data, at, 32 + size + padding, room)
    end = at + 32 + size
    if data[end : end + padding] != _ZEROS[:padding]:
        raise InvalidInput("padding of bytes is not zero", offset=end)
    return data[at + 32 : end]


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise unfit("string", value)
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise UsageError("string does not hold lone surrogates") from None


def _encode_string(value: Any) -> bytes:
    return _encode_bytes(_text(value))


def _decode_string(data: bytes, at: int, room: Room) -> str:
    content = _decode_bytes(data, at, room)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInput("string is not UTF-8", offset=at) from None


ADDRESS = AbiType("address", _encode_address, _decode_address)
BOOL = AbiType("bool", _encode_bool, _decode_bool)
BYTES = AbiType("bytes", _encode_bytes, _decode_bytes, dynamic=True, encode_in_place=_content)
STRING = AbiType("string", _encode_string, _decode_string, dynamic=True, encode_in_place=_text)
