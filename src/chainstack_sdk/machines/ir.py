"""Machines as nodes understand them: a typed tree of frozen values, without names of locals.

An :class:`Expression` or :class:`Statement` is an operation (``op``), the expressions it works on (``args``),
and what it needs besides (``data``). What each operation takes and gives is in
:mod:`chainstack_sdk.machines.rules`, the only place where they are made; equal trees mean equal machines.

Locals are numbered in the order in which they come into scope, parameters first; a number is used again
when the block that declared its local has ended.

===============  ==============================================  =====================================
Expression       ``args``                                        ``data``
===============  ==============================================  =====================================
``const``                                                        the value
``local``                                                        its number
``caller`` …     (also ``value now height balance this``)
``load``         keys of mappings, or an array's index           number of the field
``item``         array, index
``add`` …        (also ``sub mul div mod min max``) two numbers
``neg``          a number
``eq`` …         (also ``ne lt le gt ge``) two values
``and``, ``or``  two conditions; the second only if needed
``not``          a condition
``if``           condition, value, other value
``in``           value, then those it may equal
``contains``     array, value
``keccak``       words, or one string
``to_int``       ``uint256``
``to_uint``      ``int256``
``state``                                                        number of a state: whether it was there
===============  ==============================================  =====================================

===============  ==============================================  =====================================
Statement        ``args``                                        ``data``
===============  ==============================================  =====================================
``let``          the value of a new local                        its number
``set``          the new value                                   number of the local
``store``        keys, then the value                            number of the field
``increase``     keys, then how much; ``uint256`` only           number of the field
``decrease``     keys, then how much; ``uint256`` only           number of the field
``if``           condition; ``blocks``: then, otherwise
``for``          ``blocks``: the body                            first number, number after the last,
                                                                 number of the local that counts
``require``      condition, then the error's values              reason (text) or number of the error
``pay``          recipient, wei
``send_token``   token, recipient, amount
``take_token``   token, owner, amount
``send_nft``     token, recipient, id of the token
``take_nft``     token, owner, id of the token
``emit``         the event's values                              number of the event
===============  ==============================================  =====================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from chainstack_sdk.machines.types import Type

Value: TypeAlias = "bool | int | bytes | str | tuple[Value, ...]"
"""A value while a machine runs: ``int`` for numbers and enumerations, 20 or 32 bytes, text, tuples."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Something with a value."""

    op: str
    type: Type
    args: tuple[Expression, ...] = ()
    data: bool | int | bytes | str = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that is done."""

    op: str
    args: tuple[Expression, ...] = ()
    data: int | str | tuple[int, ...] = 0
    blocks: tuple[Block, ...] = ()


Block: TypeAlias = tuple[Statement, ...]
"""Statements in order."""


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Named values; the first is number 0."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value of a function, an event or an error."""

    name: str
    type: Type
    indexed: bool = False
    """Of an event: whether it is a topic."""


@dataclass(frozen=True, slots=True)
class Record:
    """An event or an error."""

    name: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class StateInfo:
    """A state; the first of a machine is where it begins."""

    name: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A storage field.

    A role is a field too: an address, or an array of addresses, with a threshold.
    """

    name: str
    type: Type
    threshold: int = 0
    """Of a role: how many of its members must call; 0: the field is no role."""


@dataclass(frozen=True, slots=True)
class Function:
    """Parameters, a body, and results in the scope of the body."""

    parameters: tuple[Parameter, ...]
    body: Block
    results: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """What takes a machine from one of its states to another."""

    name: str
    sources: tuple[int, ...]
    """Numbers of states, ascending."""
    target: int | None
    """Number of a state; None: the machine stays where it is."""
    payable: bool
    role: int | None
    """Number of the field that says who may call; None: anybody."""
    function: Function


@dataclass(frozen=True, slots=True)
class Timer:
    """What happens by itself when a state has lasted long enough."""

    name: str
    source: int
    delay: Expression
    """Seconds since the machine came into the state, at least."""
    target: int
    body: Block


@dataclass(frozen=True, slots=True)
class View:
    """What anybody may ask."""

    name: str
    function: Function


@dataclass(frozen=True, slots=True)
class Tables:
    """What a machine declares apart from code."""

    enums: tuple[Enumeration, ...]
    events: tuple[Record, ...]
    errors: tuple[Record, ...]
    states: tuple[StateInfo, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class MachineIR:
    """A whole machine."""

    name: str
    enums: tuple[Enumeration, ...]
    events: tuple[Record, ...]
    errors: tuple[Record, ...]
    states: tuple[StateInfo, ...]
    fields: tuple[Field, ...]
    constructor: Function
    transitions: tuple[Transition, ...]
    timers: tuple[Timer, ...]
    views: tuple[View, ...]
    invariants: tuple[View, ...]
    """Conditions that are to hold whenever nothing runs; nodes do not check them."""
    payable: bool = False
    """Whether coin may come with the deployment."""

    @property
    def tables(self) -> Tables:
        """What it declares apart from code."""
        return Tables(self.enums, self.events, self.errors, self.states, self.fields)
