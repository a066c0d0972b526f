"""The hub: packets out, packets in, and the end of each.

What happens to a packet, and what it leaves behind:

==================  ======================================  ===============================================
step                on the chain                            leaves
==================  ======================================  ===============================================
``send``            source                                  the packet in ``messages_root``; a commitment
``receivePacket``   destination, before the time-out        the acknowledgement in ``messages_root``; a
                                                            receipt, which makes that it happens once
``acknowledge``     source                                  no commitment
``timeOut``         source, by proof that there is no       no commitment; an ordered channel is closed
                    receipt at a block after the time-out
==================  ======================================  ===============================================

A packet is received in blocks that are not too late for it, and a time-out is proven by the state after one
that is: so exactly one of the two comes to pass. Anybody may carry proofs, at any time and as often as they
like.

Messages are proven by the block that carries them. Where that block is too old for the anchor, as those of
committees forget, the state of any later block does as well: ``receiveCommitted`` takes a proof of the
commitment, ``acknowledgeReceipt`` one of the receipt.

**Caveats**

- Packets are received and settled in transactions of their own, not by contracts: a contract could arrange
  for the app, or for what the app tries to call, to fail, by calling the hub when no depth of calls is left.
- An app whose ``onAcknowledgement`` or ``onTimeOut`` always reverts keeps its packets in flight for ever.
- A closed channel stays closed; the other direction of it goes on. What is in flight on it times out.
- A destination that stops for good proves no time-out: packets by time and by height stay in flight until it
  goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native import external
from chainstack_sdk.cspv.verify.facts import ProvenStorage
from chainstack_sdk.cspv.verify.format import Kind
from chainstack_sdk.cspv.verify.paths import ItemPath
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp
from chainstack_sdk.xchain.hub.routes import Routes
from chainstack_sdk.xchain.hub.storage import (
    commitment_key,
    read_counters,
    receipt_key,
    write_counters,
    write_route,
)
from chainstack_sdk.xchain.packets import MAX_PAYLOAD, MAX_RESULT, Acknowledgement, Packet

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.cspv.verify.format import Proof
    from chainstack_sdk.xchain.hub.storage import Route

    Message = TypeVar("Message", Packet, Acknowledgement)

ON_PACKET = CrossChainApp.abi_function("onPacket")
ON_ACKNOWLEDGEMENT = CrossChainApp.abi_function("onAcknowledgement")
ON_TIME_OUT = CrossChainApp.abi_function("onTimeOut")
"""What the hub calls on apps."""
ACKNOWLEDGED, REFUSED, TIMED_OUT = 1, 2, 3
"""How a packet ended, in the event ``PacketSettled``."""


class Hub(Routes):
    """The contract that speaks to other chains."""

    # Out

    @external(
        "function send(bytes32 channel, bytes payload, uint64 timeoutHeight, uint64 timeoutMs)"
        " returns (uint64 sequence)"
    )
    def send(self, call: Call, channel: bytes, payload: bytes, timeout_height: int, timeout_ms: int) -> int:
        """Send a packet to the peer of the calling app, and return its sequence on the channel."""
        route, counters = self.route(call, channel), read_counters(call, channel)
        call.require(call.caller == route.app, self.NotTheApp, channel, call.caller)
        call.require(not route.closed, self.ClosedChannel, channel)
        self.require_running(call, route.chain)
        call.require(counters.in_flight < counters.cap, self.CapReached, channel, counters.cap)
        call.require(len(payload) <= MAX_PAYLOAD, self.PayloadTooLong, len(payload))
        call.require(timeout_height or timeout_ms, self.NoTimeOut)
        sequence = counters.sent + 1
        packet = Packet(
            *(call.block.chain_id, route.chain, channel, sequence, route.app, route.peer, payload),
            *(timeout_height, timeout_ms),
        )
        encoded = packet.encode()
        commitment = _hash(call, encoded)
        write_counters(call, channel, replace(counters, sent=sequence, in_flight=counters.in_flight + 1))
        call.store(commitment_key(channel, sequence), int.from_bytes(commitment, "big"))
        call.emit(self.MessageSent, encoded)
        call.emit(self.PacketSent, channel, sequence, commitment)
        return sequence

    # In

    @external("function receivePacket(bytes proof)")
    def receive_packet(self, call: Call, proof: bytes) -> None:
        """Take a packet by the proof that a block of its source carries it, and hand it to its app."""
        opened = self.opened(call, proof)
        packet = self._decoded(call, Packet.decode, self._message(call, opened))
        route = self._validate_incoming(call, packet)
        self.proven(call, packet.source, opened)
        self._deliver(call, packet, route)

    @external("function receiveCommitted(bytes packet, bytes proof)")
    def receive_committed(self, call: Call, packet: bytes, proof: bytes) -> None:
        """Take a packet by the proof that its source is committed to it, and hand it to its app."""
        opened = self.opened(call, proof)
        decoded = self._decoded(call, Packet.decode, packet)
        route = self._validate_incoming(call, decoded)
        slot = commitment_key(decoded.channel, decoded.sequence)
        held = self._stored(call, decoded.source, opened, slot)
        call.require(held == _hash(call, packet), self.InvalidProof, "the source has not sent this packet")
        self._deliver(call, decoded, route)

    # The end

    @external("function acknowledge(bytes packet, bytes proof)")
    def acknowledge(self, call: Call, packet: bytes, proof: bytes) -> None:
        """Settle a packet by the proof that a block of its destination carries its acknowledgement."""
        opened = self.opened(call, proof)
        sent = self._in_flight(call, packet)
        acknowledgement = self._acknowledgement(call, sent, self._message(call, opened))
        self.proven(call, sent.destination, opened)
        self._settle_acknowledged(call, sent, acknowledgement)

    @external("function acknowledgeReceipt(bytes packet, bytes acknowledgement, bytes proof)")
    def acknowledge_receipt(self, call: Call, packet: bytes, acknowledgement: bytes, proof: bytes) -> None:
        """Settle a packet by the proof that its destination holds the receipt of its acknowledgement."""
        opened = self.opened(call, proof)
        sent = self._in_flight(call, packet)
        decoded = self._acknowledgement(call, sent, acknowledgement)
        slot = receipt_key(sent.channel, sent.sequence)
        held = self._stored(call, sent.destination, opened, slot)
        call.require(
            held == _hash(call, acknowledgement),
            self.InvalidProof,
            "the destination holds no such receipt",
        )
        self._settle_acknowledged(call, sent, decoded)

    @external("function timeOut(bytes packet, bytes proof)")
    def time_out(self, call: Call, packet: bytes, proof: bytes) -> None:
        """Settle a packet by the proof that its destination has no receipt of it, and will have none."""
        opened = self.opened(call, proof)
        sent = self._in_flight(call, packet)
        where = opened.height, opened.timestamp_ms
        call.require(sent.is_too_late(*where), self.NotTimedOut, *where)
        slot = receipt_key(sent.channel, sent.sequence)
        held = self._stored(call, sent.destination, opened, slot)
        call.require(not any(held), self.WasReceived, sent.channel, sent.sequence)
        self._settle(call, sent, TIMED_OUT)
        route = self.route(call, sent.channel)
        if route.ordered and not route.closed:
            write_route(call, sent.channel, replace(route, closed=True))
            call.emit(self.ChannelClosed, sent.channel)
        call.call(sent.sender, ON_TIME_OUT.encode_call(sent.channel, sent.sequence, sent.payload))

    # Views

    @external("function commitmentOf(bytes32 channel, uint64 sequence) view returns (bytes32)")
    def commitment_of(self, call: Call, channel: bytes, sequence: int) -> bytes:
        """Return the hash of a packet that was sent; zero before, and once it is settled."""
        return call.load(commitment_key(channel, sequence)).to_bytes(32, "big")

    @external("function receiptOf(bytes32 channel, uint64 sequence) view returns (bytes32)")
    def receipt_of(self, call: Call, channel: bytes, sequence: int) -> bytes:
        """Return the hash of the acknowledgement of a packet that was received; zero before."""
        return call.load(receipt_key(channel, sequence)).to_bytes(32, "big")

    # Parts

    def _decoded(self, call: Call, decode: Callable[[bytes], Message], data: bytes) -> Message:
        call.charge(gas.PROOF_BYTE * len(data))
        try:
            return decode(data)
        except InvalidInput as refusal:
            raise call.error(self.InvalidPacket, refusal.message) from refusal

    def _message(self, call: Call, opened: Proof) -> bytes:
        """Return the message that a proof is about."""
        if not isinstance(opened.body, ItemPath) or opened.kind is not Kind.MESSAGE:
            raise call.error(self.InvalidProof, "not the proof of a message")
        return opened.body.item

    def _stored(self, call: Call, chain: int, opened: Proof, slot: bytes) -> bytes:
        """Return what a slot of another chain's hub holds by proof, 32 bytes."""
        found = self.proven(call, chain, opened)
        if not isinstance(found, ProvenStorage) or (found.address, found.key) != (HUB_ADDRESS, slot):
            raise call.error(self.InvalidProof, "not the proof of this slot of the hub")
        return found.value.to_bytes(32, "big")

    def _validate_incoming(self, call: Call, packet: Packet) -> Route:
        """Refuse a packet that cannot be received here and now, whoever sent it."""
        call.require(call.caller == call.origin, self.NotDirect, call.caller)
        block, channel = call.block, packet.channel
        call.require(packet.destination == block.chain_id, self.WrongDestination, packet.destination)
        route = self.route(call, channel)
        ends = route.chain, route.peer, route.app
        call.require(ends == (packet.source, packet.sender, packet.receiver), self.WrongChannel, channel)
        self.require_running(call, packet.source)
        received = call.load(receipt_key(channel, packet.sequence))
        call.require(not received, self.AlreadyReceived, channel, packet.sequence)
        late = packet.is_too_late(block.height, block.timestamp_ms)
        call.require(not late, self.TimedOut, packet.timeout_height, packet.timeout_ms)
        if route.ordered:
            expected = read_counters(call, channel).received + 1
            call.require(packet.sequence == expected, self.OutOfOrder, channel, expected, packet.sequence)
        return route

    def _deliver(self, call: Call, packet: Packet, route: Route) -> None:
        channel, sequence = packet.channel, packet.sequence
        slot, packet_hash = receipt_key(channel, sequence), _hash(call, packet.encode())
        call.store(slot, int.from_bytes(packet_hash, "big"))  # before the app runs, which may call the hub
        if route.ordered:
            write_counters(call, channel, replace(read_counters(call, channel), received=sequence))
        data = ON_PACKET.encode_call(channel, sequence, packet.sender, packet.payload)
        success, answer = call.try_call(packet.receiver, data)
        result = self._result(call, answer) if success else answer[:MAX_RESULT]
        encoded = Acknowledgement.of(packet, success, result).encode()
        call.store(slot, int.from_bytes(_hash(call, encoded), "big"))
        call.emit(self.MessageSent, encoded)
        call.emit(self.PacketReceived, channel, sequence, packet_hash, success)

    def _result(self, call: Call, answer: bytes) -> bytes:
        try:
            (result,) = ON_PACKET.decode_output(answer)
        except InvalidInput as refusal:
            raise call.error(self.InvalidResult) from refusal
        call.require(len(result) <= MAX_RESULT, self.InvalidResult)
        return bytes(result)

    def _in_flight(self, call: Call, packet: bytes) -> Packet:
        """Return a packet that this chain sent and that has not come to its end."""
        call.require(call.caller == call.origin, self.NotDirect, call.caller)
        sent = self._decoded(call, Packet.decode, packet)
        held = call.load(commitment_key(sent.channel, sent.sequence))
        if held != int.from_bytes(_hash(call, packet), "big"):
            settled = not held and sent.sequence <= read_counters(call, sent.channel).sent
            refusal = self.AlreadySettled if settled else self.UnknownPacket
            raise call.error(refusal, sent.channel, sent.sequence)
        return sent

    def _acknowledgement(self, call: Call, sent: Packet, message: bytes) -> Acknowledgement:
        decoded = self._decoded(call, Acknowledgement.decode, message)
        call.require(decoded.is_of(sent), self.WrongAcknowledgement, sent.channel, sent.sequence)
        return decoded

    def _settle_acknowledged(self, call: Call, sent: Packet, acknowledgement: Acknowledgement) -> None:
        success, result = acknowledgement.success, acknowledgement.result
        self._settle(call, sent, ACKNOWLEDGED if success else REFUSED)
        data = ON_ACKNOWLEDGEMENT.encode_call(sent.channel, sent.sequence, sent.payload, success, result)
        call.call(sent.sender, data)

    def _settle(self, call: Call, sent: Packet, how: int) -> None:
        channel, sequence = sent.channel, sent.sequence
        counters = read_counters(call, channel)
        call.store(commitment_key(channel, sequence), 0)
        write_counters(call, channel, replace(counters, in_flight=counters.in_flight - 1))
        call.emit(self.PacketSettled, channel, sequence, sent.hash, how)


def _hash(call: Call, data: bytes) -> bytes:
    call.charge(gas.KECCAK + gas.KECCAK_WORD * ((len(data) + 31) >> 5))
    return keccak256(data)
