"""Which blocks of a chain have become final since one last looked, with the chain key after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.effects import BlockFinal
from chainstack_sdk.consensus.chainkey.state import read_key_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainstack_sdk.core.view import ChainView

MAX_TOLD = 64
"""Blocks that are told one by one when many become final at once."""


class FinalBlocks:
    """The final blocks of a chain with a key, each told once.

    Parameters
    ----------
    view
        The chain.
    finalized
        Returns the height of the newest final block; by default that of the newest.
    """

    def __init__(self, view: ChainView, finalized: Callable[[], int] | None = None) -> None:
        self._view = view
        self._finalized = finalized
        self.told: BlockFinal | None = None
        """The newest that was told."""

    @property
    def height(self) -> int:
        """Height of the newest final block."""
        newest = self._view.blockchain.height
        return newest if self._finalized is None else min(self._finalized(), newest)

    def new(self) -> Iterator[BlockFinal]:
        """Yield those that have not been told yet, oldest first.

        Of more than :data:`MAX_TOLD` only the newest is: such a chain comes from elsewhere.
        """
        final = self.height
        first = max(1, 0 if self.told is None else self.told.height + 1)
        if final - first >= MAX_TOLD:
            first = final
        for height in range(first, final + 1):
            told = self._at(height)
            if told is not None:
                self.told = told
                yield told

    def go_back(self) -> bool:
        """Tell whether another block is final where one was told; all from there on are new again then."""
        told, final = self.told, self.height
        if told is None or final > told.height:
            return False
        if final == told.height and self._view.blockchain.ledger.header(final).hash == told.block_hash:
            return False
        self.told = self._at(final - 1) if final > 1 else None
        return True

    def _at(self, height: int) -> BlockFinal | None:
        chain = self._view.blockchain
        block_hash = chain.ledger.header(height).hash
        if height == chain.height:
            state = read_key_state(self._view.state)
        else:
            with chain.state_at(height) as before:
                state = read_key_state(before)
        return None if state is None else BlockFinal(height, block_hash, state)
