"""Links: the holders of a key choose the next one, so that who trusts the old can go over to the new.

Resharing keeps the key. When it has failed for too long, the chain generates another, of the next
*generation*, and the members who held the old key say one by one, each with its own account, that they
accept the new. A verifier that has the old key checks two things: that this key signed who its holders are,
and that members with more than 2/3 of their weight chose the new key.

A link is RLP, in this order:

================  ==============================================================================
Item              Bytes
================  ==============================================================================
generation        up to 8: that of the new key; the old one's is 1 less, and at least 1
round             up to 8: of the old holders, as in what they attested
members           an encoded committee: the old holders
attestation       48: the old key's signature (:data:`~chainstack_sdk.primitives.bls.HOLDERS_DOMAIN`)
                  over :func:`~chainstack_sdk.consensus.chainkey.ceremony.holders_message`
new key           96
voters            a bitmap: bit i, least significant bit of the first byte first, stands for member i;
                  its last byte is not zero
votes             65 for each voter, by ascending index: its signature over :func:`link_digest`
================  ==============================================================================

What is voted on is keccak-256 of ``0x19 ‖ "chainstack key link" ‖ 0x00 ‖ chain id u64 ‖ old generation u64 ‖
old key ‖ new generation u64 ‖ new key``.

**Caveats.** The old key has signed for every committee that ever held it. Whoever gets hold of more than 2/3
of the accounts of one of them, even long after, can make another link from that key: a verifier that has only
the old key cannot tell. The chain itself accepts none but that of the key's last holders, and only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import holders_message
from chainstack_sdk.primitives.bls import (
    HOLDERS_DOMAIN,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    decode_g2,
    verify,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.state import Holders

_DOMAIN = b"\x19chainstack key link\x00"
_MAX_NUMBER = 2**64 - 1
_VOTE_BYTES = 65
_MAX_BITMAP = MAX_MEMBERS // 8


def link_digest(
    chain_id: int, old_generation: int, old_key: bytes, new_generation: int, new_key: bytes
) -> bytes:
    """Return what a member signs to accept a new key, 32 bytes; keys have 96 bytes."""
    numbers = [number.to_bytes(8, "big") for number in (chain_id, old_generation, new_generation)]
    return keccak256(_DOMAIN + numbers[0] + numbers[1] + old_key + numbers[2] + new_key)


@dataclass(frozen=True, slots=True)
class KeyLink:
    """What leads from one key to the next; see the module.

    Raises
    ------
    InvalidInput
        When a number or a length is out of range, or voters are not in ascending order.
    """

    generation: int
    """Of the new key, at least 2."""
    round: int
    """Of the old holders."""
    members: ValidatorSet
    """The old holders."""
    attestation: bytes
    """By the old key, 48 bytes."""
    new_key: bytes
    """96 bytes."""
    votes: tuple[tuple[int, bytes], ...]
    """(index among the members, 65-byte signature), indices ascending."""

    def __post_init__(self) -> None:
        if not (2 <= self.generation <= _MAX_NUMBER and 0 <= self.round <= _MAX_NUMBER):
            raise InvalidInput("a link leads to generation 2 or later", actual=self.generation)
        if len(self.attestation) != SIGNATURE_BYTES or len(self.new_key) != PUBLIC_KEY_BYTES:
            raise InvalidInput("an attestation has 48 bytes, and a key 96")
        before = -1
        for index, vote in self.votes:
            if not before < index < len(self.members) or len(vote) != _VOTE_BYTES:
                raise InvalidInput("a link has 65-byte votes of members, by ascending index", index=index)
            before = index

    @classmethod
    def of(cls, retired: Holders, new_key: bytes, votes: Mapping[bytes, bytes]) -> KeyLink:
        """Make a link from the key of holders whose attestation is known.

        Parameters
        ----------
        retired
            The holders of the old key.
        new_key
            The key of the generation after, 96 bytes.
        votes
            65-byte signatures over :func:`link_digest`, by address; those of others are left out.
        """
        members = retired.members
        chosen = [
            (index, votes[member.address]) for index, member in enumerate(members) if member.address in votes
        ]
        return cls(
            retired.generation + 1, retired.round, members, retired.attestation, new_key, tuple(chosen)
        )

    def encode(self) -> bytes:
        """Return the RLP list."""
        bits = 0
        for index, _ in self.votes:
            bits |= 1 << index
        return rlp_encode(
            [
                self.generation,
                self.round,
                self.members.encode(),
                self.attestation,
                self.new_key,
                bits.to_bytes((bits.bit_length() + 7) // 8, "little"),
                b"".join([vote for _, vote in self.votes]),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> KeyLink:
        """Decode what :meth:`encode` gives; nothing signed is checked.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of a link.
        """
        match rlp_decode(data):
            case [
                bytes(generation),
                bytes(round),
                bytes(members),
                bytes(attestation),
                bytes(new_key),
                bytes(bitmap),
                bytes(votes),
            ]:
                return cls(
                    decode_int(generation, 8),
                    decode_int(round, 8),
                    ValidatorSet.decode(members),
                    attestation,
                    new_key,
                    _votes(bitmap, votes),
                )
        raise InvalidInput("a link is a list of seven strings")


def validate_link(link: KeyLink, chain_id: int, old_key: bytes, scheme: Scheme) -> bytes:
    """Check that the holders of a key have chosen another; return that, 96 bytes.

    Parameters
    ----------
    old_key
        The key that is trusted, 96 bytes.
    scheme
        Checks the votes.

    Raises
    ------
    InvalidInput
        When the old key has not signed who its holders are, a vote is not its member's, votes weigh too
        little, or the new key is none.
    """
    generation = link.generation - 1
    message = holders_message(chain_id, generation, link.round, link.members.hash)
    if not verify(old_key, message, link.attestation, HOLDERS_DOMAIN):
        raise InvalidInput("the old key has not signed who its holders are", generation=generation)
    voters = [link.members.members[index] for index, _ in link.votes]
    weight = sum(voter.weight for voter in voters)
    if not link.members.is_quorum(weight):
        raise InvalidInput("too few members voted for the new key", weight=weight)
    digest = link_digest(chain_id, generation, old_key, link.generation, link.new_key)
    signers = scheme.signers([(digest, vote) for _, vote in link.votes])
    if signers != [voter.address for voter in voters]:
        raise InvalidInput("a vote for the new key is not its member's", generation=link.generation)
    decode_g2(link.new_key)
    return link.new_key


def _votes(bitmap: bytes, votes: bytes) -> tuple[tuple[int, bytes], ...]:
    if bitmap[-1:] == b"\0" or len(bitmap) > _MAX_BITMAP:
        raise InvalidInput("voters are named in a bitmap without trailing zeros")
    bits = int.from_bytes(bitmap, "little")
    indices = [index for index in range(bits.bit_length()) if bits >> index & 1]
    if len(votes) != _VOTE_BYTES * len(indices):
        raise InvalidInput("a link has one vote for each voter", actual=len(votes))
    return tuple(
        (index, votes[at * _VOTE_BYTES : (at + 1) * _VOTE_BYTES]) for at, index in enumerate(indices)
    )
