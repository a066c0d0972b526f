"""Proofs of a real chain, one party's: what is proven is what the chain itself says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chainstack_sdk import Account, Chain, InvalidInput, UsageError, ether
from chainstack_sdk.core.receipts import Receipt
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.cspv import (
    AccountKey,
    ChainKeyAnchor,
    ChainKeyFinality,
    OperatorKey,
    Proof,
    Provable,
    Proven,
    ProvenAccount,
    ProvenReceipt,
    ProvenStorage,
    ProvenTransaction,
    StorageKey,
    TokenTransfer,
    prove,
    prove_account,
    prove_receipt,
    prove_storage,
    prove_transaction,
    transfers,
)
from chainstack_sdk.paradigms import Erc20Token
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT

ALICE, BOB = Account.from_key(1), Account.from_key(2)


@dataclass(frozen=True)
class Scene:
    """A chain with a token and some payments, and what proves it."""

    chain: Chain
    gold: Erc20Token
    finality: ChainKeyFinality
    paid: Receipt
    failed: Receipt

    @property
    def anchor(self) -> ChainKeyAnchor:
        return self.finality.anchor()

    def prove(self, target: Provable, height: int | None = None) -> Proof:
        return prove(self.chain.blockchain, self.finality, target, height)

    def verify(self, target: Provable, height: int | None = None) -> Proven:
        return self.anchor.verify(self.prove(target, height).to_bytes())


@pytest.fixture(scope="module")
def scene() -> Scene:
    chain = Chain.in_memory({ALICE: ether(100)}, auto_seal=True)
    gold = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
    chain.transfer(ALICE, BOB, ether(1))
    chain.auto_seal = False
    for value in (1, 2, 5_000, 4):
        data = gold.contract.abi_function("transfer").encode_call(BOB.address, value)
        chain.send(chain.sign(ALICE, gold.address, data=data, gas=100_000))
    height = chain.seal().height
    _, paid, failed, _ = chain.receipts(height)
    return Scene(chain, gold, OperatorKey(b"\x09" * 32).finality(chain.chain_id), paid, failed)


def test_a_receipt_is_proven_with_its_transfers(scene: Scene) -> None:
    proven = scene.verify(scene.paid)
    assert isinstance(proven, ProvenReceipt)
    block = scene.chain.block(scene.paid.height)
    assert (proven.chain_id, proven.height, proven.slot) == (scene.chain.chain_id, block.height, 0)
    assert (proven.timestamp_ms, proven.block_hash) == (block.timestamp_ms, block.hash)
    assert (proven.index, proven.transaction_hash) == (1, scene.paid.transaction_hash)
    assert proven.succeeded
    assert proven.cumulative_gas_used == scene.paid.cumulative_gas_used
    assert [(log.address, log.topics, log.data) for log in proven.logs] == list(scene.paid.logs)
    expected = TokenTransfer(scene.gold.address, ALICE.address, BOB.address, 2)
    assert transfers(proven) == (expected,)


def test_a_failed_receipt_is_proven_to_have_failed(scene: Scene) -> None:
    proven = scene.verify(scene.failed)
    assert isinstance(proven, ProvenReceipt)
    assert (proven.succeeded, proven.status, proven.logs) == (False, 0, ())
    assert transfers(proven) == ()


def test_a_receipt_proof_is_as_long_as_promised(scene: Scene) -> None:
    proof = scene.prove(scene.paid)
    item = proof.body.item  # type: ignore[union-attr]
    assert len(proof.to_bytes()) == 204 + 5 + 32 * 2 + len(item) <= 220 + 32 * 2 + len(item)


def test_a_transaction_is_proven(scene: Scene) -> None:
    transaction = scene.chain.transaction(scene.failed.transaction_hash)
    proven = scene.verify(transaction)
    assert isinstance(proven, ProvenTransaction)
    assert (proven.index, proven.raw, proven.hash) == (2, transaction.raw, transaction.hash)
    assert scene.verify(transaction, scene.failed.height) == proven


@pytest.mark.parametrize("height", [None, 0, 1, 2, 3])
def test_an_account_is_proven_at_any_height(scene: Scene, height: int | None) -> None:
    for address in (ALICE.address, BOB.address, scene.gold.address):
        proven = scene.verify(AccountKey(address), height)
        assert isinstance(proven, ProvenAccount)
        assert proven.height == (scene.chain.height if height is None else height)
        expected = scene.chain.prove_account(address, block=height)
        assert (proven.address, proven.nonce, proven.balance) == (address, expected.nonce, expected.balance)
        assert (proven.storage_root, proven.code_hash) == (expected.storage_root, expected.code_hash)
        assert proven.exists == bool(expected.nonce or expected.balance)


def test_an_account_is_proven_to_be_absent(scene: Scene) -> None:
    for number in range(10):
        proven = scene.verify(AccountKey(number.to_bytes(20, "little")))
        assert isinstance(proven, ProvenAccount)
        assert (proven.exists, proven.nonce, proven.balance) == (False, 0, 0)
        assert (proven.storage_root, proven.code_hash) == (EMPTY_ROOT, EMPTY_HASH)


def test_a_slot_is_proven_before_and_after_it_was_written(scene: Scene) -> None:
    changes = scene.chain.trace(scene.paid.transaction_hash).storage
    assert changes
    for change in changes:
        slot = int.from_bytes(change.slot, "big")
        for height in (scene.paid.height - 1, scene.paid.height):
            proven = scene.verify(StorageKey(scene.gold.address, slot), height)
            assert isinstance(proven, ProvenStorage)
            assert (proven.address, proven.key) == (scene.gold.address, change.slot)
            assert proven.value == scene.chain.storage(scene.gold.address, slot, block=height)


def test_a_slot_is_proven_to_be_empty(scene: Scene) -> None:
    for address in (scene.gold.address, BOB.address, bytes(20)):
        for slot in (77, 2**256 - 1):
            proven = scene.verify(StorageKey(address, slot))
            assert isinstance(proven, ProvenStorage)
            assert (proven.key, proven.value) == (slot.to_bytes(32, "big"), 0)


def test_each_function_gives_what_the_common_one_gives(scene: Scene) -> None:
    chain, finality = scene.chain.blockchain, scene.finality
    height = scene.paid.height
    transaction = scene.chain.transaction(scene.paid.transaction_hash)
    assert prove_receipt(chain, finality, height, 1) == scene.prove(scene.paid, height)
    assert prove_transaction(chain, finality, height, 1) == scene.prove(transaction)
    assert prove_account(chain, finality, bytes(20)) == scene.prove(AccountKey(bytes(20)))
    assert prove_storage(chain, finality, bytes(20), 3, 1) == scene.prove(StorageKey(bytes(20), 3), 1)


def test_what_is_not_on_the_chain_cannot_be_proven(scene: Scene) -> None:
    with pytest.raises(UsageError, match="not of this chain"):
        scene.prove(scene.paid._replace(status=0))
    with pytest.raises(UsageError, match="no such item"):
        scene.prove(scene.paid._replace(transaction_index=4))
    with pytest.raises(UsageError, match="in another block"):
        scene.prove(scene.paid, scene.paid.height - 1)
    with pytest.raises(UsageError, match="in another block"):
        scene.prove(scene.chain.transaction(scene.paid.transaction_hash), 1)
    waiting = sign_transaction(
        BOB,
        chain_id=scene.chain.chain_id,
        nonce=50,
        to=ALICE.address,
        gas=21_000,
        max_fee_per_gas=10**9,
    )
    with pytest.raises(UsageError, match="no block holds"):
        scene.prove(waiting)
    for height in (-1, scene.chain.height + 1):
        with pytest.raises(UsageError, match="no such block"):
            scene.prove(AccountKey(bytes(20)), height)
        with pytest.raises(UsageError, match="no such block"):
            prove_receipt(scene.chain.blockchain, scene.finality, height, 0)


def test_what_cannot_be_asked_for_is_refused() -> None:
    for key in (AccountKey, lambda address: StorageKey(address, 0)):
        with pytest.raises(UsageError, match="20 bytes"):
            key(bytes(21))
    for slot in (-1, 1 << 256):
        with pytest.raises(UsageError, match="256 bits"):
            StorageKey(bytes(20), slot)


def test_a_block_that_is_not_final_cannot_be_proven(scene: Scene) -> None:
    unsigned = ChainKeyFinality(scene.chain.chain_id, lambda: b"", lambda _: None)
    with pytest.raises(UsageError, match="has not signed"):
        prove(scene.chain.blockchain, unsigned, scene.paid)


def test_a_proof_does_not_hold_on_another_chain_under_the_same_key(scene: Scene) -> None:
    key = scene.anchor.key
    other = ChainKeyAnchor(scene.chain.chain_id + 1, key)
    with pytest.raises(InvalidInput, match="has not signed"):
        other.verify(scene.prove(scene.paid))
