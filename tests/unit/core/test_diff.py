"""Reverse diffs: their encoding, and everything that is refused."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

ALICE, BOB, TOKEN = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ONE, TWO = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")

FULL = StateDiff(
    nonces={BOB: 3, ALICE: 0},
    balances={ALICE: 2**256 - 1, TOKEN: 0},
    codes={TOKEN: b"\xef\x43code", BOB: b""},
    storage={TOKEN: {TWO: 7, ONE: 0}, ALICE: {}},
)


@pytest.mark.parametrize("diff", [FULL, StateDiff(), StateDiff(codes={TOKEN: b""})])
def test_a_diff_comes_back(diff: StateDiff) -> None:
    assert StateDiff.decode(diff.encode()) == diff


def test_the_encoding_is_in_key_order() -> None:
    assert rlp_decode(FULL.encode()) == [
        [[ALICE, b""], [BOB, b"\x03"]],
        [[ALICE, b"\xff" * 32], [TOKEN, b""]],
        [[BOB, b""], [TOKEN, b"\xef\x43code"]],
        [[ALICE, []], [TOKEN, [[ONE, b""], [TWO, b"\x07"]]]],
    ]


def test_addresses_come_once_and_in_a_fixed_order() -> None:
    assert list(FULL.addresses()) == [BOB, ALICE, TOKEN]
    assert list(StateDiff().addresses()) == []


PARTS = rlp_decode(FULL.encode())


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("a string", b"diff"),
        ("addresses out of order", [PARTS[0][::-1], *PARTS[1:]]),
        ("an address twice", [[PARTS[0][0]] * 2, *PARTS[1:]]),
        ("slots out of order", [*PARTS[:3], [[TOKEN, [[TWO, b"\x01"], [ONE, b"\x01"]]]]]),
        ("storage out of order", [*PARTS[:3], PARTS[3][::-1]]),
        ("three tables", PARTS[:3]),
        ("five tables", [*PARTS, []]),
        ("a string as table", [b"", *PARTS[1:]]),
        ("a string as entry", [[ALICE], *PARTS[1:]]),
        ("an entry of three", [[[ALICE, b"", b""]], *PARTS[1:]]),
        ("a short address of a nonce", [[[ALICE[1:], b""]], *PARTS[1:]]),
        ("a leading zero", [[[ALICE, b"\x00"]], *PARTS[1:]]),
        ("a balance of 33 bytes", [PARTS[0], [[ALICE, b"\x01" * 33]], *PARTS[2:]]),
        ("a list as balance", [PARTS[0], [[ALICE, []]], *PARTS[2:]]),
        ("a short address of a code", [*PARTS[:2], [[ALICE[1:], b""]], PARTS[3]]),
        ("a list as code", [*PARTS[:2], [[ALICE, []]], PARTS[3]]),
        ("a short address of storage", [*PARTS[:3], [[ALICE[1:], []]]]),
        ("a string as storage", [*PARTS[:3], [[ALICE, b""]]]),
        ("a short slot", [*PARTS[:3], [[ALICE, [[ONE[1:], b""]]]]]),
    ],
)
def test_malformed_diffs_are_refused(name: str, item: object) -> None:
    with pytest.raises(InvalidInput):
        StateDiff.decode(rlp_encode(item))  # type: ignore[arg-type]
