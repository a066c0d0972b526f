"""Building from sorted keys."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.trie.build import build, common_depth
from chainstack_sdk.core.trie.nodes import Branch, Extension


@pytest.mark.parametrize(
    ("first", "last", "depth", "expected"),
    [
        (b"\x10", b"\x20", 0, 0),
        (b"\x10", b"\x11", 0, 1),
        (b"\x10", b"\x11", 1, 1),
        (b"\x10\x00", b"\x10\x10", 1, 2),
        (b"\x10\x00", b"\x10\x01", 0, 3),
        (b"\x10", b"\x10\x01", 0, 2),
        (b"\x10", b"\x10\x01", 2, 2),
        (b"", b"\x10", 0, 0),
    ],
)
def test_common_depth(first: bytes, last: bytes, depth: int, expected: int) -> None:
    assert common_depth(first, last, depth) == expected


def test_the_shape_of_a_small_trie() -> None:
    keys = [b"\x12", b"\x12\x30", b"\x12\x34", b"\x12\x5f"]
    values = [b"a", b"b", b"c", b"d"]
    node, _ = build(keys, values, 0, 4, 0)
    assert isinstance(node, Extension)
    assert node.path == b"\x01\x02"
    assert node.child.mask == 1 << 3 | 1 << 5 | 1 << 16
    inner, alone, ending = node.child.children
    assert isinstance(inner, Branch)
    assert inner.children == [(b"\x12\x30", b"b"), (b"\x12\x34", b"c")]
    assert (alone, ending) == ((b"\x12\x5f", b"d"), (b"\x12", b"a"))
