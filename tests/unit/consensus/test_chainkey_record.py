"""The durable record of a key machine: canonical, checked, and forgetful."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.chainkey.record import CeremonyRecord, KeyRecord, Received
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import Encodable, rlp_encode

ADDRESS, SEED, NAME = b"\xaa" * 20, b"\x05" * 32, b"\x06" * 32


def full() -> KeyRecord:
    ceremony = CeremonyRecord(
        NAME,
        b"\x07" * 32,
        closed=True,
        received={2: Received(b"c" * 96, (5, 2**255), b"a" * 65), 1: Received(b"d" * 96, (1,), b"b" * 65)},
        acks={3: {1: b"s" * 65, 0: b"t" * 65}, 2: {}},
        logs={3: b"log", 2: b""},
    )
    keys = {b"\x02" * 32: {2: 9, 1: 8}, b"\x01" * 32: {}}
    return KeyRecord(77, ADDRESS, SEED, 1234, keys, ceremony)


@pytest.mark.parametrize(
    "record", [full(), KeyRecord(0, ADDRESS, SEED), replace(full(), ceremony=CeremonyRecord(NAME, SEED))]
)
def test_what_is_encoded_is_decoded(record: KeyRecord) -> None:
    assert KeyRecord.decode(record.encode()) == record


def test_a_new_ceremony_takes_the_place_of_the_old_and_the_seed_moves_on() -> None:
    record = full()
    ceremony = record.begin(b"\x09" * 32)
    assert record.ceremony is ceremony
    assert ceremony == CeremonyRecord(b"\x09" * 32, keccak256(SEED + b"ceremony" + b"\x09" * 32))
    assert record.seed == keccak256(SEED + b"next")
    assert SEED not in record.encode()


def test_every_damaged_byte_is_noticed() -> None:
    encoded = full().encode()
    for at in range(len(encoded)):
        damaged = bytearray(encoded)
        damaged[at] ^= 1
        with pytest.raises(InvalidInput):
            KeyRecord.decode(bytes(damaged))
    for short in (b"", encoded[:31], encoded[:-1], encoded + b"\0"):
        with pytest.raises(InvalidInput):
            KeyRecord.decode(short)


def sealed(*items: Encodable) -> bytes:
    body = rlp_encode(list(items))
    return body + keccak256(body)


HEAD = (1, 77, ADDRESS, 0, SEED)


@pytest.mark.parametrize(
    "items",
    [
        (),
        (2, 77, ADDRESS, 0, SEED, [], []),
        (*HEAD, b"", []),
        (*HEAD, [], [NAME]),
        (*HEAD, [b"name"], []),
        (*HEAD, [[b"name"]], []),
        (*HEAD, [[b"name", b"shares"]], []),
        (*HEAD, [[b"name", [[1, []]]]], []),
        (*HEAD, [[b"name", [[1, b"short"]]]], []),
        (*HEAD, [[b"name", [[1, b"\1" * 33]]]], []),
        (*HEAD, [], [NAME, SEED, 0, [[1, b"c", [b"\1" * 33], b"a"]], [], []]),
        (*HEAD, [[b"b", []], [b"a", []]], []),
        (*HEAD, [], [NAME, SEED, 2, [], [], []]),
        (*HEAD, [], [NAME, SEED, 0, [b"dealing"], [], []]),
        (*HEAD, [], [NAME, SEED, 0, [[1, b"c", [[]], b"a"]], [], []]),
        (*HEAD, [], [NAME, SEED, 0, [], [[1, [[1, []]]]], []]),
        (*HEAD, [], [NAME, SEED, 0, [], [], [[1, []]]]),
    ],
)
def test_other_contents_are_refused(items: tuple[Encodable, ...]) -> None:
    with pytest.raises(InvalidInput):
        KeyRecord.decode(sealed(*items))
