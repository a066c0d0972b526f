"""Payloads of the in-memory nodes, and branches spread out and gathered."""

from __future__ import annotations

import random

import pytest

from chainstack_sdk.core.trie.build import build
from chainstack_sdk.core.trie.encoding import BLANK, encoded, hex_prefix, nibbles
from chainstack_sdk.core.trie.nodes import (
    Branch,
    Extension,
    encoded_leaf,
    extension_payload,
    gather,
    leaf_payload,
    lengthen,
    nibble,
    shared_steps,
    slots,
)
from chainstack_sdk.primitives.rlp import list_header, rlp_encode


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32, 33, 34, 55, 56, 60, 300])
@pytest.mark.parametrize(
    "value", [b"\x00", b"\x7f", b"\x80", b"ab", bytes(55), bytes(56), bytes(255), bytes(256)]
)
def test_leaf_payloads_are_the_rlp_of_path_and_value(size: int, value: bytes) -> None:
    key = random.Random(size).randbytes(size)
    for depth in {0, 1, 2, 3, size, 2 * size - 1, 2 * size}:
        if 0 <= depth <= 2 * size:
            payload = leaf_payload(key, value, depth)
            expected = rlp_encode([hex_prefix(nibbles(key)[depth:], True), value])
            assert list_header(len(payload)) + payload == expected
            assert encoded_leaf(key, value, depth) == expected


def test_extension_payload() -> None:
    assert extension_payload(b"\x01", b"\xa0" + bytes(32)) == b"\x11\xa0" + bytes(32)
    assert extension_payload(b"\x01\x02", BLANK) == b"\x82\x00\x12\x80"


def test_the_slot_of_a_key() -> None:
    assert [nibble(b"\x1f\xa0", depth) for depth in range(5)] == [1, 15, 10, 0, 16]
    assert nibble(b"", 0) == 16


@pytest.mark.parametrize(
    ("path", "depth", "steps"), [(b"\x01\x02", 0, 2), (b"\x01\x03", 0, 1), (b"\x02\x05", 1, 1), (b"", 0, 0)]
)
def test_shared_steps(path: bytes, depth: int, steps: int) -> None:
    assert shared_steps(b"\x12", path, depth) == steps


@pytest.mark.parametrize(
    "keys",
    [
        [b"\x10" * 32, b"\x20" * 32, b"\xf0" * 32],  # all hashed
        [b"\x10", b"\x20"],  # all embedded
        [b"", b"\x10", b"\x20" * 32],  # mixed, and a value of its own
    ],
)
def test_slots_and_gather_are_inverse(keys: list[bytes]) -> None:
    branch, own = build(keys, [b"value"] * len(keys), 0, len(keys), 0)
    assert isinstance(branch, Branch)
    again, own_again = gather(*slots(branch), 0)
    assert isinstance(again, Branch)
    assert own_again == own
    assert [getattr(again, name) for name in Branch.__slots__] == [
        getattr(branch, name) for name in Branch.__slots__
    ]
    assert branch.plain == (len(keys[0]) == 32)


def test_gathering_no_child_gives_nothing() -> None:
    assert gather([BLANK] * 17, [None] * 17, 0) == (None, BLANK)


def test_lengthening() -> None:
    leaf = (b"\x12" * 32, b"value")
    assert lengthen(b"\x02", None, BLANK, 1) == (None, BLANK)
    assert lengthen(b"\x02", leaf, b"own", 1) == (leaf, encoded(leaf_payload(*leaf, 1)))
    branch, own = build([b"\x10", b"\x20"], [b"a", b"b"], 0, 2, 0)
    once, _ = lengthen(b"\x02", branch, own, 1)
    twice, seen = lengthen(b"\x01", once, b"", 0)
    assert isinstance(twice, Extension)
    assert (twice.path, twice.child, twice.reference) == (b"\x01\x02", branch, own)
    assert seen == encoded(extension_payload(b"\x01\x02", own))
