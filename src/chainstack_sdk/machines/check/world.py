"""Where a check runs a machine: the contract that nodes run, on a state of its own, one step at a time.

A configuration is everything a step may depend on. It is loaded once; each step from it is run, read off the
state's journal, and rolled back.

**Time.** When time passes, every timer that is due afterwards fires, as :meth:`MachineContract` does for
``poke()``; calls never meet a timer that waits, unless it refused to fire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.core.native.slots import following, slot
from chainstack_sdk.core.panics import DIVISION_BY_ZERO, panic
from chainstack_sdk.core.state import State
from chainstack_sdk.machines.check.people import DEPLOYER, PURSE, STRANGERS, Cast
from chainstack_sdk.machines.check.tokens import Fungible, NonFungible, holder_slot, number_slot
from chainstack_sdk.machines.check.tree import acting_blocks, fixed_payments, pays, reads
from chainstack_sdk.machines.contract import MachineContract
from chainstack_sdk.machines.effects import Statements
from chainstack_sdk.machines.interface import POKE, interface_of
from chainstack_sdk.machines.storage import STATUS, first_slots, since
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from chainstack_sdk.core.interfaces import Contract
    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.closures import Closure
    from chainstack_sdk.machines.ir import MachineIR, Timer

    Values: TypeAlias = "dict[tuple[bytes, bytes], int]"

START = DEFAULT_TIMESTAMP_MS // 1000
"""When machines are deployed, Unix seconds."""
HEIGHT = 100
"""The height at which they are."""
BLOCKS = 16
"""Blocks from one step to the next, for machines that look at the height."""
MOST_FIRINGS = 8
"""Timers that fire one after the other."""
CLEAN, ACTED, KNOWN = 0, 1, 2
"""What a stranger is to the machine: nothing, one who made it write something just now (be it the stranger's
own name in a role), or one who paid, was named or given a role by somebody else, or did something to which
others had time to object; another stranger is an accomplice, and no other."""

_ALL_KNOWN = (KNOWN,) * len(STRANGERS)
_GAS = 1 << 40
_COINS = b""
_HELD = {"erc20": "tokens", "erc721": "NFTs"}
_NOBODY = bytes(20)


@dataclass(slots=True)
class Configuration:
    """What a step may depend on. Not changed once made."""

    values: Values
    """By (contract, slot) the stored words, by (empty, address) wei, where they are not as at first."""
    now: int
    height: int
    paid: int
    """How often coin or tokens were put in."""
    standing: tuple[int, ...]
    """Of each stranger: :data:`CLEAN`, :data:`ACTED` or :data:`KNOWN`."""


@dataclass(slots=True)
class Outcome:
    """What comes of a step."""

    after: Configuration | None
    """None: it was refused."""
    refusal: bytes = b""
    """The revert data."""
    stopped: str | None = None
    """The timer that was due and refused to fire."""


class World:
    """Runs steps of one machine.

    Parameters
    ----------
    machine
        Which machine.
    maker
        Makes its closures; by default those of nodes.
    """

    def __init__(self, machine: MachineIR, maker: Statements | None = None) -> None:
        self.machine = machine
        self.cast = Cast(machine)
        self.interface = interface_of(machine)
        self.contract = MachineContract(machine, maker)
        self.reads_now, self.reads_height = reads(machine, "now"), reads(machine, "height")
        self._joint = any(each.threshold > 1 for each in machine.fields)
        own = Statements(machine)
        self._delays: dict[int, tuple[Timer, Closure]] = {
            each.source: (each, own.make(each.delay)) for each in machine.timers
        }
        self._claims: list[tuple[str, Callable[[Call, list[Any]], None], Closure]] = [
            (each.name, own.block(each.function.body), own.make(each.function.results[0]))
            for each in machine.invariants
        ]
        self._locals = own.locals
        self._pays = any(pays(block) for block in acting_blocks(machine))
        self.strangers = tuple([self.cast.address[each] for each in STRANGERS])
        self._roles = _role_slots(machine)
        self.paying_roles = _paying_roles(machine)
        """By number of a role: what its calls may pay out, if anything."""
        self.status = (self.cast.machine, STATUS)
        self._data: dict[tuple[str, tuple[Any, ...]], bytes] = {}
        self._fixed: dict[str, frozenset[str]] = {}
        self._set_up()

    def _set_up(self) -> None:
        tokens: dict[str, Contract] = {"erc20": Fungible(), "erc721": NonFungible()}
        self._contracts: dict[bytes, Contract] = {b"machine": self.contract}
        self._state = State()
        self._state.set_code(self.cast.machine, b"machine")
        for kind in self.cast.tokens:
            self._contracts[kind.encode()] = tokens[kind]
            self._state.set_code(self.cast.token[kind], kind.encode())
        self._first = self._endowments()
        for (owner, key), value in self._first.items():
            self._write(owner, key, value)
        self._base = self._state.checkpoint()
        self._env = Environment(self._state, self._block(START, HEIGHT), self, _NOBODY, _GAS, 0)

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract of a code; see :class:`chainstack_sdk.core.interfaces.ContractRuntime`."""
        return self._contracts.get(code)

    def close_block(self, env: Environment) -> None:
        """Do nothing: timers fire where a step lets time pass."""

    def _endowments(self) -> Values:
        """Return what everybody has at first."""
        cast = self.cast
        values: Values = {}
        for at, person in enumerate(cast.people):
            address = cast.address[person]
            values[(_COINS, address)] = PURSE
            if "erc20" in cast.tokens:
                values[(cast.token["erc20"], holder_slot(address))] = PURSE
            if "erc721" in cast.tokens:
                values[(cast.token["erc721"], holder_slot(address))] = 1
                values[(cast.token["erc721"], number_slot(at))] = int.from_bytes(address)
        return values

    def beginning(self) -> Configuration:
        """Return the configuration before the machine is made."""
        return Configuration({}, START, HEIGHT - BLOCKS * self.reads_height, 0, (CLEAN,) * len(STRANGERS))

    # Reading

    @property
    def first_holdings(self) -> dict[str, int]:
        """What everybody has at first: coin, tokens, NFTs."""
        kinds = [name for kind, name in _HELD.items() if kind in self.cast.tokens]
        return {"coin": PURSE, **{each: 1 if each == "NFTs" else PURSE for each in kinds}}

    def state_of(self, configuration: Configuration) -> int:
        """Return the number of the machine's state."""
        return configuration.values[self.status] & 0xFF

    def holdings(self, configuration: Configuration, address: bytes | None = None) -> dict[str, int]:
        """Return what an address has, by default the machine: coin, tokens, NFTs."""
        who = self.cast.machine if address is None else address
        found, slot = {"coin": self._get(configuration, (_COINS, who))}, holder_slot(who)
        for kind, name in _HELD.items():
            if kind in self.cast.tokens:
                found[name] = self._get(configuration, (self.cast.token[kind], slot))
        return found

    def _get(self, configuration: Configuration, key: tuple[bytes, bytes]) -> int:
        found = configuration.values.get(key)
        return self._first.get(key, 0) if found is None else found

    def stored(self, configuration: Configuration) -> dict[bytes, int]:
        """Return what the machine stores: its fields, confirmations, the number of its state."""
        found = {
            key: value
            for (owner, key), value in configuration.values.items()
            if owner == self.cast.machine and key != STATUS
        }
        return {**found, STATUS: self.state_of(configuration)}

    def fixed_payments(self, transition: str) -> frozenset[str]:
        """Return the assets of which a transition pays what neither its caller nor the balance says."""
        found = self._fixed.get(transition)
        if found is None:
            function = next(each.function for each in self.machine.transitions if each.name == transition)
            found = self._fixed[transition] = fixed_payments(function)
        return found

    def lost(self, configuration: Configuration) -> int:
        """Return how much coin the zero address has."""
        return configuration.values.get((_COINS, _NOBODY), 0)

    def slots(self, role: int) -> list[bytes]:
        """Return the slots in which the addresses of a role are, 32 bytes each."""
        return self._roles[role]

    def members(self, configuration: Configuration, role: int) -> list[bytes]:
        """Return the addresses that a role holds."""
        get = configuration.values.get
        return [get((self.cast.machine, each), 0).to_bytes(20) for each in self._roles[role]]

    def key(self, configuration: Configuration) -> tuple[object, ...]:
        """Return what two configurations have in common that behave alike.

        Absolute time counts only for machines that ask for it, else how long the state has lasted, where a
        timer waits; how often the state has changed, only where confirmations depend on it.
        """
        rest = dict(configuration.values)
        status = rest.pop(self.status)
        elapsed = configuration.now - since(status)
        timed = self.reads_now or (status & 0xFF) in self._delays
        return (
            status & 0xFF,
            elapsed if timed else 0,
            configuration.now if self.reads_now else 0,
            configuration.height if self.reads_height else 0,
            status >> 72 if self._joint else 0,
            configuration.paid,
            configuration.standing,
            frozenset(rest.items()),
        )

    # Steps

    def load(self, configuration: Configuration) -> None:
        """Make a configuration the one from which :meth:`attempt` starts."""
        self._state.rollback(self._base)
        for (owner, key), value in configuration.values.items():
            self._write(owner, key, value)

    def _write(self, owner: bytes, key: bytes, value: int) -> None:
        if owner:
            self._state.set_storage(owner, key, value)
        else:
            self._state.set_balance(key, value)

    def attempt(self, configuration: Configuration, step: Step) -> Outcome:
        """Run a step from the configuration that is loaded, and come back to it."""
        mark = self._state.checkpoint()
        now = configuration.now + step.seconds
        height = configuration.height + BLOCKS * self.reads_height
        self._env.block = self._block(now, height)
        try:
            self._run(step)
            stopped = self._fire(now, height)
            after = self._after(configuration, mark, step, now, height)
            return Outcome(after, stopped=None if stopped is None else stopped[0], refusal=_data(stopped))
        except Reverted as refusal:
            return Outcome(None, refusal.data)
        finally:
            self._state.rollback(mark)

    def _run(self, step: Step) -> None:
        if step.kind == "wait":
            return
        who = self.cast.address[step.by]
        if step.value:
            # few payments are tried, each of a small part of a purse: nobody runs out of coin
            self._state.add_balance(who, -step.value)
            self._state.add_balance(self.cast.machine, step.value)
        if step.kind == "deploy":
            data = self.interface.constructor.encode(*step.args)
            self.contract.create(self._call(who, step.value), data)
            return
        self.contract.invoke(self._call(who, step.value), self._encoded(step))

    def _encoded(self, step: Step) -> bytes:
        found = self._data.get((step.function, step.args))
        if found is None:
            found = self.interface.function(step.function).encode_call(*step.args)
            self._data[(step.function, step.args)] = found
        return found

    def _call(self, who: bytes, value: int) -> Call:
        self._env.begin(who, _GAS, 0)
        return Call(self._env, who, self.cast.machine, value, 1, False)

    # Time

    def due(self, configuration: Configuration) -> int | None:
        """Return when the timer of the configuration that is loaded is due, Unix seconds.

        None, when it has no timer or the delay cannot be computed.
        """
        self._env.block = self._block(configuration.now, configuration.height)
        try:
            return self._due_at()
        except Reverted:
            return None

    def _due_at(self) -> int | None:
        status = self._state.storage(*self.status)
        waiting = self._delays.get(status & 0xFF)
        if waiting is None:
            return None
        try:
            delay: int = waiting[1](self._call(_NOBODY, 0), [status & 0xFF, []])
        except ZeroDivisionError:
            raise panic(DIVISION_BY_ZERO) from None
        return since(status) + delay

    def _fire(self, now: int, height: int) -> tuple[str, Reverted] | None:
        """Fire what is due; return the timer that refuses, and why."""
        for number in range(MOST_FIRINGS if self._delays else 0):
            status = self._state.storage(*self.status)
            mark = self._state.checkpoint()
            try:
                due = self._due_at()
                if due is None or due > now:
                    return None
                if self.reads_height:
                    self._env.block = self._block(now, height + 1 + number)
                self.contract.invoke(self._call(self.strangers[0], 0), POKE.selector)
            except Reverted as refusal:
                self._state.rollback(mark)
                return self._delays[status & 0xFF][0].name, refusal
        return None

    # What has become

    def _after(self, before: Configuration, mark: int, step: Step, now: int, height: int) -> Configuration:
        diff, state = self._state.changes(mark), self._state
        values = before.values.copy()
        written = False
        for address in diff.balances:
            self._put(values, (_COINS, address), state.balance(address))
        for owner, slots in diff.storage.items():
            for each in slots:
                self._put(values, (owner, each), state.storage(owner, each))
                written = written or (owner == self.cast.machine and each != STATUS)
        after = Configuration(values, now, height, before.paid, before.standing)
        if step.kind == "call" and self._puts_in(before, after, step):
            after.paid += 1
        after.standing = self._standing(before, after, step, written)
        return after

    def _put(self, values: Values, key: tuple[bytes, bytes], value: int) -> None:
        if value == self._first.get(key, 0):
            values.pop(key, None)
        else:
            values[key] = value

    def _puts_in(self, before: Configuration, after: Configuration, step: Step) -> bool:
        if step.value:
            return True
        held, had = self.holdings(after), self.holdings(before)
        return any(held[each] > had[each] for each in held if each != "coin")

    def _standing(
        self, before: Configuration, after: Configuration, step: Step, written: bool
    ) -> tuple[int, ...]:
        if not self._pays or before.standing == _ALL_KNOWN:
            return before.standing
        named = set(_addresses(step.args))
        roles = {each for role in self._roles for each in self.members(after, role)}
        found = []
        for stranger, was in zip(self.strangers, before.standing, strict=True):
            mine = step.by in STRANGERS and self.cast.address[step.by] == stranger
            if was == KNOWN or (not mine and (stranger in roles or stranger in named)):
                found.append(KNOWN)
            elif mine:
                paid = after.paid > before.paid
                found.append(KNOWN if paid else ACTED if written else was)
            else:
                found.append(KNOWN if was == ACTED and step.by not in STRANGERS else was)
        return tuple(found)

    # Invariants

    def broken(self, configuration: Configuration) -> Iterator[str]:
        """Yield the invariants that do not hold in a configuration, or cannot be computed."""
        if not self._claims:
            return
        self.load(configuration)
        self._env.block = self._block(configuration.now, configuration.height)
        state = self.state_of(configuration)
        for name, body, result in self._claims:
            frame: list[Any] = [state, [], *[None] * self._locals]
            call = self._call(_NOBODY, 0)
            try:
                body(call, frame)
                holds = result(call, frame)
            except (Reverted, ZeroDivisionError):
                holds = False
            if not holds:
                yield name

    @staticmethod
    def _block(now: int, height: int) -> BlockContext:
        return BlockContext(1, height, now * 1000, _NOBODY, _GAS, 0, bytes(32))


def deployment(args: tuple[Any, ...], value: int = 0) -> Step:
    """Return the step that makes a machine, with coin if its constructor takes some."""
    from chainstack_sdk.machines.check.trace import Step

    return Step("deploy", DEPLOYER, "", args, value)


def _data(stopped: tuple[str, Reverted] | None) -> bytes:
    return b"" if stopped is None else stopped[1].data


def _role_slots(machine: MachineIR) -> dict[int, list[bytes]]:
    firsts = first_slots(machine)
    return {
        number: [following(slot(firsts[number]), at) for at in range(field.type.slots)]
        for number, field in enumerate(machine.fields)
        if field.threshold
    }


def _paying_roles(machine: MachineIR) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for each in machine.transitions:
        if each.role is not None and pays(each.function.body):
            found[each.role] = found.get(each.role, frozenset()) | pays(each.function.body)
    return found


def _addresses(args: tuple[Any, ...]) -> Iterator[bytes]:
    for each in args:
        if isinstance(each, tuple):
            yield from _addresses(each)
        elif isinstance(each, bytes) and len(each) == 20:
            yield each
