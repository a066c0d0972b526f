"""Which tokens changed hands in a proven receipt (EIP-20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.facts import ProvenReceipt

TRANSFER_TOPIC = keccak256(b"Transfer(address,address,uint256)")
_PADDING = bytes(12)


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    """Units of a token that went from one account to another."""

    token: bytes
    """The token's contract, 20 bytes."""
    sender: bytes
    """20 bytes; zeros where units are new."""
    recipient: bytes
    """20 bytes; zeros where units are destroyed."""
    value: int
    """Units, in the smallest that the token knows."""


def transfers(receipt: ProvenReceipt) -> tuple[TokenTransfer, ...]:
    """Return the transfers of fungible tokens that a receipt reports, in order; none for a failed one.

    A log counts when it has the event's three topics, two of them addresses, and 32 bytes of data. *Which
    contract* emitted it is for the caller to look at: any contract can emit any event.
    """
    if not receipt.succeeded:
        return ()
    found = []
    for log in receipt.logs:
        match log.topics:
            case (topic, sender, recipient) if topic == TRANSFER_TOPIC and len(log.data) == 32:
                if sender[:12] == recipient[:12] == _PADDING:
                    value = int.from_bytes(log.data, "big")
                    found.append(TokenTransfer(log.address, sender[12:], recipient[12:], value))
    return tuple(found)
