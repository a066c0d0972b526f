"""Stores and ledgers that fail when told, and the slow trie."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import MerklePatriciaTrie, verify_proof
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import EMPTY_ROOT
from chainstack_sdk.testing import (
    FailingLedger,
    NaiveTrie,
    RecordingStore,
    accounts,
    bare_chain,
    extend,
    payment,
)

ALICE, BOB = accounts(2)


def test_a_store_that_watches() -> None:
    inner = MemoryStore()
    store = RecordingStore(inner)
    store.write_batch({b"a": b"1", b"b": b"2"})
    store.write_batch({b"c": b"3"}, iter([b"a"]))
    assert store.writes == [({b"a": b"1", b"b": b"2"}, ()), ({b"c": b"3"}, (b"a",))]
    assert list(store.iterate()) == list(inner.iterate()) == [(b"b", b"2"), (b"c", b"3")]
    assert list(store.iterate(b"c")) == [(b"c", b"3")]
    assert (store.get(b"b"), store.get(b"a")) == (b"2", None)
    assert not store.closed
    store.close()
    assert store.closed
    with pytest.raises(UsageError, match="closed"):
        inner.get(b"b")


def test_a_store_that_fails() -> None:
    store = RecordingStore(fail_on={2, 3})
    store.write_batch({b"a": b"1"})
    for _ in range(2):
        with pytest.raises(OSError, match="on purpose"):
            store.write_batch({b"a": b"2"}, [b"a"])
    assert store.get(b"a") == b"1"
    store.write_batch({b"a": b"2"})
    assert store.get(b"a") == b"2"
    assert len(store.writes) == 4


def test_a_ledger_that_fails() -> None:
    chain = bare_chain({ALICE: 10**20}, ledger=FailingLedger(fail_on={3, 5}))
    transfer = payment(chain, ALICE, BOB, 1)
    extend(chain, transfer)
    with pytest.raises(OSError, match="on purpose"):
        extend(chain)
    extend(chain)
    with pytest.raises(OSError, match="on purpose"):
        chain.undo()
    assert chain.height == 2
    chain.undo()
    chain.undo()
    assert (chain.height, chain.ledger.changes) == (0, 7)  # type: ignore[attr-defined]


def test_a_ledger_that_fails_from_the_start() -> None:
    with pytest.raises(OSError, match="on purpose"):
        bare_chain(ledger=FailingLedger(fail_on={1}))


def test_a_ledger_that_forgets_how_to_undo() -> None:
    ledger = FailingLedger(keep_states=1)
    chain = bare_chain(ledger=ledger)
    extend(chain)
    extend(chain)
    assert ledger.undo(1) is None


KEYS = [b"", b"\x00", b"\x00\x01", b"\x00\x01\x02", b"\x10", b"\x11\x22", b"k" * 32, b"k" * 31 + b"l"]


@pytest.mark.parametrize("count", range(len(KEYS) + 1))
def test_the_slow_trie_and_the_fast_one_agree(count: int) -> None:
    slow, fast = NaiveTrie(), MerklePatriciaTrie()
    contents = {key: bytes([at + 1]) * (1 + 7 * at) for at, key in enumerate(KEYS[:count])}
    assert slow.update(contents) == fast.update(contents) == slow.root
    for key in (*KEYS, b"\x00\x02", b"\x12", b"k" * 30 + b"zz", b"k"):
        assert slow.get(key) == contents.get(key)
        assert slow.prove(key) == fast.prove(key)
        assert verify_proof(slow.root, key, slow.prove(key)) == contents.get(key)


def test_the_slow_trie_forgets() -> None:
    trie = NaiveTrie()
    assert trie.root == EMPTY_ROOT
    trie.update({b"a": b"1", b"b": b"2"})
    trie.update({b"a": b"", b"c": b""})
    alone = NaiveTrie()
    alone.update({b"b": b"2"})
    assert trie.root == alone.root
    assert trie.update({b"b": b""}) == EMPTY_ROOT
    assert trie.prove(b"b") == ()
