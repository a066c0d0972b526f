"""Binary Merkle trees against the definition, and their proofs against every kind of damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.merkle import (
    BinaryMerkleProof,
    BinaryMerkleTree,
    binary_root,
    verify_binary_proof,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

some_items = st.lists(st.binary(max_size=80), max_size=40)


def defined_root(items: list[bytes]) -> bytes:
    """Return the root by the words of the definition: pad the leaves, then halve and recurse."""

    def root_of(nodes: list[bytes]) -> bytes:
        if len(nodes) == 1:
            return nodes[0]
        half = len(nodes) // 2
        return keccak256(b"\x01" + root_of(nodes[:half]) + root_of(nodes[half:]))

    leaves = [keccak256(b"\x00" + item) for item in items]
    width = 1
    while width < len(leaves):
        width *= 2
    return root_of(leaves + [bytes(32)] * (width - len(leaves)))


@given(some_items)
def test_the_root_is_as_defined(items: list[bytes]) -> None:
    assert binary_root(items) == BinaryMerkleTree(items).root == defined_root(items)


@given(some_items)
def test_every_item_is_proven(items: list[bytes]) -> None:
    tree = BinaryMerkleTree(items)
    for index, item in enumerate(items):
        proof = BinaryMerkleProof.from_bytes(tree.prove(index).to_bytes())
        assert (proof.index, proof.depth) == (index, tree.depth)
        verify_binary_proof(tree.root, item, proof)


@given(some_items.filter(bool), st.data())
def test_a_flipped_bit_never_passes(items: list[bytes], data: st.DataObject) -> None:
    tree = BinaryMerkleTree(items)
    index = data.draw(st.integers(0, len(items) - 1))
    proof = tree.prove(index).to_bytes()
    parts = [tree.root, items[index], proof]
    which = data.draw(st.sampled_from([place for place in range(3) if parts[place]]))
    damaged = bytearray(parts[which])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = bytes(damaged)
    with pytest.raises(InvalidInput):
        verify_binary_proof(parts[0], parts[1], BinaryMerkleProof.from_bytes(parts[2]))


@given(some_items.filter(bool), st.data())
def test_other_items_and_shorter_or_longer_paths_never_pass(items: list[bytes], data: st.DataObject) -> None:
    tree = BinaryMerkleTree(items)
    index = data.draw(st.integers(0, len(items) - 1))
    proof = tree.prove(index)
    other = data.draw(st.binary(max_size=80).filter(lambda item: item != items[index]))
    with pytest.raises(InvalidInput):
        verify_binary_proof(tree.root, other, proof)
    longer = BinaryMerkleProof(index, (*proof.siblings, data.draw(st.binary(min_size=32, max_size=32))))
    with pytest.raises(InvalidInput):
        verify_binary_proof(tree.root, items[index], longer)
    if proof.siblings:
        lower = index & ((1 << tree.depth - 1) - 1)
        shorter = BinaryMerkleProof(lower, proof.siblings[:-1])
        with pytest.raises(InvalidInput):
            verify_binary_proof(tree.root, items[index], shorter)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        proof = BinaryMerkleProof.from_bytes(data)
    except InvalidInput:
        return
    assert proof.to_bytes() == data
    with pytest.raises(InvalidInput):
        verify_binary_proof(bytes(32), b"item", proof)
