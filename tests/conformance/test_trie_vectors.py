"""The published trie vectors (vectors/README.md names their source), on both tries and the oracle."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, verify_proof
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.oracle import naive_root

VECTORS = Path(__file__).parent.parent / "vectors"
ORDERS = 20


def octets(text: str | None) -> bytes:
    """Return what a vector means by a text: hexadecimal after 0x, else itself; null deletes."""
    if text is None:
        return b""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def cases(name: str) -> list[Any]:
    vectors = json.loads((VECTORS / name).read_text())
    assert vectors
    return [pytest.param(case, id=title) for title, case in vectors.items()]


def check_contents(items: dict[bytes, bytes], root: bytes) -> None:
    assert naive_root(items) == root
    memory, stored = MerklePatriciaTrie(items), StoredTrie(MemoryStore())
    assert memory.root == stored.update(items) == root
    for key, value in items.items():
        assert memory.get(key) == stored.get(key) == value
        assert memory.prove(key) == stored.prove(key)
        assert verify_proof(root, key, memory.prove(key)) == value


@pytest.mark.parametrize("case", cases("trie_trietest.json"))
def test_changes_one_after_the_other(case: dict[str, Any]) -> None:
    changes = [(octets(key), octets(value)) for key, value in case["in"]]
    memory, stored = MerklePatriciaTrie(), StoredTrie(MemoryStore())
    for key, value in changes:
        assert memory.update({key: value}) == stored.update({key: value})
    assert memory.root.hex() == case["root"][2:]
    check_contents({key: value for key, value in dict(changes).items() if value}, memory.root)


def check_any_order(items: dict[bytes, bytes], root: bytes) -> None:
    check_contents(items, root)
    pairs = list(items.items())
    for seed in range(ORDERS):
        random.Random(seed).shuffle(pairs)
        memory, stored = MerklePatriciaTrie(), StoredTrie(MemoryStore())
        for pair in pairs:
            assert memory.update(dict([pair])) == stored.update(dict([pair]))
        assert memory.root == root
        assert MerklePatriciaTrie(dict(pairs)).root == root


@pytest.mark.parametrize("case", cases("trie_trieanyorder.json"))
def test_any_order(case: dict[str, Any]) -> None:
    items = {octets(key): octets(value) for key, value in case["in"].items()}
    check_any_order(items, octets(case["root"]))


@pytest.mark.parametrize("case", cases("trie_trieanyorder_secureTrie.json"))
def test_any_order_with_hashed_keys(case: dict[str, Any]) -> None:
    items = {keccak256(octets(key)): octets(value) for key, value in case["in"].items()}
    check_any_order(items, octets(case["root"]))
