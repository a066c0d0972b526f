"""Tuples and arrays in ABI-encoded data; see :mod:`~chainstack_sdk.primitives.abi.values` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.primitives.abi.values import AbiType, padded, take, unfit
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainstack_sdk.primitives.abi.values import Decoder, Encoder, Room

_SEQUENCES = (list, tuple)  # `list | tuple` in place would be built anew by each call
_from_bytes = int.from_bytes


def tuple_type(elements: Sequence[AbiType]) -> AbiType:
    """Return the tuple of these types."""
    heads: list[tuple[int, bool, Decoder]] = []
    size = 0
    for element in elements:
        heads.append((size, element.dynamic, element.decode))
        size += element.size
    dynamic = any(element.dynamic for element in elements)
    name = f"({','.join(element.name for element in elements)})"
    encode_all = _static_encoder([element.encode for element in elements])
    count = len(elements)

    def encode_static(values: Any) -> bytes:
        if not isinstance(values, _SEQUENCES) or len(values) != count:
            raise _wrong_count(name, values, count)
        return encode_all(values)

    def encode_dynamic(values: Any) -> bytes:
        _check_sequence(name, values, count)
        return _encode_parts(zip(elements, values, strict=True), size)

    def encode_in_place(values: Any) -> bytes:
        _check_sequence(name, values, count)
        pairs = zip(elements, values, strict=True)
        return b"".join([padded(element.encode_in_place(value)) for element, value in pairs])

    def decode_dynamic(data: bytes, start: int, room: Room) -> tuple[Any, ...]:
        take(data, start, size, room)
        values = []
        for at, behind, decode in heads:
            position = _tail(data, start, start + at, size) if behind else start + at
            values.append(decode(data, position, room))
        return tuple(values)

    if dynamic:
        made = AbiType(name, encode_dynamic, decode_dynamic, dynamic=True, encode_in_place=encode_in_place)
    else:
        decode_static = _static_decoder([(at, decode) for at, _, decode in heads])
        made = AbiType(name, encode_static, decode_static, size=size, encode_in_place=encode_in_place)
    return made


def array_type(element: AbiType) -> AbiType:
    """Return the type ``T[]``, whose length is part of the value."""
    name = f"{element.name}[]"
    size = element.size

    def check(values: Any) -> Sequence[Any]:
        if not isinstance(values, _SEQUENCES):
            raise unfit(name, values)
        return values

    def encode(values: Any) -> bytes:
        return len(check(values)).to_bytes(32, "big") + _encode_elements(element, values)

    def decode(data: bytes, at: int, room: Room) -> tuple[Any, ...]:
        count = _from_bytes(data[at : at + 32], "big")
        take(data, at, 32 + count * size, room)
        return _decode_elements(element, data, at + 32, count, room)

    def encode_in_place(values: Any) -> bytes:
        return _elements_in_place(element, check(values))

    return AbiType(name, encode, decode, dynamic=True, encode_in_place=encode_in_place)


def fixed_array_type(element: AbiType, count: int) -> AbiType:
    """Return the type ``T[count]``."""
    name = f"{element.name}[{count}]"
    heads = count * element.size

    def encode(values: Any) -> bytes:
        _check_sequence(name, values, count)
        return _encode_elements(element, values)

    def decode_static(data: bytes, at: int, room: Room) -> tuple[Any, ...]:
        return _decode_elements(element, data, at, count, room)

    def decode_dynamic(data: bytes, at: int, room: Room) -> tuple[Any, ...]:
        take(data, at, heads, room)
        return _decode_elements(element, data, at, count, room)

    def encode_in_place(values: Any) -> bytes:
        _check_sequence(name, values, count)
        return _elements_in_place(element, values)

    if element.dynamic:
        return AbiType(name, encode, decode_dynamic, dynamic=True, encode_in_place=encode_in_place)
    return AbiType(name, encode, decode_static, size=heads, encode_in_place=encode_in_place)


def _static_encoder(encoders: list[Encoder]) -> Encoder:
    """Return the encoder of as many static values, unrolled like the decoder."""
    match encoders:
        case [first]:
            return lambda values: first(values[0])
        case [first, second]:
            return lambda values: first(values[0]) + second(values[1])
        case [first, second, third]:
            return lambda values: first(values[0]) + second(values[1]) + third(values[2])
    return lambda values: b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])


def _static_decoder(steps: list[tuple[int, Decoder]]) -> Decoder:
    """Return the decoder of a tuple of static values, unrolled where that pays: most calls are short."""
    match steps:
        case [(_, first)]:
            return lambda data, start, room: (first(data, start, room),)
        case [(_, first), (to_second, second)]:
            return lambda data, start, room: (first(data, start, room), second(data, start + to_second, room))
        case [(_, first), (to_second, second), (to_third, third)]:
            return lambda data, start, room: (
                first(data, start, room),
                second(data, start + to_second, room),
                third(data, start + to_third, room),
            )
    return lambda data, start, room: tuple([decode(data, start + at, room) for at, decode in steps])


def _wrong_count(name: str, values: object, count: int) -> UsageError:
    actual = len(values) if isinstance(values, _SEQUENCES) else type(values).__name__
    return UsageError(f"{name} takes a list or tuple of {count} values", actual=actual)


def _check_sequence(name: str, values: object, count: int) -> None:
    if not isinstance(values, _SEQUENCES) or len(values) != count:
        raise _wrong_count(name, values, count)


def _tail(data: bytes, start: int, at: int, heads: int) -> int:
    """Return the position that the offset at `at` tells, in a container that begins at `start`."""
    offset = _from_bytes(data[at : at + 32], "big")
    if not heads <= offset <= len(data) - start - 32:
        raise InvalidInput("ABI offset is out of range", offset=at)
    return start + offset


def _encode_parts(parts: Iterable[tuple[AbiType, Any]], heads_size: int) -> bytes:
    """Encode the values of a container: the heads, then the tails."""
    heads: list[bytes] = []
    tails: list[bytes] = []
    offset = heads_size
    for part, value in parts:
        encoded = part.encode(value)
        if part.dynamic:
            tails.append(encoded)
            heads.append(offset.to_bytes(32, "big"))
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _encode_elements(element: AbiType, values: Sequence[Any]) -> bytes:
    return _encode_parts([(element, value) for value in values], len(values) * element.size)


def _elements_in_place(element: AbiType, values: Sequence[Any]) -> bytes:
    return b"".join([padded(element.encode_in_place(value)) for value in values])


def _decode_elements(element: AbiType, data: bytes, start: int, count: int, room: Room) -> tuple[Any, ...]:
    """Decode the elements whose heads begin at `start`; they are known to be there."""
    decode, size = element.decode, element.size
    heads = count * size
    positions = range(start, start + heads, size)
    if element.dynamic:
        return tuple([decode(data, _tail(data, start, at, heads), room) for at in positions])
    return tuple([decode(data, at, room) for at in positions])
