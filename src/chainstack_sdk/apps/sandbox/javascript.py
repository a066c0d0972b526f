"""Applets in JavaScript: source text, run by an engine that is itself WebAssembly.

The applet's script is evaluated in a fresh realm that has ECMAScript and two names more:

``records.read(name)``
    Return a record.
``emit(value)``
    Let a value out.

Then its entry is called with the input; what it returns is let out like any other value, unless it is
``null`` or ``undefined``. There is no clock (``Date`` stands still at the time of the run), no chance
(``Math.random`` starts from that same time), no timer, no module and no console. Promises run to their
end, but the entry itself is not asynchronous.

**Caveats**

The realm is for convenience: an applet may change whatever it finds there, even reach the engine's own
way to the host. That way ends in the same checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.apps.sandbox.errors import AppletFailed, CapabilityDenied, MemoryExceeded
from chainstack_sdk.apps.sandbox.host import printable

if TYPE_CHECKING:
    import wasmtime

    from chainstack_sdk.apps.sandbox.session import Session

SCRIPT_STACK = 256 * 1024
"""Bytes of stack before a script gets a RangeError."""

PRELUDE = b"""((call, stringify) => {
  for (const name of ["host", "__host_call", "print", "console", "performance"]) delete globalThis[name];
  const offer = (name, value) => Object.defineProperty(globalThis, name, {value});
  const emit = value => { call("emit", stringify([value])); };
  offer("emit", emit);
  offer("records", Object.freeze({read: name => call("record", stringify([String(name)]))}));
  offer("__start", entry => {
    const result = entry(call("input", "[]"));
    if (result === null || result === undefined) return;
    if (typeof result.then === "function") throw new TypeError("the entry must not be asynchronous");
    emit(result);
  });
})(__host_call, JSON.stringify)"""
"""What is evaluated before the applet."""

_BAD_DESCRIPTOR = 8
_MAX_ARGUMENTS = 512
_MAX_TEXT = 1_000
_EXCEPTION = 4
_OUT_OF_MEMORY = b"InternalError: out of memory"


def run_javascript(session: Session, guest: wasmtime.Module, code: bytes, entry: str, now: int) -> None:
    """Run a script and its entry.

    Raises
    ------
    AppletError
        When it does not come to its end.
    """
    script = _Script(session, now)
    session.start(guest)
    session.call("_initialize")
    if session.call("qjs_init", 0, SCRIPT_STACK):
        raise MemoryExceeded("the JavaScript engine needs more memory")
    for source in (PRELUDE, code, f"__start({entry})".encode()):
        script.evaluate(source)


class _Script:
    """The guest's imports, and the evaluation of source text."""

    def __init__(self, session: Session, now: int) -> None:
        self._session = session
        self._nanoseconds = (now * 1_000_000_000).to_bytes(8, "little")
        self._answer = b""
        self._thrown = bytearray()
        session.define("env", "host_call", "iiii>i", self._call)
        session.define("env", "host_take", "ii", self._take)
        session.define("env", "host_write", "iii", self._write)
        session.define("env", "host_interrupt", ">i", lambda: 0)
        session.define("wasi_snapshot_preview1", "clock_time_get", "iIi>i", self._clock)
        for name, signature in (
            ("fd_close", "i>i"),
            ("fd_fdstat_get", "ii>i"),
            ("fd_seek", "iIii>i"),
            ("fd_write", "iiii>i"),
        ):
            session.define("wasi_snapshot_preview1", name, signature, lambda *_: _BAD_DESCRIPTOR)

    def evaluate(self, source: bytes) -> None:
        session = self._session
        at = session.call("malloc", len(source) + 1) & 0xFFFF_FFFF
        if not at:
            raise MemoryExceeded("the script does not fit into the applet's memory")
        session.write(at, source + b"\0")
        if session.call("qjs_eval", at, len(source)):
            self._fail()
        session.call("free", at)

    def _fail(self) -> None:
        text = bytes(self._thrown)
        if text.startswith(_OUT_OF_MEMORY):
            raise MemoryExceeded("the applet used up its memory")
        thrown = printable(text.decode("utf-8", "replace"))
        raise AppletFailed("the applet threw an error", text=thrown)

    def _call(self, name: int, name_size: int, at: int, size: int) -> int:
        """Answer a call by name and JSON list of arguments; the guest takes the answer in a second step."""
        session = self._session
        host = session.host
        session.charge(size)
        match session.read(name, min(name_size, 8)):
            case b"emit":
                host.admit(size - 2)  # the brackets around the one argument
                (value,) = host.arguments(session.read(at, size), 1)
                host.keep(value)
                self._answer = b"null"
            case b"record":
                if size > _MAX_ARGUMENTS:
                    raise CapabilityDenied("a record was not granted", size=size)
                (record,) = host.arguments(session.read(at, size), 1)
                self._answer = host.record(record[1:-1])  # text without its quotes
            case b"input":
                self._answer = host.input
            case _:
                raise AppletFailed("the applet called a function that the host does not have")
        return len(self._answer)

    def _take(self, at: int, size: int) -> None:
        self._session.charge(size)
        self._session.write(at, self._answer[:size])

    def _write(self, stream: int, at: int, size: int) -> None:
        """Keep the beginning of an exception's text; results and prints are let drop."""
        if stream == _EXCEPTION:
            room = _MAX_TEXT - len(self._thrown)
            self._thrown += self._session.read(at, min(size, room))

    def _clock(self, clock: int, precision: int, at: int) -> int:
        self._session.write(at, self._nanoseconds)
        return 0
