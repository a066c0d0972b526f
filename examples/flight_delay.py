"""Flight-delay insurance that pays by itself: nobody files a claim, and nobody decides on one."""

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines.standard import Insurance, InsuranceProduct

HOUR, DAY = 3_600, 24 * 3_600

insurer, ann, ben, airport, airline, radar = people = [Account.create() for _ in range(6)]
clock = ManualClock()
chain = Chain.in_memory(dict.fromkeys(people, ether(100)), clock=clock, auto_seal=True)


def pass_time(seconds: int) -> None:
    """Let time go by, and a block be made, in which the timers that are due fire."""
    clock.advance(seconds)
    chain.seal()


def coins(wei: int) -> str:
    """Show an amount in coins."""
    return f"{wei / ether(1):g}"


# One transaction issues the product, one fills the pool.
flight = InsuranceProduct.issue(
    chain,
    insurer,
    subject="OS 417 on 24 November: minutes late at the gate",
    premium=ether(1) // 10,
    payouts={120: ether(1), 240: ether(3)},
    oracles=[airport, airline, radar],
    selling_time=7 * DAY,
    cover_time=DAY,
    report_time=3 * DAY,
)
flight.fund(insurer, ether(6))
terms = flight.terms()
print(f"{terms.subject}: {coins(terms.premium)} a policy")
for minutes in (119, 120, 300):
    print(f"  {minutes} minutes pay {coins(terms.payout_of(minutes))}")

print("\nEach policy sets the highest payout aside")
for person in (ann, ben):
    policy = flight.buy(person)
    pool = flight.pool()
    print(f"  policy {policy.number}: pool {coins(pool.balance)}, reserved {coins(pool.reserved)}")
for who, act in (
    ("a third buyer", lambda: flight.buy(ann)),
    ("the insurer", lambda: flight.withdraw(insurer, ether(1))),
):
    try:
        act()
    except Reverted as refusal:
        print(f"  {who} is refused: {refusal.message}")

print("\nThe flight is four and a half hours late")
pass_time(7 * DAY)
print("  nothing is sold any more:", flight.state)
pass_time(DAY)
before = {person: chain.balance(person) for person in (ann, ben)}
flight.report(airport, 271)
print("  one oracle has reported:", flight.state)
flight.report(airline, 265)  # counts from the runway, and is alone with it
decided = flight.report(radar, 271)
print("  two agree:", flight.state, decided, flight.outcome())
for name, person in (("Ann", ann), ("Ben", ben)):
    print(f"  {name} has {coins(chain.balance(person) - before[person])} more, in the same block")
print("  left in the machine:", flight.pool().balance)

print("\nNo oracle speaks: premiums go back, the reserve to the insurer")
silent = InsuranceProduct.issue(
    chain,
    insurer,
    subject="OS 418 on 25 November: minutes late at the gate",
    premium=ether(1) // 10,
    payouts={120: ether(1)},
    oracles=[airport, airline, radar],
    selling_time=DAY,
    cover_time=DAY,
    report_time=DAY,
)
silent.fund(insurer, ether(2))
silent.buy(ann)
pass_time(DAY)
pass_time(2 * DAY)
print("  ", silent.state, "- held for Ann:", coins(silent.pool().balance))
silent.refund(ann, 0)
print("   after she took it:", silent.pool().balance)

print("\nRain of a month below 40 mm pays, below 15 mm more")
rain = InsuranceProduct.issue(
    chain,
    insurer,
    subject="Rain at Marchegg in April, mm",
    premium=ether(1) // 5,
    payouts={40: ether(1), 15: ether(2)},
    at_most=True,
    oracles=[airport, airline, radar],
    selling_time=30 * DAY,
    cover_time=30 * DAY,
    report_time=10 * DAY,
)
rain.fund(insurer, ether(10))
rain.buy(ben)
pass_time(30 * DAY)
pass_time(30 * DAY)
rain.report(airport, 33)
rain.report(radar, 33)
outcome = rain.outcome()
print("  33 mm:", coins(outcome.payout) if outcome else "nothing")

print("\nWhat each call costs, whatever happens:")
for name in ("fund", "buy", "attest", "refund", "withdraw"):
    print(f"  {name:9}{Insurance.gas()[name]:>9,} gas")
