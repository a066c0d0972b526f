"""Recursive Length Prefix: the encoding of transactions, accounts and trie nodes.

Source: Yellow Paper, appendix B. An item is a byte string or a list of items::

    0x00-0x7f    a string of this one byte
    0x80-0xb7    a string of 0-55 bytes follows          0xc0-0xf7   a list whose items take 0-55 bytes
    0xb8-0xbf    1-8 bytes of length, then the string    0xf8-0xff   1-8 bytes of length, then the items

An integer is the string of its big-endian bytes without leading zeros; zero is the empty string.
Every item has exactly one encoding, and the decoders here accept no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RlpItem: TypeAlias = "bytes | list[RlpItem]"
"""What decoding gives."""

Encodable: TypeAlias = Union[bytes, bytearray, memoryview, int, "Sequence[Encodable]"]
"""What encoding takes: bytes-like strings, non-negative integers, and lists or tuples of these."""

_SEQUENCES = (list, tuple)  # `list | tuple` in place would be built anew by each call
_TABLE_SIZE = 1024
_BYTE_STRINGS = [bytes([byte]) for byte in range(256)]
_SMALL_INTS = [b"\x80", *_BYTE_STRINGS[1:128]]


def _long_header(short: int, size: int) -> bytes:
    """Return the prefix of a payload of 56 or more bytes; `short` is 0x80 for strings, 0xc0 for lists."""
    length = size.to_bytes((size.bit_length() + 7) >> 3, "big")
    return _BYTE_STRINGS[short + 55 + len(length)] + length


def _header_table(short: int) -> list[bytes]:
    """Return the prefixes of the payloads below the table's size; quick to build, as imports wait for it."""
    one, two = _BYTE_STRINGS[short + 56], _BYTE_STRINGS[short + 57]
    table = _BYTE_STRINGS[short : short + 56]
    table += [one + size for size in _BYTE_STRINGS[56:]]
    table += [two + high + low for high in _BYTE_STRINGS[1 : _TABLE_SIZE >> 8] for low in _BYTE_STRINGS]
    return table


_STRING_HEADERS = _header_table(0x80)
_LIST_HEADERS = _header_table(0xC0)


def bytes_header(size: int) -> bytes:
    """Return the prefix of a string of `size` bytes (a single byte below 0x80 takes none)."""
    return _STRING_HEADERS[size] if size < _TABLE_SIZE else _long_header(0x80, size)


def list_header(size: int) -> bytes:
    """Return the prefix of a list whose encoded items take `size` bytes together."""
    return _LIST_HEADERS[size] if size < _TABLE_SIZE else _long_header(0xC0, size)


def rlp_int(value: int) -> bytes:
    """Return the encoding of a non-negative integer; the caller vouches for the sign."""
    if 0 <= value < 128:
        return _SMALL_INTS[value]
    size = (value.bit_length() + 7) >> 3
    header = _STRING_HEADERS[size] if size < _TABLE_SIZE else _long_header(0x80, size)
    return header + value.to_bytes(size, "big")


def rlp_bytes(value: bytes) -> bytes:
    """Return the encoding of a byte string."""
    size = len(value)
    if size == 1 and value < b"\x80":
        return value
    return (_STRING_HEADERS[size] if size < _TABLE_SIZE else _long_header(0x80, size)) + value


def rlp_list(parts: Iterable[bytes]) -> bytes:
    """Return the encoding of a list whose items are encoded already."""
    payload = b"".join(parts)
    size = len(payload)
    return (_LIST_HEADERS[size] if size < _TABLE_SIZE else _long_header(0xC0, size)) + payload


def rlp_encode(item: Encodable) -> bytes:
    """Return the encoding of an item, nested to any depth.

    Parameters
    ----------
    item
        A bytes-like object, a non-negative integer, or a list or tuple of items.

    Raises
    ------
    UsageError
        For anything else: text, booleans, negative integers, ``None``…
    """
    if not isinstance(item, _SEQUENCES):
        return _encode_leaf(item)
    # Pieces are collected last first, so that a list's size is known when its header is due,
    # each byte is copied once, and no depth of nesting uses the interpreter's stack.
    pieces: list[bytes] = []
    total = 0
    open_lists: list[tuple[Iterator[Encodable], int]] = []
    items: Iterator[Encodable] = reversed(item)
    total_before = 0
    while True:
        for child in items:
            if isinstance(child, _SEQUENCES):
                open_lists.append((items, total_before))
                items, total_before = reversed(child), total
                break
            piece = _encode_leaf(child)
            pieces.append(piece)
            total += len(piece)
        else:
            header = list_header(total - total_before)
            pieces.append(header)
            total += len(header)
            if not open_lists:
                pieces.reverse()
                return b"".join(pieces)
            items, total_before = open_lists.pop()


def _encode_leaf(item: object) -> bytes:
    if isinstance(item, bytes):
        return rlp_bytes(item)
    if isinstance(item, int) and not isinstance(item, bool):
        if item < 0:
            raise UsageError("RLP has no negative integers")
        return rlp_int(item)
    if isinstance(item, bytearray | memoryview):
        return rlp_bytes(bytes(item))
    raise UsageError(f"RLP encodes bytes, non-negative integers and lists of them, not {type(item).__name__}")


def rlp_decode(data: bytes) -> RlpItem:
    """Return the item that `data` encodes: ``bytes``, or a list of items nested to any depth.

    Time and memory are linear in ``len(data)``.

    Raises
    ------
    InvalidInput
        When `data` is not the one canonical encoding of an item: cut short, followed by more bytes,
        or with a longer prefix than needed.
    UsageError
        When `data` is not a bytes-like object.
    """
    if type(data) is not bytes:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise UsageError("RLP data is bytes", actual=type(data).__name__)
        data = bytes(data)
    end = len(data)
    items: list[RlpItem] = []
    top = items
    open_lists: list[tuple[list[RlpItem], int]] = []
    at = 0
    while True:
        if at == end:
            if not open_lists:
                break
            items, end = open_lists.pop()
            continue
        prefix = data[at]
        if prefix < 0x80:
            items.append(_BYTE_STRINGS[prefix])
            at += 1
            continue
        start, stop = _payload(data, at, end)
        if prefix < 0xC0:
            items.append(data[start:stop])
            at = stop
        else:
            child: list[RlpItem] = []
            items.append(child)
            open_lists.append((items, end))
            items, at, end = child, start, stop
    if len(top) != 1:
        raise InvalidInput("RLP data must hold exactly one item", actual=len(top))
    return top[0]


def _payload(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the payload of the item at `at` starts and stops; check the header and the bounds.

    The item's first byte is at least 0x80, and nothing at or beyond `end` belongs to it.
    """
    prefix = data[at]
    short = 0x80 if prefix < 0xC0 else 0xC0
    size = prefix - short
    start = at + 1
    if size > 55:
        start += size - 55
        if start > end:
            raise InvalidInput("RLP length is cut short", offset=at)
        size = int.from_bytes(data[at + 1 : start], "big")
        if size < 56 or data[at + 1] == 0:
            raise InvalidInput("RLP length is not in its shortest form", offset=at)
    stop = start + size
    if stop > end:
        raise InvalidInput("RLP item is cut short", offset=at, expected=size, actual=end - start)
    if prefix == 0x81 and data[start] < 0x80:
        raise InvalidInput("RLP of a single byte below 0x80 takes no prefix", offset=at)
    return start, stop


def split_list(data: bytes, start: int, list_at: int = -1) -> tuple[list[bytes], list[int]]:
    """Split the list that begins at `start` and ends with `data` into its items, in one pass.

    The fast path for transactions: every item is a string, except that the one numbered `list_at`
    (when not negative) is a list.

    Returns
    -------
    payloads
        The content of each string; for item `list_at` its whole encoding, header included, whose
        inside is *not* checked yet (see :func:`rlp_decode`).
    offsets
        Where each item's encoding starts in `data`, and ``len(data)`` as the last entry.

    Raises
    ------
    InvalidInput
        When the list is not canonical, does not span ``data[start:]`` exactly, or an item is of the
        wrong kind.
    """
    end = len(data)
    if start >= end or data[start] < 0xC0:
        raise InvalidInput("RLP list expected", offset=start)
    at, stop = _payload(data, start, end)
    if stop != end:
        raise InvalidInput("RLP list is followed by more bytes", expected=stop, actual=end)
    payloads: list[bytes] = []
    offsets: list[int] = []
    while at < end:
        offsets.append(at)
        prefix = data[at]
        if prefix < 0x80:
            at += 1
            payloads.append(_BYTE_STRINGS[prefix])
        elif prefix < 0xB8:
            stop = at + prefix - 0x7F
            payload = data[at + 1 : stop]
            # a slice may run past the end; `stop` then misses `end` below
            if prefix == 0x81 and payload < b"\x80":
                raise InvalidInput("RLP of a single byte below 0x80 takes no prefix", offset=at)
            payloads.append(payload)
            at = stop
        else:
            content, stop = _payload(data, at, end)
            if prefix < 0xC0:
                payloads.append(data[content:stop])
            elif len(payloads) == list_at:
                payloads.append(data[at:stop])
            else:
                raise InvalidInput("RLP string expected, not a list", index=len(payloads))
            at = stop
    if at != end:
        raise InvalidInput("RLP item is cut short", offset=offsets[-1])
    if list_at >= 0 and (list_at >= len(payloads) or data[offsets[list_at]] < 0xC0):
        raise InvalidInput("RLP list expected", index=list_at)
    offsets.append(end)
    return payloads, offsets


def decode_int(payload: bytes, size: int = 32) -> int:
    """Return the integer that a string's content stands for.

    Raises
    ------
    InvalidInput
        When it is longer than `size` bytes or begins with a zero byte.
    """
    if len(payload) > size:
        raise InvalidInput("integer is too long", expected=size, actual=len(payload))
    if payload[:1] == b"\0":
        raise InvalidInput("integer has a leading zero byte")
    return int.from_bytes(payload, "big")
