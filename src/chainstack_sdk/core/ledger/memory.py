"""Blocks as objects in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.ledger.record import BlockRecord
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.state import State

_INDEX_BITS = 32
_INDEX_MASK = (1 << _INDEX_BITS) - 1


class MemoryLedger:
    """Blocks as objects in lists.

    Parameters
    ----------
    keep_states
        How many of the newest blocks can be undone, or looked behind; None: all.
    """

    def __init__(self, *, keep_states: int | None = None) -> None:
        self._keep = keep_states
        self._records: list[BlockRecord] = []
        self._undo: list[StateDiff | None] = []
        self._heights: dict[bytes, int] = {}
        self._places: dict[bytes, int] = {}
        """By hash in a receipt: its height, shifted by ``_INDEX_BITS``, and its place in the block."""

    @property
    def height(self) -> int:
        """Height of the newest block, -1 before genesis."""
        return len(self._records) - 1

    def append(self, record: BlockRecord, state: State) -> None:
        """Keep the next block."""
        height = len(self._records)
        self._records.append(record)
        self._undo.append(record.undo)
        self._heights[record.block.hash] = height
        places = self._places
        for place, receipt in enumerate(record.receipts, height << _INDEX_BITS):
            places[receipt.transaction_hash] = place
        if self._keep is not None and height >= self._keep:
            self._undo[height - self._keep] = None

    def load(self, state: State) -> None:
        """Nothing to do: the state lives as long as the ledger."""

    def pop(self, state: State, redo: StateDiff) -> None:
        """Forget the newest block; the state has gone back already."""
        record = self._records.pop()
        self._undo.pop()
        del self._heights[record.block.hash]
        for receipt in record.receipts:
            del self._places[receipt.transaction_hash]

    def block(self, height: int) -> Block:
        """Return a block by height."""
        return self._records[height].block

    def header(self, height: int) -> Header:
        """Return a header by height."""
        return self._records[height].block.header

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        """Return a block's receipts, in order."""
        return self._records[height].receipts

    def undo(self, height: int) -> StateDiff | None:
        """Return the diff that undoes a block, or None when pruned."""
        return self._undo[height]

    def height_of(self, block_hash: bytes) -> int | None:
        """Return the height of the block with this hash, if kept."""
        return self._heights.get(block_hash)

    def locate(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Return (height, index) of a transaction or closing receipt, if kept."""
        place = self._places.get(transaction_hash)
        return None if place is None else (place >> _INDEX_BITS, place & _INDEX_MASK)

    def close(self) -> None:
        """Nothing to release."""
