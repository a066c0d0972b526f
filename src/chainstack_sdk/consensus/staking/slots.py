"""Slots: the terms of committees, all of the same number of blocks."""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.primitives.errors import UsageError


@dataclass(frozen=True, slots=True)
class SlotSchedule:
    """Heights 1 to ``blocks`` are slot 0, the next as many slot 1, and so on; genesis counts to slot 0.

    Raises
    ------
    UsageError
        When a slot has no block.
    """

    blocks: int
    """Blocks in a slot, at least 1."""

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise UsageError("a slot has at least one block", actual=self.blocks)

    def slot_of(self, height: int) -> int:
        """Return the slot in which a height lies."""
        return (height - 1) // self.blocks if height else 0

    def first_of(self, slot: int) -> int:
        """Return the height of a slot's first block."""
        return slot * self.blocks + 1

    def last_of(self, slot: int) -> int:
        """Return the height of a slot's last block."""
        return (slot + 1) * self.blocks

    def is_last(self, height: int) -> bool:
        """Tell whether a block ends its slot; genesis ends none."""
        return height > 0 and height % self.blocks == 0

    def newest_fixed(self, height: int) -> int:
        """Return the slot of the newest committee that is fixed once the block of a height has run.

        Within slot s that is s + 1; the last block of s elects the committee of s + 2.
        """
        return self.slot_of(height) + (2 if self.is_last(height) else 1)
