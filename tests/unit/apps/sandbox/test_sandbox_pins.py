"""The pinned engine and guest: what is missing or different is named."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.apps.sandbox import Sandbox, pins

EXTRA = r"pip install 'chainstack-sdk\[sandbox\]'"


def test_what_is_pinned_is_installed() -> None:
    pins.require_wasmtime()
    assert len(pins.load_guest()) > 1_000_000
    assert len(pins.PROFILE) == 32


def test_a_missing_engine_names_the_extra(monkeypatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(UsageError, match=EXTRA) as refused:
        Sandbox()
    assert refused.value.extra == "sandbox"


def test_another_engine_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "51.0.0")
    with pytest.raises(UsageError, match="another version of wasmtime") as refused:
        Sandbox()
    assert (refused.value.expected, refused.value.actual) == ("50.0.1", "51.0.0")


@pytest.mark.parametrize("origin", [None, "/nowhere/__init__.py"])
def test_a_missing_guest_names_the_extra(monkeypatch, origin: str | None) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None, origin=origin))
    with pytest.raises(UsageError, match=EXTRA):
        pins.load_guest()


def test_another_guest_is_refused(monkeypatch, tmp_path: Path) -> None:
    guest = tmp_path / pins.GUEST_FILE
    guest.parent.mkdir()
    guest.write_bytes(pins.load_guest() + b"\0")
    spec = ModuleSpec("pwasm", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(UsageError, match="not the recorded one"):
        pins.load_guest()


def test_packages_need_no_engine() -> None:
    code = (
        "import sys, chainstack_sdk\n"
        "from chainstack_sdk.apps.sandbox import Applet, Grant, Manifest, Sandbox\n"
        "from chainstack_sdk.apps.market import Market\n"
        "print([name for name in ('wasmtime', 'pwasm', 'subprocess') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
