"""What hosts and consensus engines say to each other: plain data, no behaviour.

An engine is a state machine without input and output. Its host owns the clock, the keys, the network and
the blocks themselves; the engine sees block hashes and messages only. Messages between engines of one
kind are opaque to the host, so that one host serves every engine.

========================  =====================================================================
Output                    What the host does
========================  =====================================================================
``RequestBlock``          builds a candidate on the head and answers ``BlockProposed``
``FetchBlock``            asks its peers for a candidate; answers ``BlockProposed``, ``BlockRefused``
``RequestWork``           hashes, or has others hash, and answers ``WorkFound``
``Sign``                  signs with the node's key and answers ``Signed``
``Broadcast``             sends the message to every peer
``Persist``               writes the record durably, and only then carries out what is listed in it
``ScheduleTimeout``       waits, as long as it sees fit, and answers ``TimeoutElapsed``
``Decide``                appends the block with its seal and answers ``BlockCommitted``
``SwitchHead``            goes over to another branch; answers ``BlockCommitted`` for its tip
``Accuse``                brings the evidence before the chain
========================  =====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# Inputs


@dataclass(frozen=True, slots=True)
class BlockProposed:
    """Input: the host has built or received a valid candidate on the current head."""

    height: int
    block_hash: bytes
    """32 bytes."""
    extra: bytes = b""
    """What this node adds to its own proposal of the block, such as a proof of verifiable randomness."""
    own: bool = False
    """Whether it was built here, for ``RequestBlock``."""


@dataclass(frozen=True, slots=True)
class BlockRefused:
    """Input: a candidate turned out to be invalid. A host that merely cannot tell yet says nothing."""

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """Input: the chain has appended this block, or gone back to it."""

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Input: a message of another node's engine, from whomever."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """Input: the answer to ``Sign``."""

    payload: bytes
    signature: bytes
    """65 bytes, r ‖ s ‖ v, over keccak-256 of the payload."""


@dataclass(frozen=True, slots=True)
class TimeoutElapsed:
    """Input: a scheduled time has passed."""

    timeout: Timeout


@dataclass(frozen=True, slots=True)
class WorkFound:
    """Input: a nonce whose hash with the block hash meets the target."""

    block_hash: bytes
    """32 bytes."""
    nonce: int
    """Below 2^64."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Input: the last durable record, handed to a fresh engine before anything else."""

    record: bytes


# Outputs


@dataclass(frozen=True, slots=True)
class Timeout:
    """A wait that an engine asks for. The host picks its length, longer in later rounds."""

    kind: str
    height: int
    round: int


@dataclass(frozen=True, slots=True)
class Decide:
    """Output: append the block with this seal."""

    height: int
    block_hash: bytes
    """32 bytes."""
    seal: bytes


@dataclass(frozen=True, slots=True)
class RequestBlock:
    """Output: a candidate for this height is wanted from this node."""

    height: int


@dataclass(frozen=True, slots=True)
class FetchBlock:
    """Output: others vote on a candidate that this node does not know."""

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class RequestWork:
    """Output: find a nonce for this block."""

    block_hash: bytes
    """32 bytes."""
    target: int
    """The greatest hash, as a big-endian number, that counts."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Output: sign keccak-256 of the payload with the node's key.

    Payloads begin with the byte 0x19, so that none can be mistaken for a transaction.
    """

    payload: bytes


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Output: send the message to every other node."""

    message: bytes


@dataclass(frozen=True, slots=True)
class ScheduleTimeout:
    """Output: answer ``TimeoutElapsed`` after a while."""

    timeout: Timeout


@dataclass(frozen=True, slots=True)
class Persist:
    """Output: replace the engine's record durably; carry out ``then`` only when that is done."""

    record: bytes
    then: tuple[EngineOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class SwitchHead:
    """Output: another branch has more weight; make its tip the head.

    Should a block on the way be invalid, the host stays where it was and answers ``BlockRefused``.
    """

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Accuse:
    """Output: a proof that a validator broke the rules, for the chain to punish."""

    evidence: bytes


EngineInput: TypeAlias = (
    BlockProposed
    | BlockRefused
    | BlockCommitted
    | MessageReceived
    | Signed
    | TimeoutElapsed
    | WorkFound
    | Restored
)
EngineOutput: TypeAlias = (
    Decide
    | RequestBlock
    | FetchBlock
    | RequestWork
    | Sign
    | Broadcast
    | ScheduleTimeout
    | Persist
    | SwitchHead
    | Accuse
)
