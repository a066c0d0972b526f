"""Applets in any language that compiles to WebAssembly.

A module exports its ``memory`` and the entry, a function without arguments. It may import these from
``chainstack``, and nothing else; addresses and sizes are 32 bit::

    input(at, room) -> size              copy the input's JSON, up to `room` bytes; its whole size is returned
    record(name, length, at, room) -> size       copy a record's JSON, likewise
    emit(at, size)                               let a JSON value out

Text is UTF-8. A result of the entry is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import wasmtime

    from chainstack_sdk.apps.sandbox.session import Session

_MAX_NAME = 64


def run_wasm(session: Session, module: wasmtime.Module, entry: str) -> None:
    """Run a module's entry.

    Raises
    ------
    AppletError
        When it does not come to its end.
    """
    host = session.host

    def copy(data: bytes, at: int, room: int) -> int:
        part = data[:room]
        session.charge(len(part))
        session.write(at, part)
        return len(data)

    def read_input(at: int, room: int) -> int:
        return copy(host.input, at, room)

    def read_record(name: int, length: int, at: int, room: int) -> int:
        return copy(host.record(session.read(name, min(length, _MAX_NAME + 1))), at, room)

    def emit(at: int, size: int) -> None:
        session.charge(size)
        host.admit(size)
        host.emit(session.read(at, size))

    session.define("chainstack", "input", "ii>i", read_input)
    session.define("chainstack", "record", "iiii>i", read_record)
    session.define("chainstack", "emit", "ii", emit)
    session.start(module)
    session.call(entry)
