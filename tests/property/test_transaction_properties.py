"""Transactions against eth_account, an independent implementation, and against damage."""

from contextlib import suppress

import pytest
import rlp
from eth_account import Account as Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.core.transactions import (
    DYNAMIC_FEE,
    LEGACY,
    MAX_CHAIN_ID,
    Transaction,
    decode_transaction,
    known,
    sign_transaction,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.rlp import list_header

ACCOUNT = Account.from_key(b"\x11" * 32)

integers = st.integers(0, 255) | st.integers(0, 2**64)
addresses = st.binary(min_size=20, max_size=20)
keys = st.binary(min_size=32, max_size=32)
access_lists = st.lists(st.tuples(addresses, st.lists(keys, max_size=3)), max_size=3)


@st.composite
def fields(draw):
    """The arguments of sign_transaction, for any of the three types."""
    to = draw(addresses | st.none())
    chosen = {
        "chain_id": draw(st.integers(1, 3) | st.integers(1, MAX_CHAIN_ID)),
        "nonce": draw(st.integers(0, 300) | st.integers(0, 2**64 - 2)),
        "to": to,
        "gas": draw(st.integers(200_000, 2**64 - 1)),
        "value": draw(integers | st.integers(0, 2**256 - 1)),
        "data": draw(st.binary(max_size=80)),
    }
    price = draw(integers)
    kind = draw(st.integers(0, 2))
    if kind == 2:
        chosen["max_fee_per_gas"] = price
        chosen["max_priority_fee_per_gas"] = draw(st.integers(0, price))
    else:
        chosen["gas_price"] = price
    if kind:
        chosen["access_list"] = draw(access_lists)
    return chosen


def oracle_form(chosen):
    """The same in the words of eth_account."""
    names = {
        "chain_id": "chainId",
        "gas_price": "gasPrice",
        "max_fee_per_gas": "maxFeePerGas",
        "max_priority_fee_per_gas": "maxPriorityFeePerGas",
    }
    form = {names.get(name, name): value for name, value in chosen.items() if name != "access_list"}
    if form["to"] is None:
        form["to"] = b""
    if "access_list" in chosen:
        form["type"] = 1 if "gas_price" in chosen else 2
        form["accessList"] = [
            {"address": address, "storageKeys": ["0x" + key.hex() for key in storage_keys]}
            for address, storage_keys in chosen["access_list"]
        ]
    return form


@given(fields())
@settings(max_examples=60)
def test_signing_equals_eth_account(chosen):
    signed = sign_transaction(ACCOUNT, **chosen)
    expected = Oracle.sign_transaction(oracle_form(chosen), ACCOUNT.secret_key)
    assert signed.raw == expected.raw_transaction
    assert signed.hash == expected.hash
    assert (signed.v, signed.r, signed.s) == (expected.v, expected.r, expected.s)


@given(fields())
@settings(max_examples=60)
def test_decoding_gives_what_was_signed(chosen):
    raw = bytes(Oracle.sign_transaction(oracle_form(chosen), ACCOUNT.secret_key).raw_transaction)
    known.clear()
    transaction = decode_transaction(raw)
    assert transaction.sender == ACCOUNT.address
    for name, value in chosen.items():
        if name == "access_list":
            value = tuple((address, tuple(storage_keys)) for address, storage_keys in value)
        assert getattr(transaction, name) == value
    assert encoding_of(transaction) == raw


def encoding_of(transaction: Transaction) -> bytes:
    """Encode the attributes anew, with another implementation of RLP."""
    t = transaction
    prices = [t.max_fee_per_gas]
    if t.type == DYNAMIC_FEE:
        prices.insert(0, t.max_priority_fee_per_gas)
    items = [t.nonce, *prices, t.gas, t.to or b"", t.value, t.data]
    if t.type == LEGACY:
        return rlp.encode([*items, t.v, t.r, t.s])
    entries = [[address, list(storage_keys)] for address, storage_keys in t.access_list]
    return bytes([t.type]) + rlp.encode([t.chain_id, *items, entries, t.v, t.r, t.s])


BASES = [
    sign_transaction(ACCOUNT, **{"chain_id": 31337, "nonce": 1, "to": bytes(20), "gas": 10**6, **changes}).raw
    for changes in (
        {"gas_price": 10**9, "data": b"\xa9\x05\x9c\xbb" + bytes(64)},
        {"gas_price": 10**9, "value": 10**18},
        {"gas_price": 10**9, "access_list": [(bytes(20), [bytes(32)])]},
        {"max_fee_per_gas": 10**9, "max_priority_fee_per_gas": 1, "data": b"\xa9\x05\x9c\xbb" + bytes(64)},
        {"max_fee_per_gas": 10**9, "value": 10**18, "access_list": [(bytes(20), [])]},
        {"max_fee_per_gas": 10**9, "to": None, "data": b"\xfe"},
    )
]


@st.composite
def damaged(draw):
    """A signed transaction after a few changes of single bytes, cuts and insertions."""
    raw = bytearray(draw(st.sampled_from(BASES)))
    for _change in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw) - 1))
        match draw(st.sampled_from(["set", "set", "flip", "delete", "insert", "repeat"])):
            case "set":
                raw[at] = draw(
                    st.sampled_from([0, 1, 0x7F, 0x80, 0x81, 0xB7, 0xB8, 0xBF, 0xC0, 0xF7, 0xF8, 0xFF])
                )
            case "flip":
                raw[at] ^= 1 << draw(st.integers(0, 7))
            case "delete" if len(raw) > 1:
                del raw[at]
            case "insert":
                raw.insert(at, draw(st.integers(0, 255)))
            case "repeat":
                raw[at:at] = raw[at : at + draw(st.integers(1, 40))]
    return bytes(raw)


def decodes_well_or_not_at_all(raw):
    try:
        transaction = decode_transaction(raw)
    except InvalidInput:
        return
    assert transaction.raw == raw
    assert encoding_of(transaction) == raw
    with suppress(InvalidInput):
        assert len(transaction.sender) == 20


@given(damaged())
@settings(max_examples=400)
def test_damaged_transactions(raw):
    known.clear()
    decodes_well_or_not_at_all(raw)


@pytest.mark.long
@given(damaged())
@settings(max_examples=30_000)
def test_many_damaged_transactions(raw):
    known.clear()
    decodes_well_or_not_at_all(raw)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x01", b"\x02", b"\xf8\x80", b"\x02\xf8\x80", b"\x01\xc8"]),
)
def test_arbitrary_bytes(rest, start):
    decodes_well_or_not_at_all(start + rest)


@pytest.mark.parametrize(
    "raw", [b"\x01" + b"\xf8\xff" * 9, b"\x02" + b"\xc1" * 100_000 + b"\xc0", b"\xff" + b"\xff" * 300]
)
def test_deep_nesting_and_huge_lengths(raw):
    with pytest.raises(InvalidInput):
        decode_transaction(raw)


@pytest.mark.parametrize("depth", [2, 3, 50_000])
def test_deep_nesting_in_the_access_list(depth):
    pieces, size = [], 0
    for _level in range(depth):
        pieces.append(list_header(size))
        size += len(pieces[-1])
    nested = b"".join(reversed(pieces))
    before = rlp.encode([1, 0, 0, 1, 10**6, bytes(20), 0, b""])[1:]
    payload = before + nested + b"\x01\x01\x01"
    with pytest.raises(InvalidInput, match="entry"):
        decode_transaction(b"\x02" + list_header(len(payload)) + payload)
