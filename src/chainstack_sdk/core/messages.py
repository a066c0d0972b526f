"""Messages to other chains: what a block's ``messages_root`` commits to.

One system contract, the hub at :data:`HUB_ADDRESS`, may speak to other chains. It does so by the event
``MessageSent(bytes message)``; the messages of a block are those of its receipts, in the order of their logs,
and ``messages_root`` is the root of the binary Merkle tree over them. So they need nothing of their own in
execution or storage, and every node finds them again in the receipts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.bloom import bloom_may_contain
from chainstack_sdk.core.merkle import EMPTY_BINARY_ROOT, binary_root
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainstack_sdk.core.receipts import Receipt

HUB_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004303")
"""Where the hub lives on every chain that has one, 20 bytes."""
MESSAGE_TOPIC = keccak256(b"MessageSent(bytes)")
"""The first topic of the hub's event."""

_WORD = 32


def messages_of(receipts: Iterable[Receipt]) -> list[bytes]:
    """Return the messages in the receipts of a block, in order."""
    return [
        _message(data)
        for receipt in receipts
        for address, topics, data in receipt.logs
        if address == HUB_ADDRESS and topics and topics[0] == MESSAGE_TOPIC
    ]


def messages_root(receipts: Sequence[Receipt], bloom: int) -> bytes:
    """Return the root over the messages of a block, 32 bytes.

    Parameters
    ----------
    receipts
        All of the block's.
    bloom
        Their log bloom, by which a block without messages is known at once.
    """
    if not bloom_may_contain(bloom, MESSAGE_TOPIC):
        return EMPTY_BINARY_ROOT
    return binary_root(messages_of(receipts))


def _message(data: bytes) -> bytes:
    """Return the one argument of the event: ABI ``bytes``."""
    size = int.from_bytes(data[_WORD : 2 * _WORD], "big")
    message = data[2 * _WORD : 2 * _WORD + size]
    if len(message) != size:
        raise InvariantBroken("the hub's events are encoded by the library", actual=data)
    return message
