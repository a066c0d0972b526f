"""The JavaScript verifier under node, held to the published vectors and to the Python verifier.

Needs npm for its two packages; skipped only where npm is absent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cspv_cases import accepted
from cspv_tools import told_by_node
from cspv_wire import ANCHOR

from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor

VECTORS = Path(__file__).parents[1] / "vectors" / "cspv"


def vectors(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return cases


def snake_case(facts: Any) -> Any:
    """Rename the facts that JavaScript gives to what the vectors call them."""
    if isinstance(facts, list):
        return [snake_case(part) for part in facts]
    if not isinstance(facts, dict):
        return facts
    return {
        "".join("_" + letter.lower() if letter.isupper() else letter for letter in name): snake_case(value)
        for name, value in facts.items()
    }


def judged(folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pairs = [[case["anchor"], case["proof"]] for case in cases]
    told: list[dict[str, Any]] = told_by_node(folder, "judge.mjs", pairs)
    return told


def test_vectors(tmp_path: Path) -> None:
    """Those that hold, and a sample of the others: a check of pairings takes node 40 ms."""
    good, bad = vectors("valid.json"), vectors("invalid.json")[::8]
    answers = judged(tmp_path, good + bad)
    for case, told in zip(good, answers[: len(good)], strict=True):
        proven = snake_case(told.get("proven"))
        assert proven is not None, (case["name"], told)
        assert proven.pop("succeeded", None) in (None, proven.get("status") == "1")
        assert proven.pop("kind") == case["kind"]
        assert proven == case["facts"], case["name"]
    _all_refused(bad, answers[len(good) :])


@pytest.mark.long
def test_all_vectors_that_are_refused(tmp_path: Path) -> None:
    cases = vectors("invalid.json")
    _all_refused(cases, judged(tmp_path, cases))


def _all_refused(cases: list[dict[str, Any]], answers: list[dict[str, Any]]) -> None:
    for case, told in zip(cases, answers, strict=True):
        assert "refused" in told, case["name"]


@pytest.mark.long
def test_what_holds_is_told_as_by_python(tmp_path: Path) -> None:
    anchor = ChainKeyAnchor.from_bytes(ANCHOR)
    proofs = accepted()
    cases = [{"anchor": ANCHOR.hex(), "proof": proof.hex()} for proof in proofs.values()]
    for (name, proof), told in zip(proofs.items(), judged(tmp_path, cases), strict=True):
        proven = anchor.verify(proof)
        facts = told["proven"]
        assert (facts["height"], facts["slot"], facts["timestampMs"]) == (
            str(proven.height),
            str(proven.slot),
            str(proven.timestamp_ms),
        ), name
        assert facts["blockHash"] == "0x" + proven.block_hash.hex()


def test_arguments_that_are_no_bytes(tmp_path: Path) -> None:
    proof = accepted()["one of two"]
    told = told_by_node(tmp_path, "arguments.mjs", [ANCHOR.hex(), proof.hex()])
    assert told == {
        "none": "CspvError",
        "text": "CspvError",
        "array": "CspvError",
        "buffer": "receipt",
        "unchanged": True,
        "deep": "CspvError",
    }
