"""Signatures over the curve BLS12-381 whose keys can be shared out: what chain keys are made of.

Signatures are points of G1 (48 bytes), public keys points of G2 (96 bytes), both in the compressed form of
the Zcash specification, big-endian. A message is hashed to G1 as in RFC 9380, suite
``BLS12381G1_XMD:SHA-256_SSWU_RO_``; the domain in front keeps signatures for one purpose apart from all
others. That is the "minimal-signature-size" variant of draft-irtf-cfrg-bls-signature.

Every point that comes from outside enters by :func:`decode_g1` or :func:`decode_g2`, which refuse what is not
on the curve, not in the subgroup of prime order, not canonical, or the identity.

**Caveats.** Scalars pass through Python integers, whose arithmetic does not take constant time: whoever can
time a signer closely may learn something of its share.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha512
from typing import TYPE_CHECKING, Protocol, Self

from pyblst import BlstP1Element, BlstP2Element, final_verify, miller_loop

from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""The prime order of both groups; secrets are from 1 to this less 1."""
SIGNATURE_BYTES = 48
PUBLIC_KEY_BYTES = 96

_SUITE = b"_BLS12381G1_XMD:SHA-256_SSWU_RO_"
FINALITY_DOMAIN = b"CHAINSTACK-FINALITY-V1" + _SUITE
"""For a block's hash: the block is final."""
BEACON_DOMAIN = b"CHAINSTACK-BEACON-V1" + _SUITE
"""For a slot's number: where its randomness comes from."""
HOLDERS_DOMAIN = b"CHAINSTACK-HOLDERS-V1" + _SUITE
"""For the members who now hold a key's shares."""
POSSESSION_DOMAIN = b"CHAINSTACK-POSSESSION-V1" + _SUITE
"""For a public key itself: its maker knows the secret."""


class Point(Protocol):
    """A point of one of the groups."""

    def __add__(self, other: Self, /) -> Self:
        """Return the sum."""
        ...

    def __neg__(self) -> Self:
        """Return the inverse."""
        ...

    def scalar_mul(self, scalar: int, /) -> Self:
        """Return a multiple."""
        ...

    def compress(self) -> bytes:
        """Return the compressed form."""
        ...


INFINITY_FLAG = 0x40
"""Set in the first byte of the identity's compressed form, and of no other point's."""
_G2 = BlstP2Element.uncompress(
    bytes.fromhex(
        "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
    )
)


def decode_g1(data: bytes) -> Point:
    """Return the point of G1 that 48 bytes stand for.

    Raises
    ------
    InvalidInput
        When they stand for none, or for the identity.
    """
    return _decoded(BlstP1Element.uncompress, data, SIGNATURE_BYTES)


def decode_g2(data: bytes) -> Point:
    """Return the point of G2 that 96 bytes stand for.

    Raises
    ------
    InvalidInput
        When they stand for none, or for the identity.
    """
    return _decoded(BlstP2Element.uncompress, data, PUBLIC_KEY_BYTES)


def g2_multiple(scalar: int) -> Point:
    """Return a multiple of G2's generator: the public key of a secret."""
    point: Point = _G2.scalar_mul(scalar % ORDER)
    return point


def public_key(secret: int) -> bytes:
    """Return the public key of a secret, 96 bytes."""
    return g2_multiple(secret).compress()


def secret_from(domain: bytes, seed: bytes) -> int:
    """Return a secret that follows from a seed of at least 32 random bytes; other domains give others."""
    return 1 + int.from_bytes(sha512(bytes((len(domain),)) + domain + seed).digest(), "big") % (ORDER - 1)


def sign(secret: int, message: bytes, domain: bytes) -> bytes:
    """Return a signature, 48 bytes; there is only one for each key, message and domain.

    Raises
    ------
    UsageError
        When the secret is not from 1 to :data:`ORDER` less 1.
    """
    if not 0 < secret < ORDER:
        raise UsageError("a secret is from 1 to the order of the groups less 1")
    return _hashed(message, domain).scalar_mul(secret).compress()


def verify(key: bytes, message: bytes, signature: bytes, domain: bytes) -> bool:
    """Tell whether a signature is that of a message under a public key; any bytes will do.

    Costs one check of two pairings, one hash to the curve, and the decoding of a signature.
    """
    try:
        point, known = decode_g1(signature), _public_point(key)
    except InvalidInput:
        return False
    return bool(final_verify(miller_loop(point, _G2), miller_loop(_hashed(message, domain), known)))


def combine(parts: Mapping[int, bytes]) -> bytes:
    """Return what partial signatures make up, 48 bytes: the key's signature, if each of them is right.

    Parameters
    ----------
    parts
        As many as the threshold asks for, by the place of the share that made it, from 1.

    Raises
    ------
    InvalidInput
        When one is no point, or together they are the identity.
    UsageError
        When there are none, or a place is 0.
    """
    if not parts:
        raise UsageError("no signature is made of no parts")
    points = [decode_g1(part) for part in parts.values()]
    weighted = [
        point.scalar_mul(weight) for point, weight in zip(points, lagrange_at_zero(tuple(parts)), strict=True)
    ]
    total = weighted[0]
    for point in weighted[1:]:
        total = total + point
    signature = total.compress()
    if signature[0] & INFINITY_FLAG:
        raise InvalidInput("partial signatures add up to the identity")
    return signature


@lru_cache(maxsize=256)
def lagrange_at_zero(places: tuple[int, ...]) -> tuple[int, ...]:
    """Return by what each value of a polynomial counts towards its value at 0, modulo the order.

    Parameters
    ----------
    places
        Where the values are.

    Raises
    ------
    UsageError
        When two places are the same, or one is 0, modulo the order.
    """
    if len({0, *(place % ORDER for place in places)}) != len(places) + 1:
        raise UsageError("values of a polynomial are at different places, none of them 0", actual=places)
    product = 1
    for place in places:
        product = product * place % ORDER
    weights = []
    for place in places:
        divisor = place
        for other in places:
            if other != place:
                divisor = divisor * (other - place) % ORDER
        weights.append(product * pow(divisor, -1, ORDER) % ORDER)
    return tuple(weights)


def _decoded(uncompress: Callable[[bytes], Point], data: bytes, size: int) -> Point:
    if len(data) != size:
        raise InvalidInput("a compressed point has another length", expected=size, actual=len(data))
    if data[0] & INFINITY_FLAG:
        raise InvalidInput("the identity is nobody's key or signature", actual=data)
    try:
        return uncompress(data)
    except ValueError as error:
        raise InvalidInput("not a point of the group", actual=data) from error


@lru_cache(maxsize=256)
def _public_point(key: bytes) -> Point:
    return decode_g2(key)


@lru_cache(maxsize=64)
def _hashed(message: bytes, domain: bytes) -> Point:
    point: Point = BlstP1Element.hash_to_group(message, domain)
    return point
