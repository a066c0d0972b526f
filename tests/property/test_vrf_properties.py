"""Verifiable randomness: round trips, every kind of damage, and an independent verifier.

The second half verifies proofs with the curve's arithmetic in plain integers (RFC 8032, section 5.1), and
nothing of libsodium.
"""

from __future__ import annotations

from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.consensus.beacon import encode_seed_proof, parse_seed_proof, seed_alpha, verify_seed
from chainstack_sdk.consensus.vrf import VrfKey, vrf_output, vrf_verify
from chainstack_sdk.primitives.errors import InvalidInput

secrets = st.binary(min_size=32, max_size=32)
inputs = st.binary(max_size=100)


@given(secrets, inputs)
def test_what_is_proven_is_verified(secret: bytes, alpha: bytes) -> None:
    key = VrfKey(secret)
    proof = key.prove(alpha)
    assert VrfKey(secret).prove(alpha) == proof
    assert vrf_verify(key.public, alpha, proof) == vrf_output(proof)


@given(secrets, inputs.filter(bool), st.data())
def test_a_flipped_bit_is_refused(secret: bytes, alpha: bytes, data: st.DataObject) -> None:
    key = VrfKey(secret)
    parts = [key.public, alpha, key.prove(alpha)]
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    damaged = bytearray(parts[which])
    damaged[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(damaged)
    with pytest.raises(InvalidInput):
        vrf_verify(*parts)


def test_every_flipped_bit_of_a_proof_is_refused() -> None:
    key = VrfKey(bytes(range(32)))
    proof = int.from_bytes(key.prove(b"alpha"), "big")
    for bit in range(8 * 80):
        with pytest.raises(InvalidInput):
            vrf_verify(key.public, b"alpha", (proof ^ 1 << bit).to_bytes(80, "big"))


@given(st.binary(max_size=40), inputs, st.one_of(st.binary(max_size=90), st.binary(min_size=80, max_size=80)))
def test_arbitrary_bytes_are_refused(public: bytes, alpha: bytes, proof: bytes) -> None:
    with pytest.raises(InvalidInput):
        vrf_verify(public, alpha, proof)


@given(st.integers(0, 5), st.integers(0, 2**64 - 1), secrets)
def test_seeds_follow_from_the_proof_of_the_member_it_names(index: int, height: int, seed: bytes) -> None:
    members = [VrfKey(bytes([number]) * 32) for number in range(6)]
    proof = encode_seed_proof(index, members[index].prove(seed_alpha(1, height, seed)))
    assert parse_seed_proof(proof)[0] == index
    keys = [member.public for member in members]
    after = verify_seed(proof, chain_id=1, height=height, parent_seed=seed, vrf_keys=keys)
    assert len(after) == 32
    assert after != seed
    with pytest.raises(InvalidInput):
        verify_seed(proof, chain_id=2, height=height, parent_seed=seed, vrf_keys=keys)


# An independent verifier

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def added(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def times(number: int, point: Point) -> Point:
    result = NEUTRAL
    while number:
        if number & 1:
            result = added(result, point)
        point, number = added(point, point), number >> 1
    return result


def encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    if y >= P:
        return None
    squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if x * x % P != squared:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != squared or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def mapped(public: bytes, alpha: bytes) -> Point:
    for counter in range(256):
        digest = sha512(b"\3\1" + public + alpha + bytes([counter, 0])).digest()[:32]
        point = decoded(digest)
        if point is not None and times(8, point) != NEUTRAL:
            return times(8, point)
    raise AssertionError("no point")


def independently_verified(public: bytes, alpha: bytes, proof: bytes) -> bytes:
    key, gamma = decoded(public), decoded(proof[:32])
    assert BASE is not None
    assert key is not None
    assert gamma is not None
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    h = mapped(public, alpha)
    u = added(times(s, BASE), times(Q - c, key))
    v = added(times(s, h), times(Q - c, gamma))
    points = b"".join(map(encoded, (key, h, gamma, u, v)))
    assert sha512(b"\3\2" + points + b"\0").digest()[:16] == proof[32:48]
    return sha512(b"\3\3" + encoded(times(8, gamma)) + b"\0").digest()


@settings(max_examples=8)
@given(secrets, inputs)
def test_plain_arithmetic_comes_to_the_same(secret: bytes, alpha: bytes) -> None:
    key = VrfKey(secret)
    proof = key.prove(alpha)
    assert independently_verified(key.public, alpha, proof) == vrf_verify(key.public, alpha, proof)
