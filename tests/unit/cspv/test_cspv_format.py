from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.cspv.verify.format import (
    FinalityScheme,
    Kind,
    Proof,
    chain_key_finality,
    evidence_finality,
    split_chain_key_finality,
    split_evidence_finality,
)
from chainstack_sdk.cspv.verify.paths import AccountPath, Body, ItemPath, StoragePath
from chainstack_sdk.cspv.verify.reader import Reader
from chainstack_sdk.primitives.errors import InvalidInput

SIGNATURE = bytes(range(48))
HASHES = tuple(bytes((place,)) * 32 for place in range(4))
ITEM = ItemPath(2, (b"\x0a" * 32, b"\x0b" * 32), b"item")
ACCOUNT = AccountPath(b"\x0c" * 20, (b"root", b"leaf"))
STORAGE = StoragePath(b"\x0c" * 20, b"\x0d" * 32, (b"root",), ())


def make(kind: Kind = Kind.RECEIPT, body: Body = ITEM, finality: bytes = b"", **changes: object) -> Proof:
    proof = Proof(FinalityScheme.CHAIN_KEY, kind, 5, 6, 7, HASHES, chain_key_finality(SIGNATURE), body)
    if finality:
        changes["finality"] = finality
    return replace(proof, **changes)  # type: ignore[arg-type]


def test_every_byte_of_a_receipt_proof_stands_where_it_should() -> None:
    raw = make().to_bytes()
    assert raw[:3] == b"\x01\x01\x01"
    assert raw[3:27] == b"".join(number.to_bytes(8, "big") for number in (5, 6, 7))
    assert raw[27:155] == b"".join(HASHES)
    assert raw[155:203] == SIGNATURE
    assert raw[203] == 0
    assert raw[204:209] == b"\0\0\0\x02\x02"
    assert raw[209:273] == b"\x0a" * 32 + b"\x0b" * 32
    assert raw[273:] == b"item"


def test_every_byte_of_the_other_parts() -> None:
    links = chain_key_finality(SIGNATURE, (b"one", b""))
    assert links == SIGNATURE + b"\x02\x00\x03one\x00\x00"
    assert evidence_finality(b"seal") == b"\0\0\0\x04seal"
    assert ACCOUNT.to_bytes() == b"\x0c" * 20 + b"\x02\x00\x04root\x00\x04leaf"
    assert STORAGE.to_bytes() == b"\x0c" * 20 + b"\x0d" * 32 + b"\x01\x00\x04root\x00"


@pytest.mark.parametrize(
    "proof",
    [
        make(),
        make(Kind.TRANSACTION),
        make(Kind.MESSAGE, ItemPath(0, (), b"")),
        make(Kind.ACCOUNT, ACCOUNT),
        make(Kind.STORAGE, STORAGE),
        make(finality=chain_key_finality(SIGNATURE, (b"link", b"more"))),
        make(finality=evidence_finality(b""), scheme=FinalityScheme.COMMITTEE),
        make(finality=evidence_finality(b"\xff" * 70_000), scheme=FinalityScheme.WORK),
        make(height=2**64 - 1, slot=2**64 - 1, timestamp_ms=2**64 - 1),
        make(body=ItemPath(2**32 - 1, (bytes(32),) * 32, b"")),
        make(Kind.ACCOUNT, AccountPath(bytes(20), (b"\x01" * 0xFFFF,) * 0xFF)),
    ],
)
def test_a_proof_survives_its_encoding_and_no_byte_may_be_missing(proof: Proof) -> None:
    raw = proof.to_bytes()
    assert Proof.from_bytes(raw) == proof
    assert Proof.from_bytes(bytearray(raw)) == proof
    item_bytes = len(proof.body.item) if isinstance(proof.body, ItemPath) else 0
    for size in range(min(len(raw) - item_bytes, 400)):
        with pytest.raises(InvalidInput, match="end early"):
            Proof.from_bytes(raw[:size])
    if not isinstance(proof.body, ItemPath):
        with pytest.raises(InvalidInput, match="more bytes follow"):
            Proof.from_bytes(raw + b"\0")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"height": 1 << 64}, "more than 64 bits"),
        ({"slot": -1}, "more than 64 bits"),
        ({"timestamp_ms": 1 << 64}, "more than 64 bits"),
        ({"hashes": HASHES[:3]}, "four hashes"),
        ({"hashes": (*HASHES[:3], b"")}, "a hash has 32 bytes"),
        ({"body": ACCOUNT}, "of another kind"),
        ({"kind": Kind.STORAGE}, "of another kind"),
        ({"finality": SIGNATURE}, "end early"),
        ({"finality": chain_key_finality(SIGNATURE) + b"\0"}, "more bytes follow"),
        ({"finality": evidence_finality(bytes(50))[:-1], "scheme": FinalityScheme.WORK}, "end early"),
    ],
)
def test_a_proof_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        make(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("index", "siblings", "told"),
    [
        (1, 0, "outside of its tree"),
        (4, 2, "outside of its tree"),
        (-1, 2, "outside of its tree"),
        (0, 33, "too long"),
    ],
)
def test_a_path_that_no_tree_has_is_refused(index: int, siblings: int, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        ItemPath(index, (bytes(32),) * siblings, b"")


@pytest.mark.parametrize("size", [31, 33])
def test_siblings_have_32_bytes(size: int) -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        ItemPath(0, (bytes(size),), b"")


def test_sizes_of_tries_paths_are_checked() -> None:
    with pytest.raises(InvalidInput, match="address has 20 bytes"):
        AccountPath(bytes(19), ())
    with pytest.raises(InvalidInput, match="address has 20 bytes"):
        StoragePath(bytes(21), bytes(32), (), ())
    with pytest.raises(InvalidInput, match="slot has 32 bytes"):
        StoragePath(bytes(20), bytes(31), (), ())
    for nodes in ((b"",) * 256, (bytes(0x10000),)):
        with pytest.raises(InvalidInput, match="too many parts"):
            AccountPath(bytes(20), nodes)
        with pytest.raises(InvalidInput, match="too many parts"):
            StoragePath(bytes(20), bytes(32), nodes, ())
        with pytest.raises(InvalidInput, match="too many parts"):
            StoragePath(bytes(20), bytes(32), (), nodes)
        with pytest.raises(InvalidInput, match="too many parts"):
            chain_key_finality(SIGNATURE, nodes)
    with pytest.raises(InvalidInput, match="signature has 48 bytes"):
        chain_key_finality(SIGNATURE[1:])


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (0, 0, "another version"),
        (0, 2, "another version"),
        (1, 0, "unknown scheme or kind"),
        (1, 4, "unknown scheme or kind"),
        (2, 0, "unknown scheme or kind"),
        (2, 6, "unknown scheme or kind"),
        (208, 33, "too long"),
    ],
)
def test_a_byte_that_no_proof_has_is_refused(place: int, value: int, told: str) -> None:
    raw = bytearray(make().to_bytes())
    raw[place] = value
    with pytest.raises(InvalidInput, match=told):
        Proof.from_bytes(bytes(raw))


def test_finality_parts_are_split_as_they_were_joined() -> None:
    assert split_chain_key_finality(chain_key_finality(SIGNATURE, (b"a", b"b"))) == (SIGNATURE, (b"a", b"b"))
    assert split_evidence_finality(evidence_finality(b"seal")) == b"seal"
    for split in (split_chain_key_finality, split_evidence_finality):
        with pytest.raises(InvalidInput, match="more bytes follow"):
            split(bytes(60))
        with pytest.raises(InvalidInput, match="end early"):
            split(b"\1")


def test_a_reader_reads_what_is_there() -> None:
    reader = Reader(b"\x01\x02\x03\x04")
    assert reader.number(2) == 0x0102
    assert reader.take(1) == b"\x03"
    with pytest.raises(InvalidInput, match="end early"):
        reader.take(2)
    assert reader.rest() == b"\x04"
    reader.finish()
