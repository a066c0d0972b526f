"""What the figures were taken on, as far as it matters to them."""

from __future__ import annotations

import os
import platform
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chainstack_sdk.primitives import keccak256

PACKAGES = ("chainstack-sdk", "coincurve", "tiny-keccak", "eth-tester", "py-evm", "trie", "lmdb")


def description() -> dict[str, Any]:
    """Return the interpreter with its build, the processor's cores, and the packages that matter."""
    flags = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "optimized_build": "--enable-optimizations" in flags,
        "link_time_optimization": "--with-lto" in flags,
        "shared_library": "--enable-shared" in flags,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "compiled_part": str(keccak256.__module__).startswith("chainstack_sdk"),
        "packages": {name: version(name) for name in PACKAGES},
    }


def build(facts: dict[str, Any]) -> str:
    """Return a line about the interpreter's build."""
    optimized = "with" if facts["optimized_build"] else "without"
    compiled = "with" if facts["compiled_part"] else "without"
    return (
        f"{facts['implementation']} {facts['python']}, built {optimized} profile-guided optimization; "
        f"the library {compiled} its compiled part; {facts['cores']} cores"
    )


class Load:
    """How much of the processor other programs use meanwhile; known on Linux only."""

    def __init__(self) -> None:
        self._start = self._read()

    def share(self) -> float | None:
        """Return the others' share of all cores since the start, from 0 to 1."""
        now = self._read()
        if now is None or self._start is None:
            return None
        busy, own, wall = (end - begin for end, begin in zip(now, self._start, strict=True))
        return max(0.0, busy - own) / (wall * (os.cpu_count() or 1))

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        """Return seconds: of all programs, of this one and its children, on the wall."""
        try:
            fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        except OSError:
            return None
        user, nice, system, _idle, _wait, interrupts, soft = map(int, fields[:7])
        busy = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
        own = os.times()
        return busy, sum(own[:4]), time.perf_counter()
