"""Polynomials behind a shared key: the secret one, and its image in G2 that everybody may see.

A key with threshold ``t`` is the value at 0 of a polynomial of degree ``t - 1`` modulo the order of the
groups; the share at place ``x``, from 1, is its value at ``x``. The public polynomial has the multiples of
G2's generator by the coefficients: its value at 0 is the key, at ``x`` the public key of the share there
(Feldman, FOCS 1987).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.bls import (
    INFINITY_FLAG,
    ORDER,
    PUBLIC_KEY_BYTES,
    decode_g2,
    g2_multiple,
    public_key,
    secret_from,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.primitives.bls import Point

MAX_THRESHOLD = 2_048
"""More coefficients than committees of the largest size have use for."""
_COEFFICIENT_DOMAIN = b"chainstack polynomial"
_WEIGHT_DOMAIN = b"chainstack key weight"
_WEIGHT_BYTES = 16


class SecretPolynomial:
    """A polynomial modulo the group order, made by whoever deals out shares of its value at 0.

    Parameters
    ----------
    coefficients
        The lowest first; the last is not 0.
    """

    __slots__ = ("coefficients",)

    def __init__(self, coefficients: Sequence[int]) -> None:
        self.coefficients = tuple(coefficients)

    @classmethod
    def from_seed(cls, seed: bytes, threshold: int, secret: int | None = None) -> SecretPolynomial:
        """Return the polynomial that follows from a seed of at least 32 random bytes.

        Parameters
        ----------
        threshold
            How many of its values determine it.
        secret
            Its value at 0; by default that follows from the seed too.
        """
        drawn = [
            secret_from(_COEFFICIENT_DOMAIN, seed + power.to_bytes(2, "big")) for power in range(threshold)
        ]
        return cls(drawn if secret is None else [secret, *drawn[1:]])

    def at(self, place: int) -> int:
        """Return the value at a place: the share there, or the secret at 0."""
        value = 0
        for coefficient in reversed(self.coefficients):
            value = (value * place + coefficient) % ORDER
        return value

    def public(self) -> PublicPolynomial:
        """Return its image in G2."""
        return PublicPolynomial([g2_multiple(coefficient) for coefficient in self.coefficients])


class PublicPolynomial:
    """The image of a secret polynomial in G2; immutable.

    Parameters
    ----------
    points
        One for each coefficient, the lowest first.
    """

    __slots__ = ("_encoded", "_keys", "_points")

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = tuple(points)
        self._encoded = b"".join(point.compress() for point in points)
        self._keys: dict[int, bytes] = {}

    @property
    def threshold(self) -> int:
        """How many shares sign: the number of coefficients."""
        return len(self._points)

    @property
    def points(self) -> tuple[Point, ...]:
        """One for each coefficient, the lowest first."""
        return self._points

    @property
    def key(self) -> bytes:
        """The public key, 96 bytes: the value at 0."""
        return self._encoded[:PUBLIC_KEY_BYTES]

    def point_at(self, place: int) -> Point:
        """Return the value at a place from 1."""
        value = self._points[-1]
        for point in reversed(self._points[:-1]):
            value = _small_multiple(value, place) + point
        return value

    def at(self, place: int) -> bytes:
        """Return the public key, 96 bytes, of the share at a place from 1; kept once computed."""
        key = self._keys.get(place)
        if key is None:
            key = self._keys[place] = self.point_at(place).compress()
        return key

    def is_share(self, place: int, share: int) -> bool:
        """Tell whether a number is the share at a place."""
        return 0 < share < ORDER and g2_multiple(share).compress() == self.at(place)

    def are_shares(self, shares: Mapping[int, int], seed: bytes) -> bool:
        """Tell whether all of some numbers, at least one, are the shares at their places.

        Compares weighted sums: of the numbers, and of the values of the polynomial. The first weight is 1,
        the others are hashes, so whoever wants wrong numbers to pass has to find a seed for which their
        errors cancel: of 2^128 one does.

        Parameters
        ----------
        shares
            By place, each from 1 to the order less 1.
        seed
            A hash of everything that is compared.
        """
        sums = [0] * len(self._points)
        total = 0
        for number, (place, share) in enumerate(shares.items()):
            term = _weight(seed, number) if number else 1
            total += term * share
            for power in range(len(sums)):
                sums[power] += term
                term = term * place % ORDER
        terms = [point.scalar_mul(factor % ORDER) for point, factor in zip(self._points, sums, strict=True)]
        return _sum(terms).compress() == public_key(total)

    def encode(self) -> bytes:
        """Return the points, compressed, the lowest coefficient's first: 96 bytes each."""
        return self._encoded

    @classmethod
    def decode(cls, data: bytes) -> PublicPolynomial:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is not a row of points of G2, or one of them is the identity: then the degree may be
            another than it seems.
        """
        if not data or len(data) % PUBLIC_KEY_BYTES or len(data) > MAX_THRESHOLD * PUBLIC_KEY_BYTES:
            raise InvalidInput("a public polynomial is a row of points", actual=len(data))
        starts = range(0, len(data), PUBLIC_KEY_BYTES)
        return cls([decode_g2(data[start : start + PUBLIC_KEY_BYTES]) for start in starts])

    def __eq__(self, other: object) -> bool:
        """Compare the points."""
        return isinstance(other, PublicPolynomial) and self._encoded == other._encoded

    def __hash__(self) -> int:
        """Hash the points."""
        return hash(self._encoded)


def combine_public(parts: Sequence[tuple[PublicPolynomial, int]]) -> PublicPolynomial:
    """Return the sum of polynomials of one threshold, each times a weight.

    Raises
    ------
    UsageError
        When there are none, or they have several thresholds.
    InvalidInput
        When a coefficient of the sum is the identity, which happens by intent only.
    """
    if len({polynomial.threshold for polynomial, _ in parts}) != 1:
        raise UsageError("polynomials of one threshold have a sum", actual=len(parts))
    columns = zip(*(polynomial.points for polynomial, _ in parts), strict=True)
    weights = [weight for _, weight in parts]
    summed = []
    for column in columns:
        terms = [
            point if weight == 1 else point.scalar_mul(weight % ORDER)
            for point, weight in zip(column, weights, strict=True)
        ]
        summed.append(_sum(terms))
    polynomial = PublicPolynomial(summed)
    if any(flags & INFINITY_FLAG for flags in polynomial.encode()[::PUBLIC_KEY_BYTES]):
        raise InvalidInput("a coefficient of a sum of polynomials is the identity")
    return polynomial


def _sum(points: Sequence[Point]) -> Point:
    total = points[0]
    for point in points[1:]:
        total = total + point
    return total


def _weight(seed: bytes, number: int) -> int:
    digest = keccak256(_WEIGHT_DOMAIN + seed + number.to_bytes(4, "big"))
    return int.from_bytes(digest[:_WEIGHT_BYTES], "big")


def _small_multiple(point: Point, factor: int) -> Point:
    """Multiply by a small positive number, by doubling and adding: many times faster than for a large one."""
    total = point
    for bit in bin(factor)[3:]:
        total = total + total
        if bit == "1":
            total = total + point
    return total
