from __future__ import annotations

import pytest

from chainstack_sdk.core.trie import MerklePatriciaTrie
from chainstack_sdk.cspv.verify.trie import NO_ACCOUNT, account_at, root_of, slot_at, value_at
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_encode, rlp_int

KEY = b"\x12" * 32
"""Its path is 1212…: 64 nibbles."""


def walk(*nodes: object, key: bytes = KEY) -> bytes | None:
    """What some nodes show, the first of them being the root."""
    raws = [rlp_encode(node) for node in nodes]  # type: ignore[arg-type]
    return value_at(root_of(raws), key, raws)


def hashed(node: object) -> bytes:
    return keccak256(rlp_encode(node))  # type: ignore[arg-type]


def branch(place: int, child: object) -> list[object]:
    items: list[object] = [b""] * 17
    items[place] = child
    return items


LEAF = [b"\x20" + KEY, b"value"]
BELOW = [b"\x3f" + KEY[1:], b"value"]
"""A leaf two nibbles further down, whose path begins at 2: odd, flag 3."""


def test_an_empty_trie_holds_nothing() -> None:
    assert root_of(()) == EMPTY_ROOT
    assert value_at(EMPTY_ROOT, KEY, ()) is None
    assert account_at(EMPTY_ROOT, bytes(20), ()) is None
    assert slot_at(EMPTY_ROOT, bytes(32), ()) == 0
    with pytest.raises(InvalidInput, match="is a list"):
        value_at(EMPTY_ROOT, KEY, (b"\x80",))
    with pytest.raises(InvalidInput, match="ends early"):
        value_at(bytes(32), KEY, ())
    assert NO_ACCOUNT == (0, 0, EMPTY_ROOT, EMPTY_HASH)


def test_a_leaf_shows_its_value_or_that_there_is_no_other() -> None:
    assert walk(LEAF) == b"value"
    assert walk(LEAF, key=b"\x13" * 32) is None


def test_a_branch_leads_on_or_shows_that_there_is_nothing() -> None:
    leaf = [b"\x32" + KEY[1:], b"value" * 8]
    assert walk(branch(1, hashed(leaf)), leaf) == b"value" * 8
    assert walk(branch(2, hashed(leaf))) is None


def test_an_extension_leads_on_or_shows_that_there_is_nothing() -> None:
    leaf = [b"\x32" + KEY[2:], b"value" * 8]
    inner = branch(1, hashed(leaf))
    assert walk([b"\x00\x12", hashed(inner)], inner, leaf) == b"value" * 8
    assert walk([b"\x00\x13", hashed(inner)]) is None


def test_small_nodes_stand_inside_of_their_parents() -> None:
    path = KEY.hex()
    leaf = [bytes.fromhex("3" + path[63:]), b"v"]
    inner = branch(int(path[62], 16), leaf)
    steps = bytes.fromhex("00" + path[:62])
    assert walk([steps, inner]) == b"v"
    with pytest.raises(InvalidInput, match="inside of its parent"):
        walk([steps, hashed(inner)], inner)


def long_leaf() -> list[object]:
    return [b"\x32" + KEY[2:], b"v" * 40]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([b"text"], "is a list"),
        ([[]], "not a node"),
        ([[b""] * 16], "not a node"),
        ([[b""] * 18], "not a node"),
        ([[b"\x20" + KEY[1:], b"v"]], "not a leaf"),
        ([[b"\x20" + KEY + b"\0", b"v"]], "not a leaf"),
        ([[b"\x20" + KEY, b""]], "not a leaf"),
        ([[b"\x20" + KEY, []]], "not a leaf"),
        ([[b"", b"v"]], "not a path"),
        ([[[], b"v"]], "not a path"),
        ([[b"\x40" + KEY, b"v"]], "not a path"),
        ([[b"\x21" + KEY, b"v"]], "not a path"),
        ([[b"\x01\x12", b"v"]], "not a path"),
        ([[b"\x00", bytes(32)]], "has a path"),
        ([[b"\x00" + KEY, bytes(32)]], "something below"),
        ([[b"\x00\x12", b""]], "leads to a branch"),
        ([[b"\x00\x12", hashed(LEAF)], LEAF], "not a node"),
        ([branch(1, hashed(LEAF))], "ends early"),
        ([branch(1, b"short"), LEAF], "another node"),
        ([branch(1, hashed(LEAF)), BELOW], "another node"),
        ([branch(1, long_leaf())], "by its hash"),
        ([LEAF, LEAF], "surplus"),
        ([[*[b""] * 16, b"v"]], "has no value"),
        ([[*[b""] * 16, []]], "has no value"),
        ([branch(1, hashed([b"\x31", b"v"])), [b"\x31", b"v"]], "inside of its parent"),
    ],
)
def test_what_no_trie_holds_is_refused(nodes: list[object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        walk(*nodes)


def test_a_refusal_can_be_told_however_deep_a_list_nests() -> None:
    path: list[object] = []
    for _ in range(5_000):
        path = [path]
    raw = rlp_encode([path, b"v"])
    with pytest.raises(InvalidInput) as refused:
        value_at(keccak256(raw), KEY, [raw])
    assert "not a path" in str(refused.value)


def test_a_path_cannot_be_longer_than_its_key() -> None:
    path = KEY.hex()
    inner: object = branch(5, b"")
    steps = bytes.fromhex("1" + path[:63])
    last = branch(int(path[63], 16), inner)
    with pytest.raises(InvalidInput, match="has no value"):
        walk([steps, hashed(last)], last)


def test_bytes_that_are_not_rlp_are_refused() -> None:
    for raw in (b"", b"\xc1", b"\xf8\x01\x01", b"\xc0\x00"):
        with pytest.raises(InvalidInput):
            value_at(keccak256(raw), KEY, (raw,))


def trie_of(key: bytes, leaf: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    trie = MerklePatriciaTrie({keccak256(key): leaf})
    return trie.root, trie.prove(keccak256(key))


@pytest.mark.parametrize(
    "leaf",
    [
        b"\x01",
        rlp_encode([1, 2, bytes(32)]),
        rlp_encode([1, 2, bytes(32), bytes(31)]),
        rlp_encode([1, 2, bytes(31), bytes(32)]),
        rlp_encode([1, 2, bytes(32), bytes(32), b""]),
        rlp_encode([b"\0", 2, bytes(32), bytes(32)]),
        rlp_encode([b"\1" * 9, 2, bytes(32), bytes(32)]),
        rlp_encode([1, b"\1" * 33, bytes(32), bytes(32)]),
        rlp_encode([1, [], bytes(32), bytes(32)]),
        b"\xff",
    ],
)
def test_a_leaf_that_is_no_account_is_refused(leaf: bytes) -> None:
    root, nodes = trie_of(b"\x01" * 20, leaf)
    with pytest.raises(InvalidInput):
        account_at(root, b"\x01" * 20, nodes)


def test_an_account_is_read() -> None:
    root, nodes = trie_of(b"\x01" * 20, rlp_encode([2**64 - 1, 2**256 - 1, b"\2" * 32, b"\3" * 32]))
    assert account_at(root, b"\x01" * 20, nodes) == (2**64 - 1, 2**256 - 1, b"\2" * 32, b"\3" * 32)
    assert account_at(root, b"\x02" * 20, nodes) is None


@pytest.mark.parametrize(
    "leaf", [rlp_encode([]), b"\x80", rlp_encode(b"\0\1"), rlp_encode(b"\1" * 33), b"\x81"]
)
def test_a_leaf_that_is_no_value_is_refused(leaf: bytes) -> None:
    root, nodes = trie_of(bytes(32), leaf)
    with pytest.raises(InvalidInput):
        slot_at(root, bytes(32), nodes)


@pytest.mark.parametrize("value", [1, 0x7F, 0x80, 2**256 - 1])
def test_a_slot_is_read(value: int) -> None:
    root, nodes = trie_of(bytes(32), rlp_int(value))
    assert slot_at(root, bytes(32), nodes) == value
    assert slot_at(root, b"\1" * 32, nodes) == 0
