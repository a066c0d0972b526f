"""A shared resource: storage for rent, counted by three meters; a bill accepted, disputed, and forgotten."""

from chainstack_sdk import Account, Chain, ManualClock, ether
from chainstack_sdk.machines.standard import Rental, RentalHandle

DAY = 24 * 3600
GWEI = 10**9

olga, umar, *meters = (Account.create() for _ in range(5))
funds = dict.fromkeys((olga, umar, *meters), ether(1))
clock = ManualClock()
chain = Chain.in_memory(funds, clock=clock, auto_seal=True)

disk = RentalHandle.issue(
    chain,
    olga,
    meters=meters,
    unit="GB",
    unit_price=1_000 * GWEI,
    time_price=10 * GWEI,
    deposit=50_000 * GWEI,
    capacity=500,
    longest=30 * DAY,
    window=DAY,
)
print("a booking costs", Rental.gas()["book"], "gas, a reading", Rental.gas()["meter"])


def agree(function, *args):
    """Two of the three meters say the same."""
    function(meters[0], *args)
    function(meters[1], *args)


def lease(units, used):
    """Book a day, begin, use, and let the day pass: then there is a bill."""
    disk.book(umar, units, DAY)
    agree(disk.begin)
    agree(disk.meter, used // 2)
    clock.advance(DAY)
    chain.seal()
    agree(disk.conclude, used)
    print("\nUmar booked", units, "GB and used", used, "- the bill:", disk.lease().claim // GWEI, "gwei")


def ended():
    """Tell how the last lease ended."""
    last = disk.settlements()[-1]
    print("  Olga gets", last.paid // GWEI, "gwei, Umar gets back", last.returned // GWEI)


lease(100, 120)
disk.accept(umar)
ended()

lease(100, 400)
disk.object(umar, admitted=1_000_000 * GWEI)
agree(disk.decide, 90, DAY)
print("  he objects, the meters look again")
ended()

lease(100, 80)
print("  he says nothing for a day")
clock.advance(DAY)
chain.seal()
ended()

disk.book(umar, 10, DAY)
print("\nbooked, and the meters never see the disk")
clock.advance(3_600)
chain.seal()
ended()
disk.withdraw(olga)
print("\nheld in the end:", chain.balance(disk), "wei,", disk.state)
