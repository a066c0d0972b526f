"""What a node asks of whoever runs it: plain data.

A node is itself without input and output. A loop with a virtual clock, an event loop with sockets and the
simulator all drive the same node through :class:`Node` and carry out its effects, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from chainstack_sdk.core.engine import Timeout

if TYPE_CHECKING:
    from collections.abc import Hashable

Timer: TypeAlias = Timeout | str
"""A wait of the engine's, or one of the node's own by name."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one node, or to all others."""

    message: bytes
    to: Hashable | None = None
    """The driver's name of the receiver, as :meth:`Node.receive` is given it; None: everybody else."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Call :meth:`Node.elapsed` after a while; a timer of the same name that still runs is replaced."""

    timer: Timer
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Store:
    """Make the node's record durable, in place of the one before.

    None of the effects after this one, of this call or a later one, may be carried out before that is done.
    """

    record: bytes


@dataclass(frozen=True, slots=True)
class Mine:
    """Look for a nonce and call :meth:`Node.mined`; a later request takes the place of this one."""

    block_hash: bytes
    """32 bytes."""
    target: int
    """The greatest hash, as a big-endian number, that counts."""


@dataclass(frozen=True, slots=True)
class Committed:
    """For information: the node's chain has appended a block, or gone over to it."""

    height: int
    block_hash: bytes
    """32 bytes."""
    seal: bytes


@dataclass(frozen=True, slots=True)
class Accused:
    """For information: the node holds a proof that a validator broke the rules."""

    evidence: bytes


Effect: TypeAlias = Send | SetTimer | Store | Mine | Committed | Accused


class Node(Protocol):
    """A whole participant without input and output."""

    def start(self) -> tuple[Effect, ...]:
        """Begin, or begin again after a crash."""
        ...

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node; anything that is not one is dropped."""
        ...

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Take the news that a timer has run out."""
        ...

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        """Take the nonce that was asked for."""
        ...
