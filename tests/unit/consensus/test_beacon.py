"""The beacon: what is proven, what follows, who may prove."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.beacon import (
    SEED_PROOF_BYTES,
    ChainedVrf,
    encode_seed_proof,
    first_seed,
    next_seed,
    parse_seed_proof,
    seed_alpha,
    verify_seed,
)
from chainstack_sdk.consensus.bft import Validator, ValidatorSet
from chainstack_sdk.consensus.vrf import VrfKey, vrf_output
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

MEMBERS = [VrfKey(bytes([number]) * 32) for number in range(1, 4)]
KEYS = [member.public for member in MEMBERS]
BEFORE = bytes(range(32))
COMMITTEE = ValidatorSet(Validator(bytes([index]) * 20, 1, key) for index, key in enumerate(KEYS))


def proof_of(index: int, *, prover: int | None = None, chain_id: int = 7, height: int = 9) -> bytes:
    key = MEMBERS[index if prover is None else prover]
    return encode_seed_proof(index, key.prove(seed_alpha(chain_id, height, BEFORE)))


def header(height: int, seed: bytes) -> Header:
    zero = bytes(32)
    return Header(7, height, 0, 1, zero, zero, zero, zero, zero, zero, bytes(20), bytes(256), 1, 0, 1, seed)


def verified(proof: bytes, *, keys: list[bytes] = KEYS) -> bytes:
    return verify_seed(proof, chain_id=7, height=9, parent_seed=BEFORE, vrf_keys=keys)


def test_what_is_proven_binds_chain_height_and_seed() -> None:
    assert seed_alpha(7, 9, BEFORE) == b"chainstack seed" + bytes(7) + b"\7" + bytes(7) + b"\x09" + BEFORE


@pytest.mark.parametrize(
    ("chain_id", "height", "seed"),
    [
        (-1, 0, BEFORE),
        (2**64, 0, BEFORE),
        (0, -1, BEFORE),
        (0, 2**64, BEFORE),
        (0, 0, b""),
        (0, 0, bytes(33)),
    ],
)
def test_what_does_not_fit_is_refused(chain_id: int, height: int, seed: bytes) -> None:
    with pytest.raises(UsageError):
        seed_alpha(chain_id, height, seed)


def test_the_next_seed_is_a_hash_of_the_output() -> None:
    for index in range(3):
        proof = proof_of(index)
        beta = vrf_output(proof[2:])
        expected = keccak256(b"chainstack next seed" + beta)
        assert verified(proof) == next_seed(beta) == expected
        assert ChainedVrf(7).seed_after(header(9, BEFORE), proof, COMMITTEE) == expected


def test_the_first_seed_follows_from_genesis_without_proof() -> None:
    beacon = ChainedVrf(7)
    assert beacon.seed_after(header(0, BEFORE), b"", COMMITTEE) == first_seed(BEFORE)
    with pytest.raises(InvalidInput, match="nobody proves"):
        beacon.seed_after(header(0, BEFORE), proof_of(0), COMMITTEE)
    assert beacon.in_seals
    assert beacon.proof_after(header(3, BEFORE)) == b""


def test_each_proposer_has_one_seed_of_its_own() -> None:
    assert len({verified(proof_of(index)) for index in range(3) for _ in range(2)}) == 3


def test_an_output_has_64_bytes() -> None:
    with pytest.raises(UsageError, match="output"):
        next_seed(bytes(63))


def test_the_encoding_is_index_then_proof() -> None:
    pi = MEMBERS[0].prove(b"")
    data = encode_seed_proof(0x0102, pi)
    assert len(data) == SEED_PROOF_BYTES == 82
    assert data == b"\1\2" + pi
    assert parse_seed_proof(data) == (0x0102, pi)
    assert parse_seed_proof(b"\xff" * 82)[0] == 2**16 - 1


def test_what_cannot_be_encoded_is_refused() -> None:
    for index, pi in ((-1, bytes(80)), (2**16, bytes(80)), (0, bytes(79)), (0, bytes(81))):
        with pytest.raises(UsageError):
            encode_seed_proof(index, pi)


@pytest.mark.parametrize("size", [0, 2, 80, 81, 83])
def test_other_lengths_are_refused(size: int) -> None:
    for use in (parse_seed_proof, verified):
        with pytest.raises(InvalidInput, match="length"):
            use(bytes(size))


@pytest.mark.parametrize(
    "proof",
    [
        encode_seed_proof(3, proof_of(2)[2:]),
        proof_of(0, prover=1),
        proof_of(0, chain_id=8),
        proof_of(0, height=10),
        bytes(82),
    ],
    ids=["nobody", "somebody else", "another chain", "another height", "zeros"],
)
def test_wrong_proofs_are_refused(proof: bytes) -> None:
    with pytest.raises(InvalidInput):
        verified(proof)


def test_the_seed_before_matters() -> None:
    with pytest.raises(InvalidInput):
        verify_seed(proof_of(0), chain_id=7, height=9, parent_seed=bytes(32), vrf_keys=KEYS)


def test_a_member_without_a_key_proves_nothing() -> None:
    with pytest.raises(InvalidInput, match="not a key"):
        verified(proof_of(0), keys=[b"", *KEYS[1:]])
    with pytest.raises(InvalidInput, match="nobody"):
        verified(proof_of(0), keys=[])
