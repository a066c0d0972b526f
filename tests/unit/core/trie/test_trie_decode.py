"""Strict decoding of nodes: each case breaks one rule."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.trie.decode import PathNode, decode_node, encode_node, lookup, value_of
from chainstack_sdk.core.trie.encoding import BLANK
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_bytes, rlp_encode

HASH = b"\x07" * 32
LEAF = [b"\x20", b"v"]
EMPTY = [b""] * 15


@pytest.mark.parametrize(
    ("item", "node"),
    [
        ([b"\x20", b"v"], PathNode(b"", b"v", True)),
        ([b"\x31", b"v"], PathNode(b"\x01", b"v", True)),
        ([b"\x20\x12", bytes(60)], PathNode(b"\x01\x02", rlp_bytes(bytes(60)), True)),
        ([b"\x11", HASH], PathNode(b"\x01", b"\xa0" + HASH, False)),
        ([b"\x00\x12", [HASH[:9], HASH[:9]]], PathNode(b"\x01\x02", rlp_encode([HASH[:9], HASH[:9]]), False)),
        ([HASH, LEAF, *EMPTY], (b"\xa0" + HASH, rlp_encode(LEAF), *[BLANK] * 15)),
        ([HASH, *EMPTY, b"v"], (b"\xa0" + HASH, *[BLANK] * 15, b"v")),
        ([*EMPTY, HASH, bytes(300)], (*[BLANK] * 15, b"\xa0" + HASH, rlp_bytes(bytes(300)))),
    ],
)
def test_nodes(item: list[bytes], node: object) -> None:
    raw = rlp_encode(item)
    decoded = decode_node(raw)
    assert decoded == node
    assert encode_node(decoded) == raw


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x7f", b"\x80", bytes(55), bytes(56), bytes(300)])
def test_value_of(value: bytes) -> None:
    assert value_of(rlp_bytes(value)) == value


WRONG_ITEMS = {
    "no items": [],
    "one item": [b"\x20"],
    "three items": [b"\x20", b"v", b"v"],
    "16 items": [HASH, HASH, *EMPTY[1:]],
    "18 items": [HASH, HASH, *EMPTY, b""],
    "a leaf without a value": [b"\x20", b""],
    "a leaf with a list": [b"\x20", [b"v"]],
    "a path that is a list": [[b"\x20"], b"v"],
    "no path": [b"", b"v"],
    "an unknown flag": [b"\x40", b"v"],
    "padding that is not zero": [b"\x21", b"v"],
    "extension padding that is not zero": [b"\x01\x12", HASH],
    "an extension without a path": [b"\x00", HASH],
    "an extension without a child": [b"\x11", b""],
    "an extension to a short string": [b"\x11", b"v"],
    "an extension to a large list": [b"\x11", [HASH]],
    "an extension to an empty list": [b"\x11", []],
    "a branch without entries": [*EMPTY, b"", b""],
    "a branch with one child": [*EMPTY, HASH, b""],
    "a branch with only a value": [*EMPTY, b"", b"v"],
    "a branch with a short string for a child": [HASH, b"v", *EMPTY],
    "a branch with a long string for a child": [HASH, HASH + b"v", *EMPTY],
    "a branch with a large list for a child": [HASH, [HASH[:31]], *EMPTY],
    "a branch with an empty list for a child": [HASH, [], *EMPTY],
    "a branch with a very large list for a child": [HASH, [bytes(60)], *EMPTY],
    "a branch with a list for a value": [HASH, *EMPTY, LEAF],
    "a branch with a very large list for a value": [HASH, *EMPTY, [bytes(60)]],
}


@pytest.mark.parametrize("item", WRONG_ITEMS.values(), ids=WRONG_ITEMS.keys())
def test_what_no_trie_contains(item: list[bytes]) -> None:
    with pytest.raises(InvalidInput):
        decode_node(rlp_encode(item))


WRONG_BYTES = {
    "nothing": "",
    "a string": "8220aa",
    "no payload": "c2",
    "cut short": "c320",
    "cut inside an item": "c32082",
    "more bytes": "c2207600",
    "a long header for a short list": "f8022076",
    "a cut header": "f9",
    "a header with a leading zero": "f90002",
    "a prefixed single byte": "c3208176",
    "a prefix without its byte": "c22081",
    "a long header for a short string": "c520b8027676",
    "a header with a leading zero in an item": "c620b900027676",
    "a cut header in an item": "c220b9",
    "a huge size in an item": "ca20bfffffffffffffffff",
    "a huge size": "ffffffffffffffffff2076",
}


@pytest.mark.parametrize("raw", WRONG_BYTES.values(), ids=WRONG_BYTES.keys())
def test_what_is_not_canonical(raw: str) -> None:
    with pytest.raises(InvalidInput):
        decode_node(bytes.fromhex(raw))


def test_lookup_refuses_an_extension_that_leads_to_no_branch() -> None:
    inner = rlp_encode([b"\x32", b"v"])
    with pytest.raises(InvalidInput, match="leads to a branch"):
        lookup(rlp_encode([b"\x11", [b"\x32", b"v"]]), b"\x01\x02", decode_node)
    assert lookup(inner, b"\x02", decode_node) == b"v"
    assert lookup(inner, b"\x01", decode_node) is None
