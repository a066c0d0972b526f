"""What the hub says and how it refuses: its events and custom errors."""

from __future__ import annotations

from chainstack_sdk.core.native import error, event
from chainstack_sdk.xchain.app import SendErrors


class HubInterface(SendErrors):
    """Events and errors of the hub, for those who read its logs and its refusals."""

    MessageSent = event("event MessageSent(bytes message)")
    ChainRegistered = event("event ChainRegistered(uint64 indexed chain, bytes anchor)")
    AnchorUpdated = event("event AnchorUpdated(uint64 indexed chain, bytes anchor)")
    ChainPaused = event("event ChainPaused(uint64 indexed chain, bool paused)")
    ChannelOpened = event(
        "event ChannelOpened(bytes32 indexed channel, address indexed app, uint64 indexed chain,"
        " address peer, bool ordered)"
    )
    ChannelClosed = event("event ChannelClosed(bytes32 indexed channel)")
    CapChanged = event("event CapChanged(bytes32 indexed channel, uint64 cap)")
    PacketSent = event(
        "event PacketSent(bytes32 indexed channel, uint64 indexed sequence, bytes32 packetHash)"
    )
    PacketReceived = event(
        "event PacketReceived(bytes32 indexed channel, uint64 indexed sequence, bytes32 packetHash,"
        " bool success)"
    )
    PacketSettled = event(
        "event PacketSettled(bytes32 indexed channel, uint64 indexed sequence, bytes32 packetHash, uint8 how)"
    )

    # Chains
    NotTheGovernor = error("error NotTheGovernor(address caller)")
    AlreadyRegistered = error("error AlreadyRegistered(uint64 chain)")
    InvalidAnchor = error("error InvalidAnchor(string reason)")
    InvalidProof = error("error InvalidProof(string reason)")

    # Packets
    InvalidPacket = error("error InvalidPacket(string reason)")
    WrongDestination = error("error WrongDestination(uint64 chain)")
    WrongChannel = error("error WrongChannel(bytes32 channel)")
    NotDirect = error("error NotDirect(address caller)")
    AlreadyReceived = error("error AlreadyReceived(bytes32 channel, uint64 sequence)")
    OutOfOrder = error("error OutOfOrder(bytes32 channel, uint64 expected, uint64 actual)")
    TimedOut = error("error TimedOut(uint64 timeoutHeight, uint64 timeoutMs)")
    InvalidResult = error("error InvalidResult()")

    # Their end
    UnknownPacket = error("error UnknownPacket(bytes32 channel, uint64 sequence)")
    AlreadySettled = error("error AlreadySettled(bytes32 channel, uint64 sequence)")
    WrongAcknowledgement = error("error WrongAcknowledgement(bytes32 channel, uint64 sequence)")
    NotTimedOut = error("error NotTimedOut(uint64 height, uint64 timestampMs)")
    WasReceived = error("error WasReceived(bytes32 channel, uint64 sequence)")
