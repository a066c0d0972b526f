"""Proofs that a validator broke the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.certificate import validate_certificate
from chainstack_sdk.consensus.bft.messages import content, decode_message, kind_of
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.certificate import Certificate
    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two messages of one validator that exclude each other.

    Both are prevotes, precommits or proposals for the same height and round, with different contents.
    An honest validator, restarts included, never signs such a pair. Made by :meth:`of`, which orders
    the two by their encodings, so that a pair has one form.
    """

    first: SignedMessage
    second: SignedMessage

    def __post_init__(self) -> None:
        one, other = content(self.first), content(self.second)
        if (
            kind_of(self.first) != kind_of(self.second)
            or self.first.validator != self.second.validator
            or (one.height, one.round) != (other.height, other.round)
            or one == other
        ):
            raise InvalidInput("the two messages do not exclude each other")
        if self.first.encode() > self.second.encode():
            raise InvalidInput("the two messages are ordered by their encodings")

    @classmethod
    def of(cls, one: SignedMessage, other: SignedMessage) -> Evidence:
        """Make evidence of two messages in either order.

        Raises
        ------
        InvalidInput
            When they do not exclude each other.
        """
        return cls(one, other) if one.encode() <= other.encode() else cls(other, one)

    @property
    def validator(self) -> bytes:
        """Who is accused: 20 bytes."""
        return self.first.validator

    @property
    def height(self) -> int:
        """Height of both messages."""
        return content(self.first).height

    @property
    def round(self) -> int:
        """Round of both messages."""
        return content(self.first).round

    @property
    def kind(self) -> int:
        """1 for two prevotes, 2 for two precommits, 3 for two proposals."""
        return kind_of(self.first)

    def encode(self) -> bytes:
        """Return ``size of the first u16 ‖ first ‖ second``, both as on the wire."""
        first = self.first.encode()
        return len(first).to_bytes(2, "big") + first + self.second.encode()

    @classmethod
    def decode(cls, data: bytes) -> Evidence:
        """Decode what :meth:`encode` gives; the signatures are not checked.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of two messages that exclude each other.
        """
        end = 2 + int.from_bytes(data[:2], "big")
        return cls(decode_message(data[2:end]), decode_message(data[end:]))


def validate_evidence(evidence: Evidence, chain_id: int, scheme: Scheme) -> bytes:
    """Check both signatures of an accusation.

    Whether the culprit was a validator at :attr:`Evidence.height`, and whether it has been punished
    before, is for the chain to say.

    Returns
    -------
    bytes
        The culprit's 20-byte address.

    Raises
    ------
    InvalidInput
        When a signature is not the accused's over this chain's payload.
    """
    pair = (evidence.first, evidence.second)
    signers = scheme.signers([(content(message).digest(chain_id), message.signature) for message in pair])
    if signers != [evidence.validator] * 2:
        raise InvalidInput("the evidence is not signed by the accused", height=evidence.height)
    return evidence.validator


def culprits(
    first: Certificate,
    first_hash: bytes,
    second: Certificate,
    second_hash: bytes,
    *,
    chain_id: int,
    height: int,
    validators: ValidatorSet,
    scheme: Scheme,
) -> tuple[bytes, ...]:
    """Return who signed both of two certificates for different blocks at one height.

    Together they hold more than 1/3 of the weight, since each certificate has more than 2/3.

    When the certificates are of the same round, each of them precommitted twice in it: proven at fault.
    When the rounds differ, nothing is proven by the certificates alone: a validator may rightly precommit
    to another block in a later round, if a polka in between released its lock. A fork still means that
    more than 1/3 of the weight voted against its lock (amnesia), but *which* of the overlap did so needs
    the prevotes of the rounds between; the result is then a list of suspects.

    Raises
    ------
    InvalidInput
        When both are for the same block, or either is not valid.
    """
    if first_hash == second_hash:
        raise InvalidInput("two certificates for one block contradict nothing", height=height)
    signers, others = (
        validate_certificate(
            certificate,
            chain_id=chain_id,
            height=height,
            block_hash=block_hash,
            validators=validators,
            scheme=scheme,
        )
        for certificate, block_hash in ((first, first_hash), (second, second_hash))
    )
    return tuple(address for address in signers if address in others)
