"""Light proofs: what a verifier takes, beside the check of two pairings that it cannot do without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pyblst import BlstP1Element, final_verify, miller_loop

from benchmarks.measure import in_turn
from chainstack_sdk import Chain, ether
from chainstack_sdk.cspv import Proof, prove_receipt
from chainstack_sdk.primitives import bls
from chainstack_sdk.testing import accounts, payment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measure import Figure
    from chainstack_sdk.cspv import ChainKeyAnchor

CHECKS = 25
SIZES = (1, 10_000)


def verifying(*, quick: bool) -> Iterator[Figure]:
    """Compare verification, of bytes not seen before, with two pairings and a hash to the curve."""
    people = accounts(5)
    for size in SIZES:
        chain = Chain.in_memory(dict.fromkeys(people, ether(1_000)), gas_limit=10**10)
        chain.send_many(
            payment(chain.blockchain, people[number % 5], people[0], 1, nonce=number // 5)
            for number in range(size)
        )
        chain.seal()
        proof = prove_receipt(chain.blockchain, chain.finality, 1, size - 1)
        rounds = in_turn(partial(_verifications, chain.anchor, proof), _bare_checks, 5 if quick else 11)
        ours, bare = rounds.micros()
        yield rounds.figure(
            f"a receipt proof from a block of {size:,}, verified, over two pairings and a hash to the curve",
            target=6.0,
            at_most=True,
            note=f"{ours:.0f} us, {bare:.0f} us bare; {len(proof.to_bytes())} bytes",
        )


def _verifications(anchor: ChainKeyAnchor, proof: Proof) -> Callable[[], int]:
    encoded = proof.to_bytes()

    def run() -> int:
        for _ in range(CHECKS):
            bls._hashed.cache_clear()
            if not anchor.verify(encoded).succeeded:
                raise AssertionError("the payment failed")
        return CHECKS

    return run


def _bare_checks() -> Callable[[], int]:
    secret, message = 12345, b"m" * 32
    key = bls.g2_multiple(secret)
    point = BlstP1Element.hash_to_group(message, bls.FINALITY_DOMAIN).scalar_mul(secret)
    generator = bls.g2_multiple(1)

    def run() -> int:
        for _ in range(CHECKS):
            hashed = BlstP1Element.hash_to_group(message, bls.FINALITY_DOMAIN)
            if not final_verify(miller_loop(point, generator), miller_loop(hashed, key)):
                raise AssertionError("the check failed")
        return CHECKS

    return run
