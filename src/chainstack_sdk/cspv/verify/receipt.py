"""What a receipt's item says.

It is RLP ``[transaction hash 32, status, cumulative gas used, bloom hash 32, [[address 20, [topic 32…],
data]…]]`` in its one canonical form: the status is the number 0 or 1, the gas has at most 64 bits, a log at
most four topics.
"""

from __future__ import annotations

from typing import NamedTuple

from chainstack_sdk.cspv.verify.facts import ProvenLog
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode

_MAX_TOPICS = 4


class ReceiptItem(NamedTuple):
    """A decoded item, its fields in the order of the encoding."""

    transaction_hash: bytes
    """32 bytes."""
    status: int
    """1: succeeded, 0: failed."""
    cumulative_gas_used: int
    """Gas used in the block up to and including this transaction."""
    bloom_hash: bytes
    """32 bytes."""
    logs: tuple[ProvenLog, ...]
    """In order."""


def decode_receipt_item(item: bytes) -> ReceiptItem:
    """Decode what a receipts tree commits to.

    Raises
    ------
    InvalidInput
        When it is not the item of a receipt.
    """
    match rlp_decode(item):
        case [bytes(tx_hash), (b"" | b"\x01") as status, bytes(gas), bytes(bloom_hash), list(logs)]:
            if len(tx_hash) != 32 or len(bloom_hash) != 32:
                raise InvalidInput("a hash in a receipt has 32 bytes")
            decoded = tuple(_log(log) for log in logs)
            return ReceiptItem(tx_hash, len(status), decode_int(gas, 8), bloom_hash, decoded)
    raise InvalidInput("not the item of a receipt")


def _log(item: object) -> ProvenLog:
    match item:
        case [bytes(address), list(topics), bytes(data)] if len(address) == 20 and len(topics) <= _MAX_TOPICS:
            checked = tuple(topic for topic in topics if isinstance(topic, bytes) and len(topic) == 32)
            if len(checked) == len(topics):
                return ProvenLog(address, checked, data)
    raise InvalidInput("not a log of a receipt")
