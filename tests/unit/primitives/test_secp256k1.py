import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from chainstack_sdk.primitives import UsageError, _secp256k1

SECRET = bytes(31) + b"\x2a"
DIGEST = bytes(range(32))


def test_coincurve_is_preferred():
    open_key, _ = _secp256k1._load()
    assert "_coincurve" in open_key.__qualname__


def test_the_alternative_gives_the_same(monkeypatch):
    public, sign = _secp256k1.open_key(SECRET)
    monkeypatch.setitem(sys.modules, "coincurve", None)
    open_key, recover = _secp256k1._load()
    assert "_btclib" in open_key.__qualname__
    other_public, other_sign = open_key(SECRET)
    signature = other_sign(DIGEST)
    assert (other_public, signature) == (public, sign(DIGEST))
    assert recover(DIGEST, signature) == public
    for broken in (signature[:64], bytes(65), signature[:64] + b"\4", b"\xff" * 64 + b"\0"):
        for recover_it in (recover, _secp256k1.recover):
            with pytest.raises(ValueError):
                recover_it(DIGEST, broken)


@pytest.fixture
def both(monkeypatch):
    """coincurve's recovery, straight into the library and through its own layers."""
    straight = _secp256k1._coincurve()[1]
    monkeypatch.setitem(sys.modules, "coincurve._libsecp256k1", None)
    layered = _secp256k1._coincurve()[1]
    assert "_straight" in straight.__qualname__
    assert "_straight" not in layered.__qualname__
    return straight, layered


def test_straight_and_layered_recovery_agree(both):
    public, sign = _secp256k1.open_key(SECRET)
    for number in range(50):
        digest = number.to_bytes(32, "big")
        signature = sign(digest)
        for recover in both:
            assert recover(digest, signature) == public
            other = recover(digest, signature[:64] + bytes((signature[64] ^ 1,)))
            assert len(other) == 64
            assert other != public


@pytest.mark.parametrize(
    ("digest", "signature"),
    [
        (DIGEST, bytes(65)),
        (DIGEST, b"\xff" * 64 + b"\0"),
        (DIGEST, bytes(31) + b"\1" + bytes(31) + b"\1\4"),
        (DIGEST, bytes(31) + b"\1" + bytes(31) + b"\1"),
        (DIGEST, bytes(31) + b"\1" + bytes(31) + b"\1\0\0"),
        (DIGEST, bytes(31) + b"\5" + bytes(31) + b"\1\0"),
        (DIGEST[:31], bytes(31) + b"\1" + bytes(31) + b"\1\0"),
        (DIGEST + b"\0", bytes(31) + b"\1" + bytes(31) + b"\1\0"),
        (b"", b""),
    ],
    ids=[
        "zero",
        "too large",
        "recovery id",
        "short",
        "long",
        "no such point",
        "digest",
        "long digest",
        "empty",
    ],
)
def test_straight_and_layered_recovery_refuse_the_same(both, digest, signature):
    for recover in both:
        with pytest.raises(ValueError):
            recover(digest, signature)


def test_straight_recovery_in_threads():
    public, sign = _secp256k1.open_key(SECRET)
    requests = [(digest, sign(digest)) for digest in (number.to_bytes(32, "big") for number in range(400))]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda request: _secp256k1.recover(*request), requests)) == {public}


def test_none_at_all(monkeypatch):
    for name in ("coincurve", "btclib_secp256k1.keys"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="coincurve"):
        _secp256k1._load()
