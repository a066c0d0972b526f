"""Short ways to make an applet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wasmtime

from chainstack_sdk import Account
from chainstack_sdk.apps.sandbox import Applet, Limits, Manifest

AUTHOR = Account.from_key(b"\x01" * 32)
PATIENT = Limits(milliseconds=60_000)
"""Under load, no test but those of the clock should meet it."""


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
