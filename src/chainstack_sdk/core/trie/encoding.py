"""Encodings that both tries and the proof verifier share: nibble paths, hex-prefix, node references.

Source: Yellow Paper, appendices C (hex-prefix) and D (the trie). A node refers to a child by the
child's RLP when that is shorter than 32 bytes ("embedded"), otherwise by the RLP of its Keccak-256
hash: ``a0`` and 32 bytes. No child is the RLP of the empty string: ``80``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many
from chainstack_sdk.primitives.rlp import list_header

if TYPE_CHECKING:
    from collections.abc import Mapping

BLANK = b"\x80"
"""The reference where there is no child, and the RLP of an absent value."""

HASHED = b"\xa0"
"""First byte of a reference by hash; the 32 bytes of the hash follow."""

EMBEDDED = 31
"""The longest RLP of a node that its parent holds itself."""

VALUE_SLOT = 16
"""The 17th slot of a branch holds the value of the key that ends there."""

LIST_HEADERS = [list_header(size) for size in range(1024)]
"""RLP list prefixes by payload size: enough for every branch without a value of its own (529 bytes)."""

_FROM_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_AS_DIGITS = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")
_SAFE_KEY_LENGTH = 64
_CALLS_PER_BYTE = 8


def nibbles(key: bytes) -> bytes:
    """Return the path of a key: one byte of 0-15 per half byte, high half first."""
    return key.hex().encode().translate(_FROM_DIGITS)


def hex_prefix(path: bytes, is_leaf: bool) -> bytes:
    """Return the compact encoding of a path of nibbles.

    The high half of the first byte is a flag; an odd path puts its first nibble into the low half::

        0 extension, even    1 extension, odd    2 leaf, even    3 leaf, odd
    """
    flag = 2 if is_leaf else 0
    padded = bytes((flag | 1,)) + path if len(path) & 1 else bytes((flag, 0)) + path
    return bytes.fromhex(padded.translate(_AS_DIGITS).decode())


def encoded(payload: bytes) -> bytes:
    """Return the RLP list of this payload."""
    size = len(payload)
    return (LIST_HEADERS[size] if size < 1024 else list_header(size)) + payload


def reference(node: bytes) -> bytes:
    """Return how a parent refers to the node with this RLP: 1-31 or 33 bytes."""
    return HASHED + keccak256(node) if len(node) > EMBEDDED else node


def references(nodes: list[bytes]) -> list[bytes]:
    """Return how a parent refers to each of its children with these RLPs, hashing all of them at once."""
    if min(map(len, nodes)) > EMBEDDED:
        return [HASHED + digest for digest in keccak256_many(nodes)]
    return [reference(node) for node in nodes]


def checked_changes(changes: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """Return the batch with plain ``bytes`` for keys and values.

    Raises
    ------
    UsageError
        When a key or a value is not ``bytes``.
    """
    for key, value in changes.items():
        if type(key) is not bytes or type(value) is not bytes:
            return _plain(changes)
    return changes


def _plain(changes: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    for key, value in changes.items():
        if not isinstance(key, bytes) or not isinstance(value, bytes):
            raise UsageError("trie keys and values are bytes", key=key, value=value)
    return {bytes(key): bytes(value) for key, value in changes.items()}


def checked_key(key: bytes) -> bytes:
    """Return the key.

    Raises
    ------
    UsageError
        When it is not ``bytes``.
    """
    if not isinstance(key, bytes):
        raise UsageError("trie keys are bytes", actual=type(key).__name__)
    return key


class recursion_room:  # noqa: N801, as other context managers
    """Make sure that a batch can recurse as deep as its keys can nest.

    A batch recurses by a few calls per key byte, and only where other keys branch off at every byte.
    The interpreter's usual limit is enough for all keys in practical use, and is left alone for them.

    Parameters
    ----------
    longest_key
        Bytes in the longest key of the batch.
    """

    __slots__ = ("_limit", "_longest_key")

    def __init__(self, longest_key: int) -> None:
        self._longest_key = longest_key

    def __enter__(self) -> None:
        if self._longest_key > _SAFE_KEY_LENGTH:
            self._limit = sys.getrecursionlimit()
            sys.setrecursionlimit(self._limit + _CALLS_PER_BYTE * self._longest_key)

    def __exit__(self, *_: object) -> None:
        if self._longest_key > _SAFE_KEY_LENGTH:
            sys.setrecursionlimit(self._limit)
