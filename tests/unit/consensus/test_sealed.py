from __future__ import annotations

import pytest

from chainstack_sdk.consensus import sealed
from chainstack_sdk.consensus.sealed import (
    SealedHeader,
    decode_announcement,
    decode_branch,
    encode_announcement,
    encode_branch,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing import bare_chain, extend

CHAIN = bare_chain()
HEADERS = [extend(CHAIN).header for _ in range(3)]


def test_announcements_round_trip() -> None:
    message = encode_announcement(HEADERS[0], b"seal")
    assert decode_announcement(message) == SealedHeader(HEADERS[0], b"seal")
    assert decode_announcement(message).header.hash == HEADERS[0].hash


def test_branches_round_trip() -> None:
    branch = tuple(SealedHeader(header, bytes([index])) for index, header in enumerate(HEADERS))
    assert decode_branch(encode_branch(branch)) == branch
    assert decode_branch(encode_branch(())) == ()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"\x02" + encode_announcement(HEADERS[0], b"")[1:],
        b"\x01" + rlp_encode([HEADERS[0].encode()]),
        b"\x01" + rlp_encode([HEADERS[0].encode(), []]),
        b"\x01" + rlp_encode([b"", b""]),
        b"\x01" + rlp_encode(b"text"),
        encode_announcement(HEADERS[0], b"") + b"\0",
        encode_announcement(HEADERS[0], bytes(sealed.MAX_ANNOUNCEMENT)),
    ],
)
def test_other_messages_are_refused(message: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_announcement(message)


def test_other_branches_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    branch = encode_branch(SealedHeader(header, b"") for header in HEADERS)
    for data in (b"", b"\x01", rlp_encode([b""]), rlp_encode([[b""]]), branch + b"\0"):
        with pytest.raises(InvalidInput):
            decode_branch(data)
    monkeypatch.setattr(sealed, "MAX_BRANCH", 2)
    with pytest.raises(InvalidInput, match="list of sealed headers"):
        decode_branch(branch)
