"""What the contract takes beside a proof, against an independent implementation of the curve."""

from __future__ import annotations

import pytest
from py_arkworks_bls12381 import G1Point, G2Point

from chainstack_sdk.cspv.evm import contract_source, evm_arguments, evm_key
from chainstack_sdk.primitives import InvalidInput, bls

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def proof_with(signature: bytes) -> bytes:
    return bytes(155) + signature + bytes(6)


@pytest.mark.parametrize("number", range(1, 9))
def test_both_coordinates_of_signatures(number: int) -> None:
    signature = bls.sign(number, b"block", bls.FINALITY_DOMAIN)
    proof, y = evm_arguments(proof_with(signature))
    assert proof == proof_with(signature)
    assert y == bytes(G1Point.from_compressed_bytes(signature).to_xy_bytes_be())[48:]
    negated = bytes([signature[0] ^ 0x20]) + signature[1:]
    _, other = evm_arguments(proof_with(negated))
    assert int.from_bytes(y, "big") + int.from_bytes(other, "big") == P


@pytest.mark.parametrize("number", range(1, 9))
def test_all_coordinates_of_keys(number: int) -> None:
    key = bls.public_key(number)
    plain = bytes(G2Point.from_compressed_bytes(key).to_xy_bytes_be())
    assert evm_key(key) == b"".join(bytes(16) + plain[at : at + 48] for at in range(0, 192, 48))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(48),
        b"\xc0" + bytes(47),
        b"\x80" + bytes(46) + b"\x01",  # 1 + 4 is no square
        bls.sign(1, b"block", bls.FINALITY_DOMAIN)[:-7],
    ],
)
def test_what_is_no_signature(signature: bytes) -> None:
    with pytest.raises(InvalidInput):
        evm_arguments(bytes(155) + signature)


def off_the_curve() -> list[bytes]:
    """Keys whose x is small: squares of both kinds and what has no root."""
    return [
        b"\x80" + bytes(46) + bytes([high]) + bytes(47) + bytes([low])
        for high in range(3)
        for low in range(9)
    ]


def test_points_of_the_curve_are_told_from_others() -> None:
    """The group is for the contract's constructor to check; here it is the curve that counts."""
    refused = 0
    for key in off_the_curve():
        try:
            told = evm_key(key)
        except InvalidInput:
            refused += 1
            continue
        c0, c1, y0, y1 = (int.from_bytes(told[at : at + 64], "big") for at in range(0, 256, 64))
        square = (c0 * c0 - c1 * c1, 2 * c0 * c1)
        cube = (square[0] * c0 - square[1] * c1 + 4, square[0] * c1 + square[1] * c0 + 4)
        assert ((y0 * y0 - y1 * y1 - cube[0]) % P, (2 * y0 * y1 - cube[1]) % P) == (0, 0)
    assert 0 < refused < len(off_the_curve())


@pytest.mark.parametrize(
    "key",
    [
        b"",
        bytes(96),
        b"\xc0" + bytes(95),
        bls.public_key(1)[:-1],
        bytes([0x80 | P >> 376]) + (P & ((1 << 376) - 1)).to_bytes(47, "big") + bytes(48),
    ],
)
def test_what_is_no_key(key: bytes) -> None:
    with pytest.raises(InvalidInput):
        evm_key(key)


def test_the_source_comes_with_the_library() -> None:
    assert contract_source().startswith("# pragma version ~=0.4.3\n")
