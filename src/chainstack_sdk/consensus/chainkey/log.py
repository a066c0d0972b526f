"""Logs: what a dealer puts on the chain about one dealing, and the one rule of what makes it valid.

::

    log          RLP [place, commitments, possession, [result…], signature]
    place        the seat dealt from, from 1
    commitments  the public polynomial, 96 bytes for each coefficient, the lowest first
    possession   in a generation a signature, 48 bytes, otherwise empty: with the polynomial's value at 0,
                 over ceremony hash 32 ‖ place u32 ‖ public key of that value 96, domain of possession
    result       one for each player, in the order of the committee: the 65 bytes of its signature over
                 ack digest, or the list of its shares, 32 bytes for each of its seats
    signature    65 bytes over log digest, by the account of the member whose seat it is

    ack digest   keccak256("chainstack key ack" ‖ ceremony hash 32 ‖ place u32 ‖ keccak256(commitments) 32)
    log digest   keccak256("chainstack key log" ‖ ceremony hash 32 ‖
                 keccak256(RLP [place, commitments, possession, [result…]]) 32)

Integers outside RLP are big-endian. The result of a player without seats is an empty list.

A valid log proves that its dealer knows the polynomial. The faulty among the players hold at most
``spare = S - threshold`` of the ``S`` seats, so at least ``threshold`` shares have been checked by honest
players or by everybody. In a generation the proof of possession says the same of the key alone. Hence no
dealer can choose a key that cancels the keys of others.

**Caveats.** A player's signature says that it has its shares only if it is honest. What a log reveals is
public for good; :func:`~chainstack_sdk.consensus.chainkey.outcome.exposed_members` tells whose next shares
follow from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
from chainstack_sdk.consensus.octets import uint_bytes
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.primitives.rlp import RlpItem

SHARE_BYTES = 32
ACK_BYTES = 65
_ACK_DOMAIN = b"chainstack key ack"
_LOG_DOMAIN = b"chainstack key log"


@dataclass(frozen=True, slots=True)
class Ack:
    """A player's word that it has its shares of a dealing."""

    signature: bytes
    """65 bytes, by the player's account over :func:`ack_digest`."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """The shares of a player who gave no such word."""

    shares: tuple[int, ...]
    """One for each seat of the player; none for a player without seats."""


Result: TypeAlias = "Ack | Reveal"


@dataclass(frozen=True, slots=True)
class DealerLog:
    """What became of one dealing."""

    place: int
    """The seat dealt from, from 1."""
    commitments: PublicPolynomial
    """The image of the polynomial dealt."""
    possession: bytes
    """Proof that the dealer knows the polynomial's value at 0, 48 bytes in a generation; otherwise empty."""
    results: tuple[Result, ...]
    """One for each player, in the order of the committee."""
    signature: bytes
    """65 bytes, by the dealer's account over :func:`log_digest`."""

    def encode(self) -> bytes:
        """Return the RLP described above."""
        body = _body(self.place, self.commitments, self.possession, self.results)
        return rlp_encode([*body, self.signature])

    @classmethod
    def decode(cls, data: bytes) -> DealerLog:
        """Decode what :meth:`encode` gives; recent answers are kept.

        Raises
        ------
        InvalidInput
            When it is not the one encoding of a log with points and shares that can be.
        """
        return _decoded(bytes(data))


def ack_digest(ceremony: Ceremony, place: int, commitments: bytes) -> bytes:
    """Return what a player signs for the shares it received, 32 bytes.

    Parameters
    ----------
    place
        The dealer's, from 1; below 2^32.
    commitments
        The encoded public polynomial that the shares were checked against.
    """
    parts = (_ACK_DOMAIN, ceremony.hash, uint_bytes(place, 4, "place"), keccak256(commitments))
    return keccak256(b"".join(parts))


def log_digest(
    ceremony: Ceremony,
    place: int,
    commitments: PublicPolynomial,
    possession: bytes,
    results: Sequence[Result],
) -> bytes:
    """Return what the dealer signs, 32 bytes."""
    body = rlp_encode(_body(place, commitments, possession, results))
    return keccak256(_LOG_DOMAIN + ceremony.hash + keccak256(body))


def possession_message(ceremony: Ceremony, place: int, key: bytes) -> bytes:
    """Return what a dealer signs with the secret behind its part of a new key, 132 bytes.

    Parameters
    ----------
    place
        The dealer's, from 1; below 2^32.
    key
        The public key of that secret, 96 bytes.
    """
    return ceremony.hash + uint_bytes(place, 4, "place") + key


def validate_public_part(ceremony: Ceremony, place: int, commitments: PublicPolynomial) -> None:
    """Check what is public about a dealing: to be done before any share of it is looked at.

    Raises
    ------
    InvalidInput
        When no dealer has that place, the degree is not the one agreed (of a higher one a threshold of shares
        says nothing), or what is dealt is not the share of that place (it would change the key).
    """
    if not 1 <= place <= ceremony.dealer_seats.total:
        raise InvalidInput("no dealer has that place", expected=ceremony.dealer_seats.total, actual=place)
    if commitments.threshold != ceremony.threshold:
        raise InvalidInput(
            "a dealing has another degree", expected=ceremony.threshold, actual=commitments.threshold
        )
    if ceremony.previous is not None and commitments.key != ceremony.previous.at(place):
        raise InvalidInput("a dealing is of something else than the share of its place", place=place)


def validate_log(ceremony: Ceremony, log: DealerLog, scheme: Scheme) -> None:
    """Check a log: a function of its arguments and nothing else, the same for all who read the chain.

    Costs at most one recovered signer for each player and one more, a multiplication in G2 for each
    coefficient and one more, and in a generation one check of pairings. What does not depend on the scheme is
    remembered for logs found valid lately.

    Raises
    ------
    InvalidInput
        When it is not valid in the ceremony.
    """
    validate_public_part(ceremony, log.place, log.commitments)
    _validate_shape(ceremony, log)
    _validate_signatures(ceremony, log, scheme)
    _validate_secrets(ceremony, log)


def _validate_shape(ceremony: Ceremony, log: DealerLog) -> None:
    seats = ceremony.player_seats
    if len(log.results) != len(seats.counts):
        raise InvalidInput(
            "a log has one result for each player", expected=len(seats.counts), actual=len(log.results)
        )
    revealed = 0
    for index, (count, result) in enumerate(zip(seats.counts, log.results, strict=True)):
        if isinstance(result, Reveal):
            revealed += count
            if len(result.shares) != count:
                raise InvalidInput("a log reveals one share for each seat of a player", player=index)
        elif not count:
            raise InvalidInput("a player without seats has nothing to acknowledge", player=index)
    if revealed > ceremony.reveal_limit:
        raise InvalidInput("a log reveals too much", expected=ceremony.reveal_limit, actual=revealed)
    if len(log.possession) != (bls.SIGNATURE_BYTES if ceremony.is_generation else 0):
        raise InvalidInput("a log proves possession in a generation only", actual=len(log.possession))


def _validate_signatures(ceremony: Ceremony, log: DealerLog, scheme: Scheme) -> None:
    dealer = ceremony.dealers.members[ceremony.dealer_seats.holder(log.place)].address
    digest = log_digest(ceremony, log.place, log.commitments, log.possession, log.results)
    if scheme.signer(digest, log.signature) != dealer:
        raise InvalidInput("a log is not signed by its dealer", expected=dealer)
    digest = ack_digest(ceremony, log.place, log.commitments.encode())
    acks = [
        (member.address, result.signature)
        for member, result in zip(ceremony.players, log.results, strict=True)
        if isinstance(result, Ack)
    ]
    signers = scheme.signers((digest, signature) for _, signature in acks)
    for (address, _), signer in zip(acks, signers, strict=True):
        if signer != address:
            raise InvalidInput("an acknowledgement is not signed by its player", expected=address)


@lru_cache(maxsize=128)
def _validate_secrets(ceremony: Ceremony, log: DealerLog) -> None:
    """Check the possession and the shares made public; errors are not remembered."""
    key = log.commitments.key
    if ceremony.is_generation and not bls.verify(
        key, possession_message(ceremony, log.place, key), log.possession, bls.POSSESSION_DOMAIN
    ):
        raise InvalidInput("a dealer does not prove that it knows what it deals", place=log.place)
    shares = dict(_revealed(ceremony, log))
    if shares and not log.commitments.are_shares(shares, keccak256(log.encode())):
        raise InvalidInput("a log reveals what is no share", place=log.place)


def _revealed(ceremony: Ceremony, log: DealerLog) -> Iterator[tuple[int, int]]:
    for index, result in enumerate(log.results):
        if isinstance(result, Reveal):
            yield from zip(ceremony.player_seats.places(index), result.shares, strict=True)


def _body(
    place: int, commitments: PublicPolynomial, possession: bytes, results: Sequence[Result]
) -> list[int | bytes | list[bytes | list[bytes]]]:
    encoded: list[bytes | list[bytes]] = [
        result.signature
        if isinstance(result, Ack)
        else [share.to_bytes(SHARE_BYTES, "big") for share in result.shares]
        for result in results
    ]
    return [place, commitments.encode(), possession, encoded]


@lru_cache(maxsize=128)
def _decoded(data: bytes) -> DealerLog:
    match rlp_decode(data):
        case [bytes(place), bytes(commitments), bytes(possession), list(results), bytes(signature)]:
            pass
        case _:
            raise InvalidInput("a log is a list of place, commitments, possession, results and signature")
    if len(possession) not in (0, bls.SIGNATURE_BYTES) or len(signature) != ACK_BYTES:
        raise InvalidInput("a log's signatures have 48 and 65 bytes")
    if len(results) > MAX_MEMBERS:
        raise InvalidInput("a log has too many results", actual=len(results))
    number = decode_int(place, 4)
    outcomes = tuple(_decoded_result(result) for result in results)
    return DealerLog(number, PublicPolynomial.decode(commitments), possession, outcomes, signature)


def _decoded_result(item: RlpItem) -> Result:
    if isinstance(item, bytes):
        if len(item) != ACK_BYTES:
            raise InvalidInput("an acknowledgement has 65 bytes", actual=len(item))
        return Ack(item)
    return Reveal(tuple(_decoded_share(share) for share in item))


def _decoded_share(item: RlpItem) -> int:
    if not isinstance(item, bytes) or len(item) != SHARE_BYTES:
        raise InvalidInput("a share has 32 bytes")
    share = int.from_bytes(item, "big")
    if not 0 < share < bls.ORDER:
        raise InvalidInput("a share is from 1 to the order of the groups less 1")
    return share
