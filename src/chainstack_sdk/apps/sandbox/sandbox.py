"""The sandbox: run an applet over an input and some records, and get what it let out.

A run is a function of applet, input, grant, limits and time: done twice, it gives the same values and
burns the same fuel. It lets out everything or nothing: when it fails, what it emitted before is gone.

**Caveats**

- The quota bounds *how much* leaves, never *what*: an applet can hide a secret in the bytes it may emit.
  Show the user what would leave, and keep quotas small.
- Failing, lasting and burning fuel say something too. Whoever wrote the applet should learn the values
  only, or that there are none: not the error, not the time.
- Limits hold in this process. It shares an address space with the engine; against attacks on the engine
  itself, run the sandbox in a process without privileges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from chainstack_sdk.apps.sandbox.errors import AppletError
from chainstack_sdk.apps.sandbox.host import Host
from chainstack_sdk.apps.sandbox.json_values import Json, decode_json, encode_json
from chainstack_sdk.apps.sandbox.limits import Limits, Usage
from chainstack_sdk.apps.sandbox.pins import require_wasmtime
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import wasmtime

    from chainstack_sdk.apps.sandbox.package import Applet
    from chainstack_sdk.apps.sandbox.session import Session
    from chainstack_sdk.primitives.types import Hash32

KEPT_MODULES = 16
"""How many compiled applets a sandbox keeps, the last used."""

_MAX_TIME = 2**33


@dataclass(frozen=True, slots=True)
class Grant:
    """What the user of this machine allows; an applet has of it only what its manifest asks for."""

    records: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """The records it may read: name -> value."""
    emit: int = 0
    """The bytes it may let out: the canonical JSON of each value and one more for each."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that came to its end."""

    applet: Hash32
    """The hash of the applet: 32 bytes."""
    emitted: tuple[bytes, ...]
    """What it let out, in order: each the canonical JSON of a value."""
    usage: Usage
    """What it used."""

    @property
    def values(self) -> list[Json]:
        """What it let out, decoded."""
        return [decode_json(data) for data in self.emitted]

    @property
    def output(self) -> bytes:
        """What it let out as one canonical JSON list: what to show, sign or send."""
        return b"[" + b",".join(self.emitted) + b"]"


class Sandbox:
    """An engine for applets. It may be shared by threads; runs at the same time do not touch each other.

    The first JavaScript applet of a sandbox waits two to three seconds for the guest to be compiled,
    unless the cache has it. Each WebAssembly applet is compiled once, in a process of its own.

    Parameters
    ----------
    limits
        What any run may use at most; an applet's own limits hold below that.
    compile_seconds
        The time that compiling one applet may take.
    cache
        A directory in which the compiled guest is kept. Only this user may have the right to write there,
        for what lies in it is run.

    Raises
    ------
    UsageError
        When the extra ``sandbox`` is missing or not of the pinned version.
    """

    def __init__(
        self, limits: Limits | None = None, *, compile_seconds: float = 10.0, cache: Path | None = None
    ) -> None:
        require_wasmtime()
        from chainstack_sdk.apps.sandbox.engine import Ticker, make_engine

        self.limits = limits or Limits()
        """What any run may use at most."""
        self._compile_seconds = compile_seconds
        self._cache = cache
        self._engine = make_engine()
        self._ticker = Ticker(self._engine.increment_epoch)
        self._modules: dict[bytes, wasmtime.Module] = {}
        self._guest: wasmtime.Module | None = None
        self._guest_lock = Lock()
        self._modules_lock = Lock()

    def run(self, applet: Applet, input: Json = None, grant: Grant | None = None, *, now: int = 0) -> Run:
        """Run an applet to its end.

        Parameters
        ----------
        applet
            What to run; that it is an :class:`~chainstack_sdk.apps.sandbox.Applet` proves who signed it.
        input
            What its entry is called with.
        grant
            What it may read and let out; nothing by default.
        now
            The time that JavaScript sees, in seconds since 1970; below 2**33.

        Raises
        ------
        AppletError
            When it is refused, fails, or goes beyond what it may.
        UsageError
            When the input, a record or the time is out of range, or the JavaScript guest is not installed.
        """
        from chainstack_sdk.apps.sandbox.session import Session

        if not 0 <= now < _MAX_TIME:
            raise UsageError("a time is in seconds since 1970, below 2**33", actual=now)
        host = _host(applet, encode_json(input), grant or Grant())
        module = self._module(applet)
        session = Session(self._engine, applet.manifest.limits.within(self.limits), host)
        try:
            with self._ticker:
                _execute(session, module, applet, now)
            return Run(applet.hash, tuple(host.emitted), session.usage())
        except AppletError as error:
            error.usage = session.usage()
            raise
        finally:
            session.close()

    def _module(self, applet: Applet) -> wasmtime.Module:
        """Return the compiled module to run: the applet's own, or the JavaScript engine."""
        from chainstack_sdk.apps.sandbox.compiling import compile_applet, compile_guest

        if applet.manifest.kind == "js":
            with self._guest_lock:
                if self._guest is None:
                    self._guest = compile_guest(self._engine, self._cache)
            return self._guest
        with self._modules_lock:
            module = self._modules.pop(applet.hash, None)
        if module is None:  # outside of the lock: a slow module holds up nobody else's
            module = compile_applet(self._engine, applet.code, self._compile_seconds)
        with self._modules_lock:
            self._modules[applet.hash] = module  # last in line: the last used
            while len(self._modules) > KEPT_MODULES:
                del self._modules[next(iter(self._modules))]
        return module


def _host(applet: Applet, input: bytes, grant: Grant) -> Host:
    """Return the host of a run, with no more than was asked for and granted."""
    asked = applet.manifest
    records = {name: encode_json(grant.records[name]) for name in asked.records if name in grant.records}
    return Host(input, records, min(asked.emit, grant.emit))


def _execute(session: Session, module: wasmtime.Module, applet: Applet, now: int) -> None:
    from chainstack_sdk.apps.sandbox.javascript import run_javascript
    from chainstack_sdk.apps.sandbox.wasm import run_wasm

    if applet.manifest.kind == "js":
        run_javascript(session, module, applet.code, applet.manifest.entry, now)
    else:
        run_wasm(session, module, applet.manifest.entry)
