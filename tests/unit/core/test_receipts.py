"""Receipts: what the block commits to, what is stored, and what is refused."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.bloom import bloom_bits
from chainstack_sdk.core.receipts import (
    Log,
    Receipt,
    decode_receipts,
    encode_log,
    encode_receipt,
    logs_bloom,
    receipt_item,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

TOKEN, FEED = b"\x11" * 20, b"\x22" * 20
TOPICS = tuple(bytes([number]) * 32 for number in range(1, 5))
LOGS = (Log(TOKEN, TOPICS, b"\x00" * 300), Log(FEED, (), b""), Log(FEED, TOPICS[:1], b"\x07"))


def receipt(**changes: object) -> Receipt:
    logs = changes.get("logs", LOGS)
    return Receipt(
        transaction_hash=b"\xaa" * 32,
        status=1,
        cumulative_gas_used=63_000,
        bloom=logs_bloom(logs),  # type: ignore[arg-type]
        logs=LOGS,
        gas_used=21_000,
        effective_gas_price=10**9,
        height=7,
        transaction_index=2,
        contract_address=None,
        output=b"",
    )._replace(**changes)


FAILED = receipt(status=0, logs=(), output=b"\x08\xc3\x79\xa0")
ISSUED = receipt(contract_address=b"\x33" * 20, output=bytes(64))


def as_lists(log: Log) -> list[object]:
    return [log.address, list(log.topics), log.data]


@pytest.mark.parametrize("one", [receipt(), FAILED, ISSUED, receipt(logs=LOGS[1:])])
def test_the_item_is_the_documented_list(one: Receipt) -> None:
    bloom_hash = keccak256(one.bloom.to_bytes(256, "big"))
    fields = [one.transaction_hash, one.status, one.cumulative_gas_used, bloom_hash]
    assert receipt_item(one) == rlp_encode([*fields, [as_lists(log) for log in one.logs]])


def test_what_the_item_leaves_open() -> None:
    """Everything a proof is about changes the item; what the chain recomputes does not."""
    base = receipt()
    inside = {
        "transaction_hash": b"\xab" * 32,
        "status": 0,
        "cumulative_gas_used": 63_001,
        "bloom": base.bloom ^ 1,
        "logs": LOGS[:2],
    }
    for name, value in inside.items():
        assert receipt_item(base._replace(**{name: value})) != receipt_item(base), name
    assert receipt_item(base._replace(gas_used=1, output=b"x", height=9)) == receipt_item(base)


@pytest.mark.parametrize("log", LOGS)
def test_a_log_is_the_documented_list(log: Log) -> None:
    assert rlp_decode(encode_log(log)) == as_lists(log)


def test_the_bloom_has_every_address_and_topic() -> None:
    expected = 0
    for item in (TOKEN, FEED, *TOPICS):
        expected |= bloom_bits(item)
    assert logs_bloom(LOGS) == expected
    assert logs_bloom(()) == 0


def test_status() -> None:
    assert receipt().succeeded
    assert not FAILED.succeeded


def stored(*receipts: Receipt) -> bytes:
    return rlp_encode([rlp_decode(encode_receipt(one)) for one in receipts])


@pytest.mark.parametrize("receipts", [(), (receipt(),), (receipt(), FAILED, ISSUED)])
def test_what_was_stored_comes_back(receipts: tuple[Receipt, ...]) -> None:
    assert decode_receipts(stored(*receipts)) == receipts


FIELDS = rlp_decode(encode_receipt(receipt()))
LOG = as_lists(LOGS[0])


def with_field(at: int, value: object) -> list[object]:
    return [*FIELDS[:at], value, *FIELDS[at + 1 :]]


def with_log(log: object) -> list[object]:
    return with_field(3, [LOG, log])


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("a string in place of a receipt", b"receipt"),
        ("no fields", []),
        ("a field missing", FIELDS[:-1]),
        ("a field too many", [*FIELDS, b""]),
        ("a short transaction hash", with_field(0, b"\xaa" * 31)),
        ("a list as transaction hash", with_field(0, [])),
        ("a status above one", with_field(1, b"\x02")),
        ("a list as status", with_field(1, [])),
        ("a leading zero in a number", with_field(2, b"\x00\x01")),
        ("a number above eight bytes", with_field(2, b"\x01" * 9)),
        ("a string as logs", with_field(3, b"logs")),
        ("a list as gas", with_field(4, [])),
        ("gas above eight bytes", with_field(4, b"\x01" * 9)),
        ("a price above 32 bytes", with_field(5, b"\x01" * 33)),
        ("a height above eight bytes", with_field(6, b"\x01" * 9)),
        ("an index above eight bytes", with_field(7, b"\x01" * 9)),
        ("a contract address of 19 bytes", with_field(8, b"\x33" * 19)),
        ("a list as output", with_field(9, [])),
        ("a string in place of a log", with_log(b"log")),
        ("a log of two parts", with_log(LOG[:2])),
        ("a log's address of 21 bytes", with_log([b"\x11" * 21, *LOG[1:]])),
        ("topics that are a string", with_log([TOKEN, b"topics", b""])),
        ("five topics", with_log([TOKEN, [*TOPICS, TOPICS[0]], b""])),
        ("a topic of 31 bytes", with_log([TOKEN, [b"\x01" * 31], b""])),
        ("a list as topic", with_log([TOKEN, [[]], b""])),
        ("a list as data", with_log([TOKEN, [], []])),
    ],
)
def test_malformed_receipts_are_refused(name: str, item: object) -> None:
    with pytest.raises(InvalidInput):
        decode_receipts(rlp_encode([FIELDS, item]))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xc1", rlp_encode(b"receipts")])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_receipts(data)
