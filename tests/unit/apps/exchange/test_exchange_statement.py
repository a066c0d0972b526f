"""Statements and envelopes, byte by byte, and everything that does not open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import Account, InvalidInput, UsageError
from chainstack_sdk.apps.exchange import MAX_RESULT, AnswerRefused, Statement, open_result, seal_result
from chainstack_sdk.primitives.envelope import open_key, seal
from chainstack_sdk.primitives.keccak import keccak256

ANN, BEN = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
KEY, SEED = open_key(b"k" * 32), b"s" * 32
STATEMENT = Statement(7, b"t" * 20, ANN.address, b"a" * 32, b"q" * 32, b"d" * 32)
RESULT = b"17000"
SIGNATURE = ANN.sign(STATEMENT.digest(RESULT))


def sealed(result: bytes = RESULT, signature: bytes = SIGNATURE, room: int = 16, **changes) -> bytes:
    statement = replace(STATEMENT, **changes)
    return seal_result(statement, result, signature, key=KEY.public, room=room, seed=SEED)


ENVELOPE = sealed()


def test_the_layout_of_a_statement() -> None:
    assert STATEMENT.context() == b"chainstack-answer-v1" + (7).to_bytes(32, "big") + b"t" * 20 + ANN.address
    assert STATEMENT.encode(RESULT) == (
        STATEMENT.context() + b"a" * 32 + b"q" * 32 + b"d" * 32 + keccak256(RESULT)
    )
    assert (len(STATEMENT.context()), len(STATEMENT.encode(RESULT))) == (92, 220)
    assert STATEMENT.digest(RESULT) == keccak256(STATEMENT.encode(RESULT))


def test_the_layout_of_an_envelope() -> None:
    content = KEY.open(ENVELOPE, STATEMENT.context())
    assert content == SIGNATURE + bytes([0, 0, 0, 5]) + RESULT + bytes(11)
    assert len(ENVELOPE) == 48 + 65 + 4 + 16
    assert open_result(ENVELOPE, KEY, STATEMENT) == (RESULT, SIGNATURE)


def test_the_size_tells_nothing_of_the_result() -> None:
    for result in (b"", b"0", b"x" * 16):
        made = sealed(result, ANN.sign(STATEMENT.digest(result)))
        assert len(made) == len(ENVELOPE)
        assert open_result(made, KEY, STATEMENT)[0] == result


@pytest.mark.parametrize("field", ["chain_id", "task", "provider"])
def test_an_envelope_opens_for_its_place_only(field: str) -> None:
    other = {"chain_id": 8, "task": b"u" * 20, "provider": BEN.address}[field]
    with pytest.raises(AnswerRefused, match="does not open"):
        open_result(ENVELOPE, KEY, replace(STATEMENT, **{field: other}))


@pytest.mark.parametrize("field", ["applet", "specification", "data"])
def test_a_signature_holds_for_its_statement_only(field: str) -> None:
    with pytest.raises(AnswerRefused, match="signed by another"):
        open_result(ENVELOPE, KEY, replace(STATEMENT, **{field: b"x" * 32}))


def test_anothers_signature_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="signed by another"):
        open_result(sealed(signature=BEN.sign(STATEMENT.digest(RESULT))), KEY, STATEMENT)
    with pytest.raises(AnswerRefused, match="signed by another"):
        open_result(sealed(b"17001"), KEY, STATEMENT)
    with pytest.raises(AnswerRefused, match="not signed"):
        open_result(sealed(signature=bytes(65)), KEY, STATEMENT)


def test_another_key_does_not_open() -> None:
    with pytest.raises(AnswerRefused, match="does not open"):
        open_result(ENVELOPE, open_key(b"x" * 32), STATEMENT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SIGNATURE,
        SIGNATURE + bytes(3),
        SIGNATURE + bytes([0, 0, 0, 6]) + RESULT,
        SIGNATURE + bytes([255] * 4) + RESULT,
        SIGNATURE + bytes([0, 0, 0, 5]) + RESULT + b"\0\1",
    ],
)
def test_malformed_content_is_refused(content: bytes) -> None:
    made = seal(KEY.public, content, STATEMENT.context(), SEED)
    with pytest.raises(AnswerRefused, match="malformed"):
        open_result(made, KEY, STATEMENT)


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(1, 255))
def test_a_changed_envelope_does_not_open(at: int, change: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[at] ^= change
    with pytest.raises(AnswerRefused):
        open_result(bytes(changed), KEY, STATEMENT)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_they_should(envelope: bytes) -> None:
    with pytest.raises(AnswerRefused):
        open_result(envelope, KEY, STATEMENT)


def test_what_cannot_be_sealed_is_refused() -> None:
    with pytest.raises(UsageError, match="does not find room"):
        sealed(room=4)
    with pytest.raises(UsageError, match="does not find room"):
        sealed(room=MAX_RESULT + 1)
    with pytest.raises(UsageError, match="65 bytes"):
        sealed(signature=SIGNATURE[:64])
    with pytest.raises(UsageError, match="at least 32 bytes"):
        seal_result(STATEMENT, RESULT, SIGNATURE, key=KEY.public, room=16, seed=b"short")
    with pytest.raises(InvalidInput, match="no public key"):
        seal_result(STATEMENT, RESULT, SIGNATURE, key=bytes(32), room=16, seed=SEED)
