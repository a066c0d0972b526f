"""Restricted shares against a model in memory: who holds what, what is locked, what is refused and why."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import Restriction as Why
from chainstack_sdk.paradigms import Shares
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.testing.fixed import accounts

OWNER, REGISTRAR, *HOLDERS = PEOPLE = accounts(6)
SUPPLY, MOST, SHARE = 100, 4, 4_000
PERIOD, LENGTH = 50, 40

person = st.sampled_from(PEOPLE)
amount = st.integers(0, 45)
span = st.integers(0, 60)
maybe = st.booleans()


class Holding(RuleBasedStateMachine):
    """Transfers, mints, burns, locks, freezes, waits; the model says beforehand what comes of it."""

    def __init__(self):
        super().__init__()
        self.clock = ManualClock(step_ms=1)
        self.chain = Chain.in_memory(dict.fromkeys(PEOPLE, 10**20), clock=self.clock, auto_seal=True)
        self.start = self.now()
        self.token = self.chain.shares.issue(
            OWNER,
            name="T",
            symbol="T",
            supply=SUPPLY,
            mintable=True,
            burnable=True,
            registrar=REGISTRAR,
            max_holders=MOST,
            max_share=SHARE,
            window_start=self.start,
            window_period=PERIOD,
            window_length=LENGTH,
        )
        self.held = defaultdict(int, {OWNER: SUPPLY})
        self.listed, self.frozen, self.locks = {OWNER}, set(), {}
        for who in HOLDERS[:3]:
            self.list_holder(who, True)

    def now(self):
        return self.chain.head.timestamp_ms // 1000

    def attempt(self, why, act):
        """Do it; it is refused with this restriction and no other."""
        if why == Why.NONE:
            act()
            return True
        with pytest.raises(Reverted) as refusal:
            act()
        if why == Why.INSUFFICIENT_BALANCE:
            assert "ERC20InsufficientBalance" in refusal.value.message
        else:
            assert refusal.value.data == Shares.TransferRestricted.encode(int(why), why.message)
        return False

    # The model

    def locked(self, who):
        total, start, cliff, end = self.locks.get(who, (0, 0, 0, 0))
        now = self.now()
        left = total if now < cliff else 0 if now >= end else -(-total * (end - now) // (end - start))
        return min(left, self.held[who])

    def count(self, held):
        return sum(value > 0 for value in held.values())

    def sending(self, who, value):
        if who in self.frozen:
            return Why.SENDER_FROZEN
        return Why.LOCKED if self.held[who] - value < self.locked(who) else Why.NONE

    def receiving(self, sender, to, value):
        """Judge by what would be afterwards."""
        if to in self.frozen:
            return Why.RECEIVER_FROZEN
        if to not in self.listed:
            return Why.NOT_LISTED
        after = defaultdict(int, self.held)
        if sender is not None:
            after[sender] -= value
        after[to] += value
        joins = not self.held[to] and after[to]
        if joins and self.count(after) > MOST:
            return Why.TOO_MANY_HOLDERS
        if after[to] > self.held[to] and to != OWNER and after[to] * 10_000 > SHARE * sum(after.values()):
            return Why.ABOVE_SHARE
        return Why.NONE

    def judged(self, sender, to, value):
        if value > self.held[sender]:
            return Why.INSUFFICIENT_BALANCE
        if (self.now() - self.start) % PERIOD >= LENGTH:
            return Why.WINDOW_CLOSED
        return self.sending(sender, value) or self.receiving(sender, to, value)

    # What people do

    @rule(sender=person, to=person, value=amount)
    def transfer(self, sender, to, value):
        why = self.judged(sender, to, value)
        assert self.token.restriction(sender, to, value) == why
        if self.attempt(why, lambda: self.token.transfer(sender, to, value)):
            self.held[sender] -= value
            self.held[to] += value

    @rule(sender=person, to=person, value=amount)
    def force(self, sender, to, value):
        value = min(value, self.held[sender])
        why = self.receiving(sender, to, value)
        if self.attempt(why, lambda: self.token.force_transfer(REGISTRAR, sender, to, value, reason="")):
            self.held[sender] -= value
            self.held[to] += value

    @rule(to=person, value=st.integers(0, 10))
    def mint(self, to, value):
        if self.attempt(self.receiving(None, to, value), lambda: self.token.mint(OWNER, to, value)):
            self.held[to] += value

    @rule(who=person, value=st.integers(0, 10))
    def burn(self, who, value):
        short = Why.INSUFFICIENT_BALANCE if value > self.held[who] else Why.NONE
        if self.attempt(short or self.sending(who, value), lambda: self.token.burn(who, value)):
            self.held[who] -= value

    @rule(who=person, listed=maybe)
    def list_holder(self, who, listed):
        self.token.list_holder(REGISTRAR, who, listed)
        (self.listed.add if listed else self.listed.discard)(who)

    @rule(who=st.sampled_from(HOLDERS), frozen=maybe)
    def freeze(self, who, frozen):
        self.token.freeze(REGISTRAR, who, frozen)
        (self.frozen.add if frozen else self.frozen.discard)(who)

    @rule(who=st.sampled_from(HOLDERS), value=st.integers(1, 60), start=span, cliff=span, length=span)
    def lock(self, who, value, start, cliff, length):
        start += self.now() - 30
        lock = (value, start, start + cliff, start + cliff + length)
        self.token.lock(REGISTRAR, who, value, start=lock[1], cliff=lock[2], end=lock[3])
        self.locks[who] = lock

    @rule(who=st.sampled_from(HOLDERS))
    def unlock(self, who):
        self.token.unlock(REGISTRAR, who)
        self.locks.pop(who, None)

    @rule(seconds=span)
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.chain.seal()

    @invariant()
    def the_books_agree(self):
        token = self.token
        balances = [token.balance_of(who) for who in PEOPLE]
        assert balances == [self.held[who] for who in PEOPLE]
        assert sum(balances) == token.total_supply()
        assert token.holder_count() == sum(map(bool, balances)) <= MOST
        for who in PEOPLE:
            assert token.locked_of(who) == self.locked(who) <= self.held[who]


TestHolding = Holding.TestCase
TestHolding.settings = settings(
    max_examples=max(settings.default.max_examples // 10, 1), stateful_step_count=40
)
