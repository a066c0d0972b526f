"""Going over to another branch: the newest blocks come off, others take their place.

Either the whole branch is taken or nothing changes. On a durable ledger each block that comes off or goes on
is one atomic write, so that a process killed half way leaves a shorter chain of whole blocks, never a mixed
one; what is missing is fetched again like any other block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.core.transactions.senders import Executor


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """What came off a chain and what went on, both in chain order."""

    ancestor_height: int
    """Height of the newest block that both branches have."""
    removed: tuple[Block, ...]
    removed_receipts: tuple[tuple[Receipt, ...], ...]
    """Of each removed block, in the order of its transactions."""
    added: tuple[Block, ...]
    added_receipts: tuple[tuple[Receipt, ...], ...]
    """Of each added block, in the order of its transactions."""

    def dropped(self) -> tuple[Transaction, ...]:
        """Return the transactions that only the removed branch holds, in the order they ran there."""
        kept = {transaction.hash for block in self.added for transaction in block.transactions}
        return tuple(
            transaction
            for block in self.removed
            for transaction in block.transactions
            if transaction.hash not in kept
        )


def reorganise(
    blockchain: Blockchain,
    ancestor_height: int,
    blocks: Sequence[Block],
    executor: Executor | None = None,
) -> Reorganisation:
    """Take every block above a height off the chain and append others in their place.

    Which branch is better is for the engine to say; here it may even be shorter.

    Parameters
    ----------
    ancestor_height
        Of the newest block that stays.
    blocks
        The other branch, oldest first; the first one's parent is the block that stays.
    executor
        Recovers senders in parallel when given.

    Raises
    ------
    UsageError
        When there is no block of that height, what leads back to it has been pruned, or the state is wound
        back; or when contract code crashed in one of the blocks. The chain is as it was.
    InvalidInput
        When the blocks do not follow one another from the ancestor on, or one of them is invalid: see
        :meth:`Blockchain.append <chainstack_sdk.core.Blockchain.append>`; ``block_hash`` is that of the
        block. The chain is as it was.
    """
    if not 0 <= ancestor_height <= blockchain.height:
        raise UsageError("no such block", expected=f"0 to {blockchain.height}", actual=ancestor_height)
    _check_links(blockchain.ledger.header(ancestor_height).hash, blocks)
    with blockchain.state_at(ancestor_height):
        pass  # refuses, before anything is undone, when a diff on the way has been pruned
    removed, removed_receipts = _unwind(blockchain, ancestor_height)
    added_receipts = []
    try:
        for block in blocks:
            added_receipts.append(_append(blockchain, block, executor))
    except BaseException:
        _unwind(blockchain, ancestor_height)
        for block in removed:
            blockchain.append(block, executor)
        raise
    return Reorganisation(ancestor_height, removed, removed_receipts, tuple(blocks), tuple(added_receipts))


def _check_links(ancestor_hash: bytes, blocks: Sequence[Block]) -> None:
    """Refuse what is not one branch, before any work is done for it."""
    expected = ancestor_hash
    for block in blocks:
        if block.parent_hash != expected:
            raise InvalidInput(
                "the blocks are not one branch from the ancestor on",
                height=block.height,
                expected=expected,
                actual=block.parent_hash,
            )
        expected = block.hash


def _append(blockchain: Blockchain, block: Block, executor: Executor | None) -> tuple[Receipt, ...]:
    try:
        return blockchain.append(block, executor)
    except InvalidInput as error:
        error.facts.setdefault("block_hash", block.hash)
        raise


def _unwind(blockchain: Blockchain, height: int) -> tuple[tuple[Block, ...], tuple[tuple[Receipt, ...], ...]]:
    """Take off the blocks above a height; return them and their receipts, oldest first."""
    blocks, receipts = [], []
    while blockchain.height > height:
        receipts.append(blockchain.ledger.receipts(blockchain.height))
        blocks.append(blockchain.undo())
    return tuple(reversed(blocks)), tuple(reversed(receipts))
