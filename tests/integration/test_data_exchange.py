"""Raw records never leave: applets that try, on a real chain with the real sandbox.

After each attempt everything that anybody else could see is searched for the records: blocks, receipts, the
market. The records hold marks that occur nowhere else.
"""

from __future__ import annotations

import pytest

from chainstack_sdk import Account, Chain, ManualClock, ether
from chainstack_sdk.apps.exchange import AnswerStatus, Buyer, Provider, Specification, TaskRefused
from chainstack_sdk.apps.market import Market
from chainstack_sdk.apps.sandbox import Applet, Grant, Limits, Manifest, Sandbox, errors
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.machines import days

BUYER, ANN = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
MARKS = ("Xk7-bakery", "Xk7-clinic", "4172936")
VISITS = [{"place": "Xk7-bakery", "spent": 4_172_936}, {"place": "Xk7-clinic", "spent": 12}]
GRANT = Grant({"visits": VISITS, "diary": "Xk7-clinic again"}, 24)
QUESTION = Specification("How many visits", 5, {"type": "integer", "minimum": 0, "maximum": 999})
LIMITS = Limits(fuel=60_000_000, milliseconds=60_000)


class World:
    def __init__(self, sandbox: Sandbox) -> None:
        funds = dict.fromkeys((BUYER, ANN), ether(1))
        self.clock, self.store = ManualClock(), MemoryStore()
        self.chain = Chain.in_memory(funds, clock=self.clock, auto_seal=True)
        self.market = Market(self.store)
        self.buyer = Buyer(self.chain, BUYER, seed=b"b" * 32)
        self.ann = Provider(self.chain, ANN, self.market, sandbox)

    def publish(self, code: str, question: Specification = QUESTION, limits: Limits = LIMITS, emit: int = 24):
        fields = {"records": ("visits",), "emit": emit, "limits": limits}
        applet = Applet.sign(Manifest("visits", "1.0.0", BUYER.address, "js", **fields), code.encode(), BUYER)
        return self.buyer.publish(
            applet,
            question,
            market=self.market,
            price=1_000,
            answers=1,
            window=9 * days,
            objection_period=days,
        )

    def outside(self) -> bytes:
        """Everything that others can see."""
        seen = []
        for height in range(self.chain.height + 1):
            seen.append(self.chain.block(height).encode())
            for receipt in self.chain.receipts(height):
                seen.append(receipt.output)
                seen += [b"".join([*log.topics, log.data]) for log in receipt.logs]
        seen += [key + value for key, value in self.store.iterate(b"")]
        return b"|".join(seen)


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return World(sandbox)


def forms(mark: str) -> list[bytes]:
    """A mark as text, in hexadecimal, in UTF-16, and a number as bytes."""
    plain = mark.encode()
    numbers = [int(mark).to_bytes(4, "big"), int(mark).to_bytes(4, "little")] if mark.isdigit() else []
    return [plain, plain.hex().encode(), mark.encode("utf-16-le"), *numbers]


def assert_nothing_left(world: World) -> None:
    outside = world.outside()
    for mark in MARKS:
        for form in forms(mark):
            assert form not in outside


STOPPED = {
    "the records themselves": ("const main = () => records.read('visits')", errors.QuotaExceeded),
    "one byte more than the quota": ("const main = () => 'x'.repeat(22)", errors.QuotaExceeded),
    "in many small values": (
        "const main = () => { for (const c of records.read('visits')[0].place) emit(c) }",
        errors.QuotaExceeded,
    ),
    "in the keys of an object": (
        "const main = () => ({[records.read('visits')[0].place + records.read('visits')[1].place]: 1})",
        errors.QuotaExceeded,
    ),
    "a giant output": ("const main = () => 'x'.repeat(1 << 16)", errors.QuotaExceeded),
    "two values within the quota": ("const main = () => { emit(12); emit(13) }", TaskRefused),
    "text where a number is asked for": (
        "const main = () => records.read('visits')[0].place",
        TaskRefused,
    ),
    "a number beyond the schema": ("const main = () => records.read('visits')[0].spent", TaskRefused),
    "in the exception": (
        "const main = () => { throw new Error(JSON.stringify(records.read('visits'))) }",
        errors.AppletFailed,
    ),
    "emitted before an exception": (
        "const main = () => { emit(records.read('visits')[0].place); throw 1 }",
        errors.AppletFailed,
    ),
    "a record that was not asked for": ("const main = () => records.read('diary')", errors.CapabilityDenied),
    "the record in the name of another": (
        "const main = () => records.read(records.read('visits')[0].place)",
        errors.CapabilityDenied,
    ),
    "by how long it runs": (
        "const main = () => { if (records.read('visits')[1].place.includes('clinic')) for (;;); }",
        errors.FuelExhausted,
    ),
    "by how much it takes": (
        "const main = () => { const all = []; for (;;) all.push(new Uint8Array(1 << 22)) }",
        errors.MemoryExceeded,
    ),
    "through the interpreter": (
        "const main = () => this.constructor.constructor('return process')().env",
        errors.AppletFailed,
    ),
}


@pytest.mark.parametrize("how", STOPPED)
def test_nothing_leaves_an_applet_that_tries(world: World, how: str) -> None:
    code, ends_with = STOPPED[how]
    task = world.publish(code)
    height = world.chain.height
    with pytest.raises(ends_with):
        world.ann.prepare(task, GRANT)
    assert (world.chain.height, task.progress()) == (height, (0, 0, 0))
    assert_nothing_left(world)


def test_an_applet_that_takes_too_long_sends_nothing(world: World) -> None:
    task = world.publish("const main = () => { for (;;); }", limits=Limits(fuel=10**12, milliseconds=20))
    with pytest.raises(errors.TimeExceeded):
        world.ann.prepare(task, GRANT)
    assert task.progress() == (0, 0, 0)


def test_an_applet_of_another_hash_is_not_run(world: World) -> None:
    """A market that hands out another applet is found out by the hash that the task names."""
    task = world.publish("const main = () => 1")
    evil = Manifest("evil", "1.0.0", BUYER.address, "js", records=("visits",), emit=24)
    package = Applet.sign(evil, b"const main = () => 2", BUYER).encode()
    world.store.write_batch({b"p" + task.terms.applet: package})
    with pytest.raises(errors.AppletRefused, match="damaged"):
        world.ann.prepare(task, GRANT)


@pytest.mark.parametrize("on_the_way", [24, 4_000])
def test_an_honest_answer_shows_outsiders_nothing(world: World, on_the_way: int) -> None:
    task = world.publish("const main = () => records.read('visits').length", emit=on_the_way)
    preview = world.ann.prepare(task, GRANT)
    number = world.ann.send(preview, confirm=b"2")
    assert_nothing_left(world)
    (verdict,) = world.buyer.review(task, envelopes={number: preview.envelope})
    assert verdict.value == 2
    world.buyer.decide(task, verdict)
    assert task.status(number) is AnswerStatus.PAID
    assert_nothing_left(world)
    assert not any(form in preview.envelope for mark in MARKS for form in forms(mark))


def test_the_search_finds_what_leaves(world: World) -> None:
    """If a record did get out, the search above would see it."""
    task = world.publish("const main = () => 1")
    task.answer(ANN, bytes(32), bytes(32))
    task.object(BUYER, 1, "Xk7-clinic")
    with pytest.raises(AssertionError):
        assert_nothing_left(world)


def test_answers_on_chain_have_one_size_and_bounds(world: World) -> None:
    sizes = set()
    for code in ("const main = () => 1", "const main = () => 999"):
        task = world.publish(code)
        world.ann.send(world.ann.prepare(task, GRANT), confirm=code[-3:].strip("> ").encode())
        (answer,) = task.answers()
        sizes.add(len(answer.envelope))
        (transaction,) = world.chain.block(world.chain.height).transactions
        assert len(transaction.raw) < 700
        world.market = world.ann.market = Market()
    assert sizes == {48 + 65 + 4 + 24}


def test_what_an_applet_can_hide_is_what_the_schema_leaves_it(world: World) -> None:
    """It may send something else than it says: three digits of it, which the preview shows."""
    task = world.publish("const main = () => records.read('visits')[0].spent % 1000")
    preview = world.ann.prepare(task, GRANT)
    assert preview.result == b"936"
    assert "the buyer would read: 936" in preview.describe()
    assert_nothing_left(world)
