"""Transactions across chains against a model of a few lines: any order of steps, losses and delays.

Three chains and their tokens are real; packets are delivered, lost or delayed by the rules. The model says of
every step whether it is refused, and by which error, and who holds what afterwards. At the end somebody who
has nothing to do with it settles all by proof: each transaction has happened as a whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chainstack_sdk.paradigms import Erc20
from chainstack_sdk.primitives.abi import decode_revert
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.testing.atomic import Post, atomic_chains, proof_of_decision
from chainstack_sdk.xchain.addresses import PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.atomic import (
    AtomicTerms,
    AtomicTransaction,
    Coordinator,
    Decision,
    Leg,
    Participant,
    coordinator_of,
    participant_of,
    settle_by_proof,
)
from chainstack_sdk.xchain.atomic.terms import decode_message
from chainstack_sdk.xchain.custody import Asset
from chainstack_sdk.xchain.hub import Hub
from chainstack_sdk.xchain.packets import Packet

ALICE, BOB, CAROL = PEOPLE = [Account.from_key(number) for number in range(1, 4)]
MAIN, SIDE, OTHER = CHAINS = 1, 2, 3
SUPPLY, GAS, LIFETIME = 100, 3_000_000, 10_000_000
NONE, COMMITTED, ABORTED = Decision
ERRORS = [error for one in (Participant, Coordinator, Hub, Erc20) for error in one.abi_errors]


class World:
    """The chains, made once, and set back for every example."""

    def __init__(self):
        made = atomic_chains(*CHAINS, funds=dict.fromkeys(PEOPLE, 10**22))
        self.chains = dict(zip(CHAINS, made, strict=True))
        self.tokens = {
            chain_id: chain.erc20.issue(ALICE, name="T", symbol="T", supply=SUPPLY)
            for chain_id, chain in self.chains.items()
        }
        for token in self.tokens.values():
            token.transfer(ALICE, BOB, SUPPLY // 2)
            for owner in (ALICE, BOB):
                token.approve(owner, PARTICIPANT_ADDRESS)
        with AtomicTransaction(made[0], CAROL, carry=Post(*made).carry) as first:  # opens all channels
            for chain in made:
                first.move(chain, CAROL, None, 1, to=CAROL)
        self.snapshots = [chain.snapshot() for chain in made]

    def reset(self):
        for chain, snapshot in zip(self.chains.values(), self.snapshots, strict=True):
            chain.revert(snapshot)
        post = Post(*self.chains.values())
        post.collect().clear()
        return post


@dataclass
class Trade:
    """What the model knows of a transaction."""

    terms: AtomicTerms
    legs: list[Leg]
    votes: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    paid: set[int] = field(default_factory=set)
    """Legs whose recipients got the funds."""
    prepared: set[int] = field(default_factory=set)
    decision: Decision = NONE
    known: dict[int, Decision] = field(default_factory=lambda: dict.fromkeys(CHAINS, NONE))


_made = []


def world():
    if not _made:
        _made.append(World())
    return _made[0]


shapes = st.lists(
    st.tuples(st.sampled_from(CHAINS), st.booleans(), st.integers(1, 40)), min_size=2, max_size=3
)
"""Of the legs: chain, whether Bob gives and Alice gets, amount."""


class AtomicMachine(RuleBasedStateMachine):
    """The rules; a number `which` picks one of the things at hand."""

    def __init__(self):
        super().__init__()
        self.world = world()
        self.post = self.world.reset()
        self.chains, self.tokens = self.world.chains, self.world.tokens
        self.trades = []
        self.balances = {chain: {one.address: SUPPLY // 2 for one in (ALICE, BOB)} for chain in CHAINS}
        self.expected = {}  # by packet: whether the destination's app took it
        self.votes = {}  # packet -> "sent", "received", "settled"

    # What the model says

    def is_late(self, chain_id, trade, *, head=False):
        chain = self.chains[chain_id]
        time = chain.head.timestamp_ms if head else chain.clock.now_ms()
        return time >= trade.terms.deadline_ms

    def learn(self, trade, chain_id, decision, *, pays=True):
        if trade.known[chain_id] is decision:
            return
        assert trade.known[chain_id] is NONE
        trade.known[chain_id] = decision
        if pays:
            for index in sorted(trade.held):
                if trade.legs[index].chain == chain_id:
                    self.pay(trade, index)

    def pay(self, trade, index):
        leg = trade.legs[index]
        committed = trade.known[leg.chain] is COMMITTED
        self.balances[leg.chain][leg.recipient if committed else leg.owner] += leg.asset.number
        trade.held.remove(index)
        if committed:
            trade.paid.add(index)

    def decide(self, trade, decision):
        trade.decision = decision
        if trade.terms.legs_on(MAIN):
            self.learn(trade, MAIN, decision)

    def vote(self, trade, index):
        """Count a vote, or say why it is refused."""
        if trade.decision is not NONE:
            return "AlreadyDecided"
        if self.is_late(MAIN, trade):
            return "DeadlinePassed"
        trade.votes.add(index)
        if len(trade.votes) == len(trade.legs):
            self.decide(trade, COMMITTED)
        return None

    def trade_of(self, transaction):
        return next(trade for trade in self.trades if trade.terms.encode() == transaction)

    def same(self, error, act):
        """The chain must refuse a step by just this error, or take it when there is none."""
        try:
            act()
            actual = None
        except Reverted as refusal:
            actual = decode_revert(refusal.data, ERRORS).partition("(")[0]
        assert actual == error

    # The rules

    @initialize(shapes=shapes)
    def begin_first(self, shapes):
        self.begin(shapes)

    @precondition(lambda self: len(self.trades) < 3)
    @rule(shapes=shapes)
    def begin_another(self, shapes):
        self.begin(shapes)

    @rule(which=st.integers(0, 2), count=st.integers(1, 3))
    def prepare_next(self, which, count):
        """As an initiator does: leg by leg."""
        trade = self.trades[which % len(self.trades)]
        for index in [index for index in range(len(trade.legs)) if index not in trade.prepared][:count]:
            self.prepare(which, index)

    @rule(which=st.integers(0, 2), index=st.integers(0, 2))
    def prepare_any(self, which, index):
        self.prepare(which, index)

    @rule(count=st.integers(1, 6))
    def deliver_oldest(self, count):
        """As a relayer does."""
        for _ in range(min(count, len(self.post.collect()))):
            self.deliver(0)

    @precondition(lambda self: self.post.collect())
    @rule(which=st.integers(0, 9))
    def deliver_any(self, which):
        self.deliver(which)

    @rule(
        what=st.sampled_from(["lose", "time_out", "abort", "resolve", "release", "pass_deadline"]),
        which=st.integers(0, 9),
        chain_id=st.sampled_from(CHAINS),
    )
    def disturb(self, what, which, chain_id):
        """As anybody does who has another mind or is in trouble."""
        match what:
            case "lose" if self.post.collect():
                self.lose(which)
            case "time_out" if self.votes:
                self.time_out(which)
            case "abort":
                self.abort(which, CAROL if chain_id == MAIN else ALICE)
            case "resolve":
                self.resolve(which, chain_id)
            case "release":
                self.release(which, chain_id)
            case "pass_deadline":
                self.pass_deadline(which, chain_id)

    # The steps

    def begin(self, shapes):
        people = ALICE.address, BOB.address
        legs = [
            Leg(chain, people[back], people[not back], Asset.erc20(self.tokens[chain], amount))
            for chain, back, amount in shapes
        ]
        number = len(self.trades)
        deadline = self.chains[MAIN].clock.now_ms() + LIFETIME * (number + 1)
        self.trades.append(Trade(AtomicTerms.of(CAROL.address, number, MAIN, deadline, legs), legs))

    def prepare(self, which, index):
        trade = self.trades[which % len(self.trades)]
        index %= len(trade.legs)
        leg = trade.legs[index]
        error = self.try_prepare(trade, index, leg)
        owner = ALICE if leg.owner == ALICE.address else BOB
        args = index, leg.encode(), trade.terms.encode()
        participant = participant_of(self.chains[leg.chain])
        self.same(error, lambda: participant.send(owner, "prepare", *args, gas=GAS))

    def try_prepare(self, trade, index, leg):
        if trade.known[leg.chain] is not NONE:
            return "AlreadyDecided"
        if self.is_late(leg.chain, trade):
            return "DeadlinePassed"
        if index in trade.held:
            return "AlreadyPrepared"
        if self.balances[leg.chain][leg.owner] < leg.asset.number:
            return "ERC20InsufficientBalance"
        if leg.chain == MAIN and trade.decision is not NONE:
            return "AlreadyDecided"
        self.balances[leg.chain][leg.owner] -= leg.asset.number
        trade.held.add(index)
        trade.prepared.add(index)
        return self.vote(trade, index) if leg.chain == MAIN else None

    def deliver(self, which):
        waiting = self.post.collect()
        place = which % len(waiting)
        message = waiting[place][1].message
        error = self.receive(message) if isinstance(message, Packet) else self.acknowledge(message)
        self.same(error, lambda: self.post.deliver(place))

    def receive(self, packet):
        number, transaction = decode_message(packet.payload)
        trade = self.trade_of(transaction)
        if packet.destination != MAIN:
            self.learn(trade, packet.destination, Decision(number))
            self.expected[packet.hash] = True
            return None
        if self.is_late(MAIN, trade):
            return "TimedOut"
        self.expected[packet.hash] = self.vote(trade, number) is None
        self.votes[packet] = "received"
        return None

    def acknowledge(self, message):
        assert message.success == self.expected[message.packet_hash]
        for packet in self.votes:
            if packet.hash == message.packet_hash:
                self.votes[packet] = "settled"
                if not message.success:
                    self.learn(self.trade_of(decode_message(packet.payload)[1]), packet.source, ABORTED)
        return None

    def lose(self, which):
        waiting = self.post.collect()
        waiting.pop(which % len(waiting))

    def time_out(self, which):
        packet = list(self.votes)[which % len(self.votes)]
        trade = self.trade_of(decode_message(packet.payload)[1])
        if self.votes[packet] == "settled":
            error = "AlreadySettled"
        elif not self.is_late(MAIN, trade, head=True):
            error = "NotTimedOut"
        else:
            error = "WasReceived" if self.votes[packet] == "received" else None
        if error is None:
            self.votes[packet] = "settled"
            self.learn(trade, packet.source, ABORTED)
        self.same(error, lambda: self.post.time_out(packet))

    def abort(self, which, who):
        trade = self.trades[which % len(self.trades)]
        if who is ALICE and not self.is_late(MAIN, trade):
            error = "NotAllowed"
        else:
            error = "AlreadyDecided" if trade.decision is not NONE else None
        if error is None:
            self.decide(trade, ABORTED)
        coordinator = coordinator_of(self.chains[MAIN])
        self.same(error, lambda: coordinator.send(who, "abort", trade.terms.encode(), gas=GAS))

    def resolve(self, which, chain_id):
        trade = self.trades[which % len(self.trades)]
        decision = trade.decision
        if decision is NONE and self.is_late(MAIN, trade, head=chain_id != MAIN):
            decision = ABORTED
        if trade.known[chain_id] is not NONE:
            error = "AlreadyDecided"
        else:
            error = "Undecided" if decision is NONE else None
        if error is None:
            self.learn(trade, chain_id, decision, pays=False)
        proof = b"" if chain_id == MAIN else proof_of_decision(self.chains[MAIN], trade.terms.id)
        args = trade.terms.encode(), proof
        participant = participant_of(self.chains[chain_id])
        self.same(error, lambda: participant.send(CAROL, "resolve", *args, gas=GAS))

    def release(self, which, index):
        trade = self.trades[which % len(self.trades)]
        index %= len(trade.legs)
        chain_id = trade.legs[index].chain
        if trade.known[chain_id] is NONE:
            error = "NotDecided"
        else:
            error = None if index in trade.held else "NothingHeld"
        if error is None:
            self.pay(trade, index)
        participant = participant_of(self.chains[chain_id])
        self.same(error, lambda: participant.send(CAROL, "release", trade.terms.id, index, gas=GAS))

    def pass_deadline(self, which, chain_id):
        self.go_to(chain_id, self.trades[which % len(self.trades)].terms.deadline_ms)

    def go_to(self, chain_id, time_ms):
        chain = self.chains[chain_id]
        chain.clock.set_ms(max(time_ms, chain.clock.now_ms()))
        chain.seal()

    # What must always be so

    @invariant()
    def votes_are_noted(self):
        for _, found in self.post.collect():
            message = found.message
            if isinstance(message, Packet) and message.destination == MAIN:
                self.votes.setdefault(message, "sent")

    @invariant()
    def everybody_holds_what_the_model_says(self):
        for chain_id, token in self.tokens.items():
            held = sum(
                trade.legs[index].asset.number
                for trade in self.trades
                for index in trade.held
                if trade.legs[index].chain == chain_id
            )
            assert token.balance_of(PARTICIPANT_ADDRESS) == held
            for one in (ALICE, BOB):
                assert token.balance_of(one) == self.balances[chain_id][one.address]

    def teardown(self):
        """Nobody of the parties acts any more: all is settled by proof, as a whole or not at all."""
        for trade in self.trades:
            for chain_id in CHAINS:
                self.go_to(chain_id, trade.terms.deadline_ms)
        for trade in self.trades:
            final = COMMITTED if trade.decision is COMMITTED else ABORTED
            for chain_id in trade.terms.chains:
                main, chain = self.chains[MAIN], self.chains[chain_id]
                assert settle_by_proof(trade.terms, chain, main, CAROL) is final
                self.learn(trade, chain_id, final)
            for index in sorted(trade.held):
                self.pay(trade, index)
            assert trade.paid == (set(range(len(trade.legs))) if final is COMMITTED else set())
            assert final is ABORTED or trade.prepared == trade.paid
        self.everybody_holds_what_the_model_says()
        for token in self.tokens.values():
            assert token.balance_of(PARTICIPANT_ADDRESS) == 0


AtomicMachine.TestCase.settings = settings(
    max_examples=max(settings.default.max_examples // 9, 1), stateful_step_count=20
)
TestAtomicTransactions = AtomicMachine.TestCase
