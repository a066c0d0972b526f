"""Certificates: the precommits that made a block final, each signed by its validator.

Signatures are kept one by one, not aggregated, so that two certificates that contradict each other name
who signed both, and rewards know who took part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import NIL, Vote, VoteKind
from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.consensus.bft.messages import SignedVote
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import Membership, ValidatorSet
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import FinalityRule, HeaderRule

_SIGNATURE = 65


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who precommitted to a block, and in which round. Height and block hash are the block's own."""

    round: int
    """The round whose precommits these are, below 2^32."""
    signatures: tuple[tuple[int, bytes], ...]
    """(index among the height's validators, 65-byte signature), indices ascending."""

    def __post_init__(self) -> None:
        before = -1
        for index, signature in self.signatures:
            if index <= before or len(signature) != _SIGNATURE:
                raise InvalidInput("a certificate has 65-byte signatures by ascending index", index=index)
            before = index
        if not (0 <= before < MAX_MEMBERS and 0 <= self.round < 1 << 32):
            raise InvalidInput("a certificate has a round, and signatures of at most 1024 validators")

    @classmethod
    def of(cls, round: int, precommits: Mapping[bytes, SignedVote], validators: ValidatorSet) -> Certificate:
        """Make a certificate of the precommits for one block in a round, given by validator."""
        return cls(
            round,
            tuple(
                (index, precommits[member.address].signature)
                for index, member in enumerate(validators)
                if member.address in precommits
            ),
        )

    def encode(self) -> bytes:
        """Return ``round u32 ‖ size of the bitmap u8 ‖ bitmap ‖ signatures``.

        Bit i of the bitmap, least significant bit of the first byte first, stands for validator i; its
        last byte is not zero. The signatures follow in the order of their bits.
        """
        bits = 0
        for index, _ in self.signatures:
            bits |= 1 << index
        size = (bits.bit_length() + 7) // 8
        head = self.round.to_bytes(4, "big") + size.to_bytes(1, "big") + bits.to_bytes(size, "little")
        return head + b"".join([signature for _, signature in self.signatures])

    @classmethod
    def decode(cls, data: bytes) -> Certificate:
        """Decode what :meth:`encode` gives; the signatures are not checked.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of a certificate.
        """
        size = data[4] if len(data) > 4 else 0
        bitmap, signatures = data[5 : 5 + size], data[5 + size :]
        bits = int.from_bytes(bitmap, "little")
        if not bitmap or bitmap[-1:] == b"\0" or len(bitmap) != size:
            raise InvalidInput("a certificate names its signers in a bitmap without trailing zeros")
        if len(signatures) != _SIGNATURE * bits.bit_count():
            raise InvalidInput("a certificate has one signature for each signer", actual=len(signatures))
        indices = [index for index in range(bits.bit_length()) if bits >> index & 1]
        return cls(
            int.from_bytes(data[:4], "big"),
            tuple(
                (index, bytes(signatures[at * _SIGNATURE : (at + 1) * _SIGNATURE]))
                for at, index in enumerate(indices)
            ),
        )


def validate_certificate(
    certificate: Certificate,
    *,
    chain_id: int,
    height: int,
    block_hash: bytes,
    validators: ValidatorSet,
    scheme: Scheme,
) -> tuple[bytes, ...]:
    """Check that more than 2/3 of a height's weight precommitted to a block in one round.

    All signatures are checked in one call to the scheme, after everything that is cheaper.

    Returns
    -------
    tuple[bytes, ...]
        The addresses of the signers, in the order of the validators.

    Raises
    ------
    InvalidInput
        When a signer is no validator, too little weight signed, or any signature is not the
        validator's over exactly this chain, height, round and block.
    """
    if block_hash == NIL:
        raise InvalidInput("a certificate is for a block", height=height)
    members = validators.members
    if certificate.signatures[-1][0] >= len(members):
        raise InvalidInput(
            "a certificate names a validator that is not there",
            height=height,
            expected=len(members),
            actual=certificate.signatures[-1][0],
        )
    weight = sum([members[index].weight for index, _ in certificate.signatures])
    if not validators.is_quorum(weight):
        raise InvalidInput(
            "a certificate needs more than 2/3 of the weight",
            height=height,
            expected=validators.total_weight,
            actual=weight,
        )
    digest = Vote(VoteKind.PRECOMMIT, height, certificate.round, block_hash).digest(chain_id)
    expected = [members[index].address for index, _ in certificate.signatures]
    actual = scheme.signers([(digest, signature) for _, signature in certificate.signatures])
    if actual != expected:
        raise InvalidInput("a certificate has a signature that is not its validator's", height=height)
    return tuple(expected)


class CertificateRule:
    """Header and finality rule of engines whose seal is a certificate; needs no chain object.

    Parameters
    ----------
    chain_id
        The chain whose blocks are certified.
    membership
        Who validates each height.
    scheme
        Checks signatures.
    """

    def __init__(self, chain_id: int, membership: Membership, scheme: Scheme) -> None:
        self._chain_id = chain_id
        self._membership = membership
        self._scheme = scheme

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check that the seal certifies the header; see :meth:`validate_finality`.

        Raises
        ------
        InvalidInput
            When it does not.
        """
        self.validate_finality(header, seal)

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Check that the seal is a certificate of the header's validators for it.

        Raises
        ------
        InvalidInput
            When it is not, the header is another chain's, or its validators are not known yet.
        """
        if header.chain_id != self._chain_id:
            raise InvalidInput(
                "the header is another chain's", expected=self._chain_id, actual=header.chain_id
            )
        try:
            validators = self._membership.validators(header.height)
        except UsageError as error:
            raise InvalidInput(
                "the validators of this height are not known yet", height=header.height
            ) from error
        validate_certificate(
            Certificate.decode(seal),
            chain_id=self._chain_id,
            height=header.height,
            block_hash=header.hash,
            validators=validators,
            scheme=self._scheme,
        )

    def work(self, header: Header) -> int:
        """Return 1: without work, blocks count."""
        return 1


if TYPE_CHECKING:
    _header_rule: type[HeaderRule] = CertificateRule
    _finality_rule: type[FinalityRule] = CertificateRule
