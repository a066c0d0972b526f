from __future__ import annotations

import pytest

from chainstack_sdk.apps.jsonrpc import parameters as p
from chainstack_sdk.primitives.errors import InvalidInput

ADDRESS = "0x" + "aB" * 20
HASH = "0x" + "c0" * 32

GOOD = [
    (p.boolean, True, True),
    (p.boolean, False, False),
    (p.data, "0x", b""),
    (p.data, "0x00fF", b"\x00\xff"),
    (p.address, ADDRESS, b"\xab" * 20),
    (p.hash32, HASH, b"\xc0" * 32),
    (p.uint64, "0x0", 0),
    (p.uint64, "0xfF", 255),
    (p.uint64, "0x" + "f" * 16, 2**64 - 1),
    (p.uint256, "0x" + "f" * 64, 2**256 - 1),
    (p.slot, "0x" + "0" * 63 + "1", 1),
    (p.slot, "0x00", 0),
    (p.slot, "0xf", 15),
    (p.count, 0, 0),
    (p.count, 2**64 - 1, 2**64 - 1),
    (p.count, "0x10", 16),
    (p.height, "0x10", 16),
    (p.height, "earliest", 0),
    (p.height, "latest", p.LATEST),
    (p.height, "safe", p.FINALIZED),
    (p.height, "finalized", p.FINALIZED),
    (p.height, "pending", p.PENDING),
    (p.block, "0x10", 16),
    (p.block, "latest", p.LATEST),
    (p.block, HASH, b"\xc0" * 32),
    (p.block, {"blockNumber": "0x1"}, 1),
    (p.block, {"blockNumber": "pending"}, p.PENDING),
    (p.block, {"blockHash": HASH}, b"\xc0" * 32),
    (p.block, {"blockHash": HASH, "requireCanonical": True}, b"\xc0" * 32),
    (p.array(p.data, most=2), [], ()),
    (p.array(p.data, most=2), ["0x", "0x01"], (b"", b"\x01")),
]

NOT_STRINGS = [None, True, 1, 1.5, [], {}, b"0x1", ["0x1"]]
BAD_HEX = ["", "0x", "1", "0X1", "x1", "0xg", "0x1 ", " 0x1", "0x 1", "0x+1", "0x-1", "0x1_0", "0x\u0661"]
BAD = {
    p.boolean: [None, 0, 1, "true", []],
    p.data: [
        *NOT_STRINGS,
        "",
        "0",
        "0x1",
        "00",
        "0X00",
        "0x0g",
        "0x 00",
        "0x00 00",
        "0x00 ",
        "0x0\n0",
        "0x\u0660\u0660",
    ],
    p.address: [*NOT_STRINGS, "0x", ADDRESS[:-1], ADDRESS[:-2], ADDRESS + "00", "0x" + "zz" * 20],
    p.hash32: [*NOT_STRINGS, "0x", HASH[:-2], HASH + "00", "0x" + " " * 64, "0x" + "00" * 31 + " 0"],
    p.uint64: [*NOT_STRINGS, *BAD_HEX, "0x00", "0x01", "0x1" + "0" * 16],
    p.uint256: [*NOT_STRINGS, *BAD_HEX, "0x00", "0x1" + "0" * 64],
    p.slot: [*NOT_STRINGS, *BAD_HEX, "0x" + "0" * 65],
    p.count: [None, True, False, -1, 2**64, 1.0, "1", "0x01", [], {}],
    p.height: [*NOT_STRINGS, "Latest", "head", "0x01", HASH],
    p.block: [
        *(value for value in NOT_STRINGS if value != {}),
        {},
        {"blockNumber": "0x1", "blockHash": HASH},
        {"blockNumber": HASH},
        {"blockNumber": None},
        {"blockHash": "0x1"},
        {"blockHash": HASH, "requireCanonical": "yes"},
        "0x" + "zz" * 32,
    ],
    p.array(p.boolean, most=2): [None, {}, "[]", (True,), [True] * 3, [True, None]],
}


@pytest.mark.parametrize(("parse", "value", "expected"), GOOD)
def test_what_is_accepted(parse, value, expected) -> None:
    parsed = parse(value)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(
    ("parse", "value"), [(parse, value) for parse, values in BAD.items() for value in values]
)
def test_what_is_refused(parse, value) -> None:
    with pytest.raises(InvalidInput):
        parse(value)
