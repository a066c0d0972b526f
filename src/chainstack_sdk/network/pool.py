"""Who does the proof of work on a host's own candidates, and whom they pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.work import NONCES, DoubleSha256
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.network.mining import Miner


class Pool(Protocol):
    """Finds nonces, and remembers who helped."""

    def find(self, block_hash: bytes, target: int) -> int | None:
        """Return a nonce whose hash with the block hash is at most the target; None when there is none."""
        ...

    def attachment(self) -> bytes:
        """Return the list of payouts that the next candidate carries, encoded; empty for nobody's."""
        ...

    def settle(self, attachment: bytes) -> None:
        """Take note that a block with this list of payouts is on the chain."""
        ...


class SoloPool:
    """Hashes right here; the block's proposer earns everything.

    Parameters
    ----------
    work_hash
        What is hashed with; double SHA-256 by default.
    """

    def __init__(self, work_hash: WorkHash | None = None) -> None:
        self._hash = work_hash or DoubleSha256()

    def find(self, block_hash: bytes, target: int) -> int | None:
        """Return the lowest nonce that does the work."""
        return self._hash.search(block_hash, 0, NONCES, target, target).nonce

    def attachment(self) -> bytes:
        """Return nothing."""
        return b""

    def settle(self, attachment: bytes) -> None:
        """Do nothing: nobody is owed anything."""


class ExecutorPool:
    """Many workers on an executor, paid by the shares that they have brought.

    Parameters
    ----------
    miner
        Divides the work. Its hash must be the chain's.
    """

    def __init__(self, miner: Miner) -> None:
        self.miner = miner

    def find(self, block_hash: bytes, target: int) -> int | None:
        """Return the lowest nonce that does the work.

        Raises
        ------
        WorkersLost
            When nobody is left to hash.
        """

        def candidate(extra_nonce: int) -> bytes:
            if extra_nonce:
                raise UsageError("all nonces of a candidate are spent", block_hash=block_hash)
            return block_hash

        won = self.miner.mine(candidate, target)
        return None if won is None else won.nonce

    def attachment(self) -> bytes:
        """Return what is owed for all shares so far."""
        payouts = self.miner.master.tally.payouts()
        return payouts.encode() if payouts.entries else b""

    def settle(self, attachment: bytes) -> None:
        """Take off what a block has paid."""
        if attachment:
            self.miner.master.tally.settle(Payouts.decode(attachment))


if TYPE_CHECKING:
    _solo: type[Pool] = SoloPool
    _executor: type[Pool] = ExecutorPool
