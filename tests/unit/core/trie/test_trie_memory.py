"""The in-memory trie's own interface."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, verify_proof
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import EMPTY_ROOT
from chainstack_sdk.testing.oracle import naive_root


def test_an_empty_trie() -> None:
    trie = MerklePatriciaTrie()
    assert trie.root == MerklePatriciaTrie({}).root == EMPTY_ROOT
    assert trie.get(b"") is None
    assert trie.prove(b"key") == ()
    assert trie.update({}) == EMPTY_ROOT


def test_updates_return_the_root_they_leave() -> None:
    trie = MerklePatriciaTrie({b"gone": b""})
    assert trie.root == EMPTY_ROOT
    root = trie.update({b"key": b"value"})
    assert trie.root == root == trie.update({}) == trie.update({b"absent": b""})
    assert trie.update({b"key": b""}) == EMPTY_ROOT


def test_a_refused_batch_changes_nothing() -> None:
    trie = MerklePatriciaTrie({b"key": b"value"})
    root = trie.root
    with pytest.raises(UsageError):
        trie.update({b"key": b"other", b"more": 5})  # type: ignore[dict-item]
    assert (trie.root, trie.get(b"key")) == (root, b"value")


def test_the_callers_mapping_may_change_afterwards() -> None:
    items = {b"key": b"value"}
    trie = MerklePatriciaTrie(items)
    items.clear()
    assert trie.get(b"key") == b"value"


@pytest.mark.parametrize("method", ["get", "prove"])
def test_keys_are_bytes(method: str) -> None:
    with pytest.raises(UsageError):
        getattr(MerklePatriciaTrie(), method)("key")


def test_proofs_list_what_is_not_embedded() -> None:
    trie = MerklePatriciaTrie({b"\x10": b"a", b"\x20": b"b"})
    (alone,) = trie.prove(b"\x10")  # both leaves are inside the root
    assert trie.prove(b"\x20") == trie.prove(b"\x30") == (alone,)
    trie.update({b"\x20": bytes(40), b"": b"own"})
    assert [len(trie.prove(key)) for key in (b"\x10", b"\x20", b"\x30", b"", b"\x20\x00")] == [1, 2, 1, 1, 2]


def chain(count: int) -> dict[bytes, bytes]:
    """Keys each of which is a prefix of the next: as deep as a trie of so many keys can be."""
    return {b"\x11" * size: b"%d" % size for size in range(count)}


@pytest.fixture
def usual_recursion_limit() -> Iterator[int]:
    """Python's own; some packages raise it a hundredfold when they are imported."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield 1_000
    sys.setrecursionlimit(limit)


def test_keys_may_nest_deeper_than_the_interpreter_recurses(usual_recursion_limit: int) -> None:
    items = chain(usual_recursion_limit * 2 // 3)  # it takes two calls or more for each
    memory, stored = MerklePatriciaTrie(items), StoredTrie(MemoryStore())
    assert stored.update(items) == memory.root
    deepest = max(items)
    proof = memory.prove(deepest)
    assert len(proof) > usual_recursion_limit
    assert proof == stored.prove(deepest)
    assert verify_proof(memory.root, deepest, proof) == items[deepest]
    for trie in (memory, stored):
        assert trie.update({deepest: b"", b"": b""}) != EMPTY_ROOT
        assert trie.update(dict.fromkeys(items, b"")) == EMPTY_ROOT


def test_nested_keys_have_the_reference_root() -> None:
    items = chain(80)
    assert MerklePatriciaTrie(items).root == naive_root(items)


def test_long_keys() -> None:
    items = {b"\x11" * 5_000 + bytes((last,)): bytes((last + 1,)) for last in range(3)}
    trie = MerklePatriciaTrie(items)
    assert trie.root == naive_root(items)
    for key, value in items.items():
        assert verify_proof(trie.root, key, trie.prove(key)) == value
