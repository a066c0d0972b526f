"""What tests of machines have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chainstack_sdk.machines.check import Finding


@pytest.fixture
def reproduce() -> Callable[[Finding], str]:
    """Run the test that a finding prints, and return it."""
    return reproduced


def reproduced(finding: Finding) -> str:
    printed = finding.as_test()
    namespace: dict[str, Any] = {}
    exec(compile(printed, "generated", "exec"), namespace)
    (test,) = [value for name, value in namespace.items() if name.startswith("test_")]
    test()
    return printed
