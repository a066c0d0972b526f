import random
import sys

import pytest

from chainstack_sdk.primitives import EMPTY_HASH, EMPTY_ROOT, UsageError, keccak, keccak256
from chainstack_sdk.primitives.keccak import keccak256_many, keccak256_pieces

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


def compiled_or_skip():
    return pytest.importorskip(
        "chainstack_sdk.primitives._keccak", reason="no C compiler was there when the library was installed"
    )


def test_it_is_the_compiled_part_itself():
    compiled = compiled_or_skip()
    assert keccak256 is compiled.keccak256
    assert keccak256_many is compiled.keccak256_many
    assert keccak256_pieces is compiled.keccak256_pieces


def test_it_is_the_backend_itself_where_nothing_was_compiled(monkeypatch):
    import tiny_keccak

    monkeypatch.setitem(sys.modules, "chainstack_sdk.primitives._keccak", None)
    one, many, pieces = keccak._fastest()
    assert one is tiny_keccak.keccak256
    check_many(many, pieces)


def check_many(many, pieces):
    rng = random.Random(1)
    for prefix in (b"", b"\x01", bytes(135)):
        items = [rng.randbytes(rng.choice((0, 1, 64, 110, 135, 136, 137, 272, 600))) for _ in range(50)]
        for given in (items, tuple(items), iter(items)):
            assert many(given, prefix) == [keccak256(prefix + item) for item in items]
        data = rng.randbytes(64 * 50)
        assert pieces(data, 64, prefix) == b"".join(
            many([data[at : at + 64] for at in range(0, 3200, 64)], prefix)
        )
    assert many(items) == many(items, b"")
    assert pieces(data, 64) == pieces(data, 64, b"")
    assert many([]) == []
    assert pieces(b"", 1) == b""
    for size in (-1, 0, 63):
        with pytest.raises(ValueError, match="whole number of pieces"):
            pieces(data, size)
    for wrong in ([b"", "text"], [b"", bytearray(1)], [None], 5):
        with pytest.raises(TypeError):
            many(wrong)


def test_many_in_each_way():
    check_many(keccak256_many, keccak256_pieces)
    check_many(*keccak._one_by_one(keccak._backend())[1:])


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
