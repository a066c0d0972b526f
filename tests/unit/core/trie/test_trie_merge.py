"""What a batch costs, and how nodes change shape."""

from __future__ import annotations

import random

import pytest

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, encoding, merge
from chainstack_sdk.core.trie import memory as memory_trie
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.oracle import naive_root


@pytest.fixture(autouse=True, params=["compiled", "in Python"])
def merging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with both implementations."""
    if request.param == "in Python":
        monkeypatch.setattr(merge, "merge_branch", merge.merge_branch_in_python)
    elif merge.merge_branch is merge.merge_branch_in_python:
        pytest.skip("no C compiler was there when the library was installed")


def test_each_touched_node_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "merge_branch", merge.merge_branch_in_python)  # whose hashes can be watched
    rng = random.Random(1)
    items = {rng.randbytes(32): rng.randbytes(72) for _ in range(2_000)}
    memory, stored = MerklePatriciaTrie(items), StoredTrie(MemoryStore())
    stored.update(items)
    changes = {key: rng.randbytes(72) for key in rng.sample(sorted(items), 300)}
    touched: dict[bytes, bytes] = {}
    root = stored.update_into(changes, touched)

    hashed: list[bytes] = []

    def counting(data: bytes) -> bytes:
        hashed.append(data)
        return keccak256(data)

    def counting_many(items: list[bytes]) -> list[bytes]:
        return [counting(item) for item in items]

    for module in (encoding, merge):
        monkeypatch.setattr(module, "keccak256_many", counting_many)
    for module in (encoding, merge, memory_trie):
        monkeypatch.setattr(module, "keccak256", counting)
    assert memory.update(changes) == root
    assert sorted(hashed) == sorted(touched.values())


@pytest.mark.parametrize("odd", [b"", b"\x5a"])
def test_large_batches_of_keys_of_all_lengths_by_bisection(odd: bytes) -> None:
    rng = random.Random(2)
    keys = [odd + rng.randbytes(rng.randrange(1, 5)) for _ in range(1_500)]
    keys += [odd + bytes((number,)) for number in range(256)]
    items = {key: rng.randbytes(rng.randrange(1, 40)) for key in keys}
    trie = MerklePatriciaTrie(dict(rng.sample(sorted(items.items()), 700)))
    trie.update(items)
    assert trie.root == naive_root(items)
    changes = {key: rng.choice([b"", rng.randbytes(50)]) for key in rng.sample(sorted(items), 900)}
    trie.update(changes)
    assert trie.root == naive_root({key: value for key, value in (items | changes).items() if value})


def test_single_changes_in_a_large_trie() -> None:
    rng = random.Random(3)
    items = {rng.randbytes(size): rng.randbytes(40) for size in (3, 32, 32) for _ in range(50)}
    items |= {b"": b"end", b"\x01": b"short"}
    trie = MerklePatriciaTrie(items)
    for key in [*rng.sample(sorted(items), 60), *(rng.randbytes(32) for _ in range(20))]:
        items[key] = rng.choice([rng.randbytes(60), b"x", b"y" * 33])
        trie.update({key: items[key]})
        assert trie.root == naive_root(items)
        if rng.random() < 0.3:
            del items[key]
            trie.update({key: b""})
            assert trie.root == naive_root(items)


LONG = b"\x77" * 31
CASES = {
    "a leaf is replaced": ({b"a": b"1"}, {b"a": b"2"}),
    "the last leaf goes": ({b"a": b"1"}, {b"a": b""}),
    "an absent key goes from nothing": ({}, {b"a": b""}),
    "absent keys go from nothing": ({}, {b"a": b"", b"b": b""}),
    "an absent key goes beside a leaf": ({b"a": b"1"}, {b"b": b""}),
    "a leaf goes while another comes": ({b"a": b"1"}, {b"a": b"", b"b": b"2"}),
    "a leaf becomes a branch": ({b"a": b"1"}, {b"b": b"2", b"c": b"3"}),
    "a key ends at the new branch": ({b"ab": b"1"}, {b"a": b"2"}),
    "the empty key": ({b"ab": b"1", b"b": b"3"}, {b"": b"2"}),
    "a branch's own value goes": ({b"": b"0", b"a": b"1", b"b": b"2"}, {b"": b""}),
    "a branch keeps only its own value": ({b"": b"0", b"a": b"1", b"b": b"2"}, {b"a": b"", b"b": b""}),
    "a branch keeps one leaf": ({b"\x10" + LONG: b"0", b"\x20" + LONG: b"1"}, {b"\x20" + LONG: b""}),
    "a branch is emptied": (
        {b"\x10" + LONG: b"0", b"\x20" + LONG: b"1"},
        {b"\x10" + LONG: b"", b"\x20" + LONG: b""},
    ),
    "a branch keeps one branch": (
        {b"\x10" + LONG: b"0", b"\x20" + LONG: b"1", b"\x21" + LONG: b"2"},
        {b"\x10" + LONG: b""},
    ),
    "a branch keeps one extension": (
        {b"\x10" + LONG: b"0", b"\x20\x00" + LONG: b"1", b"\x20\x01" + LONG: b"2"},
        {b"\x10" + LONG: b""},
    ),
    "a hashed child shrinks and is embedded": (
        {b"\x10": bytes(40), b"\x20": bytes(40), b"\x30": bytes(40)},
        {b"\x20": b"1"},
    ),
    "a hashed child joins hashed ones": ({b"\x10": bytes(40), b"\x20": bytes(40)}, {b"\x30": bytes(40)}),
    "an embedded child joins hashed ones": ({b"\x10": bytes(40), b"\x20": bytes(40)}, {b"\x30": b"1"}),
    "an absent key goes beside hashed ones": ({b"\x10": bytes(40), b"\x20": bytes(40)}, {b"\x30": b""}),
    "an extension splits at its start": ({b"\x12\x34": b"0", b"\x12\x35": b"1"}, {b"\x22": b"2"}),
    "an extension splits inside": ({b"\x12\x34": b"0", b"\x12\x35": b"1"}, {b"\x13": b"2"}),
    "an extension splits at its end": ({b"\x12\x34": b"0", b"\x12\x35": b"1"}, {b"\x12\x44": b"2"}),
    "a key ends inside an extension": ({b"\x12\x34": b"0", b"\x12\x35": b"1"}, {b"\x12": b"2"}),
    "absent keys go beside an extension": (
        {b"\x12\x34": b"0", b"\x12\x35": b"1"},
        {b"\x13": b"", b"\x55": b""},
    ),
    "absent keys go beside a large extension": (
        {b"\x12\x34": bytes(40), b"\x12\x35": bytes(40)},
        {b"\x13": b"", b"\x55": b""},
    ),
    "an extension's branch goes": (
        {b"\x12\x34": b"0", b"\x12\x35": b"1"},
        {b"\x12\x34": b"", b"\x12\x35": b""},
    ),
}


@pytest.mark.parametrize(("before", "changes"), CASES.values(), ids=CASES.keys())
def test_changes_of_shape(before: dict[bytes, bytes], changes: dict[bytes, bytes]) -> None:
    after = {key: value for key, value in {**before, **changes}.items() if value}
    memory, stored = MerklePatriciaTrie(before), StoredTrie(MemoryStore())
    assert stored.update(before) == memory.root == naive_root(before)
    assert memory.update(changes) == stored.update(changes) == naive_root(after)
    for trie in (memory, stored):
        for key in {**before, **changes}:
            assert trie.get(key) == after.get(key)
        assert trie.update(before | dict.fromkeys(changes.keys() - before.keys(), b"")) == naive_root(before)
