"""What the JSON-RPC methods need of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.interfaces import Clock
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.core.queries import Simulation


class RpcHost(Protocol):
    """A chain as JSON-RPC sees it; :class:`chainstack_sdk.Chain` is one."""

    @property
    def blockchain(self) -> Blockchain:
        """Blocks and state."""
        ...

    @property
    def pool(self) -> Mempool:
        """Transactions that wait for a block."""
        ...

    @property
    def finalized_height(self) -> int:
        """Height of the newest block that will not be replaced."""
        ...

    @property
    def clock(self) -> Clock:
        """Where the timestamps of new blocks come from."""
        ...

    def simulate(
        self,
        to: bytes,
        data: bytes,
        *,
        sender: bytes,
        value: int,
        gas: int | None,
        block: int | None,
    ) -> Simulation:
        """Run a call and undo it.

        Parameters
        ----------
        to, sender
            20 bytes each.
        value
            Wei that the sender is to have.
        gas
            At most this much; None: as much as a block has.
        block
            The height whose state is used; None: the newest, and the call believes to be in the next block.

        Raises
        ------
        Reverted
            When the contract refuses.
        Rejected
            When the sender does not have the value, or the gas is below the intrinsic gas.
        UsageError
            When that block's state is not kept.
        """
        ...

    def send(self, transaction: bytes, /) -> bytes:
        """Admit a signed transaction and return its hash, 32 bytes.

        Raises
        ------
        InvalidInput
            When it is malformed or its signature has no sender.
        Rejected
            When the rules refuse it.
        """
        ...

    def seal(self) -> Block:
        """Make a block of what waits and append it; called for ``evm_mine`` only.

        Raises
        ------
        UsageError
            When the chain's engine does not decide on its own.
        """
        ...

    def snapshot(self) -> Any:
        """Return a point to come back to; called for ``evm_snapshot`` only."""
        ...

    def revert(self, snapshot: Any, /) -> None:
        """Go back to such a point; called for ``evm_revert`` only.

        Raises
        ------
        UsageError
            When nothing leads back there.
        """
        ...


@runtime_checkable
class MovableClock(Protocol):
    """A clock that can be told to move, as that of a development chain."""

    def advance(self, seconds: int, /) -> int:
        """Move forward and return the new Unix time in milliseconds."""
        ...
