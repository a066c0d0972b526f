import sys

import pytest

from chainstack_sdk.primitives import EMPTY_HASH, EMPTY_ROOT, UsageError, keccak, keccak256

# from the Keccak team's reference values for Keccak-256
KNOWN = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"The quick brown fox jumps over the lazy dog": (
        "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"
    ),
}


def test_known_hashes():
    assert {data: keccak256(data).hex() for data in KNOWN} == KNOWN


def test_constants():
    assert EMPTY_HASH.hex() == KNOWN[b""]
    assert EMPTY_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


def test_it_is_the_backend_itself():
    import tiny_keccak

    assert keccak256 is tiny_keccak.keccak256


@pytest.mark.parametrize("missing", [["tiny_keccak"], ["tiny_keccak", "sha3"]])
def test_fallbacks_agree(monkeypatch, missing):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "eth_hash.backends.pysha3", raising=False)
    import eth_hash.backends

    monkeypatch.delattr(eth_hash.backends, "pysha3", raising=False)
    fallback = keccak._backend()
    assert ("pysha3" in fallback.__self__.__class__.__module__) == (len(missing) == 1)
    for size in (0, 1, 135, 136, 137, 1000):
        assert fallback(b"x" * size) == keccak256(b"x" * size)


def test_none_at_all(monkeypatch):
    for name in ("tiny_keccak", "eth_hash.backends"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="tiny-keccak"):
        keccak._backend()
