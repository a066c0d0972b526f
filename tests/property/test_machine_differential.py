"""What nodes run and the reference interpreter agree, machine by machine and call by call."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from chainstack_sdk.core import gas
from chainstack_sdk.core.call import Call, Environment, invoke
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.native.code import paradigm_code
from chainstack_sdk.core.state import State
from chainstack_sdk.machines import compile_text, decode_machine, encode_machine
from chainstack_sdk.machines.calendar import LAST_SECOND, Calendar
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.machines.deployer import Deployer, contract_of, machine_code
from chainstack_sdk.machines.errors import InvalidMachine
from chainstack_sdk.machines.gas import gas_table
from chainstack_sdk.machines.interface import interface_of
from chainstack_sdk.paradigms import Erc20, Runtime
from chainstack_sdk.primitives.abi import Function
from chainstack_sdk.primitives.errors import InvalidInput, Reverted
from chainstack_sdk.testing.drawn_machines import MachineMaker
from chainstack_sdk.testing.machines import ReferenceMachine, World

PEOPLE = [bytes([number]) * 20 for number in range(1, 6)]
MACHINE, TOKEN = b"\xaa" * 20, b"\xbb" * 20
GAS = 50_000_000
HELD = 20
START = 1_700_000_000


class Node:
    """The machine as a node runs it, with nothing around it but state and block."""

    def __init__(self, encoding: bytes) -> None:
        self.state = State()
        self.runtime = Runtime()
        self.now, self.height = START, 1
        for person in PEOPLE:
            self.state.set_balance(person, 1_000)
        self.state.set_nonce(DEPLOYER_ADDRESS, 1)
        self.state.set_code(DEPLOYER_ADDRESS, DEPLOYER_CODE)
        self._issue_token()
        self.contract = contract_of(encoding)
        self.state.set_code(MACHINE, machine_code(encoding))

    def _issue_token(self) -> None:
        config = Erc20.encode_config(
            {"name": "T", "symbol": "T", "supply": HELD * len(PEOPLE), "owner": PEOPLE[0]}
        )
        self.state.set_code(TOKEN, paradigm_code("erc20", 1, config))
        token = self.runtime.resolve(self.state.code(TOKEN))
        token.create(Call(self.environment(PEOPLE[0]), PEOPLE[0], TOKEN, 0, 1, False))
        for person in PEOPLE[1:]:
            self.run(PEOPLE[0], TOKEN, Erc20.abi_function("transfer").encode_call(person, HELD))
        for person in PEOPLE:
            self.run(person, TOKEN, Erc20.abi_function("approve").encode_call(MACHINE, 10**9))

    def environment(self, origin: bytes) -> Environment:
        block = BlockContext(1, self.height, self.now * 1000, bytes(20), 100 * GAS, 0, bytes(32))
        return Environment(self.state, block, self.runtime, origin, GAS, 0)

    def close(self):
        """End the block; return the logs of that."""
        env = self.environment(bytes(20))
        self.runtime.close_block(env)
        return env.logs

    def waiting(self) -> list[tuple[int, bytes, int, int]]:
        """What is in the calendar, first comes first."""
        mark, found = self.state.checkpoint(), []
        calendar = Calendar(Call(self.environment(bytes(20)), bytes(20), DEPLOYER_ADDRESS, 0, 1, False))
        while (entry := calendar.first(LAST_SECOND)) is not None:
            found.append((entry.due, entry.machine, entry.changes, entry.firings))
            calendar.remove(entry)
        assert not any(self.state.table(DEPLOYER_ADDRESS).values())
        self.state.rollback(mark)
        return found

    def run(self, caller: bytes, to: bytes, data: bytes, value: int = 0):
        """As a transaction: (succeeded, output, logs, gas used)."""
        env = self.environment(caller)
        mark = self.state.checkpoint()
        try:
            if value:
                self.state.add_balance(caller, -value)
                self.state.add_balance(to, value)
            output, good = invoke(env, caller, to, value, data, 1, False), True
        except Reverted as refusal:
            self.state.rollback(mark)
            env.logs.clear()
            output, good = refusal.data, False
        return good, output, env.logs, GAS - env.gas

    def create(self, caller: bytes, arguments: bytes, value: int = 0):
        env = self.environment(caller)
        mark = self.state.checkpoint()
        try:
            self.state.add_balance(caller, -value)
            self.state.add_balance(MACHINE, value)
            self.contract.create(Call(env, caller, MACHINE, value, 2, False), arguments)
        except Reverted as refusal:
            self.state.rollback(mark)
            return False, refusal.data, [], GAS - env.gas
        return True, b"", env.logs, GAS - env.gas

    def slots(self) -> dict[bytes, int]:
        return {slot: value for slot, value in self.state.table(MACHINE).items() if value}


def compare(seed: int, calls: int = 12) -> Counter[str]:
    """Run one drawn machine both ways; return what happened."""
    draw = random.Random(seed)
    maker = MachineMaker(draw, PEOPLE, [TOKEN])
    machine = maker.machine()
    encoding = encode_machine(machine)
    assert decode_machine(encoding) == machine
    node, world = Node(encoding), World(START, 1, dict.fromkeys(PEOPLE, 1_000))
    world.tokens[TOKEN] = dict.fromkeys(PEOPLE, HELD)
    reference = ReferenceMachine(machine, MACHINE, world)
    costs, interface = gas_table(machine), interface_of(machine)
    seen: Counter[str] = Counter()
    args = [PEOPLE[0], tuple(PEOPLE[1:4]), draw.randrange(9)]
    value = draw.choice([0, 7])
    theirs = reference.create(PEOPLE[0], args, value)
    ours = node.create(PEOPLE[0], interface.constructor.encode(*args), value)
    agree(ours, theirs, costs["constructor"], node, reference)
    if not theirs.ok:
        seen["constructor refused"] += 1
        return seen
    again = None
    for _ in range(calls):
        if draw.random() < 0.6:
            seen += agree_on_the_end_of_a_block(node, reference)
            node.now = world.now = node.now + draw.choice([1, 3, 100])
            node.height = world.height = node.height + 1
        function = draw.choice(interface.functions)
        arguments = [maker.value(kind) for kind in types_of(machine, function)]
        value = draw.choice([0, 0, 7]) if function.mutability == "payable" else draw.choice([0] * 20 + [7])
        caller = draw.choice(PEOPLE)
        if again is not None and draw.random() < 0.3:
            function, arguments, value, caller = again
            caller = draw.choice([caller, *PEOPLE])
        again = function, arguments, value, caller
        data = function.encode_call(*arguments)
        if function.mutability == "view":
            value = 0
        theirs = reference.call(caller, function.name, arguments, value)
        ours = node.run(caller, MACHINE, data, value)
        agree(ours, theirs, costs[function.name], node, reference)
        seen["done" if theirs.ok else "refused"] += 1
        seen[f"logs {len(theirs.logs) > 0}"] += 1
    return seen


def agree_on_the_end_of_a_block(node: Node, reference: ReferenceMachine) -> Counter[str]:
    logs, fired = node.close(), reference.world.end_block([reference])
    theirs: list[tuple[object, ...]] = []
    for each in fired:
        theirs += [(MACHINE, *log) for log in each.outcome.logs]
        if each.outcome.ok:
            told = Deployer.TimerFired.encode(MACHINE, each.timer)
        else:
            told = Deployer.TimerFailed.encode(MACHINE, each.outcome.output[:256])
            if not each.outcome.output:  # refused by a token, in words of its own
                told = told[0], None
        theirs.append((DEPLOYER_ADDRESS, *told))
    mine = [tuple(log) for log in logs if log.address != TOKEN]
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert one[:2] == other[:2]
        assert other[2] in (None, one[2])
    agree_on_the_state(node, reference)
    return Counter("fired" if each.outcome.ok else "failed" for each in fired)


def types_of(machine, function: Function):
    for each in (*machine.transitions, *machine.views):
        if each.name == function.name:
            return [parameter.type for parameter in each.function.parameters]
    return []


def agree(ours, theirs, cost: int, node: Node, reference: ReferenceMachine) -> None:
    good, output, logs, used = ours
    assert good == theirs.ok
    if good or theirs.output:  # refusals of tokens and malformed values have no data, or their own
        assert output == theirs.output
    mine = [(log.topics, log.data) for log in logs if log.address == MACHINE]
    assert mine == list(theirs.logs)
    assert used == cost
    agree_on_the_state(node, reference)


def agree_on_the_state(node: Node, reference: ReferenceMachine) -> None:
    assert node.slots() == reference.slots()
    assert node.state.balance(MACHINE) == reference.world.coins.get(MACHINE, 0)
    balances = Erc20.abi_function("balanceOf")
    _, held, _, _ = node.run(PEOPLE[0], TOKEN, balances.encode_call(MACHINE))
    assert int.from_bytes(held) == reference.world.tokens[TOKEN].get(MACHINE, 0)
    in_order = sorted(reference.world.calendar, key=lambda each: each.due)
    assert node.waiting() == [(each.due, each.machine, each.changes, each.firings) for each in in_order]


def compare_many(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            seen += compare(seed)
        except BaseException:
            print("seed", seed)
            raise
    # the drawing would be worthless if nearly everything ended the same way
    assert seen["done"] > len(seeds)
    assert seen["refused"] > len(seeds)
    assert seen["logs True"] > len(seeds) // 10
    assert seen["fired"] > len(seeds) // 20
    assert seen["failed"] > len(seeds) // 50


def made(text: str) -> tuple[Node, ReferenceMachine]:
    """A machine both ways, after its constructor."""
    machine = compile_text(text)
    node, world = Node(encode_machine(machine)), World(START, 1, dict.fromkeys(PEOPLE, 1_000))
    world.tokens[TOKEN] = dict.fromkeys(PEOPLE, HELD)
    reference = ReferenceMachine(machine, MACHINE, world)
    args = [PEOPLE[0], tuple(PEOPLE[1:4]), 5]
    theirs = reference.create(PEOPLE[0], args)
    ours = node.create(PEOPLE[0], interface_of(machine).constructor.encode(*args))
    agree(ours, theirs, gas_table(machine)["constructor"], node, reference)
    return node, reference


def test_a_hundred_machines() -> None:
    compare_many(range(100))


TEXTS = """\
class Texts(Machine):
    text: Annotated[str, 100]
    count: uint256
    only = State()

    class Lowered(Event):
        n: uint256
        by: Indexed[address]
        mark: bytes32

    def __init__(self, owner: address, board: Annotated[list[address], 3], n: uint256) -> None:
        self.count = n

    @transition(only)
    def write(self, text: Annotated[str, 100]) -> None:
        self.text = text

    @transition(only)
    def lower(self, n: uint256) -> None:
        self.count -= n
        emit(self.Lowered(n, self.caller, keccak(n)))

    @transition(only)
    def pull(self, n: uint256) -> None:
        take_token(bytes.fromhex("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), self.this, n)
"""


SHAPES = """\
class Shapes(Machine):
    held: Mapping[address, uint256]
    marks: Mapping[bytes32, uint256]
    signed: Mapping[int256, uint256]
    row: Annotated[list[uint256], 2]
    total: uint256
    owner: address
    only = State()

    class Moved(Event):
        from_: Indexed[address]
        to: Indexed[address]
        amount: uint256

    class Told(Event):
        owner: address
        key: bytes32
        amount: uint256

    def __init__(self, owner: address, board: Annotated[list[address], 3], n: uint256) -> None:
        self.owner = owner
        self.total = 1000
        self.held[owner] = 1000

    @transition(only)
    def move(self, to: address, n: uint256) -> bool:
        held = self.held[self.caller]
        require(held >= n, "too little")
        self.held[self.caller] = held - n
        self.held[to] += n
        emit(self.Moved(self.caller, to, n))
        return True

    @transition(only)
    def less(self, to: address, n: uint256) -> uint256:
        held = self.held[to]
        self.total -= n
        rest = held - n
        emit(self.Moved(self.owner, to, held - n))
        return rest

    @transition(only)
    def mark(self, to: address, n: uint256) -> tuple[uint256, bool]:
        key = keccak(to)
        self.marks[key] += n
        self.marks[keccak(n)] = self.marks[key] // 3 + n % 7
        self.signed[int256(n) - 500] += self.row[n % 2] + 1
        self.row[1] = max(n, 500)
        emit(self.Told(to, key, self.marks[keccak(to)]))
        return self.signed[int256(n) - 500], to == self.owner or self.total // 2 > n

    @transition(only)
    def fixed(self, to: address, n: uint256) -> tuple[uint256, bool]:
        require(to != ZERO_ADDRESS and n < 900, "no")
        return 7, True
"""


def test_shapes_that_have_closures_of_their_own() -> None:
    node, reference = made(SHAPES)
    costs, interface = node.contract.costs, interface_of(reference.machine)
    draw, seen = random.Random(3), Counter()
    for _ in range(300):
        name = draw.choice(["move", "less", "mark", "fixed"])
        caller, to = draw.choice(PEOPLE), draw.choice([*PEOPLE, bytes(20)])
        n = draw.choice([0, 1, 5, 100, 333, 999, 1_000, 2**255, 2**256 - 1])
        theirs = reference.call(caller, name, [to, n])
        ours = node.run(caller, MACHINE, interface.function(name).encode_call(to, n))
        agree(ours, theirs, costs[name], node, reference)
        seen[name, theirs.ok] += 1
    assert len(seen) == 8


def test_long_texts_and_what_is_below_zero() -> None:
    node, reference = made(TEXTS)
    costs, interface = node.contract.costs, interface_of(reference.machine)
    node.run(PEOPLE[0], TOKEN, Erc20.abi_function("transfer").encode_call(MACHINE, 5))
    reference.world.tokens[TOKEN] |= {PEOPLE[0]: HELD - 5, MACHINE: 5}
    calls = [
        *[("write", "é" * size) for size in (50, 15, 16, 33, 0, 48)],
        ("pull", 0),
        ("pull", 1),
        ("lower", 5),
        ("lower", 1),
    ]
    for name, value in calls:
        theirs = reference.call(PEOPLE[0], name, [value])
        ours = node.run(PEOPLE[0], MACHINE, interface.function(name).encode_call(value))
        agree(ours, theirs, costs[name], node, reference)
    assert theirs.output[-1] == 0x11


@pytest.mark.long
def test_two_thousand_machines() -> None:
    compare_many(range(1_000, 3_000))


def mutated(draw: random.Random, encoding: bytes) -> bytes:
    changed = bytearray(encoding)
    for _ in range(draw.choice([1, 1, 1, 2, 5])):
        at = draw.randrange(len(changed))
        match draw.randrange(4):
            case 0:
                changed[at] = draw.randrange(256)
            case 1:
                changed[at] = (changed[at] + draw.choice([-1, 1])) % 256
            case 2:
                del changed[at : at + draw.randrange(1, 4)]
            case 3:
                changed[at:at] = draw.randbytes(draw.randrange(1, 4))
        if not changed:
            break
    return bytes(changed)


def mutate_many(seed: int, machines: int, each: int) -> None:
    """Mutated encodings are refused, or are machines whose calls end within their constants."""
    draw = random.Random(seed)
    accepted = 0
    for number in range(machines):
        maker = MachineMaker(random.Random(seed + number), PEOPLE)
        encoding = encode_machine(maker.machine())
        for _ in range(each):
            changed = mutated(draw, encoding)
            try:
                machine = decode_machine(changed)
            except InvalidInput:
                continue
            accepted += 1
            assert encode_machine(machine) == changed
            if accepted % 25 == 0:
                run_blindly(machine, changed, maker)
    assert accepted > machines * each // 100


def run_blindly(machine, encoding: bytes, maker: MachineMaker) -> None:
    node = Node(encoding)
    costs, interface = gas_table(machine), interface_of(machine)
    node.create(PEOPLE[0], bytes(32 * 6))
    for function in interface.functions:
        arguments = [maker.value(kind) for kind in types_of(machine, function)]
        *_, used = node.run(PEOPLE[0], MACHINE, function.encode_call(*arguments))
        assert used == costs[function.name] >= gas.STORAGE_READ


def test_mutated_encodings() -> None:
    mutate_many(7, 20, 100)


@pytest.mark.long
def test_many_mutated_encodings() -> None:
    mutate_many(10_000, 100, 500)


def test_noise_is_refused() -> None:
    draw = random.Random(5)
    for _ in range(500):
        with pytest.raises(InvalidInput):
            decode_machine(draw.randbytes(draw.randrange(60)))


def test_a_large_encoding_is_refused_at_once() -> None:
    with pytest.raises(InvalidMachine, match="too large"):
        decode_machine(bytes(1 << 20))
