"""Every rule of data tasks, and every way to abuse one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines import ZERO_ADDRESS, MachineHandle, days
from chainstack_sdk.machines.standard import DataTask
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.keccak import keccak256

BUYER, ARBITER, *PROVIDERS, STRANGER = (Account.from_key(bytes([number]) * 32) for number in range(1, 8))
ANN, BEN, CAT, DAN = PROVIDERS
APPLET, TEXT, KEY, DATA = b"a" * 32, b"what is asked", b"k" * 32, b"d" * 32
ENVELOPE = b"sealed"
NONE, WAITING, PAID, CONTESTED, REFUSED = range(5)
PRICE, WINDOW, OBJECTIONS, RULINGS = 1_000, 10 * days, 2 * days, 3 * days


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Chain:
    funds = dict.fromkeys((BUYER, ARBITER, *PROVIDERS, STRANGER), ether(1))
    return Chain.in_memory(funds, clock=clock, auto_seal=True)


def publish(chain: Chain, value: int | None = None, **changes: Any) -> MachineHandle:
    terms = {
        "applet": APPLET,
        "specification": keccak256(TEXT),
        "text": TEXT,
        "key": KEY,
        "price": PRICE,
        "wanted": 2,
        "window": WINDOW,
        "objection_period": OBJECTIONS,
        "ruling_period": RULINGS,
        "arbiter": ARBITER.address,
        **changes,
    }
    escrow = terms["price"] * terms["wanted"] if value is None else value
    return DataTask.deploy(chain, BUYER, value=escrow, **terms)


def without_arbiter(chain: Chain) -> MachineHandle:
    return publish(chain, arbiter=ZERO_ADDRESS, ruling_period=0)


def answer(task: MachineHandle, who: Account, **changes: Any) -> int:
    given = {"applet": APPLET, "sealed": keccak256(ENVELOPE), "data": DATA, "envelope": ENVELOPE, **changes}
    task.send(who, "answer", **given)
    return task.read("number_of", who.address)


def status(task: MachineHandle, number: int) -> int:
    return task.read("answer_of", number)[1]


def wait(chain: Chain, clock: ManualClock, seconds: int) -> None:
    clock.advance(seconds)
    chain.seal()


def end(task: MachineHandle, chain: Chain, clock: ManualClock) -> None:
    """Let the window pass, whether the chain fires timers itself or somebody must."""
    wait(chain, clock, WINDOW)
    if task.read("due"):
        task.send(STRANGER, "poke")
    assert task.state == "ended"


class Purse:
    """What an account gains, its own fees left out: others send."""

    def __init__(self, chain: Chain, who: Account) -> None:
        self.chain, self.who, self.before = chain, who, chain.balance(who)

    @property
    def gain(self) -> int:
        return self.chain.balance(self.who) - self.before


# Publishing ------------------------------------------------------------------------------------------------


def test_one_transaction_publishes_a_task_with_its_escrow(chain: Chain, clock: ManualClock) -> None:
    nonce = chain.nonce(BUYER)
    task = publish(chain)
    assert chain.nonce(BUYER) == nonce + 1
    assert chain.balance(task.address) == 2 * PRICE
    now = chain.head.header.timestamp_ms // 1_000
    assert task.read("terms") == (
        BUYER.address,
        ARBITER.address,
        APPLET,
        keccak256(TEXT),
        KEY,
        PRICE,
        2,
        now + WINDOW,
        OBJECTIONS,
        RULINGS,
    )
    assert (task.state, task.read("progress")) == ("open", (0, 0, 0))
    (published,) = task.events("Published")
    assert (published.args["buyer"], published.args["text"]) == (BUYER.address, TEXT)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"price": 0, "value": 0}, "the price is zero"),
        ({"wanted": 0, "value": 0}, "1 to 10,000"),
        ({"wanted": 10_001}, "1 to 10,000"),
        ({"value": 2 * PRICE - 1}, "not the price of all"),
        ({"value": 2 * PRICE + 1}, "not the price of all"),
        ({"price": 1 << 255, "value": 0}, "overflow"),
        ({"window": 0}, "366 days"),
        ({"window": 366 * days + 1}, "366 days"),
        ({"objection_period": 0}, "90 days for objections"),
        ({"objection_period": 90 * days + 1}, "90 days for objections"),
        ({"ruling_period": 90 * days + 1}, "90 days for rulings"),
        ({"ruling_period": 0}, "an arbiter has time"),
        ({"arbiter": ZERO_ADDRESS}, "an arbiter has time"),
        ({"arbiter": BUYER.address}, "in their own case"),
        ({"text": b"something else"}, "not the specification"),
        ({"text": bytes(1_025)}, "at most 1024 bytes"),
    ],
)
def test_terms_out_of_range_are_refused(chain: Chain, changes: dict[str, Any], told: str) -> None:
    before = chain.balance(BUYER)
    with pytest.raises(Reverted, match=told):
        publish(chain, **changes)
    assert chain.balance(BUYER) == before


def test_the_largest_terms_work(chain: Chain, clock: ManualClock) -> None:
    longest = {"window": 366 * days, "objection_period": 90 * days, "ruling_period": 90 * days}
    task = publish(chain, wanted=10_000, text=b"", **longest)
    wait(chain, clock, 366 * days - 60)
    number = answer(task, ANN)
    task.send(BUYER, "object", number, "late")
    wait(chain, clock, 90 * days - 60)
    task.send(ARBITER, "rule", number, True)
    assert status(task, number) == PAID


# Answering -------------------------------------------------------------------------------------------------


def test_an_answer_waits_with_its_commitments(chain: Chain) -> None:
    task = publish(chain)
    assert answer(task, ANN) == 1
    now = chain.head.header.timestamp_ms // 1_000
    assert task.read("answer_of", 1) == (ANN.address, WAITING, now, keccak256(ENVELOPE))
    assert task.read("progress") == (1, 1, 0)
    (answered,) = task.events("Answered")
    assert answered.args == {
        "number": 1,
        "provider": ANN.address,
        "sealed": keccak256(ENVELOPE),
        "data": DATA,
        "envelope": ENVELOPE,
    }
    assert status(task, 2) == NONE


def test_an_envelope_may_go_another_way(chain: Chain) -> None:
    task = publish(chain)
    answer(task, ANN, sealed=b"s" * 32, envelope=b"")
    assert task.read("answer_of", 1)[3] == b"s" * 32


@pytest.mark.parametrize(
    ("who", "changes", "told"),
    [
        (ANN, {"applet": bytes(32)}, "another applet"),
        (BUYER, {}, "buyer and arbiter do not answer"),
        (ARBITER, {}, "buyer and arbiter do not answer"),
        (ANN, {"envelope": b"another"}, "not the envelope that is committed to"),
        (ANN, {"envelope": bytes(1_025)}, "at most 1024 bytes"),
    ],
)
def test_what_is_no_answer_is_refused(chain: Chain, who: Account, changes: dict[str, Any], told: str) -> None:
    task = publish(chain)
    with pytest.raises(Reverted, match=told):
        answer(task, who, **changes)
    assert task.read("progress") == (0, 0, 0)


def test_a_provider_answers_once(chain: Chain) -> None:
    task = without_arbiter(chain)
    number = answer(task, ANN)
    with pytest.raises(Reverted, match="answered already"):
        answer(task, ANN)
    task.send(BUYER, "object", number, "bad")
    with pytest.raises(Reverted, match="answered already"):
        answer(task, ANN)


def test_no_more_answers_than_are_wanted(chain: Chain) -> None:
    task = without_arbiter(chain)
    first, second = answer(task, ANN), answer(task, BEN)
    with pytest.raises(Reverted, match="no more answers"):
        answer(task, CAT)
    task.send(BUYER, "accept", first)
    with pytest.raises(Reverted, match="no more answers"):
        answer(task, CAT)
    task.send(BUYER, "object", second, "bad")  # the place is free again
    assert answer(task, CAT) == 3
    with pytest.raises(Reverted, match="no more answers"):
        answer(task, DAN)


def test_after_the_window_there_are_no_answers(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    wait(chain, clock, WINDOW)
    with pytest.raises(Reverted, match="not possible in state ended"):
        answer(task, ANN)


def test_no_coin_comes_later(chain: Chain) -> None:
    task = publish(chain)
    answer(task, ANN)
    for who, function, args in ((BEN, "answer", (APPLET, DATA, DATA, b"")), (BUYER, "accept", (1,))):
        with pytest.raises(Reverted):
            task.send(who, function, *args, value=1)
    with pytest.raises(Reverted):
        chain.transfer(BUYER, task.address, 1)


# Deciding --------------------------------------------------------------------------------------------------


def test_the_buyer_accepts(chain: Chain) -> None:
    task, purse = publish(chain), Purse(chain, BEN)
    answer(task, ANN)
    answer(task, CAT)
    ann = Purse(chain, ANN)
    with pytest.raises(Reverted, match="only buyer"):
        task.send(ANN, "accept", 1)
    task.send(BUYER, "accept", 1)
    assert (status(task, 1), task.read("progress"), ann.gain) == (PAID, (2, 1, 1), PRICE)
    assert [each.args for each in task.events("Paid")] == [
        {"number": 1, "provider": ANN.address, "amount": PRICE}
    ]
    for function, args in (("accept", (1,)), ("object", (1, "")), ("rule", (1, True)), ("settle", (1,))):
        with pytest.raises(Reverted, match=f"nothing to {function}"):
            task.send(ARBITER if function == "rule" else BUYER, function, *args)
    assert purse.gain == 0


@pytest.mark.parametrize("number", [0, 2, 1 << 255])
def test_answers_that_do_not_exist_are_not_decided(chain: Chain, number: int) -> None:
    task = publish(chain)
    answer(task, ANN)
    for who, function, rest in (
        (BUYER, "accept", ()),
        (BUYER, "object", ("bad",)),
        (ARBITER, "rule", (True,)),
        (STRANGER, "settle", ()),
    ):
        with pytest.raises(Reverted, match=f"nothing to {function}"):
            task.send(who, function, number, *rest)


def test_silence_pays(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    answer(task, ANN)
    with pytest.raises(Reverted, match="too early"):
        task.send(ANN, "settle", 1)
    wait(chain, clock, OBJECTIONS)
    with pytest.raises(Reverted, match="too late to object"):
        task.send(BUYER, "object", 1, "I was away")
    purse = Purse(chain, ANN)
    task.send(STRANGER, "settle", 1)  # whoever calls, the provider is paid
    assert (purse.gain, status(task, 1)) == (PRICE, PAID)


def test_a_late_buyer_may_still_accept(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    answer(task, ANN)
    wait(chain, clock, OBJECTIONS)
    purse = Purse(chain, ANN)
    task.send(BUYER, "accept", 1)
    assert purse.gain == PRICE


def test_without_an_arbiter_an_objection_is_final(chain: Chain) -> None:
    task = without_arbiter(chain)
    answer(task, ANN)
    with pytest.raises(Reverted, match="only buyer"):
        task.send(ANN, "object", 1, "I regret")
    with pytest.raises(Reverted, match="at most 128 bytes"):
        task.send(BUYER, "object", 1, "x" * 129)
    task.send(BUYER, "object", 1, "not what was asked for")
    assert (status(task, 1), task.read("progress")) == (REFUSED, (1, 0, 0))
    (objected,) = task.events("Objected")
    assert objected.args == {"number": 1, "provider": ANN.address, "reason": "not what was asked for"}
    for function in ("accept", "settle"):
        with pytest.raises(Reverted, match=f"nothing to {function}"):
            task.send(BUYER, function, 1)
    assert chain.balance(task.address) == 2 * PRICE  # it pays for another answer


def contested(chain: Chain) -> MachineHandle:
    task = publish(chain)
    answer(task, ANN)
    task.send(BUYER, "object", 1, "bad")
    assert (status(task, 1), task.read("progress")) == (CONTESTED, (1, 1, 0))
    return task


def test_the_arbiter_rules_for_the_provider(chain: Chain) -> None:
    task = contested(chain)
    for who in (ANN, BUYER, STRANGER):
        with pytest.raises(Reverted, match="only arbiter"):
            task.send(who, "rule", 1, True)
    purse = Purse(chain, ANN)
    task.send(ARBITER, "rule", 1, True)
    assert (status(task, 1), purse.gain) == (PAID, PRICE)
    with pytest.raises(Reverted, match="nothing to rule"):
        task.send(ARBITER, "rule", 1, False)


def test_the_arbiter_rules_for_the_buyer(chain: Chain) -> None:
    task = contested(chain)
    task.send(ARBITER, "rule", 1, False)
    assert (status(task, 1), task.read("progress")) == (REFUSED, (1, 0, 0))
    assert chain.balance(task.address) == 2 * PRICE


def test_a_contested_answer_keeps_its_price(chain: Chain, clock: ManualClock) -> None:
    task = contested(chain)
    answer(task, BEN)
    with pytest.raises(Reverted, match="no more answers"):
        answer(task, CAT)
    with pytest.raises(Reverted, match="nothing to object"):
        task.send(BUYER, "object", 1, "again")  # no second ruling time
    task.send(BUYER, "accept", 1)  # but the objection can be withdrawn
    assert status(task, 1) == PAID


def test_a_silent_arbiter_leaves_the_objection_standing(chain: Chain, clock: ManualClock) -> None:
    task = contested(chain)
    wait(chain, clock, RULINGS - 60)
    with pytest.raises(Reverted, match="too early"):
        task.send(BUYER, "settle", 1)
    wait(chain, clock, 60)
    with pytest.raises(Reverted, match="too late to rule"):
        task.send(ARBITER, "rule", 1, True)
    task.send(BUYER, "settle", 1)
    assert status(task, 1) == REFUSED
    assert chain.balance(task.address) == 2 * PRICE


# The end ---------------------------------------------------------------------------------------------------


def test_what_was_not_used_goes_back_by_itself(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    purse = Purse(chain, BUYER)
    end(task, chain, clock)
    assert (purse.gain, chain.balance(task.address)) == (2 * PRICE, 0)
    assert [each.args["amount"] for each in task.events("Refunded")] == [2 * PRICE]
    task.send(STRANGER, "close")
    assert task.state == "closed"
    assert (purse.gain, chain.balance(task.address)) == (2 * PRICE, 0)


def test_an_answer_at_the_last_moment_keeps_its_time(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    wait(chain, clock, WINDOW - 60)
    answer(task, ANN)
    purse = Purse(chain, BUYER)
    clock.advance(60)
    chain.seal()
    if task.read("due"):
        task.send(STRANGER, "poke")
    assert (purse.gain, chain.balance(task.address)) == (PRICE, PRICE)
    with pytest.raises(Reverted, match="answers are waiting"):
        task.send(STRANGER, "close")
    with pytest.raises(Reverted, match="too early"):
        task.send(ANN, "settle", 1)
    wait(chain, clock, OBJECTIONS)
    ann = Purse(chain, ANN)
    task.send(STRANGER, "settle", 1)
    assert ann.gain == PRICE
    task.send(STRANGER, "close")
    assert (task.state, chain.balance(task.address)) == ("closed", 0)


def ended_with_an_answer(chain: Chain, clock: ManualClock, arbiter: bool) -> MachineHandle:
    task = publish(chain) if arbiter else without_arbiter(chain)
    wait(chain, clock, WINDOW - 60)
    answer(task, ANN)
    wait(chain, clock, 60)
    if task.read("due"):
        task.send(STRANGER, "poke")
    return task


def test_in_the_end_an_objection_refunds_at_once(chain: Chain, clock: ManualClock) -> None:
    task = ended_with_an_answer(chain, clock, arbiter=False)
    assert chain.balance(task.address) == PRICE
    task.send(BUYER, "object", 1, "bad")
    assert (status(task, 1), chain.balance(task.address)) == (REFUSED, 0)
    assert task.events("Refunded")[-1].args["amount"] == PRICE


@pytest.mark.parametrize("silent", [False, True])
def test_in_the_end_a_lost_case_refunds_at_once(chain: Chain, clock: ManualClock, silent: bool) -> None:
    task = ended_with_an_answer(chain, clock, arbiter=True)
    task.send(BUYER, "object", 1, "bad")
    assert chain.balance(task.address) == PRICE
    if silent:
        wait(chain, clock, RULINGS)
    purse = Purse(chain, BUYER)
    task.send(*((STRANGER, "settle", 1) if silent else (ARBITER, "rule", 1, False)))
    assert (status(task, 1), purse.gain, chain.balance(task.address)) == (REFUSED, PRICE, 0)


def test_in_the_end_a_won_case_pays(chain: Chain, clock: ManualClock) -> None:
    task = ended_with_an_answer(chain, clock, arbiter=True)
    task.send(BUYER, "object", 1, "bad")
    purse = Purse(chain, ANN)
    task.send(ARBITER, "rule", 1, True)
    assert (status(task, 1), purse.gain, chain.balance(task.address)) == (PAID, PRICE, 0)


def test_an_acceptance_after_the_end_pays_too(chain: Chain, clock: ManualClock) -> None:
    task = ended_with_an_answer(chain, clock, arbiter=True)
    purse = Purse(chain, ANN)
    task.send(BUYER, "accept", 1)
    assert (purse.gain, chain.balance(task.address)) == (PRICE, 0)


def test_closed_is_closed(chain: Chain, clock: ManualClock) -> None:
    task = publish(chain)
    with pytest.raises(Reverted, match="close is not possible in state open"):
        task.send(BUYER, "close")
    answer(task, ANN)
    task.send(BUYER, "accept", 1)
    end(task, chain, clock)
    task.send(STRANGER, "close")
    for who, function, args in (
        (BUYER, "accept", (1,)),
        (BUYER, "object", (1, "")),
        (ARBITER, "rule", (1, True)),
        (STRANGER, "settle", (1,)),
        (STRANGER, "close", ()),
        (BEN, "answer", (APPLET, DATA, DATA, b"")),
    ):
        with pytest.raises(Reverted, match="not possible in state closed"):
            task.send(who, function, *args)


def test_coin_that_was_there_before_goes_to_the_buyer(chain: Chain, clock: ManualClock) -> None:
    where = contract_address(BUYER.address, chain.nonce(BUYER))
    chain.transfer(STRANGER, where, 77)
    task = publish(chain)
    assert (task.address, chain.balance(task.address)) == (where, 2 * PRICE + 77)
    purse = Purse(chain, BUYER)
    end(task, chain, clock)
    assert (purse.gain, chain.balance(task.address)) == (2 * PRICE + 77, 0)


# At random ---------------------------------------------------------------------------------------------


def walk(seed: int, chain: Chain, clock: ManualClock) -> None:
    """Do anything in any order; coin is never lost, stuck or paid twice, and each answer ends as it may."""
    draw = random.Random(seed)
    wanted, judged = draw.randrange(1, 4), draw.random() < 0.5
    task = (
        publish(chain, wanted=wanted)
        if judged
        else publish(chain, wanted=wanted, arbiter=ZERO_ADDRESS, ruling_period=0)
    )
    follows = {WAITING: {PAID, REFUSED, CONTESTED}, CONTESTED: {PAID, REFUSED}, PAID: set(), REFUSED: set()}
    seen: dict[int, int] = {}
    for _ in range(30):
        number = draw.randrange(1, 5)
        who, function, args = draw.choice(
            [
                (draw.choice(PROVIDERS), "answer", (APPLET, DATA, DATA, b"")),
                (BUYER, "accept", (number,)),
                (BUYER, "object", (number, "bad")),
                (ARBITER, "rule", (number, draw.random() < 0.5)),
                (STRANGER, "settle", (number,)),
                (STRANGER, "close", ()),
                (STRANGER, "poke", ()),
            ]
        )
        try:
            task.send(who, function, *args)
        except Reverted:
            clock.advance(draw.choice([0, 60, days]))
            chain.seal()
        check_books(task, chain, wanted)
        for number in range(1, task.read("progress")[0] + 1):
            found = status(task, number)
            assert found == seen.get(number, WAITING) or found in follows[seen.get(number, WAITING)]
            seen[number] = found
    wind_up(task, chain, clock)
    assert (task.state, chain.balance(task.address)) == ("closed", 0)


def check_books(task: MachineHandle, chain: Chain, wanted: int) -> None:
    count, pending, paid = task.read("progress")
    found = [status(task, number) for number in range(1, count + 1)]
    assert (pending, paid) == (found.count(WAITING) + found.count(CONTESTED), found.count(PAID))
    assert pending + paid <= wanted
    due = wanted - paid if task.state == "open" else pending
    assert chain.balance(task.address) == PRICE * due
    assert sum(each.args["amount"] for each in task.events("Paid")) == PRICE * paid
    back = sum(each.args["amount"] for each in task.events("Refunded"))
    assert chain.balance(task.address) + PRICE * paid + back == PRICE * wanted


def wind_up(task: MachineHandle, chain: Chain, clock: ManualClock) -> None:
    """A stranger alone brings every task to its end, when all times have passed."""
    wait(chain, clock, 366 * days)
    if task.read("due"):
        task.send(STRANGER, "poke")
    for number in range(1, task.read("progress")[0] + 1):
        if status(task, number) in (WAITING, CONTESTED):
            task.send(STRANGER, "settle", number)
    if task.state != "closed":
        task.send(STRANGER, "close")


@pytest.mark.parametrize("seed", range(12))
def test_coin_is_never_lost_stuck_or_paid_twice(seed: int, chain: Chain, clock: ManualClock) -> None:
    walk(seed, chain, clock)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 400))
def test_coin_is_never_lost_in_many_walks(seed: int, chain: Chain, clock: ManualClock) -> None:
    walk(seed, chain, clock)
