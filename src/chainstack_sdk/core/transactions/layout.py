"""Splitting an encoded transaction into its fields, mostly by recognising a layout seen before.

Transactions that call the same function have their fields at the same offsets. A :class:`Layout` remembers
where; whether another encoding of the same length has that very layout is decided by the bytes that RLP
gives a meaning, and comparing these takes a handful of operations on the whole encoding as one big integer,
a third of the time of walking over it. What matches no layout is walked; a layout met twice is learnt.

For an encoding to match, item by item:

====================  =========================================================================
item                  must hold
====================  =========================================================================
list header           the same bytes
string header         the same bytes: the same length
one byte below 0x80   its top bit clear (it is its own header); not zero in an integer
0x81 and one byte     the byte's top bit set (else the header would be redundant)
integer               its first byte not zero (no leading zeros)
y parity              nothing: its one byte is handed on and is valid as 0x80 or 0x01 only
====================  =========================================================================

A layout is learnt from a canonical encoding, so whatever matches it is canonical too.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import list_header, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Parts: TypeAlias = "tuple[int, Sequence[bytes], bytes, bytes]"
"""What an encoding falls into.

- The type of its envelope: 0, 1 or 2.
- The content of each field in order; of the access list and of y parity the whole encoding.
- What precedes the fields in the signed payload: type and list header (without EIP-155's additions).
- The encoded fields that are signed: all but the last three.
"""

_LEGACY_FIELDS = "nonce gas_price gas to value data v r s"
_ACCESS_LIST_FIELDS = "chain_id nonce gas_price gas to value data access_list y_parity r s"
_DYNAMIC_FEE_FIELDS = (
    "chain_id nonce max_priority_fee_per_gas max_fee_per_gas gas to value data access_list y_parity r s"
)
_FIELDS = tuple(names.split() for names in (_LEGACY_FIELDS, _ACCESS_LIST_FIELDS, _DYNAMIC_FEE_FIELDS))
_SIGNATURE_FIELDS = 3

_INTEGER_BYTES = {
    "chain_id": 8,
    "nonce": 8,
    "gas_price": 32,
    "max_priority_fee_per_gas": 32,
    "max_fee_per_gas": 32,
    "gas": 8,
    "value": 32,
    "v": 8,
    "r": 32,
    "s": 32,
}
"""The fields that are integers, and how long they may be: 64 bits for nonce (EIP-2681), gas and chain id,
hence for v too (see ``MAX_CHAIN_ID``); 256 bits for the others."""

_MAX_BYTES = 512
_MAX_PER_LENGTH = 8
"""Layouts of longer encodings are not kept, and of one length only the latest few: 4,096 layouts of about
1.5 kB at the very most."""

_layouts: dict[int, tuple[Layout, ...]] = {}
_offsets_missed: dict[int, list[int]] = {}
"""By length: where the fields began in the last encoding that had to be walked."""


class Layout:
    """Where the fields are in encodings of one length, type and sizes of fields."""

    __slots__ = ("expected", "head", "low", "mask", "signed", "top", "type", "unpack")

    type: int
    mask: int
    """The bits that make the layout…"""
    expected: int
    """…and their values."""
    low: int
    """0x7f at each byte that must not be zero: added to such a byte's low bits it sets the top one…"""
    top: int
    """…which is 0x80 at the same bytes."""
    unpack: Callable[[bytes], tuple[bytes, ...]]
    """Gives the fields."""
    signed: slice
    head: bytes


def split_transaction(raw: bytes) -> Parts:
    """Split an encoding into its parts.

    Raises
    ------
    InvalidInput
        When `raw` is not a canonical encoding of a type 0, 1 or 2 transaction whose fields have possible
        sizes. Neither the inside of the access list nor the value of y parity is checked.
    """
    whole = int.from_bytes(raw, "big")
    for layout in _layouts.get(len(raw), ()):
        low = layout.low
        if (
            whole & layout.mask == layout.expected
            and ((whole & low) + low | whole) & layout.top == layout.top
        ):
            return layout.type, layout.unpack(raw), layout.head, raw[layout.signed]
    return _walk(raw)


def _walk(raw: bytes) -> Parts:
    kind, start = _envelope(raw)
    names = _FIELDS[kind]
    fields, offsets = split_list(raw, start, names.index("access_list") if kind else -1)
    if len(fields) != len(names):
        raise InvalidInput("wrong number of fields", expected=len(names), actual=len(fields))
    for name, field in zip(names, fields, strict=True):
        _check_size(name, field)
    signed = slice(offsets[0], offsets[-1 - _SIGNATURE_FIELDS])
    head = raw[:start] + list_header(signed.stop - signed.start)
    if kind:
        fields[-_SIGNATURE_FIELDS] = raw[signed.stop : offsets[-_SIGNATURE_FIELDS]]
    size = len(raw)
    if size <= _MAX_BYTES:
        if _offsets_missed.get(size) == offsets:
            _learn(raw, kind, fields, offsets, signed, head)
        _offsets_missed[size] = offsets
    return kind, fields, head, raw[signed]


def _envelope(raw: bytes) -> tuple[int, int]:
    """Return the type and where the list begins (EIP-2718)."""
    if not raw:
        raise InvalidInput("empty transaction")
    first = raw[0]
    if first >= 0xC0:
        return 0, 0
    if first in (1, 2):
        return first, 1
    raise InvalidInput("transaction type is not supported", actual=first)


def _check_size(name: str, field: bytes) -> None:
    size = len(field)
    if name in _INTEGER_BYTES:
        if size > _INTEGER_BYTES[name]:
            raise InvalidInput(f"{name} is too long", expected=_INTEGER_BYTES[name], actual=size)
        if field[:1] == b"\0":
            raise InvalidInput(f"{name} has a leading zero byte")
    elif name == "to" and size not in (0, 20):
        raise InvalidInput("recipient has neither 20 bytes nor none", actual=size)
    elif name == "y_parity" and size > 1:
        raise InvalidInput("y parity is neither 0 nor 1", actual=field)


def _learn(
    raw: bytes, kind: int, fields: list[bytes], offsets: list[int], signed: slice, head: bytes
) -> None:
    """Keep the layout of an encoding that has been found canonical."""
    mask = bytearray(len(raw))
    low = bytearray(len(raw))
    mask[: offsets[0]] = b"\xff" * offsets[0]
    unpack = f"={offsets[0]}x"
    for name, field, at, end in zip(_FIELDS[kind], fields, offsets, offsets[1:], strict=False):
        header = end - at - len(field)
        unpack += f"{header}x{len(field)}s"
        if name == "access_list":
            header = 1 if raw[at] < 0xF8 else raw[at] - 0xF6
        elif len(field) == 1 and name != "y_parity":
            mask[end - 1] = 0x80
        mask[at : at + header] = b"\xff" * header
        if field and name in _INTEGER_BYTES:
            low[at + header] = 0x7F
    layout = Layout()
    layout.type = kind
    layout.mask = int.from_bytes(mask, "big")
    layout.expected = layout.mask & int.from_bytes(raw, "big")
    layout.low = int.from_bytes(low, "big")
    layout.top = layout.low // 0x7F * 0x80
    layout.unpack = Struct(unpack).unpack
    layout.signed = signed
    layout.head = head
    _layouts[len(raw)] = (layout, *_layouts.get(len(raw), ())[: _MAX_PER_LENGTH - 1])
