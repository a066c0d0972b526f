"""What a check tries: the values that may matter to a machine, and the calls made of them.

Numbers are the machine's own constants and their neighbours, 0, 1, 2, the largest, and what its fields hold;
hashes are those of values that the people know and strangers do not, so that what is protected by a hash is
found protected.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.check.people import DEPLOYER, PURSE, STRANGERS
from chainstack_sdk.machines.check.trace import Step
from chainstack_sdk.machines.check.tree import acting_expressions, expressions_of, token_parameters
from chainstack_sdk.machines.check.world import START
from chainstack_sdk.machines.closures import word_bytes
from chainstack_sdk.machines.storage import first_slots
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.machines.check.people import Cast
    from chainstack_sdk.machines.check.world import Configuration, World
    from chainstack_sdk.machines.ir import Expression, Function, MachineIR, Transition
    from chainstack_sdk.machines.types import Type

MOST_NUMBERS = 12
"""Numbers tried for one parameter."""
MOST_ARGUMENTS = 36
"""Combinations of arguments tried for one function."""
MOST_CALLS = 160
"""Calls tried in one configuration, about: every caller with every amount is tried in any case."""
MOST_EACH = 72
"""Calls of one function among them."""
MOST_CALLERS = 9
"""People who call a transition that has no role, at most."""
MOST_PAYMENTS = 4
"""Payments into a machine in one trace."""
HORIZON = 50 * 366 * 86_400
"""Seconds that a machine may be expected to live: what is later never happens. Less than have passed since
1970, so that a moment that is taken for a delay is late."""

_MAX = (1 << 256) - 1
_INT_MAX, _INT_MIN = (1 << 255) - 1, -1 << 255
_SECRETS, _GUESSES = (7_919, "secret"), (7_927, "guess")
"""What those named know, and what the first stranger makes up."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of one call."""

    values: tuple[Any, ...]
    secret: bool = False
    """Whether there is something in them that strangers do not know."""


class Values:
    """Candidates for the parameters of one machine.

    Parameters
    ----------
    machine, cast
        Which machine, and who there is.
    reads_now
        Whether it asks for the time.
    """

    def __init__(self, machine: MachineIR, cast: Cast, *, reads_now: bool) -> None:
        self.machine, self.cast = machine, cast
        self.constants = _constants(machine)
        uints = [each for each in self.constants if type(each) is int and each > 2]
        near = [value for each in uints for value in (each, each + 1, each - 1) if 0 <= value <= _MAX]
        times = [START + 3_600] if reads_now else []
        asked = [secret_of(each) for each in _hashed(machine) if each.kind == "uint256"][:1]
        self.numbers = [*_distinct([1, 0, 2, *asked, *near, *times])[: MOST_NUMBERS - 1], _MAX]
        self.deployed = _distinct([2, 1, 3, 0, 10, *near, 1_000, 100, *times])
        """Numbers for the constructor: none so large that only a deployer who wants harm takes them."""
        self.hashes = _hashes(machine, cast.address[cast.named[0]])
        self.own = self._of_stranger()
        """By type and value of a secret or hash: what the first stranger has instead."""

    def of(self, kind: Type, kinds: frozenset[str] = frozenset(), *, deployed: bool = False) -> list[Any]:
        """Return the candidates of a type, the most usual first.

        Parameters
        ----------
        kinds
            Of an address: the kinds of tokens that it stands for; none: it is a person.
        deployed
            Whether the constructor takes it.
        """
        match kind.kind:
            case "bool":
                return [True, False]
            case "uint256" if kinds:
                return list(range(len(self.cast.people)))[:MOST_NUMBERS]  # everybody's NFT
            case "uint256":
                return self.deployed if deployed else self.numbers
            case "int256":
                signed = [each for each in self.constants if type(each) is int and -_MAX < each < _INT_MAX]
                near = [1, 0, -1, *[value for each in signed for value in (each, -each)]]
                return [*_distinct(near)[: MOST_NUMBERS - 2], _INT_MAX, _INT_MIN]
            case "address":
                if kinds:
                    return [self.cast.token[each] for each in sorted(kinds)]
                return self._people(deployed=deployed)
            case "bytes32":
                own = [each for each in self.constants if isinstance(each, bytes) and len(each) == 32]
                return _distinct([*self.hashes, b"\1" * 32, secret_of(kind), bytes(32), *own])
            case "enum":
                return list(range(len(self.machine.enums[kind.bound].members)))[:4]
            case "string":
                own_texts = [each for each in self.constants if isinstance(each, str)]
                texts = _distinct(["a"[: kind.bound], secret_of(kind), "", "x" * kind.bound, *own_texts[:4]])
                return [each for each in texts if len(each.encode()) <= kind.bound]
            case "bytes":
                return _distinct([b"\1", secret_of(kind), b"", b"\2" * kind.bound])
        return self._arrays(kind, deployed=deployed)

    def known_to(self, who: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return arguments with what somebody knows: the first stranger has its own secret and hashes."""
        if who != STRANGERS[0] or not self.own:
            return values
        return tuple([self.own.get((type(each), each), each) for each in values])

    def _of_stranger(self) -> dict[tuple[type, Any], Any]:
        """Return what the first stranger has instead of secrets and their hashes; empty: nothing is asked."""
        own = _hashes(self.machine, self.cast.address[STRANGERS[0]], _GUESSES)
        pairs = list(zip(self.hashes, own, strict=True))
        pairs += [(secret_of(each), secret_of(each, _GUESSES)) for each in _hashed(self.machine)]
        return {(type(here), here): there for here, there in pairs if here is not None and here != there}

    def _people(self, *, deployed: bool) -> list[bytes]:
        address = self.cast.address
        named = [address[each] for each in self.cast.named]
        if deployed:
            return [*named, address[DEPLOYER]]
        return [address[STRANGERS[0]], *named[:2], address[DEPLOYER]]

    def _arrays(self, kind: Type, *, deployed: bool) -> list[tuple[Any, ...]]:
        """Return arrays of different values, of one and then none, of one value each, of rising ones."""
        inner, size = kind.parts[0], kind.bound
        element = self.of(inner, deployed=deployed)
        mixed = tuple([element[at % len(element)] for at in range(size)])
        single = [(each, *[_zero(inner)] * (size - 1)) for each in element[:2]]
        rising = [tuple(range(1, size + 1))] if inner.kind in ("uint256", "int256") else []
        return _distinct([mixed, *single, *[(each,) * size for each in element[:2]], *rising])

    def arguments(self, function: Function, *, deployed: bool = False) -> list[Arguments]:
        """Return combinations of arguments for a function, the most usual first."""
        kinds = token_parameters(self.machine, function)
        each = [
            self.of(parameter.type, kinds.get(at, frozenset()), deployed=deployed)
            for at, parameter in enumerate(function.parameters)
        ]
        if deployed:
            each = self._different(function, each)
        most = MOST_ARGUMENTS * (8 if deployed else 1)
        secrets = [secret_of(parameter.type) for parameter in function.parameters]
        return [
            Arguments(values, any(a == b for a, b in zip(values, secrets, strict=True) if b is not None))
            for values in combined(each, most)
        ]

    def _different(self, function: Function, each: list[list[Any]]) -> list[list[Any]]:
        """Let parameters of a deployment that are people begin with different ones."""
        people = self._people(deployed=True)
        used, found = 0, []
        for parameter, candidates in zip(function.parameters, each, strict=True):
            kind = parameter.type
            if kind.kind == "array" and kind.parts[0].kind == "address":
                mine = tuple([people[(used + at) % len(people)] for at in range(kind.bound)])
                candidates, used = _distinct([mine, *candidates]), used + kind.bound
            elif kind.kind == "address" and candidates == people:
                turn = used % len(people)
                candidates, used = [*candidates[turn:], *candidates[:turn]], used + 1
            found.append(candidates)
        return found


def combined(each: Sequence[Sequence[Any]], most: int) -> list[tuple[Any, ...]]:
    """Return combinations of one candidate for each: all, or the most usual with one or two changed."""
    total = 1
    for candidates in each:
        total *= len(candidates)
    if total <= most:
        return list(product(*each))
    base = tuple([candidates[0] for candidates in each])
    found = dict.fromkeys([base])
    for at, candidates in enumerate(each):
        for value in candidates[1:]:
            found[(*base[:at], value, *base[at + 1 :])] = None
    # the rest goes through all candidates at different speeds
    for turn in range(most * 4):
        found[tuple([c[(turn * (at + 1) + turn // len(c)) % len(c)] for at, c in enumerate(each)])] = None
    return list(islice(found, most))


# Calls


class Calls:
    """The steps that are tried in a configuration.

    Parameters
    ----------
    world
        Where they run.
    """

    def __init__(self, world: World) -> None:
        self.world, self.machine, self.cast = world, world.machine, world.cast
        self.values = Values(self.machine, self.cast, reads_now=world.reads_now)
        self._arguments = [self.values.arguments(each.function) for each in self.machine.transitions]
        self._callers = [self._who(each) for each in self.machine.transitions]
        self._words = _word_slots(self.machine)
        self._busy = _busy_states(self.machine)
        self._delays = [c for c in self.values.constants if type(c) is int and 60 <= c <= HORIZON][:4]

    def of(self, configuration: Configuration, most: int = MOST_CALLS) -> Iterator[tuple[int, Step]]:
        """Yield the calls that are tried, each with the number of its transition.

        Parameters
        ----------
        most
            How many, about; those of one transition are :data:`MOST_EACH` at most.
        """
        state = self.world.state_of(configuration)
        stored = self._stored(configuration)
        here = [each for each in enumerate(self.machine.transitions) if state in each[1].sources]
        share = min(most // max(len(here), 1), MOST_EACH)
        for number, transition in here:
            for step in self._calls(configuration, number, transition, stored, share):
                yield number, step

    def callers(self, configuration: Configuration, number: int) -> list[str]:
        """Return who can call a transition: holders of its role, else people of all sorts."""
        role = self.machine.transitions[number].role
        if role is None:
            return self._callers[number]
        members, names = self.world.members(configuration, role), self.cast.names
        return _distinct([names[each] for each in members if names.get(each) in self.cast.people])

    def _calls(
        self,
        configuration: Configuration,
        number: int,
        transition: Transition,
        stored: list[int],
        share: int,
    ) -> list[Step]:
        """Return calls: every caller with every amount at least once, then with as many arguments as fit."""
        values = self._coin(stored) if transition.payable else [0]
        arguments = [*self._arguments[number], *self._dynamic(transition.function, number, stored)]
        pairs = [(who, value) for who in self.callers(configuration, number) for value in values]
        turns = max(share // max(len(pairs), 1), 1)
        return [
            Step("call", who, transition.name, self.values.known_to(who, each.values), value)
            for each in _spread(arguments, turns)
            for who, value in pairs
            if not each.secret or who not in STRANGERS[len(self.values.own) > 0 :]
        ]

    def _dynamic(self, function: Function, number: int, stored: list[int]) -> Iterator[Arguments]:
        """Yield arguments with numbers that the machine holds."""
        known = self._arguments[number]
        for at, parameter in enumerate(function.parameters):
            if parameter.type.kind == "uint256" and known:
                base = known[0].values
                for value in stored:
                    if value not in self.values.numbers:
                        yield Arguments((*base[:at], value, *base[at + 1 :]))

    def _coin(self, stored: list[int]) -> list[int]:
        usual = [each for each in self.values.numbers if each <= PURSE // 100]
        held = [each for each in stored if each < PURSE // 100]
        return _distinct([*held, 1, 0, *[each + 1 for each in held[:2]], *usual])[:8]

    def _stored(self, configuration: Configuration) -> list[int]:
        """Return the numbers that fields hold, and the balances."""
        get, machine = configuration.values.get, self.cast.machine
        held = self.world.holdings(configuration)
        own = [get((machine, each), 0) for each in self._words]
        return _distinct([each for each in [*own, *held.values()] if each])[:4]

    def _who(self, transition: Transition) -> list[str]:
        """Return callers between whom a transition can make a difference."""
        everybody = [STRANGERS[0], DEPLOYER, *self.cast.named, STRANGERS[1]][:MOST_CALLERS]
        own = any(each.op == "caller" for each in expressions_of(transition.function))
        if own or any(
            each.type.kind in ("bytes32", "string", "bytes") for each in transition.function.parameters
        ):
            return everybody
        return [STRANGERS[0], DEPLOYER] if transition.payable else [STRANGERS[0]]

    def waits(self, configuration: Configuration) -> list[Step]:
        """Return the times that are let pass; the configuration must be loaded."""
        if not self._busy[self.world.state_of(configuration)]:
            return []  # whatever time it is
        now, due = configuration.now, self.world.due(configuration)
        moments = [] if due is None else [due]
        if self.world.reads_now:
            words = [v for (owner, _), v in configuration.values.items() if owner == self.cast.machine]
            stored = sorted({each for each in words if now < each <= now + HORIZON})[:4]
            moments += [now + 1, *([] if due is None else [due - 1]), *stored, *[each + 1 for each in stored]]
            moments += [now + each for each in self._delays]
        later = [each for each in _distinct(moments) if now < each <= now + HORIZON]
        return [Step("wait", seconds=each - now) for each in sorted(later)]


def _spread(values: Sequence[Arguments], most: int) -> list[Arguments]:
    """Return the first of some values and of the rest as many as fit, evenly."""
    size = len(values)
    return [values[at * size // most] for at in range(most)] if size > most else list(values)


def _zero(kind: Type) -> Any:
    """Return the value of a word that was never written."""
    match kind.kind:
        case "bool":
            return False
        case "address" | "bytes32":
            return bytes(20 if kind.kind == "address" else 32)
    return 0


def secret_of(kind: Type, secrets: tuple[int, str] = _SECRETS) -> Any:
    """Return the value of a type that strangers do not know; None: there is none.

    Parameters
    ----------
    secrets
        A number and a word from which it is made.
    """
    number, word = secrets
    match kind.kind:
        case "uint256" | "int256":
            return number
        case "bytes32":
            return word.encode().ljust(32, b"\0")
        case "string":
            return word[: kind.bound]
        case "bytes":
            return word[: kind.bound].encode()
    return None


def _hashing(machine: MachineIR) -> list[Expression]:
    """Return where a machine hashes what it is given."""
    found = [each for each in acting_expressions(machine) if each.op == "keccak"]
    return [each for each in found if any(arg.op == "local" for arg in each.args)]


def _hashed(machine: MachineIR) -> list[Type]:
    """Return the types of what a machine hashes."""
    return [arg.type for each in _hashing(machine) for arg in each.args if arg.op == "local"]


def _hashes(machine: MachineIR, somebody: bytes, secrets: tuple[int, str] = _SECRETS) -> list[bytes]:
    """Return the hashes of secrets, in the forms in which the machine hashes what it is given."""
    usual = {"address": somebody, "bool": True, "enum": 0}
    found = []
    for each in _hashing(machine):
        parts = []
        for arg in each.args:
            value = secret_of(arg.type, secrets)
            parts.append(word_bytes(arg.type)(usual[arg.type.kind] if value is None else value))
        found.append(keccak256(b"".join(parts)))
    return _distinct(found)


def _constants(machine: MachineIR) -> list[Any]:
    return _distinct([each.data for each in acting_expressions(machine) if each.op == "const"])


def _busy_states(machine: MachineIR) -> list[bool]:
    """Tell of each state whether something can happen there."""
    sources = {each for transition in machine.transitions for each in transition.sources}
    sources |= {each.source for each in machine.timers}
    return [number in sources for number in range(len(machine.states))]


def _word_slots(machine: MachineIR) -> list[bytes]:
    firsts = first_slots(machine)
    return [
        firsts[number].to_bytes(32)
        for number, field in enumerate(machine.fields)
        if field.type.kind == "uint256"
    ]


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Return values without those met before; True is not 1 here."""
    return [value for _, value in dict.fromkeys([(type(each), each) for each in values])]
