"""Accounts, coin, a token, a proof: the whole path in one page."""

from chainstack_sdk import Account, ChainStack, ether

alice, bob = Account.create(), Account.create()
stack = ChainStack.local(funds={alice: ether(100)})

receipt = stack.main.transfer(alice, bob, ether(1))
print(f"coin sent in block {receipt.height}, fee {receipt.gas_used * receipt.effective_gas_price} wei")
print("bob holds", stack.main.balance(bob), "wei")

gold = stack.main.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000_000)
receipt = gold.transfer(alice, bob, 25)
print("token transfer succeeded:", receipt.succeeded)
print("bob holds", gold.balance_of(bob), gold.symbol)

proof = stack.main.prove_account(bob)
proof.verify(stack.main.head.state_root)
print(f"bob's account proven with {sum(map(len, proof.nodes))} bytes of trie nodes")
