"""Medicine from the maker to the patient: who had it, how cold it was kept, a counterfeit, and a recall."""

from collections.abc import Callable
from secrets import token_bytes

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.cspv import OperatorKey, StorageKey, prove
from chainstack_sdk.machines.standard import ProductLine

names = "maker", "carrier", "pharmacy", "logger", "inspector", "Austria", "Italy", "France"
people = {name: Account.create() for name in names}
maker, carrier, pharmacy, logger, inspector, *regulators = people.values()
called = {account.address: name for name, account in people.items()}
clock = ManualClock()
chain = Chain.in_memory(dict.fromkeys(people.values(), ether(10)), clock=clock, auto_seal=True)
YEAR = 365 * 24 * 3_600


def attempt(what: str, act: Callable[..., object], *args: object) -> None:
    """Do what the machine refuses, and show why."""
    try:
        act(*args)
    except Reverted as refusal:
        print(f"  {what}: refused, {refusal.message}")


# One transaction issues the line. Temperatures are in tenths of a degree, humidity in percent.
line = ProductLine.issue(
    chain,
    maker,
    product="Insulin 100 U/ml, 10 ml",
    regulators=regulators,
    temperature=(20, 80),
    humidity=(0, 75),
)
for dealer in (carrier, pharmacy):
    line.admit(maker, dealer, dealer=True)
line.admit(maker, logger, sensor=True)
for regulator in regulators[:2]:
    line.appoint(regulator, inspector)
line.open_batch(maker, "LOT 7", best_before=clock.now_ms() // 1_000 + 2 * YEAR)
vials = [f"LOT 7 / {number:03}" for number in range(1, 25)]
line.register(maker, "LOT 7", vials)
print("registered, sold, destroyed:", line.read("counts"))

print("\nFrom hand to hand: each signs")
first, second, third, *_ = vials
for vial in (first, second, third):
    line.offer(maker, vial, carrier)
    line.accept(carrier, vial)
attempt("a thief takes it over", line.accept, logger, first)
attempt("the maker sells what it gave away", line.sell, maker, first)

print("\nThe second vial gets warm on its way")
line.measure(logger, first, temperature=52, humidity=40)
line.measure(logger, second, temperature=131, humidity=40)
for vial in (first, second, third):
    line.offer(carrier, vial, pharmacy)
    line.accept(pharmacy, vial)
attempt("selling it", line.sell, pharmacy, second)
line.inspect(inspector, second, passed=False, report=b"degraded")
line.destroy(pharmacy, second)
line.sell(pharmacy, first)
attempt("selling the first twice", line.sell, pharmacy, first)

print("\nWhat a patient sees")
for label in (first, third, "LOT 7 / 999"):
    found = line.item(label)
    print(f"  {label}: {found.status.name}, genuine: {found.is_genuine}, recalled: {found.recalled}")
print("  held by:", ", ".join(called[each] for each in line.holders(third)))

print("\nTwo regulators recall the batch")
line.recall(regulators[0], "LOT 7", "particles")
print("  one has spoken:", line.item(third).recalled)
line.recall(regulators[2], "LOT 7", "particles")
print("  two have spoken:", line.item(third).recalled)
attempt("selling the third", line.sell, pharmacy, third)
attempt("handing it to another dealer", line.offer, pharmacy, third, carrier)
line.offer(pharmacy, third, maker)
line.accept(maker, third)
line.destroy(maker, third)
for event in line.history(third):
    print(f"  block {event.height:2}: {event.name}")

print("\nA phone believes no server: it checks a proof")
key = OperatorKey(token_bytes(32))
finality = key.finality(chain.chain_id)
phone = finality.anchor()
target = StorageKey(line.address, line.slot_of("recalled", "LOT 7"))
proof = prove(chain.blockchain, finality, target)
print(f"  {len(proof.to_bytes())} bytes prove: recalled", bool(phone.verify(proof).value))
