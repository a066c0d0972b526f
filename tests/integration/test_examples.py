"""Every example runs as a user would run it: in its own interpreter, warnings as errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(example: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in an empty folder and return what it printed and how it ended."""
    return subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_example_runs(example: Path, tmp_path: Path) -> None:
    done = run(example, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "an example shows what it did"


def test_there_are_examples() -> None:
    assert list(EXAMPLES.glob("*.py"))


def test_a_warning_fails_an_example(tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text("import warnings\nwarnings.warn('old')\nprint('done')", encoding="utf-8")
    assert run(example, tmp_path).returncode == 1
