"""The benchmarks run and report; what they measure is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def benchmarks(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_a_table_and_json(tmp_path: Path) -> None:
    output = tmp_path / "results" / "latest.json"
    table = benchmarks("--quick", "--only", "chain", "--output", str(output))
    results = json.loads(output.read_text())
    (figure,) = results["figures"]
    assert figure["name"] in table
    assert 0 < figure["low"] <= figure["value"] <= figure["high"]
    assert figure["met"] == (figure["value"] <= figure["target"])
    assert ("met" if figure["met"] else "missed by") in table
    assert results["quick"] is True
    assert results["machine"]["python"] == sys.version.split()[0]
    assert results["machine"]["python"] in table


def test_the_list() -> None:
    names = [line.split()[0] for line in benchmarks("--list").splitlines()]
    assert {"transfers", "known", "workers", "evm", "trie", "memory", "import", "chain", "latency"} <= {
        *names
    }


@pytest.mark.long
def test_transfers_mean_the_same_on_a_real_evm() -> None:
    """The comparison with py-evm compares like with like: its balances are ours, transfer by transfer."""
    program = (
        "from benchmarks.transfers import Evm; from benchmarks.workload import transfers\n"
        "evm = Evm(transfers(1000)); evm.one_by_one(3)(); evm.in_bulk(5)(); evm.check()\n"
        "evm.done -= 1\n"
        "try: evm.check()\n"
        "except AssertionError: print('noticed')"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    assert ran.stdout.strip() == "noticed"
