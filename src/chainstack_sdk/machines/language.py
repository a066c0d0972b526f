"""What authors of machines import: names for editors, type checkers and readers.

A machine is a class in this language, which looks like Python and is never run::

    class Sale(Machine):
        seller = role()
        price: uint256

        offered = State()
        sold = State(final=True)

        class Sold(Event):
            buyer: Indexed[address]

        def __init__(self, price: uint256) -> None:
            self.seller = self.caller
            self.price = price

        @transition(offered, sold, payable=True)
        def buy(self) -> None:
            require(self.value == self.price, "not the price")
            transfer(self.seller, self.value)
            emit(self.Sold(self.caller))

The compiler reads its source. Class bodies do run, as Python runs them, so that decorators and states are
objects; the methods never do.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    NoReturn,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    overload,
)

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.machines.check import CheckReport
    from chainstack_sdk.machines.diagram import Diagram
    from chainstack_sdk.machines.handle import MachineHandle
    from chainstack_sdk.machines.ir import MachineIR
    from chainstack_sdk.primitives.keys import Signer

K = TypeVar("K")
V = TypeVar("V")
Method = TypeVar("Method", bound="Callable[..., Any]")

uint256: TypeAlias = int
"""An integer from 0 to 2^256 - 1."""
int256: TypeAlias = int
"""An integer from -2^255 to 2^255 - 1."""
timestamp: TypeAlias = int
"""Unix time in seconds: another name for :data:`uint256`."""
address: TypeAlias = bytes
"""20 bytes."""
bytes32: TypeAlias = bytes
"""32 bytes."""
Indexed: TypeAlias = Annotated[V, "indexed"]
"""A parameter of an event that is a topic: clients search for its values."""

minutes: Final = 60
hours: Final = 3_600
days: Final = 86_400
weeks: Final = 604_800
ZERO_ADDRESS: Final = bytes(20)
"""Nobody's address."""


def _never(what: str) -> NoReturn:
    raise UsageError(f"{what} belongs to the machine language, which is compiled and never run as Python")


class Mapping(Generic[K, V]):
    """A field with a value for every key; zero, empty or false where none was written."""

    def __getitem__(self, key: K) -> V:
        """Read the value of a key."""
        _never("a mapping")

    def __setitem__(self, key: K, value: V) -> None:
        """Write the value of a key."""
        _never("a mapping")


class State:
    """A state of the machine. The first in the class is where it begins.

    Parameters
    ----------
    final
        Whether nothing leads out of it.
    """

    def __init__(self, *, final: bool = False) -> None:
        self.final = final


class Role:
    """A field that holds one address, and names who may call a transition."""

    @overload
    def __get__(self, machine: None, owner: type[Machine]) -> Self: ...
    @overload
    def __get__(self, machine: Machine, owner: type[Machine]) -> address: ...
    def __get__(self, machine: Machine | None, owner: type[Machine]) -> Self | address:
        """Read who it is."""
        if machine is not None:
            _never("a role")
        return self

    def __set__(self, machine: Machine, value: address) -> None:
        """Say who it is."""
        _never("a role")


class Committee:
    """A field that holds several addresses, of which a number must agree before a transition runs."""

    @overload
    def __get__(self, machine: None, owner: type[Machine]) -> Self: ...
    @overload
    def __get__(self, machine: Machine, owner: type[Machine]) -> list[address]: ...
    def __get__(self, machine: Machine | None, owner: type[Machine]) -> Self | list[address]:
        """Read who they are."""
        if machine is not None:
            _never("a role")
        return self

    def __set__(self, machine: Machine, value: list[address]) -> None:
        """Say who they are."""
        _never("a role")


@overload
def role() -> Role: ...
@overload
def role(members: int, *, threshold: int) -> Committee: ...
def role(members: int = 0, *, threshold: int = 1) -> Role | Committee:
    """Declare who may call transitions: one address, or some of which a number must agree.

    Parameters
    ----------
    members
        How many addresses; none given: one.
    threshold
        How many of them must make the same call, with the same arguments, before it runs.
    """
    return Committee() if members else Role()


def transition(
    source: State | tuple[State, ...],
    target: State | None = None,
    *,
    payable: bool = False,
    by: Role | Committee | None = None,
) -> Callable[[Method], Method]:
    """Declare a transition: a function that is there only in some states.

    Parameters
    ----------
    source
        The state, or the states, in which it may be called.
    target
        The state after it; by default the machine stays in the state it was.
    payable
        Whether coin may come with the call.
    by
        Who may call it; by default anybody.
    """
    return lambda method: method


def after(source: State, delay: int | Callable[[Any], int], target: State) -> Callable[[Method], Method]:
    """Declare what happens by itself when a state has lasted long enough.

    Parameters
    ----------
    source
        The state.
    delay
        Seconds since the machine came into it: a constant, or ``lambda self: self.window``.
    target
        The state after it.
    """
    return lambda method: method


def payable(method: Method) -> Method:
    """Declare that coin may come with the deployment; stands before ``__init__``."""
    return method


def view(method: Method) -> Method:
    """Declare a function that only answers."""
    return method


def invariant(method: Method) -> Method:
    """Declare a condition that is to hold whenever nothing runs: checked before deployment, not by nodes."""
    return method


@dataclass_transform()
class Event:
    """Base of events: a class inside of the machine, with the parameters as its fields."""


@dataclass_transform()
class Error:
    """Base of errors: a class inside of the machine, with the parameters as its fields."""


def require(condition: bool, refusal: str | Error) -> None:
    """Refuse the call unless the condition holds; everything it did is undone."""
    _never("require")


def emit(event: Event) -> None:
    """Write an event into the transaction's receipt."""
    _never("emit")


def transfer(to: address, amount: uint256) -> None:
    """Pay wei of the machine; the recipient's code does not run."""
    _never("transfer")


def send_token(token: address, to: address, amount: uint256) -> None:
    """Send ERC-20 tokens of the machine; happens when everything else of the call has been done."""
    _never("send_token")


def take_token(token: address, owner: address, amount: uint256) -> None:
    """Take ERC-20 tokens that the owner has approved for the machine; happens at the end of the call."""
    _never("take_token")


def send_nft(token: address, to: address, token_id: uint256) -> None:
    """Send an ERC-721 token of the machine; happens when everything else of the call has been done."""
    _never("send_nft")


def take_nft(token: address, owner: address, token_id: uint256) -> None:
    """Take an ERC-721 token that the owner has approved for the machine; happens at the end of the call."""
    _never("take_nft")


def keccak(*values: bool | int | bytes | str) -> bytes32:
    """Hash words of 32 bytes, numbers and addresses padded on the left, or one text or byte string."""
    _never("keccak")


class Machine:
    """Base of every machine.

    Inside of methods, these facts are there besides the machine's own fields.
    """

    caller: Final[address] = ZERO_ADDRESS
    """Who calls; not in timers and invariants."""
    value: Final[uint256] = 0
    """Wei that came with the call; only in what is payable."""
    now: Final[timestamp] = 0
    """Time of the block, Unix seconds."""
    height: Final[uint256] = 0
    """Height of the block."""
    balance: Final[uint256] = 0
    """Wei that the machine holds, with what came with the call."""
    this: Final[address] = ZERO_ADDRESS
    """The machine's own address."""

    def __new__(cls, *args: Any, **fields: Any) -> Self:
        """Refuse: a machine lives on a chain."""
        _never(f"{cls.__name__}: deploy it; a machine")

    def is_in(self, state: State) -> bool:
        """Tell whether the machine is in a state; within a transition: was in it before."""
        _never("is_in")

    @classmethod
    def ir(cls) -> MachineIR:
        """Compile the machine, once.

        Raises
        ------
        CompileError
            When it is not in the language; says where, and what to write instead.
        """
        from chainstack_sdk.machines.compiler import compile_machine

        return compile_machine(cls)

    @classmethod
    def encoding(cls) -> bytes:
        """Return the canonical encoding, as it goes on chain; :class:`CompileError` as for :meth:`ir`."""
        from chainstack_sdk.machines.encoding import encode_machine

        return encode_machine(cls.ir())

    @classmethod
    def identity(cls) -> bytes:
        """Return the hash of the encoding, 32 bytes."""
        from chainstack_sdk.primitives.keccak import keccak256

        return keccak256(cls.encoding())

    @classmethod
    def abi(cls) -> list[dict[str, Any]]:
        """Return the standard JSON ABI."""
        from chainstack_sdk.machines.interface import interface_of

        return interface_of(cls.ir()).to_json()

    @classmethod
    def gas(cls) -> dict[str, int]:
        """Return what each function costs, whatever it does: gas by name, besides the transaction's own.

        ``constructor`` is the making of the machine, without what its code and the transfer of coin to it
        cost; ``poke`` firing a timer.
        """
        from chainstack_sdk.machines.gas import gas_table

        return gas_table(cls.ir())

    @classmethod
    def check(cls, *, budget: int = 20_000, walks: int = 40) -> CheckReport:
        """Look for defects: states that are not reached, funds that are stuck, and so on.

        What counts as a defect, and what the search can and cannot see, is in
        :mod:`chainstack_sdk.machines.check`. The same machine has the same report.

        Parameters
        ----------
        budget
            Steps that the search tries, about.
        walks
            Long walks drawn by hypothesis besides, if it is installed; 0: none.

        Raises
        ------
        CompileError
            When the machine is not in the language.
        UsageError
            When a number is negative.
        """
        from chainstack_sdk.machines.check import check_machine
        from chainstack_sdk.machines.compiler import machine_source

        report = check_machine(cls.ir(), budget=budget, walks=walks)
        source = machine_source(cls)
        return report.with_lines(source.filename, source.lines())

    @classmethod
    def diagram(cls) -> Diagram:
        """Return the states and what leads from one to another, to be drawn: ``.mermaid()``, ``.svg()``."""
        from chainstack_sdk.machines.diagram import diagram_of

        return diagram_of(cls.ir())

    @classmethod
    def report(cls) -> str:
        """Return a page about the machine for people who do not read code, in Markdown.

        It tells who may do what in which state and under which conditions, when money moves, what happens by
        itself, and what everything costs, with the docstrings of the class.
        """
        from chainstack_sdk.machines.compiler import machine_source, notes_of
        from chainstack_sdk.machines.report import report_of

        return report_of(cls.ir(), notes_of(machine_source(cls)))

    @classmethod
    def deploy(
        cls,
        chain: ContractHost,
        sender: Signer,
        *,
        value: int = 0,
        gas: int | None = None,
        unchecked: bool = False,
        **arguments: Any,
    ) -> MachineHandle:
        """Put the machine on a chain by one transaction, unless a quick check finds errors in it.

        The check is that of :meth:`check` with a small budget, and is made once in a process.

        Parameters
        ----------
        chain
            One with the deployer of machines among its system contracts.
        sender
            Who signs and pays.
        value
            Wei for the machine; its constructor must be payable.
        gas
            Gas limit; found by the chain when not given.
        unchecked
            Whether to deploy it with its defects, without a look.
        **arguments
            The parameters of ``__init__``, by name.

        Raises
        ------
        CompileError
            When the machine is not in the language.
        DefectiveMachine
            When the check finds errors.
        UsageError
            When the arguments do not fit, or the chain has no deployer.
        Reverted
            When the constructor refuses.
        """
        from chainstack_sdk.machines.handle import deploy

        if not unchecked:
            cls._expect_sound()
        return deploy(cls.ir(), chain, sender, arguments, value=value, gas=gas)

    @classmethod
    def _expect_sound(cls) -> None:
        from chainstack_sdk.machines.check import quick_check
        from chainstack_sdk.machines.errors import DefectiveMachine

        report = quick_check(cls.ir())
        if not report.ok:
            raise DefectiveMachine(report)

    @classmethod
    def at(cls, chain: ContractHost, address: Any) -> MachineHandle:
        """Return the handle of a machine that exists already; nothing is checked."""
        from chainstack_sdk.machines.handle import MachineHandle

        return MachineHandle(chain, address, cls.ir())
