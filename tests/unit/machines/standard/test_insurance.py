from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chainstack_sdk import Chain, ManualClock, Reverted, UsageError, ether
from chainstack_sdk.machines import (
    ZERO_ADDRESS,
    Machine,
    days,
    hours,
)
from chainstack_sdk.machines.standard import Insurance, InsuranceProduct, Outcome, Policy, Pool, Terms
from chainstack_sdk.testing.fixed import accounts

INSURER, ANN, BEN, STRANGER, *ORACLES = PEOPLE = accounts(7)
PREMIUM, SMALL, LARGE = 100, 1_000, 3_000
SELLING, COVER, REPORT = 7 * days, 6 * hours, 2 * days
TERMS: dict[str, Any] = {
    "subject": "LH 2034: minutes late",
    "premium": PREMIUM,
    "payouts": {120: SMALL, 240: LARGE},
    "oracles": ORACLES,
    "selling_time": SELLING,
    "cover_time": COVER,
    "report_time": REPORT,
}
RAW: dict[str, Any] = {
    "oracles": ORACLES,
    "subject": "",
    "premium": PREMIUM,
    "thresholds": (120, 240, 0, 0),
    "payouts": (SMALL, LARGE, 0, 0),
    "at_most": False,
    "selling_time": 1,
    "cover_time": 1,
    "report_time": 1,
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Chain:
    funds = dict.fromkeys(PEOPLE, ether(10))
    return Chain.in_memory(funds, auto_seal=True, clock=clock)


@pytest.fixture
def product(chain: Chain) -> InsuranceProduct:
    return InsuranceProduct.issue(chain, INSURER, **TERMS)


@pytest.fixture
def sold(product: InsuranceProduct) -> InsuranceProduct:
    """Two policies, one of Ann's and one of Ben's."""
    product.fund(INSURER, 2 * LARGE)
    product.buy(ANN)
    product.buy(BEN)
    return product


@pytest.fixture
def wait(clock: ManualClock, chain: Chain) -> Callable[..., None]:
    """Let the next block be of a time, with all timers fired that are due by then."""

    def until(product: InsuranceProduct, seconds: int) -> None:
        clock.set_ms(seconds * 1_000)
        chain.seal()
        assert not product.read("due")

    return until


def next_block(clock: ManualClock, seconds: int) -> None:
    """Let the next block be of a time."""
    clock.set_ms(seconds * 1_000)


# Terms


def test_one_transaction_issues_a_product(chain: Chain) -> None:
    height = chain.height
    product = InsuranceProduct.issue(chain, INSURER, **TERMS)
    begin = chain.head.timestamp_ms // 1_000
    assert (chain.height, product.state) == (height + 1, "selling")
    times = (begin + SELLING, begin + SELLING + COVER, begin + SELLING + COVER + REPORT)
    terms = Terms("LH 2034: minutes late", PREMIUM, {120: SMALL, 240: LARGE}, False, *times)
    assert product.terms() == terms
    assert product.insurer() == INSURER.address
    assert product.oracles() == [each.address for each in ORACLES]
    assert (product.pool(), product.policies(), product.outcome()) == (Pool(0, 0, 0), [], None)
    assert product == InsuranceProduct.at(chain, product.address)
    assert (terms.highest, repr(product).split("(")[0]) == (LARGE, "Insurance")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"oracles": [ORACLES[0], ORACLES[0], ORACLES[1]]}, "the oracles are three accounts"),
        ({"oracles": [ORACLES[0], ORACLES[1], ORACLES[1]]}, "the oracles are three accounts"),
        ({"oracles": [ORACLES[0], ORACLES[1], ORACLES[0]]}, "the oracles are three accounts"),
        ({"oracles": [*ORACLES[:2], ZERO_ADDRESS]}, "an oracle is missing"),
        ({"oracles": [*ORACLES[:2], INSURER]}, "the insurer is no oracle"),
        ({"payouts": (0, 0, 0, 0)}, "the first tier pays nothing"),
        ({"payouts": (0, LARGE, 0, 0)}, "the first tier pays nothing"),
        ({"thresholds": (120, 120, 0, 0)}, "each threshold lies beyond the one before"),
        ({"thresholds": (120, 119, 0, 0)}, "each threshold lies beyond the one before"),
        ({"at_most": True}, "each threshold lies beyond the one before"),
        ({"payouts": (LARGE, LARGE, 0, 0)}, "each tier pays more than the one before"),
        ({"payouts": (LARGE, SMALL, 0, 0)}, "each tier pays more than the one before"),
        ({"thresholds": (1, 2, 3, 0), "payouts": (SMALL, 0, LARGE, 0)}, "each tier pays more than the one"),
        ({"payouts": (SMALL, 10**27 + 1, 0, 0)}, "too high a payout"),
        ({"premium": 0}, "the premium is from 1 to the highest payout"),
        ({"premium": LARGE + 1}, "the premium is from 1 to the highest payout"),
        ({"selling_time": 0}, "each time takes a second at least"),
        ({"cover_time": 0}, "each time takes a second at least"),
        ({"report_time": 0}, "each time takes a second at least"),
        ({"selling_time": 3_660 * days + 1}, "too long a time"),
        ({"cover_time": 3_660 * days + 1}, "too long a time"),
        ({"report_time": (1 << 256) - 1}, "too long a time"),
        ({"subject": "é" * 49}, "subject takes at most 96 bytes"),
    ],
)
def test_terms_that_make_no_sense_are_refused(chain: Chain, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(Reverted, match=told):
        Insurance.deploy(chain, INSURER, **(RAW | changed))


def test_terms_at_their_bounds(chain: Chain) -> None:
    longest = dict.fromkeys(("selling_time", "cover_time", "report_time"), 3_660 * days)
    payouts = (1, 2, 3, 10**27)
    thresholds = (5, 4, 3, -(1 << 255))
    bounds = {"at_most": True, "payouts": payouts, "thresholds": thresholds, "premium": 10**27}
    made = Insurance.deploy(chain, INSURER, **(RAW | bounds | longest | {"subject": "é" * 48}))
    terms = InsuranceProduct(chain, made.address).terms()
    assert terms.payouts == {5: 1, 4: 2, 3: 3, -(1 << 255): 10**27}
    assert terms.report_end == chain.head.timestamp_ms // 1_000 + 3 * 3_660 * days


@pytest.mark.parametrize("payouts", [{}, dict.fromkeys(range(5), 1)])
def test_a_table_has_one_to_four_payouts(chain: Chain, payouts: dict[int, int]) -> None:
    with pytest.raises(UsageError, match="one to four payouts"):
        InsuranceProduct.issue(chain, INSURER, **(TERMS | {"payouts": payouts}))


# Selling


def test_a_policy_reserves_the_highest_payout(chain: Chain, product: InsuranceProduct) -> None:
    product.fund(INSURER, LARGE)
    before = chain.balance(product.address)
    assert product.buy(ANN) == Policy(0, ANN.address)
    assert chain.balance(product.address) == before + PREMIUM
    assert product.pool() == Pool(LARGE + PREMIUM, LARGE, 1)
    assert (product.pool().free, product.policies()) == (PREMIUM, [Policy(0, ANN.address)])
    assert [each.args["amount"] for each in product.events("Funded")] == [LARGE]


def test_a_policy_is_sold_as_long_as_the_pool_can_cover_it(product: InsuranceProduct) -> None:
    with pytest.raises(Reverted, match="the pool cannot cover one more policy"):
        product.buy(ANN)
    product.fund(INSURER, LARGE - PREMIUM - 1)
    with pytest.raises(Reverted, match="the pool cannot cover one more policy"):
        product.buy(ANN)
    product.fund(INSURER, 1)
    product.buy(ANN)  # the premium is part of the pool
    assert product.pool() == Pool(LARGE, LARGE, 1)
    with pytest.raises(Reverted, match="the pool cannot cover one more policy"):
        product.buy(ANN)


@pytest.mark.parametrize("value", [0, PREMIUM - 1, PREMIUM + 1])
def test_a_policy_costs_the_premium(product: InsuranceProduct, value: int) -> None:
    product.fund(INSURER, 9 * LARGE)
    with pytest.raises(Reverted, match="not the premium"):
        product.send(ANN, "buy", value=value)
    assert product.pool() == Pool(9 * LARGE, 0, 0)


def test_oracles_buy_nothing(product: InsuranceProduct) -> None:
    product.fund(INSURER, 9 * LARGE)
    with pytest.raises(Reverted, match="an oracle has no interest in the event"):
        product.buy(ORACLES[1])


def test_only_the_insurer_funds_and_withdraws(product: InsuranceProduct) -> None:
    with pytest.raises(Reverted, match="only insurer may call fund"):
        product.fund(ANN, 1)
    product.fund(INSURER, 5)
    for thief in (ANN, ORACLES[0]):
        with pytest.raises(Reverted, match="only insurer may call withdraw"):
            product.withdraw(thief, 1)


def test_the_insurer_withdraws_what_is_not_reserved(chain: Chain, sold: InsuranceProduct) -> None:
    with pytest.raises(Reverted, match="more than is free"):
        sold.withdraw(INSURER, 2 * PREMIUM + 1)
    with pytest.raises(Reverted, match="more than is free"):
        sold.withdraw(INSURER, (1 << 256) - 1)
    before = chain.balance(INSURER)
    receipt = sold.withdraw(INSURER)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert chain.balance(INSURER) - before + fee == 2 * PREMIUM
    assert sold.pool() == Pool(2 * LARGE, 2 * LARGE, 2)
    with pytest.raises(Reverted, match="more than is free"):
        sold.withdraw(INSURER, 1)


def test_the_time_of_sale(clock: ManualClock, product: InsuranceProduct, wait: Callable[..., None]) -> None:
    product.fund(INSURER, 9 * LARGE)
    end = product.terms().sales_end
    next_block(clock, end - 1)
    product.buy(ANN)
    next_block(clock, end)
    for act in (lambda: product.buy(BEN), lambda: product.fund(INSURER, 1)):
        with pytest.raises(Reverted, match="not possible in state covered"):
            act()
    wait(product, end)
    assert product.state == "covered"
    product.withdraw(INSURER)
    assert product.pool() == Pool(LARGE, LARGE, 1)


# The event


@pytest.mark.parametrize(
    ("at_most", "payouts", "values"),
    [
        (False, {120: 1, 240: 3}, {119: 0, 120: 1, 239: 1, 240: 3, 9_999: 3, -5: 0}),
        (True, {40: 1, 15: 2}, {41: 0, 40: 1, 16: 1, 15: 2, 0: 2, -(1 << 255): 2}),
        (True, {-10: 1, -20: 2, -30: 5, -40: 9}, {0: 0, -9: 0, -10: 1, -25: 2, -30: 5, -41: 9}),
        (False, {-1: 4}, {-2: 0, -1: 4, (1 << 255) - 1: 4}),
    ],
)
def test_the_table_decides(
    chain: Chain, wait: Callable[..., None], at_most: bool, payouts: dict[int, int], values: dict[int, int]
) -> None:
    terms = TERMS | {"premium": 1, "at_most": at_most, "payouts": payouts}
    product = InsuranceProduct.issue(chain, INSURER, **terms)
    product.fund(INSURER, 20)
    product.buy(ANN)
    wait(product, product.terms().sales_end)
    wait(product, product.terms().cover_end)
    mark = chain.snapshot()
    for value, payout in values.items():
        before = chain.balance(ANN)
        product.report(ORACLES[0], value)
        assert product.report(ORACLES[1], value)
        assert product.outcome() == Outcome(value, payout)
        assert product.terms().payout_of(value) == payout == chain.balance(ANN) - before
        chain.revert(mark)
        mark = chain.snapshot()


def test_two_oracles_pay_everybody_at_once(
    chain: Chain, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    wait(sold, sold.terms().sales_end)
    wait(sold, sold.terms().cover_end)
    assert not sold.report(ORACLES[2], 150)
    assert (sold.state, sold.pool().reserved, sold.outcome()) == ("covered", 2 * LARGE, None)
    before = {who: chain.balance(who) for who in (INSURER, ANN, BEN)}
    assert sold.report(ORACLES[0], 150)
    height = chain.height
    earned = {who: chain.balance(who) - amount for who, amount in before.items()}
    assert earned == {INSURER: 2 * (LARGE + PREMIUM - SMALL), ANN: SMALL, BEN: SMALL}
    assert (sold.state, sold.pool(), sold.outcome()) == ("settled", Pool(0, 0, 2), Outcome(150, SMALL))
    paid = [(each.args["holder"], each.args["policy"], each.height) for each in sold.events("Paid")]
    assert paid == [(ANN.address, 0, height), (BEN.address, 1, height)]
    (settled,) = sold.events("Settled")
    assert settled.args == {"value": 150, "payout": SMALL, "policies": 2}


def test_without_a_payout_the_insurer_has_it_all(
    chain: Chain, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    wait(sold, sold.terms().sales_end)
    wait(sold, sold.terms().cover_end)
    before = chain.balance(INSURER)
    for oracle in ORACLES[1:]:
        sold.report(oracle, 0)
    assert (chain.balance(INSURER) - before, sold.events("Paid")) == (2 * (LARGE + PREMIUM), [])


def test_a_full_product_pays_within_its_constant(chain: Chain, wait: Callable[..., None]) -> None:
    terms = TERMS | {"premium": 1, "payouts": {120: 1}}
    product = InsuranceProduct.issue(chain, INSURER, **terms)
    for _ in range(Insurance.PLACES):
        product.buy(ANN)  # at this premium each policy covers itself
    with pytest.raises(Reverted, match="sold out"):
        product.buy(BEN)
    assert len(product.policies()) == Insurance.PLACES
    wait(product, product.terms().sales_end)
    wait(product, product.terms().cover_end)
    product.report(ORACLES[0], 120)
    before = chain.balance(ANN)
    receipt = product.send(ORACLES[1], "attest", 120)
    assert chain.balance(ANN) - before == Insurance.PLACES
    assert len(product.events("Paid")) == Insurance.PLACES
    assert receipt.gas_used < Insurance.gas()["attest"] + 30_000


def test_who_reports_and_how_often(sold: InsuranceProduct, wait: Callable[..., None]) -> None:
    with pytest.raises(Reverted, match="attest is not possible in state selling"):
        sold.report(ORACLES[0], 150)
    wait(sold, sold.terms().sales_end)
    wait(sold, sold.terms().cover_end)
    for nobody in (ANN, INSURER, STRANGER):
        with pytest.raises(Reverted, match="only oracles may call attest"):
            sold.report(nobody, 150)
    sold.report(ORACLES[0], 150)
    with pytest.raises(Reverted, match="you have confirmed this already"):
        sold.report(ORACLES[0], 150)
    assert not sold.report(ORACLES[1], 151)
    assert not sold.report(ORACLES[2], 152)  # all three disagree: one of them must think again
    assert sold.state == "covered"
    assert sold.report(ORACLES[2], 151)
    with pytest.raises(Reverted, match="attest is not possible in state settled"):
        sold.report(ORACLES[0], 150)


def test_reports_come_after_the_cover(
    clock: ManualClock, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    end = sold.terms().cover_end
    wait(sold, sold.terms().sales_end)
    sold.report(ORACLES[0], 150)
    next_block(clock, end - 1)
    with pytest.raises(Reverted, match="the cover lasts still"):
        sold.report(ORACLES[1], 150)
    assert sold.pool() == Pool(2 * (LARGE + PREMIUM), 2 * LARGE, 2)
    next_block(clock, end)
    assert sold.report(ORACLES[1], 150)


def test_a_report_in_the_last_second(
    clock: ManualClock, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    wait(sold, sold.terms().sales_end)
    wait(sold, sold.terms().cover_end)
    sold.report(ORACLES[0], 150)
    next_block(clock, sold.terms().report_end - 1)
    assert sold.report(ORACLES[1], 150)


def test_a_report_that_is_too_late(
    clock: ManualClock, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    wait(sold, sold.terms().sales_end)
    wait(sold, sold.terms().cover_end)
    sold.report(ORACLES[0], 150)
    next_block(clock, sold.terms().report_end)
    with pytest.raises(Reverted, match="attest is not possible in state expired"):
        sold.report(ORACLES[1], 150)


def test_the_oracles_may_be_the_first_to_come_after_the_sale(
    clock: ManualClock, sold: InsuranceProduct
) -> None:
    next_block(clock, sold.terms().cover_end)
    assert not sold.report(ORACLES[0], 300)
    assert sold.report(ORACLES[1], 300)


# No report


def test_without_a_report_premiums_go_back(
    chain: Chain, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    wait(sold, sold.terms().sales_end)
    before = {who: chain.balance(who) for who in (INSURER, ANN)}
    with pytest.raises(Reverted, match="refund is not possible in state covered"):
        sold.refund(ANN, 0)
    wait(sold, sold.terms().report_end)
    assert chain.balance(INSURER) - before[INSURER] == 2 * LARGE
    assert (sold.state, sold.pool()) == ("expired", Pool(2 * PREMIUM, 2 * PREMIUM, 2))
    with pytest.raises(Reverted, match="more than is free"):
        sold.withdraw(INSURER, 1)
    for who, number in ((BEN, 0), (STRANGER, 0), (INSURER, 0)):
        with pytest.raises(Reverted, match="not your policy"):
            sold.refund(who, number)
    for number in (2, Insurance.PLACES, (1 << 256) - 1):
        with pytest.raises(Reverted, match="no such policy"):
            sold.refund(ANN, number)
    receipt = sold.refund(ANN, 0)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert chain.balance(ANN) - before[ANN] + fee == PREMIUM
    with pytest.raises(Reverted, match="refunded already"):
        sold.refund(ANN, 0)
    assert sold.policies() == [Policy(1, BEN.address)]
    sold.refund(BEN, 1)
    assert (sold.pool(), sold.outcome()) == (Pool(0, 0, 2), None)
    assert [each.args["premiums"] for each in sold.events("Expired")] == [2 * PREMIUM]
    assert [each.args["policy"] for each in sold.events("Refunded")] == [0, 1]


def test_times_do_not_depend_on_when_somebody_looks(
    clock: ManualClock, sold: InsuranceProduct, wait: Callable[..., None]
) -> None:
    """All timers are overdue when the first oracle comes: there is no second report any more."""
    next_block(clock, sold.terms().report_end)
    sold.report(ORACLES[0], 500)
    with pytest.raises(Reverted, match="attest is not possible in state expired"):
        sold.report(ORACLES[1], 500)
    wait(sold, sold.terms().report_end + 10)
    assert (sold.state, sold.pool()) == ("expired", Pool(2 * PREMIUM, 2 * PREMIUM, 2))


def test_nothing_sold_nothing_owed(
    chain: Chain, product: InsuranceProduct, wait: Callable[..., None]
) -> None:
    product.fund(INSURER, LARGE)
    wait(product, product.terms().sales_end)
    wait(product, product.terms().report_end)
    assert (product.state, product.pool()) == ("expired", Pool(0, 0, 0))


# Coin by mistake


@pytest.mark.parametrize("end", ["selling", "covered", "settled", "expired"])
def test_no_coin_is_stuck(
    careless: type[Machine], chain: Chain, sold: InsuranceProduct, wait: Callable[..., None], end: str
) -> None:
    giver = careless.deploy(chain, STRANGER)
    terms = sold.terms()
    if end != "selling":
        wait(sold, terms.sales_end)
    if end == "settled":
        wait(sold, terms.cover_end)
        for oracle in ORACLES[:2]:
            sold.report(oracle, 500)
    if end == "expired":
        wait(sold, terms.report_end)
    assert sold.state == end
    free, reserved = sold.pool().free, sold.pool().reserved
    giver.send(STRANGER, "give", sold.address, value=77)
    assert sold.pool().free == free + 77
    sold.withdraw(INSURER)
    assert sold.pool() == Pool(reserved, reserved, 2)


def test_plain_payments_are_refused(chain: Chain, product: InsuranceProduct) -> None:
    with pytest.raises(Reverted, match="takes no payments"):
        chain.call(product.address, b"", sender=ANN.address)
    with pytest.raises(Reverted, match="takes no coin"):
        product.send(INSURER, "withdraw", 0, value=1)
