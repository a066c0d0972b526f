"""Binary Merkle trees: shapes, proofs, encodings, and everything a proof must not survive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.core.merkle import (
    EMPTY_BINARY_ROOT,
    BinaryMerkleProof,
    BinaryMerkleTree,
    binary_root,
    verify_binary_proof,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

ITEMS = [b"item %d" % number for number in range(5)]


def leaf(item: bytes) -> bytes:
    return keccak256(b"\x00" + item)


def node(left: bytes, right: bytes) -> bytes:
    return keccak256(b"\x01" + left + right)


def test_no_items() -> None:
    assert binary_root([]) == BinaryMerkleTree([]).root == EMPTY_BINARY_ROOT == bytes(32)
    assert BinaryMerkleTree([]).depth == 0
    assert len(BinaryMerkleTree([])) == 0


def test_one_item_is_its_own_root() -> None:
    tree = BinaryMerkleTree([b""])
    assert binary_root([b""]) == tree.root == leaf(b"")
    assert tree.depth == 0
    assert tree.prove(0) == BinaryMerkleProof(0, ())


def test_three_items_written_out() -> None:
    a, b, c = map(leaf, ITEMS[:3])
    root = node(node(a, b), node(c, bytes(32)))
    tree = BinaryMerkleTree(ITEMS[:3])
    assert binary_root(ITEMS[:3]) == tree.root == root
    assert tree.prove(2).siblings == (bytes(32), node(a, b))


def test_five_items_written_out() -> None:
    a, b, c, d, e = map(leaf, ITEMS)
    padding = node(bytes(32), bytes(32))
    root = node(node(node(a, b), node(c, d)), node(node(e, bytes(32)), padding))
    tree = BinaryMerkleTree(ITEMS)
    assert binary_root(ITEMS) == tree.root == root
    assert (tree.depth, len(tree)) == (3, 5)
    assert tree.prove(4).siblings == (bytes(32), padding, node(node(a, b), node(c, d)))


@pytest.mark.parametrize(
    ("count", "depth"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (1000, 10)]
)
def test_depth(count: int, depth: int) -> None:
    assert BinaryMerkleTree([b"x"] * count).depth == depth


@pytest.mark.parametrize("index", [-1, 5, 7])
def test_only_items_are_proven(index: int) -> None:
    with pytest.raises(UsageError, match="no such item") as caught:
        BinaryMerkleTree(ITEMS).prove(index)
    assert caught.value.size == 5


def test_the_caller_s_items_are_left_alone() -> None:
    items = list(ITEMS)
    binary_root(items)
    BinaryMerkleTree(items)
    assert items == ITEMS


def test_a_proof_names_its_place() -> None:
    tree = BinaryMerkleTree(ITEMS)
    proof = tree.prove(3)
    verify_binary_proof(tree.root, ITEMS[3], proof)
    for index in (0, 1, 2, 4, 5, 6, 7):
        with pytest.raises(InvalidInput, match="another root") as caught:
            verify_binary_proof(tree.root, ITEMS[3], replace(proof, index=index))
        assert caught.value.expected == tree.root


def test_an_inner_node_is_no_item() -> None:
    a, b, c, d = map(leaf, ITEMS[:4])
    root = binary_root(ITEMS[:4])
    shortened = BinaryMerkleProof(0, (node(c, d),))
    for preimage in (a + b, b"\x01" + a + b):
        with pytest.raises(InvalidInput):
            verify_binary_proof(root, preimage, shortened)


def test_the_padding_is_no_item() -> None:
    tree = BinaryMerkleTree(ITEMS[:3])
    forged = BinaryMerkleProof(3, (leaf(ITEMS[2]), tree.prove(2).siblings[1]))
    for item in (b"", bytes(32)):
        with pytest.raises(InvalidInput):
            verify_binary_proof(tree.root, item, forged)


@pytest.mark.parametrize(
    ("index", "siblings"),
    [
        (2, (bytes(32),)),
        (1, ()),
        (-1, (bytes(32),)),
        (0, (bytes(31),)),
        (0, (bytes(32), bytes(33))),
        (0, (bytes(32),) * 65),
    ],
)
def test_impossible_proofs(index: int, siblings: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidInput):
        BinaryMerkleProof(index, siblings)


def test_encoding_written_out() -> None:
    proof = BinaryMerkleProof(2, (b"\xaa" * 32, b"\xbb" * 32))
    data = bytes.fromhex("0000000000000002" + "02" + "aa" * 32 + "bb" * 32)
    assert proof.to_bytes() == data
    assert BinaryMerkleProof.from_bytes(data) == proof


def test_the_deepest_proof() -> None:
    proof = BinaryMerkleProof(2**64 - 1, (bytes(32),) * 64)
    assert BinaryMerkleProof.from_bytes(proof.to_bytes()) == proof


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        bytes(8) + b"\x01",
        bytes(8) + b"\x01" + bytes(31),
        bytes(8) + b"\x01" + bytes(33),
        bytes(8) + b"\x00" + bytes(32),
        bytes(7) + b"\x02\x01" + bytes(32),
        bytes(8) + b"\x41" + bytes(32 * 65),
    ],
)
def test_malformed_encodings(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        BinaryMerkleProof.from_bytes(data)
