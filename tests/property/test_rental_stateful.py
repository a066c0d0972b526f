"""A rented resource under any order of calls: no coin is lost or held up, and nobody else gets any."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chainstack_sdk import Chain, ManualClock, Reverted, ether
from chainstack_sdk.machines.standard import RentalHandle
from chainstack_sdk.testing.fixed import accounts

OWNER, *USERS, FIRST, SECOND, THIRD, POKER = accounts(7)
METERS = (FIRST, SECOND, THIRD)
UNIT, TIME, DEPOSIT, CAPACITY, LONGEST, PATIENCE, WINDOW = 5, 2, 30, 20, 50, 10, 15

user = st.sampled_from(USERS)
units = st.integers(0, CAPACITY + 2)
seconds = st.integers(0, LONGEST + 5)
who = st.sampled_from([OWNER, *USERS, *METERS, POKER])


class Renting(RuleBasedStateMachine):
    """Books, meters, objects, waits; every settlement is compared with what the terms say."""

    def __init__(self):
        super().__init__()
        funds = dict.fromkeys((OWNER, *USERS, *METERS, POKER), ether(1))
        self.clock = ManualClock(step_ms=1)
        self.chain = Chain.in_memory(funds, clock=self.clock, auto_seal=True)
        self.disk = RentalHandle.issue(
            self.chain,
            OWNER,
            meters=METERS,
            unit="GB",
            unit_price=UNIT,
            time_price=TIME,
            deposit=DEPOSIT,
            capacity=CAPACITY,
            longest=LONGEST,
            patience=PATIENCE,
            window=WINDOW,
        )
        self.users = (OWNER, *USERS)
        self.start = {each.address: self.chain.balance(each) for each in self.users}

    def attempt(self, sender, act):
        """Do something that may be refused; the fee is no part of the account's gain."""
        height = self.chain.height
        try:
            receipt = act()
        except Reverted:
            assert self.chain.height == height, "what is refused is not sent"
            return
        if sender in self.users:
            self.start[sender.address] -= receipt.gas_used * receipt.effective_gas_price

    @rule(who=user, units=units, seconds=seconds)
    def book(self, who, units, seconds):
        self.attempt(who, lambda: self.disk.book(who, units, seconds))

    @rule(who=user, units=units, seconds=seconds, two=st.permutations(METERS))
    def book_and_begin(self, who, units, seconds, two):
        self.book(who, units, seconds)
        self.meters_speak(0, 0, two)

    @rule(who=who, name=st.sampled_from(["cancel", "decline", "finish", "stop", "accept", "concede"]))
    def one_word(self, who, name):
        self.attempt(who, lambda: getattr(self.disk, name)(who))

    @precondition(lambda self: self.disk.state in ("running", "billed", "disputed"))
    @rule(who=st.sampled_from([OWNER, *USERS]), admitted=st.integers(0, 200))
    def end_or_object(self, who, admitted):
        name = {"running": "finish", "billed": "object", "disputed": "concede"}[self.disk.state]
        args = (admitted,) if name == "object" else ()
        self.attempt(who, lambda: getattr(self.disk, name)(who, *args))

    @rule(used=units, served=seconds, two=st.permutations(METERS))
    def meters_speak(self, used, served, two):
        for meter in two[:2]:
            match self.disk.state:
                case "booked":
                    self.attempt(meter, lambda meter=meter: self.disk.begin(meter))
                case "running":
                    self.attempt(meter, lambda meter=meter: self.disk.meter(meter, used))
                case "reading":
                    self.attempt(meter, lambda meter=meter: self.disk.conclude(meter, used))
                case "disputed":
                    self.attempt(meter, lambda meter=meter: self.disk.decide(meter, used, served))

    @rule(seconds=st.integers(1, LONGEST))
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.chain.seal()
        assert not self.disk.read("due")

    def teardown(self):
        """Nothing but time frees all."""
        for _ in range(4):
            self.wait(LONGEST)
        assert self.disk.state == "offered"
        self.coin_is_conserved()

    @invariant()
    def coin_is_conserved(self):
        chain, lease, state = self.chain, self.disk.lease(), self.disk.state
        held = chain.balance(self.disk)
        assert lease.held == held
        if state == "offered":
            assert held == 0
        booked, settled = self.disk.events("Booked"), self.disk.settlements()
        paid = sum(each.paid for each in settled)
        escrows = [each.args["escrow"] for each in booked]
        assert sum(escrows) == held + paid + sum(each.returned for each in settled)
        for account in self.users:
            got = chain.balance(account) - self.start[account.address]
            due = sum(each.returned for each in settled if each.user == account.address)
            put = sum(each.args["escrow"] for each in booked if each.args["user"] == account.address)
            assert got == due - put + (paid if account is OWNER else 0)

    @invariant()
    def the_owner_gets_no_more_than_was_used(self):
        lease = self.disk.lease()
        assert lease.used <= CAPACITY
        assert lease.served <= lease.duration <= LONGEST
        if self.disk.state in ("billed", "disputed"):
            assert lease.claim <= min(lease.held, lease.used * UNIT + lease.served * TIME)


TestRenting = Renting.TestCase
TestRenting.settings = settings(
    max_examples=max(settings.default.max_examples // 4, 1), stateful_step_count=30
)
