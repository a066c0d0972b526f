"""Access lists: the accounts and slots that a transaction announces (EIP-2930)."""

from __future__ import annotations

from typing import TypeAlias

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import list_header, rlp_decode

AccessList: TypeAlias = tuple[tuple[bytes, tuple[bytes, ...]], ...]
"""Pairs of an address (20 bytes) and its storage keys (32 bytes each), in the sender's order."""


def encode_access_list(access_list: AccessList) -> bytes:
    """Return RLP ``[[address, [key…]]…]``; the caller vouches for the sizes."""
    entries = []
    for address, keys in access_list:
        inner = b"".join([b"\xa0" + key for key in keys])
        entry = b"".join((b"\x94", address, list_header(len(inner)), inner))
        entries.append(list_header(len(entry)) + entry)
    body = b"".join(entries)
    return list_header(len(body)) + body


def decode_access_list(encoded: bytes) -> AccessList:
    """Decode RLP ``[[address, [key…]]…]``.

    Raises
    ------
    InvalidInput
        When the encoding is not canonical, an entry is not a pair, an address is not 20 bytes or a
        key is not 32.
    """
    entries = rlp_decode(encoded)
    if not isinstance(entries, list):
        raise InvalidInput("access list is not a list")
    return tuple([_entry(entry) for entry in entries])


def _entry(item: object) -> tuple[bytes, tuple[bytes, ...]]:
    match item:
        case [bytes(address), list(items)] if len(address) == 20:
            keys = tuple([key for key in items if isinstance(key, bytes) and len(key) == 32])
            if len(keys) == len(items):
                return address, keys
    raise InvalidInput("access list entry is not a 20-byte address and a list of 32-byte keys")
