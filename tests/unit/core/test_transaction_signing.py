import pytest

from chainstack_sdk.core.gas import MAX_INITCODE_SIZE
from chainstack_sdk.core.transactions import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    MAX_CHAIN_ID,
    decode_transaction,
    known,
    sign_transaction,
)
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keys import Account, N

ACCOUNT = Account.from_key(b"\x01" * 32)
OTHER = Account.from_key(b"\x02" * 32)
TO = OTHER.address
KEY = b"\x03" * 32
CALL = {"chain_id": 31337, "nonce": 0, "to": TO, "gas": 100_000}
FEES = {"max_fee_per_gas": 1_000, "max_priority_fee_per_gas": 10}

ALL_FIELDS = [
    "raw",
    "hash",
    "type",
    "chain_id",
    "nonce",
    "max_priority_fee_per_gas",
    "max_fee_per_gas",
    "gas",
    "to",
    "value",
    "data",
    "access_list",
    "cost",
    "intrinsic_gas",
    "signing_hash",
    "signature",
    "r",
    "s",
    "y_parity",
    "v",
    "sender",
]


def sign(signer=ACCOUNT, **changes):
    fields = {**CALL, **FEES, **changes}
    if "gas_price" in changes:
        del fields["max_fee_per_gas"], fields["max_priority_fee_per_gas"]
    return sign_transaction(signer, **fields)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, DYNAMIC_FEE),
        ({"access_list": [(TO, [KEY, KEY]), (OTHER, [])]}, DYNAMIC_FEE),
        ({"access_list": []}, DYNAMIC_FEE),
        ({"max_priority_fee_per_gas": None}, DYNAMIC_FEE),
        ({"gas_price": 7}, LEGACY),
        ({"gas_price": 0}, LEGACY),
        ({"gas_price": 7, "access_list": []}, ACCESS_LIST),
        ({"gas_price": 7, "access_list": [(TO, [KEY])]}, ACCESS_LIST),
        ({"to": None, "data": b"\x01" * 100}, DYNAMIC_FEE),
        ({"to": None, "gas_price": 1}, LEGACY),
        ({"data": bytes(300), "value": 2**256 - 1, "nonce": 2**64 - 2}, DYNAMIC_FEE),
        ({"chain_id": MAX_CHAIN_ID, "gas_price": 2**192, "gas": 2**64 - 1}, LEGACY),
        ({"chain_id": 1, "gas_price": 3}, LEGACY),
    ],
    ids=str,
)
def test_what_is_signed_decodes_to_the_same(changes, kind):
    signed = sign(**changes)
    known.clear()
    decoded = decode_transaction(signed.raw)
    assert decoded is not signed
    assert decoded.type == kind
    for name in ALL_FIELDS:
        assert getattr(decoded, name) == getattr(signed, name), name
    assert decoded.sender == ACCOUNT.address


def test_short_r_and_s_lose_their_leading_zeros():
    known.clear()
    lengths = set()
    for nonce in range(2_000):
        signed = sign(nonce=nonce)
        lengths.add((signed.r.bit_length() + 7) // 8)
        assert decode_transaction(signed.raw).signature == signed.signature
        if len(lengths) > 1:
            break
    assert lengths >= {31, 32}
    known.clear()
    assert decode_transaction(signed.raw).signature == signed.signature


def test_fees_default():
    assert sign(max_priority_fee_per_gas=None).max_priority_fee_per_gas == 0
    assert sign(gas_price=5).max_priority_fee_per_gas == 5


@pytest.mark.parametrize("to", [OTHER, to_checksum_address(TO), "0x" + TO.hex(), TO])
def test_forms_of_an_address(to):
    assert sign(to=to).to == TO


@pytest.mark.parametrize(
    "data",
    [b"\x01\x02", bytearray(b"\x01\x02"), memoryview(b"\x01\x02"), type("Hex", (bytes,), {})(b"\x01\x02")],
)
def test_forms_of_data(data):
    transaction = sign(data=data)
    assert transaction.data == b"\x01\x02"
    assert type(transaction.data) is type(transaction.raw) is bytes


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"chain_id": 0}, "chain_id is out of range"),
        ({"chain_id": MAX_CHAIN_ID + 1}, "chain_id is out of range"),
        ({"chain_id": None}, "chain_id is a whole number"),
        ({"nonce": -1}, "nonce is out of range"),
        ({"nonce": 2**64 - 1}, "nonce is out of range"),
        ({"nonce": 1.0}, "nonce is a whole number"),
        ({"gas": 2**64}, "gas is out of range"),
        ({"gas": -1}, "gas is out of range"),
        ({"gas": 20_999}, "below the intrinsic gas"),
        ({"value": -1}, "value is out of range"),
        ({"value": 2**256}, "value is out of range"),
        ({"value": "1"}, "value is a whole number"),
        ({"max_fee_per_gas": 2**256}, "price per gas is out of range"),
        ({"max_fee_per_gas": -1, "max_priority_fee_per_gas": None}, "price per gas is out of range"),
        ({"max_fee_per_gas": 2**250}, "overflows"),
        ({"max_fee_per_gas": None}, "name a price"),
        ({"max_fee_per_gas": None, "max_priority_fee_per_gas": None}, "name a price"),
        ({"max_priority_fee_per_gas": 1_001}, "priority fee per gas is out of range"),
        ({"max_priority_fee_per_gas": -1}, "priority fee per gas is out of range"),
        ({"to": b"\x01" * 19}, "20 bytes"),
        ({"to": 5}, "an address is"),
        ({"data": "0x"}, "data is bytes"),
        ({"to": None, "data": bytes(MAX_INITCODE_SIZE + 1), "gas": 10**6}, "init code is too long"),
        ({"access_list": [(TO[1:], [])]}, "20 bytes"),
        ({"access_list": [(TO, [KEY[1:]])]}, "32 bytes"),
        ({"access_list": [(TO, [5])]}, "32 bytes"),
    ],
    ids=str,
)
def test_arguments_out_of_range(changes, match):
    before = len(known)
    with pytest.raises(UsageError, match=match):
        sign(**changes)
    assert len(known) == before


@pytest.mark.parametrize("extra", ["max_fee_per_gas", "max_priority_fee_per_gas"])
def test_prices_that_exclude_each_other(extra):
    with pytest.raises(UsageError, match="gas_price excludes"):
        sign_transaction(ACCOUNT, **CALL, gas_price=1, **{extra: 1})


class Wallet:
    """A signer that is no Account."""

    def __init__(self, address=ACCOUNT.address, change=lambda signature: signature):
        self.address = address
        self.change = change

    def sign(self, digest):
        return self.change(ACCOUNT.sign(digest))


def high_s(signature):
    s = N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([1 - signature[64]])


def test_another_signer():
    assert sign(Wallet()).raw == sign().raw
    assert sign(Wallet()).sender == ACCOUNT.address


@pytest.mark.parametrize(
    ("wallet", "match"),
    [
        (Wallet(address=TO), "not the signer's"),
        (Wallet(change=lambda signature: signature[:64] + bytes([signature[64] + 27])), "not the signer's"),
        (Wallet(change=lambda signature: signature[:64] + bytes([1 - signature[64]])), "not the signer's"),
        (Wallet(change=lambda signature: signature[:64]), "no valid signature"),
        (Wallet(change=lambda signature: signature + b"\0"), "no valid signature"),
        (Wallet(change=lambda signature: bytes(65)), "no valid signature"),
        (Wallet(change=high_s), "no valid signature"),
    ],
)
def test_signers_that_sign_wrongly(wallet, match):
    with pytest.raises(UsageError, match=match):
        sign(wallet)
