"""An ERC-721 collection: mint, approve, trade, list what somebody owns."""

from chainstack_sdk import Account, ChainStack, Reverted, ether

artist, gallery, collector = Account.create(), Account.create(), Account.create()
chain = ChainStack.local(funds={artist: ether(10), gallery: ether(10), collector: ether(10)}).main

prints = chain.erc721.issue(
    artist, name="Prints", symbol="PRT", base_uri="https://example.org/prints/", mintable=True, burnable=True
)
for number in (1, 2, 3):
    prints.mint(artist, artist, number)
print("total", prints.total_supply(), "first at", prints.token_uri(1))

prints.approve(artist, gallery, 2)
prints.safe_transfer_from(gallery, artist, collector, 2)
print("owner of 2 is the collector:", prints.owner_of(2) == collector.address)

try:
    prints.transfer_from(gallery, artist, collector, 3)
except Reverted as refusal:
    print("gallery may not sell 3:", refusal.message)

prints.set_approval_for_all(artist, gallery, True)
prints.transfer_from(gallery, artist, collector, 3)
held = [prints.token_of_owner_by_index(collector, index) for index in range(prints.balance_of(collector))]
print("collector holds", held)

prints.burn(collector, 3)
print("after burning", prints.total_supply(), "remain")
