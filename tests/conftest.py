"""Settings of every property test, and the sandbox that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from chainstack_sdk.apps.sandbox import Limits, Sandbox

# No deadline: coverage and a busy machine slow single examples down, and that is no failure.
# The quick profile tries the same examples every time, so that what passed once passes elsewhere;
# the long one looks for new ones.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def machine_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all processes of a test run: compiling the guest takes seconds."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "machine-code"
    cache.mkdir(mode=0o700, exist_ok=True)
    return cache


@pytest.fixture(scope="session")
def sandbox(machine_code: Path) -> Sandbox:
    """One with so much time that, under load, no test but those of the clock meets its limit."""
    return Sandbox(Limits(milliseconds=60_000), cache=machine_code, compile_seconds=60)
