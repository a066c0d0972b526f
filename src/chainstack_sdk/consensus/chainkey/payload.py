"""What a block of a keyed chain carries for its key, and how.

A payload is RLP ``[[log…], attestation, link, [[height, signature]…]]``, with at most :data:`MAX_LOGS` logs
of at most :data:`MAX_ITEM_BYTES` bytes each, an attestation of 48 bytes or none, a link of at most
:data:`MAX_ITEM_BYTES` bytes or none, and the key's signatures, 48 bytes each, over the hashes of at most
:data:`SIGNED_WINDOW` blocks just before, by ascending height. The payload with nothing in it is the empty
string.

It shares the block's attachment with whatever else the chain's consensus keeps there, such as what miners
found: the attachment is RLP ``[inner attachment, payload]``, or empty where both are. The header commits to
the payload by its ``extra_data``: keccak-256 of the encoded payload, or empty for none. To the inner
attachment it commits as the chain without a key would.

**Caveats.** A log for a committee of about 500 seats has 64 KiB: larger committees cannot hold a key, as no
dealer posts a longer one. Nor is there a link from the key of holders whose link would be longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.primitives.rlp import Encodable

MAX_LOGS = 64
"""Logs in one block."""
MAX_ITEM_BYTES = 64 * 1024
"""Bytes of a log, or of a link."""
SIGNED_WINDOW = 8
"""How many blocks back signatures of blocks may lie."""
_ATTESTATION_SIZES = (0, 48)
_SIGNATURE_BYTES = 48


@dataclass(frozen=True, slots=True)
class KeyPayload:
    """What one block carries; see the module.

    Raises
    ------
    InvalidInput
        When there are too many logs, or something is too long or empty.
    """

    logs: tuple[bytes, ...] = ()
    """Encoded logs (:class:`~chainstack_sdk.consensus.chainkey.log.DealerLog`), in the order in which they
    count."""
    attestation: bytes = b""
    """48 bytes: the signature by which holders of a key show that they can sign; or empty."""
    link: bytes = b""
    """An encoded :class:`~chainstack_sdk.consensus.chainkey.link.KeyLink`, or empty."""
    signatures: tuple[tuple[int, bytes], ...] = ()
    """Heights of blocks and the key's signatures over their hashes, 48 bytes each, by ascending height."""

    def __post_init__(self) -> None:
        if len(self.logs) > MAX_LOGS:
            raise InvalidInput("too many logs in one block", expected=MAX_LOGS, actual=len(self.logs))
        if any(not 1 <= len(log) <= MAX_ITEM_BYTES for log in self.logs):
            raise InvalidInput("a log has from 1 to 65536 bytes")
        if len(self.attestation) not in _ATTESTATION_SIZES:
            raise InvalidInput("an attestation has 48 bytes", actual=len(self.attestation))
        if len(self.link) > MAX_ITEM_BYTES:
            raise InvalidInput("a link has at most 65536 bytes", actual=len(self.link))
        if len(self.signatures) > SIGNED_WINDOW:
            raise InvalidInput("signatures of too many blocks", expected=SIGNED_WINDOW)
        if any(len(signature) != _SIGNATURE_BYTES for _, signature in self.signatures):
            raise InvalidInput("a signature of a block has 48 bytes")
        if any(one >= two for (one, _), (two, _) in pairwise(self.signatures)):
            raise InvalidInput("signatures of blocks are ordered by height")

    def __bool__(self) -> bool:
        """Tell whether there is anything in it."""
        return bool(self.logs or self.attestation or self.link or self.signatures)

    def encode(self) -> bytes:
        """Return the RLP list, or nothing for nothing."""
        if not self:
            return b""
        signatures: list[Encodable] = [[height, signature] for height, signature in self.signatures]
        return rlp_encode([list(self.logs), self.attestation, self.link, signatures])

    @classmethod
    def decode(cls, data: bytes) -> KeyPayload:
        """Decode what :meth:`encode` gives; what is in it is not checked.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of a payload.
        """
        if not data:
            return NO_PAYLOAD
        match rlp_decode(data):
            case [list(logs), bytes(attestation), bytes(link), list(signatures)]:
                payload = cls(
                    tuple(map(_string, logs)), attestation, link, tuple(map(_signature, signatures))
                )
                if payload:
                    return payload
        raise InvalidInput("a key payload is a list of logs, attestation, link and signatures, not all empty")


NO_PAYLOAD = KeyPayload()
"""The payload with nothing in it."""


class KeyDesk(Protocol):
    """What a block builder asks its own node for; nothing from here is believed without a check."""

    def payload(self, height: int) -> KeyPayload:
        """Return what a block of this height may carry, as far as the node knows."""
        ...

    def beacon(self, slot: int) -> bytes | None:
        """Return the key's signature over a slot's number, 48 bytes, or None while there is none."""
        ...

    def signature(self, height: int) -> bytes | None:
        """Return the key's signature over the hash of the block at a height, 48 bytes, or None."""
        ...


def wrap(inner: bytes, payload: bytes) -> bytes:
    """Return the attachment that carries an inner attachment and an encoded payload."""
    return rlp_encode([inner, payload]) if inner or payload else b""


def unwrap(attachment: bytes) -> tuple[bytes, bytes]:
    """Return the inner attachment and the encoded payload, which is not decoded yet.

    Raises
    ------
    InvalidInput
        When the attachment is not what :func:`wrap` gives.
    """
    if not attachment:
        return b"", b""
    match rlp_decode(attachment):
        case [bytes(inner), bytes(payload)] if inner or payload:
            return inner, payload
    raise InvalidInput("an attachment is a list of an inner one and a payload, not both empty")


def commitment(payload: bytes) -> bytes:
    """Return the ``extra_data`` of a header whose block carries an encoded payload: 32 bytes or none."""
    return keccak256(payload) if payload else b""


def committed(extra_data: bytes, attachment: bytes) -> tuple[bytes, bytes]:
    """Return the inner attachment and the encoded payload, once ``extra_data`` proves to be the payload's.

    Raises
    ------
    InvalidInput
        When it does not, or the attachment is not what :func:`wrap` gives.
    """
    inner, payload = unwrap(attachment)
    if extra_data != commitment(payload):
        raise InvalidInput(
            "the header does not commit to the key payload",
            expected=commitment(payload),
            actual=extra_data,
        )
    return inner, payload


def validate_carried(header: Header, attachment: bytes) -> bytes:
    """Check that a header commits to the payload in its block's attachment; return the inner attachment.

    Raises
    ------
    InvalidInput
        When it does not, or the attachment is not what :func:`wrap` gives.
    """
    inner, _ = committed(header.extra_data, attachment)
    return inner


def _string(item: object) -> bytes:
    if not isinstance(item, bytes):
        raise InvalidInput("a log is a string")
    return item


def _signature(item: object) -> tuple[int, bytes]:
    match item:
        case [bytes(height), bytes(signature)]:
            return decode_int(height, 8), signature
    raise InvalidInput("a signature of a block is a list of its height and the signature")
