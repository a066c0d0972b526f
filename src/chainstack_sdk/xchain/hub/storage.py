"""The hub's storage, laid out as Solidity does it.

====  ==================================================================================================
slot  value
====  ==================================================================================================
0     governor: address
1     anchors: mapping from chain id to bytes
2     paused: mapping from chain id to bool
3     verified: mapping from chain id to mapping from block hash to bool
4     channels: mapping from channel to ``{address app; uint64 chain; bool ordered; bool closed;``
      ``address peer; uint64 sent; uint64 received; uint64 inFlight; uint64 cap}``, three slots each
5     commitments: mapping from channel to mapping from sequence to bytes32, the hash of the packet; zero
      before it was sent and once it is settled
6     receipts: mapping from channel to mapping from sequence to bytes32, the hash of the acknowledgement;
      zero while the packet has not been received
====  ==================================================================================================

Commitments and receipts are read by proof on other chains: their slots are part of the protocol.

**Caveats.** Receipts are never removed, or a packet could be received twice: 1 slot for each packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import following, mapping_slot, slot

if TYPE_CHECKING:
    from typing import Protocol

    class Storage(Protocol):
        """Integers by 32-byte slot; a call is one."""

        def load(self, slot: bytes) -> int:
            """Return the integer in a slot."""
            ...

        def store(self, slot: bytes, value: int) -> None:
            """Write an integer to a slot."""
            ...


HUB_CODE = system_code("hub")
"""The code of the hub."""
DEFAULT_CAP = 1_024
"""Packets that a channel has in flight at most, until the governor says otherwise."""

GOVERNOR = slot(0)
ANCHORS = slot(1)
PAUSED = slot(2)
VERIFIED = slot(3)
CHANNELS = slot(4)
COMMITMENTS = slot(5)
RECEIPTS = slot(6)

_MASK = (1 << 64) - 1
_CHAIN, _ORDERED, _CLOSED = 160, 224, 232
_RECEIVED, _IN_FLIGHT, _CAP = 64, 128, 192


@dataclass(frozen=True, slots=True)
class Route:
    """Who talks to whom on a channel."""

    app: bytes
    """The app on this chain, 20 bytes."""
    chain: int
    """The other chain."""
    peer: bytes
    """The app there, 20 bytes."""
    ordered: bool
    """Whether packets are received in the order in which they were sent."""
    closed: bool = False
    """Whether no more can be sent: a packet of an ordered channel has timed out."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How much has passed on a channel."""

    sent: int = 0
    """The sequence of the newest packet that was sent."""
    received: int = 0
    """That of the newest one received, on an ordered channel; 0 on others."""
    in_flight: int = 0
    """Packets that were sent and are not settled."""
    cap: int = DEFAULT_CAP
    """How many of them there may be."""


def receipt_slot(channel: bytes, sequence: int) -> int:
    """Return the number of the slot that holds the receipt of a packet, for a proof of it."""
    return int.from_bytes(receipt_key(channel, sequence), "big")


def commitment_slot(channel: bytes, sequence: int) -> int:
    """Return the number of the slot that holds the commitment to a packet, for a proof of it."""
    return int.from_bytes(commitment_key(channel, sequence), "big")


def receipt_key(channel: bytes, sequence: int) -> bytes:
    """Return the slot of a packet's receipt, 32 bytes."""
    return mapping_slot(mapping_slot(RECEIPTS, channel), sequence)


def commitment_key(channel: bytes, sequence: int) -> bytes:
    """Return the slot of the commitment to a packet, 32 bytes."""
    return mapping_slot(mapping_slot(COMMITMENTS, channel), sequence)


def anchor_key(chain: int) -> bytes:
    """Return the slot of a chain's anchor, 32 bytes."""
    return mapping_slot(ANCHORS, chain)


def paused_key(chain: int) -> bytes:
    """Return the slot that says whether a chain is paused, 32 bytes."""
    return mapping_slot(PAUSED, chain)


def verified_key(chain: int, block_hash: bytes) -> bytes:
    """Return the slot that says whether a block has been verified, 32 bytes."""
    return mapping_slot(mapping_slot(VERIFIED, chain), block_hash)


def read_route(storage: Storage, channel: bytes) -> Route | None:
    """Return who talks to whom on a channel, or None when it was never opened."""
    base = mapping_slot(CHANNELS, channel)
    packed = storage.load(base)
    if not packed:
        return None
    return Route(
        app=(packed & (1 << _CHAIN) - 1).to_bytes(20, "big"),
        chain=packed >> _CHAIN & _MASK,
        peer=storage.load(following(base, 1)).to_bytes(20, "big"),
        ordered=bool(packed >> _ORDERED & 1),
        closed=bool(packed >> _CLOSED & 1),
    )


def write_route(storage: Storage, channel: bytes, route: Route) -> None:
    """Write who talks to whom on a channel."""
    base = mapping_slot(CHANNELS, channel)
    packed = int.from_bytes(route.app, "big") | route.chain << _CHAIN
    packed |= route.ordered << _ORDERED | route.closed << _CLOSED
    storage.store(base, packed)
    storage.store(following(base, 1), int.from_bytes(route.peer, "big"))


def read_counters(storage: Storage, channel: bytes) -> Counters:
    """Return how much has passed on a channel."""
    packed = storage.load(_counters_key(channel))
    return Counters(packed & _MASK, packed >> _RECEIVED & _MASK, packed >> _IN_FLIGHT & _MASK, packed >> _CAP)


def write_counters(storage: Storage, channel: bytes, counters: Counters) -> None:
    """Write how much has passed on a channel."""
    packed = counters.sent | counters.received << _RECEIVED
    packed |= counters.in_flight << _IN_FLIGHT | counters.cap << _CAP
    storage.store(_counters_key(channel), packed)


def _counters_key(channel: bytes) -> bytes:
    return following(mapping_slot(CHANNELS, channel), 2)
