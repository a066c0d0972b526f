"""Small strict parsers of parameters: JSON values in, bytes and integers out.

Each takes one JSON value and raises InvalidInput unless it is exactly what the Ethereum JSON-RPC
specification calls for: a quantity is ``0x`` and hexadecimal digits without leading zeros, data is ``0x``
and two digits for each byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    BlockRef: TypeAlias = int | bytes | str
    """A height, a block hash of 32 bytes, :data:`LATEST`, :data:`PENDING` or :data:`FINALIZED`."""

T = TypeVar("T")

LATEST = "latest"
PENDING = "pending"
FINALIZED = "finalized"
_TAGS: dict[str, BlockRef] = {
    "latest": LATEST,
    "safe": FINALIZED,
    "finalized": FINALIZED,
    "pending": PENDING,
    "earliest": 0,
}


def boolean(value: object) -> bool:
    """Parse true or false."""
    if not isinstance(value, bool):
        raise InvalidInput("not true or false")
    return value


def data(value: object) -> bytes:
    """Parse bytes of any number."""
    if isinstance(value, str) and value[:2] == "0x":
        try:
            parsed = bytes.fromhex(value[2:])
        except ValueError:
            parsed = b""
        if 2 * len(parsed) == len(value) - 2:  # `fromhex` skips spaces
            return parsed
    raise InvalidInput("not data: 0x and two hexadecimal digits for each byte")


def address(value: object) -> bytes:
    """Parse an address, 20 bytes, whatever its capitals."""
    return _sized(value, 20, "an address")


def hash32(value: object) -> bytes:
    """Parse a hash, 32 bytes."""
    return _sized(value, 32, "a hash")


def _sized(value: object, size: int, what: str) -> bytes:
    if not isinstance(value, str) or len(value) != 2 + 2 * size:
        raise InvalidInput(f"not {what}: 0x and {2 * size} hexadecimal digits")
    return data(value)


def uint256(value: object) -> int:
    """Parse a quantity below 2^256."""
    return _quantity(value, 64)


def uint64(value: object) -> int:
    """Parse a quantity below 2^64: a height, an index, an amount of gas."""
    return _quantity(value, 16)


def _quantity(value: object, digits: int) -> int:
    number = _integer(value, digits)
    if isinstance(value, str) and value[2] == "0" and len(value) > 3:
        raise InvalidInput("not a quantity: leading zeros")
    return number


def slot(value: object) -> int:
    """Parse the number of a storage slot: up to 64 digits, leading zeros or none."""
    return _integer(value, 64)


def count(value: object) -> int:
    """Parse a number that some clients send as a JSON number and some as a quantity, below 2^64."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < 1 << 64:
            raise InvalidInput("out of range")
        return value
    return uint64(value)


def _integer(value: object, digits: int) -> int:
    if isinstance(value, str) and value[:2] == "0x" and 3 <= len(value) <= digits + 2:
        try:
            number = bytes.fromhex(value[2:].zfill(digits))
        except ValueError:
            number = b""
        if 2 * len(number) == digits:
            return int.from_bytes(number, "big")
    raise InvalidInput(f"not a quantity: 0x and 1 to {digits} hexadecimal digits")


def height(value: object) -> BlockRef:
    """Parse a height or a tag: latest, safe, finalized, pending, earliest."""
    if isinstance(value, str) and value in _TAGS:
        return _TAGS[value]
    try:
        return uint64(value)
    except InvalidInput:
        raise InvalidInput(f"neither a block number nor one of {', '.join(_TAGS)}") from None


def block(value: object) -> BlockRef:
    """Parse a height, a tag, a block hash, or an object with ``blockNumber`` or ``blockHash`` (EIP-1898)."""
    if not isinstance(value, dict):
        return hash32(value) if isinstance(value, str) and len(value) == 66 else height(value)
    if ("blockNumber" in value) == ("blockHash" in value):
        raise InvalidInput("an object that names a block has either blockNumber or blockHash")
    if "requireCanonical" in value:
        boolean(value["requireCanonical"])
    return height(value["blockNumber"]) if "blockNumber" in value else hash32(value["blockHash"])


def array(parse: Callable[[object], T], *, most: int) -> Callable[[object], tuple[T, ...]]:
    """Return a parser of arrays of at most ``most`` elements."""

    def parse_array(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise InvalidInput("not an array")
        if len(value) > most:
            raise InvalidInput("too many elements", expected=most, actual=len(value))
        return tuple([parse(element) for element in value])

    return parse_array
