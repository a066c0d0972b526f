import sys

import pytest

from chainstack_sdk.primitives import UsageError, _secp256k1

SECRET = bytes(31) + b"\x2a"
DIGEST = bytes(range(32))


def test_coincurve_is_preferred():
    open_key, _ = _secp256k1._load()
    assert "_coincurve" in open_key.__qualname__


def test_the_alternative_gives_the_same(monkeypatch):
    pytest.importorskip("btclib_secp256k1")
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


def test_none_at_all(monkeypatch):
    for name in ("coincurve", "btclib_secp256k1.keys"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="coincurve"):
        _secp256k1._load()
