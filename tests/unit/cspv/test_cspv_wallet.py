"""Every lie that a node can tell a wallet, and what the wallet makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import Account, Chain, InvalidInput, UsageError, ether
from chainstack_sdk.core.receipts import Receipt
from chainstack_sdk.cspv import (
    AccountKey,
    OperatorKey,
    Payment,
    PaymentWallet,
    Proof,
    Provable,
    StorageKey,
    prove,
)

ALICE, BOB, CAROL = (Account.from_key(number) for number in (1, 2, 3))
HOUR = 3_600_000
EURO, ISLE = 71, 72
"""Ids of two chains that one party runs with one key."""


class World:
    """Two chains, and one wallet with anchors of both: Bob's."""

    def __init__(self) -> None:
        key = OperatorKey(b"\x0e" * 32)
        self.finality = {chain_id: key.finality(chain_id) for chain_id in (EURO, ISLE)}
        self.chains = {
            chain_id: Chain.in_memory({ALICE: ether(100)}, chain_id=chain_id, auto_seal=True)
            for chain_id in (EURO, ISLE)
        }
        self.wallet = PaymentWallet(
            [finality.anchor() for finality in self.finality.values()], BOB.address, HOUR
        )
        self.euro = self.chains[EURO]
        self.gold = self.euro.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
        self.paid = self.euro.transfer(ALICE, BOB, 500)
        self.now = self.euro.head.timestamp_ms + 1_000

    def prove(self, target: Provable, chain_id: int = EURO, height: int | None = None) -> Proof:
        return prove(self.chains[chain_id].blockchain, self.finality[chain_id], target, height)

    def raw(self, receipt: Receipt, chain_id: int = EURO) -> bytes:
        return self.chains[chain_id].transaction(receipt.transaction_hash).raw

    def fail(self) -> Receipt:
        """A payment of tokens that fails: there are not so many."""
        data = self.gold.contract.abi_function("transfer").encode_call(BOB.address, 5_000)
        sent = self.euro.send(self.euro.sign(ALICE, self.gold.address, data=data, gas=100_000))
        return self.euro.receipt(sent)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_a_balance_that_is_proven_is_taken(world: World) -> None:
    proof = world.prove(AccountKey(BOB.address))
    for answer in (proof, proof.to_bytes()):
        account = world.wallet.account(EURO, answer, world.now)
        assert (account.address, account.balance) == (BOB.address, world.euro.balance(BOB))
    absent = world.wallet.account(ISLE, world.prove(AccountKey(BOB.address), ISLE), world.now)
    assert (absent.exists, absent.balance) == (False, 0)


def test_a_forged_balance_is_found_out(world: World) -> None:
    proof = world.prove(AccountKey(BOB.address))
    nodes = proof.body.nodes  # type: ignore[union-attr]
    richer = nodes[-1].replace((500).to_bytes(2, "big"), (50_000).to_bytes(2, "big"))
    assert richer != nodes[-1]
    forged = replace(proof, body=replace(proof.body, nodes=(*nodes[:-1], richer)))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        world.wallet.account(EURO, forged, world.now)


def test_the_account_of_another_is_not_taken(world: World) -> None:
    with pytest.raises(InvalidInput, match="another's"):
        world.wallet.account(EURO, world.prove(AccountKey(ALICE.address)), world.now)


def test_a_payment_of_coin_is_taken(world: World) -> None:
    proof = world.prove(world.paid)
    payment = world.wallet.coin_payment(EURO, proof.to_bytes(), world.raw(world.paid), world.now)
    assert payment == Payment(
        chain_id=EURO,
        height=world.paid.height,
        timestamp_ms=world.euro.block(world.paid.height).timestamp_ms,
        transaction_hash=world.paid.transaction_hash,
        place=0,
        token=None,
        sender=ALICE.address,
        amount=500,
    )
    assert payment.key == (EURO, world.paid.transaction_hash, None, 0)


def test_payments_of_tokens_are_taken(world: World) -> None:
    receipt = world.gold.transfer(ALICE, BOB, 25)
    (payment,) = world.wallet.token_payments(EURO, world.prove(receipt), world.gold.address, world.now)
    assert (payment.token, payment.sender, payment.amount) == (world.gold.address, ALICE.address, 25)
    assert payment.key == (EURO, receipt.transaction_hash, world.gold.address, 0)


def test_a_forged_receipt_is_found_out(world: World) -> None:
    receipt = world.gold.transfer(ALICE, BOB, 25)
    proof = world.prove(receipt)
    item = proof.body.item  # type: ignore[union-attr]
    forged = replace(proof, body=replace(proof.body, item=item[:-1] + b"\xff"))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="has not signed"):
        world.wallet.token_payments(EURO, forged, world.gold.address, world.now)


def test_a_failed_payment_is_not_taken_for_one(world: World) -> None:
    failed = world.fail()
    assert not failed.succeeded
    proof = world.prove(failed)
    with pytest.raises(InvalidInput, match="payment failed"):
        world.wallet.token_payments(EURO, proof, world.gold.address, world.now)
    with pytest.raises(InvalidInput, match="payment failed"):
        world.wallet.coin_payment(EURO, proof, world.raw(failed), world.now)
    paid = proof.body.item.replace(  # type: ignore[union-attr]
        failed.transaction_hash + b"\x80", failed.transaction_hash + b"\x01"
    )
    shown = replace(proof, body=replace(proof.body, item=paid))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="has not signed"):
        world.wallet.coin_payment(EURO, shown, world.raw(failed), world.now)


def test_a_payment_on_another_chain_is_not_taken_for_one_here(world: World) -> None:
    elsewhere = world.chains[ISLE].transfer(ALICE, BOB, 700)
    proof, raw = world.prove(elsewhere, ISLE), world.raw(elsewhere, ISLE)
    assert world.wallet.coin_payment(ISLE, proof, raw, world.now).amount == 700
    with pytest.raises(InvalidInput, match="has not signed"):
        world.wallet.coin_payment(EURO, proof, raw, world.now)


def test_a_payment_to_another_is_not_taken(world: World) -> None:
    coin, token = world.euro.transfer(ALICE, CAROL, 9), world.gold.transfer(ALICE, CAROL, 9)
    with pytest.raises(InvalidInput, match="pays somebody else"):
        world.wallet.coin_payment(EURO, world.prove(coin), world.raw(coin), world.now)
    for contract in (world.gold.address, bytes(20)):
        with pytest.raises(InvalidInput, match="nothing of this token"):
            world.wallet.token_payments(EURO, world.prove(token), contract, world.now)


def test_what_pays_nothing_is_no_payment(world: World) -> None:
    coin, token = world.euro.transfer(ALICE, BOB, 0), world.gold.transfer(ALICE, BOB, 0)
    with pytest.raises(InvalidInput, match="pays somebody else"):
        world.wallet.coin_payment(EURO, world.prove(coin), world.raw(coin), world.now)
    with pytest.raises(InvalidInput, match="nothing of this token"):
        world.wallet.token_payments(EURO, world.prove(token), world.gold.address, world.now)


def test_a_token_of_another_contract_does_not_count(world: World) -> None:
    fake = world.euro.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
    receipt = fake.transfer(ALICE, BOB, 25)
    with pytest.raises(InvalidInput, match="nothing of this token"):
        world.wallet.token_payments(EURO, world.prove(receipt), world.gold.address, world.now)


def test_a_receipt_does_not_go_with_another_transaction(world: World) -> None:
    other = world.euro.transfer(ALICE, BOB, 10**6)
    with pytest.raises(InvalidInput, match="of another transaction"):
        world.wallet.coin_payment(EURO, world.prove(world.paid), world.raw(other), world.now)


def test_old_news_is_refused(world: World) -> None:
    proof = world.prove(AccountKey(BOB.address), height=world.paid.height)
    time = world.euro.block(world.paid.height).timestamp_ms
    assert world.wallet.account(EURO, proof, time + HOUR).height == world.paid.height
    with pytest.raises(InvalidInput, match="too old") as caught:
        world.wallet.account(EURO, proof, time + HOUR + 1)
    assert caught.value.actual == HOUR + 1


def test_an_answer_to_another_question_is_refused(world: World) -> None:
    slot = world.prove(StorageKey(world.gold.address, 0))
    with pytest.raises(InvalidInput, match="of something else"):
        world.wallet.account(EURO, slot, world.now)
    account = world.prove(AccountKey(BOB.address))
    with pytest.raises(InvalidInput, match="of something else"):
        world.wallet.coin_payment(EURO, account, world.raw(world.paid), world.now)


def test_mistakes_of_the_caller_are_told(world: World) -> None:
    anchor = world.finality[EURO].anchor()
    with pytest.raises(UsageError, match="two anchors"):
        PaymentWallet([anchor, anchor], BOB.address, HOUR)
    with pytest.raises(UsageError, match="20 bytes"):
        PaymentWallet([anchor], bytes(19), HOUR)
    with pytest.raises(UsageError, match="no anchor for this chain"):
        world.wallet.account(99, b"", world.now)
