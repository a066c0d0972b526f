"""A phone that trusts no node: it holds an anchor, asks anybody, and believes what is proven."""

from dataclasses import replace
from secrets import token_bytes

from chainstack_sdk import Account, Chain, InvalidInput, ether
from chainstack_sdk.core import Receipt
from chainstack_sdk.cspv import AccountKey, OperatorKey, PaymentWallet, Proof, Provable, prove
from chainstack_sdk.primitives import Signer

HOUR_MS = 3_600_000


class FullNode:
    """Has the whole chain and gives proofs of it; this one also knows how to lie."""

    def __init__(self, chain: Chain, key: OperatorKey) -> None:
        self.chain, self.finality = chain, key.finality(chain.chain_id)

    def prove(self, target: Provable, height: int | None = None) -> bytes:
        """Give a proof as it goes over the wire."""
        return prove(self.chain.blockchain, self.finality, target, height).to_bytes()

    def raw(self, receipt: Receipt) -> bytes:
        """Give the transaction of a receipt."""
        return self.chain.transaction(receipt.transaction_hash).raw

    def forge_balance(self, owner: Signer, wei: int) -> bytes:
        """Put another balance into the proof of an account."""
        proof = Proof.from_bytes(self.prove(AccountKey(owner.address)))
        *above, leaf = proof.body.nodes
        true = self.chain.balance(owner)
        size = (true.bit_length() + 7) // 8
        forged = leaf.replace(true.to_bytes(size, "big"), wei.to_bytes(size, "big"))
        return replace(proof, body=replace(proof.body, nodes=(*above, forged))).to_bytes()

    def forge_receipt(self, receipt: Receipt, old: bytes, new: bytes) -> bytes:
        """Put other bytes into the proof of a receipt."""
        proof = Proof.from_bytes(self.prove(receipt))
        return replace(proof, body=replace(proof.body, item=proof.body.item.replace(old, new))).to_bytes()


def pay_too_much(node: FullNode, payer: Signer, recipient: Signer) -> Receipt:
    """Send more tokens than there are: the transaction gets into a block, and fails there."""
    gold = node.chain.erc20.issue(payer, name="Gold", symbol="GLD", supply=10)
    data = gold.contract.abi_function("transfer").encode_call(recipient.address, 11)
    sent = node.chain.send(node.chain.sign(payer, gold.address, data=data, gas=100_000))
    return node.chain.receipt(sent)


alice, bob, carol = Account.create(), Account.create(), Account.create()
key = OperatorKey(token_bytes(32))
euro = FullNode(Chain.in_memory({alice: ether(100)}, chain_id=71, auto_seal=True), key)
other = FullNode(Chain.in_memory({alice: ether(100)}, chain_id=72, auto_seal=True), key)

# All that Bob's phone has of the chain.
anchor = euro.finality.anchor()
wallet = PaymentWallet([anchor], bob.address, max_age_ms=HOUR_MS)
print(f"the phone holds {len(anchor.to_bytes())} bytes")

# What an honest node answers.
first = euro.chain.transfer(alice, bob, ether(1))
gold = euro.chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000)
second = gold.transfer(alice, bob, 25)
now = euro.chain.head.timestamp_ms + 1_000

answer = euro.prove(first)
payment = wallet.coin_payment(71, answer, euro.raw(first), now)
print(f"paid {payment.amount} wei at height {payment.height}, proven by {len(answer)} bytes")
answer = euro.prove(second)
(payment,) = wallet.token_payments(71, answer, gold.address, now)
print(f"paid {payment.amount} GLD at height {payment.height}, proven by {len(answer)} bytes")
account = wallet.account(71, euro.prove(AccountKey(bob.address)), now)
print(f"holds {account.balance} wei")

# What a lying node answers.
failed = pay_too_much(euro, alice, bob)
to_carol = euro.chain.transfer(alice, carol, ether(1))
elsewhere = other.chain.transfer(alice, bob, ether(1))
amount, more = (25).to_bytes(32, "big"), (25_000).to_bytes(32, "big")
paid = failed.transaction_hash + b"\x80", failed.transaction_hash + b"\x01"
lies = {
    "forged balance": lambda: wallet.account(71, euro.forge_balance(bob, ether(9)), now),
    "forged receipt": lambda: wallet.token_payments(
        71, euro.forge_receipt(second, amount, more), gold.address, now
    ),
    "failed payment": lambda: wallet.coin_payment(71, euro.prove(failed), euro.raw(failed), now),
    "failed payment shown as paid": lambda: wallet.coin_payment(
        71, euro.forge_receipt(failed, *paid), euro.raw(failed), now
    ),
    "wrong chain": lambda: wallet.coin_payment(71, other.prove(elsewhere), other.raw(elsewhere), now),
    "wrong recipient": lambda: wallet.coin_payment(71, euro.prove(to_carol), euro.raw(to_carol), now),
    "stale proof": lambda: wallet.account(
        71, euro.prove(AccountKey(bob.address), first.height), now + HOUR_MS
    ),
}
for name, tell in lies.items():
    try:
        tell()
    except InvalidInput as error:
        print(f"{name}: refused, {error.message}")
    else:
        raise SystemExit(f"{name}: believed")
