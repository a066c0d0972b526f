"""Packets, acknowledgements and channels: their encodings, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.packets import (
    MAX_PAYLOAD,
    MAX_RESULT,
    Acknowledgement,
    Packet,
    decode_message,
)

APP, PEER, CHANNEL = b"\x0a" * 20, b"\x0b" * 20, b"\xcc" * 32
PACKET = Packet(1, 2, CHANNEL, 3, APP, PEER, b"hello", 10, 0)

u64 = st.integers(0, 2**64 - 1)
packets = st.builds(
    Packet,
    *(u64, u64, st.binary(min_size=32, max_size=32), st.integers(1, 2**64 - 1)),
    *(st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20), st.binary(max_size=99)),
    *(st.integers(1, 2**64 - 1), u64),
)


def test_the_encoding_of_a_packet_is_fixed() -> None:
    assert PACKET.encode().hex() == (
        "f857010102a0" + "cc" * 32 + "0394" + "0a" * 20 + "94" + "0b" * 20 + "8568656c6c6f0a80"
    )
    assert PACKET.hash == keccak256(PACKET.encode())


def test_the_encoding_of_an_acknowledgement_is_fixed() -> None:
    acknowledgement = Acknowledgement.of(PACKET, True, b"ok")
    assert acknowledgement.encode().hex() == (
        "f84a020201a0" + "cc" * 32 + "03a0" + PACKET.hash.hex() + "01826f6b"
    )
    assert acknowledgement.hash == keccak256(acknowledgement.encode())


@given(packets, st.booleans(), st.binary(max_size=99))
def test_what_is_encoded_is_decoded(packet: Packet, success: bool, result: bytes) -> None:
    acknowledgement = Acknowledgement.of(packet, success, result)
    assert decode_message(packet.encode()) == packet
    assert decode_message(acknowledgement.encode()) == acknowledgement
    assert acknowledgement.is_of(packet)
    assert not acknowledgement.is_of(replace(packet, payload=packet.payload + b"x"))


@given(st.binary(max_size=200) | packets.map(Packet.encode), st.data())
def test_other_bytes_are_refused_and_nothing_else_is_raised(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    if changed:
        changed[draw.draw(st.integers(0, len(changed) - 1))] ^= draw.draw(st.integers(1, 255))
    for decode in (Packet.decode, Acknowledgement.decode, decode_message):
        try:
            decoded: Any = decode(bytes(changed))
        except InvalidInput:
            continue
        assert decoded.encode() == bytes(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": 2**64},
        {"destination": -1},
        {"sequence": 0},
        {"sequence": 2**64},
        {"timeout_height": 0},
        {"timeout_ms": 2**64},
        {"channel": CHANNEL[1:]},
        {"sender": APP + b"\0"},
        {"receiver": b""},
        {"payload": bytes(MAX_PAYLOAD + 1)},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_no_packet_has_such_a_field(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        replace(PACKET, **changes)


@pytest.mark.parametrize(
    "changes", [{"source": 2**64}, {"channel": b""}, {"packet_hash": b""}, {"result": bytes(MAX_RESULT + 1)}]
)
def test_no_acknowledgement_has_such_a_field(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        replace(Acknowledgement.of(PACKET, False, b""), **changes)


def test_success_has_one_encoding() -> None:
    with pytest.raises(InvalidInput, match="not an acknowledgement"):
        Acknowledgement.decode(rlp_encode([2, 1, 2, CHANNEL, 1, PACKET.hash, 2, b""]))


def test_the_longest_payload_and_result_pass() -> None:
    longest = replace(PACKET, payload=bytes(MAX_PAYLOAD))
    assert Packet.decode(longest.encode()) == longest
    assert len(Acknowledgement.of(longest, True, bytes(MAX_RESULT)).result) == MAX_RESULT


@pytest.mark.parametrize(
    ("timeouts", "late_at"),
    [((10, 0), [(10, 0), (11, 0)]), ((0, 500), [(0, 500), (0, 501)]), ((10, 500), [(10, 0), (1, 500)])],
)
def test_a_block_is_too_late_from_the_time_out_on(
    timeouts: tuple[int, int], late_at: list[tuple[int, int]]
) -> None:
    packet = replace(PACKET, timeout_height=timeouts[0], timeout_ms=timeouts[1])
    assert not packet.is_too_late(9, 499)
    assert all(packet.is_too_late(*where) for where in late_at)


def test_both_sides_know_the_channel() -> None:
    here, there = Endpoint(1, APP), Endpoint(2, PEER)
    assert channel_id(here, there) == channel_id(there, here)
    assert channel_id(here, there) == keccak256(
        b"chainstack channel\x00" + (1).to_bytes(8, "big") + APP + (2).to_bytes(8, "big") + PEER
    )
    others = [
        channel_id(here, there, ordered=True),
        channel_id(Endpoint(3, APP), there),
        channel_id(Endpoint(2, APP), Endpoint(1, PEER)),
    ]
    assert len({channel_id(here, there), *others}) == 4


def test_a_channel_joins_two_chains() -> None:
    with pytest.raises(UsageError, match="two chains"):
        channel_id(Endpoint(1, APP), Endpoint(1, PEER))


@pytest.mark.parametrize("end", [Endpoint(-1, APP), Endpoint(2**64, APP), Endpoint(1, APP[1:])])
def test_an_endpoint_has_a_size(end: Endpoint) -> None:
    with pytest.raises(UsageError, match="an endpoint is"):
        channel_id(end, Endpoint(5, PEER))
