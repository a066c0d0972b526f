"""One run of one module: its store, its limits, its calls of the host, and how it ends.

No Python exception ever crosses WebAssembly. When the host refuses something, it notes the error, takes
all fuel away and returns; the module stops at its next function or loop, calls of the host before that do
nothing, and the noted error is raised outside. (The binding keeps exceptions that cross in one variable
for the whole process, so two runs at once would get each other's.)
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, NoReturn, cast

import wasmtime

from chainstack_sdk.apps.sandbox.engine import TICK
from chainstack_sdk.apps.sandbox.errors import (
    AppletError,
    AppletFailed,
    AppletRefused,
    FuelExhausted,
    MemoryExceeded,
    TimeExceeded,
)
from chainstack_sdk.apps.sandbox.host import BYTE_FUEL, CALL_FUEL, printable
from chainstack_sdk.apps.sandbox.limits import PAGE, Limits, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.apps.sandbox.host import Host

MAX_TABLE = 10_000
"""The most entries of a module's table of functions."""


class Session:
    """A store with limits and a linker with nothing in it but what :meth:`define` puts there."""

    def __init__(self, engine: wasmtime.Engine, limits: Limits, host: Host) -> None:
        self.host = host
        self._limits = limits
        self._failure: AppletError | None = None
        self._fuel_left = limits.fuel
        self._host_calls = 0
        self._memory: wasmtime.Memory | None = None
        self._started = perf_counter_ns()
        self._store = wasmtime.Store(engine)
        self._store.set_limits(
            memory_size=limits.memory, table_elements=MAX_TABLE, instances=1, tables=1, memories=1
        )
        self._store.set_fuel(limits.fuel)
        # the next tick may come at once, so one more is waited for
        self._store.set_epoch_deadline(int(limits.milliseconds / 1_000 / TICK) + 2)
        self._linker = wasmtime.Linker(engine)

    def close(self) -> None:
        """Free the memory now, not when the garbage collector comes by."""
        self._linker.close()
        self._store.close()

    def define(self, module: str, name: str, signature: str, function: Callable[..., int | None]) -> None:
        """Offer a function; its signature: ``i`` or ``I`` per 32 or 64 bit argument, ``>i`` for a result."""
        kinds = {"i": wasmtime.ValType.i32, "I": wasmtime.ValType.i64}
        arguments, _, results = signature.partition(">")
        kind = wasmtime.FuncType(
            [kinds[letter]() for letter in arguments], [kinds[letter]() for letter in results]
        )

        def guarded(*values: int) -> int | None:
            answer = None
            if self._failure is None:
                self._host_calls += 1
                try:
                    self._pay(CALL_FUEL)
                    # addresses and sizes arrive as signed numbers
                    answer = function(*(value & 0xFFFF_FFFF for value in values))
                except AppletError as error:
                    self._fail(error)
            return (answer or 0) if results else None

        self._linker.define_func(module, name, kind, guarded)

    def start(self, module: wasmtime.Module) -> None:
        """Instantiate the module, whose export ``memory`` is its memory.

        Raises
        ------
        AppletError
            When its imports or memory are not acceptable, or its start function fails.
        """
        self._check_memory(module)
        try:
            self._exports = self._linker.instantiate(self._store, module).exports(self._store)
        except wasmtime.Trap as trap:
            self._raise(trap)
        except wasmtime.WasmtimeError as error:
            raise AppletRefused("the applet cannot be linked", reason=printable(str(error))) from None
        self._memory = cast(wasmtime.Memory, self._exports["memory"])

    def call(self, name: str, *values: int) -> int:
        """Call an exported function and return its result, 0 where it has none.

        Raises
        ------
        AppletError
            When it is not there, or ends otherwise than by returning.
        """
        function = self._exports.get(name)
        if not isinstance(function, wasmtime.Func):
            raise AppletRefused("the applet has no such function", entry=name)
        kind = function.type(self._store)
        if [str(one) for one in kind.params] != ["i32"] * len(values):
            raise AppletRefused("the applet's function takes other arguments", entry=name)
        try:
            answer = function(self._store, *values)
        except wasmtime.Trap as trap:
            self._raise(trap)
        if self._failure is not None:  # noted, and the module returned before it came to a check
            raise self._failure
        return answer if isinstance(answer, int) else 0

    def read(self, at: int, size: int) -> bytes:
        """Return bytes of the module's memory.

        Raises
        ------
        AppletFailed
            When they are not all inside.
        """
        return bytes(self._inside(at, size).read(self._store, at, at + size))

    def write(self, at: int, data: bytes) -> None:
        """Put bytes into the module's memory.

        Raises
        ------
        AppletFailed
            When they do not fit.
        """
        memory = self._inside(at, len(data))
        if data:
            memory.write(self._store, data, at)

    def charge(self, size: int) -> None:
        """Take the price of so many bytes that a host call carries; the call itself is paid already.

        Raises
        ------
        FuelExhausted
            When it cannot be paid.
        """
        self._pay(size * BYTE_FUEL)

    def usage(self) -> Usage:
        """Return what was used so far."""
        left = self._store.get_fuel() if self._failure is None else self._fuel_left
        return Usage(
            fuel=self._limits.fuel - left,
            memory=0 if self._memory is None else self._memory.data_len(self._store),
            host_calls=self._host_calls,
            emitted=self.host.emitted_bytes,
            nanoseconds=perf_counter_ns() - self._started,
        )

    def _check_memory(self, module: wasmtime.Module) -> None:
        for export in module.exports:
            if export.name == "memory" and isinstance(export.type, wasmtime.MemoryType):
                needed = export.type.limits.min * PAGE
                if needed > self._limits.memory:
                    raise MemoryExceeded(
                        "the applet starts with more memory than it may have",
                        limit=self._limits.memory,
                        actual=needed,
                    )
                return
        raise AppletRefused("the applet exports no memory")

    def _pay(self, price: int) -> None:
        left = self._store.get_fuel() - price
        if left < 0:
            raise FuelExhausted("the applet used up its fuel", limit=self._limits.fuel)
        self._store.set_fuel(left)

    def _inside(self, at: int, size: int) -> wasmtime.Memory:
        memory = self._memory
        if memory is None:
            raise AppletFailed("the applet called the host before its entry was called")
        if at + size > memory.data_len(self._store):
            raise AppletFailed("the applet pointed outside of its memory", address=at, size=size)
        return memory

    def _fail(self, error: AppletError) -> None:
        self._failure = error
        self._fuel_left = 0 if isinstance(error, FuelExhausted) else self._store.get_fuel()
        self._store.set_fuel(0)

    def _raise(self, trap: wasmtime.Trap) -> NoReturn:
        """Raise the error that a trap stands for."""
        code = trap.trap_code
        if self._failure is not None:
            error: AppletError = self._failure
        elif code is wasmtime.TrapCode.OUT_OF_FUEL:
            error = FuelExhausted("the applet used up its fuel", limit=self._limits.fuel)
        elif code is wasmtime.TrapCode.INTERRUPT:
            error = TimeExceeded("the applet ran too long", milliseconds=self._limits.milliseconds)
        else:
            name = "unknown" if code is None else code.name.lower()
            error = AppletFailed("the applet trapped", trap=name)
        raise error from None
