"""What blocks carry for a key: one encoding, bounds, and what the header commits to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import Chain, InvalidInput
from chainstack_sdk.consensus.chainkey.payload import (
    MAX_ITEM_BYTES,
    MAX_LOGS,
    NO_PAYLOAD,
    SIGNED_WINDOW,
    KeyPayload,
    commitment,
    committed,
    unwrap,
    validate_carried,
    wrap,
)
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

FULL = KeyPayload((b"one", b"\x02"), b"\xaa" * 48, b"link", ((7, b"\xbb" * 48), (9, b"\xcc" * 48)))


@pytest.mark.parametrize(
    "payload",
    [
        FULL,
        KeyPayload(logs=(b"x",)),
        KeyPayload(attestation=b"\x01" * 48),
        KeyPayload(link=b"l" * MAX_ITEM_BYTES),
        KeyPayload(signatures=tuple((height, bytes(48)) for height in range(SIGNED_WINDOW))),
        KeyPayload(logs=(b"x",) * MAX_LOGS),
        KeyPayload(logs=(b"x" * MAX_ITEM_BYTES,)),
        NO_PAYLOAD,
    ],
)
def test_what_is_encoded_is_decoded(payload) -> None:
    assert KeyPayload.decode(payload.encode()) == payload
    assert bool(payload) == bool(payload.encode())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"logs": (b"x",) * (MAX_LOGS + 1)}, "too many logs"),
        ({"logs": (b"",)}, "from 1 to 65536"),
        ({"logs": (b"x" * (MAX_ITEM_BYTES + 1),)}, "from 1 to 65536"),
        ({"attestation": b"\x01" * 47}, "48 bytes"),
        ({"link": b"x" * (MAX_ITEM_BYTES + 1)}, "at most 65536"),
        ({"signatures": tuple((height, bytes(48)) for height in range(9))}, "too many blocks"),
        ({"signatures": ((1, bytes(47)),)}, "48 bytes"),
        ({"signatures": ((2, bytes(48)), (1, bytes(48)))}, "ordered"),
        ({"signatures": ((2, bytes(48)), (2, bytes(48)))}, "ordered"),
    ],
)
def test_everything_has_bounds(change, match) -> None:
    with pytest.raises(InvalidInput, match=match):
        replace(FULL, **change)


@pytest.mark.parametrize(
    "data",
    [
        rlp_encode([[], b"", b"", []]),
        rlp_encode([[b"x"], b"", b""]),
        rlp_encode([b"x", b"", b"", []]),
        rlp_encode([[[b"x"]], b"", b"", []]),
        rlp_encode([[b"x"], [], b"", []]),
        rlp_encode([[b"x"], b"", b"", b""]),
        rlp_encode([[b"x"], b"", b"", [b"\x01"]]),
        rlp_encode([[b"x"], b"", b"", [[b"\x01"]]]),
        rlp_encode([[b"x"], b"", b"", [[b"\x00", bytes(48)]]]),
        rlp_encode(b"x"),
        rlp_encode([[b""], b"", b"", []]),
        b"\xc0" * 2,
    ],
)
def test_other_bytes_are_no_payload(data) -> None:
    with pytest.raises(InvalidInput):
        KeyPayload.decode(data)


def test_damage_is_refused_or_gives_another_payload() -> None:
    encoded = FULL.encode()
    for at in range(len(encoded)):
        for flipped in (1, 0x80, 0xFF):
            data = bytearray(encoded)
            data[at] ^= flipped
            try:
                assert KeyPayload.decode(bytes(data)).encode() == data
            except InvalidInput:
                continue
        with pytest.raises(InvalidInput):
            KeyPayload.decode(encoded[:at] or b"\x80")


@pytest.mark.parametrize(("inner", "payload"), [(b"", b""), (b"work", b""), (b"", b"key"), (b"work", b"key")])
def test_an_attachment_carries_both(inner, payload) -> None:
    attachment = wrap(inner, payload)
    assert unwrap(attachment) == (inner, payload)
    assert bool(attachment) == bool(inner or payload)
    assert committed(commitment(payload), attachment) == (inner, payload)


@pytest.mark.parametrize(
    "attachment", [rlp_encode([b"", b""]), b"\x80", rlp_encode([b"work"]), b"work", b"\xc1"]
)
def test_an_attachment_has_one_form(attachment) -> None:
    with pytest.raises(InvalidInput):
        unwrap(attachment)


def test_a_header_commits_to_the_payload() -> None:
    header = Chain.in_memory().head.header
    key = FULL.encode()
    assert commitment(b"") == b""
    assert validate_carried(header, wrap(b"work", b"")) == b"work"
    assert validate_carried(header, b"") == b""
    carrying = replace(header, extra_data=keccak256(key))
    assert validate_carried(carrying, wrap(b"work", key)) == b"work"
    for wrong, attachment in ((header, wrap(b"", key)), (carrying, wrap(b"work", b"")), (carrying, b"")):
        with pytest.raises(InvalidInput, match="does not commit"):
            validate_carried(wrong, attachment)
