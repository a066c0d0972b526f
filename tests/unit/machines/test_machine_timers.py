"""Timers that the chain fires at the end of blocks."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from chainstack_sdk import Account, Chain, ChainConfig, ChainStack, ManualClock, Reverted, ether
from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.config import AccountConfig
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.state import State as ChainState
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.cspv import ProvenReceipt
from chainstack_sdk.machines import (
    DEPLOYER_ADDRESS,
    DEPLOYER_CODE,
    Deployer,
    Event,
    Indexed,
    Machine,
    MachineHandle,
    State,
    address,
    after,
    emit,
    require,
    role,
    send_nft,
    send_token,
    take_token,
    transfer,
    transition,
    uint256,
)
from chainstack_sdk.machines.calendar import FIRST_GAS, LAST_SECOND, REMOVE_GAS, Calendar
from chainstack_sdk.machines.codes import CALENDAR_ROOT
from chainstack_sdk.machines.deployer import contract_of, machine_code
from chainstack_sdk.machines.firing import SHARE, fire_due
from chainstack_sdk.machines.gas import MAX_REASON, arming_costs, firing_costs
from chainstack_sdk.machines.storage import first_status
from chainstack_sdk.paradigms import FACTORY_ADDRESS, Factory, Paradigm, Runtime, default_registry, external
from chainstack_sdk.primitives.abi import Function, Param, encode_revert
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.testing.reorganisation import reorganise

ALICE, BOB, CAROL = (Account.from_key(bytes([number]) * 32) for number in range(1, 4))
FUNDS = dict.fromkeys((ALICE, BOB, CAROL), ether(10))


class Egg(Machine):
    """Boils, and is done; the cook may give it more time or less."""

    minutes: uint256
    boiling = State()
    done = State(final=True)

    class Done(Event):
        number: Indexed[uint256]
        at: uint256

    number: uint256

    def __init__(self, number: uint256, minutes: uint256) -> None:
        self.number = number
        self.minutes = minutes

    @after(boiling, lambda self: self.minutes * 60, done)
    def ring(self) -> None:
        emit(self.Done(self.number, self.now))

    @transition(boiling)
    def give(self, minutes: uint256) -> None:
        self.minutes = minutes

    @transition(boiling)
    def rename(self, number: uint256) -> None:
        self.number = number

    @transition(boiling, done)
    def take_out(self) -> None:
        pass


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Chain:
    return Chain.in_memory(FUNDS, auto_seal=True, clock=clock)


def fired(chain: Chain, first: int = 0) -> list[tuple[bytes, str]]:
    """The machines whose timers the chain has fired, and the timers."""
    found = []
    for each in chain.logs(DEPLOYER_ADDRESS, [Deployer.TimerFired.topic], first):
        args = Deployer.TimerFired.decode(each.log.topics, each.log.data)
        found.append((args["machine"], args["timer"]))
    return found


def failed(chain: Chain) -> list[tuple[bytes, bytes]]:
    """The machines whose timers it could not fire, and why."""
    found = []
    for each in chain.logs(DEPLOYER_ADDRESS, [Deployer.TimerFailed.topic]):
        args = Deployer.TimerFailed.decode(each.log.topics, each.log.data)
        found.append((args["machine"], args["reason"]))
    return found


def later(chain: Chain, seconds: int) -> None:
    """Make a block this much later, without transactions."""
    assert isinstance(chain.clock, ManualClock)
    chain.clock.advance(seconds)
    chain.seal()


# When


def test_a_block_fires_what_is_due(chain: Chain) -> None:
    egg = Egg.deploy(chain, ALICE, number=7, minutes=5)
    made = chain.head.timestamp_ms // 1000
    later(chain, 290)
    assert (egg.state, fired(chain), chain.receipts(chain.height)) == ("boiling", [], ())
    later(chain, 20)
    assert (egg.state, fired(chain)) == ("done", [(egg.address, "ring")])
    (event,) = egg.events("Done")
    assert event.args == {"number": 7, "at": chain.head.timestamp_ms // 1000}
    assert event.args["at"] >= made + 300
    (receipt,) = chain.receipts(chain.height)
    assert chain.receipt(event.transaction_hash) == receipt
    assert (receipt.gas_used, chain.head.header.gas_used) == (0, 0)
    assert [log.address for log in receipt.logs] == [egg.address, DEPLOYER_ADDRESS]
    later(chain, 1_000)
    assert chain.receipts(chain.height) == ()
    assert not chain.storage(DEPLOYER_ADDRESS, 0)


def test_to_the_second(chain: Chain) -> None:
    egg = Egg.deploy(chain, ALICE, number=7, minutes=1)
    made = chain.head.timestamp_ms // 1000
    chain.clock = ManualClock((made + 60) * 1000 - 1)
    chain.seal()
    assert (chain.head.timestamp_ms, egg.state) == ((made + 60) * 1000 - 1, "boiling")
    chain.seal()
    assert (chain.head.timestamp_ms // 1000, egg.state) == (made + 60, "done")


def test_a_delay_of_nothing_ends_with_the_block(chain: Chain) -> None:
    egg = Egg.deploy(chain, ALICE, number=7, minutes=0)
    assert egg.state == "done"
    deployed, closing = chain.receipts(chain.height)
    assert (deployed.transaction_index, closing.transaction_index) == (0, 1)
    assert closing.cumulative_gas_used == deployed.gas_used


def test_the_order(chain: Chain) -> None:
    chain.auto_seal = False
    deploy = Deployer.abi_function("deploy")
    for number, minutes in enumerate([3, 2, 3, 1, 2]):
        arguments = number.to_bytes(32) + minutes.to_bytes(32)
        data = deploy.encode_call(Egg.encoding(), arguments)
        chain.send(chain.sign(ALICE, DEPLOYER_ADDRESS, data=data, gas=2_000_000))
    chain.seal()
    later(chain, 200)
    (receipt,) = chain.receipts(chain.height)
    rung = [int.from_bytes(log.topics[1]) for log in receipt.logs if log.address != DEPLOYER_ADDRESS]
    assert rung == [3, 1, 4, 0, 2]


def test_who_moves_on_is_left_alone(chain: Chain) -> None:
    egg = Egg.deploy(chain, ALICE, number=7, minutes=5)
    egg.send(BOB, "take_out")
    assert chain.storage(DEPLOYER_ADDRESS, 0)
    later(chain, 400)
    assert (egg.events("Done"), fired(chain), failed(chain)) == ([], [], [])
    assert chain.receipts(chain.height) == ()
    assert not chain.storage(DEPLOYER_ADDRESS, 0)


def test_more_time_and_less(chain: Chain) -> None:
    longer, shorter = (Egg.deploy(chain, ALICE, number=number, minutes=5) for number in (1, 2))
    longer.send(BOB, "give", 10)
    shorter.send(BOB, "give", 1)
    longer.send(BOB, "rename", 3)
    later(chain, 120)
    assert (longer.state, shorter.state) == ("boiling", "done")
    later(chain, 200)
    assert longer.state == "boiling"
    later(chain, 300)
    assert longer.state == "done"
    assert fired(chain) == [(shorter.address, "ring"), (longer.address, "ring")]
    assert longer.events("Done")[0].args["number"] == 3


def test_only_what_may_move_the_timer_pays_for_it() -> None:
    costs, arming = Egg.gas(), arming_costs(Egg.ir())[0]
    assert costs["give"] - arming == costs["rename"] < arming
    assert costs["take_out"] < arming


def test_times_that_the_calendar_does_not_have(chain: Chain) -> None:
    never = Egg.deploy(chain, ALICE, number=7, minutes=1 << 32)
    assert not chain.storage(DEPLOYER_ADDRESS, 0)
    last = (LAST_SECOND - chain.head.timestamp_ms // 1000) // 60 - 1
    Egg.deploy(chain, ALICE, number=7, minutes=last)
    assert chain.storage(DEPLOYER_ADDRESS, 0) == 1 << 255
    with pytest.raises(Reverted):  # a time that cannot be computed
        Egg.deploy(chain, ALICE, number=7, minutes=1 << 255)
    with pytest.raises(Reverted):
        never.send(BOB, "give", 1 << 255)


# Chains of timers, and circles


class Lamp(Machine):
    """Red, green, yellow, red: for ever. Off and on again by hand."""

    red = State()
    green = State()
    yellow = State()
    off = State()

    class Lit(Event):
        number: uint256

    @after(red, 10, green)
    def go(self) -> None:
        emit(self.Lit(1))

    @after(green, 10, yellow)
    def slow(self) -> None:
        emit(self.Lit(2))

    @after(yellow, 10, red)
    def stop(self) -> None:
        emit(self.Lit(3))

    @transition((red, green, yellow), off)
    def switch_off(self) -> None:
        pass

    @transition(off, red)
    def switch_on(self) -> None:
        pass

    @transition((red, green, yellow))
    def look(self) -> None:
        pass


def test_a_circle_is_gone_round_once_for_each_payment(chain: Chain) -> None:
    lamp = Lamp.deploy(chain, ALICE)
    for state in ("green", "yellow", "red"):
        later(chain, 10)
        assert lamp.state == state
    later(chain, 100)
    assert (lamp.state, lamp.read("due"), len(fired(chain))) == ("red", True, 3)
    lamp.send(BOB, "poke")
    assert lamp.state == "green"
    for state in ("yellow", "red", "green"):
        later(chain, 10)
        assert lamp.state == state
    later(chain, 10)
    assert (lamp.state, len(fired(chain))) == ("green", 6)
    lamp.send(BOB, "look")  # a touch is as good as a poke
    assert lamp.state == "yellow"
    for state in ("red", "green", "yellow"):
        later(chain, 10)
        assert lamp.state == state
    later(chain, 100)
    assert len(fired(chain)) == 9
    lamp.send(CAROL, "switch_off")
    later(chain, 1_000)
    assert lamp.state == "off"


def test_a_look_that_finds_nothing_due_arms_nothing(chain: Chain) -> None:
    lamp = Lamp.deploy(chain, ALICE)
    lamp.send(BOB, "look")
    calendar = chain.trace(chain.block(chain.height).transactions[0].hash).storage
    assert all(change.address != DEPLOYER_ADDRESS for change in calendar)


def test_what_a_round_costs() -> None:
    firing, arming, costs = firing_costs(Lamp.ir()), arming_costs(Lamp.ir()), Lamp.gas()
    assert len(set(arming.values())) == 1
    assert arming[0] > sum(firing.values())
    assert costs["constructor"] > costs["switch_off"] + arming[0] - min(firing.values())
    assert costs["switch_on"] > arming[0] > costs["switch_off"]


class Fuse(Machine):
    """Three states that follow from one another at once."""

    long = State()
    short = State()
    hot = State()
    gone = State(final=True)

    @after(long, 5, short)
    def burn(self) -> None:
        pass

    @after(short, 0, hot)
    def glow(self) -> None:
        pass

    @after(hot, 0, gone)
    def bang(self) -> None:
        pass


def test_what_is_due_at_once_fires_in_the_same_block(chain: Chain) -> None:
    fuse = Fuse.deploy(chain, ALICE)
    later(chain, 6)
    assert fuse.state == "gone"
    assert fired(chain, chain.height) == [(fuse.address, name) for name in ("burn", "glow", "bang")]


# Refusals


class Bomb(Machine):
    """Its timers do not work, each for a reason of its own, unless somebody disarms it."""

    how: uint256
    safe: uint256
    token: address
    ticking = State()
    over = State(final=True)

    def __init__(self, how: uint256, token: address) -> None:
        self.how = how
        self.token = token

    @after(ticking, 10, over)
    def explode(self) -> None:
        self.safe += 1
        require(self.how != 0, "no reason to explode")
        if self.how == 1:
            transfer(self.token, 1)
        if self.how == 2:
            self.how = 1 // (self.how - 2)
        if self.how == 3:
            send_token(self.token, self.this, 1)

    @transition(ticking, payable=True)
    def disarm(self) -> None:
        self.how = 9


@pytest.mark.parametrize("how", range(4))
def test_a_timer_that_refuses_is_undone_and_told(chain: Chain, how: int) -> None:
    bomb = Bomb.deploy(chain, ALICE, how=how, token=ALICE, unchecked=True)
    egg = Egg.deploy(chain, ALICE, number=7, minutes=1)
    later(chain, 70)
    ((machine, reason),) = failed(chain)
    assert (machine, bomb.state) == (bomb.address, "ticking")
    assert chain.storage(bomb.address, 2) == 0  # the field that the body counts in
    expected = [
        encode_revert("no reason to explode"),
        encode_revert("insufficient balance for transfer"),
        bytes.fromhex("4e487b71") + (0x12).to_bytes(32),
        encode_revert("the token is not a contract"),
    ]
    assert reason == expected[how]
    assert egg.state == "done"  # others do not suffer
    assert [log.address for log in chain.receipts(chain.height)[0].logs].count(DEPLOYER_ADDRESS) == 2
    later(chain, 100)
    assert (chain.receipts(chain.height), bomb.read("due")) == ((), True)
    with pytest.raises(Reverted):
        bomb.send(BOB, "poke")
    with pytest.raises(Reverted):
        bomb.send(BOB, "disarm")


class Token(Paradigm):
    """Does in its transfers what a test tells it to."""

    name = "odd"
    acts: Any = staticmethod(lambda call: None)

    @external("function transfer(address to, uint256 amount) returns (bool)")
    def transfer(self, call: Call, to: bytes, amount: int) -> bool:
        Token.acts(call)
        return True

    @external("function transferFrom(address owner, address to, uint256 amount) returns (bool)")
    def transfer_from(self, call: Call, owner: bytes, to: bytes, amount: int) -> bool:
        Token.acts(call)
        return True


class Till(Machine):
    """Pays out by its timer; then it waits until somebody closes it, or opens it again."""

    token: address
    paid: uint256
    open = State()
    empty = State()
    closed = State(final=True)

    def __init__(self, token: address) -> None:
        self.token = token
        take_token(token, self.caller, 1)

    @after(open, 10, empty)
    def pay_out(self) -> None:
        self.paid += 1
        send_token(self.token, self.this, 5)

    @after(empty, 100_000, closed)
    def close(self) -> None:
        pass

    @transition(empty)
    def count(self) -> uint256:
        return self.paid

    @transition(empty, closed)
    def lock(self) -> None:
        pass

    @transition((open, empty), open)
    def reopen(self) -> None:
        pass


@pytest.fixture
def bank(clock: ManualClock) -> Chain:
    registry = default_registry()
    registry.add(Token)
    return Chain.in_memory(FUNDS, auto_seal=True, clock=clock, registry=registry)


def new_till(bank: Chain) -> MachineHandle:
    issue = Factory.abi_function("issue").encode_call(Token.name, Token.encode_config({}))
    token = bank.send_call(ALICE, FACTORY_ADDRESS, issue).contract_address
    return Till.deploy(bank, ALICE, token=token, unchecked=True)


@pytest.fixture
def till(bank: Chain) -> MachineHandle:
    return new_till(bank)


def acting(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    monkeypatch.setattr(Token, "acts", staticmethod(act))


def calling_back(name: str) -> Any:
    """A token that calls its caller back, once."""

    def act(call: Call) -> None:
        call.call(call.caller, Function(name).encode_call())

    return act


def test_a_token_is_paid(bank: Chain, till: MachineHandle) -> None:
    later(bank, 11)
    assert (till.state, till.read("count"), fired(bank)) == ("empty", 1, [(till.address, "pay_out")])


@pytest.mark.parametrize("name", ["pay_out", "poke", "reopen", "lock", "nothing"])
def test_a_token_that_calls_back_finds_the_new_state(
    bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    acting(monkeypatch, calling_back(name))
    later(bank, 11)
    assert (till.state, fired(bank)) == ("open", [])
    assert [machine for machine, _ in failed(bank)] == [till.address]
    assert bank.storage(till.address, 2) == 0


class Relay(Machine):
    """Hands a token on, and goes home by itself."""

    token: address
    here = State()
    there = State()
    home = State(final=True)

    def __init__(self, token: address) -> None:
        self.token = token

    @transition(here, there)
    def hand_on(self) -> None:
        send_nft(self.token, self.caller, 1)

    @transition(there, there)
    def again(self) -> None:
        pass

    @after(there, 10, home)
    def go(self) -> None:
        pass


def test_a_token_that_moves_the_machine_on(
    bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = bank.storage(till.address, 1).to_bytes(20)
    till.send(BOB, "reopen")  # it waits in another second
    relay = Relay.deploy(bank, ALICE, token=token, unchecked=True)
    acting(monkeypatch, calling_back("again"))
    relay.send(BOB, "hand_on")
    assert bank.storage(relay.address, 0) >> 72 == 3  # made, handed on, again
    monkeypatch.undo()
    later(bank, 20)
    assert fired(bank) == [(till.address, "pay_out"), (relay.address, "go")]
    assert (relay.state, till.state) == ("home", "empty")
    later(bank, 200)
    assert len(fired(bank)) == 2


def test_a_crash_in_a_token_does_not_end_the_chain(
    bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(call: Call) -> None:
        call.emit(Deployer.TimerFired, call.caller, "a lie")
        raise RuntimeError("a bug")

    acting(monkeypatch, crash)
    later(bank, 11)
    assert (till.state, failed(bank)) == ("open", [(till.address, b"")])
    assert len(bank.receipts(bank.height)[0].logs) == 1


def test_a_bug_of_ours_does(bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(call: Call) -> None:
        raise InvariantBroken("this cannot be")

    acting(monkeypatch, crash)
    root = bank.head.state_root
    with pytest.raises(InvariantBroken):
        later(bank, 11)
    assert (till.state, bank.head.state_root) == ("open", root)


def test_a_token_that_takes_all_gas(
    bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting(monkeypatch, lambda call: call.charge(10**7))
    later(bank, 11)
    assert failed(bank) == [(till.address, encode_revert("the token takes more gas than a transfer may"))]


def test_a_long_reason_is_cut(bank: Chain, till: MachineHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(call: Call) -> None:
        raise Reverted("long", data=bytes(range(256)) * 100)

    acting(monkeypatch, refuse)
    later(bank, 11)
    assert failed(bank) == [(till.address, bytes(range(256)))]
    assert MAX_REASON == 256


# Roles, touches


class Council(Machine):
    """Two of three agree; the state they agree in may have come about by itself."""

    members = role(2, threshold=2)
    votes: uint256
    calm = State()
    busy = State()
    tired = State(final=True)

    def __init__(self, members: Annotated[list[address], 2]) -> None:
        self.members = members

    @after(calm, 10, busy)
    def wake(self) -> None:
        pass

    @after(busy, 10, tired)
    def rest(self) -> None:
        pass

    @transition((calm, busy), by=members)
    def agree(self) -> None:
        pass

    @transition((calm, busy))
    def touch(self) -> None:
        self.votes += 1


@pytest.mark.parametrize("name", ["agree", "touch", "poke"])
def test_a_call_that_fires_a_timer_arms_the_next(chain: Chain, clock: ManualClock, name: str) -> None:
    council = Council.deploy(chain, ALICE, members=[ALICE, BOB])
    clock.advance(11)
    council.send(ALICE, name)
    assert (council.state, fired(chain)) == ("busy", [])
    later(chain, 11)
    assert (council.state, fired(chain)) == ("tired", [(council.address, "rest")])


class Patient(Machine):
    """Waits as long as it is rich."""

    waiting = State()
    over = State(final=True)

    @after(waiting, lambda self: 10 + self.balance, over)
    def end(self) -> None:
        pass

    @transition(waiting, payable=True)
    def pay(self) -> None:
        pass


def test_a_delay_that_grew_unseen_is_left_to_calls(chain: Chain, clock: ManualClock) -> None:
    patient = Patient.deploy(chain, ALICE, unchecked=True)
    patient.send(BOB, "pay", value=1_000)
    later(chain, 100)
    assert (patient.state, fired(chain), failed(chain)) == ("waiting", [], [])
    later(chain, 1_000)
    patient.send(BOB, "poke")
    assert patient.state == "over"


class Box(Machine):
    """Pays its owner what came by day; what comes by night is given back."""

    owner = role()
    fixed: uint256
    given: uint256
    day = State()
    night = State()

    def __init__(self, fixed: uint256) -> None:
        self.owner = self.caller
        self.fixed = fixed

    @after(day, 10, night)
    def pay_out(self) -> None:
        transfer(self.owner, self.fixed if self.fixed > 0 else self.balance)

    @transition((day, night), payable=True)
    def give(self) -> uint256:
        self.given += self.value
        return self.balance

    @transition(night)
    def take_back(self) -> None:
        amount = self.given
        self.given = 0
        transfer(self.caller, amount)


@pytest.mark.parametrize("fired_before", [True, False])
def test_a_timer_comes_before_the_coin_of_a_call(
    chain: Chain, clock: ManualClock, fired_before: bool
) -> None:
    box = Box.deploy(chain, ALICE, fixed=0, unchecked=True)
    clock.advance(11)
    if fired_before:
        chain.seal()
    box.send(BOB, "give", value=7)
    assert (box.state, chain.balance(box.address)) == ("night", 7)
    box.send(BOB, "take_back")
    assert chain.balance(box.address) == 0


def test_a_timer_spends_no_coin_of_a_call(chain: Chain, clock: ManualClock) -> None:
    box = Box.deploy(chain, ALICE, fixed=5, unchecked=True)
    box.send(BOB, "give", value=4)
    clock.advance(11)
    with pytest.raises(Reverted, match="insufficient balance"):
        box.send(BOB, "give", value=7)
    assert (box.state, chain.balance(box.address)) == ("day", 4)


# Other chains than the usual


def bare(gas_limit: int = 30_000_000, now: int = 1_000) -> Environment:
    """A state with a deployer, and a block."""
    state = ChainState()
    state.set_nonce(DEPLOYER_ADDRESS, 1)
    state.set_code(DEPLOYER_ADDRESS, DEPLOYER_CODE)
    return environment(state, gas_limit, now)


def environment(state: ChainState, gas_limit: int, now: int) -> Environment:
    block = BlockContext(1, 1, now * 1_000, bytes(20), gas_limit, 0, bytes(32))
    return Environment(state, block, Runtime(), bytes(20), 10**12, 0)


def make(env: Environment, where: bytes, machine: type[Machine], arguments: bytes = b"") -> None:
    env.state.set_code(where, machine_code(machine.encoding()))
    env.gas = 10**12
    contract_of(machine.encoding()).create(Call(env, ALICE.address, where, 0, 1, False), arguments)


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_many_at_once(count: int) -> None:
    env = bare()
    eggs = [number.to_bytes(20) for number in range(1, count + 1)]
    for where in eggs:
        make(env, where, Egg, where[-4:].rjust(32, b"\0") + (1).to_bytes(32))
    rung: list[bytes] = []
    blocks = 0
    room = 30_000_000 // SHARE
    least, most = (room // used for used in (FIRST_GAS + REMOVE_GAS + 10_000, 20_000))
    while env.state.storage(DEPLOYER_ADDRESS, CALENDAR_ROOT):
        env = environment(env.state, 30_000_000, 2_000 + blocks)
        fire_due(env)
        now = [log.address for log in env.logs if log.address != DEPLOYER_ADDRESS]
        assert 0 < len(now) <= most
        rung += now
        blocks += 1
    assert rung == eggs
    assert count // most <= blocks <= count // least + 1


def test_one_fires_however_small_the_block() -> None:
    env = bare()
    for number in range(1, 4):
        make(env, number.to_bytes(20), Egg, bytes(64))
    for number in range(1, 4):
        small = environment(env.state, 1, 2_000)
        fire_due(small)
        assert [log.address for log in small.logs] == [number.to_bytes(20), DEPLOYER_ADDRESS]
    assert not env.state.storage(DEPLOYER_ADDRESS, CALENDAR_ROOT)


class Heavy(Machine):
    """Has more to do than fits beside anything else."""

    count: uint256
    resting = State()
    done = State(final=True)

    def __init__(self) -> None:
        pass

    @after(resting, 10, done)
    def work(self) -> None:
        for i in range(500):
            self.count += i


def test_nobody_comes_before_those_who_wait_already() -> None:
    env, heavy, egg = bare(), bytes(19) + b"\x01", bytes(19) + b"\x02"
    make(env, egg, Egg, bytes(32) + (10**6).to_bytes(32))
    make(env, heavy, Heavy)
    env = environment(env.state, 30_000_000, 1_010)
    assert contract_of(Heavy.encoding()).timers.allowances[0] > env.block.gas_limit // SHARE
    give = Function("give", (Param("uint256"),)).encode_call(0)  # as if it had been due from the beginning
    contract_of(Egg.encoding()).invoke(Call(env, BOB.address, egg, 0, 1, False), give)
    fire_due(env)
    assert [log.topics[1][12:] for log in env.logs if log.address == DEPLOYER_ADDRESS] == [heavy, egg]


def test_without_a_deployer_timers_wait_for_calls() -> None:
    env = bare()
    env.state.set_code(DEPLOYER_ADDRESS, b"")
    make(env, b"\x07" * 20, Egg, bytes(64))
    assert not env.state.storage(DEPLOYER_ADDRESS, CALENDAR_ROOT)


def test_something_else_where_the_deployer_belongs() -> None:
    other = AccountConfig(nonce=1, code=system_code("other"), storage={0: 1})
    config = ChainConfig(accounts={"0x" + DEPLOYER_ADDRESS.hex(): other})
    chain = Chain.in_memory(config=config)
    chain.seal()
    assert (chain.receipts(1), chain.storage(DEPLOYER_ADDRESS, 0)) == ((), 1)


def test_entries_about_nothing() -> None:
    env = bare()
    env.state.set_code(b"\x07" * 20, machine_code(Egg.encoding()))
    env.state.set_storage(b"\x07" * 20, bytes(32), first_status(1_000))
    calendar = Calendar(Call(env, DEPLOYER_ADDRESS, DEPLOYER_ADDRESS, 0, 1, False))
    for machine, changes in ((ALICE.address, 1), (DEPLOYER_ADDRESS, 0), (b"\x07" * 20, 2)):
        calendar.insert(5, machine, changes, 1)
    fire_due(env)
    assert (env.logs, env.state.storage(DEPLOYER_ADDRESS, CALENDAR_ROOT)) == ([], 0)


# Blocks that go about


def with_a_firing(chain: Chain) -> MachineHandle:
    """A machine whose timer fires in the newest block but one."""
    egg = Egg.deploy(chain, ALICE, number=7, minutes=1)
    later(chain, 61)
    later(chain, 1)
    assert egg.state == "done"
    return egg


def test_others_run_the_blocks_again(chain: Chain, tmp_path) -> None:
    egg = with_a_firing(chain)
    follower = Chain.in_memory(FUNDS)
    for height in range(1, chain.height + 1):
        follower.append(chain.block(height))
    chain.export(tmp_path / "chain")
    loaded = Chain.load(tmp_path / "chain")
    for other in (follower, loaded):
        assert other.blockchain.head == chain.blockchain.head
        assert other.receipts(chain.height - 1) == chain.receipts(chain.height - 1)
        assert fired(other) == [(egg.address, "ring")]


@pytest.mark.parametrize("archive", [False, True])
def test_stored_chains(clock: ManualClock, archive: bool) -> None:
    store = MemoryStore()
    config = ChainConfig(funds={each.checksum_address: ether(10) for each in FUNDS}, archive=archive)
    chain = Chain.open(store, config, clock=clock, auto_seal=True)
    waiting = Egg.deploy(chain, ALICE, number=8, minutes=60)
    egg = with_a_firing(chain)
    reopened = Chain.open(store, config, clock=clock, auto_seal=True)
    assert fired(reopened) == [(egg.address, "ring")]
    (receipt,) = reopened.receipts(chain.height - 1)
    assert reopened.receipt(receipt.transaction_hash) == receipt
    later(reopened, 3_600)
    assert Egg.at(reopened, waiting.address).state == "done"
    assert egg.read("state", block=chain.height - 2) == 0


def test_there_and_back(chain: Chain) -> None:
    egg = Egg.deploy(chain, ALICE, number=7, minutes=1)
    before, root = chain.snapshot(), chain.head.state_root
    later(chain, 61)
    (receipt,) = chain.receipts(chain.height)
    chain.revert(before)
    assert (egg.state, chain.head.state_root, fired(chain)) == ("boiling", root, [])
    assert chain.find_receipt(receipt.transaction_hash) is None
    egg.send(BOB, "take_out")
    later(chain, 61)
    assert fired(chain) == []


def test_another_branch(chain: Chain) -> None:
    egg = with_a_firing(chain)
    egg.send(ALICE, "state")
    report = reorganise(chain, 3)
    assert len(report.replayed) == 1
    assert {each.log.address for each in report.removed_logs} == {egg.address, DEPLOYER_ADDRESS}


@pytest.mark.parametrize("engine", ["instant", "pbft", "pos", "pow", "dpos"])
def test_side_chains_of_every_engine(engine: str) -> None:
    stack = ChainStack.local({ALICE: ether(10)}, consensus="instant")
    clock = ManualClock()
    side = stack.spawn(name="side", consensus=engine, funds={ALICE: ether(1)}, options={"clock": clock})
    egg = Egg.deploy(side, ALICE, number=7, minutes=1)
    later(side, 61)
    assert fired(side) == [(egg.address, "ring")]
    height = side.height
    while side.finalized_height < height:
        side.seal()
    (receipt,) = side.receipts(height)
    proven = side.anchor.verify(side.prove(receipt).to_bytes())
    assert isinstance(proven, ProvenReceipt)
    assert proven.transaction_hash == receipt.transaction_hash
    assert [(log.address, log.topics, log.data) for log in proven.logs] == list(receipt.logs)
