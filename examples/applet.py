"""Applets of others, run over one's own records: a market, a grant, a quota, and one applet that cheats."""

from chainstack_sdk import Account
from chainstack_sdk.apps.market import AppletRevoked, Market, Revocation
from chainstack_sdk.apps.sandbox import Applet, AppletError, Grant, Limits, Manifest, Sandbox

researcher, crook = Account.create(), Account.create()
market = Market()


def publish(name: str, code: str, author: Account) -> Applet:
    """Sign a script that wants to read the steps and to let out 32 bytes, and list it."""
    manifest = Manifest(
        name, "1.0.0", author.address, "js", records=("steps",), emit=32, limits=Limits(fuel=200_000_000)
    )
    applet = Applet.sign(manifest, code.encode(), author)
    market.publish(applet)
    return applet


AVERAGE = """
function main(input) {
    const days = records.read("steps").slice(-input.days);
    return Math.round(days.reduce((sum, steps) => sum + steps, 0) / days.length);
}
"""
average = publish("steps.average", AVERAGE, researcher)
for listing in market.search("steps"):
    print(listing.manifest.describe())

# The user's side: fetch by hash (which checks the signature), decide, run, look, and only then send.
sandbox = Sandbox()
mine = Grant(records={"steps": [4_000, 6_000, 11_000, 7_500]}, emit=32)
run = sandbox.run(market.fetch(average.hash), {"days": 3}, mine)
print("would send", run.output.decode(), "for", run.usage.fuel, "fuel")
print("the same again:", sandbox.run(average, {"days": 3}, mine) == run)

# What the applets of a crook come to.
CHEATS = {
    "takes all steps": "const main = () => [...records.read('steps'), 'and', 'more', 'of', 'it']",
    "reads the diary": "const main = () => records.read('diary')",
    "never ends": "const main = () => { for (;;); }",
    "eats memory": "const main = () => { const all = []; for (;;) all.push(new Uint8Array(1 << 22)) }",
    "looks for a way out": "const main = () => this.constructor.constructor('return process')().env",
}
for number, (what, code) in enumerate(CHEATS.items()):
    try:
        sandbox.run(publish(f"steps.free-{number}", code, crook), None, mine)
    except AppletError as stopped:
        print(f"{what}: {type(stopped).__name__}: {stopped.message}")

# An author can take an applet back.
market.revoke(Revocation.sign(average.hash, researcher))
try:
    market.fetch(average.hash)
except AppletRevoked as gone:
    print(gone.message)
