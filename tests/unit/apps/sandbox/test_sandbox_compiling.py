"""Compiling: applets in a worker with limits, the guest once and then from a cache that is checked."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
import wasmtime

from chainstack_sdk import UsageError
from chainstack_sdk.apps.sandbox import AppletRefused, compile_worker, compiling
from chainstack_sdk.apps.sandbox.engine import make_engine

SMALL = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "main")))'))


def test_an_applet_is_compiled_in_a_worker() -> None:
    module = compiling.compile_applet(make_engine(), SMALL)
    assert [export.name for export in module.exports] == ["memory", "main"]


def test_a_bad_module_is_refused_with_the_reason() -> None:
    with pytest.raises(AppletRefused, match="not a valid module") as refused:
        compiling.compile_applet(make_engine(), SMALL[:-3])
    assert refused.value.reason


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ((-9, b"", b""), "takes too much"),
        ((1, b"", b"MemoryError"), "takes too much"),
        ((0, bytes(9), b""), "takes too much"),
        ((3, b"", b"why\x1b[0m\nmore"), r"reason why\?\[0m"),
    ],
)
def test_how_a_worker_ends_is_told(monkeypatch, done: tuple, told: str) -> None:
    monkeypatch.setattr(compiling, "MAX_COMPILED", 8)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], *done))
    with pytest.raises(AppletRefused, match=told):
        compiling.compile_applet(make_engine(), SMALL)


def run_worker(monkeypatch, code: bytes) -> tuple[int, bytes, str]:
    """Run the worker's main in this process; its limits are recorded instead of set."""
    out, error = io.BytesIO(), io.StringIO()
    limits: list[tuple] = []
    resource = SimpleNamespace(
        RLIMIT_CPU=1, RLIMIT_AS=2, RLIMIT_CORE=3, setrlimit=lambda *limit: limits.append(limit)
    )
    monkeypatch.setitem(sys.modules, "resource", resource)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(code)))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    monkeypatch.setattr(sys, "stderr", error)
    status = compile_worker.main(["11", "5000"])
    assert limits == [(1, (11, 11)), (2, (5000, 5000)), (3, (0, 0))]
    return status, out.getvalue(), error.getvalue()


def test_the_worker_gives_machine_code_or_a_reason(monkeypatch) -> None:
    status, compiled, error = run_worker(monkeypatch, SMALL)
    assert (status, error) == (0, "")
    assert wasmtime.Module.deserialize(make_engine(), compiled).exports
    status, compiled, error = run_worker(monkeypatch, SMALL[:-1])
    assert (status, compiled) == (3, b"")
    assert error


def test_the_worker_refuses_many_names(monkeypatch) -> None:
    names = " ".join(f'(export "n{number}" (func $f))' for number in range(compile_worker.MAX_NAMES + 1))
    status, _, error = run_worker(monkeypatch, bytes(wasmtime.wat2wasm(f"(module (func $f) {names})")))
    assert (status, error) == (3, "too many imports and exports")


def test_where_there_are_no_limits_to_set_the_worker_goes_on(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    compile_worker.limit_resources(1, 1)


# The guest ----------------------------------------------------------------------------------------------


@pytest.fixture
def small_guest(monkeypatch) -> None:
    """A guest that is compiled at once: what is tested here is the cache."""
    monkeypatch.setattr(compiling, "load_guest", lambda: SMALL)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.usefixtures("small_guest")
def test_the_guest_is_kept_behind_its_hash(cache: Path, monkeypatch) -> None:
    engine = make_engine()
    assert compiling.compile_guest(engine).exports
    compiling.compile_guest(engine, cache)
    (file,) = cache.iterdir()
    kept = file.read_bytes()
    assert kept[:32] == sha256(kept[32:]).digest()
    monkeypatch.setattr(wasmtime.Module, "__init__", None)  # what is kept needs no compiling
    assert compiling.compile_guest(engine, cache).exports


@pytest.mark.usefixtures("small_guest")
@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[:-1],
        lambda kept: bytes([kept[0] ^ 1]) + kept[1:],
        lambda kept: kept[:2_000] + bytes([kept[2_000] ^ 1]) + kept[2_001:],
        lambda kept: sha256(b"other").digest() + b"other",
    ],
)
def test_a_damaged_cache_is_compiled_anew(cache: Path, damage) -> None:
    engine = make_engine()
    compiling.compile_guest(engine, cache)
    (file,) = cache.iterdir()
    kept = file.read_bytes()
    file.write_bytes(damage(kept))
    assert compiling.compile_guest(engine, cache).exports
    assert len(file.read_bytes()) == len(kept)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_cache_that_others_may_write_is_refused(cache: Path) -> None:
    cache.chmod(0o770)
    with pytest.raises(UsageError, match="others may write"):
        compiling.compile_guest(make_engine(), cache)
