"""The fixtures, used by a test run of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST = 'pytest_plugins = ["chainstack_sdk.testing.pytest_plugin"]\n'

TESTS = """
import pytest
from chainstack_sdk import ChainStack, ether
from chainstack_sdk.testing import accounts as make

def test_pay(chain, accounts):
    alice, bob = accounts[:2]
    before = chain.balance(bob)
    chain.transfer(alice, bob, 5)
    assert chain.balance(bob) == before + 5
    assert chain.height == 1

def test_each_test_has_its_own(chain, stack, accounts):
    assert chain is stack.main
    assert chain.height == 0
    assert list(accounts) == make(10)
    assert all(chain.balance(one) == ether(10_000) for one in accounts)

class TestAnother:
    @pytest.fixture
    def stack(self, accounts):
        with ChainStack.local({accounts[0]: 7}, chain_id=9) as stack:
            yield stack

    def test_follows(self, chain, accounts):
        assert (chain.chain_id, chain.balance(accounts[0])) == (9, 7)
"""


def test_the_fixtures_work(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:cov"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
