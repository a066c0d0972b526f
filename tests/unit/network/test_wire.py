"""What nodes send each other."""

from __future__ import annotations

import pytest

from chainstack_sdk.network import wire
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvalidInput


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        (Kind.ENGINE, b""),
        (Kind.ENGINE, b"vote"),
        (Kind.CANDIDATE, b"block"),
        (Kind.FETCH, bytes(32)),
        (Kind.STATUS, bytes(8)),
        (Kind.DECIDED, b"block"),
    ],
)
def test_messages_come_back(kind: Kind, rest: bytes) -> None:
    assert wire.decode(wire.encode(kind, rest)) == (kind, rest)


def test_the_form_of_messages() -> None:
    assert wire.encode(Kind.FETCH, b"\x07" * 32) == b"\x03" + b"\x07" * 32
    assert wire.encode_status(258) == bytes.fromhex("04 0000000000000102")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x07",
        b"\xffvote",
        b"\x03" + bytes(31),
        b"\x03" + bytes(33),
        b"\x04",
        b"\x04" + bytes(7),
        b"\x04" + bytes(9),
    ],
)
def test_anything_else_is_refused(message: bytes) -> None:
    with pytest.raises(InvalidInput):
        wire.decode(message)


def test_a_message_has_a_greatest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_MESSAGE_BYTES", 100)
    assert wire.decode(b"\x01" * 100) == (Kind.ENGINE, b"\x01" * 99)
    with pytest.raises(InvalidInput) as caught:
        wire.decode(b"\x01" * 101)
    assert caught.value.actual == 101
