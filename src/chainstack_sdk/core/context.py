"""What execution knows of the block it runs in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockContext:
    """The facts of a block that transactions may depend on."""

    chain_id: int
    height: int
    timestamp_ms: int
    """Unix time in milliseconds."""
    proposer: bytes
    """20 bytes."""
    gas_limit: int
    base_fee: int
    """Wei for each gas."""
    parent_hash: bytes
    """32 bytes."""
    slot: int = 0

    @property
    def timestamp(self) -> int:
        """Unix time in whole seconds, as contracts use it."""
        return self.timestamp_ms // 1000
