"""Apps: contracts that talk to a peer on another chain.

::

    class Mailbox(CrossChainApp):
        @external("function write(uint64 chain, address peer, bytes letter)")
        def write(self, call, chain, peer, letter):
            channel = open_channel(call, chain, peer)
            send_packet(call, channel, letter, timeout_ms=call.block.timestamp_ms + 3_600_000)

        def on_packet(self, call, context, payload):
            return b""  # the peer said something, and this goes back to it

        def on_ack(self, call, context, payload, success, result):
            ...  # what became of an own packet

        def on_timeout(self, call, context, payload):
            ...  # an own packet was never received, and will never be

A system contract, a paradigm (``class Mailbox(CrossChainApp, Paradigm)``) or anything else that has the three
functions below will do. Each packet is received at most once, and ends in exactly one of: a good
acknowledgement, a bad one after which nothing of ``on_packet`` remains, or a time-out.

**Caveats.** A channel is what its app has opened: an app that opens channels for anybody must look at
``context.sender``, as its packets then come from anybody. When ``on_ack`` or ``on_timeout`` refuses, the
packet stays in flight, and it can be tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.core.messages import HUB_ADDRESS
from chainstack_sdk.core.native import NativeContract, error, external
from chainstack_sdk.core.panics import checked
from chainstack_sdk.primitives.abi import Function, Param
from chainstack_sdk.xchain.channels import Endpoint
from chainstack_sdk.xchain.packets import MAX_RESULT

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

OPEN_CHANNEL = Function(
    "openChannel",
    (Param("uint64", "chain"), Param("address", "peer"), Param("bool", "ordered")),
    (Param("bytes32"),),
)
"""The hub's function by which an app opens a channel."""
SEND = Function(
    "send",
    (
        Param("bytes32", "channel"),
        Param("bytes", "payload"),
        Param("uint64", "timeoutHeight"),
        Param("uint64", "timeoutMs"),
    ),
    (Param("uint64", "sequence"),),
)
"""The hub's function by which an app sends."""
PEER_OF = Function(
    "peerOf", (Param("bytes32", "channel"),), (Param("uint64", "chain"), Param("address", "peer")), "view"
)
"""The hub's function that tells who is at the other end of a channel."""


class PacketContext(NamedTuple):
    """Which packet it is."""

    channel: bytes
    """32 bytes."""
    sequence: int
    """Its number on the channel, from 1, among those of its direction."""
    sender: bytes
    """The app that sent it, 20 bytes: the peer, or for an own packet this app."""


def open_channel(call: Call, chain: int, peer: bytes, ordered: bool = False) -> bytes:
    """Open the channel between the calling contract and an app of another chain, and return its id, 32 bytes.

    Opening it again changes nothing.

    Raises
    ------
    Reverted
        When the hub does not know the chain.
    """
    (channel,) = OPEN_CHANNEL.decode_output(
        call.call(HUB_ADDRESS, OPEN_CHANNEL.encode_call(chain, peer, ordered))
    )
    return bytes(channel)


def send_packet(
    call: Call, channel: bytes, payload: bytes, *, timeout_height: int = 0, timeout_ms: int = 0
) -> int:
    """Send a packet on a channel of the calling contract, and return its sequence.

    Parameters
    ----------
    payload
        At most 8,192 bytes.
    timeout_height, timeout_ms
        As in :class:`~chainstack_sdk.xchain.packets.Packet`; at least one of them.

    Raises
    ------
    Reverted
        When the hub refuses, or a time-out has more than 64 bits: ``Panic(0x11)``.
    """
    values = (channel, payload, timeout_height, timeout_ms)
    data = checked(SEND.inputs, values, lambda: SEND.encode_call(*values))
    (sequence,) = SEND.decode_output(call.call(HUB_ADDRESS, data))
    return int(sequence)


def peer_of(call: Call, channel: bytes) -> Endpoint:
    """Return who is at the other end of a channel of this chain.

    Raises
    ------
    Reverted
        When the channel was never opened here.
    """
    chain, peer = PEER_OF.decode_output(call.call(HUB_ADDRESS, PEER_OF.encode_call(channel)))
    return Endpoint(chain, peer)


class SendErrors(NativeContract):
    """Why the hub refuses to open a channel or to send: errors that pass through the app to its callers."""

    UnknownChain = error("error UnknownChain(uint64 chain)")
    NotAContract = error("error NotAContract(address caller)")
    UnknownChannel = error("error UnknownChannel(bytes32 channel)")
    NotTheApp = error("error NotTheApp(bytes32 channel, address caller)")
    ClosedChannel = error("error ClosedChannel(bytes32 channel)")
    Paused = error("error Paused(uint64 chain)")
    CapReached = error("error CapReached(bytes32 channel, uint64 cap)")
    PayloadTooLong = error("error PayloadTooLong(uint256 size)")
    NoTimeOut = error("error NoTimeOut()")


class CrossChainApp(SendErrors):
    """Base of contracts that talk to a peer on another chain: lets nobody but the hub call back."""

    NotTheHub = error("error NotTheHub(address caller)")
    TakesNoPackets = error("error TakesNoPackets()")
    ResultTooLong = error("error ResultTooLong(uint256 size)")

    @external(
        "function onPacket(bytes32 channel, uint64 sequence, address sender, bytes payload)"
        " returns (bytes result)"
    )
    def _receive_packet(
        self, call: Call, channel: bytes, sequence: int, sender: bytes, payload: bytes
    ) -> bytes:
        call.require(call.caller == HUB_ADDRESS, self.NotTheHub, call.caller)
        result = self.on_packet(call, PacketContext(channel, sequence, sender), payload)
        call.require(len(result) <= MAX_RESULT, self.ResultTooLong, len(result))
        return result

    @external(
        "function onAcknowledgement(bytes32 channel, uint64 sequence, bytes payload, bool success,"
        " bytes result)"
    )
    def _receive_acknowledgement(
        self, call: Call, channel: bytes, sequence: int, payload: bytes, success: bool, result: bytes
    ) -> None:
        call.require(call.caller == HUB_ADDRESS, self.NotTheHub, call.caller)
        self.on_ack(call, PacketContext(channel, sequence, call.address), payload, success, result)

    @external("function onTimeOut(bytes32 channel, uint64 sequence, bytes payload)")
    def _receive_time_out(self, call: Call, channel: bytes, sequence: int, payload: bytes) -> None:
        call.require(call.caller == HUB_ADDRESS, self.NotTheHub, call.caller)
        self.on_timeout(call, PacketContext(channel, sequence, call.address), payload)

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Take a packet of the peer and return what goes back with the acknowledgement, at most 1,024 bytes.

        A revert makes the acknowledgement a bad one, with the revert data. By default all packets are
        refused so.
        """
        raise call.error(self.TakesNoPackets)

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Learn what became of an own packet; by default nothing is done about it.

        Parameters
        ----------
        payload
            What was sent.
        success
            Whether the peer took it.
        result
            What the peer answered, or its revert data.
        """

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Learn that an own packet was never received, and will never be; by default nothing is done."""
