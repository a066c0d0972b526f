"""States kept as trie nodes: every root readable, nothing unwritten left behind, damage noticed."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.commitment import FlatCommitment, encode_account
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.genesis import GenesisAccount, state_root
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.core.trie import StoredTrie, verify_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

ALICE, BOB, TOKEN = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ONE, TWO = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
CODE = b"\xef\x43code"

Batch = tuple[dict[bytes, tuple[int, int, bytes]], dict[bytes, dict[bytes, int]]]

BATCHES: list[Batch] = [
    ({ALICE: (0, 5, b""), BOB: (0, 7, b"")}, {}),
    ({ALICE: (1, 4, b""), TOKEN: (1, 0, CODE)}, {TOKEN: {ONE: 11, TWO: 22}}),
    ({BOB: (0, 0, b""), TOKEN: (1, 9, CODE)}, {TOKEN: {ONE: 0, TWO: 23}}),
    ({TOKEN: (0, 0, b"")}, {TOKEN: {TWO: 0}}),
]


def write(store: MemoryStore, kept: StoredCommitment) -> None:
    store.write_batch(kept.take_writes())


def test_roots_and_values_are_those_of_a_flat_commitment() -> None:
    store, flat = MemoryStore(), FlatCommitment()
    kept = StoredCommitment(store)
    roots = [kept.root]
    for batch in BATCHES:
        assert kept.commit(*batch) == flat.commit(*batch)
        assert kept.storage_root(TOKEN) == flat.storage_root(TOKEN)
        write(store, kept)
        roots.append(kept.root)
    assert roots[0] == EMPTY_ROOT
    assert roots[-1] == state_root({ALICE: GenesisAccount(nonce=1, balance=4)})

    reopened = StoredCommitment(store, roots[-1])
    first, second = reopened.at(roots[1]), reopened.at(roots[2])
    assert first.load_account(ALICE) == (0, 5, b"")
    assert first.load_account(TOKEN) == (0, 0, b"")
    assert first.load_slot(TOKEN, ONE) == 0
    assert second.load_account(TOKEN) == (1, 0, CODE)
    assert [second.load_slot(TOKEN, slot) for slot in (ONE, TWO, bytes(32))] == [11, 22, 0]
    assert reopened.load_account(TOKEN) == (0, 0, b"")


def test_values_are_readable_before_they_are_written() -> None:
    kept = StoredCommitment(MemoryStore())
    kept.commit(*BATCHES[1])
    assert kept.load_account(TOKEN) == (1, 0, CODE)
    assert kept.load_slot(TOKEN, TWO) == 22


def test_code_is_written_once() -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    kept.commit({TOKEN: (1, 0, CODE), BOB: (1, 0, CODE)}, {})
    writes = kept.take_writes()
    assert writes[b"c" + keccak256(CODE)] == CODE
    store.write_batch(writes)
    kept.commit({ALICE: (1, 0, CODE)}, {})
    assert b"c" + keccak256(CODE) not in kept.take_writes()
    assert kept.take_writes() == {}


def test_reset_drops_what_nobody_wrote() -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    first = kept.commit(*BATCHES[0])
    write(store, kept)
    kept.commit(*BATCHES[1])
    kept.reset(first)
    assert kept.root == first
    assert kept.take_writes() == {}
    second = kept.commit(*BATCHES[1])
    write(store, kept)
    assert StoredCommitment(store, second).load_slot(TOKEN, ONE) == 11


def test_proofs() -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    kept.commit(*BATCHES[0])
    write(store, kept)
    root = kept.commit(*BATCHES[1])
    leaf = encode_account(1, 0, kept.storage_root(TOKEN), keccak256(CODE))
    assert verify_proof(root, keccak256(TOKEN), kept.prove_account(TOKEN)) == leaf
    assert verify_proof(root, keccak256(bytes(20)), kept.prove_account(bytes(20))) is None
    storage_root = kept.storage_root(TOKEN)
    assert verify_proof(storage_root, keccak256(ONE), kept.prove_slot(TOKEN, ONE)) == rlp_encode(11)
    assert kept.prove_slot(ALICE, ONE) == ()


def test_a_missing_code_is_noticed() -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    kept.commit({TOKEN: (1, 0, CODE)}, {})
    write(store, kept)
    for damage in ({}, {b"c" + keccak256(CODE): b"other"}):
        store.write_batch(damage, [b"c" + keccak256(CODE)])
        with pytest.raises(InvalidInput, match="code"):
            kept.load_account(TOKEN)


@pytest.mark.parametrize(
    "leaf",
    [
        b"account",
        rlp_encode([]),
        rlp_encode([1, 2, 3]),
        rlp_encode([[], 0, b"", b""]),
        b"\xc4\x00\x01\x80\x80",
    ],
)
def test_a_malformed_account_is_noticed(leaf: bytes) -> None:
    store = MemoryStore()
    trie = StoredTrie(store)
    trie.update({keccak256(ALICE): leaf})
    with pytest.raises(InvalidInput):
        StoredCommitment(store, trie.root).load_account(ALICE)


@pytest.mark.parametrize("leaf", [rlp_encode([b"\x01"]), b"\x82\x00\x01", b"\xa1" + b"\x01" * 33, b"\x81"])
def test_a_malformed_slot_is_noticed(leaf: bytes) -> None:
    store = MemoryStore()
    storage = StoredTrie(store)
    storage.update({keccak256(ONE): leaf})
    trie = StoredTrie(store)
    trie.update({keccak256(TOKEN): encode_account(1, 0, storage.root, EMPTY_HASH)})
    with pytest.raises(InvalidInput):
        StoredCommitment(store, trie.root).load_slot(TOKEN, ONE)


def test_the_codec_hands_out_nodes_and_finds_roots() -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    codec, state = NodeCodec(kept), State(kept)
    state.set_balance(ALICE, 5)
    diff = state.commit()
    root = state.root
    puts, deletes = codec.writes(state, diff)
    assert deletes == []
    assert {key[:1] for key in puts} == {b"n"}
    store.write_batch(puts)
    assert list(state.accounts()) == []
    assert state.balance(ALICE) == 5

    other = StoredCommitment(store)
    again = State(other)
    NodeCodec(other).load(store, again, root)
    assert again.root == root
    assert again.balance(ALICE) == 5


@pytest.mark.parametrize("lost", ["all nodes", "the storage"])
def test_a_failed_commit_can_be_rolled_back(lost: str) -> None:
    store = MemoryStore()
    kept = StoredCommitment(store)
    root = kept.commit(*BATCHES[1])
    write(store, kept)
    state = State(StoredCommitment(store, root))
    state.set_balance(ALICE, 1)
    state.set_storage(TOKEN, ONE, 12)
    nodes = dict(store.iterate(b"n"))
    storage = b"n" + kept.storage_root(TOKEN)
    store.write_batch({}, nodes if lost == "all nodes" else [storage])
    with pytest.raises(InvalidInput):
        state.commit()
    state.rollback(0)
    store.write_batch(nodes)
    assert (state.balance(ALICE), state.storage(TOKEN, ONE)) == (4, 11)
    assert state.root == root
    assert state.commit() == StateDiff()
