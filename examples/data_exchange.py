"""Data exchange: a buyer, two honest providers, an applet that cheats, and a provider who does."""

from __future__ import annotations

from chainstack_sdk import Account, Chain, ManualClock, ether
from chainstack_sdk.apps.exchange import Buyer, Provider, Specification, check_opening, seal_result
from chainstack_sdk.apps.market import Market
from chainstack_sdk.apps.sandbox import Applet, AppletError, Grant, Limits, Manifest, Sandbox
from chainstack_sdk.machines import days
from chainstack_sdk.primitives.keccak import keccak256

AVERAGE = """
function main(input) {
    const nights = records.read("sleep").slice(-input.nights);
    return Math.round(nights.reduce((sum, one) => sum + one.minutes, 0) / nights.length);
}
"""
GREEDY = "const main = () => records.read('sleep')"
SCHEMA = {"type": "integer", "minimum": 0, "maximum": 1440}

institute, ann, ben, cheat, judge = (Account.from_key(bytes([number]) * 32) for number in range(1, 6))
funds = dict.fromkeys((institute, ann, ben, cheat, judge), ether(1))
clock = ManualClock()
chain = Chain.in_memory(funds, clock=clock, auto_seal=True)
market, sandbox = Market(), Sandbox()
nights = {
    ann: [{"minutes": 431, "place": "home"}, {"minutes": 402, "place": "home"}],
    ben: [{"minutes": 388, "place": "work"}, {"minutes": 512, "place": "home"}],
}


def applet(name: str, code: str) -> Applet:
    """Sign a script that reads records of sleep and lets out 16 bytes."""
    limits = Limits(fuel=200_000_000)
    manifest = Manifest(name, "1.0.0", institute.address, "js", records=("sleep",), emit=16, limits=limits)
    return Applet.sign(manifest, code.encode(), institute)


# The institute asks: one transaction holds the whole escrow.
buyer = Buyer(chain, institute)
average = applet("sleep.average", AVERAGE)
question = Specification("Minutes of sleep, on average over two nights", {"nights": 2}, SCHEMA)
task = buyer.publish(
    average,
    question,
    market=market,
    price=1_000,
    answers=3,
    window=7 * days,
    objection_period=2 * days,
    arbiter=judge,
    ruling_period=3 * days,
)
print("in escrow:", chain.balance(task.address), "wei")

# Ann and Ben look, run the applet at home, look again, and send.
wallets = {each: Provider(chain, each, market, sandbox) for each in (ann, ben)}
print(wallets[ann].show(task))
previews = {}
for who, wallet in wallets.items():
    preview = wallet.prepare(task, Grant({"sleep": nights[who]}, emit=16))
    print(preview.describe().splitlines()[0])
    wallet.send(preview, confirm=preview.result)
    previews[who] = preview

# A second task comes with an applet that wants more than it says. It stays in the box.
greedy = applet("sleep.free", GREEDY)
trap = buyer.publish(
    greedy, question, market=market, price=9_000, answers=1, window=7 * days, objection_period=days
)
try:
    wallets[ann].prepare(trap, Grant({"sleep": nights[ann]}, emit=16))
except AppletError as stopped:
    print(f"nothing was sent: {stopped.message}")

# A cheat makes an answer up without any applet, for the third price.
made_up = b'"eight hours"'
signed = task.statement(cheat, bytes(32))
forged = seal_result(
    signed, made_up, cheat.sign(signed.digest(made_up)), key=task.terms.key, room=16, seed=bytes(32)
)
task.answer(cheat, keccak256(forged), bytes(32), forged)

# The institute opens the envelopes and decides. Ann's answer it calls useless all the same.
for verdict in buyer.review(task):
    if verdict.answer.provider == ann.address:
        task.object(institute, verdict.answer.number, "I do not like it")
    else:
        buyer.decide(task, verdict)
    print(f"answer {verdict.answer.number}: {verdict.value if verdict.is_good else verdict.objection}")
print("objections:", [each.args["reason"] for each in task.events("Objected")])

# Ann shows the judge, and nobody else, what is behind her answer. The judge runs the applet again.
(answer,) = [each for each in task.answers() if each.provider == ann.address]
found = check_opening(
    previews[ann].opening, task, answer, applet=average, specification=question, sandbox=sandbox
)
task.rule(judge, answer.number, pay=True)
print("the judge finds", found.decode(), "and pays:", task.status(answer.number).name)

# Nobody rules for the cheat; what is left goes back when the time is up.
clock.advance(7 * days)
chain.seal()
for answer in task.answers():
    print(answer.number, answer.status.name)
    if answer.status.name == "CONTESTED":
        task.settle(ben, answer.number)
task.close(ben)
print(task.state, "with", chain.balance(task.address), "wei left")
