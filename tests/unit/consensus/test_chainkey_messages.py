"""Messages about chain keys: one encoding each, and nothing but InvalidInput for all other bytes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from chainstack_sdk.consensus.chainkey.messages import (
    MAX_LOG,
    MAX_SEALED,
    MAX_SEATS,
    Accept,
    Announce,
    Deal,
    KeyMessage,
    LinkVote,
    Partial,
    PartialKind,
    PostedLog,
    decode_message,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

NAME, KEY, HASH = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
SIGNATURE = bytes(range(65))
PARTIAL = Partial(
    PartialKind.BEACON, 2**64 - 1, 7, HASH, ((1, b"\x01" * 48), (MAX_SEATS, b"\x02" * 48)), SIGNATURE
)
MESSAGES = [
    Announce(NAME, KEY, SIGNATURE),
    Deal(NAME, 3, 0, bytes(96 * 2), b"sealed", SIGNATURE),
    Deal(NAME, MAX_SEATS, 65_535, b"\x01" * 96, bytes(MAX_SEALED), SIGNATURE),
    Accept(NAME, 3, HASH, SIGNATURE),
    PostedLog(NAME, b"log"),
    PostedLog(NAME, bytes(MAX_LOG)),
    PARTIAL,
    replace(PARTIAL, kind=PartialKind.FINALITY, parts=PARTIAL.parts[:1]),
    replace(PARTIAL, kind=PartialKind.HOLDERS, number=0),
    LinkVote(2, SIGNATURE),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_encoded_is_decoded(message: KeyMessage) -> None:
    assert decode_message(message.encode()) == message


def test_layouts() -> None:
    """Spelled out once, so that a change of format is noticed."""
    deal = Deal(NAME, 3, 1, b"\x05" * 96, b"sealed", SIGNATURE)
    assert MESSAGES[0].encode() == b"\x01\x01" + NAME + KEY + SIGNATURE
    assert deal.encode() == (
        b"\x02\x01" + NAME + b"\0\x03\0\x01" + SIGNATURE + b"\0\x01" + b"\x05" * 96 + b"sealed"
    )
    assert MESSAGES[3].encode() == b"\x03\x01" + NAME + b"\0\x03" + HASH + SIGNATURE
    assert MESSAGES[4].encode() == b"\x04\x01" + NAME + b"log"
    assert PARTIAL.encode() == (
        b"\x05\x01\x02" + b"\xff" * 8 + bytes(7) + b"\x07" + HASH + SIGNATURE + b"\0\x02"
        b"\0\x01" + b"\x01" * 48 + b"\x08\0" + b"\x02" * 48
    )
    assert MESSAGES[-1].encode() == b"\x06\x01" + bytes(7) + b"\x02" + SIGNATURE


def test_what_is_signed() -> None:
    domain = b"\x19chainstack chain key\0"
    assert Announce.digest(NAME, KEY) == keccak256(domain + b"\x01" + NAME + KEY)
    context = NAME + b"\0\x03\0\x01"
    assert Deal.context(NAME, 3, 1) == context
    assert Deal.digest(NAME, 3, 1, b"points", b"sealed") == keccak256(
        domain + b"\x02" + context + keccak256(b"points") + keccak256(b"sealed")
    )
    unsigned = PARTIAL.encode().replace(SIGNATURE, b"")
    assert PARTIAL.signed_digest(9) == keccak256(domain + bytes(7) + b"\x09" + unsigned)
    assert PARTIAL.signed_digest(9) == replace(PARTIAL, signature=bytes(65)).signed_digest(9)
    assert PARTIAL.signed_digest(9) != PARTIAL.signed_digest(8)


def spoilt_partials() -> list[bytes]:
    first, second = PARTIAL.parts
    return [
        replace(PARTIAL, parts=parts).encode()
        for parts in ((), (second, first), (first, first), ((0, first[1]), second))
    ] + [
        PARTIAL.encode().replace(b"\x08\0" + b"\x02" * 48, b"\x08\x01" + b"\x02" * 48),
        b"\x05\x01\x04" + PARTIAL.encode()[3:],
        b"\x05\x01\x00" + PARTIAL.encode()[3:],
        PARTIAL.encode() + b"\0",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x01\x02" + MESSAGES[0].encode()[2:],
        b"\x07\x01" + MESSAGES[0].encode()[2:],
        MESSAGES[0].encode() + b"\0",
        MESSAGES[3].encode()[:-1],
        MESSAGES[-1].encode() + b"\0",
        b"\x02\x01" + bytes(100),
        replace(MESSAGES[1], commitments=b"").encode(),
        replace(MESSAGES[1], place=0).encode(),
        replace(MESSAGES[1], place=MAX_SEATS + 1).encode(),
        replace(MESSAGES[1], sealed=b"").encode(),
        replace(MESSAGES[1], sealed=bytes(MAX_SEALED + 1)).encode(),
        replace(MESSAGES[1], commitments=bytes(96 * 1025)).encode(),
        PostedLog(NAME, b"").encode(),
        PostedLog(NAME, bytes(MAX_LOG + 1)).encode(),
        *spoilt_partials(),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_message(data)


def test_damaged_messages_decode_to_what_they_say_or_not_at_all() -> None:
    rng = Random(5)
    samples = [message.encode() for message in MESSAGES if len(message.encode()) < 1_000]
    for _ in range(3_000):
        data = bytearray(rng.choice(samples))
        for _ in range(rng.randint(0, 3)):
            data[rng.randrange(min(len(data), 60))] ^= 1 << rng.randrange(8)
        damaged = bytes(data[: rng.choice((None, None, rng.randint(0, len(data))))])
        try:
            message = decode_message(damaged)
        except InvalidInput:
            continue
        assert message.encode() == damaged
