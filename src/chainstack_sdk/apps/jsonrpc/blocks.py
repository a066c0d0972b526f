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
from chainstack_sdk.primitives.errors import InvalidInput

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
    place = _locate(host, transaction_hash)
    if place is None:
        waiting = host.pool.get(transaction_hash)
        return None if waiting is None else transaction_object(waiting)
    block, index = place
    return transaction_object(block.transactions[index], block, index)


def _locate(host: RpcHost, transaction_hash: bytes) -> tuple[Block, int] | None:
    """Return the block of a transaction and its position there.

    Raises
    ------
    InvalidInput
        When the ledger is damaged.
    """
    place = host.blockchain.ledger.locate(transaction_hash)
    if place is None:
        return None
    block, index = host.blockchain.ledger.block(place[0]), place[1]
    if index >= len(block.transactions) or block.transactions[index].hash != transaction_hash:
        raise InvalidInput("the index of transactions is damaged", hash=transaction_hash)
    return block, index


def get_transaction_of_block(host: RpcHost, which: BlockRef, index: int) -> dict[str, Any] | None:
    """``eth_getTransactionByBlockNumberAndIndex`` and ``…ByBlockHashAndIndex``."""
    block = _find(host, which)
    if block is None or index >= len(block.transactions):
        return None
    return transaction_object(block.transactions[index], block, index)


def get_receipt(host: RpcHost, transaction_hash: bytes) -> dict[str, Any] | None:
    """``eth_getTransactionReceipt``."""
    place = _locate(host, transaction_hash)
    if place is None:
        return None
    block, index = place
    receipts = host.blockchain.ledger.receipts(block.height)
    first_log = sum(len(receipt.logs) for receipt in receipts[:index])
    return receipt_object(block, receipts[index], first_log)
