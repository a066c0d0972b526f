"""Headers and blocks: the commitment, the wire form, and everything that is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from chainstack_sdk.core.blocks import (
    COMMITMENT_BYTES,
    ZERO_HASH,
    Block,
    Header,
    certificate_hash,
    decode_header,
)
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import accounts

HEADER = Header(
    chain_id=31337,
    height=5,
    slot=2,
    timestamp_ms=1_767_225_600_123,
    state_root=b"\x01" * 32,
    transactions_root=b"\x02" * 32,
    receipts_root=b"\x03" * 32,
    messages_root=b"\x04" * 32,
    parent_hash=b"\x05" * 32,
    history_root=b"\x06" * 32,
    proposer=b"\x07" * 20,
    logs_bloom=b"\x08" * 256,
    gas_limit=30_000_000,
    gas_used=21_000,
    base_fee=10**9,
    seed=b"\x09" * 32,
    seed_proof=b"\x0a" * 80,
    next_committee_hash=b"\x0b" * 32,
    parent_certificate_hash=b"\x0c" * 32,
    work_commitment=b"\x0d" * 64,
    extra_data=b"\x0e" * 32,
)

NUMBERS = {
    "chain_id": 8,
    "height": 8,
    "slot": 8,
    "timestamp_ms": 8,
    "gas_limit": 8,
    "gas_used": 8,
    "base_fee": 32,
}
SIZES = {
    "state_root": 32,
    "transactions_root": 32,
    "receipts_root": 32,
    "messages_root": 32,
    "parent_hash": 32,
    "history_root": 32,
    "proposer": 20,
    "logs_bloom": 256,
    "seed": 32,
    "next_committee_hash": 32,
    "parent_certificate_hash": 32,
}
LIMITS = {"seed_proof": 256, "work_commitment": 64, "extra_data": 32}
WIRE_ORDER = ["version", *[field.name for field in fields(Header)][:21]]
PAYMENT = sign_transaction(
    accounts(1)[0],
    chain_id=31337,
    nonce=0,
    to=bytes(20),
    gas=21_000,
    max_fee_per_gas=2,
    max_priority_fee_per_gas=1,
)


def test_the_tables_name_every_field() -> None:
    named = {"version", *NUMBERS, *SIZES, *LIMITS}
    assert named == {field.name for field in fields(Header)} - {"hash"}


def test_the_commitment_is_the_documented_200_bytes() -> None:
    rest = [getattr(HEADER, name) for name in WIRE_ORDER[9:]]
    numbers = (1, 31337, 5, 2, 1_767_225_600_123)
    expected = b"".join(number.to_bytes(8, "big") for number in numbers)
    expected += b"\x01" * 32 + b"\x02" * 32 + b"\x03" * 32 + b"\x04" * 32 + keccak256(rlp_encode(rest))
    assert HEADER.commitment() == expected
    assert len(expected) == COMMITMENT_BYTES
    assert HEADER.rest_hash() == expected[-32:]
    assert HEADER.hash == keccak256(expected)


@pytest.mark.parametrize("name", sorted({*NUMBERS, *SIZES, *LIMITS}))
def test_the_hash_covers_every_field(name: str) -> None:
    value = getattr(HEADER, name)
    other = value + 1 if name in NUMBERS else bytes([value[0] ^ 1]) + value[1:]
    changed = replace(HEADER, **{name: other})
    assert changed.hash != HEADER.hash
    assert changed != HEADER
    assert decode_header(changed.encode()) == changed


def test_a_header_comes_back() -> None:
    decoded = decode_header(HEADER.encode())
    assert decoded == HEADER
    assert decoded.hash == HEADER.hash
    assert rlp_decode(HEADER.encode()) == rlp_decode(
        rlp_encode([getattr(HEADER, name) for name in WIRE_ORDER])
    )


def test_defaults_come_back() -> None:
    optional = ("seed", "seed_proof", "next_committee_hash", "parent_certificate_hash")
    plain = Header(
        **{
            name: getattr(HEADER, name)
            for name in (*NUMBERS, *SIZES)
            if name not in (*optional, "work_commitment", "extra_data")
        }
    )
    assert plain.seed == plain.next_committee_hash == plain.parent_certificate_hash == ZERO_HASH
    assert plain.seed_proof == plain.work_commitment == plain.extra_data == b""
    assert plain.version == 1
    assert decode_header(plain.encode()) == plain


def test_a_header_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        HEADER.height = 6  # type: ignore[misc]


@pytest.mark.parametrize(("name", "size"), sorted(NUMBERS.items()))
def test_numbers_out_of_range_are_refused(name: str, size: int) -> None:
    assert getattr(replace(HEADER, **{name: (1 << 8 * size) - 1}), name) == (1 << 8 * size) - 1
    for value in (-1, 1 << 8 * size):
        with pytest.raises(InvalidInput, match=name):
            replace(HEADER, **{name: value})


@pytest.mark.parametrize(("name", "size"), sorted(SIZES.items()))
def test_strings_of_a_wrong_size_are_refused(name: str, size: int) -> None:
    for wrong in (0, size - 1, size + 1):
        with pytest.raises(InvalidInput, match=name):
            replace(HEADER, **{name: bytes(wrong)})


@pytest.mark.parametrize(("name", "size"), sorted(LIMITS.items()))
def test_strings_above_their_limit_are_refused(name: str, size: int) -> None:
    assert len(getattr(replace(HEADER, **{name: bytes(size)}), name)) == size
    with pytest.raises(InvalidInput, match=name):
        replace(HEADER, **{name: bytes(size + 1)})


WIRE = [getattr(HEADER, name) for name in WIRE_ORDER]


def test_decoding_refuses_wrong_fields() -> None:
    for at, name in enumerate(WIRE_ORDER):
        for wrong in ([], b"\x01" * 257, [WIRE[at]]):
            with pytest.raises(InvalidInput):
                decode_header(rlp_encode([*WIRE[:at], wrong, *WIRE[at + 1 :]]))
        if name in ("version", *NUMBERS):
            with pytest.raises(InvalidInput):
                decode_header(rlp_encode([*WIRE[:at], b"\x00\x01", *WIRE[at + 1 :]]))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nothing", b""),
        ("a string", rlp_encode(b"header")),
        ("a field missing", rlp_encode(WIRE[:-1])),
        ("a field too many", rlp_encode([*WIRE, b""])),
        ("another version", rlp_encode([2, *WIRE[1:]])),
        ("no version", rlp_encode([0, *WIRE[1:]])),
        ("bytes behind", HEADER.encode() + b"\x00"),
    ],
)
def test_malformed_headers_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_header(data)


BLOCK = Block(HEADER, (PAYMENT,), seal=b"seal", parent_certificate=b"certificate", attachment=b"payouts")


def test_a_block_comes_back() -> None:
    decoded = Block.decode(BLOCK.encode())
    assert decoded == BLOCK
    assert rlp_decode(BLOCK.encode()) == [
        rlp_decode(HEADER.encode()),
        [PAYMENT.raw],
        b"seal",
        b"certificate",
        b"payouts",
    ]
    assert Block.decode(Block(HEADER, ()).encode()) == Block(HEADER, (), b"", b"", b"")


def test_a_block_answers_for_its_header() -> None:
    assert (BLOCK.hash, BLOCK.height, BLOCK.timestamp_ms) == (HEADER.hash, 5, HEADER.timestamp_ms)
    assert (BLOCK.state_root, BLOCK.parent_hash) == (HEADER.state_root, HEADER.parent_hash)


def test_seal_certificate_and_attachment_are_outside_the_hash() -> None:
    assert replace(BLOCK, seal=b"", parent_certificate=b"other", attachment=b"others").hash == BLOCK.hash


def test_the_hash_of_a_certificate() -> None:
    assert certificate_hash(b"") == ZERO_HASH
    assert certificate_hash(b"certificate") == keccak256(b"certificate")


PARTS = [WIRE, [PAYMENT.raw], b"seal", b"certificate", b"payouts"]


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("a string", b"block"),
        ("four parts", PARTS[:4]),
        ("six parts", [*PARTS, b""]),
        ("a string as header", [b"header", *PARTS[1:]]),
        ("a header without its last field", [WIRE[:-1], *PARTS[1:]]),
        ("a string as transactions", [WIRE, b"raws", *PARTS[2:]]),
        ("a list as transaction", [WIRE, [[PAYMENT.raw]], *PARTS[2:]]),
        ("an empty transaction", [WIRE, [b""], *PARTS[2:]]),
        ("a cut transaction", [WIRE, [PAYMENT.raw[:-1]], *PARTS[2:]]),
        ("a list as seal", [*PARTS[:2], [], *PARTS[3:]]),
        ("a list as certificate", [*PARTS[:3], [], PARTS[4]]),
        ("a list as attachment", [*PARTS[:4], []]),
    ],
)
def test_malformed_blocks_are_refused(name: str, item: object) -> None:
    with pytest.raises(InvalidInput):
        Block.decode(rlp_encode(item))  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", BLOCK.encode()[:-1], BLOCK.encode() + b"\x00"])
def test_cut_or_longer_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Block.decode(data)
