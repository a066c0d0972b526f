"""The builder: trades that commit or abort, and initiators that stop at every step."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.native import external
from chainstack_sdk.paradigms import Paradigm
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.primitives.errors import InvalidInput, Reverted, UsageError
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.testing.atomic import Post, atomic_chains
from chainstack_sdk.xchain.addresses import PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.atomic import (
    AtomicAborted,
    AtomicTransaction,
    AtomicUnsettled,
    Decision,
    Guard,
    settle_by_proof,
)
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.relayer import Relayer

ALICE, BOB, CAROL, DAVE = PEOPLE = [Account.from_key(number) for number in range(1, 5)]
FUNDS = 10**20
MAIN, SIDE, OTHER = 1, 2, 3


class Market:
    """Alice has gold on one chain, Bob art on another; Carol trades for them over the main chain."""

    def __init__(self):
        self.chains = self.main, self.side, self.other = atomic_chains(
            MAIN, SIDE, OTHER, funds=dict.fromkeys(PEOPLE, FUNDS)
        )
        self.gold = self.side.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
        self.art = self.other.erc721.issue(BOB, name="Art", symbol="ART")
        self.art.mint(BOB, BOB, 7)
        self.snapshots = [chain.snapshot() for chain in self.chains]

    def reset(self):
        for chain, snapshot in zip(self.chains, self.snapshots, strict=True):
            chain.revert(snapshot)
        self.post = Post(*self.chains)
        return self

    def trade(self, carry=None, **options):
        carry = self.post.carry if carry is None else carry
        trade = AtomicTransaction(self.main, CAROL, carry=carry, **{"rounds": 3, **options})
        trade.move(self.side, ALICE, self.gold, 10, to=BOB)
        trade.move(self.other, BOB, self.art, 7, to=ALICE)
        trade.move(self.main, CAROL, None, 5, to=DAVE)
        return trade

    @property
    def holdings(self):
        """(Bob's gold, who owns the art, Dave's coin), and what is in escrow anywhere."""
        escrow = (
            self.gold.balance_of(PARTICIPANT_ADDRESS),
            self.art.balance_of(PARTICIPANT_ADDRESS),
            self.main.balance(PARTICIPANT_ADDRESS),
        )
        return (
            (self.gold.balance_of(BOB), self.art.owner_of(7), self.main.balance(DAVE) - FUNDS),
            escrow,
        )


NOTHING, BEFORE, AFTER = (0, 0, 0), (0, BOB.address, 0), (10, ALICE.address, 5)


@pytest.fixture(scope="module")
def made():
    return Market()


@pytest.fixture
def market(made):
    return made.reset()


def test_all_of_it_happens(market):
    with market.trade() as trade:
        assert market.holdings == (BEFORE, NOTHING)
    assert (trade.decision, market.holdings) == (Decision.COMMITTED, (AFTER, NOTHING))
    assert trade.is_settled()
    with pytest.raises(UsageError, match="under way"):
        trade.move(market.main, CAROL, None, 1, to=DAVE)


def test_over_relayers(market):
    """The same with relayers that have an account and see the chains from outside only."""
    pairs = ((market.main, market.side), (market.main, market.other))
    relayers = [Relayer(*(FacadePort(chain, DAVE) for chain in pair)) for pair in pairs]
    dave = market.main.balance(DAVE)
    trade = market.trade(lambda: [relayer.step() for relayer in relayers], rounds=12)
    assert trade.commit().id == trade.terms.id
    bob_gold, owner, _ = market.holdings[0]
    assert (bob_gold, owner, market.main.balance(DAVE) < dave) == (10, ALICE.address, True)


def test_the_second_trade_needs_no_channels(market):
    market.trade().commit()
    again = AtomicTransaction(market.main, CAROL, carry=market.post.carry)
    again.move(market.side, BOB, market.gold, 10, to=ALICE)
    assert list(again.steps()) == ["approved 0", "prepared 0"]


def test_none_of_it_happens_when_a_leg_cannot_be_prepared(market):
    trade = market.trade()
    trade.move(market.side, ALICE, market.gold, 91, to=BOB)  # there are 90 left
    with pytest.raises(AtomicAborted, match="could not be prepared") as caught:
        trade.commit()
    assert isinstance(caught.value.__cause__, Reverted)
    assert (caught.value.id, trade.decision) == (trade.terms.id, Decision.ABORTED)
    assert market.holdings == (BEFORE, NOTHING)


def test_none_of_it_happens_when_a_guard_fails(market):
    trade = market.trade()
    guards = [Guard.balance(DAVE.address, FUNDS + 1)]
    trade.move(market.other, CAROL, None, 1, to=DAVE, guards=guards)
    with pytest.raises(AtomicAborted):
        trade.commit()
    assert market.holdings == (BEFORE, NOTHING)


def test_votes_that_do_not_arrive(market):
    """The carrier loses all votes, and works again when the transaction is called off."""
    late = []

    def carry():
        if trade.decision is Decision.NONE:
            late.extend(market.post.collect())
            market.post.waiting.clear()
        else:
            market.post.carry()

    trade = market.trade(carry)
    with pytest.raises(AtomicAborted, match="did not arrive"):
        trade.commit()
    assert (len(late), market.holdings) == (2, (BEFORE, NOTHING))


def test_a_carrier_that_carries_nothing(market):
    trade = market.trade(lambda: None)
    with pytest.raises(AtomicUnsettled) as caught:
        trade.commit()
    assert (caught.value.id, market.holdings[1]) == (trade.terms.id, (10, 1, 0))
    for chain in market.chains:
        assert settle_by_proof(trade.terms, chain, market.main, DAVE) is Decision.ABORTED
    assert market.holdings[:2] == ((0, BOB.address, market.main.balance(DAVE) - FUNDS), NOTHING)
    assert trade.settle() is Decision.ABORTED


def test_an_error_in_the_block_sends_nothing(market):
    heights = [chain.height for chain in market.chains]
    with pytest.raises(ZeroDivisionError), market.trade():
        raise ZeroDivisionError
    assert [chain.height for chain in market.chains] == heights


def test_what_can_be_moved(market):
    class Counter(Paradigm):
        name = "counter"
        constructor = "constructor()"

        @external("function count()")
        def count(self, call):
            """Do nothing."""

    trade = AtomicTransaction(market.main, CAROL, carry=market.post.carry)
    with pytest.raises(UsageError, match="neither"):
        trade.move(market.main, CAROL, Instance(market.main, BOB, Counter), 1, to=DAVE)
    with pytest.raises(InvalidInput):
        _ = trade.terms  # no legs
    trade.move(market.main, CAROL, None, 1, to=DAVE)
    assert trade.commit().legs_on(MAIN) == (0,)


# The initiator, and then the relayer, stops at every step -----------------------------------------------

STEPS = ("connected 2", "connected 3", "approved 0", "prepared 0", "approved 1", "prepared 1", "approved 2")


def stop_after(market, count):
    """Take this many steps of a trade; its initiator is never heard of again."""
    trade = market.trade()
    taken = [step for _, step in zip(range(count), trade.steps(), strict=False)]
    assert taken == [*STEPS, "prepared 2"][:count]
    return trade.terms


@pytest.mark.parametrize("count", range(1, 9))
def test_the_initiator_stops(market, count):
    """Relayers go on: it is all or none, and after the deadline nothing is left in escrow."""
    terms = stop_after(market, count)
    market.post.carry()
    pass_deadline(market, terms)
    decisions = settle_all(market, terms)
    assert decisions == ({Decision.COMMITTED} if count == 8 else {Decision.ABORTED})
    assert_all_or_none(market, count == 8)


@pytest.mark.parametrize("delivered", range(7))
def test_the_relayer_stops(market, delivered):
    """All legs are prepared; this many messages arrive, then nothing does: proofs do the rest."""
    terms = stop_after(market, 8)
    for _ in range(delivered):
        market.post.deliver()
    pass_deadline(market, terms)
    committed = delivered >= 2  # both votes of other chains have arrived
    assert settle_all(market, terms) == {Decision.COMMITTED if committed else Decision.ABORTED}
    assert_all_or_none(market, committed)
    market.post.waiting[:] = [found for found in market.post.collect() if found[0] is market.main]
    market.post.carry()  # late news change nothing
    assert_all_or_none(market, committed)


def pass_deadline(market, terms):
    for chain in market.chains:
        chain.clock.set_ms(max(chain.clock.now_ms(), terms.deadline_ms))
        chain.seal()


def settle_all(market, terms):
    """Somebody who has nothing to do with the transaction settles each chain by proof."""
    return {settle_by_proof(terms, chain, market.main, CAROL) for chain in market.chains}


def assert_all_or_none(market, committed):
    assert market.holdings == (AFTER if committed else BEFORE, NOTHING)
