"""Blocks, transactions, receipts and logs as the JSON objects that Ethereum clients expect.

Three fields of a block mean something of their own here: ``hash`` is keccak-256 of this chain's 200-byte
commitment (see :mod:`chainstack_sdk.core.blocks`), not of an RLP header; ``transactionsRoot`` and
``receiptsRoot`` are binary Merkle roots; ``mixHash`` is the header's randomness. ``timestamp`` is in whole
seconds, rounded down. What has no meaning on these chains (uncles, difficulty, nonce) has the value that
Ethereum gives it since the merge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.transactions import DYNAMIC_FEE, LEGACY
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.queries import FoundLog
    from chainstack_sdk.core.receipts import Log, Receipt
    from chainstack_sdk.core.transactions import Transaction

NO_UNCLES = keccak256(b"\xc0")
"""keccak-256 of an empty RLP list."""
_ZERO = "0x0"
_NOBODY = bytes(20)


def to_data(value: bytes) -> str:
    """Return bytes as data: ``0x`` and two digits for each."""
    return "0x" + value.hex()


def block_object(block: Block, *, full: bool) -> dict[str, Any]:
    """Return a block, with whole transactions when ``full``, else with their hashes."""
    header = block.header
    transactions = block.transactions
    return {
        "number": hex(header.height),
        "hash": to_data(header.hash),
        "parentHash": to_data(header.parent_hash),
        "nonce": to_data(bytes(8)),
        "sha3Uncles": to_data(NO_UNCLES),
        "logsBloom": to_data(header.logs_bloom),
        "transactionsRoot": to_data(header.transactions_root),
        "stateRoot": to_data(header.state_root),
        "receiptsRoot": to_data(header.receipts_root),
        "miner": to_data(header.proposer),
        "difficulty": _ZERO,
        "totalDifficulty": _ZERO,
        "extraData": to_data(header.extra_data),
        "size": hex(len(block.encode())),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp_ms // 1000),
        "baseFeePerGas": hex(header.base_fee),
        "mixHash": to_data(header.seed),
        "transactions": [
            transaction_object(transaction, block, index) if full else to_data(transaction.hash)
            for index, transaction in enumerate(transactions)
        ],
        "uncles": [],
    }


def transaction_object(
    transaction: Transaction, block: Block | None = None, index: int | None = None
) -> dict[str, Any]:
    """Return a transaction with its place; without a block it is pending and its place is null."""
    chain_id, price = transaction.chain_id, transaction.max_fee_per_gas
    assert chain_id is not None, "transactions without a chain id are refused"
    if block is not None:
        price = min(price, block.header.base_fee + transaction.max_priority_fee_per_gas)
    fields: dict[str, Any] = {
        "blockHash": None if block is None else to_data(block.hash),
        "blockNumber": None if block is None else hex(block.height),
        "transactionIndex": None if index is None else hex(index),
        "hash": to_data(transaction.hash),
        "type": hex(transaction.type),
        "from": to_data(transaction.sender),
        "to": None if transaction.to is None else to_data(transaction.to),
        "nonce": hex(transaction.nonce),
        "chainId": hex(chain_id),
        "gas": hex(transaction.gas),
        "gasPrice": hex(price),
        "value": hex(transaction.value),
        "input": to_data(transaction.data),
        "v": hex(transaction.v),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    if transaction.type != LEGACY:
        fields["yParity"] = hex(transaction.y_parity)
        fields["accessList"] = [
            {"address": to_data(address), "storageKeys": [to_data(key) for key in keys]}
            for address, keys in transaction.access_list
        ]
    if transaction.type == DYNAMIC_FEE:
        fields["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return fields


def receipt_objects(block: Block, receipts: Sequence[Receipt]) -> Iterator[dict[str, Any]]:
    """Yield all receipts of a block, with its closing receipt, if it has one."""
    first_log = 0
    for receipt in receipts:
        yield receipt_object(block, receipt, first_log)
        first_log += len(receipt.logs)


def receipt_object(block: Block, receipt: Receipt, first_log: int) -> dict[str, Any]:
    """Return a receipt; a closing receipt is one of a legacy transaction from nobody to nobody.

    Parameters
    ----------
    first_log
        How many logs the block has before this transaction's.
    """
    index = receipt.transaction_index
    contract = receipt.contract_address
    sender, to, kind = _NOBODY, None, LEGACY
    if index < len(block.transactions):
        transaction = block.transactions[index]
        sender, to, kind = transaction.sender, transaction.to, transaction.type
    return {
        "transactionHash": to_data(receipt.transaction_hash),
        "transactionIndex": hex(index),
        "blockHash": to_data(block.hash),
        "blockNumber": hex(block.height),
        "from": to_data(sender),
        "to": None if to is None else to_data(to),
        "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
        "gasUsed": hex(receipt.gas_used),
        "contractAddress": None if contract is None else to_data(contract),
        "logs": [
            _log(log, block.height, block.hash, receipt.transaction_hash, index, first_log + offset)
            for offset, log in enumerate(receipt.logs)
        ],
        "logsBloom": to_data(receipt.bloom.to_bytes(BLOOM_BYTES, "big")),
        "status": hex(receipt.status),
        "effectiveGasPrice": hex(receipt.effective_gas_price),
        "type": hex(kind),
    }


def log_object(found: FoundLog) -> dict[str, Any]:
    """Return a log with its place in the chain."""
    return _log(
        found.log,
        found.height,
        found.block_hash,
        found.transaction_hash,
        found.transaction_index,
        found.log_index,
    )


def _log(
    log: Log, height: int, block_hash: bytes, transaction_hash: bytes, transaction_index: int, log_index: int
) -> dict[str, Any]:
    return {
        "address": to_data(log.address),
        "topics": [to_data(topic) for topic in log.topics],
        "data": to_data(log.data),
        "blockNumber": hex(height),
        "blockHash": to_data(block_hash),
        "transactionHash": to_data(transaction_hash),
        "transactionIndex": hex(transaction_index),
        "logIndex": hex(log_index),
        "removed": False,
    }
