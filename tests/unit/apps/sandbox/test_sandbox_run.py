"""Runs of harmless applets: what they get, what they let out, what it costs, twice the same."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
import wasmtime

from chainstack_sdk import UsageError
from chainstack_sdk.apps.sandbox import (
    AppletFailed,
    AppletRefused,
    CapabilityDenied,
    FuelExhausted,
    Grant,
    Limits,
    MemoryExceeded,
    Sandbox,
    TimeExceeded,
    compiling,
)
from chainstack_sdk.apps.sandbox import sandbox as facade

FIB_FUEL = 5_019_996
"""What `fib(12)` burns in this profile, on every machine."""

ALL = Grant({"sleep": [7.5, 8], "steps": [4_000, 6_000, 11_000]}, 1_000)


# JavaScript ---------------------------------------------------------------------------------------------


def test_a_script_reads_and_emits(sandbox, script) -> None:
    applet = script(
        """
        const average = list => list.reduce((sum, one) => sum + one, 0) / list.length;
        function main(input) {
            emit({kind: input.kind});
            return average(records.read(input.kind));
        }
        """,
        records=("steps",),
        emit=100,
    )
    run = sandbox.run(applet, {"kind": "steps"}, ALL)
    assert run.applet == applet.hash
    assert run.values == [{"kind": "steps"}, 7_000]
    assert run.emitted == (b'{"kind":"steps"}', b"7000")
    assert run.output == b'[{"kind":"steps"},7000]'
    assert run.usage.emitted == len(b'{"kind":"steps"}') + len(b"7000") + 2
    assert run.usage.memory % 65_536 == 0
    assert run.usage.nanoseconds > 0


def test_the_same_twice(sandbox, script) -> None:
    applet = script(
        "function main() { return [Math.random(), Date.now(), new Date(2020, 0).toString(), 0.1 + 0.2] }",
        emit=200,
    )
    first = sandbox.run(applet, None, ALL, now=1_700_000_000)
    assert sandbox.run(applet, None, ALL, now=1_700_000_000) == first
    assert first.values[0][1] == 1_700_000_000_000
    assert first.values[0][2].startswith("Wed Jan 01 2020 00:00:00 GMT+0000")
    assert sandbox.run(applet, None, ALL, now=1).values != first.values


def test_fuel_is_the_recorded_one(sandbox, script) -> None:
    applet = script(
        "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }; function main(n) { return fib(n) }",
        emit=100,
    )
    run = sandbox.run(applet, 12, ALL)
    assert run.values == [144]
    # with another figure, all fuel of this version is another: give pins.SETTINGS a new number
    assert run.usage.fuel == FIB_FUEL


def test_nothing_is_kept_between_runs(sandbox, script) -> None:
    applet = script("globalThis.seen = (globalThis.seen ?? 0) + 1; function main() { return seen }", emit=10)
    assert [sandbox.run(applet, None, ALL).values for _ in range(2)] == [[1], [1]]


@pytest.mark.parametrize(
    "value", [None, True, -5, 1.5, "é\u2028\U0001f600\\\"'", [[]], {"__proto__": {"a": 1}}]
)
def test_input_arrives_as_it_is(sandbox, script, value) -> None:
    applet = script("function main(input) { emit([input]) }", emit=100)
    assert sandbox.run(applet, value, ALL).values == [[value]]


@pytest.mark.parametrize(
    "code", ["function main() {}", "function main() { return null }", "const main = () => {}"]
)
def test_an_applet_may_say_nothing(sandbox, script, code: str) -> None:
    run = sandbox.run(script(code))
    assert (run.emitted, run.values, run.output) == ((), [], b"[]")


def test_the_entry_has_the_name_the_manifest_says(sandbox, script) -> None:
    assert sandbox.run(script("let go = x => x", emit=9, entry="go"), 5, ALL).values == [5]
    with pytest.raises(AppletFailed, match="ReferenceError: other is not defined"):
        sandbox.run(script("let go = x => x", entry="other"))


def test_promises_run_to_their_end_but_the_entry_is_not_one(sandbox, script) -> None:
    applet = script("function main() { Promise.resolve(3).then(emit); return 2 }", emit=9)
    assert sandbox.run(applet, None, ALL).values == [2, 3]
    with pytest.raises(AppletFailed, match="must not be asynchronous"):
        sandbox.run(script("async function main() {}"))


def test_the_realm_is_ecmascript_and_two_names(sandbox, script) -> None:
    code = """function main() {
        const known = ["globalThis", "emit", "records", "__start", "main"];
        emit(["print", "console", "performance", "host", "__host_call", "process", "require", "setTimeout",
              "WebAssembly", "fetch"].filter(name => name in globalThis));
        emit([typeof emit, Object.keys(records), Object.isFrozen(records)]);
    }"""
    assert sandbox.run(script(code, emit=100), None, ALL).values == [[], ["function", ["read"], True]]


def test_an_error_carries_text_and_usage(sandbox, script) -> None:
    with pytest.raises(AppletFailed) as failed:
        sandbox.run(
            script("function main() { emit(1); throw new Error('a\\u001b[0m\\nb') }", emit=9), None, ALL
        )
    assert failed.value.text == "Error: a?[0m"
    assert failed.value.usage.emitted == 2
    assert failed.value.usage.fuel > 0


@pytest.mark.parametrize("pages", [1, 18, 20])
def test_a_script_needs_room_for_its_engine(sandbox, script, pages: int) -> None:
    with pytest.raises(MemoryExceeded):
        sandbox.run(script("function main() {}", limits=Limits(memory=pages * 65_536)))


def test_a_script_needs_room_for_its_source(sandbox, script) -> None:
    code = "function main() {}" + " " * 900_000
    with pytest.raises(MemoryExceeded):
        sandbox.run(script(code, limits=Limits(memory=21 * 65_536)))


# Grants and limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "granted"), [((), {"steps": 1}), (("steps",), {}), (("sleep",), {"steps": 1, "sleep": 2})]
)
def test_a_record_must_be_asked_for_and_granted(sandbox, script, asked, granted) -> None:
    applet = script("function main() { records.read('steps') }", records=asked)
    with pytest.raises(CapabilityDenied, match="not granted") as denied:
        sandbox.run(applet, None, Grant(granted))
    assert denied.value.record == "steps"


@pytest.mark.parametrize(("asked", "granted"), [(0, 100), (100, 0)])
def test_emitting_must_be_asked_for_and_granted(sandbox, script, asked: int, granted: int) -> None:
    with pytest.raises(CapabilityDenied, match="nothing was granted"):
        sandbox.run(script("function main() { return 1 }", emit=asked), None, Grant(emit=granted))


def test_limits_are_the_smaller_of_both(machine_code, sandbox, script) -> None:
    code = "function main() { for (;;); }"
    with pytest.raises(FuelExhausted) as exhausted:
        sandbox.run(script(code, limits=Limits(fuel=4_000_000)))
    assert exhausted.value.usage.fuel == exhausted.value.limit == 4_000_000
    strict = Sandbox(Limits(fuel=5_000_000), cache=machine_code)
    with pytest.raises(FuelExhausted) as exhausted:
        strict.run(script(code))
    assert exhausted.value.limit == 5_000_000


def test_the_clock_ends_what_fuel_does_not(machine_code, script) -> None:
    limits = Limits(fuel=10**12, milliseconds=30)
    with pytest.raises(TimeExceeded) as exceeded:
        Sandbox(limits, cache=machine_code).run(script("function main() { for (;;); }", limits=limits))
    assert exceeded.value.milliseconds == 30
    assert exceeded.value.usage.nanoseconds >= 30_000_000


@pytest.mark.parametrize("now", [-1, 2**33])
def test_a_time_out_of_range_is_refused(sandbox, script, now: int) -> None:
    with pytest.raises(UsageError, match="seconds since 1970"):
        sandbox.run(script("function main() {}"), now=now)


def test_what_is_no_json_is_refused_before_the_run(sandbox, script) -> None:
    with pytest.raises(UsageError, match="no such value"):
        sandbox.run(script("function main() {}"), b"bytes")
    with pytest.raises(UsageError, match="no such value"):
        sandbox.run(script("function main() {}", records=("steps",)), None, Grant({"steps": object()}))


def test_runs_at_once_do_not_meet(sandbox, script) -> None:
    """Each thread's applet fails in its own way; the errors and values must not be swapped."""
    good = script("function main(n) { for (let i = 0; i < 20000; i++); return n }", emit=20)
    bad = script("function main(n) { for (let i = 0; i < 20000; i++); records.read('r' + n) }")

    def one(number: int) -> bool:
        if number % 2:
            return sandbox.run(good, number, ALL).values == [number]
        with pytest.raises(CapabilityDenied) as denied:
            sandbox.run(bad, number)
        return denied.value.record == f"r{number}"

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(24)))


# WebAssembly --------------------------------------------------------------------------------------------

IMPORTS = """
    (import "chainstack" "input" (func $input (param i32 i32) (result i32)))
    (import "chainstack" "record" (func $record (param i32 i32 i32 i32) (result i32)))
    (import "chainstack" "emit" (func $emit (param i32 i32)))
    (memory (export "memory") 1)
"""


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Compile in this process: starting a worker for each module would take most of the time."""
    monkeypatch.setattr(compiling, "compile_applet", lambda engine, code, _: wasmtime.Module(engine, code))


def test_a_module_reads_and_emits(sandbox, module) -> None:
    applet = module(
        f"""(module {IMPORTS} (data (i32.const 0) "steps")
        (func (export "main") (result i32)
            (call $emit (i32.const 100) (call $input (i32.const 100) (i32.const 50)))
            (call $emit (i32.const 200)
                (call $record (i32.const 0) (i32.const 5) (i32.const 200) (i32.const 50)))
            i32.const 7))""",
        records=("steps",),
        emit=100,
    )
    run = sandbox.run(applet, {"b": 1, "a": 2}, ALL)
    assert run.emitted == (b'{"a":2,"b":1}', b"[4000,6000,11000]")
    assert run.usage.host_calls == 4
    assert run.usage.memory == 65_536
    assert sandbox.run(applet, {"b": 1, "a": 2}, ALL) == run


@pytest.mark.usefixtures("at_once")
def test_a_module_can_ask_for_a_size_first(sandbox, module) -> None:
    applet = module(
        f"""(module {IMPORTS} (func (export "main")
            (i32.store8 (i32.const 0) (i32.add (i32.const 48) (call $input (i32.const 0) (i32.const 0))))
            (call $emit (i32.const 0) (i32.const 1))))""",
        emit=9,
    )
    assert sandbox.run(applet, "12345", ALL).values == [7]


ENTRY = '(func (export "main"))'


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (f"(module {ENTRY})", AppletRefused, "exports no memory"),
        (f'(module (global (export "memory") i32 (i32.const 1)) {ENTRY})', AppletRefused, "no memory"),
        ('(module (memory (export "memory") 1))', AppletRefused, "no such function"),
        (
            '(module (memory (export "memory") 1) (global (export "main") i32 (i32.const 1)))',
            AppletRefused,
            "no such",
        ),
        (
            '(module (memory (export "memory") 1) (func (export "main") (param i32)))',
            AppletRefused,
            "other arg",
        ),
        (f'(module (memory (export "memory") 513) {ENTRY})', MemoryExceeded, "starts with more memory"),
        (
            f"(module {IMPORTS} (func $s (call $emit (i32.const 0) (i32.const 1))) (start $s) {ENTRY})",
            AppletFailed,
            "before its entry",
        ),
        (
            f'(module (memory (export "memory") 1) (func $s unreachable) (start $s) {ENTRY})',
            AppletFailed,
            "trap unreachable",
        ),
    ],
)
def test_a_module_that_does_not_fit_is_refused(sandbox, module, text: str, kind: type, told: str) -> None:
    with pytest.raises(kind, match=told):
        sandbox.run(module(text, emit=9), None, ALL)


@pytest.mark.usefixtures("at_once")
def test_a_module_that_returns_after_a_refusal_has_failed(sandbox, module) -> None:
    """It comes to no further check of its fuel, so it returns as if all were well."""
    applet = module(f'(module {IMPORTS} (func (export "main") (call $emit (i32.const 0) (i32.const 9))))')
    with pytest.raises(CapabilityDenied):
        sandbox.run(applet)


@pytest.mark.usefixtures("at_once")
def test_compiled_modules_are_kept_up_to_a_number(sandbox, module, monkeypatch) -> None:
    monkeypatch.setattr(facade, "KEPT_MODULES", 2)
    texts = [f'(module (memory (export "memory") 1) {ENTRY} (func (export "f{n}")))' for n in range(3)]
    applets = [module(text) for text in texts]
    for applet in (applets[0], applets[1], applets[0], applets[2]):
        sandbox.run(applet)
    assert list(sandbox._modules) == [applets[0].hash, applets[2].hash]


def test_a_run_leaves_no_memory_behind(sandbox, script) -> None:
    """Everything is freed at the end of a run, not by the garbage collector some time later."""
    from wasmtime._func import FUNCTIONS

    gc.collect()
    before = len(FUNCTIONS.handles)
    gc.disable()
    try:
        for _ in range(3):
            sandbox.run(script("function main() {}"))
        assert len(FUNCTIONS.handles) == before
    finally:
        gc.enable()


def test_a_run_from_another_thread(sandbox, script) -> None:
    results: list = []
    thread = Thread(
        target=lambda: results.append(sandbox.run(script("let main = x => x", emit=9), 1, ALL).values)
    )
    thread.start()
    thread.join()
    assert results == [[1]]
