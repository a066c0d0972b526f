"""What hosts and consensus engines say to each other: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class BlockProposed:
    """Input: the host has built or received a valid candidate on the current head."""

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """Input: the chain has appended this block."""

    height: int
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Output: append the block with this seal."""

    height: int
    block_hash: bytes
    """32 bytes."""
    seal: bytes


EngineInput: TypeAlias = BlockProposed | BlockCommitted
EngineOutput: TypeAlias = Decide
