"""The stored trie: what it writes and reads, and what a broken store does to it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

import pytest

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, stored, verify_proof
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256
from chainstack_sdk.testing.oracle import naive_root

RNG = random.Random(7)
ITEMS = {RNG.randbytes(32): RNG.randbytes(40) for _ in range(200)}
KEY, VALUE = next(iter(ITEMS.items()))


class CountingStore(MemoryStore):
    """A store that counts its reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def get(self, key: bytes) -> bytes | None:
        self.reads += 1
        return super().get(key)


class FullStore(MemoryStore):
    """A store on a full disk."""

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        raise OSError("no space left on device")


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def trie(store: CountingStore) -> StoredTrie:
    trie = StoredTrie(store)
    trie.update(ITEMS)
    return trie


def test_an_empty_trie_reads_and_writes_nothing(store: CountingStore) -> None:
    trie = StoredTrie(store)
    assert trie.root == EMPTY_ROOT
    assert trie.get(b"") is None
    assert trie.prove(b"") == ()
    assert trie.update({}) == trie.update({b"absent": b""}) == EMPTY_ROOT
    assert (store.reads, list(store.iterate())) == (0, [])


def test_nodes_are_kept_under_prefix_and_hash(trie: StoredTrie, store: CountingStore) -> None:
    nodes = dict(store.iterate())
    assert all(name == b"n" + keccak256(raw) for name, raw in nodes.items())
    assert b"n" + trie.root in nodes


def test_tries_share_a_store_by_prefix(store: CountingStore) -> None:
    first, second = StoredTrie(store, prefix=b"a"), StoredTrie(store, prefix=b"b")
    root = first.update({b"key": b"value"})
    with pytest.raises(InvalidInput, match="missing"):
        second.at(root).get(b"key")
    assert second.update({b"key": b"value"}) == root
    assert len(list(store.iterate(b"b"))) == 1


def test_a_reopened_trie_loads_only_what_it_reads(trie: StoredTrie, store: CountingStore) -> None:
    store.reads = 0
    again = StoredTrie(store, trie.root)
    assert store.reads == 0
    assert again.get(KEY) == VALUE
    assert store.reads == len(trie.prove(KEY))
    again.get(KEY)
    assert store.reads == len(trie.prove(KEY))


def test_a_small_root_is_found_again(store: CountingStore) -> None:
    root = StoredTrie(store).update({b"k": b"v"})
    assert StoredTrie(store, root).get(b"k") == b"v"


def test_views_are_independent(trie: StoredTrie) -> None:
    old = trie.root
    view = trie.at(old)
    new = view.update({KEY: b"other"})
    assert (trie.root, trie.get(KEY)) == (old, VALUE)
    assert (trie.at(new).get(KEY), trie.at(EMPTY_ROOT).get(KEY)) == (b"other", None)


@pytest.mark.parametrize("root", [b"", bytes(31), bytes(33), "0" * 32, None])
def test_a_root_is_32_bytes(root: bytes, store: CountingStore) -> None:
    with pytest.raises(UsageError):
        StoredTrie(store, root)
    with pytest.raises(UsageError):
        StoredTrie(store).at(root)


@pytest.mark.parametrize("method", ["get", "prove"])
def test_keys_are_bytes(method: str, trie: StoredTrie) -> None:
    with pytest.raises(UsageError):
        getattr(trie, method)("key")


def test_a_refused_batch_changes_nothing(trie: StoredTrie, store: CountingStore) -> None:
    root, nodes, puts = trie.root, dict(store.iterate()), dict[bytes, bytes]()
    with pytest.raises(UsageError):
        trie.update({b"key": None})  # type: ignore[dict-item]
    with pytest.raises(UsageError):
        trie.update_into({"key": b"value"}, puts)  # type: ignore[dict-item]
    assert (trie.root, dict(store.iterate()), puts) == (root, nodes, {})


def test_a_failed_write_leaves_the_root() -> None:
    trie = StoredTrie(FullStore())
    with pytest.raises(OSError, match="no space"):
        trie.update({b"key": b"value"})
    assert trie.root == EMPTY_ROOT


def test_update_into_hands_over_the_new_nodes(trie: StoredTrie, store: CountingStore) -> None:
    before, puts = dict(store.iterate()), {b"block": b"body"}
    root = trie.update_into({KEY: b"other"}, puts)
    assert dict(store.iterate()) == before
    assert puts.pop(b"block") == b"body"
    assert len(puts) == len(trie.prove(KEY))
    assert trie.root == root == naive_root({**ITEMS, KEY: b"other"})
    store.write_batch(puts)
    assert StoredTrie(store, root).get(KEY) == b"other"


def test_pending_nodes_are_read_at_once(store: CountingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "CACHED_NODES", 1)  # so that nothing comes from the cache
    trie = StoredTrie(store)
    puts: dict[bytes, bytes] = {}
    inner = trie.at(EMPTY_ROOT).update_into(ITEMS, puts)
    outer = trie.update_into({b"account": inner}, puts)
    trie.update_into({b"account": b""}, puts)
    view = trie.at(outer)
    assert view.get(b"account") == inner
    assert view.at(inner).get(KEY) == VALUE
    assert verify_proof(inner, KEY, view.at(inner).prove(KEY)) == VALUE
    assert list(store.iterate()) == []
    with pytest.raises(InvalidInput, match="missing"):
        StoredTrie(store, outer).get(b"account")
    store.write_batch(puts)
    assert StoredTrie(store, outer).get(b"account") == inner


def test_a_discarded_update_leaves_no_trace(trie: StoredTrie, store: CountingStore) -> None:
    root = trie.root
    trie.update_into({KEY: b"discarded"}, {})
    kept = trie.at(root)
    puts: dict[bytes, bytes] = {}
    kept.update_into({KEY: b"kept"}, puts)
    store.write_batch(puts)
    assert StoredTrie(store, kept.root).get(KEY) == b"kept"


def test_the_cache_is_bounded(store: CountingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "CACHED_NODES", 10)
    trie = StoredTrie(store)
    trie.update(ITEMS)
    assert all(trie.get(key) == value for key, value in ITEMS.items())
    assert len(trie._cache) == 10
    trie.get(KEY)
    store.reads = 0
    trie.get(KEY)
    assert store.reads == 0


def broken(store: MemoryStore, name: bytes, raw: bytes | None) -> None:
    store.write_batch({} if raw is None else {name: raw}, [name])


@pytest.mark.parametrize("depth", [0, 1, -1])
def test_a_missing_node(depth: int, trie: StoredTrie, store: CountingStore) -> None:
    lost = keccak256(trie.prove(KEY)[depth])
    broken(store, b"n" + lost, None)
    nodes = dict(store.iterate())
    opened = StoredTrie(store, trie.root)
    for attempt in (opened.get, opened.prove, lambda key: opened.update({key: b"new"})):
        with pytest.raises(InvalidInput, match="missing") as caught:
            attempt(KEY)
        assert caught.value.hash == lost
    puts = {b"block": b"body"}
    with pytest.raises(InvalidInput):
        opened.update_into({KEY: b"new"}, puts)
    assert (opened.root, puts, dict(store.iterate())) == (trie.root, {b"block": b"body"}, nodes)


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"damage" * 10])
def test_a_damaged_node(raw: bytes, trie: StoredTrie, store: CountingStore) -> None:
    broken(store, b"n" + trie.root, raw)
    with pytest.raises(InvalidInput, match="damaged") as caught:
        StoredTrie(store, trie.root).get(KEY)
    assert (caught.value.expected, caught.value.actual) == (trie.root, keccak256(raw))


def test_a_root_that_is_no_node(store: CountingStore) -> None:
    store.write_batch({b"n" + keccak256(b"text"): b"text"})
    with pytest.raises(InvalidInput):
        StoredTrie(store, keccak256(b"text")).get(b"")


def test_it_stands_in_for_the_trie_in_memory(trie: StoredTrie) -> None:
    memory = MerklePatriciaTrie(ITEMS)
    for key in [*ITEMS, bytes(32), b"", b"short"]:
        assert (memory.get(key), memory.prove(key)) == (trie.get(key), trie.prove(key))
