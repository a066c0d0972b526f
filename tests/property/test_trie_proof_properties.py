"""State proofs: exchanged with py-trie, damaged in every way, and made up."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from chainstack_sdk.core.trie import MerklePatriciaTrie, verify_proof
from chainstack_sdk.core.trie.decode import decode_node, encode_node
from chainstack_sdk.core.trie.encoding import BLANK
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

keys = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.lists(st.sampled_from([0, 1, 0x10, 0xFF]), max_size=4).map(bytes),
)
contents = st.dictionaries(keys, st.binary(min_size=1, max_size=40), max_size=20)


@given(contents, st.lists(keys, max_size=4))
def test_proofs_are_those_of_py_trie_and_pass_there(items: dict[bytes, bytes], others: list[bytes]) -> None:
    ours, peer = MerklePatriciaTrie(items), HexaryTrie({})
    for key, value in items.items():
        peer[key] = value
    for key in [*items, *others]:
        nodes = [rlp.encode(node) for node in peer.get_proof(key)]
        theirs = [raw for at, raw in enumerate(nodes) if at == 0 or len(raw) > 31]  # it lists embedded ones
        assert verify_proof(peer.root_hash, key, theirs) == items.get(key)
        proof = ours.prove(key)
        if items:
            assert list(proof) == theirs
        if key in items or (items and len(key) == 32):  # py-trie fails on a key that ends inside an extension
            passed = HexaryTrie.get_from_proof(ours.root, key, [rlp.decode(raw) for raw in proof])
            assert (passed or None) == items.get(key)


def mutate(proof: list[bytes], rng: random.Random, spare: list[bytes]) -> list[bytes]:
    """Return the proof with one thing changed."""
    nodes = list(proof)
    at = rng.randrange(len(nodes))
    raw = nodes[at]
    where = rng.randrange(len(raw))
    match rng.randrange(8):
        case 0:
            nodes[at] = raw[:where] + bytes((raw[where] ^ 1 << rng.randrange(8),)) + raw[where + 1 :]
        case 1:
            nodes[at] = raw[:where]
        case 2:
            nodes[at] = raw[:where] + rng.randbytes(rng.randrange(3)) + raw[where:]
        case 3:
            del nodes[at]
        case 4:
            nodes.insert(rng.randrange(len(nodes) + 1), rng.choice(spare))
        case 5:
            nodes[at] = rng.choice(spare)
        case 6:
            nodes.reverse()
        case 7:
            nodes[at] = (
                raw[:where] + bytes((rng.choice((0x80, 0xA0, 0xB8, 0xC0, 0xF8, 0)),)) + raw[where + 1 :]
            )
    return nodes


def sample_trie(rng: random.Random) -> tuple[MerklePatriciaTrie, dict[bytes, bytes], list[bytes]]:
    """Return a trie, what it holds, and these keys and a few absent ones."""
    size = rng.choice((1, 2, 3, 32))
    known = [rng.randbytes(size) for _ in range(30)] + [b"", b"\x12" * 8, b"\x12" * 9]
    items = {key: rng.randbytes(rng.choice((1, 1, 4, 40))) for key in known}
    return MerklePatriciaTrie(items), items, known + [rng.randbytes(size) for _ in range(10)]


def nodes_of_a_liar(proof: tuple[bytes, ...], damaged: list[bytes]) -> list[bytes]:
    """Return the damaged nodes with the hashes in them mended, so that the damage is decoded."""
    mended = list(damaged)
    for at in range(min(len(proof), len(damaged)) - 1, 0, -1):
        mended[at - 1] = mended[at - 1].replace(keccak256(proof[at]), keccak256(mended[at]))
    return mended


def run_mutations(count: int) -> None:
    rng = random.Random(count)
    done = refused = believed = 0
    while done < count:
        trie, items, known = sample_trie(rng)
        proofs = {key: trie.prove(key) for key in known}
        spare = [raw for proof in proofs.values() for raw in proof]
        for key in known * 10:
            damaged = mutate(list(proofs[key]), rng, spare)
            done += 1
            try:
                assert verify_proof(trie.root, key, damaged) == items.get(key)
            except InvalidInput:
                refused += 1
            if damaged:
                done += 1
                mended = nodes_of_a_liar(proofs[key], damaged)
                with suppress(InvalidInput):
                    believed += verify_proof(keccak256(mended[0]), key, mended) != items.get(key)
    assert refused > count // 4
    assert believed > count // 100


def test_damaged_proofs_never_show_a_wrong_value() -> None:
    run_mutations(5_000)


@pytest.mark.long
def test_many_damaged_proofs_never_show_a_wrong_value() -> None:
    run_mutations(100_000)


PIECES = [
    b"",
    b"",
    b"v",
    b"\x20",
    b"\x00\x12",
    b"\x11",
    b"\x31",
    bytes(32),
    bytes(60),
    [b"\x20", b"v"],
    [bytes(31)],
    [],
]
nodes = (st.binary(max_size=3) | st.binary(min_size=17, max_size=17)).map(
    lambda picks: rlp_encode([PIECES[pick % len(PIECES)] for pick in picks])
)
encodings = st.binary(max_size=80) | nodes


@given(encodings.filter(lambda raw: raw != BLANK), keys)  # the empty trie's root has a proof of its own
def test_a_node_has_one_encoding(raw: bytes, key: bytes) -> None:
    try:
        node = decode_node(raw)
    except InvalidInput:
        with pytest.raises(InvalidInput):
            verify_proof(keccak256(raw), key, [raw])
        return
    assert encode_node(node) == raw
    with suppress(InvalidInput):  # the root is made up, too, so it may well show something
        assert verify_proof(keccak256(raw), key, [raw]) != b""


anything = (
    st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.binary(max_size=33)
    | st.lists(st.none() | st.binary())
)


@given(anything, anything, anything)
def test_nothing_but_invalid_input_is_raised(root: object, key: object, proof: object) -> None:
    with pytest.raises(InvalidInput):
        verify_proof(root, key, proof)  # type: ignore[arg-type]
