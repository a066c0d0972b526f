"""docs/consensus-rules.md names every line of the algorithm, code that is there, and tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[4]
SHEET = (REPOSITORY / "docs" / "consensus-rules.md").read_text(encoding="utf-8")
SOURCES = REPOSITORY / "src" / "chainstack_sdk" / "consensus" / "bft"
LINES_OF_THE_ALGORITHM = range(1, 68)


@cache
def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(\w+\.py)::(\w+)`", SHEET)
    assert len(named) > 40
    files = {path.name: path for path in (REPOSITORY / "tests").rglob("test_*.py")}
    gone = [f"{file}::{name}" for file, name in named if name not in functions_of(files[file])]
    assert gone == []


def test_every_line_of_the_algorithm_is_there_once() -> None:
    ranges = re.findall(r"^\| L(\d+)-L(\d+) \|", SHEET, re.MULTILINE)
    listed = [line for first, last in ranges for line in range(int(first), int(last) + 1)]
    assert listed == list(LINES_OF_THE_ALGORITHM)


def test_the_arms_say_the_same_lines() -> None:
    ranges = set(re.findall(r"^\| (L\d+)-(L\d+) \|", SHEET, re.MULTILINE))
    starts = {first for first, _ in ranges}
    arms = re.findall(r"# (L\d+)", (SOURCES / "round.py").read_text(encoding="utf-8"))
    assert len(arms) > 10
    assert set(arms) <= starts | {"L16"}  # L16 is the middle of the proposer's choice


def test_the_code_that_is_named_exists() -> None:
    column = [row.split("|")[3] for row in SHEET.splitlines() if re.match(r"\| L\d", row)]
    named = {name for cell in column for name in re.findall(r"`([\w.]+)`", cell)}
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py"))
    for name in sorted(named):
        assert re.search(rf"(def|class) {name.split('.')[-1]}\b", text), name
