"""Dealing: what a dealer does with its share of a key, or with chance alone when a key is generated.

The polynomial follows from a seed, the ceremony and the dealer's place, so a dealer that restarts deals the
same again. The seed must be on disk before anything made of it is sent: players who signed for one polynomial
do not sign for another.

**Caveats.** Whoever learns a seed knows the polynomial, hence the dealer's share: seeds are as secret as
shares, and are erased with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.log import (
    Ack,
    DealerLog,
    Reveal,
    log_digest,
    possession_message,
)
from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial

_DEALING_DOMAIN = b"chainstack key dealing"
_SEED_BYTES = 32


def deal(
    ceremony: Ceremony, place: int, seed: bytes, share: int | None
) -> tuple[SecretPolynomial, PublicPolynomial, bytes]:
    """Return the dealing of a place: the polynomial, its image, and the proof of possession.

    Parameters
    ----------
    place
        The seat dealt from, from 1.
    seed
        At least 32 random bytes, known to nobody else.
    share
        The key's share at the place; None in a generation.

    Returns
    -------
    polynomial
        Its value at a place of the players is what that seat is dealt.
    commitments
        Its image in G2, for everybody.
    possession
        48 bytes in a generation, otherwise none; see :mod:`~chainstack_sdk.consensus.chainkey.log`.

    Raises
    ------
    UsageError
        When no dealer has the place, the seed is short, or the share is not the one of that place, missing,
        or given in a generation.
    """
    if not 1 <= place <= ceremony.dealer_seats.total:
        raise UsageError("no dealer has that place", expected=ceremony.dealer_seats.total, actual=place)
    if len(seed) < _SEED_BYTES:
        raise UsageError("a seed has at least 32 bytes", actual=len(seed))
    if (share is None) != ceremony.is_generation:
        raise UsageError("a share is dealt in a resharing, and none in a generation", place=place)
    own_seed = keccak256(_DEALING_DOMAIN + ceremony.hash + place.to_bytes(4, "big") + seed)
    polynomial = SecretPolynomial.from_seed(own_seed, ceremony.threshold, share)
    commitments = polynomial.public()
    if ceremony.previous is None:
        message = possession_message(ceremony, place, commitments.key)
        return polynomial, commitments, bls.sign(polynomial.at(0), message, bls.POSSESSION_DOMAIN)
    if commitments.key != ceremony.previous.at(place):
        raise UsageError("the share is not that of the place", place=place)
    return polynomial, commitments, b""


def shares_for(ceremony: Ceremony, polynomial: SecretPolynomial, index: int) -> tuple[int, ...]:
    """Return what a player, by index, is dealt: one share for each of its seats, in the order of places."""
    return tuple(polynomial.at(place) for place in ceremony.player_seats.places(index))


def close_log(
    ceremony: Ceremony,
    place: int,
    dealing: tuple[SecretPolynomial, PublicPolynomial, bytes],
    acks: Mapping[int, bytes],
    sign: Callable[[bytes], bytes],
) -> DealerLog | None:
    """Return the log of a dealing, or None when it would reveal too much.

    Parameters
    ----------
    dealing
        What :func:`deal` gave for the place.
    acks
        The players' signatures, 65 bytes each, by index: checked, and only of players who have a seat. The
        shares of all others become public.
    sign
        Signs a digest of 32 bytes with the dealer's account: 65 bytes.
    """
    polynomial, commitments, possession = dealing
    results = tuple(
        Ack(acks[index]) if index in acks else Reveal(shares_for(ceremony, polynomial, index))
        for index in range(len(ceremony.players))
    )
    revealed = sum(len(result.shares) for result in results if isinstance(result, Reveal))
    if revealed > ceremony.reveal_limit:
        return None
    digest = log_digest(ceremony, place, commitments, possession, results)
    return DealerLog(place, commitments, possession, results, sign(digest))
