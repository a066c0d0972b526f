"""Polynomials: values, images, and what an image cannot be."""

from __future__ import annotations

import pytest
from py_arkworks_bls12381 import G2Point, Scalar

from chainstack_sdk.consensus.chainkey.polynomial import (
    MAX_THRESHOLD,
    PublicPolynomial,
    SecretPolynomial,
    combine_public,
)
from chainstack_sdk.primitives.bls import ORDER, public_key
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

SECRET = SecretPolynomial((5, 7, 11))
PUBLIC = SECRET.public()


def test_values() -> None:
    assert [SECRET.at(x) for x in (0, 1, 2, 100)] == [5, 23, 63, 5 + 700 + 110_000]
    assert SecretPolynomial((ORDER - 1, 1)).at(1) == 0


def test_the_image_has_the_public_keys_of_the_values() -> None:
    assert PUBLIC.threshold == 3
    assert PUBLIC.key == public_key(5)
    for place in (1, 2, 3, 7, 64, 1_000, 1_000_000):
        theirs = G2Point() * Scalar(SECRET.at(place))
        assert PUBLIC.at(place) == bytes(theirs.to_compressed_bytes())
        assert PUBLIC.point_at(place).compress() == PUBLIC.at(place)
    assert SecretPolynomial((9,)).public().at(4) == public_key(9)


def test_only_the_value_is_a_share() -> None:
    assert PUBLIC.is_share(2, 63)
    for share in (0, -63, 62, 64, 63 + ORDER, ORDER, 2**300):
        assert not PUBLIC.is_share(2, share)
    assert not PUBLIC.is_share(3, 63)
    assert not SecretPolynomial((ORDER - 1, 1)).public().is_share(1, 0)


def test_many_shares_are_checked_together() -> None:
    right = {place: SECRET.at(place) for place in (1, 2, 4, 9)}
    for chosen in ({9: right[9]}, right):
        assert PUBLIC.are_shares(chosen, b"seed")
        for place in chosen:
            assert not PUBLIC.are_shares({**chosen, place: right[place] + 1}, b"seed")
    swapped = {1: right[2], 2: right[1]}
    shifted = {1: right[1] + 1, 2: right[2] - 1}
    for wrong in (swapped, shifted):
        assert sum(wrong.values()) == right[1] + right[2]
        assert not PUBLIC.are_shares(wrong, b"seed")


def test_a_seed_gives_one_polynomial() -> None:
    first = SecretPolynomial.from_seed(bytes(32), 4)
    assert first.coefficients == SecretPolynomial.from_seed(bytes(32), 4).coefficients
    assert len(set(first.coefficients)) == 4
    assert all(0 < coefficient < ORDER for coefficient in first.coefficients)
    given = SecretPolynomial.from_seed(bytes(32), 4, 42)
    assert given.at(0) == 42
    assert given.coefficients[1:] == first.coefficients[1:]
    assert set(SecretPolynomial.from_seed(b"\1" * 32, 4).coefficients).isdisjoint(first.coefficients)


def test_encoding() -> None:
    data = PUBLIC.encode()
    assert data == b"".join(map(public_key, (5, 7, 11)))
    again = PublicPolynomial.decode(data)
    assert again == PUBLIC
    assert hash(again) == hash(PUBLIC)
    assert again.at(9) == PUBLIC.at(9)
    assert again != SecretPolynomial((5, 7, 12)).public()
    assert again != data
    assert len(again.points) == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PUBLIC.encode()[:-1],
        PUBLIC.encode() + b"\0",
        PUBLIC.encode()[1:] + b"\0",
        PUBLIC.encode()[:96] + b"\xc0" + bytes(95),
        b"\xc0" + bytes(95),
        PUBLIC.encode()[:96] * (MAX_THRESHOLD + 1),
    ],
)
def test_what_is_no_row_of_points(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        PublicPolynomial.decode(data)


def test_weighted_sums() -> None:
    other = SecretPolynomial((1, 2, 3))
    total = combine_public([(PUBLIC, 1), (other.public(), ORDER - 2)])
    assert total == SecretPolynomial((3, 3, 5)).public()
    assert combine_public([(PUBLIC, 1)]) == PUBLIC
    assert combine_public([(PUBLIC, 4 + ORDER)]) == SecretPolynomial((20, 28, 44)).public()


def test_sums_that_are_none() -> None:
    for coefficients in ((-5 % ORDER, 1, 1), (1, 1, -11 % ORDER)):
        with pytest.raises(InvalidInput, match="is the identity"):
            combine_public([(PUBLIC, 1), (SecretPolynomial(coefficients).public(), 1)])
    with pytest.raises(UsageError):
        combine_public([])
    with pytest.raises(UsageError):
        combine_public([(PUBLIC, 1), (SecretPolynomial((1, 2)).public(), 1)])
