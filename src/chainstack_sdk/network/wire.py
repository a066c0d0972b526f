"""What nodes send each other: one byte for the kind, then the rest.

======  ============  ==============================================================
Kind    Message       Rest
======  ============  ==============================================================
0x01    engine        a message between engines, opaque to nodes
0x02    candidate     an encoded block, to be voted on or switched to
0x03    fetch         block hash, 32 bytes: who has this candidate?
0x04    status        height that the sender is about to decide, 8 bytes big-endian
0x05    decided       an encoded block with its seal, the one the receiver lacks
0x06    key           a message between the machines of a chain key, opaque to nodes
======  ============  ==============================================================
"""

from __future__ import annotations

from enum import IntEnum

from chainstack_sdk.primitives.errors import InvalidInput

MAX_MESSAGE_BYTES = 64 << 20
"""A node drops anything longer."""
HASH_BYTES = 32
HEIGHT_BYTES = 8


class Kind(IntEnum):
    """The first byte of a message."""

    ENGINE = 1
    CANDIDATE = 2
    FETCH = 3
    STATUS = 4
    DECIDED = 5
    KEY = 6


def encode(kind: Kind, rest: bytes) -> bytes:
    """Return the message of a kind."""
    return bytes((kind,)) + rest


def encode_status(height: int) -> bytes:
    """Return the message that says which height a node is about to decide."""
    return encode(Kind.STATUS, height.to_bytes(HEIGHT_BYTES, "big"))


def decode(message: bytes) -> tuple[Kind, bytes]:
    """Split a message into its kind and the rest.

    Raises
    ------
    InvalidInput
        When it is too long, of an unknown kind, or its rest has a wrong size.
    """
    if not 0 < len(message) <= MAX_MESSAGE_BYTES:
        raise InvalidInput("a message has one byte at least and is not too long", actual=len(message))
    try:
        kind = Kind(message[0])
    except ValueError as error:
        raise InvalidInput("unknown kind of message", actual=message[0]) from error
    rest = message[1:]
    expected = {Kind.FETCH: HASH_BYTES, Kind.STATUS: HEIGHT_BYTES}.get(kind, len(rest))
    if len(rest) != expected:
        raise InvalidInput("wrong size of a message", expected=expected, actual=len(rest))
    return kind, rest
