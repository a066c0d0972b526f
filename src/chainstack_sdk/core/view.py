"""A chain seen from its own consensus, which is made before the chain and must look at it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.state import State


class ChainView:
    """State and headers of a chain that may not be there yet.

    Rules and engines are given the view when they are made; whoever puts the chain together binds it.

    Parameters
    ----------
    state
        The very object that the chain will work on.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        """The state as of the newest block."""
        self._blockchain: Blockchain | None = None

    def bind(self, blockchain: Blockchain) -> None:
        """Let the view look at a chain."""
        self._blockchain = blockchain

    @property
    def blockchain(self) -> Blockchain:
        """The chain.

        Raises
        ------
        UsageError
            When there is none yet.
        """
        if self._blockchain is None:
            raise UsageError("the chain of this view has not been made yet")
        return self._blockchain

    def header(self, block_hash: bytes) -> Header | None:
        """Return the header of a block of the chain, or of the candidate in hand; None when unknown."""
        return self.blockchain.header_of(block_hash)
