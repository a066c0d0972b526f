"""Decoding: one valid encoding of each type, then the same with exactly one thing wrong."""

import pickle

import pytest

from chainstack_sdk.core.transactions import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    MAX_CHAIN_ID,
    KnownTransactions,
    decode_transaction,
    known,
    sign_transaction,
)
from chainstack_sdk.core.transactions.access_list import decode_access_list, encode_access_list
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import HALF_N, Account, N
from chainstack_sdk.primitives.rlp import rlp_encode

TO = bytes(range(20))
KEY = bytes(range(32))
R, S = 2**255 + 12345, 2**254 + 67890
FIELDS = {
    "chain_id": 31337,
    "nonce": 9,
    "max_priority_fee_per_gas": 3,
    "max_fee_per_gas": 1000,
    "gas_price": 1000,
    "gas": 100_000,
    "to": TO,
    "value": 5,
    "data": b"\x00\x01\x02\x00",
    "access_list": [],
    "y_parity": 1,
    "v": 2 * 31337 + 36,
    "r": R,
    "s": S,
}
ORDER = {
    LEGACY: "nonce gas_price gas to value data v r s",
    ACCESS_LIST: "chain_id nonce gas_price gas to value data access_list y_parity r s",
    DYNAMIC_FEE: (
        "chain_id nonce max_priority_fee_per_gas max_fee_per_gas gas to value data access_list y_parity r s"
    ),
}
TYPES = [LEGACY, ACCESS_LIST, DYNAMIC_FEE]


def encode(kind=DYNAMIC_FEE, **changes):
    fields = {**FIELDS, **changes}
    envelope = bytes([kind]) if kind else b""
    return envelope + rlp_encode([fields[name] for name in ORDER[kind].split()])


def applies(kind, changes):
    return set(changes) <= set(ORDER[kind].split())


@pytest.mark.parametrize("kind", TYPES)
def test_fields(kind):
    raw = encode(kind)
    transaction = decode_transaction(raw)
    assert transaction.raw == transaction.encode() == raw
    assert transaction.hash == keccak256(raw)
    assert transaction.type == kind
    assert transaction.chain_id == 31337
    assert transaction.nonce == 9
    assert transaction.max_fee_per_gas == transaction.gas_price == 1000
    assert transaction.max_priority_fee_per_gas == (3 if kind == DYNAMIC_FEE else 1000)
    assert transaction.gas == 100_000
    assert transaction.to == TO
    assert not transaction.is_create
    assert transaction.value == 5
    assert transaction.data == b"\x00\x01\x02\x00"
    assert transaction.access_list == ()
    assert transaction.cost == 100_000 * 1000 + 5
    assert transaction.intrinsic_gas == 21_000 + 2 * 16 + 2 * 4
    assert (transaction.r, transaction.s, transaction.y_parity) == (R, S, 1)
    assert transaction.v == (2 * 31337 + 36 if kind == LEGACY else 1)
    assert repr(transaction) == f"<Transaction 0x{transaction.hash.hex()}>"


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_signed(kind):
    names = ORDER[kind].split()[:-3]
    payload = [FIELDS[name] for name in names] + ([31337, 0, 0] if kind == LEGACY else [])
    expected = keccak256((bytes([kind]) if kind else b"") + rlp_encode(payload))
    assert decode_transaction(encode(kind)).signing_hash == expected


def test_legacy_without_chain_id():
    transaction = decode_transaction(encode(LEGACY, v=28))
    assert transaction.chain_id is None
    assert (transaction.v, transaction.y_parity) == (28, 1)
    names = ORDER[LEGACY].split()[:-3]
    assert transaction.signing_hash == keccak256(rlp_encode([FIELDS[name] for name in names]))
    assert decode_transaction(encode(LEGACY, v=27)).y_parity == 0


def test_creation():
    transaction = decode_transaction(encode(to=b"", data=b"\x01" * 33))
    assert transaction.to is None
    assert transaction.is_create
    assert transaction.intrinsic_gas == 53_000 + 33 * 16 + 2 * 2


@pytest.mark.parametrize("kind", [ACCESS_LIST, DYNAMIC_FEE])
def test_access_list(kind):
    entries = [[TO, [KEY, KEY]], [bytes(20), []]]
    transaction = decode_transaction(encode(kind, access_list=entries))
    assert transaction.access_list == ((TO, (KEY, KEY)), (bytes(20), ()))
    assert transaction.intrinsic_gas == 21_040 + 2 * 2_400 + 2 * 1_900
    assert encode_access_list(transaction.access_list) == rlp_encode(entries)


def test_short_signature_integers_are_padded():
    transaction = decode_transaction(encode(r=1, s=2, y_parity=0))
    assert transaction.signature == bytes(31) + b"\x01" + bytes(31) + b"\x02" + b"\0"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": 2**64 - 2},
        {"gas": 2**64 - 1, "max_fee_per_gas": 2**192},
        {"chain_id": MAX_CHAIN_ID},
        {"chain_id": 1},
        {"value": 2**256 - 1},
        {"max_fee_per_gas": 3},
        {"nonce": 0, "value": 0, "max_priority_fee_per_gas": 0, "max_fee_per_gas": 0, "data": b""},
        {"r": N - 1, "s": HALF_N},
        {"gas": 21_040},
        {"to": b"", "data": bytes(49_152), "gas": 10**6},
    ],
    ids=str,
)
def test_limits_that_are_allowed(changes):
    transaction = decode_transaction(encode(**changes))
    for name, value in changes.items():
        assert getattr(transaction, name) == (value or (None if name == "to" else value))


@pytest.mark.parametrize("v", [37, 38, 35 + 2 * MAX_CHAIN_ID, 36 + 2 * MAX_CHAIN_ID])
def test_chain_ids_in_v(v):
    transaction = decode_transaction(encode(LEGACY, v=v))
    assert transaction.chain_id == (v - 35) // 2
    assert transaction.v == v


WRONG = [
    ({"nonce": b"\0"}, "nonce has a leading zero"),
    ({"nonce": b"\0\x09"}, "nonce has a leading zero"),
    ({"nonce": 2**64 - 1}, "nonce is too high"),
    ({"nonce": 2**64}, "nonce is too long"),
    ({"nonce": []}, "string expected"),
    ({"gas_price": b"\0\x01"}, "gas_price has a leading zero"),
    ({"gas_price": 2**256}, "gas_price is too long"),
    ({"gas_price": 2**240}, "overflows"),
    ({"max_fee_per_gas": b"\0\x01"}, "max_fee_per_gas has a leading zero"),
    ({"max_fee_per_gas": 2**256}, "max_fee_per_gas is too long"),
    ({"max_fee_per_gas": 2**240}, "overflows"),
    ({"max_priority_fee_per_gas": 1001}, "priority fee is above"),
    ({"max_priority_fee_per_gas": b"\0"}, "max_priority_fee_per_gas has a leading zero"),
    ({"max_priority_fee_per_gas": 2**256}, "max_priority_fee_per_gas is too long"),
    ({"gas": b"\0\xff\xff\xff"}, "gas has a leading zero"),
    ({"gas": 2**64}, "gas is too long"),
    ({"gas": 21_039}, "below the intrinsic gas"),
    ({"gas": 0}, "below the intrinsic gas"),
    ({"to": bytes(19)}, "recipient"),
    ({"to": bytes(21)}, "recipient"),
    ({"to": b"\0"}, "recipient"),
    ({"to": [TO]}, "string expected"),
    ({"value": b"\0"}, "value has a leading zero"),
    ({"value": 2**256}, "value is too long"),
    ({"data": []}, "string expected"),
    ({"data": [b"\x01"]}, "string expected"),
    ({"to": b"", "data": bytes(49_153), "gas": 10**6}, "init code"),
    ({"chain_id": 0}, "chain id is out of range"),
    ({"chain_id": MAX_CHAIN_ID + 1}, "chain id is out of range"),
    ({"chain_id": b"\0\x01"}, "chain_id has a leading zero"),
    ({"chain_id": 2**64}, "chain_id is too long"),
    ({"y_parity": 2}, "y parity"),
    ({"y_parity": 27}, "y parity"),
    ({"y_parity": 0x80}, "y parity"),
    ({"y_parity": b"\0"}, "y parity"),
    ({"y_parity": b"\0\x01"}, "y parity"),
    ({"v": 0}, "v stands for no chain id"),
    ({"v": 1}, "v stands for no chain id"),
    ({"v": 26}, "v stands for no chain id"),
    ({"v": 29}, "v stands for no chain id"),
    ({"v": 34}, "v stands for no chain id"),
    ({"v": 35}, "v stands for no chain id"),
    ({"v": 36}, "v stands for no chain id"),
    ({"v": 37 + 2 * MAX_CHAIN_ID}, "v stands for no chain id"),
    ({"v": 2**64}, "v is too long"),
    ({"v": b"\0\x1b"}, "v has a leading zero"),
    ({"r": 0}, "out of range"),
    ({"r": N}, "out of range"),
    ({"r": b"\0" + R.to_bytes(31 + 1, "big")}, "r is too long"),
    ({"r": b"\0\x01"}, "r has a leading zero"),
    ({"s": 0}, "out of range"),
    ({"s": HALF_N + 1}, "out of range"),
    ({"s": N - 1}, "out of range"),
    ({"s": b"\0\x01"}, "s has a leading zero"),
    ({"s": 2**256}, "s is too long"),
    ({"access_list": b""}, "list expected"),
    ({"access_list": [TO]}, "entry"),
    ({"access_list": [[]]}, "entry"),
    ({"access_list": [[TO]]}, "entry"),
    ({"access_list": [[TO, KEY]]}, "entry"),
    ({"access_list": [[TO, [], []]]}, "entry"),
    ({"access_list": [[bytes(19), []]]}, "entry"),
    ({"access_list": [[[], []]]}, "entry"),
    ({"access_list": [[TO, [bytes(31)]]]}, "entry"),
    ({"access_list": [[TO, [bytes(33)]]]}, "entry"),
    ({"access_list": [[TO, [[]]]]}, "entry"),
]
CASES = [(kind, changes, match) for kind in TYPES for changes, match in WRONG if applies(kind, changes)]


@pytest.mark.parametrize(("kind", "changes", "match"), CASES, ids=lambda part: str(part)[:40])
def test_one_thing_wrong(kind, changes, match):
    with pytest.raises(InvalidInput, match=match):
        decode_transaction(encode(kind, **changes))


def test_every_wrong_field_is_tried():
    tried = {name for _kind, changes, _match in CASES for name in changes}
    assert tried == {name for names in ORDER.values() for name in names.split()}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("by", [-1, 1])
def test_number_of_fields(kind, by):
    fields = [FIELDS[name] for name in ORDER[kind].split()]
    fields = fields[:-1] if by < 0 else [*fields, b""]
    with pytest.raises(InvalidInput, match="number of fields") as caught:
        decode_transaction((bytes([kind]) if kind else b"") + rlp_encode(fields))
    assert caught.value.actual == caught.value.expected + by


@pytest.mark.parametrize("raw", [b"", b"\0", b"\x03\xc0", b"\x04\xc0", b"\x7f", b"\x80", b"\xbf"])
def test_unknown_types(raw):
    with pytest.raises(InvalidInput, match=r"empty|not supported"):
        decode_transaction(raw)


@pytest.mark.parametrize("kind", TYPES)
def test_cut_or_extended(kind):
    raw = encode(kind)
    for end in range(len(raw)):
        with pytest.raises(InvalidInput):
            decode_transaction(raw[:end])
    with pytest.raises(InvalidInput):
        decode_transaction(raw + b"\0")


def test_length_not_in_its_shortest_form():
    raw = encode(DYNAMIC_FEE)
    assert raw[1] == 0xF8
    with pytest.raises(InvalidInput, match="shortest form"):
        decode_transaction(b"\x02\xf9\0" + raw[2:])


@pytest.mark.parametrize("convert", [bytearray, memoryview, type("Hex", (bytes,), {})])
def test_other_kinds_of_bytes(convert):
    transaction = decode_transaction(convert(encode()))
    assert type(transaction.raw) is bytes
    assert transaction == decode_transaction(encode())


@pytest.mark.parametrize("raw", ["0x", None, 5, [1]])
def test_not_bytes(raw):
    with pytest.raises(UsageError, match="is bytes"):
        decode_transaction(raw)


def test_sender_is_recovered_once():
    account = Account.create()
    signed = sign_transaction(account, chain_id=1, nonce=0, to=TO, gas=21_000, max_fee_per_gas=1)
    known.clear()
    transaction = decode_transaction(signed.raw)
    assert transaction is not signed
    assert transaction.sender == account.address
    assert transaction.sender is transaction.sender


def test_signature_of_nobody():
    # r = 5 is no x coordinate on the curve
    transaction = decode_transaction(encode(r=5, s=1))
    for _attempt in range(2):
        with pytest.raises(InvalidInput, match="no key"):
            _ = transaction.sender


def test_equality():
    one, same, other = (
        decode_transaction(encode()),
        decode_transaction(encode()),
        decode_transaction(encode(nonce=1)),
    )
    assert one is not same
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != one.raw
    assert pickle.loads(pickle.dumps(one)) == one


def test_access_list_must_be_a_list():
    with pytest.raises(InvalidInput, match="not a list"):
        decode_access_list(b"\x80")


@pytest.fixture
def cache():
    return KnownTransactions(3)


def test_known_transactions_are_not_decoded_again():
    signed = sign_transaction(Account.create(), chain_id=1, nonce=0, to=TO, gas=21_000, max_fee_per_gas=1)
    assert signed.raw in known
    assert decode_transaction(signed.raw) is signed
    known.clear()
    assert len(known) == 0
    assert decode_transaction(signed.raw) is not signed


def test_known_transactions_drop_the_oldest(cache):
    transactions = [decode_transaction(encode(nonce=nonce)) for nonce in range(5)]
    for transaction in transactions[:3]:
        cache.add(transaction)
    cache.add(transactions[0])
    cache.add(transactions[3])
    assert [transaction.raw in cache for transaction in transactions] == [False, True, True, True, False]
    assert cache.get(transactions[1].raw) is transactions[1]
    assert cache.get(transactions[0].raw) is None
    cache.capacity = 1
    cache.add(transactions[4])
    assert len(cache) == 1
    assert transactions[4].raw in cache


def test_known_transactions_switched_off_or_too_long(cache):
    cache.add(decode_transaction(encode(data=bytes(2_000))))
    assert len(cache) == 0
    off = KnownTransactions(0)
    off.add(decode_transaction(encode()))
    assert len(off) == 0
