"""Signatures of validators: one for each message, and nobody's for the rest."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft import scheme as module
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account, N, recover

ALICE = Account.from_key(b"\x11" * 32)
DIGEST = keccak256(b"what is signed")
GOOD = ALICE.sign(DIGEST)


def high_s(signature: bytes) -> bytes:
    """Return the other signature that ECDSA accepts for the same message."""
    s = N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([signature[64] ^ 1])


def test_the_signer_is_found() -> None:
    scheme = Secp256k1Scheme()
    assert scheme.signer(DIGEST, GOOD) == ALICE.address
    assert scheme.signer(keccak256(b"something else"), GOOD) != ALICE.address


def test_the_malleated_twin_is_one_that_recovers() -> None:
    assert recover(DIGEST, high_s(GOOD)) == ALICE.address


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("empty", b""),
        ("short", GOOD[:64]),
        ("long", GOOD + b"\0"),
        ("v of 27", GOOD[:64] + bytes([GOOD[64] + 27])),
        ("v of 2", GOOD[:64] + b"\2"),
        ("high s", high_s(GOOD)),
        ("r of zero", bytes(32) + GOOD[32:]),
        ("r too large", N.to_bytes(32, "big") + GOOD[32:]),
        ("s of zero", GOOD[:32] + bytes(32) + GOOD[64:]),
    ],
)
def test_nobody_signed(name: str, signature: bytes) -> None:
    assert Secp256k1Scheme().signer(DIGEST, signature) is None


def test_many_at_once() -> None:
    bob = Account.from_key(b"\x22" * 32)
    requests = [(DIGEST, bob.sign(DIGEST)), (DIGEST, b""), (DIGEST, GOOD)]
    assert Secp256k1Scheme().signers(requests) == [bob.address, None, ALICE.address]


def test_answers_are_remembered_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    recoveries = 0

    def counted(digest: bytes, signature: bytes) -> bytes:
        nonlocal recoveries
        recoveries += 1
        return recover(digest, signature)

    monkeypatch.setattr(module, "recover", counted)
    scheme = Secp256k1Scheme(remembered=2)
    digests = [keccak256(bytes([number])) for number in range(6)]
    for digest in digests[:2] * 3:
        assert scheme.signer(digest, ALICE.sign(digest)) == ALICE.address
    assert recoveries == 2
    scheme.signer(digests[2], ALICE.sign(digests[2]))
    scheme.signer(digests[0], ALICE.sign(digests[0]))  # still there, among the older ones
    assert recoveries == 3
    for digest in digests[3:]:
        scheme.signer(digest, ALICE.sign(digest))
    assert recoveries == 6
    scheme.signer(digests[1], ALICE.sign(digests[1]))
    assert recoveries == 7
    assert len(scheme._recent) + len(scheme._older) <= 4


def test_refusals_are_remembered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = Secp256k1Scheme()
    assert scheme.signer(DIGEST, bytes(65)) is None
    monkeypatch.setattr(module, "recover", None)
    assert scheme.signer(DIGEST, bytes(65)) is None
