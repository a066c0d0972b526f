"""What the core demands of a block made elsewhere; the engine's own demands come on top.

The facts of a block that several places need are derived here too, each in one way: its context and its
roots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import VERSION, certificate_hash
from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.fees import next_base_fee
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.messages import messages_root
from chainstack_sdk.core.receipts import receipt_items
from chainstack_sdk.primitives.errors import InvalidInput, Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.execution import BlockExecution
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.transactions import Transaction


def validate_block(block: Block, parent: Header, history_root: bytes) -> None:
    """Check everything about a block that needs no execution and no signatures.

    Parameters
    ----------
    history_root
        Root of the mountain range over all ancestors, 32 bytes.

    Raises
    ------
    InvalidInput
        With what was ``expected`` and what is there (``actual``).
    """
    header = block.header
    validate_lineage(header, parent)
    expect(header.history_root, history_root, "history root", header)
    certificate = certificate_hash(block.parent_certificate)
    expect(header.parent_certificate_hash, certificate, "parent certificate hash", header)
    expect(header.transactions_root, transactions_root(block.transactions), "transactions root", header)


def validate_lineage(header: Header, parent: Header) -> None:
    """Check that a header continues a valid one, with nothing but the two at hand.

    Whoever follows headers without blocks (a light client, an engine that compares branches) checks this
    first and then the engine's own rule.

    What only a whole block or its execution shows is not covered: roots, receipts, the history root.

    Parameters
    ----------
    header
        Any header.
    parent
        One that has been checked itself.

    Raises
    ------
    InvalidInput
        With what was ``expected`` and what is there (``actual``).
    """
    base_fee = next_base_fee(parent.base_fee, parent.gas_used, parent.gas_limit)
    expect(header.version, VERSION, "version", header)
    expect(header.height, parent.height + 1, "height", header)
    expect(header.parent_hash, parent.hash, "parent hash", header)
    expect(header.chain_id, parent.chain_id, "chain id", header)
    expect(header.gas_limit, parent.gas_limit, "gas limit", header)
    expect(header.base_fee, base_fee, "base fee", header)
    if header.gas_used > header.gas_limit:
        raise InvalidInput(
            "a block uses more gas than it has",
            height=header.height,
            expected=header.gas_limit,
            actual=header.gas_used,
        )
    if header.timestamp_ms <= parent.timestamp_ms:
        raise InvalidInput(
            "a block is younger than its parent",
            height=header.height,
            expected=parent.timestamp_ms,
            actual=header.timestamp_ms,
        )


def run_strictly(execution: BlockExecution, block: Block) -> None:
    """Run all transactions of a block.

    Raises
    ------
    InvalidInput
        When the rules refuse one: its place in the block is ``index``, the rule ``code``.
    """
    for index, transaction in enumerate(block.transactions):
        try:
            execution.apply(transaction)
        except Rejected as error:
            raise InvalidInput(
                f"a transaction may not run: {error.message}",
                height=block.height,
                index=index,
                code=error.code,
            ) from error


def validate_outcome(
    header: Header, execution: BlockExecution, state_root: bytes, next_committee_hash: bytes
) -> None:
    """Check what a header says of its execution.

    Raises
    ------
    InvalidInput
        With what was ``expected`` and what is there (``actual``).
    """
    expect(header.gas_used, execution.gas_used, "gas used", header)
    expect(header.receipts_root, receipts_root(execution.receipts), "receipts root", header)
    messages = messages_root(execution.receipts, execution.bloom)
    expect(header.messages_root, messages, "messages root", header)
    expect(header.logs_bloom, execution.bloom.to_bytes(BLOOM_BYTES, "big"), "logs bloom", header)
    expect(header.next_committee_hash, next_committee_hash, "next committee hash", header)
    expect(header.state_root, state_root, "state root", header)


def expect(actual: object, expected: object, what: str, header: Header) -> None:
    """Raise ``InvalidInput`` unless two values agree; ``what`` names them."""
    if actual != expected:
        raise InvalidInput(f"wrong {what} in a block", height=header.height, expected=expected, actual=actual)


def context_of(header: Header) -> BlockContext:
    """Return the context in which a block's transactions run."""
    return BlockContext(
        header.chain_id,
        header.height,
        header.timestamp_ms,
        header.proposer,
        header.gas_limit,
        header.base_fee,
        header.parent_hash,
        header.slot,
    )


def transactions_root(transactions: Sequence[Transaction]) -> bytes:
    """Return the root of the binary tree over the raw envelopes, 32 bytes."""
    return binary_root([transaction.raw for transaction in transactions])


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """Return the root of the binary tree over the receipt items, 32 bytes."""
    return binary_root(receipt_items(receipts))
