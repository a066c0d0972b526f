"""A sandbox, and short ways to make an applet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from chainstack_sdk import Account
from chainstack_sdk.apps.sandbox import Applet, Limits, Manifest, Sandbox

AUTHOR = Account.from_key(b"\x01" * 32)
PATIENT = Limits(milliseconds=60_000)
"""Under load, no test but those of the clock should meet it."""


@pytest.fixture(scope="session")
def machine_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all processes of a test run: compiling the guest takes seconds."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "machine-code"
    cache.mkdir(mode=0o700, exist_ok=True)
    return cache


@pytest.fixture(scope="session")
def sandbox(machine_code: Path) -> Sandbox:
    return Sandbox(PATIENT, cache=machine_code, compile_seconds=60)


@pytest.fixture
def author() -> Account:
    return AUTHOR


@pytest.fixture
def script() -> Callable[..., Applet]:
    def make(code: str | bytes, **fields: object) -> Applet:
        manifest = Manifest("test", "1.0.0", AUTHOR.address, "js", **{"limits": PATIENT, **fields})
        return Applet.sign(manifest, code if isinstance(code, bytes) else code.encode(), AUTHOR)

    return make


@pytest.fixture
def module() -> Callable[..., Applet]:
    def make(text: str, **fields: object) -> Applet:
        manifest = Manifest("test", "1.0.0", AUTHOR.address, "wasm", **{"limits": PATIENT, **fields})
        return Applet.sign(manifest, bytes(wasmtime.wat2wasm(text)), AUTHOR)

    return make
