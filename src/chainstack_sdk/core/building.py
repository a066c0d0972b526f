"""Building a block on a parent: run what may run, and describe the outcome in a header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import Block, Header, certificate_hash
from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.execution import BlockExecution
from chainstack_sdk.core.ledger import BlockRecord
from chainstack_sdk.core.messages import messages_root
from chainstack_sdk.core.validation import receipts_root, transactions_root
from chainstack_sdk.primitives.errors import Rejected, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.closing import HeaderExtras
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.execution import Admit
    from chainstack_sdk.core.interfaces import ContractRuntime
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.transactions import Transaction

    Finish: TypeAlias = Callable[[BlockExecution, HeaderExtras], bytes]
    LeftOut: TypeAlias = "tuple[tuple[Transaction, Rejected], ...]"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block built on the head and not yet appended."""

    block: Block
    """Without a seal."""
    receipts: tuple[Receipt, ...]
    rejected: LeftOut
    """Transactions that were left out, with the reason."""
    redo: StateDiff
    """Takes the state from the parent's to the block's; empty when the state is lazy."""


def build_block(
    state: State,
    context: BlockContext,
    transactions: Sequence[Transaction],
    *,
    runtime: ContractRuntime,
    admit: Admit | None,
    finish: Finish,
    extras: HeaderExtras,
    history_root: bytes,
) -> tuple[BlockRecord, LeftOut]:
    """Run the transactions that may run, commit to the state, and return the block without a seal.

    The caller keeps the block or takes the state back by the record's ``undo``.

    Parameters
    ----------
    admit
        Refuses senders that may not send here.
    finish
        Does what is due after the last transaction, hands out fees and rewards; returns the header's next
        committee hash.
    extras
        What the engine puts into the header.
    history_root
        Root of the mountain range over all ancestors, 32 bytes.

    Raises
    ------
    UsageError
        When the proposer is not 20 bytes.
    InvalidInput
        When a transaction's signature has no sender, or a number does not fit a header. After any error
        the state is as it was.
    """
    if len(context.proposer) != 20:
        raise UsageError("a proposer is an address of 20 bytes", actual=context.proposer)
    start = state.root
    execution = BlockExecution(state, context, runtime, admit)
    try:
        included, rejected = _run_what_may(execution, transactions)
        next_committee_hash = finish(execution, extras)
        undo = state.commit()
    except BaseException:
        state.rollback(0)
        raise
    try:
        header = _header(context, execution, included, state.root, history_root, extras, next_committee_hash)
    except BaseException:
        state.restore(undo, start)
        raise
    block = Block(
        header, included, parent_certificate=extras.parent_certificate, attachment=extras.attachment
    )
    return BlockRecord(block, tuple(execution.receipts), undo), rejected


def _run_what_may(
    execution: BlockExecution, transactions: Sequence[Transaction]
) -> tuple[tuple[Transaction, ...], LeftOut]:
    included: list[Transaction] = []
    rejected: list[tuple[Transaction, Rejected]] = []
    for transaction in transactions:
        try:
            execution.apply(transaction)
        except Rejected as error:
            rejected.append((transaction, error))
        else:
            included.append(transaction)
    return tuple(included), tuple(rejected)


def _header(
    context: BlockContext,
    execution: BlockExecution,
    included: tuple[Transaction, ...],
    state_root: bytes,
    history_root: bytes,
    extras: HeaderExtras,
    next_committee_hash: bytes,
) -> Header:
    return Header(
        chain_id=context.chain_id,
        height=context.height,
        slot=context.slot,
        timestamp_ms=context.timestamp_ms,
        state_root=state_root,
        transactions_root=transactions_root(included),
        receipts_root=receipts_root(execution.receipts),
        messages_root=messages_root(execution.receipts, execution.bloom),
        parent_hash=context.parent_hash,
        history_root=history_root,
        proposer=context.proposer,
        logs_bloom=execution.bloom.to_bytes(BLOOM_BYTES, "big"),
        gas_limit=context.gas_limit,
        gas_used=execution.gas_used,
        base_fee=context.base_fee,
        seed=extras.seed,
        seed_proof=extras.seed_proof,
        next_committee_hash=next_committee_hash,
        parent_certificate_hash=certificate_hash(extras.parent_certificate),
        work_commitment=extras.work_commitment,
        extra_data=extras.extra_data,
    )
