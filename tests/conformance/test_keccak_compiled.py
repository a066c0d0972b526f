"""The compiled Keccak-256 against reference values, against another implementation, and against misuse."""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier

import pytest
import tiny_keccak

compiled = pytest.importorskip(
    "chainstack_sdk.primitives._keccak", reason="no C compiler was there when the library was installed"
)
one, many, pieces = compiled.keccak256, compiled.keccak256_many, compiled.keccak256_pieces
known = tiny_keccak.keccak256

VECTORS = {
    # the first two are from the Keccak team's ShortMsgKAT_256; the last is the topic that every ERC-20 has
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"\xcc": "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"The quick brown fox jumps over the lazy dog.": (
        "578951e24efd62a3d63a86f7cd19aaa53c898fe287d2552133220370240b572d"
    ),
    b"transfer(address,uint256)": "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b",
}


def test_known_hashes() -> None:
    expected = list(VECTORS.values())
    assert [one(data).hex() for data in VECTORS] == expected
    assert [digest.hex() for digest in many(VECTORS)] == expected
    for data, digest in VECTORS.items():
        if data:
            assert pieces(data * 5, len(data)).hex() == digest * 5


def test_all_lengths() -> None:
    data = random.Random(1).randbytes(1_200)
    items = [data[size // 2 : size // 2 + size] for size in range(601)]
    expected = [known(item) for item in items]
    assert [one(item) for item in items] == expected
    assert many(items) == expected
    for prefix in (b"\x00", bytes(range(64)), bytes(135)):
        assert many(items, prefix) == [known(prefix + item) for item in items]


@pytest.mark.parametrize("seed", range(20))
def test_mixed_batches(seed: int) -> None:
    rng = random.Random(seed)
    for count in range(40):
        sizes = rng.choices((0, 1, 32, 64, 110, 134, 135, 136, 137, 271, 272, 273, 532, 2_000), k=count)
        items = [rng.randbytes(size) for size in sizes]
        prefix = rng.randbytes(rng.choice((0, 1, 70, 135)))
        assert many(items, prefix) == [known(prefix + item) for item in items], (seed, count)


def test_pieces() -> None:
    rng = random.Random(2)
    for size, count in product((1, 64, 71, 135, 136, 256, 300), (0, 1, 2, 3, 4, 5, 31, 32, 33, 100)):
        data = rng.randbytes(size * count)
        for prefix in (b"", b"\x01", bytes(135)):
            expected = [known(prefix + data[at : at + size]) for at in range(0, len(data), size)]
            assert pieces(data, size, prefix) == b"".join(expected)


def test_what_is_given_is_left_alone() -> None:
    item = bytes(range(200))
    items = [item] * 9
    assert many(items, b"\x01") == [known(b"\x01" + item)] * 9
    assert items == [bytes(range(200))] * 9


@pytest.mark.parametrize("wrong", ["text", bytearray(b"bytes"), memoryview(b"bytes"), None, 5, [b"bytes"]])
def test_only_bytes_are_hashed(wrong: object) -> None:
    for call in (
        lambda: one(wrong),
        lambda: many([b"good"] * 40 + [wrong]),
        lambda: many((wrong,)),
        lambda: many([b"good"], wrong),
        lambda: pieces(wrong, 1),
        lambda: pieces(b"good", 1, wrong),
    ):
        with pytest.raises(TypeError, match="not bytes"):
            call()


def test_other_misuse() -> None:
    for call in (one, many, pieces, lambda: one(b"", b""), lambda: many([], b"", b""), lambda: many(5)):
        with pytest.raises(TypeError):
            call()
    for arguments in ((b"abcd",), (b"abcd", "1"), (b"abcd", 1, b"", b""), (b"abcd", None)):
        with pytest.raises(TypeError):
            pieces(*arguments)
    for size in (0, -1, 3, 5):
        with pytest.raises(ValueError, match="whole number of pieces"):
            pieces(b"abcd", size)
    with pytest.raises(OverflowError):
        pieces(b"abcd", 1 << 70)
    for call in (lambda: many([b""], bytes(136)), lambda: pieces(b"a", 1, bytes(136))):
        with pytest.raises(ValueError, match="shorter than a block"):
            call()


class Failing:
    """An iterable that ends in an error."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield b"good"
        raise KeyError("on the way")


def test_errors_of_an_iterable_pass_through() -> None:
    with pytest.raises(KeyError, match="on the way"):
        many(Failing())


def test_threads() -> None:
    barrier = Barrier(4)

    def work(seed: int) -> bool:
        rng = random.Random(seed)
        items = [rng.randbytes(rng.randrange(400)) for _ in range(200)]
        expected = [known(item) for item in items]
        barrier.wait()
        return all(many(items) == expected and one(items[at]) == expected[at] for at in range(50))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_nothing_is_leaked() -> None:
    item, prefix, bad = bytes(300), b"\x01\x02", [b"good"] * 50 + ["bad"]  # single bytes are shared by all
    items = [item] * 50

    def everything() -> None:
        one(item)
        many(items, prefix)
        many(iter(items))
        pieces(item, 3, prefix)
        with pytest.raises(TypeError):
            many(bad)
        with pytest.raises(KeyError):
            many(Failing())

    for _ in range(20):
        everything()
    counts = [sys.getrefcount(thing) for thing in (item, prefix, items, bad)]
    tracemalloc.start()
    everything()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        everything()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert [sys.getrefcount(thing) for thing in (item, prefix, items, bad)] == counts
    assert grown < 4_000  # one digest leaked in each round would be 13,000
