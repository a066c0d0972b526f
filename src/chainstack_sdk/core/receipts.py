"""Logs and receipts: what a transaction did.

A receipt is proven by its *item*, RLP ``[tx_hash, status, cumulative_gas_used, bloom_hash, logs]`` with
logs as ``[[address, [topic…], data]…]``: one proof shows that a transaction ran, how it ended and what it
emitted. The stored form adds what queries want and the chain can recompute.

A block in which something happened by itself, after its last transaction, has one receipt more: the
*closing receipt*, with the logs of that. It succeeded, used no gas, comes last, and in place of a
transaction's hash it has :func:`closing_hash`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.core.bloom import BLOOM_BYTES, bloom_bits, cached_bits
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many
from chainstack_sdk.primitives.rlp import decode_int, list_header, rlp_bytes, rlp_decode, rlp_int

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 0
SUCCEEDED = 1
MAX_TOPICS = 4
"""As on Ethereum: LOG0 to LOG4."""

CLOSING_DOMAIN = b"chainstack closing receipt"
"""What the preimage of a closing receipt's hash begins with; no transaction begins so."""

_TOPIC_HEADS = [b"\xc0"] + [list_header(33 * count) + b"\xa0" for count in range(1, MAX_TOPICS + 1)]
"""What precedes the first topic in a log's list of topics, by their number."""
_EMPTY_BLOOM_HASH = keccak256(bytes(BLOOM_BYTES))


class Log(NamedTuple):
    """An event a contract emitted."""

    address: bytes
    """The emitting contract, 20 bytes."""
    topics: tuple[bytes, ...]
    """Up to four topics of 32 bytes; the first is the event's signature hash."""
    data: bytes
    """ABI-encoded values that are not indexed."""


class Receipt(NamedTuple):
    """The outcome of one transaction in one block, or of what happened after the last of them."""

    transaction_hash: bytes
    """32 bytes; of a closing receipt, :func:`closing_hash`."""
    status: int
    """1: succeeded, 0: failed (the fee is paid, nothing else has changed)."""
    cumulative_gas_used: int
    """Gas used in the block up to and including this transaction."""
    bloom: int
    """The log bloom; see :mod:`chainstack_sdk.core.bloom`."""
    logs: tuple[Log, ...]
    """What the transaction emitted, in order; empty when it failed."""
    gas_used: int
    """Gas of this transaction alone."""
    effective_gas_price: int
    """Wei paid for each gas."""
    height: int
    """Height of the block."""
    transaction_index: int
    """Position in the block, from 0; that of a closing receipt follows the last transaction's."""
    contract_address: bytes | None
    """The contract that this transaction issued, 20 bytes, if it issued one."""
    output: bytes
    """Returned data on success, ABI-encoded revert data on failure."""

    @property
    def succeeded(self) -> bool:
        """Whether the transaction did what it asked for."""
        return self.status == SUCCEEDED


def closing_hash(height: int, parent_hash: bytes) -> bytes:
    """Return what a block's closing receipt has in place of a transaction's hash, 32 bytes.

    It is keccak-256 of :data:`CLOSING_DOMAIN`, the height (8 bytes, big-endian) and the parent's hash. Two
    blocks on one parent share it, as they may share transactions.
    """
    return keccak256(CLOSING_DOMAIN + height.to_bytes(8, "big") + parent_hash)


def logs_bloom(logs: tuple[Log, ...]) -> int:
    """Return the bloom of some logs: every address and every topic."""
    bloom = 0
    for address, topics, _data in logs:
        bloom |= cached_bits(address) or bloom_bits(address)
        for topic in topics:
            bloom |= cached_bits(topic) or bloom_bits(topic)
    return bloom


def encode_log(log: Log) -> bytes:
    """Return RLP ``[address, [topic…], data]``."""
    address, topics, data = log
    head = _TOPIC_HEADS[len(topics)]
    payload = b"".join((b"\x94", address, head, b"\xa0".join(topics), rlp_bytes(data)))
    return list_header(len(payload)) + payload


def receipt_item(receipt: Receipt) -> bytes:
    """Return the bytes that the block's receipts tree commits to."""
    return receipt_items((receipt,))[0]


def receipt_items(receipts: Sequence[Receipt]) -> list[bytes]:
    """Return the item of each of a block's receipts: all blooms are hashed together."""
    blooms = [receipt.bloom.to_bytes(BLOOM_BYTES, "big") for receipt in receipts if receipt.bloom]
    bloom_hashes = iter(keccak256_many(blooms))
    items = []
    for receipt in receipts:
        tx_hash, status, cumulative, bloom, logs = receipt[:5]
        bloom_hash = next(bloom_hashes) if bloom else _EMPTY_BLOOM_HASH
        inner = encode_log(logs[0]) if len(logs) == 1 else b"".join([encode_log(log) for log in logs])
        ended = b"\x01" if status else b"\x80"
        head = (b"\xa0", tx_hash, ended, rlp_int(cumulative), b"\xa0", bloom_hash, list_header(len(inner)))
        payload = b"".join((*head, inner))
        items.append(list_header(len(payload)) + payload)
    return items


def encode_receipt(receipt: Receipt) -> bytes:
    """Return the stored form, without the bloom, which :func:`decode_receipt` recomputes."""
    logs = b"".join([encode_log(log) for log in receipt.logs])
    body = b"".join(
        (
            rlp_bytes(receipt.transaction_hash),
            rlp_int(receipt.status),
            rlp_int(receipt.cumulative_gas_used),
            list_header(len(logs)) + logs,
            rlp_int(receipt.gas_used),
            rlp_int(receipt.effective_gas_price),
            rlp_int(receipt.height),
            rlp_int(receipt.transaction_index),
            rlp_bytes(receipt.contract_address or b""),
            rlp_bytes(receipt.output),
        )
    )
    return list_header(len(body)) + body


def decode_receipts(data: bytes) -> tuple[Receipt, ...]:
    """Decode an RLP list of stored receipts.

    Raises
    ------
    InvalidInput
        When the bytes are not such a list.
    """
    items = rlp_decode(data)
    if not isinstance(items, list):
        raise InvalidInput("receipts are a list")
    return tuple(_receipt(item) for item in items)


def _receipt(item: object) -> Receipt:
    match item:
        case [bytes(tx_hash), (b"" | b"\x01") as status, bytes(total), list(logs), *rest]:
            if len(tx_hash) != 32:
                raise InvalidInput("malformed transaction hash in a receipt")
        case _:
            raise InvalidInput("malformed receipt")
    match rest:
        case [bytes(used), bytes(price), bytes(height), bytes(index), bytes(contract), bytes(output)]:
            if len(contract) not in (0, 20):
                raise InvalidInput("malformed contract address in a receipt")
        case _:
            raise InvalidInput("malformed receipt")
    decoded = tuple(_log(log) for log in logs)
    return Receipt(
        transaction_hash=tx_hash,
        status=decode_int(status, 1),
        cumulative_gas_used=decode_int(total, 8),
        bloom=logs_bloom(decoded),
        logs=decoded,
        gas_used=decode_int(used, 8),
        effective_gas_price=decode_int(price),
        height=decode_int(height, 8),
        transaction_index=decode_int(index, 8),
        contract_address=contract or None,
        output=output,
    )


def _log(item: object) -> Log:
    match item:
        case [bytes(address), list(topics), bytes(data)] if len(address) == 20 and len(topics) <= MAX_TOPICS:
            checked = tuple(topic for topic in topics if isinstance(topic, bytes) and len(topic) == 32)
            if len(checked) == len(topics):
                return Log(address, checked, data)
    raise InvalidInput("malformed log")
