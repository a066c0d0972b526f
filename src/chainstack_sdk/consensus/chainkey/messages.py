"""What the members of committees say to each other about their chain's key.

Each message begins with a byte for its type and one for the version, which is 1. All integers are big-endian.

====  ============  ==================================================================================
type  message       then
====  ============  ==================================================================================
1     `Announce`    ceremony 32 ‖ X25519 key 32 ‖ signature 65
2     `Deal`        ceremony 32 ‖ place u16 ‖ player u16 ‖ signature 65 ‖ points u16 ‖ points 96 each ‖ sealed
3     `Accept`      ceremony 32 ‖ place u16 ‖ keccak-256 of the points 32 ‖ signature 65
4     `PostedLog`   ceremony 32 ‖ a dealer's log as in a block
5     `Partial`     kind u8 ‖ number u64 ‖ round u64 ‖ digest 32 ‖ signature 65 ‖ count u16 ‖ (place u16, 48)…
6     `LinkVote`    generation u64 ‖ signature 65
====  ============  ==================================================================================

The signatures of 65 bytes are those of accounts. Those of `Announce`, `Deal` and `Partial` are over
:meth:`~Announce.digest`, that of `Accept` is the one that goes into the log, that of `LinkVote` the one that
goes into the link. Who signed is found by recovery, hence no message names its sender.

**Caveats.** Decoding checks the form only: signatures, points and membership are for the receiver to check.
An announcement may be repeated by anybody, within its ceremony: of different ones, by a member that lost its
record, each is answered once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from struct import Struct
from typing import TypeAlias

from chainstack_sdk.primitives.bls import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

DOMAIN = b"\x19chainstack chain key\x00"
"""What every digest here is made over begins with; no transaction begins so."""
MAX_SEATS = 2_048
"""Places of shares are from 1 to this."""
MAX_POINTS = 1_024
MAX_SEALED = MAX_SEATS * 32 + 1_024
"""Bytes of sealed shares in a message."""
MAX_LOG = 65_536
"""Bytes of a dealer's log in a message."""

_VERSION = 1
_ANNOUNCE = Struct(">BB32s32s65s")
_DEAL = Struct(">BB32sHH65sH")
_ACCEPT = Struct(">BB32sH32s65s")
_LOG = Struct(">BB32s")
_PARTIAL = Struct(">BBBQQ32s65sH")
_PART = Struct(f">H{SIGNATURE_BYTES}s")
_LINK_VOTE = Struct(">BBQ65s")


class PartialKind(IntEnum):
    """What holders sign with their shares."""

    FINALITY = 1
    """The hash of a final block; the number is its height."""
    BEACON = 2
    """The number of a slot."""
    HOLDERS = 3
    """That they can sign; the number is the round of their own ceremony."""


_KINDS = {int(kind): kind for kind in PartialKind}


@dataclass(frozen=True, slots=True)
class Announce:
    """A player's key for sealed dealings, for one ceremony only."""

    ceremony: bytes
    """32 bytes: the ceremony's hash."""
    key: bytes
    """32 bytes: a public key of X25519."""
    signature: bytes
    """65 bytes, by the player."""

    @staticmethod
    def digest(ceremony: bytes, key: bytes) -> bytes:
        """Return what the player signs, 32 bytes."""
        return keccak256(DOMAIN + b"\x01" + ceremony + key)

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description: 131."""
        return _ANNOUNCE.pack(1, _VERSION, self.ceremony, self.key, self.signature)


@dataclass(frozen=True, slots=True)
class Deal:
    """A dealer's shares for one player, sealed, and the public polynomial that they are on."""

    ceremony: bytes
    """32 bytes: the ceremony's hash."""
    place: int
    """The dealer's, from 1."""
    player: int
    """The index of the member for whom it is."""
    commitments: bytes
    """The public polynomial, 96 bytes for each coefficient."""
    sealed: bytes
    """The shares for the player's seats, 32 bytes each, in an envelope."""
    signature: bytes
    """65 bytes, by the dealer."""

    @staticmethod
    def context(ceremony: bytes, place: int, player: int) -> bytes:
        """Return what the envelope is bound to, 36 bytes."""
        return ceremony + place.to_bytes(2, "big") + player.to_bytes(2, "big")

    @staticmethod
    def digest(ceremony: bytes, place: int, player: int, commitments: bytes, sealed: bytes) -> bytes:
        """Return what the dealer signs, 32 bytes."""
        context = Deal.context(ceremony, place, player)
        return keccak256(DOMAIN + b"\x02" + context + keccak256(commitments) + keccak256(sealed))

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description."""
        points = len(self.commitments) // PUBLIC_KEY_BYTES
        head = _DEAL.pack(2, _VERSION, self.ceremony, self.place, self.player, self.signature, points)
        return head + self.commitments + self.sealed


@dataclass(frozen=True, slots=True)
class Accept:
    """A player's word that it has its shares of a dealing, durably."""

    ceremony: bytes
    """32 bytes: the ceremony's hash."""
    place: int
    """The dealer's, from 1."""
    commitments_hash: bytes
    """keccak-256 of the public polynomial, 32 bytes."""
    signature: bytes
    """65 bytes, by the player: the acknowledgement in the dealer's log."""

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description: 133."""
        return _ACCEPT.pack(3, _VERSION, self.ceremony, self.place, self.commitments_hash, self.signature)


@dataclass(frozen=True, slots=True)
class PostedLog:
    """A dealer's log, for any builder of blocks."""

    ceremony: bytes
    """32 bytes: the ceremony's hash."""
    log: bytes
    """1 to 65,536 bytes, as in a block."""

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description."""
        return _LOG.pack(4, _VERSION, self.ceremony) + self.log


@dataclass(frozen=True, slots=True)
class Partial:
    """A holder's partial signatures of one thing, one for each of its seats."""

    kind: PartialKind
    number: int
    """Below 2^64; what it means depends on the kind."""
    round: int
    """The round of the ceremony that made the shares, below 2^64."""
    digest: bytes
    """32 bytes: the hash of the block, or keccak-256 of the message of another kind."""
    parts: tuple[tuple[int, bytes], ...]
    """Places, in ascending order, with 48 bytes each; at least one."""
    signature: bytes
    """65 bytes, by the holder: only members can make others check a partial signature."""

    def signed_digest(self, chain_id: int) -> bytes:
        """Return what the holder signs on a chain, 32 bytes; the signature itself does not count."""
        encoded = self.encode()
        unsigned = encoded[: _PARTIAL.size - 67] + encoded[_PARTIAL.size - 2 :]
        return keccak256(DOMAIN + chain_id.to_bytes(8, "big") + unsigned)

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description."""
        head = _PARTIAL.pack(
            5, _VERSION, self.kind, self.number, self.round, self.digest, self.signature, len(self.parts)
        )
        return head + b"".join(_PART.pack(place, part) for place, part in self.parts)


@dataclass(frozen=True, slots=True)
class LinkVote:
    """The vote of a holder of the key before for the key of a new generation."""

    generation: int
    """The new key's, below 2^64."""
    signature: bytes
    """65 bytes, by the member, over the link's digest."""

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description: 75."""
        return _LINK_VOTE.pack(6, _VERSION, self.generation, self.signature)


KeyMessage: TypeAlias = Announce | Deal | Accept | PostedLog | Partial | LinkVote


def decode_message(data: bytes) -> KeyMessage:
    """Decode any of the messages.

    Raises
    ------
    InvalidInput
        For anything that their ``encode`` never gives.
    """
    if len(data) < 2 or data[1] != _VERSION:
        raise InvalidInput("not a message about chain keys, or of another version", size=len(data))
    match data[0]:
        case 1 if len(data) == _ANNOUNCE.size:
            return Announce(*_ANNOUNCE.unpack(data)[2:])
        case 2 if len(data) >= _DEAL.size:
            return _decode_deal(data)
        case 3 if len(data) == _ACCEPT.size:
            return Accept(*_ACCEPT.unpack(data)[2:])
        case 4 if _LOG.size < len(data) <= _LOG.size + MAX_LOG:
            return PostedLog(bytes(data[2 : _LOG.size]), bytes(data[_LOG.size :]))
        case 5 if len(data) >= _PARTIAL.size:
            return _decode_partial(data)
        case 6 if len(data) == _LINK_VOTE.size:
            return LinkVote(*_LINK_VOTE.unpack(data)[2:])
    raise InvalidInput("not a message about chain keys", size=len(data))


def _decode_deal(data: bytes) -> Deal:
    _, _, ceremony, place, player, signature, points = _DEAL.unpack_from(data)
    end = _DEAL.size + points * PUBLIC_KEY_BYTES
    sealed = bytes(data[end:])
    if not (1 <= points <= MAX_POINTS and 1 <= place <= MAX_SEATS and 1 <= len(sealed) <= MAX_SEALED):
        raise InvalidInput("a dealing has points and sealed shares", points=points, place=place)
    return Deal(ceremony, place, player, bytes(data[_DEAL.size : end]), sealed, signature)


def _decode_partial(data: bytes) -> Partial:
    _, _, kind, number, round_, digest, signature, count = _PARTIAL.unpack_from(data)
    if kind not in _KINDS or not 1 <= count <= MAX_SEATS or len(data) != _PARTIAL.size + count * _PART.size:
        raise InvalidInput("not partial signatures", kind=kind, count=count, size=len(data))
    parts = tuple(_PART.iter_unpack(data[_PARTIAL.size :]))
    if not 1 <= parts[0][0] <= parts[-1][0] <= MAX_SEATS or any(
        one[0] >= two[0] for one, two in pairwise(parts)
    ):
        raise InvalidInput("the places of partial signatures ascend", actual=[place for place, _ in parts])
    return Partial(_KINDS[kind], number, round_, digest, parts, signature)
