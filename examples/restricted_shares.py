"""Restricted shares: a list of holders, a founder who vests, a limit, a window, and a court's order."""

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether

DAY = 24 * 3600
YEAR = 365 * DAY

company, registrar, ann, ben, eve = people = [Account.create() for _ in range(5)]
clock = ManualClock()
chain = Chain.in_memory(dict.fromkeys(people, ether(1)), clock=clock, auto_seal=True)
now = chain.head.timestamp_ms // 1000

mill = chain.shares.issue(
    company,
    name="Mill plc",
    symbol="MILL",
    supply=10_000,
    registrar=registrar,
    max_holders=3,
    max_share=4_000,
    window_start=now,
    window_period=90 * DAY,
    window_length=30 * DAY,
)


def attempt(what, sender, to, value):
    """Ask first, as a wallet does; then try all the same."""
    foretold = mill.restriction(sender, to, value)
    try:
        mill.transfer(sender, to, value)
        print(f"{what}: done")
    except Reverted:
        print(f"{what}: {foretold.message}")


attempt("1,000 to Ann", company, ann, 1_000)
for person in (ann, ben, eve):
    mill.list_holder(registrar, person)
mill.lock(registrar, ann, 1_000, start=now, cliff=now + YEAR, end=now + 4 * YEAR)
attempt("1,000 to Ann, who is on the list now", company, ann, 1_000)
attempt("Ann sells 1", ann, ben, 1)
attempt("4,001 to Ben", company, ben, 4_001)
attempt("4,000 to Ben", company, ben, 4_000)
attempt("one to Eve, the fourth", company, eve, 1)
print("holders:", mill.holder_count())

clock.advance(2 * YEAR)
chain.seal()
print("\ntwo years later Ann is free to sell", mill.free_of(ann), "- the window is open:", mill.window_open())
attempt("Ann sells 500", ann, company, 500)
mill.freeze(registrar, ben)
attempt("Ben, frozen, sells", ben, company, 1)
clock.advance(20 * DAY)
chain.seal()
attempt("Ann sells 500 when the window has closed", ann, company, 500)

mill.force_transfer(registrar, ben, company, 4_000, reason="ruling 7/26")
print("by order of a court, Ben holds", mill.balance_of(ben))
