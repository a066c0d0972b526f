"""One valid proof, and everything that may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chainstack_sdk.core.trie import MerklePatriciaTrie, verify_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

ITEMS = {keccak256(bytes((number,))): b"value %d" % number * 8 for number in range(40)}
TRIE = MerklePatriciaTrie(ITEMS)
KEY, VALUE = next(iter(ITEMS.items()))
PROOF = TRIE.prove(KEY)
ABSENT = bytes(32)


class Subclass(bytes):
    pass


def test_inclusion_and_absence() -> None:
    assert len(PROOF) > 2
    assert verify_proof(TRIE.root, KEY, PROOF) == VALUE
    assert verify_proof(TRIE.root, KEY, list(PROOF)) == VALUE
    assert verify_proof(TRIE.root, ABSENT, TRIE.prove(ABSENT)) is None


def test_subclasses_of_bytes_are_bytes() -> None:
    assert verify_proof(Subclass(TRIE.root), Subclass(KEY), [Subclass(raw) for raw in PROOF]) == VALUE


@pytest.mark.parametrize("proof", [[], (), [b"\x80"], (b"\x80",)])
def test_the_empty_trie(proof: list[bytes]) -> None:
    assert verify_proof(EMPTY_ROOT, KEY, proof) is None


@pytest.mark.parametrize("proof", [[b""], [b"\x80", b"\x80"], list(PROOF)])
def test_more_than_nothing_is_too_much_for_the_empty_trie(proof: list[bytes]) -> None:
    with pytest.raises(InvalidInput):
        verify_proof(EMPTY_ROOT, KEY, proof)


Proof = tuple[bytes, ...]
DAMAGES: dict[str, Callable[[Proof], object]] = {
    "nothing": lambda proof: (),
    "the root is missing": lambda proof: proof[1:],
    "the end is missing": lambda proof: proof[:-1],
    "a node twice": lambda proof: (proof[0], *proof),
    "a surplus node": lambda proof: (*proof, proof[-1]),
    "an empty node at the end": lambda proof: (*proof, b""),
    "other order": lambda proof: proof[::-1],
    "another key's nodes": lambda proof: TRIE.prove(list(ITEMS)[1]),
    "a list": lambda proof: [list(proof)],
    "text": lambda proof: [raw.hex() for raw in proof],
    "one string of bytes": lambda proof: b"".join(proof),
    "no sequence": lambda proof: iter(proof),
    "none": lambda proof: None,
    "arrays of bytes": lambda proof: [bytearray(raw) for raw in proof],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_proofs(damage: Callable[[Proof], list[bytes]]) -> None:
    with pytest.raises(InvalidInput):
        verify_proof(TRIE.root, KEY, damage(PROOF))


def test_every_flipped_bit_is_noticed() -> None:
    for at, raw in enumerate(PROOF):
        for bit in range(8 * len(raw)):
            flipped = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
            with pytest.raises(InvalidInput):
                verify_proof(TRIE.root, KEY, (*PROOF[:at], flipped, *PROOF[at + 1 :]))


@pytest.mark.parametrize(
    "root", [b"", TRIE.root[:31], TRIE.root + b"\0", TRIE.root.hex(), bytearray(TRIE.root), None]
)
def test_a_root_is_32_bytes(root: bytes) -> None:
    with pytest.raises(InvalidInput):
        verify_proof(root, KEY, PROOF)


@pytest.mark.parametrize("key", [KEY.hex(), bytearray(KEY), 5, None])
def test_a_key_is_bytes(key: bytes) -> None:
    with pytest.raises(InvalidInput):
        verify_proof(TRIE.root, key, PROOF)


def test_errors_carry_both_hashes() -> None:
    with pytest.raises(InvalidInput) as caught:
        verify_proof(TRIE.root, KEY, [PROOF[0], PROOF[0]])
    assert (caught.value.index, caught.value.actual) == (1, TRIE.root)
    assert caught.value.expected in PROOF[0]


def test_a_short_node_must_be_inside_its_parent() -> None:
    child = rlp_encode([b"\x20", b"v"])
    parent = rlp_encode([keccak256(child), [b"\x20", b"w"], *[b""] * 15])
    with pytest.raises(InvalidInput, match="belongs inside its parent"):
        verify_proof(keccak256(parent), b"\x00", [parent, child])


def test_embedded_nodes_are_followed() -> None:
    trie = MerklePatriciaTrie({b"\x12": b"a", b"\x13": b"b"})  # an extension, a branch, two leaves
    for key, value in ((b"\x12", b"a"), (b"\x13", b"b"), (b"\x14", None), (b"\x22", None), (b"", None)):
        proof = trie.prove(key)
        assert len(proof) == 1
        assert verify_proof(trie.root, key, proof) == value


def test_a_deep_proof_uses_no_recursion() -> None:
    raw, hashes = rlp_encode([b"\x20", bytes(40)]), []
    nodes = [raw]
    for _ in range(3_000):
        hashes.append(keccak256(nodes[-1]))
        nodes.append(rlp_encode([hashes[-1], *[b""] * 15, b"v"]))
    nodes.reverse()
    assert verify_proof(keccak256(nodes[0]), bytes(1_500), nodes) == bytes(40)
