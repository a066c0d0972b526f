"""BLS signatures: public vectors, two other implementations, and everything that is refused."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations

import pytest
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import compress_G1, decompress_G1
from py_ecc.optimized_bls12_381 import add, field_modulus, is_inf, multiply

from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

SECRET = bls.secret_from(b"test", bytes(32))
KEY = bls.public_key(SECRET)
SIGNATURE = bls.sign(SECRET, b"message", bls.FINALITY_DOMAIN)
QUUX = b"QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_"
DOMAINS = (bls.FINALITY_DOMAIN, bls.BEACON_DOMAIN, bls.HOLDERS_DOMAIN, bls.POSSESSION_DOMAIN)

# RFC 9380, appendix J.9.1: message and the point's x and y
HASHED = {
    b"": (
        "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1",
        "08ba738453bfed09cb546dbb0783dbb3a5f1f566ed67bb6be0e8c67e2e81a4cc68ee29813bb7994998f3eae0c9c6a265",
    ),
    b"abc": (
        "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903",
        "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229f2885d",
    ),
    b"abcdef0123456789": (
        "11e0b079dea29a68f0383ee94fed1b940995272407e3bb916bbf268c263ddd57a6a27200a784cbc248e84f357ce82d98",
        "03a87ae2caf14e8ee52e51fa2ed8eefe80f02457004ba4d486d6aa1f517c0889501dc7413753f9599b099ebcbbd2d709",
    ),
    b"q128_" + b"q" * 128: (
        "15f68eaa693b95ccb85215dc65fa81038d69629f70aeee0d0f677cf22285e7bf58d7cb86eefe8f2e9bc3f8cb84fac488",
        "1807a1d50c29f430b8cafc4f8638dfeeadf51211e1602a5f184443076715f91bb90a48ba1e370edce6ae1062f5e6dd38",
    ),
    b"a512_" + b"a" * 512: (
        "082aabae8b7dedb0e78aeb619ad3bfd9277a2f77ba7fad20ef6aabdc6c31d19ba5a6d12283553294c1825c4b3ca2dcfe",
        "05b84ae5a942248eea39e1d91030458c40153f3b654ab7872d779ad1e942856a20c438e8d99bc8abfbf74729ce1f7ac8",
    ),
}

# The public beacon "quicknet" of the League of Entropy, a threshold signature of the same suite
DRAND_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064"
    "510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
DRAND_ROUND = 1000
DRAND_SIGNATURE = bytes.fromhex(
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
DRAND_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def compressed(x: int, y: int) -> bytes:
    """The Zcash form of a point of G1."""
    larger = y > (field_modulus - 1) // 2
    return ((4 | larger) << 381 | x).to_bytes(48, "big")


def torsion() -> tuple:
    """A point of E(Fp) whose order divides the cofactor: it is in no pairing's kernel, and in no subgroup."""
    x = 1
    while True:
        try:
            point = multiply(decompress_G1(1 << 383 | x), bls.ORDER)
        except ValueError:
            point = None
        if point is not None and not is_inf(point):
            return point
        x += 1


def encoded(point: tuple) -> bytes:
    return compress_G1(point).to_bytes(48, "big")


# Vectors and other implementations ----------------------------------------------------------------------


@pytest.mark.parametrize("message", HASHED)
def test_messages_are_hashed_as_in_the_rfc(message: bytes) -> None:
    x, y = (int(coordinate, 16) for coordinate in HASHED[message])
    assert bls.sign(1, message, QUUX) == compressed(x, y)


def test_a_signature_of_a_public_beacon() -> None:
    message = sha256(DRAND_ROUND.to_bytes(8, "big")).digest()
    assert bls.verify(DRAND_KEY, message, DRAND_SIGNATURE, DRAND_DOMAIN)
    assert not bls.verify(DRAND_KEY, message, DRAND_SIGNATURE, bls.BEACON_DOMAIN)
    assert not bls.verify(DRAND_KEY, DRAND_ROUND.to_bytes(8, "big"), DRAND_SIGNATURE, DRAND_DOMAIN)


@pytest.mark.parametrize("domain", DOMAINS)
def test_hashing_equals_a_slow_implementation(domain: bytes) -> None:
    assert bls.sign(1, b"chain" + domain, domain) == encoded(hash_to_G1(b"chain" + domain, domain, sha256))


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 255, 256, 100_000])
@pytest.mark.parametrize("domain", DOMAINS)
def test_signatures_equal_those_of_another_implementation(size: int, domain: bytes) -> None:
    message = (bytes(range(256)) * (size // 256 + 1))[:size]
    secret = bls.secret_from(b"test", domain + size.to_bytes(32, "big"))
    signature, key = bls.sign(secret, message, domain), bls.public_key(secret)
    theirs = G1Point.hash_to_curve(message, domain) * Scalar(secret)
    assert signature == bytes(theirs.to_compressed_bytes())
    assert key == bytes((G2Point() * Scalar(secret)).to_compressed_bytes())
    assert bls.verify(key, message, signature, domain)
    hashed = G1Point.hash_to_curve(message, domain)
    ours = [G1Point.from_compressed_bytes(signature), hashed]
    assert GT.pairing_check(ours, [-G2Point(), G2Point.from_compressed_bytes(key)])


def test_keys_of_the_smallest_and_largest_secret() -> None:
    assert bls.public_key(1) == bytes(G2Point().to_compressed_bytes())
    assert bls.public_key(bls.ORDER - 1) == bytes((-G2Point()).to_compressed_bytes())
    for secret in (1, bls.ORDER - 1):
        signature = bls.sign(secret, b"", bls.BEACON_DOMAIN)
        assert bls.verify(bls.public_key(secret), b"", signature, bls.BEACON_DOMAIN)


def test_domains_differ() -> None:
    assert len({bls.sign(SECRET, b"one message", domain) for domain in DOMAINS}) == len(DOMAINS)
    assert all(domain.endswith(b"_BLS12381G1_XMD:SHA-256_SSWU_RO_") for domain in DOMAINS)


# What is refused ----------------------------------------------------------------------------------------


def test_only_the_very_message_key_and_domain() -> None:
    assert bls.verify(KEY, b"message", SIGNATURE, bls.FINALITY_DOMAIN)
    assert not bls.verify(KEY, b"Message", SIGNATURE, bls.FINALITY_DOMAIN)
    assert not bls.verify(bls.public_key(SECRET + 1), b"message", SIGNATURE, bls.FINALITY_DOMAIN)
    for domain in DOMAINS[1:]:
        assert not bls.verify(KEY, b"message", SIGNATURE, domain)


@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_no_byte_of_a_signature_may_differ(flip: int) -> None:
    for position in range(len(SIGNATURE)):
        damaged = bytearray(SIGNATURE)
        damaged[position] ^= flip
        assert not bls.verify(KEY, b"message", bytes(damaged), bls.FINALITY_DOMAIN)


def test_no_byte_of_a_key_may_differ() -> None:
    for position in range(len(KEY)):
        damaged = bytearray(KEY)
        damaged[position] ^= 1
        assert not bls.verify(bytes(damaged), b"message", SIGNATURE, bls.FINALITY_DOMAIN)


def test_the_negative_of_a_signature_is_none() -> None:
    negative = (-bls.decode_g1(SIGNATURE)).compress()
    assert negative[0] ^ SIGNATURE[0] == 0x20
    assert not bls.verify(KEY, b"message", negative, bls.FINALITY_DOMAIN)


def test_points_outside_the_subgroup_are_refused() -> None:
    small = torsion()
    shifted = encoded(add(decompress_G1(int.from_bytes(SIGNATURE, "big")), small))
    # A pairing alone would not notice: what is added has no part in the group that it looks at.
    loose = G1Point.from_compressed_bytes_unchecked(shifted)
    hashed = G1Point.hash_to_curve(b"message", bls.FINALITY_DOMAIN)
    assert GT.pairing_check([loose, hashed], [-G2Point(), G2Point.from_compressed_bytes(KEY)])
    assert not bls.verify(KEY, b"message", shifted, bls.FINALITY_DOMAIN)
    for data in (encoded(small), shifted):
        with pytest.raises(InvalidInput, match="not a point of the group"):
            bls.decode_g1(data)


def test_a_key_outside_the_subgroup_is_refused() -> None:
    found = 0
    for x in range(1, 30):
        data = b"\x80" + bytes(94) + bytes([x])
        try:
            point = G2Point.from_compressed_bytes_unchecked(data)
        except ValueError:
            continue
        found += not point.is_in_subgroup()
        with pytest.raises(InvalidInput, match="not a point of the group"):
            bls.decode_g2(data)
    assert found > 5


def test_the_identity_is_refused() -> None:
    for size, decode in ((48, bls.decode_g1), (96, bls.decode_g2)):
        for tail in (bytes(size - 1), b"\1" * (size - 1)):
            for flags in (0xC0, 0x40, 0xE0):
                with pytest.raises(InvalidInput, match="the identity"):
                    decode(bytes([flags]) + tail)
    nobody = b"\xc0" + bytes(95)
    assert not bls.verify(nobody, b"message", nobody[:48], bls.FINALITY_DOMAIN)
    assert not bls.verify(nobody, b"message", SIGNATURE, bls.FINALITY_DOMAIN)
    assert not bls.verify(KEY, b"message", nobody[:48], bls.FINALITY_DOMAIN)


def test_only_the_canonical_coordinate_is_taken() -> None:
    secret, x = 0, field_modulus
    while x + field_modulus >= 1 << 381:  # x is small enough for x + p to fit
        secret += 1
        data = bls.sign(secret, b"", bls.FINALITY_DOMAIN)
        x = int.from_bytes(data, "big") & (1 << 381) - 1
    strange = (int.from_bytes(data, "big") + field_modulus).to_bytes(48, "big")
    bls.decode_g1(data)
    with pytest.raises(InvalidInput, match="not a point of the group"):
        bls.decode_g1(strange)


def test_uncompressed_and_other_lengths_are_refused() -> None:
    for data, decode in ((SIGNATURE, bls.decode_g1), (KEY, bls.decode_g2)):
        assert decode(data).compress() == data
        with pytest.raises(InvalidInput, match="not a point of the group"):
            decode(bytes([data[0] & 0x7F]) + data[1:])
        for other in (b"", data[:-1], data + b"\0", data * 2, KEY if data == SIGNATURE else SIGNATURE):
            with pytest.raises(InvalidInput, match="another length"):
                decode(other)


@pytest.mark.parametrize("secret", [0, -1, bls.ORDER, bls.ORDER + 1])
def test_a_secret_is_within_its_range(secret: int) -> None:
    with pytest.raises(UsageError):
        bls.sign(secret, b"", bls.FINALITY_DOMAIN)


def test_secrets_follow_from_domain_and_seed() -> None:
    secrets = {
        bls.secret_from(domain, seed) for domain in (b"", b"a", b"ab") for seed in (b"bc" * 16, b"c" * 32)
    }
    assert len(secrets) == 6
    assert all(0 < secret < bls.ORDER for secret in secrets)
    assert bls.secret_from(b"a", b"bc") != bls.secret_from(b"ab", b"c")
    assert bls.secret_from(b"a", b"bc") == bls.secret_from(b"a", b"bc")


# Shares of a key ----------------------------------------------------------------------------------------


def parts_of(count: int) -> tuple[bytes, dict[int, bytes]]:
    """The key of 5 + 7 x + 11 x², and partial signatures of the places from 1."""
    parts = {
        x: bls.sign(5 + 7 * x + 11 * x * x, b"message", bls.FINALITY_DOMAIN) for x in range(1, count + 1)
    }
    return bls.public_key(5), parts


def test_any_threshold_of_parts_makes_the_one_signature() -> None:
    key, parts = parts_of(5)
    expected = bls.sign(5, b"message", bls.FINALITY_DOMAIN)
    for places in combinations(parts, 3):
        assert bls.combine({place: parts[place] for place in reversed(places)}) == expected
    assert bls.combine(parts) == expected
    assert bls.verify(key, b"message", expected, bls.FINALITY_DOMAIN)


def test_fewer_parts_or_parts_of_other_places_do_not_sign() -> None:
    key, parts = parts_of(4)
    for places in combinations(parts, 2):
        made = bls.combine({place: parts[place] for place in places})
        assert not bls.verify(key, b"message", made, bls.FINALITY_DOMAIN)
    moved = bls.combine({1: parts[1], 2: parts[2], 4: parts[3]})
    assert not bls.verify(key, b"message", moved, bls.FINALITY_DOMAIN)


def test_parts_that_cannot_be_combined() -> None:
    _, parts = parts_of(3)
    with pytest.raises(UsageError, match="no parts"):
        bls.combine({})
    with pytest.raises(InvalidInput, match="not a point"):
        bls.combine({1: parts[1], 2: b"\x80" + bytes(47)})
    # Shares on the line 4 (x - 0) have the value 0 at 0.
    line = {x: bls.sign(4 * x, b"message", bls.FINALITY_DOMAIN) for x in (1, 2)}
    with pytest.raises(InvalidInput, match="add up to the identity"):
        bls.combine(line)


def test_weights_add_up_to_any_polynomial_at_zero() -> None:
    places = (3, 1, 7, 20)
    weights = bls.lagrange_at_zero(places)
    for coefficients in ((9, 0, 0, 0), (1, 2, 3, 4), (0, 0, 0, 1)):
        values = [sum(c * x**power for power, c in enumerate(coefficients)) for x in places]
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        assert total % bls.ORDER == coefficients[0]


@pytest.mark.parametrize("places", [(0,), (1, 0), (2, 2), (1, bls.ORDER), (1, bls.ORDER + 1)])
def test_places_are_distinct_and_not_zero(places: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="different places"):
        bls.lagrange_at_zero(places)
