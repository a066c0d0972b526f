"""The engine that runs applets: wasmtime, pinned, with every door shut that applets do not need.

What an applet computes, and the fuel it burns, follow from the engine's version, the settings below and the
JavaScript guest; ``pins.PROFILE`` names the three. Compare fuel only between equal profiles.

Loading this module loads wasmtime; ``pins.require_wasmtime`` tells whether that will work.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

import wasmtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

STACK = 1 << 20
"""Bytes of native stack a module may use."""

TICK = 0.005
"""Seconds between two looks at the clock."""


def make_engine() -> wasmtime.Engine:
    """Return an engine with the sandbox's settings; modules compiled by one run in any other."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.max_wasm_stack = STACK
    config.parallel_compilation = False
    # One result on every processor: no threads, no vectors, and NaN has one bit pattern.
    config.cranelift_nan_canonicalization = True
    config.wasm_relaxed_simd = False
    config.wasm_simd = False
    config.wasm_threads = False
    config.shared_memory = False
    # Proposals that applets do without: less of the compiler is within reach of hostile code.
    config.wasm_component_model = False
    config.wasm_custom_page_sizes = False
    config.wasm_exceptions = False
    config.wasm_function_references = False
    config.wasm_gc = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.wasm_stack_switching = False
    config.wasm_tail_call = False
    config.wasm_wide_arithmetic = False
    config.gc_support = False
    return wasmtime.Engine(config)


class Ticker:
    """Calls a function every :data:`TICK` seconds while anybody is inside of it.

    It moves an engine's epoch, at whose deadline running code stops. All runs of an engine share the
    epoch and may overlap, so one thread ticks for all and ends with the last.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._inside = 0
        self._lock = Lock()
        self._stop = Event()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._stop = Event()
                Thread(target=self._run, args=(self._stop,), name="sandbox clock", daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._stop.set()

    def _run(self, stop: Event) -> None:
        due = monotonic() + TICK
        while not stop.wait(max(0.0, due - monotonic())):
            while due <= monotonic():  # a thread that waited long for its turn makes up for it
                self._tick()
                due += TICK
