"""The vectors of RFC 9381, appendix B.3 (the file names its source)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainstack_sdk.consensus.vrf import VrfKey, vrf_output, vrf_prove, vrf_public_key, vrf_verify
from chainstack_sdk.primitives.errors import InvalidInput

VECTORS = Path(__file__).parent.parent / "vectors" / "ecvrf_edwards25519_sha512_tai.json"
CASES = [
    pytest.param({name: bytes.fromhex(text) for name, text in case.items()}, id=title)
    for title, case in json.loads(VECTORS.read_text())["cases"].items()
]
DRAFT_PROOF = bytes.fromhex(
    "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
    "5e8bd1839b414219e8626d393787a192241fc442e6569e96c462f62b8079b9ed83ff2ee21c90c7c398802fdeebea4001"
)
"""Of example 16, as drafts before the RFC had it: their challenge left the public key out."""


def test_there_are_three() -> None:
    assert len(CASES) == 3


@pytest.mark.parametrize("case", CASES)
def test_vector(case: dict[str, bytes]) -> None:
    key = VrfKey(case["sk"])
    assert key.public == vrf_public_key(case["sk"]) == case["pk"]
    assert key.prove(case["alpha"]) == vrf_prove(case["sk"], case["alpha"]) == case["pi"]
    assert vrf_verify(case["pk"], case["alpha"], case["pi"]) == vrf_output(case["pi"]) == case["beta"]


def test_the_proof_of_a_draft_is_refused() -> None:
    (case,) = CASES[0].values
    assert vrf_output(DRAFT_PROOF) == case["beta"]
    with pytest.raises(InvalidInput, match="not this key's"):
        vrf_verify(case["pk"], case["alpha"], DRAFT_PROOF)
