"""The mempool against an obvious model: lists that are searched and sorted anew at every step."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.errors import Rejected
from chainstack_sdk.primitives.keys import Account

ACCOUNTS = [Account.from_key(number) for number in range(1, 6)]
ADDRESSES = [account.address for account in ACCOUNTS]
BALANCE = 21_000 * 120

senders = st.integers(0, len(ACCOUNTS) - 1)
fees = st.integers(5, 60)
tips = st.integers(0, 20)


class Model:
    """What a mempool is, said as plainly as possible."""

    def __init__(self, size, per_sender):
        self.size = size
        self.per_sender = per_sender
        self.pending = []  # (arrival, transaction), in order of admission
        self.arrivals = 0
        self.put_backs = 0

    def of(self, sender):
        return sorted((t.nonce, arrival, t) for arrival, t in self.pending if t.sender == sender)

    def drop(self, transaction):
        self.pending = [entry for entry in self.pending if entry[1] != transaction]

    def runnable(self, sender, nonce):
        """The sender's transactions from `nonce` on, up to the first gap."""
        run = []
        for number, arrival, t in self.of(sender):
            if number == nonce + len(run):
                run.append((arrival, t))
        return run

    def judge(self, new, nonce, base_fee, gas_limit):
        """Return why a transaction is refused, or None and the one that has to go."""
        own = self.of(new.sender)
        same = [t for number, _arrival, t in own if number == new.nonce]
        cost = sum(t.gas * t.max_fee_per_gas + t.value for _n, _a, t in own if t not in same)
        if any(t == new for _arrival, t in self.pending):
            return "already_known", None
        if new.gas > gas_limit:
            return "gas_limit", None
        if new.max_fee_per_gas < base_fee:
            return "fee_too_low", None
        if new.nonce < nonce:
            return "nonce_too_low", None
        if same:
            old = same[0]
            for before, after in (
                (old.max_fee_per_gas, new.max_fee_per_gas),
                (old.max_priority_fee_per_gas, new.max_priority_fee_per_gas),
            ):
                if after <= before or after * 10 < before * 11:
                    return "underpriced", None
        elif len(own) >= self.per_sender:
            return "pool_full", None
        if cost + new.gas * new.max_fee_per_gas + new.value > BALANCE:
            return "insufficient_funds", None
        if same:
            return None, same[0]
        if len(self.pending) < self.size:
            return None, None
        if new.nonce > nonce + len(self.runnable(new.sender, nonce)):
            return "pool_full", None
        tails = [self.of(sender)[-1] for sender in ADDRESSES if sender != new.sender and self.of(sender)]
        if not tails:
            return "pool_full", None
        price = lambda t: (t.max_fee_per_gas, t.max_priority_fee_per_gas)  # noqa: E731
        _n, _a, cheapest = min(tails, key=lambda tail: (price(tail[2]), -tail[1]))
        return ("pool_full", None) if price(new) <= price(cheapest) else (None, cheapest)

    def add(self, new, replaced):
        self.drop(replaced)
        self.arrivals += 1
        self.pending.append((self.arrivals, new))

    def take(self, nonces, base_fee, gas_limit, max_count):
        taken = []
        runs = [self.runnable(sender, nonces[sender]) for sender in ADDRESSES]
        while len(taken) < max_count:
            fitting = [
                (-min(t.max_priority_fee_per_gas, t.max_fee_per_gas - base_fee), arrival, run)
                for run in runs
                for arrival, t in run[:1]
                if t.max_fee_per_gas >= base_fee and t.gas <= gas_limit
            ]
            if not fitting:
                break
            best = min(fitting)[2].pop(0)[1]
            gas_limit -= best.gas
            taken.append(best)
        for t in taken:
            self.drop(t)
        return taken

    def put_back(self, transactions):
        self.put_backs -= len(transactions)
        self.pending += [(self.put_backs + at, t) for at, t in enumerate(transactions)]

    def on_block(self, nonces):
        self.pending = [(arrival, t) for arrival, t in self.pending if t.nonce >= nonces[t.sender]]


class MempoolMachine(RuleBasedStateMachine):
    @initialize(size=st.integers(1, 20), per_sender=st.integers(1, 5))
    def start(self, size, per_sender):
        self.pool = Mempool(chain_id=1, max_transactions=size, max_per_sender=per_sender)
        self.model = Model(size, per_sender)
        self.nonces = dict.fromkeys(ADDRESSES, 0)

    def sign(self, sender, ahead, fee, tip, gas=21_000, value=0):
        return sign_transaction(
            ACCOUNTS[sender],
            chain_id=1,
            nonce=max(0, self.nonces[ADDRESSES[sender]] + ahead),
            to=bytes(20),
            gas=gas,
            value=value,
            max_fee_per_gas=fee,
            max_priority_fee_per_gas=min(tip, fee),
        )

    @rule(
        sender=senders,
        ahead=st.integers(-1, 4),
        fee=fees,
        tip=tips,
        gas=st.sampled_from([21_000, 30_000, 90_000]),
        value=st.integers(0, 1),
        base_fee=st.integers(0, 10),
        gas_limit=st.sampled_from([89_999, 10**6]),
    )
    def add(self, sender, ahead, fee, tip, gas, value, base_fee, gas_limit):
        self.try_to_add(self.sign(sender, ahead, fee, tip, gas, value), base_fee, gas_limit)

    @rule(chosen=st.lists(st.tuples(senders, st.integers(1, 3), fees, tips), min_size=2, max_size=6))
    def fill(self, chosen):
        """Transactions of several senders, each sender's nonces without gaps."""
        for sender, count, fee, tip in chosen:
            for ahead in range(count):
                self.try_to_add(self.sign(sender, ahead, fee, tip), 0, 10**6)

    def try_to_add(self, new, base_fee, gas_limit):
        nonce = self.nonces[new.sender]
        code, replaced = self.model.judge(new, nonce, base_fee, gas_limit)
        actual = None
        try:
            self.pool.add(new, nonce=nonce, balance=BALANCE, base_fee=base_fee, gas_limit=gas_limit)
        except Rejected as error:
            actual = error.code
        assert actual == code
        if actual is None:
            self.model.add(new, replaced)

    @rule(
        base_fee=st.integers(0, 30),
        gas_limit=st.sampled_from([0, 50_000, 100_000, 10**7]),
        max_count=st.integers(0, 4) | st.none(),
        keep=st.integers(0, 9),
    )
    def seal(self, base_fee, gas_limit, max_count, keep):
        """Build a block of the first few that were taken; the others go back."""
        taken = self.pool.take(base_fee, gas_limit, max_count)
        assert taken == self.model.take(
            self.nonces, base_fee, gas_limit, 99 if max_count is None else max_count
        )
        self.pool.put_back(taken[keep:])
        self.model.put_back(taken[keep:])
        self.include(taken[:keep])

    @rule(sender=senders, count=st.integers(1, 3), fee=fees)
    def import_block(self, sender, count, fee):
        """A block from elsewhere, with transactions that may or may not be pending."""
        self.include([self.sign(sender, ahead, fee, 1) for ahead in range(count)])

    def include(self, transactions):
        for transaction in transactions:
            self.nonces[transaction.sender] = transaction.nonce + 1
        self.pool.on_block(transactions)
        self.model.on_block(self.nonces)

    @rule()
    def go_on_with_a_copy(self):
        old, self.pool = self.pool, self.pool.copy()
        old.take(0, 10**9)

    @invariant()
    def same_contents(self):
        expected = [transaction for _arrival, transaction in self.model.pending]
        assert list(self.pool) == expected
        assert len(self.pool) == len(expected)
        assert all(t.hash in self.pool and self.pool.get(t.hash) == t for t in expected)
        for sender in ADDRESSES:
            nonce = self.nonces[sender]
            next_nonce = nonce + len(self.model.runnable(sender, nonce)) if self.model.of(sender) else None
            assert self.pool.next_nonce(sender) == next_nonce


MempoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestMempool = MempoolMachine.TestCase
