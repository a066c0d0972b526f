from __future__ import annotations

from enum import Enum
from typing import Annotated

import pytest

from chainstack_sdk import Account, Chain, ChainConfig, ManualClock, Reverted, UsageError, ether
from chainstack_sdk.core import gas
from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.config import AccountConfig
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.gas import intrinsic_gas
from chainstack_sdk.core.native.code import MAGIC
from chainstack_sdk.core.native.slots import mapping_slot
from chainstack_sdk.core.state import State as ChainState
from chainstack_sdk.machines import (
    DEPLOYER_ADDRESS,
    DEPLOYER_CODE,
    ZERO_ADDRESS,
    Deployer,
    Error,
    Event,
    Indexed,
    Machine,
    MachineHandle,
    Mapping,
    State,
    address,
    after,
    bytes32,
    days,
    emit,
    gas_table,
    int256,
    invariant,
    keccak,
    payable,
    require,
    resolve_machine,
    role,
    send_nft,
    send_token,
    take_nft,
    take_token,
    transfer,
    transition,
    uint256,
    view,
)
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.deployer import contract_of, machine_code
from chainstack_sdk.machines.storage import KeySlots
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.contracts import NullRuntime


class Bench(Machine):
    """Every kind of value in and out."""

    class Colour(Enum):
        red = 0
        blue = 1

    class Noted(Event):
        text: Indexed[Annotated[str, 50]]
        colour: Bench.Colour
        amount: int256

    class Never(Error):
        who: address

    text: Annotated[str, 50]
    data: Annotated[bytes, 10]
    colour: Colour
    signed: int256
    row: Annotated[list[uint256], 3]
    held: Mapping[address, Mapping[uint256, bool]]
    only = State()

    @transition(only)
    def write(
        self, text: Annotated[str, 50], data: Annotated[bytes, 10], colour: Colour, signed: int256
    ) -> None:
        self.text = text
        self.data = data
        self.colour = colour
        self.signed = signed
        emit(self.Noted(text, colour, signed))

    @transition(only)
    def fill(self, row: Annotated[list[uint256], 3], at: uint256) -> uint256:
        self.row = row
        self.row[at] += 1
        self.held[self.caller][at] = True
        total = 0
        for place in range(3):
            total += self.row[place]
        return total

    @transition(only)
    def refuse(self, who: address) -> None:
        require(who == ZERO_ADDRESS, self.Never(who))

    @view
    def everything(self) -> tuple[Annotated[str, 50], Annotated[bytes, 10], Colour, int256]:
        return self.text, self.data, self.colour, self.signed

    @view
    def numbers(self, who: address, at: uint256) -> tuple[Annotated[list[uint256], 3], bool, bytes32]:
        return self.row, self.held[who][at], keccak(who, at)

    @view
    def divided(self, by: int256) -> int256:
        return -7 // by

    @invariant
    def sound(self) -> bool:
        return self.balance == 0


class Deal(Machine):
    """A seller, a buyer, three judges of whom two decide, seven days."""

    seller = role()
    buyer = role()
    judges = role(3, threshold=2)
    price: uint256
    window: uint256
    offered = State()
    paid = State()
    closed = State(final=True)

    def __init__(self, judges: Annotated[list[address], 3], price: uint256, window: uint256) -> None:
        require(price > 0, "free of charge")
        self.seller = self.caller
        self.judges = judges
        self.price = price
        self.window = window

    @transition(offered, paid, payable=True)
    def pay(self) -> None:
        require(self.value == self.price, "not the price")
        self.buyer = self.caller

    @transition(paid, closed, by=buyer)
    def accept(self) -> None:
        transfer(self.seller, self.balance)

    @transition((offered, paid), by=judges)
    def replace(self, at: uint256, judge: address) -> None:
        self.judges[at] = judge

    @transition(paid, offered, by=judges)
    def award(self, to: address) -> None:
        transfer(to, self.price)

    @after(paid, lambda self: self.window, closed)
    def expire(self) -> None:
        transfer(self.buyer, self.balance)


class Vault(Machine):
    """Takes tokens and gives them back."""

    token: address
    open = State()

    def __init__(self, token: address) -> None:
        self.token = token

    @transition(open)
    def take(self, amount: uint256) -> None:
        take_token(self.token, self.caller, amount)

    @transition(open)
    def give(self, amount: uint256) -> None:
        send_token(self.token, self.caller, amount)

    @transition(open)
    def take_one(self, number: uint256) -> None:
        take_nft(self.token, self.caller, number)

    @transition(open)
    def give_one(self, number: uint256) -> None:
        send_nft(self.token, self.caller, number)


ALICE, BOB, CAROL, DAVE = (Account.from_key(bytes([number]) * 32) for number in range(1, 5))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(clock: ManualClock) -> Chain:
    funds = dict.fromkeys((ALICE, BOB, CAROL, DAVE), ether(10))
    return Chain.in_memory(funds, auto_seal=True, clock=clock)


def test_values_of_every_type(chain: Chain) -> None:
    bench = Bench.deploy(chain, ALICE)
    assert bench.read("everything") == ("", b"", 0, 0)
    long = "é" * 25
    receipt = bench.send(ALICE, "write", long, b"0123456789", colour=1, signed=-(1 << 255))
    assert bench.read("everything") == (long, b"0123456789", 1, -(1 << 255))
    (event,) = bench.events("Noted")
    assert event.args == {"text": keccak256(long.encode()), "colour": 1, "amount": -(1 << 255)}
    assert (event.height, event.transaction_hash) == (chain.height, receipt.transaction_hash)
    bench.send(BOB, "write", "short", b"", 0, 3)
    assert bench.read("everything") == ("short", b"", 0, 3)
    assert bench.read("fill", (1, 2, 3), 2) == 7
    bench.send(BOB, "fill", (1, 2, 3), 2)
    hashed = keccak256(BOB.address.rjust(32, b"\0") + (2).to_bytes(32))
    assert bench.read("numbers", BOB, 2) == ((1, 2, 4), True, hashed)
    assert bench.read("divided", 2) == -4
    assert bench.read("refuse", ZERO_ADDRESS) is None


@pytest.mark.parametrize(
    ("function", "args", "told"),
    [
        ("write", ("é" * 26, b"", 0, 0), "text takes at most 50 bytes"),
        ("write", ("", bytes(11), 0, 0), "data takes at most 10 bytes"),
        ("write", ("", b"", 2, 0), "no such member"),
        ("fill", ((1, 2, (1 << 256) - 1), 2), "Panic"),
        ("fill", ((1, 2, 3), 3), "Panic"),
        ("refuse", (b"\1" * 20,), "Never(who=0x0101010101010101010101010101010101010101)"),
        ("divided", (0,), "Panic"),
    ],
)
def test_refusals(chain: Chain, function: str, args: tuple[object, ...], told: str) -> None:
    bench = Bench.deploy(chain, ALICE)
    with pytest.raises(Reverted) as caught:
        bench.read(function, *args)
    assert told.lower() in caught.value.message.lower() or not caught.value.data


def test_a_deal_is_paid_and_accepted(chain: Chain) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    assert deal.state == "offered"
    with pytest.raises(Reverted, match="accept is not possible in state offered"):
        deal.send(BOB, "accept")
    with pytest.raises(Reverted, match="not the price"):
        deal.send(BOB, "pay", value=4)
    deal.send(BOB, "pay", value=5)
    with pytest.raises(Reverted, match="only buyer may call accept"):
        deal.send(ALICE, "accept")
    before = chain.balance(ALICE)
    deal.send(BOB, "accept")
    assert (deal.state, chain.balance(ALICE) - before, chain.balance(deal.address)) == ("closed", 5, 0)


def test_judges_agree(chain: Chain) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    deal.send(BOB, "pay", value=5)
    with pytest.raises(Reverted, match="only judges may call award"):
        deal.send(ALICE, "award", ALICE)
    deal.send(BOB, "award", CAROL)
    with pytest.raises(Reverted, match="confirmed this already"):
        deal.send(BOB, "award", CAROL)
    deal.send(CAROL, "award", DAVE)  # another call: it counts for itself
    assert deal.state == "paid"
    deal.send(DAVE, "award", CAROL)
    assert deal.state == "offered"
    assert [each.args["count"] for each in deal.events("Confirmed")] == [1, 1, 2]
    # back in the same state, what was said before counts no more
    deal.send(BOB, "pay", value=5)
    deal.send(DAVE, "award", DAVE)
    assert deal.state == "paid"


def test_confirmations_lapse_with_the_members(chain: Chain) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    deal.send(BOB, "pay", value=5)
    deal.send(BOB, "award", BOB)
    for judge in (CAROL, DAVE):
        deal.send(judge, "replace", 0, ALICE)
    deal.send(DAVE, "award", BOB)
    assert deal.state == "paid"
    deal.send(ALICE, "award", BOB)
    assert deal.state == "offered"


def test_a_timer_fires_when_poked(chain: Chain, clock: ManualClock) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    with pytest.raises(Reverted, match="no timer is due"):
        deal.send(ALICE, "poke")
    deal.send(BOB, "pay", value=5)
    clock.advance(7 * days - 60)
    chain.seal()
    assert not deal.read("due")
    clock.advance(120)
    before = chain.balance(BOB)
    deal.send(ALICE, "poke")  # the first transaction of the block that comes late enough
    assert (deal.state, chain.balance(BOB) - before) == ("closed", 5)
    chain.seal()
    assert chain.logs(DEPLOYER_ADDRESS, [Deployer.TimerFired.topic]) == []


def test_a_timer_fires_before_the_call_that_comes_too_late(chain: Chain, clock: ManualClock) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=60)
    deal.send(BOB, "pay", value=5)
    clock.advance(61)
    with pytest.raises(Reverted, match="accept is not possible in state closed") as caught:
        deal.send(BOB, "accept", gas=400_000)
    assert caught.value.receipt.logs == ()
    # the refusal has undone the timer too; at the end of the same block it fires for good
    assert deal.state == "closed"
    (told,) = chain.logs(DEPLOYER_ADDRESS, [Deployer.TimerFired.topic])
    assert told.height == caught.value.receipt.height == chain.height


def test_constructors_refuse(chain: Chain) -> None:
    judges = [BOB, CAROL, DAVE]
    with pytest.raises(Reverted, match="free of charge"):
        Deal.deploy(chain, ALICE, judges=judges, price=0, window=1)
    with pytest.raises(UsageError, match="do not fit"):
        Deal.deploy(chain, ALICE, judges=judges, price=1)
    with pytest.raises(UsageError, match="do not fit"):
        Deal.deploy(chain, ALICE, judges=judges, price=1, window=1, colour=1)


class Prize(Machine):
    """Coin that comes with the deployment."""

    held: uint256
    only = State()

    @payable
    def __init__(self, least: uint256) -> None:
        require(self.value >= least, "too little")
        require(self.balance >= self.value, "the coin is there already")
        self.held = self.value

    @transition(only)
    def take(self) -> uint256:
        transfer(self.caller, self.balance)
        return self.held


def test_coin_comes_with_the_deployment(chain: Chain) -> None:
    prize = Prize.deploy(chain, ALICE, value=50, least=50, unchecked=True)
    assert chain.balance(prize.address) == 50
    assert chain.balance(DEPLOYER_ADDRESS) == 0
    assert prize.read("take") == 50
    (constructor,) = [each for each in Prize.abi() if each["type"] == "constructor"]
    assert constructor["stateMutability"] == "payable"
    nothing = Prize.deploy(chain, ALICE, least=0, unchecked=True)
    assert chain.balance(nothing.address) == 0


def test_a_deployment_with_coin_costs_its_constant_and_a_transfer(chain: Chain) -> None:
    def used(value: int) -> int:
        sent = {}
        send = chain.send_call
        chain.send_call = lambda *args, **named: sent.setdefault("receipt", send(*args, **named))
        try:
            Prize.deploy(chain, ALICE, value=value, least=0, unchecked=True)
        finally:
            del chain.send_call
        return sent["receipt"].gas_used

    assert used(7) - used(0) == gas.CALL_VALUE


def test_coin_that_is_not_taken_comes_back(chain: Chain) -> None:
    before = chain.balance(DEPLOYER_ADDRESS)
    with pytest.raises(Reverted, match="too little"):
        Prize.deploy(chain, ALICE, value=49, least=50, unchecked=True)
    with pytest.raises(Reverted):
        Deal.deploy(chain, ALICE, value=1, judges=[BOB, CAROL, DAVE], price=5, window=60)
    assert chain.balance(DEPLOYER_ADDRESS) == before == 0


def test_every_call_costs_its_constant(chain: Chain) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    costs = Deal.gas()
    data = deal.encode("pay")
    receipt = deal.send(BOB, "pay", value=5)
    assert receipt.gas_used == intrinsic_gas(data, False) + costs["pay"]
    with pytest.raises(Reverted) as caught:
        deal.send(BOB, "pay", value=5, gas=500_000)
    assert caught.value.receipt.gas_used == intrinsic_gas(data, False) + costs["pay"]
    with pytest.raises(Reverted) as caught:
        deal.send(BOB, "pay", value=5, gas=intrinsic_gas(data, False) + costs["pay"] - 1)
    assert "gas" in caught.value.message or not caught.value.data


def test_what_is_no_function(chain: Chain) -> None:
    deal = Deal.deploy(chain, ALICE, judges=[BOB, CAROL, DAVE], price=5, window=7 * days)
    for data in (b"", b"abcd", deal.encode("award", ALICE)[:20]):
        with pytest.raises(Reverted):
            chain.call(deal.address, data)
    with pytest.raises(Reverted):
        deal.send(ALICE, "accept", value=1)
    with pytest.raises(UsageError, match="no such function"):
        deal.send(ALICE, "nothing")
    with pytest.raises(UsageError, match="no such event"):
        deal.events("Nothing")
    with pytest.raises(UsageError, match="no such machine"):
        Deal.at(chain, BOB).read("state")


def test_fungible_tokens(chain: Chain) -> None:
    gold = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    vault = Vault.deploy(chain, ALICE, token=gold.address, unchecked=True)
    with pytest.raises(Reverted):
        vault.send(ALICE, "take", 60)
    gold.approve(ALICE, vault, 60)
    receipt = vault.send(ALICE, "take", 60)
    assert receipt.gas_used == intrinsic_gas(vault.encode("take", 60), False) + Vault.gas()["take"]
    assert gold.balance_of(vault) == 60
    vault.send(BOB, "give", 60)
    assert (gold.balance_of(vault), gold.balance_of(BOB)) == (0, 60)
    with pytest.raises(Reverted):
        vault.send(BOB, "give", 1)


def test_tokens_of_one_kind_only(chain: Chain) -> None:
    art = chain.erc721.issue(ALICE, name="Art", symbol="ART")
    for number in range(3):
        art.mint(ALICE, ALICE, number)
    vault = Vault.deploy(chain, ALICE, token=art.address, unchecked=True)
    art.approve(ALICE, vault, 0)
    vault.send(ALICE, "take_one", 0)
    assert art.owner_of(0) == vault.address
    vault.send(BOB, "give_one", 0)
    assert art.owner_of(0) == BOB.address
    with pytest.raises(Reverted):
        vault.send(BOB, "give_one", 0)


class Greedy(Machine):
    """A token that takes more gas than a transfer may."""

    row: Annotated[list[uint256], 40]
    open = State()

    @transition(open)
    def transfer(self, to: address, amount: uint256) -> bool:
        for at in range(40):
            self.row[at] = amount
        return True


def test_a_greedy_token(chain: Chain) -> None:
    token = Greedy.deploy(chain, ALICE)
    vault = Vault.deploy(chain, ALICE, token=token.address, unchecked=True)
    with pytest.raises(Reverted, match="takes more gas"):
        vault.send(ALICE, "give", 1)


class Shrug(Machine):
    """A token that does not confirm, and calls back."""

    vault: address
    answer: bool
    open = State()

    def __init__(self, vault: address, answer: bool) -> None:
        self.vault = vault
        self.answer = answer

    @transition(open)
    def transfer(self, to: address, amount: uint256) -> bool:
        return self.answer


def test_a_token_that_does_not_confirm(chain: Chain) -> None:
    for answer in (True, False):
        token = Shrug.deploy(chain, ALICE, vault=ALICE.address, answer=answer)
        vault = Vault.deploy(chain, ALICE, token=token.address, unchecked=True)
        if answer:
            vault.send(ALICE, "give", 1)
            continue
        with pytest.raises(Reverted, match="did not confirm"):
            vault.send(ALICE, "give", 1)


def test_a_token_that_is_none(chain: Chain) -> None:
    vault = Vault.deploy(chain, ALICE, token=BOB.address, unchecked=True)
    with pytest.raises(Reverted, match="not a contract"):
        vault.send(ALICE, "give", 1)


class Early(Machine):
    """Sends tokens from its constructor and from a timer."""

    token: address
    first = State()
    last = State(final=True)

    def __init__(self, token: address) -> None:
        self.token = token
        take_token(token, self.caller, 5)

    @after(first, 10, last)
    def pay_out(self) -> None:
        send_token(self.token, ZERO_ADDRESS if self.balance > 0 else self.token, 5)

    @transition(first)
    def touch(self) -> None:
        pass


def test_tokens_in_constructors_and_timers(chain: Chain, clock: ManualClock) -> None:
    gold = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=100)
    with pytest.raises(Reverted):
        Early.deploy(chain, ALICE, token=gold.address)
    gold.approve(ALICE, contract_address(ALICE.address, chain.nonce(ALICE) + 1), 5)
    early = Early.deploy(chain, ALICE, token=gold.address)
    assert gold.balance_of(early) == 5
    clock.advance(11)
    early.send(BOB, "poke")
    assert (early.state, gold.balance_of(gold.address)) == ("last", 5)


def test_deployment_by_hand(chain: Chain) -> None:
    deploy = Deployer.abi_function("deploy")
    for encoding, arguments, told in [
        (b"\xc0", b"", "InvalidMachine"),
        (Deal.encoding() + b"\0", b"", "InvalidMachine"),
        (Deal.encoding(), b"short", ""),
    ]:
        with pytest.raises(Reverted) as caught:
            chain.send_call(ALICE, DEPLOYER_ADDRESS, deploy.encode_call(encoding, arguments))
        assert caught.value.data[:4] == (Deployer.InvalidMachine.selector if told else b"")
    bench = Bench.deploy(chain, BOB)
    ((log,),) = [[each.log for each in chain.logs(DEPLOYER_ADDRESS)]]
    told_of = Deployer.Deployed.decode(log.topics, log.data)
    assert told_of == {
        "instance": bench.address,
        "deployer": BOB.address,
        "identity": Bench.identity(),
        "name": "Bench",
    }
    assert chain.code(bench.address) == machine_code(Bench.encoding())


def test_a_chain_without_a_deployer() -> None:
    nobody = {"0x" + DEPLOYER_ADDRESS.hex(): AccountConfig(balance=1)}
    config = ChainConfig(funds={ALICE.checksum_address: ether(1)}, accounts=nobody)
    chain = Chain.in_memory(config=config, auto_seal=True)
    with pytest.raises(UsageError, match="no deployer"):
        Bench.deploy(chain, ALICE)


def test_handles(chain: Chain) -> None:
    bench = Bench.deploy(chain, ALICE)
    assert bench == Bench.at(chain, bench.address)
    assert bench != Bench.at(chain, ALICE)
    assert bench != "bench"
    assert len({bench, Bench.at(chain, bench.address)}) == 1
    assert repr(bench).startswith("Bench(0x")
    assert isinstance(bench, MachineHandle)
    assert bench.abi == Bench.abi()
    names = [entry.get("name") for entry in Bench.abi()]
    assert names == [
        None,
        "write",
        "fill",
        "refuse",
        "everything",
        "numbers",
        "divided",
        "state",
        "Noted",
        "Never",
    ]
    assert [entry.get("name") for entry in Deal.abi()][-4:] == ["state", "due", "poke", "Confirmed"]


def test_code_of_machines() -> None:
    code = machine_code(Bench.encoding())
    assert resolve_machine(code) is resolve_machine(code) is contract_of(Bench.encoding())
    assert resolve_machine(code + b"\0") is None
    assert resolve_machine(MAGIC + b"\2\2" + code[4:]) is None
    assert isinstance(resolve_machine(DEPLOYER_CODE), Deployer)


def test_a_machine_that_was_never_made() -> None:
    accounts = {"0x" + "77" * 20: AccountConfig(nonce=1, code=machine_code(Deal.encoding()))}
    config = ChainConfig(funds={"0x" + ALICE.address.hex(): ether(1)}, accounts=accounts)
    unborn = Deal.at(Chain.in_memory(config=config, auto_seal=True), b"\x77" * 20)
    for function in ("accept", "poke"):
        with pytest.raises(Reverted, match="never been made"):
            unborn.send(ALICE, function)


def test_more_gas_than_the_constant_is_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    ir = Bench.ir()
    costs = dict.fromkeys(gas_table(ir), 5)
    monkeypatch.setattr("chainstack_sdk.machines.contract.gas_table", lambda machine: costs)
    contract = MachineContract(ir)
    block = BlockContext(1, 1, 1_000, bytes(20), 10**6, 0, bytes(32))
    env = Environment(ChainState(), block, NullRuntime(), ALICE.address, 10**6, 0)
    with pytest.raises(InvariantBroken, match="more gas than its constant"):
        contract.create(Call(env, ALICE.address, b"\1" * 20, 0, 1, False), b"")


class Named(Machine):
    name: Annotated[str, 5]
    only = State()

    class Called(Event):
        name: Annotated[str, 5]

    class Other(Event):
        pass

    def __init__(self, name: Annotated[str, 5]) -> None:
        self.name = name
        emit(self.Called(name))
        emit(self.Other())


def test_a_constructor_keeps_bounds(chain: Chain) -> None:
    named = Named.deploy(chain, ALICE, name="short", unchecked=True)
    assert [each.name for each in named.events()] == ["Called", "Other"]
    assert [each.args for each in named.events("Called")] == [{"name": "short"}]
    with pytest.raises(Reverted, match="name takes at most 5 bytes"):
        Named.deploy(chain, ALICE, name="longer", unchecked=True)


def test_a_mapping_forgets_slots_and_finds_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainstack_sdk.machines.storage.CACHE_LIMIT", 2)
    slots = KeySlots(bytes(32), (True,))
    found = [slots[key] for key in (-1, 1, 2, -1)]
    assert found[0] == found[3] == mapping_slot(bytes(32), (1 << 256) - 1)
    assert len(slots) == 2


def test_the_language_is_never_run() -> None:
    machine = object.__new__(Deal)
    for act in (
        lambda: Deal([b""] * 3, 1, 1),
        lambda: machine.is_in(Deal.paid),
        lambda: machine.seller,
        lambda: machine.judges,
        lambda: setattr(machine, "seller", b""),
        lambda: setattr(machine, "judges", []),
        lambda: require(True, ""),
        lambda: emit(Event()),
        lambda: transfer(b"", 1),
        lambda: send_token(b"", b"", 1),
        lambda: take_token(b"", b"", 1),
        lambda: send_nft(b"", b"", 1),
        lambda: take_nft(b"", b"", 1),
        lambda: keccak(1),
        lambda: Mapping[int, int]()[1],
        lambda: Mapping[int, int]().__setitem__(1, 1),
    ):
        with pytest.raises(UsageError, match="never run"):
            act()
    assert Deal.seller is vars(Deal)["seller"]
    assert Deal.judges is vars(Deal)["judges"]
