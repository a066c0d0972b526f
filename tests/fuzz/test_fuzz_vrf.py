"""Damaged proofs of randomness, keys and seeds: refused with InvalidInput, and nothing else comes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest
from fuzzing.harness import Target, as_fields, fuzz

from chainstack_sdk.consensus.beacon import (
    encode_seed_proof,
    parse_seed_proof,
    seed_alpha,
    verify_seed,
)
from chainstack_sdk.consensus.vrf import VrfKey, validate_vrf_key, vrf_output, vrf_verify

MEMBERS = [VrfKey(bytes([number]) * 32) for number in range(1, 5)]
KEYS = [member.public for member in MEMBERS]
CHAIN_ID, HEIGHT, BEFORE = 7, 42, bytes(range(32))
ALPHA = seed_alpha(CHAIN_ID, HEIGHT, BEFORE)
QUICK_INPUTS, LONG_INPUTS = 100, 10_000
"""Inputs of each target, in the default mode and in the long one."""


def proofs() -> list[tuple[bytes, bytes, bytes]]:
    return [(key.public, alpha, key.prove(alpha)) for key in MEMBERS for alpha in (ALPHA, b"short")]


def seed_proofs() -> list[bytes]:
    return [encode_seed_proof(index, member.prove(ALPHA)) for index, member in enumerate(MEMBERS)]


P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
NUMBERS = (0, 1, 2, P - 1, P, P + 1, P + 3, Q - 1, Q, Q + 1, 2 * Q, 2**255, 2**255 + 1, 2**256 - 1)
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


def in_place(rng: Random, samples: Sequence[tuple[bytes, bytes, bytes]]) -> Callable[..., object]:
    """Damage key, Gamma, c or s and keep every length, so that more than the lengths is tested."""
    words = [number.to_bytes(32, "little") for number in NUMBERS]
    words += [ORDER_8, *(key for key, *_ in samples), *(proof[:32] for *_, proof in samples)]

    def flipped(word: bytes) -> bytes:
        return (int.from_bytes(word, "big") ^ 1 << rng.randrange(8 * len(word))).to_bytes(len(word), "big")

    def damage(fields: tuple[bytes, bytes, bytes]) -> tuple[bytes, bytes, bytes]:
        key, alpha, proof = fields
        parts = [key, proof[:32], proof[32:48], proof[48:]]
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(4)
            kinds = (flipped(parts[at]), rng.randbytes(32), rng.choice(words))
            parts[at] = rng.choice(kinds)[: len(parts[at])]
        return parts[0], alpha, b"".join(parts[1:])

    return damage


GOOD_PROOFS, GOOD_SEEDS = frozenset(proofs()), frozenset(seed_proofs())


def run_verify(fields: tuple[bytes, bytes, bytes]) -> None:
    output = vrf_verify(*fields)
    assert fields in GOOD_PROOFS
    assert output == vrf_output(fields[2])


def run_verify_seed(data: bytes) -> None:
    assert len(verify_seed(data, chain_id=CHAIN_ID, height=HEIGHT, parent_seed=BEFORE, vrf_keys=KEYS)) == 32
    assert data in GOOD_SEEDS


def run_parse_seed_proof(data: bytes) -> None:
    assert encode_seed_proof(*parse_seed_proof(data)) == data


def run_output(proof: bytes) -> None:
    assert len(vrf_output(proof)) == 64


TARGETS = [
    Target("vrf_verify", proofs, run_verify, damage=as_fields),
    Target("vrf_verify, lengths kept", proofs, run_verify, damage=in_place),
    Target("vrf_output", lambda: [proof for *_, proof in proofs()], run_output),
    Target("validate_vrf_key", lambda: KEYS, validate_vrf_key),
    Target("verify_seed", seed_proofs, run_verify_seed),
    Target("parse_seed_proof", seed_proofs, run_parse_seed_proof),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_proofs(target: Target, fuzz_seed: int) -> None:
    assert fuzz(target, QUICK_INPUTS, fuzz_seed).refused


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_many_damaged_proofs(target: Target, fuzz_seed: int) -> None:
    assert fuzz(target, LONG_INPUTS, fuzz_seed + 1).refused
