"""Both state tries against the reference root, py-trie and each other, batch after batch."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, verify_proof
from chainstack_sdk.testing.oracle import naive_root

Batch = dict[bytes, bytes]

full_keys = st.binary(min_size=32, max_size=32)
near_keys = st.binary(max_size=2).map(lambda tail: bytes(32 - len(tail)) + tail)
short_keys = st.lists(st.sampled_from([0, 1, 0x10, 0x11, 0xFF]), max_size=5).map(bytes)
nested_keys = st.builds(lambda size, tail: b"\x12" * size + tail, st.integers(0, 70), st.binary(max_size=1))
values = st.one_of(
    st.just(b""),
    st.binary(max_size=3),
    st.binary(min_size=20, max_size=80),
    st.sampled_from([255, 256, 1023, 1024]).map(bytes),
)


def batches_over(keys: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Batch]]:
    """Batches of changes over a few keys, so that they overwrite and delete each other's."""
    pools = st.lists(keys, min_size=1, max_size=16, unique=True)
    return pools.flatmap(
        lambda pool: st.lists(st.dictionaries(st.sampled_from(pool), values), min_size=1, max_size=5)
    )


def applied(batches: list[Batch]) -> Iterator[tuple[Batch, Batch]]:
    """Yield each batch with the contents after it."""
    contents: Batch = {}
    for batch in batches:
        contents = {key: value for key, value in {**contents, **batch}.items() if value}
        yield batch, contents


some_batches = st.one_of(map(batches_over, (full_keys, near_keys, short_keys, nested_keys)))
any_batches = batches_over(full_keys | near_keys | short_keys | nested_keys)


@given(some_batches | any_batches)
def test_every_commit_has_the_reference_root(batches: list[Batch]) -> None:
    memory, stored, peer = MerklePatriciaTrie(), StoredTrie(MemoryStore()), HexaryTrie({})
    for batch, contents in applied(batches):
        for key, value in batch.items():
            peer[key] = value
        root = naive_root(contents)
        assert memory.update(batch) == memory.root == root
        assert stored.update(batch) == stored.root == root
        assert peer.root_hash == root


@given(some_batches | any_batches, st.lists(short_keys | full_keys, max_size=5))
def test_reads_and_proofs_tell_the_contents(batches: list[Batch], others: list[bytes]) -> None:
    memory, stored = MerklePatriciaTrie(), StoredTrie(MemoryStore())
    for batch, contents in applied(batches):
        root = memory.update(batch)
        stored.update(batch)
        for key in [*batch, *others]:
            assert memory.get(key) == stored.get(key) == contents.get(key)
            proof = memory.prove(key)
            assert proof == stored.prove(key)
            assert verify_proof(root, key, proof) == contents.get(key)


@given(some_batches | any_batches)
def test_old_roots_stay_readable(batches: list[Batch]) -> None:
    store = MemoryStore()
    trie = StoredTrie(store)
    kept = [(trie.update(batch), contents) for batch, contents in applied(batches)]
    keys = [key for batch in batches for key in batch]
    for root, contents in kept:
        for view in (trie.at(root), StoredTrie(store, root)):
            assert {key: view.get(key) for key in keys} == {key: contents.get(key) for key in keys}
        follow_up = dict.fromkeys(keys, b"new")
        assert StoredTrie(store, root).update(follow_up) == naive_root(follow_up)


@given(some_batches | any_batches)
def test_nothing_is_written_that_the_new_trie_does_not_hold(batches: list[Batch]) -> None:
    store = MemoryStore()
    trie = StoredTrie(store)
    for batch, contents in applied(batches):
        puts: Batch = {}
        trie.update_into(batch, puts)
        alone: Batch = {}
        StoredTrie(MemoryStore()).update_into(contents, alone)
        assert puts.items() <= alone.items()
        store.write_batch(puts)


@given(some_batches)
def test_one_batch_or_many_the_root_is_the_same(batches: list[Batch]) -> None:
    contents = [contents for _, contents in applied(batches)][-1]
    one_by_one = MerklePatriciaTrie()
    for batch in batches:
        for key, value in batch.items():
            one_by_one.update({key: value})
    assert one_by_one.root == MerklePatriciaTrie(contents).root


@pytest.mark.parametrize("seed", range(4))
def test_large_batches_of_hashed_keys(seed: int) -> None:
    rng = random.Random(seed)
    memory, stored, peer = MerklePatriciaTrie(), StoredTrie(MemoryStore()), HexaryTrie({}, prune=True)
    pool = [rng.randbytes(32) for _ in range(300)]
    contents: Batch = {}
    for size in (200, 150, 5, 300, 300):
        delete = rng.choice((0.1, 0.9))
        batch = {
            key: b"" if rng.random() < delete else rng.randbytes(rng.choice((1, 33, 72, 110)))
            for key in rng.sample(pool, size)
        }
        with peer.squash_changes() as squashed:
            for key, value in batch.items():
                squashed[key] = value
        contents = {key: value for key, value in {**contents, **batch}.items() if value}
        root = memory.update(batch)
        assert root == stored.update(batch) == peer.root_hash == naive_root(contents)
        assert [memory.get(key) for key in pool] == [contents.get(key) for key in pool]
