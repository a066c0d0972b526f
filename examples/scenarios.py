"""Four businesses on one chain, an act each: an auction, a data exchange, an insurance, traced medicine."""

from chainstack_sdk import Account, ChainStack, ManualClock, Reverted, ether
from chainstack_sdk.apps.exchange import Buyer, Provider, Specification
from chainstack_sdk.apps.market import Market
from chainstack_sdk.apps.sandbox import Applet, AppletError, Grant, Limits, Manifest, Sandbox
from chainstack_sdk.machines.standard import InsuranceProduct, ProductLine

HOUR, DAY = 3_600, 24 * 3_600

people = [Account.create() for _ in range(8)]
clock = ManualClock()
chain = ChainStack.local(funds=dict.fromkeys(people, ether(100)), clock=clock).main


def pass_time(seconds: int) -> None:
    """Let time go by, and a block be made, in which the timers that are due fire."""
    clock.advance(seconds)
    chain.seal()


def coins(wei: int) -> str:
    """Show an amount in coins."""
    return f"{wei / ether(1):g}"


def auction() -> None:
    """Issue a collection, a platform bound to it, give it the right to trade, and sell."""
    artist, gallery, buyer, *_ = people
    prints = chain.erc721.issue(artist, name="Prints", symbol="PRT")
    prints.mint(artist, artist, 1)
    house = chain.auctions.issue(gallery, prints, commission=500)
    prints.set_approval_for_all(artist, house)
    house.list_dutch(artist, 1, start=ether(10), floor=ether(2), duration=DAY)
    pass_time(12 * HOUR)
    house.bid(buyer, 1, ether(9))
    paid = house.listing(1).amount
    print(f"  listed at 10 coins, falling to 2 in a day; sold after half a day for {paid / ether(1):.2f}")
    print("  the print is the buyer's:", prints.owner_of(1) == buyer.address)


def data_exchange() -> None:
    """Ask for an answer that an applet finds in somebody's records; see that nothing else leaves."""
    institute, sleeper, *_ = people
    market, sandbox = Market(), Sandbox()
    limits = Limits(fuel=200_000_000)

    def applet(name: str, code: str) -> Applet:
        manifest = Manifest(name, "1.0.0", institute.address, "js", records=("sleep",), emit=8, limits=limits)
        return Applet.sign(manifest, code.encode(), institute)

    buyer = Buyer(chain, institute)
    wallet = Provider(chain, sleeper, market, sandbox)
    mine = Grant({"sleep": [{"minutes": 431, "place": "home"}, {"minutes": 403, "place": "away"}]}, emit=8)
    question = Specification("Minutes of sleep in a night", None, {"type": "integer"})
    terms = {"price": ether(1), "answers": 1, "window": 7 * DAY, "objection_period": 2 * DAY}
    average = (
        "const main = () => records.read('sleep').reduce((s, n) => s + n.minutes, 0)"
        " / records.read('sleep').length"
    )
    task = buyer.publish(applet("sleep.average", average), question, market=market, **terms)
    preview = wallet.prepare(task, mine)
    wallet.send(preview, confirm=preview.result)
    (verdict,) = buyer.review(task)
    buyer.decide(task, verdict)
    print(f"  what left the wallet: {preview.result.decode()}; what came to it: {coins(ether(1))}")

    greedy = applet("sleep.all", "const main = () => records.read('sleep')")
    trap = buyer.publish(greedy, question, market=market, **terms)
    try:
        wallet.prepare(trap, mine)
    except AppletError as stopped:
        print("  an applet that wants everything:", stopped.message)


def insurance() -> None:
    """Insure a flight; let two of three oracles report, and everybody be paid in that block."""
    insurer, ann, ben, *oracles = people[:6]
    flight = InsuranceProduct.issue(
        chain,
        insurer,
        subject="OS 417: minutes late at the gate",
        premium=ether(1) // 10,
        payouts={120: ether(1), 240: ether(3)},
        oracles=oracles,
        selling_time=7 * DAY,
        cover_time=DAY,
        report_time=3 * DAY,
    )
    flight.fund(insurer, ether(6))
    for person in (ann, ben):
        flight.buy(person)
    try:
        flight.buy(ann)
    except Reverted as refusal:
        print("  a third policy:", refusal.message)
    pass_time(8 * DAY)
    before = chain.balance(ann)
    for oracle in oracles[:2]:
        flight.report(oracle, 271)
    print(f"  271 minutes late, nobody filed a claim: Ann has {coins(chain.balance(ann) - before)} more")
    print("  the product is", flight.state, "and holds", flight.pool().balance)


def traceability() -> None:
    """Trace a vial to the pharmacy; recall its batch; refuse to sell it."""
    maker, pharmacy, *regulators = people[:5]
    line = ProductLine.issue(
        chain,
        maker,
        product="Insulin 100 U/ml",
        regulators=regulators,
        temperature=(20, 80),
        humidity=(0, 75),
    )
    line.admit(maker, pharmacy, dealer=True)
    line.open_batch(maker, "LOT 7", best_before=clock.now_ms() // 1_000 + 730 * DAY)
    line.register(maker, "LOT 7", ["vial 1"])
    line.offer(maker, "vial 1", pharmacy)
    line.accept(pharmacy, "vial 1")
    print("  vial 1 is genuine:", line.item("vial 1").is_genuine, "- vial 9:", line.item("vial 9").is_genuine)
    for regulator in regulators[:2]:
        line.recall(regulator, "LOT 7", "particles")
    try:
        line.sell(pharmacy, "vial 1")
    except Reverted as refusal:
        print("  after the recall, a sale:", refusal.message)
    proof = chain.prove(chain.receipt(line.history("vial 1")[-1].transaction_hash))
    print(f"  proven to a phone: {chain.anchor.verify(proof).succeeded}, {len(proof.to_bytes())} bytes")


for number, act in enumerate((auction, data_exchange, insurance, traceability), 1):
    print(f"{number}. {(act.__doc__ or '').partition('.')[0]}")
    act()
