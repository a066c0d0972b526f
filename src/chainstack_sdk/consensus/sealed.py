"""Headers with their seals, as nodes that compare branches hand them to each other.

============  ================================================================
announcement  ``0x01 ‖ RLP [header, seal]``, the header being the string of its own RLP
branch        ``RLP [[header, seal]…]``, oldest first: each is the parent of the next
============  ================================================================

Decoding checks the form only; whether a seal is right is for an engine's rule to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import Header, decode_header
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ANNOUNCEMENT = 2_048
"""Bytes; a header takes about 1,100 at most."""
MAX_BRANCH = 4_096
"""Headers in one encoded branch."""
_ANNOUNCEMENT = b"\x01"


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A header and what makes its block appendable."""

    header: Header
    seal: bytes


def encode_announcement(header: Header, seal: bytes) -> bytes:
    """Return the message that tells other engines of a sealed block."""
    return _ANNOUNCEMENT + rlp_encode([header.encode(), seal])


def decode_announcement(message: bytes) -> SealedHeader:
    """Decode what :func:`encode_announcement` gives.

    Raises
    ------
    InvalidInput
        When it is not one, or has more than 2,048 bytes.
    """
    if not 1 < len(message) <= MAX_ANNOUNCEMENT or message[:1] != _ANNOUNCEMENT:
        raise InvalidInput("not the announcement of a block", actual=len(message))
    return _sealed(rlp_decode(message[1:]))


def encode_branch(branch: Iterable[SealedHeader]) -> bytes:
    """Return the encoding of headers that follow one another, oldest first."""
    return rlp_encode([[one.header.encode(), one.seal] for one in branch])


def decode_branch(data: bytes) -> tuple[SealedHeader, ...]:
    """Decode what :func:`encode_branch` gives; that each is the parent of the next is not checked.

    Raises
    ------
    InvalidInput
        When it is malformed or has more than 4,096 headers.
    """
    items = rlp_decode(data)
    if not isinstance(items, list) or len(items) > MAX_BRANCH:
        raise InvalidInput("a branch is a list of sealed headers", expected=MAX_BRANCH)
    return tuple(_sealed(item) for item in items)


def _sealed(item: object) -> SealedHeader:
    match item:
        case [bytes(header), bytes(seal)]:
            return SealedHeader(decode_header(header), seal)
    raise InvalidInput("a sealed header is a list of a header and a seal")
