"""Recognising layouts must not change what decoding says."""

import pytest

from chainstack_sdk.core.transactions import layout
from chainstack_sdk.core.transactions.layout import split_transaction
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_encode

FIELDS = [31337, 9, 3, 1000, 100_000, bytes(range(20)), 0, b"\x80", [], 1, 2**255 + 1, 2**254 + 1]
NAMES = [
    "chain_id",
    "nonce",
    "max_priority_fee_per_gas",
    "max_fee_per_gas",
    "gas",
    "to",
    "value",
    "data",
    "access_list",
    "y_parity",
    "r",
    "s",
]


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(layout, "_layouts", {})
    monkeypatch.setattr(layout, "_offsets_missed", {})


def encode(**changes):
    return b"\x02" + rlp_encode([changes.get(name, value) for name, value in zip(NAMES, FIELDS, strict=True)])


def learn(raw):
    walked = split_transaction(raw)
    assert len(raw) not in layout._layouts
    split_transaction(raw)
    assert len(layout._layouts[len(raw)]) == 1
    kind, fields, head, signed = split_transaction(raw)
    assert (kind, list(fields), head, signed) == (walked[0], list(walked[1]), *walked[2:])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"y_parity": 0},
        {"data": b""},
        {"data": b"\0"},
        {"data": bytes(60)},
        {"to": b""},
        {"access_list": [[bytes(20), [bytes(32), bytes(32)]]]},
        {"access_list": [[bytes(20), []]]},
        {"nonce": 0},
        {"nonce": 128},
    ],
    ids=str,
)
def test_a_layout_gives_what_walking_gives(changes):
    learn(encode(**changes))


def test_a_layout_serves_other_values(monkeypatch):
    learn(encode())
    monkeypatch.setattr(layout, "_walk", None)
    other = encode(nonce=127, max_fee_per_gas=65_535, to=bytes(20), data=b"\xff", y_parity=0, r=2**256 - 1)
    kind, fields, _head, _signed = split_transaction(other)
    assert kind == 2
    assert list(fields)[:9] == [
        b"\x7a\x69",
        b"\x7f",
        b"\x03",
        b"\xff\xff",
        b"\x01\x86\xa0",
        bytes(20),
        b"",
        b"\xff",
        b"\xc0",
    ]
    assert fields[9:11] == (b"\x80", b"\xff" * 32)


# Every change of one byte, and what becomes of it, must be the same with and without a layout.
@pytest.mark.parametrize("changes", [{}, {"access_list": [[bytes(20), [bytes(32)]]], "value": 200}], ids=str)
def test_every_change_of_one_byte(changes, monkeypatch):
    raw = encode(**changes)
    learn(raw)
    layouts = layout._layouts
    recognised = 0
    for at in range(len(raw)):
        for byte in (0, 1, 0x7F, 0x80, 0x81, 0xA0, 0xC0, 0xF8, 0xFF, raw[at] ^ 1):
            changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
            monkeypatch.setattr(layout, "_layouts", {})
            try:
                expected = split_transaction(changed)
            except InvalidInput:
                expected = None
            monkeypatch.setattr(layout, "_layouts", dict(layouts))
            try:
                actual = split_transaction(changed)
            except InvalidInput:
                actual = None
            if actual and not expected:
                # left to the caller: the inside of the access list, the value of y parity
                assert actual[1][9] not in (b"\x80", b"\x01")
            else:
                assert (actual and [*map(bytes, actual[1])]) == (expected and [*map(bytes, expected[1])])
                recognised += expected is not None
    assert recognised > 500


def test_layouts_are_bounded():
    for size in (600, 601):
        for _time in range(3):
            split_transaction(encode(data=bytes(size)))
    assert not layout._layouts
    lengths = set()
    for nonce_size in range(2, 6):
        for value_size in range(2, 6):
            for fee_size in range(2, 6):
                raw = encode(
                    nonce=bytes([1] * nonce_size),
                    value=bytes([1] * value_size),
                    max_fee_per_gas=bytes([1] * fee_size),
                )
                lengths.add(len(raw))
                for _time in range(3):
                    split_transaction(raw)
    assert set(layout._layouts) == lengths
    assert max(len(layouts) for layouts in layout._layouts.values()) == layout._MAX_PER_LENGTH
