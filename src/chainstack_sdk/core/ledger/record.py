"""What a ledger is given to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.receipts import Receipt


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A block with what execution made of it."""

    block: Block
    receipts: tuple[Receipt, ...]
    undo: StateDiff
    """Takes the state from after this block to before it."""
