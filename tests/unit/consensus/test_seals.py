"""The seal of a committee block: one encoding, nothing else accepted."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.primitives import InvalidInput, rlp_encode

PROOF = bytes(range(80))


@pytest.mark.parametrize(
    ("seal", "items"),
    [
        (CommitteeSeal(b"certificate"), [b"certificate", b"", b""]),
        (CommitteeSeal(b"certificate", PROOF), [b"certificate", PROOF, b""]),
        (CommitteeSeal(b"", PROOF, 0), [b"", PROOF, bytes(8)]),
        (CommitteeSeal(b"c", PROOF, 2**64 - 1), [b"c", PROOF, b"\xff" * 8]),
    ],
)
def test_there_and_back(seal, items):
    assert seal.encode() == rlp_encode(items)
    assert CommitteeSeal.decode(seal.encode()) == seal


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        rlp_encode([]),
        rlp_encode([b"c", b""]),
        rlp_encode([b"c", b"", b"", b""]),
        rlp_encode([[b"c"], b"", b""]),
        rlp_encode([b"c", b"", b"\x01"]),
        rlp_encode([b"c", b"", bytes(9)]),
        rlp_encode([b"c", PROOF[1:], b""]),
        CommitteeSeal(b"c", PROOF).encode() + b"\0",
        CommitteeSeal(b"c", PROOF).encode()[:-1],
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(InvalidInput):
        CommitteeSeal.decode(data)


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_has_64_bits(nonce):
    with pytest.raises(InvalidInput, match="nonce"):
        CommitteeSeal(b"c", PROOF, nonce)
