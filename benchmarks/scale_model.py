"""``python -m benchmarks.scale_model``: how many shards carry how much, by a model.

A discrete-event model of equal shards, a core for each of their validators. Its costs are measured where it
runs, by :mod:`benchmarks.shards`; everything else is an assumption, and is printed with the answers.
Events are blocks, and what goes from one block to other shards; transfers are counted, not followed.

What a block takes of its core::

    block + transfers * transfer + those that leave * sweep + packets that leave * packet out
    + arriving packets * packet in + accounts in them * payout + acknowledged packets * acknowledgement
    + blocks of other shards that something comes from * check + one signature if anything goes out

**Caveats**

- It knows processors and delays. It knows nothing of bandwidth, disks, memory, or of validators that fail.
- Agreement among validators costs a fixed delay, and none of the processor that executes.
- Clients find the shard of a transfer themselves, which takes them 3 microseconds.
- All shards are equally busy, and what leaves a shard goes to all others alike. Real traffic is not so.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from heapq import heappop, heappush
from itertools import count as numbers
from math import ceil
from typing import Any, NamedTuple

PER_PACKET = 256
"""Accounts in a packet."""


class Costs(NamedTuple):
    """Seconds of one core."""

    transfer: float
    """A transfer from bytes to its place in a sealed block, with the recovery of its signature."""
    sweep: float
    """More for one that leaves the shard: taking the coin into a packet."""
    payout: float
    """Crediting an account out of a packet that arrives."""
    packet_out: float
    """Making a packet and its proof."""
    packet_in: float
    """Receiving a packet by its proof, and proving the acknowledgement."""
    packet_ack: float
    """Settling a packet by the proof of its acknowledgement."""
    check: float
    """Checking the signature of another shard's block, once for everything in it."""
    sign: float
    """Signing an own block that anything goes out from."""
    block: float
    """An empty block."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A system of shards and what is asked of it."""

    shards: int
    rate: float
    """Transfers a second that are sent to the whole system."""
    across: float
    """Which part of them goes to another shard, from 0 to 1."""
    interval: float
    """Seconds from one block of a shard to its next, unless the block takes longer."""
    delay: float
    """Seconds from a sealed block to its being final and provable on another shard."""
    duration: float
    """Seconds during which transfers are sent."""
    most: int = 47_619
    """Transfers in a block at most."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    sent: int = 0
    """Transfers that reached the system."""
    local: int = 0
    """Of these, executed, and staying on their shard."""
    left: int = 0
    """Executed, and bound for another shard."""
    arrived: int = 0
    """Of those that left, paid out."""
    waiting: int = 0
    """Not executed at the end."""
    in_flight: int = 0
    """Left and not paid out at the end."""
    busy: float = 0.0
    """The part of their time that the cores worked."""
    local_seconds: float = 0.0
    """From sending to final, on average, of those that stay."""
    across_seconds: float = 0.0
    """From sending to final where it was paid out, on average, of those that have arrived."""

    @property
    def conserved(self) -> bool:
        """Whether every transfer is in exactly one place."""
        executed = self.local + self.left
        return self.sent == executed + self.waiting and self.left == self.arrived + self.in_flight


class _Letter(NamedTuple):
    source: int
    block: int
    accounts: int
    packets: int
    acknowledged: int
    sent_at: float
    """When its transfers were sent, on average."""


@dataclass(slots=True)
class _Shard:
    number: int
    taken: int = 0
    """Transfers that have come into blocks."""
    leaving: int = 0
    """Of these, those that left."""
    blocks: int = 0
    mail: list[_Letter] = field(default_factory=list)
    acknowledge: dict[int, int] = field(default_factory=dict)
    """Packets by the shard that they came from, which the next letter there acknowledges."""
    turn: int = 0
    """Where the remainder goes, when accounts do not divide by the shards."""


class Model:
    """The events of one system.

    Parameters
    ----------
    costs, setting
        What steps take, and what is asked.
    """

    def __init__(self, costs: Costs, setting: Setting) -> None:
        self._costs = costs
        self._setting = setting
        self._shards = [_Shard(number) for number in range(setting.shards)]
        self._starts = [setting.interval * (1 + number / setting.shards) for number in range(setting.shards)]
        self._outcome = Outcome()
        self._events: list[tuple[float, int, int, tuple[tuple[int, _Letter], ...]]] = []
        self._order = numbers()
        self._worked = 0.0
        self._latencies = [0.0, 0.0]

    def run(self) -> Outcome:
        """Let transfers come for the setting's duration, and return where all of them are at its end."""
        setting, outcome = self._setting, self._outcome
        for shard in self._shards:
            self._schedule(self._starts[shard.number], shard.number)
        while self._events and self._events[0][0] <= setting.duration:
            now, _, number, letters = heappop(self._events)
            if letters:
                for destination, letter in letters:
                    self._shards[destination].mail.append(letter)
            else:
                self._seal(self._shards[number], now)
        outcome.sent = sum(self._come(setting.duration) for _ in self._shards)
        outcome.waiting = outcome.sent - outcome.local - outcome.left
        outcome.in_flight = outcome.left - outcome.arrived
        outcome.busy = min(1.0, self._worked / (setting.duration * setting.shards - sum(self._starts)))
        outcome.local_seconds = self._latencies[0] / max(1, outcome.local)
        outcome.across_seconds = self._latencies[1] / max(1, outcome.arrived)
        return outcome

    def _schedule(self, when: float, shard: int, letters: tuple[tuple[int, _Letter], ...] = ()) -> None:
        heappush(self._events, (when, next(self._order), shard, letters))

    def _come(self, now: float) -> int:
        """Return how many transfers have reached each shard."""
        return int(self._setting.rate / self._setting.shards * now)

    def _seal(self, shard: _Shard, now: float) -> None:
        setting = self._setting
        fresh = min(self._come(now) - shard.taken, setting.most)
        per_shard = setting.rate / setting.shards
        sent_at = (shard.taken + fresh / 2) / per_shard if per_shard else now
        shard.taken += fresh
        leaving = int(shard.taken * setting.across) - shard.leaving if setting.shards > 1 else 0
        shard.leaving += leaving
        mail, shard.mail = shard.mail, []
        shares = self._shares(shard, leaving)
        packets = {to: ceil(accounts / PER_PACKET) for to, accounts in shares.items()}
        end = now + self._work(fresh, leaving, mail, sum(packets.values()))
        self._worked += min(end, setting.duration) - now
        self._account(fresh - leaving, leaving, mail, sent_at, end)
        for letter in mail:
            if letter.packets:
                shard.acknowledge[letter.source] = shard.acknowledge.get(letter.source, 0) + letter.packets
        letters = self._letters(shard, shares, packets, sent_at)
        if letters:
            self._schedule(end + setting.delay, shard.number, letters)
        shard.blocks += 1
        self._schedule(max(end, now + setting.interval), shard.number)

    def _shares(self, shard: _Shard, leaving: int) -> dict[int, int]:
        """Share out what leaves among all other shards."""
        others = self._setting.shards - 1
        if not leaving:
            return {}
        each, rest = divmod(leaving, others)
        shares = {}
        for place in range(others):
            accounts = each + ((place - shard.turn) % others < rest)
            if accounts:
                shares[(shard.number + 1 + place) % self._setting.shards] = accounts
        shard.turn = (shard.turn + rest) % others
        return shares

    def _letters(
        self, shard: _Shard, shares: dict[int, int], packets: dict[int, int], sent_at: float
    ) -> tuple[tuple[int, _Letter], ...]:
        acknowledged, shard.acknowledge = shard.acknowledge, {}
        return tuple(
            (
                to,
                _Letter(
                    *(shard.number, shard.blocks, shares.get(to, 0)),
                    *(packets.get(to, 0), acknowledged.get(to, 0), sent_at),
                ),
            )
            for to in sorted({*shares, *acknowledged})
        )

    def _work(self, transfers: int, leaving: int, mail: list[_Letter], packets: int) -> float:
        costs = self._costs
        goes_out = bool(packets) or any(letter.packets for letter in mail)
        seconds = costs.block + transfers * costs.transfer + leaving * costs.sweep
        seconds += packets * costs.packet_out + goes_out * costs.sign
        for letter in mail:
            seconds += costs.check + letter.packets * costs.packet_in + letter.accounts * costs.payout
            seconds += letter.acknowledged * costs.packet_ack
        return seconds

    def _account(self, local: int, leaving: int, mail: list[_Letter], sent_at: float, end: float) -> None:
        outcome, final = self._outcome, end + self._setting.delay
        outcome.local += local
        outcome.left += leaving
        self._latencies[0] += local * (final - sent_at)
        for letter in mail:
            outcome.arrived += letter.accounts
            self._latencies[1] += letter.accounts * (final - letter.sent_at)


def saturated(costs: Costs, shards: int, across: float, per_block: int) -> float:
    """Return transfers a second when shards make blocks of some size without a pause or a delay."""
    blocks = 200
    duration = blocks * (costs.block + per_block * costs.transfer)
    endless = 2 * shards * blocks * per_block / duration
    setting = Setting(shards, endless, across, 0.0, 0.0, duration, per_block)
    outcome = Model(costs, setting).run()
    return (outcome.local + outcome.left) / duration


def load(costs: Costs, setting: Setting) -> float:
    """Return the part of its time that each core works; above 1 it does not keep up."""
    others, interval = setting.shards - 1, setting.interval
    transfers = setting.rate * interval / setting.shards
    leaving = transfers * setting.across if others else 0.0
    letters = min(others, leaving)
    packets = letters * ceil(leaving / letters / PER_PACKET) if letters else 0.0
    seconds = costs.block + transfers * costs.transfer + leaving * (costs.sweep + costs.payout)
    seconds += packets * (costs.packet_out + costs.packet_in + costs.packet_ack)
    seconds += letters * costs.check + bool(letters) * costs.sign
    return seconds / interval


def shards_for(costs: Costs, setting: Setting, busy: float, most: int = 1_024) -> int | None:
    """Return the fewest shards whose cores work no more than some part of their time; None: no number does.

    What a shard executes falls with their number, and what it has to check rises with it.
    """
    for shards in range(1, most + 1):
        fits = setting.rate * setting.interval / shards <= setting.most
        if fits and load(costs, _with_shards(setting, shards)) <= busy:
            return shards
    return None


def _with_shards(setting: Setting, shards: int) -> Setting:
    values = asdict(setting) | {"shards": shards}
    return Setting(**values)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not measured."""

    busy: float = 0.7
    """The part of its time that a core may work."""
    replicas: int = 4
    """Validators of each shard, all of which execute everything: the fewest of which one may be faulty."""
    cores: int = 16
    """Cores of a machine, each with one shard's validator; the machine has no other work."""
    network_delay: float = 0.1
    """Seconds that a message takes from one machine to another."""
    message_delays: int = 4
    """Messages in a row until a block is final and known elsewhere: proposal, two votes, the proof."""
    interval: float = 2.0
    """Seconds between blocks of a shard."""
    block_transfers: int = 47_619
    """Transfers that a block has room for: 1,000,000,000 gas."""
    daily_transfers: float = 10.0
    """Transfers of a user in a day."""
    peak: float = 10.0
    """The busiest second of the day over the average one."""

    @property
    def delay(self) -> float:
        """Seconds from a sealed block to its proof elsewhere."""
        return self.network_delay * self.message_delays


def answers(costs: Costs, assumed: Assumptions, shares: tuple[float, ...]) -> list[dict[str, Any]]:
    """Return for each question and part across: the shards, the machines, and how the model ran with them."""
    rows = []
    users = 10_000_000 * assumed.daily_transfers / 86_400 * assumed.peak
    for question, rate in (("1,000,000 transfers/s", 1e6), ("10,000,000 daily users", users)):
        for across in shares:
            timing = assumed.interval, assumed.delay, 20 * assumed.interval
            setting = Setting(1, rate, across, *timing, assumed.block_transfers)
            shards = shards_for(costs, setting, assumed.busy)
            row: dict[str, Any] = {"question": question, "rate": rate, "across": across, "shards": shards}
            if shards is not None:
                outcome = Model(costs, _with_shards(setting, shards)).run()
                row["machines"] = ceil(shards * assumed.replicas / assumed.cores)
                row |= asdict(outcome)
            rows.append(row)
    return rows


def lines(costs: Costs, assumed: Assumptions, found: dict[str, Any]) -> list[str]:
    """Return the report."""
    told = ["Costs, in microseconds of one core, measured here unless they were given:"]
    told += [f"  {name:12} {seconds * 1e6:10.1f}" for name, seconds in costs._asdict().items()]
    told += ["", "Assumed:"]
    told += [f"  {name:16} {value:g}" for name, value in asdict(assumed).items()]
    if found["check"]:
        told += ["", "The model against what was measured (transfers/s, a core for each shard):"]
    for shards, across, measured, modelled in found["check"]:
        error = f"{modelled / measured - 1:+.0%}"
        rates = f"{measured:8,.0f} measured, {modelled:8,.0f} by the model, {error}"
        told.append(f"  {shards} shards, {across:3.0%} across: {rates}")
    told += ["", "By the model:"]
    for row in found["answers"]:
        what = f"  {row['question']:24} ({row['rate']:9,.0f}/s), {row['across']:3.0%} across: "
        if row["shards"] is None:
            told.append(what + "no number of shards keeps up at this interval")
            continue
        told.append(
            f"{what}{row['shards']:4} shards, {row['machines']:4} machines, cores {row['busy']:.0%} busy, "
            f"{row['local_seconds']:.1f} s until final, {row['across_seconds']:.1f} s to another shard"
        )
    return [*told, "", "It is a model: nobody has run so many shards."]


def main(arguments: list[str] | None = None) -> None:
    """Measure, run the model, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale_model", description="How many shards carry how much."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--costs", metavar="SECONDS", help="nine numbers with commas, in place of measuring")
    parser.add_argument("--across", type=float, nargs="+", default=[0.0, 0.1, 0.5], metavar="PART")
    for name, value in asdict(Assumptions()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, metavar="NUMBER")
    options = vars(parser.parse_args(arguments))
    assumed = Assumptions(**{name: options[name] for name in asdict(Assumptions())})
    check: list[tuple[int, float, float, float]] = []
    if options["costs"]:
        costs = Costs(*map(float, options["costs"].split(",")))
    else:
        from benchmarks import shards

        costs, rates = shards.measured(quick=options["quick"])
        check = [(*key, rate, saturated(costs, *key, shards.PER_BLOCK)) for key, rate in rates.items()]
    found = {"answers": answers(costs, assumed, tuple(options["across"])), "check": check}
    if options["json"]:
        print(json.dumps({"costs": costs._asdict(), "assumptions": asdict(assumed), **found}, indent=2))
    else:
        print("\n".join(lines(costs, assumed, found)))


if __name__ == "__main__":
    main()
