"""An insurance product against a model in memory: bought, reported, left unreported, paid by mistake."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chainstack_sdk import Chain, ChainConfig, ManualClock, Reverted, ether
from chainstack_sdk.machines import (
    Machine,
    State,
    address,
    transfer,
    transition,
)
from chainstack_sdk.machines.standard import InsuranceProduct
from chainstack_sdk.testing.fixed import accounts

INSURER, ANN, BEN, *ORACLES = PEOPLE = accounts(6)
FUNDS = ether(1)
PREMIUM, TABLE = 30, {10: 40, 20: 100}
MOST = max(TABLE.values())
SELLING, COVER, REPORT = 40, 20, 40

person = st.integers(0, len(PEOPLE) - 1)
holder = st.sampled_from([1, 2])
amounts = st.integers(0, 400)
values = st.sampled_from([9, 10, 20])


class Careless(Machine):
    """Sends coin wherever it is told."""

    only = State()

    @transition(only, payable=True)
    def give(self, to: address) -> None:
        transfer(to, self.value)


@dataclass
class Model:
    """What a product does, in as few words as possible."""

    made: int
    state: str = "selling"
    balance: int = 0
    sold: list[int] = field(default_factory=list)
    refunded: set[int] = field(default_factory=set)
    said: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    coin: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def reserved(self) -> int:
        if self.state == "expired":
            return PREMIUM * (len(self.sold) - len(self.refunded))
        return MOST * len(self.sold) if self.state != "settled" else 0

    def pay(self, who: int, amount: int) -> None:
        self.balance -= amount
        self.coin[who] += amount

    def pass_time(self, now: int) -> None:
        if self.state == "selling" and now >= self.made + SELLING:
            self.state = "covered"
        if self.state == "covered" and now >= self.made + SELLING + COVER + REPORT:
            self.state = "expired"
            self.pay(0, self.balance - self.reserved())

    def fund(self, now: int, who: int, amount: int) -> bool:
        if who or self.state != "selling":
            return False
        self.pay(who, -amount)
        return True

    def buy(self, now: int, who: int, amount: int) -> bool:
        fits = self.reserved() + MOST <= self.balance + amount
        if self.state != "selling" or amount != PREMIUM or who > 2 or not fits:
            return False
        self.pay(who, -amount)
        self.sold.append(who)
        return True

    def withdraw(self, now: int, who: int, amount: int) -> bool:
        if who or amount > self.balance - self.reserved():
            return False
        self.pay(who, amount)
        return True

    def attest(self, now: int, who: int, value: int) -> bool:
        decides = len(self.said[value] | {who}) == 2
        if self.state != "covered" or who < 3 or who in self.said[value]:
            return False
        if decides and now < self.made + SELLING + COVER:
            return False
        self.said[value].add(who)
        if decides:
            payout = max([amount for limit, amount in TABLE.items() if value >= limit], default=0)
            for each in self.sold:
                self.pay(each, payout)
            self.pay(0, self.balance)
            self.state = "settled"
        return True

    def refund(self, now: int, who: int, number: int) -> bool:
        is_mine = number < len(self.sold) and self.sold[number] == who and number not in self.refunded
        if self.state != "expired" or not is_mine:
            return False
        self.refunded.add(number)
        self.pay(who, PREMIUM)
        return True


class InsuranceMachine(RuleBasedStateMachine):
    """Everybody may try everything, at any time."""

    def __init__(self) -> None:
        super().__init__()
        config = ChainConfig(
            funds={each.checksum_address: FUNDS for each in PEOPLE},
        )
        self.clock = ManualClock()
        self.chain = Chain.in_memory(config=config, clock=self.clock, auto_seal=True)
        self.product = InsuranceProduct.issue(
            self.chain,
            INSURER,
            subject="anything",
            premium=PREMIUM,
            payouts=TABLE,
            oracles=ORACLES,
            selling_time=SELLING,
            cover_time=COVER,
            report_time=REPORT,
        )
        self.model = Model(self.chain.head.timestamp_ms // 1_000)
        self.careless = Careless.deploy(self.chain, INSURER)
        self.start = {each: self.chain.balance(each) for each in PEOPLE}
        self.fees: dict[int, int] = defaultdict(int)
        self.act(0, "fund", 250, value=True)
        self.act(1, "buy", PREMIUM, value=True)

    # What can be done

    @rule(who=person, amount=amounts)
    def fund(self, who, amount):
        self.act(who, "fund", amount, value=True)

    @rule(amount=amounts)
    def fund_well(self, amount):
        self.act(0, "fund", amount, value=True)

    @rule(who=person, amount=st.sampled_from([PREMIUM, PREMIUM, PREMIUM, 0, PREMIUM + 1]))
    def buy(self, who, amount):
        self.act(who, "buy", amount, value=True)

    @rule(who=holder)
    def buy_well(self, who):
        self.act(who, "buy", PREMIUM, value=True)

    @rule(who=person, amount=amounts)
    def withdraw(self, who, amount):
        self.act(who, "withdraw", amount)

    @rule(who=person, value=values)
    def report(self, who, value):
        self.act(who, "attest", value)

    @rule(value=values)
    def agree(self, value):
        """As oracles would: after the cover, and two of them the same."""
        self.clock.set_ms(max(self.clock.now_ms(), (self.model.made + SELLING + COVER) * 1_000))
        for oracle in (3, 4):
            self.act(oracle, "attest", value)

    @rule(who=holder, number=st.integers(0, 5))
    def refund(self, who, number):
        self.act(who, "refund", number)

    @rule(seconds=st.sampled_from([5, 20, 40, 60]))
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.chain.seal()
        self.settle_timers()

    @rule(amount=amounts)
    def send_by_mistake(self, amount):
        receipt = self.careless.send(BEN, "give", self.product.address, value=amount)
        self.paid(2, receipt)
        self.model.pay(2, -amount)

    # What must hold

    @invariant()
    def every_wei_is_where_it_should_be(self):
        for number, each in enumerate(PEOPLE):
            expected = self.start[each] + self.model.coin[number] - self.fees[number]
            assert self.chain.balance(each) == expected
        assert self.chain.balance(self.product.address) == self.model.balance
        assert sum(self.model.coin.values()) == -self.model.balance

    @invariant()
    def what_is_promised_is_there(self):
        pool = self.product.pool()
        assert pool.balance >= pool.reserved == self.model.reserved()
        assert (pool.sold, self.product.state) == (len(self.model.sold), self.model.state)

    def teardown(self):
        """In the end everybody takes what is theirs, and nothing is left."""
        self.clock.advance(SELLING + COVER + REPORT)
        self.chain.seal()
        self.settle_timers()
        if self.model.state == "expired":
            for number, who in [*enumerate(self.model.sold)] * 2:  # the second time in vain
                self.act(who, "refund", number)
        self.act(0, "withdraw", self.model.balance)
        assert self.chain.balance(self.product.address) == 0
        self.every_wei_is_where_it_should_be()

    # Both sides

    def act(self, who, function, argument, *, value=False):
        """Do it on the chain and in the model: both do it, or both refuse."""
        now = self.clock.next_block_ms(self.chain.head.timestamp_ms) // 1_000
        self.model.pass_time(now)
        done = getattr(self.model, function)(now, who, argument)
        try:
            if value:
                receipt = self.product.send(PEOPLE[who], function, value=argument)
            else:
                receipt = self.product.send(PEOPLE[who], function, argument)
        except Reverted:
            assert not done, (function, who, argument)
        else:
            assert done, (function, who, argument)
            self.paid(who, receipt)
        self.settle_timers()

    def settle_timers(self):
        assert not self.product.read("due")
        self.model.pass_time(self.chain.head.timestamp_ms // 1_000)

    def paid(self, who, receipt):
        self.fees[who] += receipt.gas_used * receipt.effective_gas_price


TestInsurance = InsuranceMachine.TestCase
TestInsurance.settings = settings(
    max_examples=max(settings.default.max_examples // 4, 1), stateful_step_count=40
)
