"""From code to machine code: applets in a worker process, the JavaScript guest once.

**Caveats**

Machine code is run as it is: the worker's output is trusted because the worker's code is ours, and a
cached guest is trusted because only this user can write where it lies. An attacker who can make the
*compiler* misbehave could break out of both; who must reckon with that runs the whole sandbox in a
process, or machine, of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

import wasmtime

from chainstack_sdk.apps.sandbox.compile_worker import REFUSED
from chainstack_sdk.apps.sandbox.errors import AppletRefused
from chainstack_sdk.apps.sandbox.host import printable
from chainstack_sdk.apps.sandbox.pins import PROFILE, load_guest
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

COMPILE_SECONDS = 10
"""Time that compiling one applet may take, in seconds."""

COMPILE_MEMORY = 1 << 30
"""Address space that compiling one applet may take, in bytes: 1 GiB."""

MAX_COMPILED = 64 << 20
"""The most machine code one applet may become, in bytes."""

_WORKER = "chainstack_sdk.apps.sandbox.compile_worker"


def compile_applet(engine: wasmtime.Engine, code: bytes, seconds: float = COMPILE_SECONDS) -> wasmtime.Module:
    """Return the module of an applet, compiled in a process of its own.

    Raises
    ------
    AppletRefused
        When it is no valid module, or takes more time or memory to compile than it may.
    """
    command = [sys.executable, "-P", "-m", _WORKER, str(int(seconds) + 1), str(COMPILE_MEMORY)]
    # The child finds what this process finds, wherever that came from.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, input=code, capture_output=True, timeout=seconds, env=environment)
    except subprocess.TimeoutExpired:
        raise AppletRefused("the applet takes too long to compile", seconds=seconds) from None
    if done.returncode == REFUSED:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise AppletRefused("the applet is not a valid module", reason=printable(reason))
    if done.returncode or len(done.stdout) > MAX_COMPILED:
        raise AppletRefused("the applet takes too much to compile", status=done.returncode)
    return wasmtime.Module.deserialize(engine, done.stdout)


def compile_guest(engine: wasmtime.Engine, cache: Path | None = None) -> wasmtime.Module:
    """Return the module of the JavaScript engine: two to three seconds, or some milliseconds from a cache.

    Parameters
    ----------
    engine
        The engine to run it.
    cache
        A directory of this user's, in which the machine code is kept for next time.

    Raises
    ------
    UsageError
        When the guest is missing or not the recorded one, or others may write into the directory.
    """
    guest = load_guest()
    if cache is None:
        return wasmtime.Module(engine, guest)
    if os.name == "posix" and cache.stat().st_mode & 0o022:
        raise UsageError("others may write into the cache of machine code", path=str(cache))
    path = cache / f"quickjs-{PROFILE.hex()[:16]}.bin"
    module = _read_cached(engine, path)
    if module is None:
        module = wasmtime.Module(engine, guest)
        _write_cached(path, bytes(module.serialize()))
    return module


def _read_cached(engine: wasmtime.Engine, path: Path) -> wasmtime.Module | None:
    """Return the module in a file, None where there is none, it is damaged, or for another processor."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    if sha256(kept[32:]).digest() != kept[:32]:
        return None
    try:
        return wasmtime.Module.deserialize(engine, kept[32:])
    except wasmtime.WasmtimeError:
        return None


def _write_cached(path: Path, compiled: bytes) -> None:
    """Keep machine code behind its hash; whole or not at all, also when several processes write."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(sha256(compiled).digest() + compiled)
    draft.replace(path)
