"""What hosts and key machines say to each other: plain data, no behaviour.

A machine (:mod:`.machine`) does nothing but answer inputs with outputs, in order. The input ``Restored`` and
the output ``Broadcast`` are those of consensus engines (:mod:`chainstack_sdk.core.engine`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.engine import Broadcast, Restored

if TYPE_CHECKING:
    from chainstack_sdk.consensus.chainkey.state import KeyState


@dataclass(frozen=True, slots=True)
class BlockFinal:
    """Input: the block of a height is final. Each is told in turn; one may be told again after a restart."""

    height: int
    block_hash: bytes
    """32 bytes."""
    state: KeyState
    """The chain key after the block."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Input: a message of another machine, from whomever."""

    message: bytes


@dataclass(frozen=True, slots=True)
class SendTo:
    """Output: send the message to one node. It may as well go to all: only that one can make use of it."""

    address: bytes
    """Whose node it is, 20 bytes."""
    message: bytes


@dataclass(frozen=True, slots=True)
class Remember:
    """Output: replace the machine's record durably; carry out ``then`` only when that is done.

    Records hold secrets. Whoever replaces one destroys the old one: shares are meant to be forgotten.
    """

    record: bytes
    then: tuple[Broadcast | SendTo, ...] = ()


KeyInput: TypeAlias = BlockFinal | Heard | Restored
Message: TypeAlias = Broadcast | SendTo
KeyOutput: TypeAlias = Broadcast | SendTo | Remember
