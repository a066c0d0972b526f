"""Envelopes: against another implementation, and everything that does not open."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from nacl import bindings

from chainstack_sdk.primitives.envelope import OVERHEAD_BYTES, open_key, seal
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

SEED = b"receiver".ljust(32)
KEY = open_key(SEED)
CONTEXT = b"for whom and what"
SEALED = seal(KEY.public, b"secret share", CONTEXT, b"sender".ljust(32))


def test_what_is_sealed_opens() -> None:
    assert KEY.open(SEALED, CONTEXT) == b"secret share"
    assert len(SEALED) == len(b"secret share") + OVERHEAD_BYTES
    assert open_key(SEED).open(SEALED, CONTEXT) == b"secret share"
    assert KEY.open(seal(KEY.public, b"", b"", b"sender".ljust(32)), b"") == b""


def test_another_implementation_opens_it() -> None:
    secret = keccak256(b"chainstack envelope receiver" + SEED)
    assert bindings.crypto_scalarmult_base(secret) == KEY.public
    shared = bindings.crypto_scalarmult(secret, SEALED[:32])
    extracted = hmac.digest(bytes(32), shared, sha256)
    info = b"chainstack key envelope" + SEALED[:32] + KEY.public
    key = hmac.digest(extracted, info + b"\1", sha256)
    opened = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(SEALED[32:], CONTEXT, bytes(12), key)
    assert opened == b"secret share"


def test_no_byte_may_differ() -> None:
    """Nor the bit of the public key that X25519 ignores: the key of the cipher follows from it too."""
    for position in range(len(SEALED)):
        for flip in (1, 0x80):
            damaged = bytearray(SEALED)
            damaged[position] ^= flip
            with pytest.raises(InvalidInput):
                KEY.open(bytes(damaged), CONTEXT)


def test_only_the_receiver_and_the_context() -> None:
    with pytest.raises(InvalidInput, match="another key or context"):
        open_key(b"another".ljust(32)).open(SEALED, CONTEXT)
    with pytest.raises(InvalidInput, match="another key or context"):
        KEY.open(SEALED, b"another context")


@pytest.mark.parametrize("size", [0, 1, 32, 47])
def test_short_ones_are_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match="at least 48 bytes"):
        KEY.open(SEALED[:size], CONTEXT)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32), b"\1" + bytes(31)])
def test_keys_that_are_none(public: bytes) -> None:
    with pytest.raises(InvalidInput, match="no public key"):
        seal(public, b"secret", CONTEXT, SEED)
    if len(public) == 32:
        with pytest.raises(InvalidInput, match="no public key"):
            KEY.open(public + SEALED[32:], CONTEXT)


def test_no_key_seals_two_texts() -> None:
    seed = b"one seed for all".ljust(32)
    sealed = {
        seal(public, text, context, seed)[:32]
        for public in (KEY.public, open_key(b"another".ljust(32)).public)
        for text in (b"a", b"b", b"ab")
        for context in (b"", b"a")
    }
    assert len(sealed) == 12
    assert seal(KEY.public, b"a", b"", seed) == seal(KEY.public, b"a", b"", seed)
    assert seal(KEY.public, b"a", b"", seed) != seal(KEY.public, b"a", b"", b"other".ljust(32))


def test_seeds_have_32_bytes() -> None:
    with pytest.raises(UsageError):
        open_key(bytes(31))
    with pytest.raises(UsageError):
        seal(KEY.public, b"", b"", bytes(31))
    assert not hasattr(KEY, "__dict__")
