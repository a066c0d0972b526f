"""The reference root against hand-made nodes (vectors and py-trie are compared elsewhere)."""

from __future__ import annotations

from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing.oracle import naive_root


def test_no_items() -> None:
    assert naive_root({}) == naive_root({b"key": b""}) == EMPTY_ROOT


def test_one_leaf() -> None:
    assert naive_root({b"\x12": b"value"}) == keccak256(rlp_encode([b"\x20\x12", b"value"]))


def test_an_extension_a_branch_with_a_value_and_both_kinds_of_children() -> None:
    items = {b"\x12": b"here", b"\x12\x34": b"in", b"\x12\x45": bytes(40)}
    hashed = keccak256(rlp_encode([b"\x35", bytes(40)]))
    branch = [b"", b"", b"", [b"\x34", b"in"], hashed, *[b""] * 11, b"here"]
    assert naive_root(items) == keccak256(rlp_encode([b"\x00\x12", keccak256(rlp_encode(branch))]))
