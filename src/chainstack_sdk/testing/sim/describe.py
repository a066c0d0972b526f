"""What a message is, in a few words for people, and whose signature it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import NIL, SignedVote, decode_message
from chainstack_sdk.core.blocks import decode_header
from chainstack_sdk.network import wire
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.messages import SignedMessage

_SHOWN = 3
"""Bytes of a hash that are shown."""


def describe_message(message: bytes) -> str:
    """Tell what a message of this library's nodes is.

    A vote is told as ``prevote 5/0 3fa9c1``: its height, round, and the start of the block's hash.
    """
    try:
        kind, rest = wire.decode(message)
    except InvalidInput:
        return f"{len(message)} bytes"
    match kind:
        case Kind.ENGINE:
            return _describe_engine(rest)
        case Kind.FETCH:
            return f"fetch {short(rest)}"
        case Kind.STATUS:
            return f"status {int.from_bytes(rest, 'big')}"
        case _:
            return f"{kind.name.lower()} block of {len(rest)} bytes"


def signed_message(message: bytes) -> SignedMessage | None:
    """Return the vote or proposal that a message between nodes carries, if it carries one."""
    try:
        kind, rest = wire.decode(message)
    except InvalidInput:
        return None
    return _signed(rest) if kind is Kind.ENGINE else None


def short(block_hash: bytes) -> str:
    """Return the first hexadecimal digits of a hash, ``nil`` when it stands for no block."""
    return "nil" if block_hash == NIL else block_hash[:_SHOWN].hex()


def _signed(rest: bytes) -> SignedMessage | None:
    """Return the vote or proposal in an engine's message, bare or behind a byte that says what it is."""
    for start in (0, 1):
        try:
            return decode_message(rest[start:])
        except InvalidInput:
            continue
    return None


def _describe_engine(rest: bytes) -> str:
    signed = _signed(rest)
    if signed is None:
        return _describe_announcement(rest)
    if isinstance(signed, SignedVote):
        vote = signed.vote
        return f"{vote.kind.name.lower()} {vote.height}/{vote.round} {short(vote.block_hash)}"
    proposal = signed.proposal
    valid = f" valid since round {proposal.valid_round}" if proposal.valid_round >= 0 else ""
    return f"proposal {proposal.height}/{proposal.round} {short(proposal.block_hash)}{valid}"


def _describe_announcement(rest: bytes) -> str:
    """Tell of a header and its seal, behind a byte that says what they are."""
    try:
        match rlp_decode(rest[1:]):
            case [bytes(encoded), bytes()]:
                header = decode_header(encoded)
                return f"announcement {header.height} {short(header.hash)}"
    except InvalidInput:
        pass
    return f"engine message of {len(rest)} bytes"
