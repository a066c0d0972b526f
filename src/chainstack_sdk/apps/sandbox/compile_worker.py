"""The process in which one applet is compiled: WebAssembly comes in, machine code goes out.

Run as ``python -m chainstack_sdk.apps.sandbox.compile_worker SECONDS BYTES``. Compiling is not metered by
fuel, and a small module can take long and much memory; here it takes a process with limits of its own,
which the operating system keeps where it can (not on Windows, where only the parent's clock ends it).

Exit status: 0 with the compiled module on the standard output, 3 with a reason on the standard error; any
other is an end by a limit.
"""

from __future__ import annotations

import sys

REFUSED = 3
"""The exit status for a module that the engine does not take."""

MAX_NAMES = 1_000
"""The most imports and exports a module may have together."""


def limit_resources(seconds: int, memory: int) -> None:
    """Limit this process: processor seconds, bytes of address space, and no core files."""
    try:
        import resource
    except ImportError:
        return
    for what, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def compile_module(code: bytes) -> bytes:
    """Return the machine code for a WebAssembly module in binary form.

    Raises
    ------
    wasmtime.WasmtimeError
        When the engine refuses the module, or it has more than :data:`MAX_NAMES` imports or exports: the
        parent goes through them one by one, out of these limits' reach.
    """
    import wasmtime

    from chainstack_sdk.apps.sandbox.engine import make_engine

    module = wasmtime.Module(make_engine(), code)
    if len(module.imports) + len(module.exports) > MAX_NAMES:
        raise wasmtime.WasmtimeError("too many imports and exports")
    return bytes(module.serialize())


def main(arguments: list[str]) -> int:
    """Compile what comes in on the standard input."""
    seconds, memory = map(int, arguments)
    limit_resources(seconds, memory)
    from wasmtime import WasmtimeError

    try:
        compiled = compile_module(sys.stdin.buffer.read())
    except WasmtimeError as error:
        sys.stderr.write(str(error)[:1_000])
        return REFUSED
    sys.stdout.buffer.write(compiled)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
