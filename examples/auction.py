"""An auction platform: a Dutch sale whose price falls, an English one whose bids rise."""

from chainstack_sdk import Account, ChainStack, ManualClock, Reverted, ether

HOUR, DAY = 3600, 24 * 3600

artist, gallery, ann, ben = (Account.create() for _ in range(4))
clock = ManualClock()
funds = {person: ether(100) for person in (artist, gallery, ann, ben)}
chain = ChainStack.local(funds=funds, clock=clock).main

# One transaction issues the collection, one the platform bound to it, one gives it the trading right.
prints = chain.erc721.issue(artist, name="Prints", symbol="PRT")
prints.mint(artist, artist, 1)
prints.mint(artist, artist, 2)
house = chain.auctions.issue(gallery, prints, commission=500, extension=600)
prints.set_approval_for_all(artist, house)
print(f"a platform for {house.collection.name}, commission {house.commission / 100} %")

print("\nDutch: from 10 coins down to 2 in a day")
sale = house.list_dutch(artist, 1, start=ether(10), floor=ether(2), duration=DAY)
for hours in (0, 6, 12):
    print(f"  after {hours:2} hours: {sale.price_at(sale.begins + hours * HOUR) / ether(1)} coins")
clock.set_ms((sale.begins + 12 * HOUR) * 1000)  # the time of the next block
before = chain.balance(artist), chain.balance(gallery)
try:
    house.bid(ben, 1, ether(5))
except Reverted as refusal:
    print("  Ben bids 5:", refusal.message.split("(")[0])
house.bid(ann, 1, ether(9))
paid = house.listing(1).amount
print("  Ann bids 9 and pays", paid / ether(1), "- the print is hers:", prints.owner_of(1) == ann.address)
earned = chain.balance(artist) - before[0], chain.balance(gallery) - before[1]
print("  artist and gallery:", *(amount / ether(1) for amount in earned))

print("\nEnglish: from 1 coin, half a coin more at least, one hour")
auction = house.list_english(artist, 2, reserve=ether(1), increment=ether(1) // 2, duration=HOUR)
house.bid(ann, 2)
print("  Ann bids", house.listing(2).amount / ether(1), "and the platform holds the print")
house.bid(ben, 2, ether(3))
print("  Ben bids 3, Ann has her coin back; the next bid is", house.price_of(2) / ether(1), "or more")
clock.set_ms((auction.ends - 60) * 1000)
house.bid(ann, 2, ether(4))
print("  Ann bids 4 in the last minute: the end moves by", house.listing(2).ends - auction.ends, "seconds")
clock.set_ms((house.listing(2).ends + 1) * 1000)
house.settle(ben, 2)
print("  anybody settles: the print is Ann's:", prints.owner_of(2) == ann.address)
print("  left on the platform:", chain.balance(house), "wei")
