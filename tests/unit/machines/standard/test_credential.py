"""Salted attributes and their proofs, off the chain."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core import BinaryMerkleProof, BinaryMerkleTree
from chainstack_sdk.machines.standard import Credential, Disclosure
from chainstack_sdk.machines.standard.credential import MAX_DEPTH, WORDS
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

SEED = bytes(range(32))
PERSON = {"name": "Ada", "born": "1815-12-10", "city": "London"}
ONE = (1).to_bytes(32, "big")


@pytest.fixture
def card():
    return Credential(PERSON, SEED)


@pytest.fixture
def shown(card):
    return card.disclose("city")


def test_the_tree_by_the_letter(card):
    leaves = [
        keccak256(bytes(32) + keccak256(name) + keccak256(value) + keccak256(SEED + keccak256(name)))
        for name, value in ((b"born", b"1815-12-10"), (b"city", b"London"), (b"name", b"Ada"))
    ]
    left = keccak256(ONE + leaves[0] + leaves[1])
    right = keccak256(ONE + leaves[2] + bytes(32))
    assert card.root == keccak256(ONE + left + right)
    shown = card.disclose("city")
    assert shown.proof.siblings == (leaves[0], right)
    assert shown.proof.index == 1
    assert shown.path == (leaves[0], right, *[bytes(32)] * 14)


def test_the_order_and_the_seed(card):
    again = Credential(dict(reversed(PERSON.items())), SEED)
    assert (again.root, again.attributes) == (card.root, card.attributes)
    assert Credential(PERSON, bytes(32)).root != card.root
    salts = {card.disclose(name).salt for name in PERSON}
    assert len(salts) == 3


@given(
    st.dictionaries(st.text(max_size=12), st.text(max_size=40), min_size=1, max_size=9),
    st.binary(min_size=32, max_size=32),
)
def test_every_attribute_is_proven(attributes, seed):
    card = Credential(attributes, seed)
    for name, value in attributes.items():
        shown = Disclosure.from_bytes(card.disclose(name).to_bytes())
        assert (shown.name, shown.value) == (name, value)
        shown.verify(card.root)


@pytest.mark.parametrize(
    "change",
    [
        {"value": "Paris"},
        {"name": "town"},
        {"salt": bytes(32)},
        {"proof": BinaryMerkleProof(0, (bytes(32),) * 2)},
    ],
)
def test_what_is_not_so(card, shown, change):
    with pytest.raises(InvalidInput, match="no such attribute"):
        dataclasses.replace(shown, **change).verify(card.root)


def test_a_node_is_no_leaf(card, shown):
    """An inner node shown as an attribute would need a name and a value that hash to its children."""
    upper = BinaryMerkleProof(0, shown.proof.siblings[1:])
    with pytest.raises(InvalidInput):
        dataclasses.replace(shown, proof=upper).verify(card.root)
    plain = BinaryMerkleTree([bytes(96)])
    assert plain.root != BinaryMerkleTree([bytes(96)], WORDS).root
    assert keccak256(bytes(32) + bytes(96)) == BinaryMerkleTree([bytes(96)], WORDS).root


@pytest.mark.parametrize(
    ("attributes", "seed", "words"),
    [
        ({}, SEED, "from 1 to"),
        (PERSON, bytes(31), "a seed is 32 bytes"),
        ({"n" * 65: "v"}, SEED, "too long"),
        ({"n": "é" * 129}, SEED, "too long"),
        ({"n": "\ud800"}, SEED, "no text"),
    ],
)
def test_what_cannot_be_a_record(attributes, seed, words):
    with pytest.raises(UsageError, match=words):
        Credential(attributes, seed)


def test_too_many_attributes():
    class Many(dict):
        def __len__(self):
            return (1 << 16) + 1

    with pytest.raises(UsageError, match="from 1 to"):
        Credential(Many(a="b"), SEED)


def test_an_attribute_that_is_not_there(card):
    with pytest.raises(UsageError, match="no such attribute"):
        card.disclose("height")


def test_parts_that_cannot_belong_together(shown):
    for change, words in (
        ({"salt": bytes(33)}, "a salt is 32 bytes"),
        ({"proof": BinaryMerkleProof(0, (bytes(32),) * (MAX_DEPTH + 1))}, "not so deep"),
        ({"name": "n" * 65}, "too long"),
        ({"value": "\udfff"}, "no text"),
    ):
        with pytest.raises(InvalidInput, match=words):
            dataclasses.replace(shown, **change)


@given(st.data())
def test_damaged_bytes(data):
    """Bytes either decode to what encodes back to them, or are refused."""
    good = Credential(PERSON, SEED).disclose("name").to_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    cut = data.draw(
        st.sampled_from([good[:at], good[:at] + data.draw(st.binary(max_size=3)) + good[at + 1 :]])
    )
    try:
        found = Disclosure.from_bytes(cut)
    except InvalidInput:
        return
    assert found.to_bytes() == cut


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", rlp_encode([b"a", b"b", SEED]), rlp_encode([b"a", [b"b"], SEED, bytes(9)])],
)
def test_other_bytes(data):
    with pytest.raises(InvalidInput):
        Disclosure.from_bytes(data)


def test_bytes_that_are_no_text():
    with pytest.raises(InvalidInput, match="UTF-8"):
        Disclosure.from_bytes(rlp_encode([b"\xff", b"b", SEED, bytes(9)]))
