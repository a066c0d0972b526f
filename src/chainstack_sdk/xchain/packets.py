"""What chains say to each other: packets, and acknowledgements of packets.

Both are RLP lists, each with one encoding; numbers are big-endian without leading zeros::

    packet           [1, source, destination, channel 32, sequence, sender 20, receiver 20, payload,
                      timeout_height, timeout_ms]
    acknowledgement  [2, source, destination, channel 32, sequence, packet hash 32, success, result]

The encodings are the messages of a block (:mod:`chainstack_sdk.core.messages`); the hash of a packet or of an
acknowledgement is keccak-256 of its encoding, and binds every field.

**Caveats.** What is decoded here is a claim, until a hub has seen the proof that its source chain made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

MAX_PAYLOAD = 8_192
"""Bytes that a packet carries for its app."""
MAX_RESULT = 1_024
"""Bytes that an acknowledgement carries back."""

_PACKET: Final = b"\x01"
_ACKNOWLEDGEMENT: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class Packet:
    """Something that an app of one chain says to its peer on another.

    At the destination a packet is received in a block below :attr:`timeout_height` and before
    :attr:`timeout_ms`, or never. At least one of the two is set.

    Raises
    ------
    InvalidInput
        On construction, when a field has a value that no packet can have.
    """

    source: int
    """The chain that sends, below 2^64."""
    destination: int
    """The chain that is to receive, below 2^64."""
    channel: bytes
    """32 bytes."""
    sequence: int
    """Counts the packets of a channel in one direction, from 1."""
    sender: bytes
    """The app that sends, 20 bytes."""
    receiver: bytes
    """Its peer on the destination, 20 bytes."""
    payload: bytes
    """At most 8,192 bytes, which only the two apps understand."""
    timeout_height: int = 0
    """The first height of the destination at which it is too late; 0: at no height."""
    timeout_ms: int = 0
    """The first block time of the destination, in Unix milliseconds, at which it is too late; 0: at none."""

    def __post_init__(self) -> None:
        _require_numbers(self.source, self.destination, self.sequence, self.timeout_height, self.timeout_ms)
        if not self.sequence:
            raise InvalidInput("the packets of a channel count from 1", channel=self.channel)
        if not (self.timeout_height or self.timeout_ms):
            raise InvalidInput("a packet has a time-out", channel=self.channel, sequence=self.sequence)
        _require_size("a channel", self.channel, 32)
        _require_size("a sender", self.sender, 20)
        _require_size("a receiver", self.receiver, 20)
        _require_limit("a payload", self.payload, MAX_PAYLOAD)

    @property
    def hash(self) -> bytes:
        """keccak-256 of the encoding, 32 bytes."""
        return keccak256(self.encode())

    def is_too_late(self, height: int, timestamp_ms: int) -> bool:
        """Tell whether a block of the destination comes too late for the packet."""
        by_height = self.timeout_height and height >= self.timeout_height
        return bool(by_height or (self.timeout_ms and timestamp_ms >= self.timeout_ms))

    def encode(self) -> bytes:
        """Return the encoding, as in the table above."""
        return rlp_encode(
            [
                *(_PACKET, self.source, self.destination, self.channel, self.sequence),
                *(self.sender, self.receiver, self.payload, self.timeout_height, self.timeout_ms),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no packet.
        """
        match rlp_decode(data):
            case [
                bytes(kind),
                bytes(source),
                bytes(destination),
                bytes(channel),
                bytes(sequence),
                bytes(sender),
                bytes(receiver),
                bytes(payload),
                bytes(height),
                bytes(time),
            ] if kind == _PACKET:
                numbers = decode_int(source, 8), decode_int(destination, 8)
                timeouts = decode_int(height, 8), decode_int(time, 8)
                return cls(*numbers, channel, decode_int(sequence, 8), sender, receiver, payload, *timeouts)
        raise InvalidInput("not a packet")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of a packet where it was received.

    Raises
    ------
    InvalidInput
        On construction, when a field has a value that no acknowledgement can have.
    """

    source: int
    """The chain that received the packet, below 2^64."""
    destination: int
    """The chain that sent the packet, below 2^64."""
    channel: bytes
    """That of the packet, 32 bytes."""
    sequence: int
    """That of the packet."""
    packet_hash: bytes
    """32 bytes."""
    success: bool
    """Whether the app took the packet. If not, nothing of what it did remains."""
    result: bytes
    """What the app answered, or its revert data; at most 1,024 bytes."""

    def __post_init__(self) -> None:
        _require_numbers(self.source, self.destination, self.sequence)
        _require_size("a channel", self.channel, 32)
        _require_size("a hash", self.packet_hash, 32)
        _require_limit("a result", self.result, MAX_RESULT)

    @classmethod
    def of(cls, packet: Packet, success: bool, result: bytes) -> Self:
        """Return the acknowledgement of a packet."""
        return cls(
            *(packet.destination, packet.source, packet.channel, packet.sequence),
            *(packet.hash, success, result),
        )

    @property
    def hash(self) -> bytes:
        """keccak-256 of the encoding, 32 bytes."""
        return keccak256(self.encode())

    def is_of(self, packet: Packet) -> bool:
        """Tell whether it acknowledges a packet."""
        return self == Acknowledgement.of(packet, self.success, self.result)

    def encode(self) -> bytes:
        """Return the encoding, as in the table above."""
        return rlp_encode(
            [
                *(_ACKNOWLEDGEMENT, self.source, self.destination, self.channel, self.sequence),
                *(self.packet_hash, int(self.success), self.result),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When it is no acknowledgement.
        """
        match rlp_decode(data):
            case [
                bytes(kind),
                bytes(source),
                bytes(destination),
                bytes(channel),
                bytes(sequence),
                bytes(packet_hash),
                bytes(success),
                bytes(result),
            ] if kind == _ACKNOWLEDGEMENT and success in (b"", b"\x01"):
                numbers = decode_int(source, 8), decode_int(destination, 8)
                return cls(*numbers, channel, decode_int(sequence, 8), packet_hash, bool(success), result)
        raise InvalidInput("not an acknowledgement")


def decode_message(data: bytes) -> Packet | Acknowledgement:
    """Decode a message of a hub, whichever it is.

    Raises
    ------
    InvalidInput
        When it is neither.
    """
    items = rlp_decode(data)
    is_acknowledgement = isinstance(items, list) and items[:1] == [_ACKNOWLEDGEMENT]
    return Acknowledgement.decode(data) if is_acknowledgement else Packet.decode(data)


def _require_numbers(*numbers: int) -> None:
    if not all(0 <= number < 1 << 64 for number in numbers):
        raise InvalidInput("a number in a message has more than 64 bits", actual=max(numbers, key=abs))


def _require_size(what: str, data: bytes, size: int) -> None:
    if len(data) != size:
        raise InvalidInput(f"{what} in a message has {size} bytes", actual=len(data))


def _require_limit(what: str, data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise InvalidInput(f"{what} in a message is too long", expected=limit, actual=len(data))
