"""Proofs with what every verifier must make of them: tests/vectors/cspv."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from chainstack_sdk.cspv import ChainKeyAnchor, Proof, Proven, ProvenLog
from chainstack_sdk.primitives.errors import InvalidInput

FOLDER = Path(__file__).parent.parent / "vectors" / "cspv"
VALID = json.loads((FOLDER / "valid.json").read_text(encoding="utf-8"))
INVALID = json.loads((FOLDER / "invalid.json").read_text(encoding="utf-8"))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def told(value: object) -> object:
    """A fact as the vectors write it."""
    match value:
        case bool():
            return value
        case int():
            return str(value)
        case bytes():
            return f"0x{value.hex()}"
        case tuple():
            return [told(one) for one in value]
        case Proven() | ProvenLog():
            return {field.name: told(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(value)


def verify(case: dict[str, str]) -> Proven:
    return ChainKeyAnchor.from_bytes(unhex(case["anchor"])).verify(unhex(case["proof"]))


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_a_proof_holds_and_says_what_it_should(case: dict[str, str]) -> None:
    assert told(verify(case)) == case["facts"]
    proof = Proof.from_bytes(unhex(case["proof"]))
    assert proof.to_bytes() == unhex(case["proof"])
    assert proof.kind.name.lower() == case["kind"]


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case["name"])
def test_a_forgery_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        verify(case)


def test_there_are_vectors_of_every_kind() -> None:
    assert {case["kind"] for case in VALID} == {"receipt", "transaction", "message", "account", "storage"}
    names = [case["name"] for case in VALID + INVALID]
    assert len(names) == len(set(names)) > 180


@pytest.mark.long
def test_the_script_makes_these_very_bytes(tmp_path: Path) -> None:
    script = [sys.executable, "-B", "-W", "error", str(FOLDER / "make.py"), str(tmp_path)]
    subprocess.run(script, check=True, timeout=120, env={})
    for name in ("valid.json", "invalid.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_the_verifier_works_without_the_rest_of_the_library(tmp_path: Path) -> None:
    """A copy of the primitives and of `cspv/verify`, and nothing else, checks a proof with a link."""
    library = Path(sys.modules["chainstack_sdk"].__file__ or "").parent
    for part in ("primitives", "cspv/verify"):
        for source in (library / part).rglob("*.py"):
            copy = tmp_path / "chainstack_sdk" / source.relative_to(library)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    for package in ("", "cspv"):
        (tmp_path / "chainstack_sdk" / package / "__init__.py").touch()
    case = next(case for case in VALID if case["name"] == "receipt, with two links")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from chainstack_sdk.cspv.verify import ChainKeyAnchor\n"
        "anchor, proof = map(bytes.fromhex, sys.argv[2:])\n"
        "print(ChainKeyAnchor.from_bytes(anchor).verify(proof).height)\n"
        "print(sys.modules['chainstack_sdk'].__file__)\n"
    )
    arguments = [str(tmp_path), case["anchor"][2:], case["proof"][2:]]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={},
        timeout=120,
    )
    height, place = done.stdout.split()
    assert height == case["facts"]["height"]
    assert Path(place).is_relative_to(tmp_path)
