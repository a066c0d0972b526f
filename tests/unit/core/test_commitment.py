"""From changed values to roots and proofs, with tries in memory."""

from __future__ import annotations

import pytest

from chainstack_sdk.core import commitment
from chainstack_sdk.core.commitment import FlatCommitment, encode_account, secure_key, slot_leaves
from chainstack_sdk.core.genesis import GenesisAccount, state_root
from chainstack_sdk.core.trie import verify_proof
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing import NaiveTrie

ALICE, BOB, TOKEN = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ONE, TWO = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
CODE = b"\xef\x43code"


def test_an_account_leaf() -> None:
    assert encode_account(3, 10**18, EMPTY_ROOT, EMPTY_HASH) == rlp_encode(
        [3, 10**18, EMPTY_ROOT, EMPTY_HASH]
    )


def test_slot_leaves() -> None:
    assert slot_leaves({ONE: 0, TWO: 300}) == {keccak256(ONE): b"", keccak256(TWO): rlp_encode(300)}


def test_hashed_keys_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commitment, "_CACHE_LIMIT", 2)
    monkeypatch.setattr(commitment, "_hashed_keys", {})
    keys = [bytes([number]) * 20 for number in range(5)]
    assert [secure_key(key) for key in keys] == [keccak256(key) for key in keys]
    assert len(commitment._hashed_keys) <= 2


@pytest.fixture(params=["fast", "naive"])
def flat(request: pytest.FixtureRequest) -> FlatCommitment:
    return FlatCommitment() if request.param == "fast" else FlatCommitment(NaiveTrie)


def test_roots_are_those_of_the_accounts(flat: FlatCommitment) -> None:
    assert flat.root == EMPTY_ROOT
    assert not flat.lazy
    root = flat.commit(
        {ALICE: (1, 5, b""), BOB: (0, 7, b""), TOKEN: (1, 0, CODE)}, {TOKEN: {ONE: 11, TWO: 22}}
    )
    expected = {
        ALICE: GenesisAccount(nonce=1, balance=5),
        BOB: GenesisAccount(balance=7),
        TOKEN: GenesisAccount(nonce=1, code=CODE, storage={1: 11, 2: 22}),
    }
    assert root == flat.root == state_root(expected)
    assert flat.storage_root(ALICE) == EMPTY_ROOT
    assert flat.storage_root(TOKEN) != EMPTY_ROOT


def test_what_is_empty_does_not_exist(flat: FlatCommitment) -> None:
    flat.commit({ALICE: (1, 5, b""), TOKEN: (0, 0, CODE)}, {TOKEN: {ONE: 11}, BOB: {ONE: 1}})
    flat.commit({BOB: (0, 0, b"")}, {BOB: {ONE: 1}})
    assert flat.root == state_root(
        {
            ALICE: GenesisAccount(nonce=1, balance=5),
            TOKEN: GenesisAccount(code=CODE, storage={1: 11}),
            BOB: GenesisAccount(storage={1: 1}),
        }
    )
    flat.commit({ALICE: (0, 0, b""), TOKEN: (0, 0, b""), BOB: (0, 0, b"")}, {TOKEN: {ONE: 0}, BOB: {ONE: 0}})
    assert flat.root == EMPTY_ROOT
    assert flat.storage_root(TOKEN) == EMPTY_ROOT
    assert flat._storages == {}


def test_an_account_outlives_its_storage(flat: FlatCommitment) -> None:
    flat.commit({ALICE: (1, 5, b"")}, {ALICE: {ONE: 1}})
    flat.commit({ALICE: (1, 5, b"")}, {ALICE: {ONE: 0}})
    assert flat.root == state_root({ALICE: GenesisAccount(nonce=1, balance=5)})


def test_proofs(flat: FlatCommitment) -> None:
    flat.commit({ALICE: (1, 5, b""), TOKEN: (1, 0, CODE)}, {TOKEN: {ONE: 11, TWO: 22}})
    leaf = encode_account(1, 0, flat.storage_root(TOKEN), keccak256(CODE))
    assert verify_proof(flat.root, keccak256(TOKEN), flat.prove_account(TOKEN)) == leaf
    assert verify_proof(flat.root, keccak256(BOB), flat.prove_account(BOB)) is None
    storage_root = flat.storage_root(TOKEN)
    assert verify_proof(storage_root, keccak256(TWO), flat.prove_slot(TOKEN, TWO)) == rlp_encode(22)
    assert verify_proof(EMPTY_ROOT, keccak256(ONE), flat.prove_slot(ALICE, ONE)) is None
    assert flat.prove_slot(ALICE, ONE) == ()


def test_a_flat_commitment_holds_no_values_and_one_root() -> None:
    flat = FlatCommitment()
    for ask in (
        lambda: flat.load_account(ALICE),
        lambda: flat.load_slot(ALICE, ONE),
        lambda: flat.reset(EMPTY_ROOT),
        lambda: flat.at(EMPTY_ROOT),
    ):
        with pytest.raises(UsageError):
            ask()
