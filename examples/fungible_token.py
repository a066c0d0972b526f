"""An ERC-20 token with every option: mint, burn, pause, allowances, a signed permit, events."""

from chainstack_sdk import Account, ChainStack, Reverted, ether

owner, shop, customer = Account.create(), Account.create(), Account.create()
chain = ChainStack.local(funds={owner: ether(10), shop: ether(10)}).main

points = chain.erc20.issue(
    owner,
    name="Points",
    symbol="PTS",
    decimals=2,
    supply=50_000,
    cap=100_000,
    mintable=True,
    burnable=True,
    pausable=True,
)
print(f"{points.name} ({points.symbol}) at {points.address.hex()}, supply {points.total_supply()}")

# The owner mints for a customer who has no coin and so can pay no fee.
points.mint(owner, customer, 1_000)

# The customer signs a permit; the shop sends it and pays for it, then collects.
signature = points.sign_permit(customer, shop, 300)
points.permit(shop, customer, shop, 300, signature)
points.transfer_from(shop, customer, shop, 300)
print("shop has", points.balance_of(shop), "and may still take", points.allowance(customer, shop))

# What the rules forbid costs nothing when it is found out before sending.
for what, attempt in {
    "over the cap": lambda: points.mint(owner, shop, 100_000),
    "not the owner": lambda: points.pause(shop),
    "too much": lambda: points.transfer(shop, owner, 301),
}.items():
    try:
        attempt()
    except Reverted as refusal:
        print(f"{what}: {refusal.message}")

points.burn(shop, 100)
points.pause(owner)
try:
    points.transfer(shop, owner, 1)
except Reverted as refusal:
    print("while paused:", refusal.message)
points.unpause(owner)

for event in points.events("Transfer"):
    print(f"block {event.height}: {event.args['value']} moved")
print("supply", points.total_supply())
