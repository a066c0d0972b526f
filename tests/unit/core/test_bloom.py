"""The log bloom against its definition in the Yellow Paper and a published value."""

from __future__ import annotations

import pytest

from chainstack_sdk.core import bloom
from chainstack_sdk.core.bloom import BLOOM_BYTES, bloom_bits, bloom_may_contain
from chainstack_sdk.primitives.keccak import keccak256


def bits_by_the_book(item: bytes) -> bytes:
    """Section 4.3.1: bit numbers are the low 11 bits of the first three pairs of bytes of the hash."""
    digest = keccak256(item)
    filter_ = bytearray(BLOOM_BYTES)
    for at in (0, 2, 4):
        number = int.from_bytes(digest[at : at + 2], "big") % 2048
        filter_[BLOOM_BYTES - 1 - number // 8] |= 1 << number % 8
    return bytes(filter_)


@pytest.mark.parametrize("item", [bytes(20), b"\xff" * 20, bytes(32), b"topic".ljust(32), b""])
def test_bits(item: bytes) -> None:
    assert bloom_bits(item).to_bytes(BLOOM_BYTES, "big") == bits_by_the_book(item)


def test_a_published_filter() -> None:
    """The value that go-ethereum's tests expect of a hundred such items."""
    joined = 0
    for number in range(100):
        joined |= bloom_bits(b"xxxxxxxxxx data %d yyyyyyyyyyyyyy" % number)
    expected = "c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263"
    assert keccak256(joined.to_bytes(BLOOM_BYTES, "big")).hex() == expected


def test_may_contain() -> None:
    joined = bloom_bits(b"testtest") | bloom_bits(b"test") | bloom_bits(b"hallo")
    assert all(bloom_may_contain(joined, item) for item in (b"testtest", b"test", b"hallo"))
    assert not any(bloom_may_contain(joined, item) for item in (b"tes", b"lo", b""))
    assert not bloom_may_contain(0, b"test")


def test_the_cache_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bloom, "_CACHE_LIMIT", 3)
    monkeypatch.setattr(bloom, "_masks", {})
    items = [bytes([number]) * 20 for number in range(8)]
    masks = [bloom_bits(item) for item in items]
    assert len(bloom._masks) <= 3
    assert [bloom_bits(item) for item in items] == masks
