"""What a provider signs, and the envelope in which it travels with the result.

::

    statement  "chainstack-answer-v1" 20 ‖ chain id 32 ‖ task 20 ‖ provider 20 ‖ applet 32 ‖
               specification 32 ‖ data 32 ‖ keccak256(result) 32: 220 bytes, numbers big-endian
    signature  r ‖ s ‖ v, 65 bytes, over keccak256(statement)
    content    signature 65 ‖ size of the result 4 ‖ result ‖ zeros up to the room
    envelope   content, sealed for the buyer's key (:mod:`chainstack_sdk.primitives.envelope`), with the
               first 92 bytes of the statement as context: 48 bytes longer

The *room* is what the applet's manifest asks to emit: all answers to a task have envelopes of one size, which
tells nothing of the result. ``data`` is the commitment of :mod:`chainstack_sdk.apps.exchange.opening`.

A copied envelope does not open as somebody else's answer: the context is another. And whoever can open one
cannot pass the result on as another's: the signature is over the whole statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.apps.exchange.errors import AnswerRefused
from chainstack_sdk.primitives.envelope import seal
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import recover_sender

if TYPE_CHECKING:
    from chainstack_sdk.primitives.envelope import EnvelopeKey

DOMAIN = b"chainstack-answer-v1"
"""What signed bytes and contexts begin with."""
SIGNATURE = 65
HEAD = SIGNATURE + 4
"""Bytes of the content before the result."""
MAX_RESULT = 1 << 20
"""The most bytes of a result, and of the room: what an applet may emit."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Who answers what with which applet over which data. Byte strings are 32 bytes unless told otherwise."""

    chain_id: int
    task: bytes
    """Address of the task, 20 bytes."""
    provider: bytes
    """Who answers, 20 bytes."""
    applet: bytes
    """Hash of the applet."""
    specification: bytes
    """Hash of the specification."""
    data: bytes
    """Commitment to the records."""

    def context(self) -> bytes:
        """Return what envelopes are bound to, 92 bytes."""
        return DOMAIN + self.chain_id.to_bytes(32) + self.task + self.provider

    def encode(self, result: bytes) -> bytes:
        """Return the statement about a result, 220 bytes."""
        return self.context() + self.applet + self.specification + self.data + keccak256(result)

    def digest(self, result: bytes) -> bytes:
        """Return what the provider signs, 32 bytes."""
        return keccak256(self.encode(result))


def seal_result(
    statement: Statement, result: bytes, signature: bytes, *, key: bytes, room: int, seed: bytes
) -> bytes:
    """Return the envelope with a signed result.

    Parameters
    ----------
    statement
        What was signed.
    result
        Canonical JSON.
    signature
        Over ``statement.digest(result)``, 65 bytes.
    key
        The buyer's public X25519 key, 32 bytes.
    room
        Bytes for the result, at least its size.
    seed
        At least 32 random bytes, known to nobody else.

    Raises
    ------
    InvalidInput
        When the key is none.
    UsageError
        When the result does not find room, the signature has another size, or the seed is short.
    """
    if len(result) > room or room > MAX_RESULT:
        raise UsageError("the result does not find room", room=room, size=len(result))
    if len(signature) != SIGNATURE:
        raise UsageError("a signature has 65 bytes", actual=len(signature))
    content = signature + len(result).to_bytes(4) + result.ljust(room, b"\0")
    return seal(key, content, statement.context(), seed)


def open_result(envelope: bytes, key: EnvelopeKey, statement: Statement) -> tuple[bytes, bytes]:
    """Return the result in an envelope and its provider's signature, checked.

    Parameters
    ----------
    envelope
        Any bytes.
    key
        The buyer's.
    statement
        What is to have been signed.

    Raises
    ------
    AnswerRefused
        When the envelope does not open for this statement, or the statement is not signed by the provider.
    """
    try:
        content = key.open(envelope, statement.context())
    except InvalidInput:
        raise AnswerRefused("the envelope does not open") from None
    signature, size, rest = content[:SIGNATURE], int.from_bytes(content[SIGNATURE:HEAD]), content[HEAD:]
    result = rest[:size]
    if len(content) < HEAD or len(result) < size or any(rest[size:]):
        raise AnswerRefused("the content of the envelope is malformed")
    check_signature(statement, result, signature)
    return result, signature


def check_signature(statement: Statement, result: bytes, signature: bytes) -> None:
    """Check that the provider of a statement signed it about a result.

    Raises
    ------
    AnswerRefused
        When the signature is malformed or another's.
    """
    try:
        signer = recover_sender(statement.digest(result), signature)
    except InvalidInput:
        raise AnswerRefused("the statement is not signed") from None
    if signer != statement.provider:
        raise AnswerRefused("the statement is signed by another", signer=signer)
