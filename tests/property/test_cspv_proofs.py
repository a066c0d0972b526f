"""Proofs of anything hold; proofs with any byte changed do not; arbitrary bytes do no harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.trie import MerklePatriciaTrie, verify_proof
from chainstack_sdk.cspv import (
    ChainKeyAnchor,
    FinalityScheme,
    Kind,
    OperatorKey,
    Proof,
    Proven,
    ProvenAccount,
    ProvenMessage,
    ProvenStorage,
)
from chainstack_sdk.cspv.verify.format import chain_key_finality
from chainstack_sdk.cspv.verify.link import follow_link
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath
from chainstack_sdk.cspv.verify.receipt import decode_receipt_item
from chainstack_sdk.cspv.verify.trie import root_of, value_at
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_encode

KEY = OperatorKey(b"\x0b" * 32)
ANCHOR = ChainKeyAnchor(5, KEY.public_key)
VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "cspv" / "valid.json").read_text(encoding="utf-8")
)


def signed(kind: Kind, body: ItemPath | AccountPath | StoragePath) -> Proof:
    """A proof of a block in which nothing else is said."""
    parts = (FinalityScheme.CHAIN_KEY, kind, 3, 2, 1, tuple(bytes((place,)) * 32 for place in range(4)))
    unsigned = Proof(*parts, chain_key_finality(bytes(48)), body)
    _, proven = open_proof(unsigned, ANCHOR.chain_id, FinalityScheme.CHAIN_KEY)
    return Proof(*parts, chain_key_finality(KEY.sign(proven.block_hash)), body)


# Any byte ------------------------------------------------------------------------------------------------


def mutations(raw: bytes, values: int = 3) -> Iterator[tuple[int, bytes]]:
    """Each position with up to three other values."""
    for place, byte in enumerate(raw):
        for other in (byte ^ 1, byte ^ 0x80, (byte + 43) % 256)[:values]:
            yield place, raw[:place] + bytes((other,)) + raw[place + 1 :]


def is_about_another_key(original: Proven, found: Proven) -> bool:
    """Whether a proof, with a byte of its address or slot changed, shows truly that there is nothing.

    The nodes that lead to one key show as well which keys beside it are absent: that is no forgery, as the
    fact names the key that it is about.
    """
    match original, found:
        case ProvenAccount(address=address), ProvenAccount(exists=False) as other:
            return other.address != address
        case ProvenStorage() as one, ProvenStorage(value=0) as other:
            return (one.address, one.key) != (other.address, other.key)
    return False


def check_all_mutations(anchor: ChainKeyAnchor, raw: bytes, values: int = 3) -> None:
    original = anchor.verify(raw)
    for place, changed in mutations(raw, values):
        try:
            found = anchor.verify(changed)
        except InvalidInput:
            continue
        assert is_about_another_key(original, found), f"byte {place} of {raw.hex()}: {changed[place]}"


def test_no_byte_of_a_receipt_proof_can_be_changed() -> None:
    items = [b"other", rlp_encode([b"\1" * 32, b"", 21_000, b"\2" * 32, []])]
    path = ItemPath(1, BinaryMerkleTree(items).prove(1).siblings, items[1])
    check_all_mutations(ANCHOR, signed(Kind.RECEIPT, path).to_bytes())


def test_no_byte_of_an_account_proof_can_be_changed() -> None:
    check_all_mutations(ANCHOR, signed(Kind.ACCOUNT, AccountPath(b"\x09" * 20, ())).to_bytes(), values=1)


@pytest.mark.long
@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_no_byte_of_any_vector_can_be_changed(case: dict[str, str]) -> None:
    anchor = ChainKeyAnchor.from_bytes(bytes.fromhex(case["anchor"][2:]))
    check_all_mutations(anchor, bytes.fromhex(case["proof"][2:]))


@pytest.mark.long
def test_no_byte_of_an_anchor_can_be_changed() -> None:
    proof = bytes.fromhex(VECTORS[0]["proof"][2:])
    for _, changed in mutations(bytes.fromhex(VECTORS[0]["anchor"][2:])):
        with pytest.raises(InvalidInput):
            ChainKeyAnchor.from_bytes(changed).verify(proof)


def test_no_part_can_be_left_out_or_put_in() -> None:
    raw = signed(Kind.MESSAGE, ItemPath(0, (), b"message")).to_bytes()
    for place in range(len(raw)):
        for changed in (raw[:place], raw[:place] + raw[place + 1 :], raw[:place] + b"\0" + raw[place:]):
            with pytest.raises(InvalidInput):
                ANCHOR.verify(changed)


# Anything ------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20), st.data())
def test_every_item_of_every_tree_is_proven(items: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(items) - 1))
    proof = signed(Kind.MESSAGE, ItemPath(index, BinaryMerkleTree(items).prove(index).siblings, items[index]))
    proven = ANCHOR.verify(proof.to_bytes())
    assert isinstance(proven, ProvenMessage)
    assert (proven.index, proven.message) == (index, items[index])


keys = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.lists(st.sampled_from([0, 1, 0x10]), min_size=2, max_size=3).map(lambda tail: bytes(tail).rjust(32)),
)


@given(st.dictionaries(keys, st.binary(min_size=1, max_size=40), max_size=20), st.lists(keys, max_size=4))
def test_tries_are_read_as_the_core_reads_them(items: dict[bytes, bytes], others: list[bytes]) -> None:
    trie = MerklePatriciaTrie(items)
    for key in [*items, *others]:
        nodes = trie.prove(key)
        assert root_of(nodes) == trie.root
        assert value_at(trie.root, key, nodes) == items.get(key)


@given(
    st.dictionaries(keys, st.binary(min_size=1, max_size=40), min_size=1, max_size=20),
    keys,
    st.data(),
)
def test_damaged_trie_proofs_show_nothing_else(
    items: dict[bytes, bytes], key: bytes, data: st.DataObject
) -> None:
    trie = MerklePatriciaTrie(items)
    nodes = list(trie.prove(key))
    place = data.draw(st.integers(0, len(nodes) - 1))
    match data.draw(st.integers(0, 3)):
        case 0:
            del nodes[place]
        case 1:
            nodes.insert(place, nodes[data.draw(st.integers(0, len(nodes) - 1))])
        case 2:
            nodes[place] = data.draw(st.binary(max_size=80))
        case 3:
            offset = data.draw(st.integers(0, len(nodes[place]) - 1))
            mask = data.draw(st.integers(1, 255))
            old = nodes[place]
            nodes[place] = old[:offset] + bytes((old[offset] ^ mask,)) + old[offset + 1 :]
    if nodes != list(trie.prove(key)):
        with pytest.raises(InvalidInput):
            value_at(trie.root, key, nodes)


rlp_items = st.recursive(
    st.binary(max_size=40), lambda inner: st.lists(inner, max_size=18), max_leaves=40
).map(rlp_encode)


@given(st.one_of(st.binary(max_size=120), rlp_items), st.binary(min_size=32, max_size=32))
def test_made_up_nodes_are_refused_or_mean_what_the_core_says(node: bytes, key: bytes) -> None:
    """A verifier stricter than the core on what no trie of hashes holds, and never laxer."""
    try:
        value = value_at(root_of((node,)), key, (node,))
    except InvalidInput:
        return
    assert verify_proof(root_of((node,)), key, (node,)) == value


@given(st.one_of(st.binary(max_size=300), rlp_items))
def test_arbitrary_bytes_do_no_harm(data: bytes) -> None:
    for read in (
        ANCHOR.verify,
        Proof.from_bytes,
        ChainKeyAnchor.from_bytes,
        decode_receipt_item,
        lambda raw: follow_link(raw, 5, KEY.public_key),
    ):
        with suppress(InvalidInput):
            read(data)


@given(
    st.sampled_from(list(Kind)),
    st.binary(max_size=200),
    st.binary(min_size=203, max_size=203),
    st.integers(0, 2),
)
def test_arbitrary_bodies_do_no_harm(kind: Kind, body: bytes, fixed: bytes, count: int) -> None:
    raw = bytes((1, 1, kind)) + fixed[3:] + bytes((count,)) + body
    with pytest.raises(InvalidInput):
        ANCHOR.verify(raw)


def test_a_list_nested_deeply_does_no_harm() -> None:
    nested = b"\xc0"
    for _ in range(20_000):
        size = len(nested)
        prefix = bytes((0xC0 + size,)) if size < 56 else None
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        nested = (prefix or bytes((0xF7 + len(length),)) + length) + nested
    with pytest.raises(InvalidInput):
        decode_receipt_item(nested)
    with pytest.raises(InvalidInput):
        follow_link(nested, 5, KEY.public_key)
    nodes = (nested[-60_000:],)
    with pytest.raises(InvalidInput):
        value_at(root_of(nodes), bytes(32), nodes)
