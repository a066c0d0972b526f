"""Shards: plain transfers on one and on two of them, each in its process, and what the steps of it cost."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import in_turn
from benchmarks.scale_model import Costs
from chainstack_sdk import Account, ether, gwei
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.cspv.operator import OperatorKey
from chainstack_sdk.system.shards import Homes, ShardedStack
from chainstack_sdk.system.shards.bank import MAX_ENTRIES
from chainstack_sdk.system.shards.ports import LocalPort
from chainstack_sdk.system.shards.stack import FIRST_CHAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measure import Figure

ACCOUNTS = 1_500
"""Accounts for each shard: how many a block touches decides what its root takes."""
PER_BLOCK = 1_000
"""Transfers in a block of each shard."""
SHARES = (0.0, 0.1, 0.5)
"""Which part of the transfers goes to another shard."""


class Traffic:
    """Transfers of many accounts at home on some shards, signed as they are asked for.

    Parameters
    ----------
    homes
        How the accounts are shared out.
    """

    def __init__(self, homes: Homes) -> None:
        self.accounts = [Account.from_key(number) for number in range(1, ACCOUNTS * homes.count + 1)]
        self._homes = homes
        self._by_home: list[list[Account]] = [[] for _ in range(homes.count)]
        for account in self.accounts:
            self._by_home[homes.shard_of(account.address)].append(account)
        self._nonces = dict.fromkeys((account.address for account in self.accounts), 0)
        self._draw = random.Random(1)

    @property
    def funds(self) -> dict[bytes, int]:
        """Wei by address."""
        return {account.address: ether(1_000) for account in self.accounts}

    def from_shard(self, shard: int, count: int, across: float) -> list[bytes]:
        """Return transfers of accounts of a shard, of which some part goes to other shards."""
        own, raws = self._by_home[shard], []
        others = [other for other in range(self._homes.count) if other != shard]
        for index in range(count):
            leaves = others and int((index + 1) * across) > int(index * across)
            home = self._draw.choice(others) if leaves else shard
            raws.append(
                self._signed(own[index % len(own)], shard, self._draw.choice(self._by_home[home]).address)
            )
        return raws

    def across(self, shard: int, home: int, count: int) -> list[bytes]:
        """Return transfers to as many accounts of another shard, each to one of its own."""
        receivers = self._draw.sample(self._by_home[home], count)
        senders = self._by_home[shard]
        return [
            self._signed(sender, shard, receiver.address)
            for sender, receiver in zip(senders, receivers, strict=False)
        ]

    def _signed(self, sender: Account, shard: int, receiver: bytes) -> bytes:
        nonce = self._nonces[sender.address]
        self._nonces[sender.address] += 1
        return sign_transaction(
            sender,
            chain_id=self._homes.chain_of(shard),
            nonce=nonce,
            to=receiver,
            gas=21_000,
            value=1,
            max_fee_per_gas=gwei(10),
            max_priority_fee_per_gas=gwei(1),
        ).raw


class TimedPort(LocalPort):
    """A shard in this process that knows how long it has worked."""

    seconds = 0.0
    """Of the processor."""

    def answer(self) -> bytes:
        """Do the work and return the answer."""
        start = time.process_time()
        answer = super().answer()
        self.seconds += time.process_time() - start
        return answer


class Running:
    """A stack that is fed with blocks of transfers.

    Parameters
    ----------
    count
        How many shards.
    ports
        The ways to them; by default a process for each.
    """

    def __init__(self, count: int, ports: Sequence[TimedPort] = ()) -> None:
        homes = Homes(count, FIRST_CHAIN)
        self.traffic = Traffic(homes)
        funds = self.traffic.funds
        self.stack = ShardedStack(homes, ports, funds) if ports else ShardedStack.open(count, funds)

    def round(self, transfers: int, across: float) -> Callable[[], int]:
        """Sign so many transfers, and return what sends them and waits until all have arrived."""
        count = self.stack.homes.count
        size = transfers // count
        blocks = [
            [
                raw
                for shard in range(count)
                for raw in self.traffic.from_shard(shard, min(PER_BLOCK, size - start), across)
            ]
            for start in range(0, size, PER_BLOCK)
        ]
        known.clear()

        def run() -> int:
            for block in blocks:
                self.stack.send_many(block)
                self.stack.seal()
            self.stack.settle()
            return size * count

        return run


def one_and_two(*, quick: bool) -> Iterator[Figure]:
    """Compare two shards with one, in wall time, and check that no coin is lost."""
    transfers = 2_000 if quick else 8_000
    one, two = Running(1), Running(2)
    with one.stack, two.stack:
        for running in (one, two):
            running.round(PER_BLOCK, 0.5)()  # what is loaded on first use
        for across in SHARES:
            rounds = in_turn(
                lambda: one.round(transfers, 0.0),
                partial(two.round, transfers, across),
                3 if quick else 7,
                clock=time.perf_counter,
            )
            alone, both = rounds.micros()
            yield rounds.figure(
                f"two shards, {across:.0%} across, rate over one shard",
                target=1.4 if across <= 0.1 else None,
                note=f"{1e6 / alone:,.0f} and {1e6 / both:,.0f} transfers a second, wall time",
            )
        for running in (one, two):
            if running.stack.supply() != running.stack.genesis_supply:
                raise AssertionError("coin was lost or made between shards")


def with_a_core_each(*, quick: bool) -> Iterator[Figure]:
    """Compare two shards with one by what they take of a processor, as if each had a core to itself."""
    ports = [TimedPort() for _ in range(3)]
    one, two = Running(1, ports[:1]), Running(2, ports[1:])
    for running in (one, two):
        running.round(PER_BLOCK, 0.5)()  # what is loaded on first use

    def both(across: float) -> Callable[[], int]:
        run = two.round(2 * PER_BLOCK, across)
        return lambda: 2 * run()  # two cores work in the time of one

    for across in SHARES:
        rounds = in_turn(
            lambda: one.round(PER_BLOCK, 0.0),
            partial(both, across),
            4 if quick else 10,
            clock=lambda: sum(port.seconds for port in ports),
        )
        alone, shared = rounds.micros()
        yield rounds.figure(
            f"two shards with a core each, {across:.0%} across, rate over one shard",
            target=1.6 if across <= 0.1 else None,
            note=f"{1e6 / alone:,.0f} and {1e6 / shared:,.0f} transfers a second, processor time",
        )


def measured(*, quick: bool) -> tuple[Costs, dict[tuple[int, float], float]]:
    """Return what the steps take of a processor, and the rates of shards that have a core each.

    Both are the best of rounds that are run in turn: other programs only ever add to the time. Rates are in
    transfers a second, by the number of shards and the part that goes across.
    """
    pair = _Pair()
    cases = {(1, 0.0): _Fed(1, 0.0), **{(2, across): _Fed(2, across) for across in SHARES}}
    for _ in range(4 if quick else 12):
        pair.measure()
        for case in cases.values():
            case.measure()
    return pair.costs(), {key: case.rate for key, case in cases.items()}


class _Fed:
    """Shards in this process that make full blocks."""

    def __init__(self, count: int, across: float) -> None:
        self._count, self._across = count, across
        self._ports = [TimedPort() for _ in range(count)]
        self._running = Running(count, self._ports)
        self._running.round(PER_BLOCK, 0.5)()  # what is loaded on first use
        self.rate = 0.0
        """The best so far, in transfers a second, if each shard had a core."""

    def measure(self) -> None:
        """Run two blocks of every shard, until everything has arrived."""
        run = self._running.round(2 * PER_BLOCK * self._count, self._across)
        start = sum(port.seconds for port in self._ports)
        units = run()
        taken = sum(port.seconds for port in self._ports) - start
        self.rate = max(self.rate, self._count * units / taken)


class _Pair:
    """Two shards in this process, whose steps are timed."""

    def __init__(self) -> None:
        self._ports = [TimedPort(), TimedPort()]
        self._running = Running(2, self._ports)
        self._crossing(8)  # what is loaded on first use
        self._best: dict[str, float] = {}

    def measure(self) -> None:
        """Time blocks of several sizes."""
        traffic = self._running.traffic
        self._note("none", self._block([])[0])
        self._note("full", self._block(traffic.from_shard(0, 2 * PER_BLOCK, 0.0))[0])
        for count in (8, MAX_ENTRIES, 4 * MAX_ENTRIES):
            for step, seconds in zip(("out", "in", "ack"), self._crossing(count), strict=True):
                self._note(f"{step} {count}", seconds)
        key = OperatorKey(bytes(32))
        start = time.process_time()
        key.sign(bytes(32))
        self._note("sign", time.process_time() - start)

    def costs(self) -> Costs:
        """Tell the steps apart by the differences."""
        best = self._best
        none, sign = best["none"], best["sign"]
        transfer = (best["full"] - none) / (2 * PER_BLOCK)
        entry, packet = {}, {}
        for step in ("out", "in", "ack"):
            few, one, four = (best[f"{step} {count}"] for count in (8, MAX_ENTRIES, 4 * MAX_ENTRIES))
            entry[step] = max(0.0, (one - few) / (MAX_ENTRIES - 8))
            packet[step] = max(0.0, (four - one - 3 * MAX_ENTRIES * entry[step]) / 3)
        check = best["in 8"] - none - 8 * entry["in"] - packet["in"] - sign  # the answer is signed there
        return Costs(
            *(transfer, max(0.0, entry["out"] - transfer), entry["in"]),
            *(packet["out"], packet["in"], packet["ack"] + entry["ack"] * MAX_ENTRIES),
            *(max(0.0, check), sign, none),
        )

    def _note(self, what: str, seconds: float) -> None:
        self._best[what] = min(seconds, self._best.get(what, seconds))

    def _crossing(self, count: int) -> tuple[float, float, float]:
        """Return what transfers across take where they leave, where they arrive, and at their end."""
        left, _ = self._block(self._running.traffic.across(0, 1, count))
        _, arrived = self._block([])
        ended, _ = self._block([])
        return left, arrived, ended

    def _block(self, raws: Sequence[bytes]) -> list[float]:
        """Make a block, and return what it took each shard."""
        known.clear()
        before = [port.seconds for port in self._ports]
        self._running.stack.send_many(raws)
        self._running.stack.seal()
        return [port.seconds - start for port, start in zip(self._ports, before, strict=True)]
