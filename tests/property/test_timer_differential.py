"""Chains of blocks with timers, and the reference interpreter beside them.

Several machines wait in one calendar; between blocks time passes, in them their transitions are called. What
the chain does by itself must be what the reference does: the same timers in the same order, the same events,
the same storage.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from chainstack_sdk import Account, Chain, ManualClock, ether
from chainstack_sdk.machines import DEPLOYER_ADDRESS, Deployer, compile_text, encode_machine
from chainstack_sdk.machines.handle import MachineHandle
from chainstack_sdk.testing.machines import ReferenceMachine, World

PEOPLE = [Account.from_key(bytes([number]) * 32) for number in range(1, 4)]
SOURCES = {
    "Egg": """\
class Egg(Machine):
    delay: uint256
    log: uint256
    boiling = State()
    done = State()
    gone = State(final=True)

    class Rang(Event):
        now: uint256
        height: uint256

    def __init__(self, delay: uint256) -> None:
        self.delay = delay

    @after(boiling, lambda self: 1_000_000_000_000 if self.delay == 19 else self.delay, done)
    def ring(self) -> None:
        self.log += 1
        emit(self.Rang(self.now, self.height))

    @after(done, lambda self: 20 // (self.log % 4), gone)
    def forget(self) -> None:
        emit(self.Rang(0, self.log))

    @transition(boiling)
    def give(self, n: uint256) -> None:
        if n % 3 > 0:
            self.delay = n

    @transition((boiling, done), boiling)
    def again(self, n: uint256) -> None:
        self.log += n % 2
""",
    "Lamp": """\
class Lamp(Machine):
    members = role(2, threshold=2)
    moved: uint256
    red = State()
    green = State()
    off = State()

    class Lit(Event):
        moved: uint256

    def __init__(self, members: Annotated[list[address], 2]) -> None:
        self.members = members

    @after(red, 7, green)
    def go(self) -> None:
        require(self.moved % 5 != 4, "stuck")
        emit(self.Lit(self.moved))

    @after(green, 3, red)
    def stop(self) -> None:
        self.moved += 1

    @transition((red, green), by=members)
    def agree(self, n: uint256) -> None:
        self.moved += n % 2

    @transition((red, green), off, by=members)
    def switch_off(self, n: uint256) -> None:
        pass

    @transition(off, red)
    def switch_on(self, n: uint256) -> None:
        self.moved += 1
""",
    "Purse": """\
class Purse(Machine):
    heir: address
    full = State()
    empty = State()

    def __init__(self, heir: address) -> None:
        self.heir = heir

    @after(full, 15, empty)
    def pay(self) -> None:
        transfer(self.heir, max(10, self.balance // 2))

    @transition((full, empty), full, payable=True)
    def fill(self, n: uint256) -> None:
        require(n % 7 > 0, "not today")
""",
}
MACHINES = {name: compile_text(source) for name, source in SOURCES.items()}


class Both:
    """A chain and a reference world with the same machines."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.clock = ManualClock()
        self.chain = Chain.in_memory(dict.fromkeys(PEOPLE, ether(100)), clock=self.clock, auto_seal=True)
        self.world = World(coins={each.address: 10**9 for each in PEOPLE})
        self.handles: dict[bytes, MachineHandle] = {}
        self.references: dict[bytes, ReferenceMachine] = {}
        self.seen: Counter[str] = Counter()
        for name in ["Egg", "Lamp", "Purse"] * 2:
            self.deploy(name)

    def deploy(self, name: str) -> None:
        machine = MACHINES[name]
        argument: Any = {
            "Egg": self.draw.randrange(60),
            "Lamp": [each.address for each in PEOPLE[:2]],
            "Purse": PEOPLE[2].address,
        }[name]
        constructor = Deployer.abi_function("deploy")
        reference = ReferenceMachine(machine, bytes(20), self.world)
        encoded = reference.interface.constructor.encode(argument)
        data = constructor.encode_call(encode_machine(machine), encoded)
        receipt = self.chain.send_call(PEOPLE[0], DEPLOYER_ADDRESS, data)
        reference.address = receipt.contract_address
        self.references[reference.address] = reference
        self.handles[reference.address] = MachineHandle(self.chain, reference.address, machine)
        self.tick()
        assert reference.create(PEOPLE[0].address, [argument]).ok
        self.end_block()

    def tick(self) -> None:
        self.world.now = self.chain.head.timestamp_ms // 1000
        self.world.height = self.chain.height

    def block(self) -> None:
        """Call some machines in one block, some time after the last."""
        draw, planned = self.draw, []
        self.clock.advance(draw.choice([0, 0, 2, 5, 10, 40]))
        for _ in range(draw.choice([0, 1, 3, 8])):
            reference = draw.choice(list(self.references.values()))
            name = draw.choice([*[each.name for each in reference.machine.transitions], "poke"])
            args = [] if name == "poke" else [draw.choice([0, 1, 7, 18, 19])]
            planned.append((reference, draw.choice(PEOPLE), name, args))
        self.run(planned)

    def run(self, planned: list[tuple[ReferenceMachine, Account, str, list[int]]]) -> None:
        chain = self.chain
        chain.auto_seal = False
        calls = {}
        for reference, sender, name, args in planned:
            data = self.handles[reference.address].encode(name, *args)
            value = self.draw.choice([0, 12]) if name == "fill" else 0
            sent = chain.send(chain.sign(sender, reference.address, data=data, value=value, gas=2_000_000))
            calls[sent] = (reference, sender.address, name, args, value)
        chain.seal()
        self.tick()
        for transaction, receipt in zip(chain.head.transactions, chain.receipts(chain.height), strict=False):
            reference, sender, name, args, value = calls[transaction.hash]
            outcome = reference.call(sender, name, args, value)
            assert (receipt.succeeded, receipt.output) == (outcome.ok, outcome.output)
            assert [(log.topics, log.data) for log in receipt.logs] == list(outcome.logs)
            self.seen["done" if outcome.ok else "refused"] += 1
        self.end_block()

    def end_block(self) -> None:
        expected: list[tuple[bytes, Any, bytes]] = []
        for each in self.world.end_block(list(self.references.values())):
            expected += [(each.machine, *log) for log in each.outcome.logs]
            if each.outcome.ok:
                told = Deployer.TimerFired.encode(each.machine, each.timer)
            else:
                told = Deployer.TimerFailed.encode(each.machine, each.outcome.output)
            expected.append((DEPLOYER_ADDRESS, *told))
            self.seen["fired" if each.outcome.ok else "failed"] += 1
        chain = self.chain
        closing = chain.receipts(chain.height)[len(chain.head.transactions) :]
        assert len(closing) == bool(expected)
        assert [tuple(log) for receipt in closing for log in receipt.logs] == expected
        for address, reference in self.references.items():
            kept = chain.blockchain.state.table(address)
            assert {slot: value for slot, value in kept.items() if value} == reference.slots()
            assert chain.balance(address) == self.world.coins.get(address, 0)


def run(seed: int, blocks: int) -> Counter[str]:
    both = Both(seed)
    for _ in range(blocks):
        both.block()
    follower = Chain.in_memory(dict.fromkeys(PEOPLE, ether(100)))
    for height in range(1, both.chain.height + 1):
        follower.append(both.chain.block(height))
    for height in range(both.chain.height, 0, -1):
        follower.blockchain.undo()
        assert follower.head.state_root == both.chain.block(height - 1).state_root
    return both.seen


def run_many(seeds: range, blocks: int) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            seen += run(seed, blocks)
        except BaseException:
            print("seed", seed)
            raise
    assert min(seen[each] for each in ("done", "refused", "fired", "failed")) > len(seeds)


def test_two_chains() -> None:
    run_many(range(2), 60)


def test_twice_the_same_and_what_never_comes() -> None:
    both = Both(0)
    egg, lamp, *_ = both.references.values()
    both.run([(lamp, PEOPLE[0], "agree", [1]), (lamp, PEOPLE[0], "agree", [1])])
    both.run([(egg, PEOPLE[0], "again", [0]), (egg, PEOPLE[1], "give", [19])])
    both.clock.advance(100_000)
    both.run([])
    assert both.handles[egg.address].state == "boiling"
    assert both.seen["refused"] == 1


@pytest.mark.long
def test_a_hundred_chains() -> None:
    run_many(range(100, 200), 100)
