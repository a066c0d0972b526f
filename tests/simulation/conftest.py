"""Chooses the seeds."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def first_seed() -> int:
    """Seeds count from here on. Try others with ``CHAINSTACK_SIM_SEED=100000 pytest tests/simulation``."""
    return int(os.environ.get("CHAINSTACK_SIM_SEED", "0"))
