from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chainstack_sdk import Chain, ManualClock, Reverted, UsageError, ether
from chainstack_sdk.cspv import StorageKey
from chainstack_sdk.machines import (
    ZERO_ADDRESS,
    Machine,
)
from chainstack_sdk.machines.standard import Batch, Item, ProductLine, Traceability, label_id
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.fixed import accounts

MAKER, CARRIER, SHOP, SENSOR, INSPECTOR, OWNER, STRANGER, *REGULATORS = PEOPLE = accounts(10)
LOT, OTHER_LOT = "LOT 1", "LOT 2"
ONE, TWO, ELSEWHERE, FAKE = "LOT 1/1", "LOT 1/2", "LOT 2/1", "LOT 1/9"
RAW: dict[str, Any] = {
    "regulators": REGULATORS,
    "product": "milk",
    "coldest": 20,
    "warmest": 80,
    "driest": 0,
    "dampest": 75,
}
Status, Condition = Traceability.Status, Traceability.Condition
Act = Callable[[ProductLine], object]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Chain:
    funds = dict.fromkeys(PEOPLE, ether(10))
    return Chain.in_memory(funds, auto_seal=True, clock=clock)


@pytest.fixture
def bare(chain: Chain) -> ProductLine:
    """A line with nobody and nothing in it."""
    return ProductLine.issue(
        chain, MAKER, product="milk", regulators=REGULATORS, temperature=(20, 80), humidity=(0, 75)
    )


@pytest.fixture
def line(bare: ProductLine) -> ProductLine:
    """Two batches with three things, all of them at the maker's."""
    for dealer in (CARRIER, SHOP):
        bare.admit(MAKER, dealer, dealer=True)
    bare.admit(MAKER, SENSOR, sensor=True)
    for regulator in REGULATORS[:2]:
        bare.appoint(regulator, INSPECTOR)
    bare.open_batch(MAKER, LOT)
    bare.open_batch(MAKER, OTHER_LOT)
    bare.register(MAKER, LOT, [ONE, TWO])
    bare.register(MAKER, OTHER_LOT, [ELSEWHERE])
    return bare


def hand_over(line: ProductLine, label: str, giver: Any, receiver: Any) -> None:
    line.offer(giver, label, receiver)
    line.accept(receiver, label)


def refused(line: ProductLine, act: Act, told: str) -> None:
    """The machine refuses, and says why."""
    with pytest.raises(Reverted, match=told):
        act(line)


# The line


def test_one_transaction_issues_a_line(chain: Chain) -> None:
    height = chain.height
    line = ProductLine.issue(
        chain, MAKER, product="milk", regulators=REGULATORS, temperature=(-5, 8), humidity=(1, 75)
    )
    assert (chain.height, line.state) == (height + 1, "producing")
    parties = (MAKER.address, tuple(each.address for each in REGULATORS))
    assert line.read("line") == (*parties, "milk", -5, 8, 1, 75)
    assert line.read("counts") == (0, 0, 0)
    assert line == ProductLine.at(chain, line.address)
    assert line.batch(LOT) == Batch(0, 0, Condition.good, False)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"regulators": [REGULATORS[0], REGULATORS[0], REGULATORS[1]]}, "the regulators are three accounts"),
        ({"regulators": [REGULATORS[0], REGULATORS[1], REGULATORS[1]]}, "the regulators are three accounts"),
        ({"regulators": [REGULATORS[0], REGULATORS[1], REGULATORS[0]]}, "the regulators are three accounts"),
        ({"regulators": [*REGULATORS[:2], ZERO_ADDRESS]}, "a regulator is missing"),
        ({"regulators": [*REGULATORS[:2], MAKER]}, "the maker is no regulator"),
        ({"coldest": 81}, "nothing is within these bounds"),
        ({"driest": 76}, "nothing is within these bounds"),
        ({"product": "m" * 65}, "product takes at most 64 bytes"),
    ],
)
def test_lines_that_make_no_sense_are_refused(chain: Chain, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(Reverted, match=told):
        Traceability.deploy(chain, MAKER, **(RAW | changed))


def test_bounds_may_be_one_value(chain: Chain) -> None:
    Traceability.deploy(chain, MAKER, **(RAW | {"coldest": 80, "driest": 75, "product": "m" * 64}))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.admit(STRANGER, STRANGER, dealer=True), "only maker may call admit"),
        (lambda line: line.appoint(MAKER, MAKER), "only regulators may call appoint"),
        (lambda line: line.open_batch(SHOP, "x"), "only maker may call open_batch"),
        (lambda line: line.register(SHOP, LOT, ["x"]), "only maker may call register"),
        (lambda line: line.discontinue(SHOP), "only maker may call discontinue"),
        (lambda line: line.sweep(SHOP), "only maker may call sweep"),
        (lambda line: line.recall(SHOP, ONE, ""), "only regulators may call order_recall"),
        (lambda line: line.send(REGULATORS[0], "recall", label_id(ONE), ""), "only maker may call recall"),
        (lambda line: line.measure(SHOP, ONE, temperature=1, humidity=1), "only a sensor may"),
        (lambda line: line.inspect(SENSOR, ONE, passed=True), "only an inspector may"),
        (lambda line: line.inspect(MAKER, ONE, passed=True), "only an inspector may"),
    ],
)
def test_everybody_has_their_part(line: ProductLine, act: Act, told: str) -> None:
    refused(line, act, told)


def test_parts_are_given_and_taken(bare: ProductLine) -> None:
    bare.admit(MAKER, SHOP, dealer=True, sensor=True)
    assert bare.read("part_of", SHOP) == (True, True, False)
    bare.admit(MAKER, SHOP)
    assert bare.read("part_of", SHOP) == (False, False, False)
    bare.appoint(REGULATORS[0], SHOP)
    assert bare.read("part_of", SHOP) == (False, False, False)
    refused(bare, lambda line: line.appoint(REGULATORS[0], SHOP), "you have confirmed this already")
    bare.appoint(REGULATORS[2], SHOP)
    assert bare.read("part_of", SHOP) == (False, False, True)
    for regulator in REGULATORS[:2]:
        bare.appoint(regulator, SHOP, False)
    assert bare.read("part_of", SHOP) == (False, False, False)


def test_a_third_voice_does_not_wait_for_the_next_time(bare: ProductLine) -> None:
    """All three say the same; were the third kept, one alone could appoint whom two have dismissed."""
    for regulator in REGULATORS:
        bare.send(regulator, "appoint", SHOP.address, True, 0)
    for regulator in REGULATORS[:2]:
        bare.appoint(regulator, SHOP, False)
    refused(bare, lambda line: line.send(REGULATORS[0], "appoint", SHOP.address, True, 0), "another decision")
    bare.appoint(REGULATORS[0], SHOP)
    assert bare.read("part_of", SHOP) == (False, False, False)
    bare.appoint(REGULATORS[1], SHOP)
    assert bare.read("part_of", SHOP) == (False, False, True)
    assert bare.read("changes_of", SHOP) == 3
    bare.appoint(REGULATORS[0], SHOP)
    refused(bare, lambda line: line.appoint(REGULATORS[1], SHOP), "it is so already")


# Making


def test_things_are_registered_in_batches(chain: Chain, line: ProductLine) -> None:
    opened = line.batch(LOT).opened
    assert 0 < opened <= chain.head.timestamp_ms // 1_000
    made = Item(
        Status.held, label_id(LOT), MAKER.address, ZERO_ADDRESS, Condition.good, False, 0, may_be_sold=True
    )
    assert line.item(ONE) == made
    assert (made.is_genuine, made.is_offered) == (True, False)
    assert line.item(label_id(ONE)) == made
    assert line.read("counts") == (3, 0, 0)


def test_thousands_are_registered_sixteen_at_a_time(line: ProductLine) -> None:
    labels = [f"bottle {number}" for number in range(40)]
    receipts = line.register(MAKER, LOT, labels)
    assert len(receipts) == 3
    assert all(receipt.gas_used < 1_150_000 for receipt in receipts)
    assert line.read("counts") == (43, 0, 0)
    assert all(line.item(label).is_genuine for label in labels)
    assert line.register(MAKER, LOT, []) == []


def test_an_unknown_label_is_a_counterfeit(line: ProductLine) -> None:
    found = line.item(FAKE)
    assert (found.status, found.is_genuine, found.may_be_sold) == (Status.unknown, False, False)
    assert (line.history(FAKE), line.holders(FAKE), line.holders(LOT)) == ([], [], [])
    things = (ONE, ZERO_ADDRESS.rjust(32, b"\0"))
    assert [line.item(thing).is_genuine for thing in things] == [True, False]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.open_batch(MAKER, bytes(32)), "a batch has a number"),
        (lambda line: line.open_batch(MAKER, LOT), "there is this batch already"),
        (lambda line: line.open_batch(MAKER, ONE), "there is a thing of this number"),
        (lambda line: line.open_batch(MAKER, "x", best_before=1), "the time to sell it is over"),
        (lambda line: line.register(MAKER, "LOT 3", ["x"]), "no such batch"),
        (lambda line: line.register(MAKER, bytes(32), ["x"]), "no such batch"),
        (lambda line: line.register(MAKER, LOT, ["x", ONE]), "there is this thing already"),
        (lambda line: line.register(MAKER, OTHER_LOT, [ONE]), "there is this thing already"),
        (lambda line: line.register(MAKER, LOT, ["x", "x"]), "there is this thing already"),
        (lambda line: line.register(MAKER, LOT, [OTHER_LOT]), "there is a batch of this number"),
        (lambda line: line.register(MAKER, LOT, [LOT]), "there is a batch of this number"),
    ],
)
def test_numbers_stand_for_one_thing(line: ProductLine, act: Act, told: str) -> None:
    refused(line, act, told)
    assert line.read("counts") == (3, 0, 0)
    assert not line.item("x").is_genuine


def test_what_is_destroyed_is_not_registered_again(line: ProductLine) -> None:
    line.destroy(MAKER, ONE)
    refused(line, lambda line: line.register(MAKER, LOT, [ONE]), "there is this thing already")


@pytest.mark.parametrize("label", ["", b"", b"\1" * 31, b"\1" * 33])
def test_labels(label: str | bytes) -> None:
    assert label_id("a") == keccak256(b"a")
    assert label_id(b"\1" * 32) == b"\1" * 32
    with pytest.raises(UsageError, match="a label is a text, or 32 bytes"):
        label_id(label)
    with pytest.raises(UsageError, match="lone surrogates"):
        label_id("\ud800")


def test_what_is_discontinued_lives_on(line: ProductLine) -> None:
    line.discontinue(MAKER)
    assert line.state == "discontinued"
    refused(line, lambda line: line.open_batch(MAKER, "x"), "not possible in state discontinued")
    refused(line, lambda line: line.register(MAKER, LOT, ["x"]), "not possible in state discontinued")
    refused(line, lambda line: line.discontinue(MAKER), "not possible in state discontinued")
    line.admit(MAKER, STRANGER, dealer=True)
    hand_over(line, ONE, MAKER, STRANGER)
    line.measure(SENSOR, ONE, temperature=0, humidity=0)
    line.inspect(INSPECTOR, ONE, passed=True)
    line.sell(STRANGER, ONE)
    line.recall(MAKER, LOT, "")
    line.destroy(MAKER, TWO)


# Custody


def test_a_thing_goes_from_hand_to_hand(line: ProductLine) -> None:
    line.offer(MAKER, ONE, CARRIER)
    offered = line.item(ONE)
    assert (offered.holder, offered.receiver) == (MAKER.address, CARRIER.address)
    assert offered.is_offered
    line.accept(CARRIER, ONE)
    hand_over(line, ONE, CARRIER, SHOP)
    assert (line.item(ONE).holder, line.item(ONE).is_offered) == (SHOP.address, False)
    assert line.holders(ONE) == [each.address for each in (MAKER, CARRIER, SHOP)]
    names = [each.name for each in line.history(ONE)]
    assert names == ["Opened", "Registered", "Offered", "HandedOver", "Offered", "HandedOver"]
    assert [each.name for each in line.history(TWO)] == ["Opened", "Registered"]
    line.admit(MAKER, ZERO_ADDRESS, sensor=True)
    assert [each.name for each in line.history(LOT)] == ["Opened"]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.offer(MAKER, FAKE, CARRIER), "there is no such thing"),
        (lambda line: line.offer(MAKER, LOT, CARRIER), "there is no such thing"),
        (lambda line: line.offer(CARRIER, ONE, SHOP), "only its holder may"),
        (lambda line: line.offer(STRANGER, ONE, STRANGER), "only its holder may"),
        (lambda line: line.offer(MAKER, ONE, ZERO_ADDRESS), "offer it to somebody else"),
        (lambda line: line.offer(MAKER, ONE, MAKER), "offer it to somebody else"),
        (lambda line: line.offer(MAKER, ONE, STRANGER), "only dealers have what is not sold"),
        (lambda line: line.offer(MAKER, ONE, SENSOR), "only dealers have what is not sold"),
        (lambda line: line.accept(CARRIER, ONE), "it is not offered to you"),
        (lambda line: line.accept(CARRIER, FAKE), "it is not offered to you"),
        (lambda line: line.cancel(MAKER, ONE), "it is not offered"),
        (lambda line: line.cancel(MAKER, FAKE), "it is not offered"),
    ],
)
def test_custody_is_not_for_everybody(line: ProductLine, act: Act, told: str) -> None:
    refused(line, act, told)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.offer(MAKER, ONE, SHOP), "it is offered already"),
        (lambda line: line.sell(MAKER, ONE), "it is offered already"),
        (lambda line: line.destroy(MAKER, ONE), "it is offered already"),
        (lambda line: line.accept(SHOP, ONE), "it is not offered to you"),
        (lambda line: line.accept(MAKER, ONE), "it is not offered to you"),
        (lambda line: line.sell(CARRIER, ONE), "only its holder may"),
        (lambda line: line.cancel(SHOP, ONE), "only holder and receiver may"),
    ],
)
def test_what_is_on_its_way_is_nobody_elses(line: ProductLine, act: Act, told: str) -> None:
    line.offer(MAKER, ONE, CARRIER)
    refused(line, act, told)
    line.accept(CARRIER, ONE)
    refused(line, lambda line: line.accept(CARRIER, ONE), "it is not offered to you")


@pytest.mark.parametrize("who", [MAKER, CARRIER])
def test_an_offer_is_cancelled_from_both_sides(line: ProductLine, who: Any) -> None:
    line.offer(MAKER, ONE, CARRIER)
    line.cancel(who, ONE)
    assert (line.item(ONE).holder, line.item(ONE).is_offered) == (MAKER.address, False)
    refused(line, lambda line: line.accept(CARRIER, ONE), "it is not offered to you")
    hand_over(line, ONE, MAKER, SHOP)


def test_a_dealer_who_is_dismissed_gives_things_back(line: ProductLine) -> None:
    hand_over(line, ONE, MAKER, CARRIER)
    line.offer(MAKER, TWO, CARRIER)
    line.admit(MAKER, CARRIER)
    refused(line, lambda line: line.accept(CARRIER, TWO), "only dealers have what is not sold")
    refused(line, lambda line: line.sell(CARRIER, ONE), "only a dealer may")
    hand_over(line, ONE, CARRIER, MAKER)
    assert line.item(ONE).holder == MAKER.address


# Sale


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.sell(MAKER, FAKE), "there is no such thing in the trade"),
        (lambda line: line.sell(MAKER, LOT), "there is no such thing in the trade"),
        (lambda line: line.sell(SHOP, ONE), "only its holder may"),
        (lambda line: line.sell(STRANGER, ONE), "only its holder may"),
    ],
)
def test_who_sells_what(line: ProductLine, act: Act, told: str) -> None:
    refused(line, act, told)


def test_a_thing_is_sold_once(line: ProductLine) -> None:
    hand_over(line, ONE, MAKER, SHOP)
    line.sell(SHOP, ONE)
    found = line.item(ONE)
    assert (found.status, found.holder, found.may_be_sold) == (Status.sold, ZERO_ADDRESS, False)
    assert line.read("counts") == (3, 1, 0)
    for who in (SHOP, MAKER, STRANGER):
        refused(line, lambda line, who=who: line.sell(who, ONE), "there is no such thing in the trade")
        refused(line, lambda line, who=who: line.offer(who, ONE, CARRIER), "only its holder may")
        refused(line, lambda line, who=who: line.destroy(who, ONE), "only its holder may")


def test_a_certificate_passes_from_owner_to_owner(line: ProductLine) -> None:
    line.sell(MAKER, ONE, OWNER)
    refused(line, lambda line: line.offer(MAKER, ONE, STRANGER), "only its holder may")
    hand_over(line, ONE, OWNER, STRANGER)
    refused(line, lambda line: line.offer(OWNER, ONE, SHOP), "only its holder may")
    assert (line.item(ONE).status, line.item(ONE).holder) == (Status.sold, STRANGER.address)
    assert line.holders(ONE) == [each.address for each in (MAKER, OWNER, STRANGER)]
    line.destroy(STRANGER, ONE)
    assert (line.item(ONE).status, line.read("counts")) == (Status.destroyed, (3, 0, 1))


def test_best_before(clock: ManualClock, chain: Chain, line: ProductLine) -> None:
    until = chain.head.timestamp_ms // 1_000 + 100
    line.open_batch(MAKER, "LOT 3", best_before=until)
    line.register(MAKER, "LOT 3", ["fresh", "late"])
    assert line.item("fresh").best_before == line.batch("LOT 3").best_before == until
    clock.set_ms(until * 1_000)
    line.sell(MAKER, "fresh")
    refused(line, lambda line: line.sell(MAKER, "late"), "the time to sell it is over")
    chain.seal()
    assert not line.item("late").may_be_sold
    hand_over(line, "late", MAKER, SHOP)
    line.destroy(SHOP, "late")


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda line: line.offer(MAKER, ONE, SHOP), "there is no such thing"),
        (lambda line: line.sell(MAKER, ONE), "there is no such thing in the trade"),
        (lambda line: line.destroy(MAKER, ONE), "there is no such thing"),
        (lambda line: line.recall(MAKER, ONE, ""), "there is no such thing"),
        (lambda line: line.inspect(INSPECTOR, ONE, passed=True), "there is no such thing"),
        (lambda line: line.measure(SENSOR, ONE, temperature=1, humidity=1), "there is no such thing"),
    ],
)
def test_nothing_happens_to_what_is_destroyed(line: ProductLine, act: Act, told: str) -> None:
    line.destroy(MAKER, ONE)
    assert (line.item(ONE).status, line.item(ONE).holder) == (Status.destroyed, ZERO_ADDRESS)
    refused(line, act, told)


@pytest.mark.parametrize("who", [SHOP, STRANGER, SENSOR])
def test_only_its_holder_destroys_a_thing(line: ProductLine, who: Any) -> None:
    refused(line, lambda line: line.destroy(who, ONE), "only its holder may")
    refused(line, lambda line: line.destroy(who, FAKE), "there is no such thing")


# Condition


@pytest.mark.parametrize(
    ("temperature", "humidity", "condition"),
    [
        (20, 0, Condition.good),
        (80, 75, Condition.good),
        (19, 50, Condition.violated),
        (81, 50, Condition.violated),
        (50, -1, Condition.violated),
        (50, 76, Condition.violated),
        (-(1 << 255), (1 << 255) - 1, Condition.violated),
    ],
)
def test_readings(line: ProductLine, temperature: int, humidity: int, condition: Condition) -> None:
    line.measure(SENSOR, ONE, temperature=temperature, humidity=humidity)
    assert line.item(ONE).condition is condition
    assert line.item(TWO).condition is Condition.good
    (event,) = line.events("Measured")
    assert event.args == {
        "thing": label_id(ONE),
        "sensor": SENSOR.address,
        "temperature": temperature,
        "humidity": humidity,
        "is_within": condition is Condition.good,
    }


def test_a_violation_stops_the_sale_until_an_inspector_passes_it(line: ProductLine) -> None:
    line.measure(SENSOR, ONE, temperature=90, humidity=50)
    line.measure(SENSOR, ONE, temperature=50, humidity=50)  # cold again is not good again
    refused(line, lambda line: line.sell(MAKER, ONE), "it was not kept well")
    assert not line.item(ONE).may_be_sold
    line.inspect(INSPECTOR, ONE, passed=False, report=b"sour")
    line.measure(SENSOR, ONE, temperature=90, humidity=50)
    assert line.item(ONE).condition is Condition.rejected
    refused(line, lambda line: line.sell(MAKER, ONE), "it was not kept well")
    line.inspect(INSPECTOR, ONE, passed=True, report=b"fine")
    line.sell(MAKER, ONE)
    reports = [(each.args["passed"], each.args["report"]) for each in line.events("Inspected")]
    assert reports == [(False, keccak256(b"sour")), (True, keccak256(b"fine"))]


def test_what_is_said_of_a_batch_holds_for_its_things(line: ProductLine) -> None:
    line.measure(SENSOR, LOT, temperature=90, humidity=50)
    assert line.batch(LOT).condition is Condition.violated
    assert line.item(ONE).condition is line.item(TWO).condition is Condition.violated
    assert line.item(ELSEWHERE).condition is Condition.good
    line.inspect(INSPECTOR, ONE, passed=True)
    refused(line, lambda line: line.sell(MAKER, ONE), "it was not kept well")
    line.inspect(INSPECTOR, TWO, passed=False)
    assert line.item(TWO).condition is Condition.rejected
    line.inspect(INSPECTOR, LOT, passed=True)
    line.sell(MAKER, ONE)
    refused(line, lambda line: line.sell(MAKER, TWO), "it was not kept well")
    line.inspect(INSPECTOR, LOT, passed=False)
    line.inspect(INSPECTOR, TWO, passed=True)
    assert line.item(TWO).condition is Condition.rejected


@pytest.mark.parametrize(
    "act",
    [
        lambda line: line.measure(SENSOR, FAKE, temperature=50, humidity=50),
        lambda line: line.inspect(INSPECTOR, FAKE, passed=True),
        lambda line: line.recall(MAKER, FAKE, ""),
        lambda line: [line.recall(each, FAKE, "") for each in REGULATORS[:2]],
        lambda line: line.recall(MAKER, bytes(32), ""),
    ],
)
def test_nothing_is_said_of_what_is_unknown(line: ProductLine, act: Act) -> None:
    refused(line, act, "there is no such thing")


# Recall


@pytest.mark.parametrize("label", [ONE, LOT])
@pytest.mark.parametrize("by_regulators", [False, True])
def test_what_is_recalled_goes_back_to_the_maker(line: ProductLine, label: str, by_regulators: bool) -> None:
    hand_over(line, ONE, MAKER, SHOP)
    line.offer(MAKER, TWO, SHOP)
    if by_regulators:
        line.recall(REGULATORS[0], label, "glass")
        assert not line.item(ONE).recalled
        line.recall(REGULATORS[1], label, "glass")
    else:
        line.recall(MAKER, label, "glass")
    assert (line.item(ONE).recalled, line.item(TWO).recalled) == (True, label == LOT)
    assert not line.item(ELSEWHERE).recalled
    assert not line.item(ONE).may_be_sold
    refused(line, lambda line: line.sell(SHOP, ONE), "it is recalled")
    refused(line, lambda line: line.offer(SHOP, ONE, CARRIER), "it is recalled: it goes back to the maker")
    if label == LOT:  # what was on its way
        refused(line, lambda line: line.accept(SHOP, TWO), "it is recalled: it goes back to the maker")
        line.cancel(SHOP, TWO)
        refused(line, lambda line: line.sell(MAKER, TWO), "it is recalled")
    line.inspect(INSPECTOR, ONE, passed=True)
    refused(line, lambda line: line.sell(SHOP, ONE), "it is recalled")
    hand_over(line, ONE, SHOP, MAKER)
    refused(line, lambda line: line.sell(MAKER, ONE), "it is recalled")
    line.destroy(MAKER, ONE)
    (event,) = line.events("Recalled")
    assert event.args == {"thing": label_id(label), "by_regulators": by_regulators, "reason": "glass"}


def test_recalls_are_for_ever(line: ProductLine) -> None:
    line.recall(MAKER, LOT, "glass")
    refused(line, lambda line: line.recall(MAKER, LOT, "again"), "it is recalled already")
    line.recall(REGULATORS[0], LOT, "glass")
    refused(line, lambda line: line.recall(REGULATORS[1], LOT, "glass"), "it is recalled already")
    refused(line, lambda line: line.recall(MAKER, ONE, "x" * 65), "reason takes at most 64 bytes")
    line.recall(MAKER, ONE, "x" * 64)


def test_regulators_must_say_the_same(line: ProductLine) -> None:
    line.recall(REGULATORS[0], LOT, "glass")
    line.recall(REGULATORS[1], LOT, "metal")
    line.recall(REGULATORS[1], OTHER_LOT, "glass")
    assert not line.item(ONE).recalled
    refused(line, lambda line: line.recall(REGULATORS[0], LOT, "glass"), "you have confirmed this already")
    line.recall(REGULATORS[2], LOT, "metal")
    assert line.item(ONE).recalled


def test_a_recalled_certificate_goes_back_only(line: ProductLine) -> None:
    line.sell(MAKER, ONE, OWNER)
    line.offer(OWNER, ONE, STRANGER)
    line.recall(MAKER, ONE, "battery")
    refused(line, lambda line: line.accept(STRANGER, ONE), "it is recalled: it goes back to the maker")
    line.cancel(OWNER, ONE)
    refused(line, lambda line: line.offer(OWNER, ONE, STRANGER), "it is recalled: it goes back to the maker")
    hand_over(line, ONE, OWNER, MAKER)
    line.destroy(MAKER, ONE)
    assert line.read("counts") == (3, 0, 1)


# For those who trust nobody


def test_what_a_phone_can_check(chain: Chain, line: ProductLine) -> None:
    hand_over(line, ONE, MAKER, SHOP)
    line.recall(MAKER, LOT, "glass")
    anchor = chain.anchor

    def proven(field: str, label: str) -> int:
        target = StorageKey(line.address, line.slot_of(field, label))
        return anchor.verify(chain.prove(target).to_bytes()).value

    assert proven("recalled", LOT) == 1
    assert (proven("recalled", ONE), proven("recalled", OTHER_LOT)) == (0, 0)
    assert proven("status", ONE) == Status.held.value
    assert proven("status", FAKE) == Status.unknown.value
    assert proven("holder", ONE) == int.from_bytes(SHOP.address)
    assert proven("batch", ONE) == int.from_bytes(label_id(LOT))
    assert proven("opened", LOT) == line.batch(LOT).opened
    with pytest.raises(UsageError, match="nothing is kept under this name"):
        line.slot_of("maker", ONE)


def test_the_past_can_be_asked(chain: Chain, line: ProductLine) -> None:
    before = chain.height
    hand_over(line, ONE, MAKER, SHOP)
    line.recall(MAKER, LOT, "glass")
    assert line.item(ONE, block=before).holder == MAKER.address
    assert not line.batch(LOT, block=before).recalled


# Coin by mistake


def test_no_coin_is_stuck(careless: type[Machine], chain: Chain, line: ProductLine) -> None:
    giver = careless.deploy(chain, STRANGER)
    for discontinue in (False, True):
        if discontinue:
            line.discontinue(MAKER)
        giver.send(STRANGER, "give", line.address, value=77)
        before = chain.balance(MAKER)
        receipt = line.sweep(MAKER)
        fee = receipt.gas_used * receipt.effective_gas_price
        assert chain.balance(MAKER) - before + fee == 77
        assert chain.balance(line.address) == 0


def test_payments_are_refused(line: ProductLine) -> None:
    with pytest.raises(Reverted, match="takes no coin"):
        line.send(MAKER, "sell", label_id(ONE), ZERO_ADDRESS, value=1)
