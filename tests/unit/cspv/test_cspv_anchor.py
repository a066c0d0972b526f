from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest
from pyblst import BlstP1Element, BlstP2Element, final_verify, miller_loop

from chainstack_sdk import Chain
from chainstack_sdk.cspv import (
    Anchor,
    ChainKeyAnchor,
    ChainKeyFinality,
    OperatorKey,
    Proof,
    anchor_from_bytes,
)
from chainstack_sdk.cspv.verify.format import FinalityScheme, Kind, chain_key_finality
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.cspv.verify.paths import ItemPath
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, public_key, sign, verify
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

VECTORS = Path(__file__).parents[2] / "vectors" / "cspv" / "valid.json"
KEY = OperatorKey(b"\x05" * 32)


def test_an_anchor_is_106_bytes_and_comes_back_from_them() -> None:
    anchor = ChainKeyAnchor(7, KEY.public_key)
    raw = anchor.to_bytes()
    assert raw == b"\x01\x01" + (7).to_bytes(8, "big") + KEY.public_key
    assert len(raw) == 106
    assert ChainKeyAnchor.from_bytes(raw) == anchor_from_bytes(raw) == anchor


@pytest.mark.parametrize("chain_id", [-1, 1 << 64])
def test_a_chain_id_has_64_bits(chain_id: int) -> None:
    with pytest.raises(InvalidInput, match="at most 64 bits"):
        ChainKeyAnchor(chain_id, KEY.public_key)


@pytest.mark.parametrize("key", [b"", bytes(95), bytes(96), b"\xc0" + bytes(95), b"\xff" * 96])
def test_a_key_is_a_point(key: bytes) -> None:
    with pytest.raises(InvalidInput):
        ChainKeyAnchor(1, key)


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x00\x01", b"\x02\x01", b"\x01\x00", b"\x01\x02", b"\x01\x03", b"\x01\x04"]
)
def test_bytes_that_are_no_anchor_are_refused(data: bytes) -> None:
    for rest in (b"", bytes(104)):
        with pytest.raises(InvalidInput):
            anchor_from_bytes(data + rest)


def test_a_proof_of_another_scheme_is_refused() -> None:
    proof = Proof(
        FinalityScheme.WORK, Kind.MESSAGE, 1, 0, 0, (bytes(32),) * 4, bytes(4), ItemPath(0, (), b"")
    )
    with pytest.raises(InvalidInput, match="another scheme"):
        ChainKeyAnchor(1, KEY.public_key).verify(proof)


def make_proofs(count: int) -> list[bytes]:
    """Proofs of a message in as many blocks, each with another hash."""
    path = ItemPath(0, (bytes(32),) * 14, b"message")
    unsigned, scheme = chain_key_finality(bytes(48)), FinalityScheme.CHAIN_KEY
    proofs = []
    for height in range(count):
        bare = Proof(scheme, Kind.MESSAGE, height, 0, 0, (bytes(32),) * 4, unsigned, path)
        block_hash = open_proof(bare, 7, scheme)[1].block_hash
        proofs.append(replace(bare, finality=chain_key_finality(KEY.sign(block_hash))).to_bytes())
    return proofs


def test_verification_costs_little_more_than_its_pairings() -> None:
    """At most six times a check of two pairings and a hash to the curve; in truth hardly more than one."""
    anchor = ChainKeyAnchor(7, KEY.public_key)
    generator = BlstP2Element.uncompress(public_key(1))
    key = BlstP2Element.uncompress(KEY.public_key)
    message = bytes(32)
    signature = BlstP1Element.uncompress(KEY.sign(message))
    bare, whole = [], []
    for proof in make_proofs(8):
        start = perf_counter()
        hashed = BlstP1Element.hash_to_group(message, FINALITY_DOMAIN)
        assert final_verify(miller_loop(signature, generator), miller_loop(hashed, key))
        middle = perf_counter()
        anchor.verify(proof)
        whole.append(perf_counter() - middle)
        bare.append(middle - start)
    assert min(whole) <= 6 * min(bare), (min(whole), min(bare))


def test_an_operator_key_signs_what_its_anchor_verifies() -> None:
    assert verify(KEY.public_key, b"\x07" * 32, KEY.sign(b"\x07" * 32), FINALITY_DOMAIN)
    assert OperatorKey(b"\x05" * 32).public_key == KEY.public_key != OperatorKey(b"\x06" * 32).public_key
    with pytest.raises(UsageError, match="at least 32 bytes"):
        OperatorKey(bytes(31))


def test_evidence_by_a_chain_key_is_the_signature_and_the_links() -> None:
    header = Chain.in_memory({}).head.header
    finality = ChainKeyFinality(7, lambda: KEY.public_key, lambda one: KEY.sign(one.hash))
    assert finality.scheme is FinalityScheme.CHAIN_KEY
    assert finality.evidence(header) == chain_key_finality(KEY.sign(header.hash))
    anchor: Anchor = finality.anchor()
    assert anchor == ChainKeyAnchor(7, KEY.public_key)
    linked = ChainKeyFinality(7, lambda: KEY.public_key, lambda _: bytes(48), lambda one: [one.hash])
    assert linked.evidence(header) == chain_key_finality(bytes(48), [header.hash])


def test_evidence_that_is_not_there_is_not_made_up() -> None:
    header = Chain.in_memory({}).head.header
    finality = ChainKeyFinality(7, lambda: b"", lambda _: None)
    with pytest.raises(UsageError, match="no key yet"):
        finality.anchor()
    with pytest.raises(UsageError, match="has not signed this block"):
        finality.evidence(header)


def test_an_old_proof_does_not_hold_under_another_key_of_the_same_chain() -> None:
    case = json.loads(VECTORS.read_text(encoding="utf-8"))[0]
    proof, anchor = (bytes.fromhex(case[name][2:]) for name in ("proof", "anchor"))
    assert ChainKeyAnchor.from_bytes(anchor).verify(proof).chain_id == 31_337
    with pytest.raises(InvalidInput, match="has not signed") as caught:
        ChainKeyAnchor(31_337, public_key(5)).verify(proof)
    assert caught.value.height == 1_000_003
    assert sign(5, caught.value.block_hash, FINALITY_DOMAIN) not in proof
