"""Methods that look up blocks, transactions and receipts; what is not there is answered with null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc.errors import RESOURCE_NOT_FOUND, RpcError
from chainstack_sdk.apps.jsonrpc.objects import (
    block_object,
    receipt_object,
    receipt_objects,
    transaction_object,
)
from chainstack_sdk.apps.jsonrpc.parameters import FINALIZED
from chainstack_sdk.core.queries import find_receipt, find_transaction

if TYPE_CHECKING:
    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.parameters import BlockRef
    from chainstack_sdk.core.blocks import Block


def find_height(host: RpcHost, which: BlockRef) -> int | None:
    """Return the height of the block that a parameter names, if there is one.

    The chain has no pending block: ``pending`` names the head.
    """
    chain = host.blockchain
    if isinstance(which, str):
        return host.finalized_height if which == FINALIZED else chain.height
    if isinstance(which, bytes):
        return chain.ledger.height_of(which)
    return which if which <= chain.height else None


def require_height(host: RpcHost, which: BlockRef) -> int:
    """Return the height of the block that a parameter names.

    Raises
    ------
    RpcError
        When there is no such block.
    """
    height = find_height(host, which)
    if height is None:
        raise RpcError("block not found", code=RESOURCE_NOT_FOUND)
    return height


def _find(host: RpcHost, which: BlockRef) -> Block | None:
    height = find_height(host, which)
    return None if height is None else host.blockchain.ledger.block(height)


def block_number(host: RpcHost) -> str:
    """``eth_blockNumber``."""
    return hex(host.blockchain.height)


def get_block(host: RpcHost, which: BlockRef, full: bool) -> dict[str, Any] | None:
    """``eth_getBlockByNumber`` and ``eth_getBlockByHash``."""
    block = _find(host, which)
    return None if block is None else block_object(block, full=full)


def transaction_count_of_block(host: RpcHost, which: BlockRef) -> str | None:
    """``eth_getBlockTransactionCountByNumber`` and ``…ByHash``."""
    block = _find(host, which)
    return None if block is None else hex(len(block.transactions))


def get_block_receipts(host: RpcHost, which: BlockRef) -> list[dict[str, Any]] | None:
    """``eth_getBlockReceipts``."""
    block = _find(host, which)
    if block is None:
        return None
    return list(receipt_objects(block, host.blockchain.ledger.receipts(block.height)))


def get_transaction(host: RpcHost, transaction_hash: bytes) -> dict[str, Any] | None:
    """``eth_getTransactionByHash``: of a block, or waiting for one."""
    found = find_transaction(host.blockchain, transaction_hash)
    if found is None:
        waiting = host.pool.get(transaction_hash)
        return None if waiting is None else transaction_object(waiting)
    transaction, height, index = found
    return transaction_object(transaction, host.blockchain.ledger.block(height), index)


def get_transaction_of_block(host: RpcHost, which: BlockRef, index: int) -> dict[str, Any] | None:
    """``eth_getTransactionByBlockNumberAndIndex`` and ``…ByBlockHashAndIndex``."""
    block = _find(host, which)
    if block is None or index >= len(block.transactions):
        return None
    return transaction_object(block.transactions[index], block, index)


def get_receipt(host: RpcHost, transaction_hash: bytes) -> dict[str, Any] | None:
    """``eth_getTransactionReceipt``."""
    receipt = find_receipt(host.blockchain, transaction_hash)
    if receipt is None:
        return None
    ledger, height = host.blockchain.ledger, receipt.height
    earlier = ledger.receipts(height)[: receipt.transaction_index]
    return receipt_object(ledger.block(height), receipt, sum(len(each.logs) for each in earlier))
