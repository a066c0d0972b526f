"""A reorganisation on demand: what becomes of an application when blocks it has seen are replaced.

:func:`reorganise` forks a chain some blocks back, replays transactions on a longer branch, goes over to it
as a node does, and reports what that did: which transactions dropped out, which ran again and how, which
logs are gone. The chain afterwards is an ordinary one, on the new branch.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.chain.facade import Snapshot
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.queries import FoundLog
from chainstack_sdk.core.transactions import decode_transaction
from chainstack_sdk.primitives.errors import ChainStackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.chain import Chain
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.reorganise import Reorganisation
    from chainstack_sdk.core.transactions import Transaction

_BLOCK_MS = 1_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """A transaction that both branches hold."""

    transaction: Transaction
    before: Receipt
    """On the branch that is gone."""
    after: Receipt

    @property
    def changed(self) -> bool:
        """Whether it ended in another way: succeeded or failed, returned or emitted something else."""
        return _outcome(self.before) != _outcome(self.after)


@dataclass(frozen=True, slots=True)
class Report:
    """What a reorganisation did."""

    reorganisation: Reorganisation
    """The blocks and receipts of both branches."""
    replayed: tuple[Replayed, ...]
    """Transactions that both branches hold, in the order in which they ran on the old one."""
    dropped: tuple[Transaction, ...]
    """Transactions that only the old branch holds, in the order in which they ran there."""
    waiting: tuple[Transaction, ...]
    """Those of the dropped ones that are back in the pool."""
    refused: tuple[tuple[Transaction, ChainStackError], ...]
    """Transactions that were to be on the new branch but were not admitted there, with the reason."""
    removed_logs: tuple[FoundLog, ...]
    """Every log of the old branch, in chain order, with the place that it had: what Ethereum's filters
    announce with ``removed: true``, also when the new branch has an equal one."""

    @property
    def changed(self) -> tuple[Replayed, ...]:
        """Replayed transactions that ended in another way."""
        return tuple(one for one in self.replayed if one.changed)

    def __str__(self) -> str:
        outcome = self.reorganisation
        lines = [
            f"forked after block {outcome.ancestor_height}: "
            f"{len(outcome.removed)} blocks out, {len(outcome.added)} in",
            f"{len(self.replayed)} transactions ran again, {len(self.changed)} of them otherwise",
            f"{len(self.dropped)} dropped out, {len(self.waiting)} of them wait in the pool",
            f"{len(self.removed_logs)} logs removed",
        ]
        lines += [f"changed  0x{one.transaction.hash.hex()}" for one in self.changed]
        lines += [f"dropped  0x{one.hash.hex()}" for one in self.dropped]
        lines += [f"refused  0x{one.hash.hex()}: {error}" for one, error in self.refused]
        return "\n".join(lines)


def reorganise(
    chain: Chain,
    depth: int,
    *,
    blocks: int | None = None,
    transactions: Iterable[Transaction | bytes] | None = None,
    seed: int | None = None,
) -> Report:
    """Replace the newest blocks of a chain by a branch of one's own making.

    Parameters
    ----------
    chain
        One whose engine decides on its own, such as that of ``Chain.in_memory()``.
    depth
        How many blocks are taken off.
    blocks
        How many the new branch has; one more by default.
    transactions
        What the new branch replays: signed transactions, of the old branch or new ones; all of the old
        branch by default. Each goes into the block of the same number as on the old branch, or the last
        one. Within a block they run by price, then in the order given, as always.
    seed
        Spreads the transactions over the blocks of the new branch at random, the same way each time; each
        sender's stay in their order.

    Returns
    -------
    Report
        ``print`` shows a summary.

    Raises
    ------
    UsageError
        When the chain is not that long, what leads back is pruned, the new branch has no block, or the
        engine needs a host to decide.
    InvalidInput
        When a transaction is malformed. After any error the chain is as it was.
    """
    if not 1 <= depth <= chain.height:
        raise UsageError("no such depth", expected=f"1 to {chain.height}", actual=depth)
    count = depth + 1 if blocks is None else blocks
    if count < 1:
        raise UsageError("the new branch has at least one block", actual=count)
    ancestor = chain.height - depth
    removed = [chain.block(height) for height in range(ancestor + 1, chain.height + 1)]
    plan = _plan(removed, transactions, count, seed)
    branch, refused = _make_branch(chain, ancestor, removed, plan)
    outcome = chain.reorganise(ancestor, branch)
    dropped = outcome.dropped()
    return Report(
        reorganisation=outcome,
        replayed=_replayed(outcome),
        dropped=dropped,
        waiting=tuple(one for one in dropped if one.hash in chain.pool),
        refused=refused,
        removed_logs=tuple(_logs(outcome)),
    )


def _plan(
    removed: Sequence[Block],
    transactions: Iterable[Transaction | bytes] | None,
    count: int,
    seed: int | None,
) -> list[list[Transaction]]:
    """Return what is to be in each block of the new branch."""
    places = {one.hash: index for index, block in enumerate(removed) for one in block.transactions}
    if transactions is None:
        wanted = [one for block in removed for one in block.transactions]
    else:
        wanted = [decode_transaction(one) if isinstance(one, bytes) else one for one in transactions]
    if seed is None:
        chosen = [min(places.get(one.hash, count), count - 1) for one in wanted]
    else:
        chosen = _scattered(wanted, count, Random(seed))
    plan: list[list[Transaction]] = [[] for _ in range(count)]
    for index, transaction in zip(chosen, wanted, strict=True):
        plan[index].append(transaction)
    return plan


def _scattered(wanted: Sequence[Transaction], count: int, random: Random) -> list[int]:
    """Return a random block for each transaction, never before that of the same sender's last one."""
    draws: dict[bytes, list[int]] = {}
    for transaction in wanted:
        draws.setdefault(transaction.sender, []).append(random.randrange(count))
    following = {sender: iter(sorted(numbers)) for sender, numbers in draws.items()}
    return [next(following[transaction.sender]) for transaction in wanted]


def _make_branch(
    chain: Chain, ancestor: int, removed: Sequence[Block], plan: Sequence[Sequence[Transaction]]
) -> tuple[list[Block], tuple[tuple[Transaction, ChainStackError], ...]]:
    """Make the new branch's blocks on the chain itself, which is as it was afterwards."""
    branch: list[Block] = []
    refused: list[tuple[Transaction, ChainStackError]] = []
    with _wound_back(chain, ancestor, removed) as clock:
        for index, content in enumerate(plan):
            outcomes = chain.send_many(content, strict=False)
            for transaction, outcome in zip(content, outcomes, strict=True):
                if isinstance(outcome, ChainStackError):
                    refused.append((transaction, outcome))
            # not the old block's timestamp: an equal block would be no reorganisation
            if index < len(removed):
                clock.set_ms(removed[index].timestamp_ms + 1)
            branch.append(chain.seal())
    return branch, tuple(refused)


@contextmanager
def _wound_back(chain: Chain, ancestor: int, removed: Sequence[Block]) -> Iterator[ManualClock]:
    """Put the chain back to a block, with an empty pool and a clock of its own, and forward again."""
    clock, auto_seal = chain.clock, chain.auto_seal
    before = chain.snapshot()
    header = chain.block(ancestor).header
    pool = Mempool(chain_id=chain.chain_id)
    fork = Snapshot(ancestor, header.hash, header.timestamp_ms, pool)
    own_clock = chain.clock = ManualClock(header.timestamp_ms, step_ms=_BLOCK_MS)
    chain.auto_seal = False
    try:
        chain.revert(fork)
        yield own_clock
    finally:
        if chain.height != before.height or chain.blockchain.head.hash != before.block_hash:
            chain.revert(fork)
            for block in removed:
                chain.append(block)
        chain.pool = before.pool
        chain.clock, chain.auto_seal = clock, auto_seal


def _replayed(outcome: Reorganisation) -> tuple[Replayed, ...]:
    after = {receipt.transaction_hash: receipt for receipts in outcome.added_receipts for receipt in receipts}
    return tuple(
        Replayed(transaction, receipt, after[transaction.hash])
        for block, receipts in zip(outcome.removed, outcome.removed_receipts, strict=True)
        for transaction, receipt in zip(block.transactions, receipts, strict=False)
        if transaction.hash in after
    )


def _logs(outcome: Reorganisation) -> Iterator[FoundLog]:
    for block, receipts in zip(outcome.removed, outcome.removed_receipts, strict=True):
        position = 0
        for receipt in receipts:
            for log in receipt.logs:
                yield FoundLog(
                    log,
                    block.height,
                    block.hash,
                    receipt.transaction_hash,
                    receipt.transaction_index,
                    position,
                )
                position += 1


def _outcome(receipt: Receipt) -> tuple[object, ...]:
    return receipt.status, receipt.output, receipt.logs, receipt.contract_address
