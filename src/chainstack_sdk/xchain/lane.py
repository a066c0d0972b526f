"""One direction of a relayer: the packets of one chain to another, until each has come to its end.

What is done about a packet follows from the two chains alone, each time anew::

    source has no commitment                       settled; forgotten once no reorganisation can undo it
    destination has a receipt                      acknowledge, as soon as its block is final
    no receipt, too late for the next block        time out, as soon as a block that is too late is final
    no receipt                                     deliver

A packet is proven by the message in its block, and without evidence where the hub knows that the block is
final, or soon will by a transaction that brings much evidence; where the anchor cannot prove the block any
more, by the hub's state after the newest final one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from chainstack_sdk.cspv.verify.format import Proof
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.hub.storage import commitment_slot, receipt_slot
from chainstack_sdk.xchain.packets import Packet

if TYPE_CHECKING:
    from chainstack_sdk.xchain.packets import Acknowledgement
    from chainstack_sdk.xchain.progress import Progress
    from chainstack_sdk.xchain.station import Attempt, Found, Station

    Key = tuple[bytes, int]

_RECEIVE = Hub.abi_function("receivePacket")
_RECEIVE_COMMITTED = Hub.abi_function("receiveCommitted")
_ACKNOWLEDGE = Hub.abi_function("acknowledge")
_ACKNOWLEDGE_RECEIPT = Hub.abi_function("acknowledgeReceipt")
_TIME_OUT = Hub.abi_function("timeOut")


_HEAVY = 1_000
"""Bytes of evidence from which on only one transaction brings it."""


class _EvidenceUnderWay(Exception):
    """A transaction brings the evidence for the same block, so that without it less has to be paid."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Something to say to a hub."""

    proof: _Proof
    """Of a message or a slot on the other chain."""
    data: bytes


@dataclass(frozen=True, slots=True)
class _Proof:
    block_hash: bytes
    """Of the block that it is about."""
    encoded: bytes

    @property
    def is_heavy(self) -> bool:
        """Whether it brings much evidence."""
        return len(Proof.from_bytes(self.encoded).finality) > _HEAVY


@dataclass(slots=True)
class _Parcel:
    """A packet, and how far it has come."""

    height: int
    """Of the block that carries it."""
    index: int
    packet: Packet
    settled_at: int | None = None
    """The source's height when it was first seen to be settled."""
    station: Station | None = None
    """Where something was last tried about it."""
    attempt: Attempt | None = None
    """What has been sent there and is under way."""
    refused_at: int = -1
    """That chain's height when it was last refused: it is not tried again in the same block."""


class Lane:
    """Carries packets from one chain to another, and what comes back for them.

    Parameters
    ----------
    source, target
        The chains.
    """

    def __init__(self, source: Station, target: Station) -> None:
        self._source = source
        self._target = target
        self._parcels: dict[Key, _Parcel] = {}
        self._acknowledgements: dict[Key, tuple[Found, Acknowledgement]] = {}

    @property
    def waiting(self) -> int:
        """How many packets are known that are not settled."""
        return sum(parcel.settled_at is None for parcel in self._parcels.values())

    def add_packet(self, found: Found, packet: Packet, tally: Progress) -> None:
        """Take on a packet that was found on the source."""
        parcel = _Parcel(found.height, found.index, packet)
        if any(self._source.commitment(packet)):
            tally.packets += 1
        else:
            parcel.settled_at = self._source.port.head().height
            if self._source.port.final().height == parcel.settled_at:  # for good
                return
        self._parcels[packet.channel, packet.sequence] = parcel

    def add_acknowledgement(self, found: Found, acknowledgement: Acknowledgement) -> None:
        """Take note of where on the target an acknowledgement is."""
        key = acknowledgement.channel, acknowledgement.sequence
        self._acknowledgements[key] = found, acknowledgement

    def work(self, limit: int, tally: Progress) -> None:
        """Do what can be done now about so many packets, and go on with others next time."""
        for key in list(islice(self._parcels, limit)):
            parcel = self._parcels.pop(key)
            if self._is_over(parcel, tally):
                self._acknowledgements.pop(key, None)
            else:
                self._parcels[key] = parcel
                if parcel.settled_at is None:
                    self._go_on(parcel, tally)
        if self._source.is_scanned:  # what has no packet by now belongs to one that is long settled
            self._acknowledgements = {
                key: value for key, value in self._acknowledgements.items() if key in self._parcels
            }

    def _is_over(self, parcel: _Parcel, tally: Progress) -> bool:
        if any(self._source.commitment(parcel.packet)):
            parcel.settled_at = None
            return False
        if parcel.settled_at is None:
            parcel.settled_at = self._source.port.head().height
            latency = parcel.settled_at - parcel.height
            tally.settled += 1
            tally.latency_blocks += latency
            tally.longest_blocks = max(tally.longest_blocks, latency)
            if parcel.station is not None:
                parcel.station.pending(parcel.attempt, tally)
        return self._source.port.final().height >= parcel.settled_at

    def _go_on(self, parcel: _Parcel, tally: Progress) -> None:
        if parcel.station is not None:
            parcel.attempt = parcel.station.pending(parcel.attempt, tally)
        if parcel.attempt is not None:
            return
        packet, head = parcel.packet, self._target.port.head()
        if any(self._target.receipt(packet)):
            self._try(parcel, self._source, "acknowledged", tally)
        elif not packet.is_too_late(head.height + 1, head.timestamp_ms):
            self._try(parcel, self._target, "carried", tally)
        elif packet.is_too_late(*self._target.port.final()):
            self._try(parcel, self._source, "timed_out", tally)

    def _try(self, parcel: _Parcel, station: Station, what: str, tally: Progress) -> None:
        height = station.port.head().height
        if station is parcel.station and height <= parcel.refused_at:
            return
        try:
            call = self._call(parcel, what)
        except (UsageError, _EvidenceUnderWay):  # it cannot be proven yet, or for less soon
            return
        if call is not None:
            parcel.station = station
            parcel.attempt = station.submit(call.data, what, tally)
            parcel.refused_at = height if parcel.attempt is None else -1
            if parcel.attempt is not None and call.proof.is_heavy:
                station.expect(call.proof.block_hash, parcel.attempt)
            parcel.attempt = station.pending(parcel.attempt, tally)

    def _call(self, parcel: _Parcel, what: str) -> _Call | None:
        match what:
            case "carried":
                return self._delivery(parcel)
            case "acknowledged":
                return self._acknowledgement(parcel.packet)
        proof = self._receipt_proof(parcel.packet)
        return _Call(proof, _TIME_OUT.encode_call(parcel.packet.encode(), proof.encoded))

    def _delivery(self, parcel: _Parcel) -> _Call:
        packet = parcel.packet
        try:
            proof = _prove(self._source, parcel.height, parcel.index, self._target)
        except UsageError:
            slot = commitment_slot(packet.channel, packet.sequence)
            proof = _prove_slot(self._source, slot, self._target)
            return _Call(proof, _RECEIVE_COMMITTED.encode_call(packet.encode(), proof.encoded))
        return _Call(proof, _RECEIVE.encode_call(proof.encoded))

    def _acknowledgement(self, packet: Packet) -> _Call | None:
        known = self._acknowledgements.get((packet.channel, packet.sequence))
        if known is None:  # its block is not final yet
            return None
        found, acknowledgement = known
        sent, said = packet.encode(), acknowledgement.encode()
        try:
            proof = _prove(self._target, found.height, found.index, self._source)
        except UsageError:
            proof = self._receipt_proof(packet)
            return _Call(proof, _ACKNOWLEDGE_RECEIPT.encode_call(sent, said, proof.encoded))
        return _Call(proof, _ACKNOWLEDGE.encode_call(sent, proof.encoded))

    def _receipt_proof(self, packet: Packet) -> _Proof:
        return _prove_slot(self._target, receipt_slot(packet.channel, packet.sequence), self._source)


def _prove(prover: Station, height: int, index: int, verifier: Station) -> _Proof:
    """Prove a message in a block."""
    block_hash = prover.port.block_hash(height)
    return _Proof(block_hash, prover.port.prove_message(height, index, _anchor(verifier, block_hash)))


def _prove_slot(prover: Station, slot: int, verifier: Station) -> _Proof:
    """Prove what is in a slot of the hub after the newest final block."""
    height = prover.port.final().height
    block_hash = prover.port.block_hash(height)
    return _Proof(block_hash, prover.port.prove_slot(slot, height, _anchor(verifier, block_hash)))


def _anchor(verifier: Station, block_hash: bytes) -> bytes | None:
    if verifier.expects(block_hash):
        raise _EvidenceUnderWay
    return verifier.anchor_for(block_hash)
