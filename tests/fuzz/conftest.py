"""Makes the helpers importable and chooses the seed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

DEFAULT_SEED = 20_260_101

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def fuzz_seed() -> int:
    """Every input follows from this number and the target's name; each failure names it."""
    return int(os.environ.get("CHAINSTACK_FUZZ_SEED", str(DEFAULT_SEED)))
