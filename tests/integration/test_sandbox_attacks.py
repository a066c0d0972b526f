"""Hostile applets: each is stopped by the limit meant for it, with an error of its own kind.

The applets here would, if they could: run for ever, take all memory, end the process, read what was not
granted, let out more than they may, or make the host do the work for them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest
import wasmtime

from chainstack_sdk import Account
from chainstack_sdk.apps.sandbox import (
    Applet,
    AppletFailed,
    AppletRefused,
    CapabilityDenied,
    FuelExhausted,
    Grant,
    Limits,
    Manifest,
    MemoryExceeded,
    QuotaExceeded,
    Sandbox,
    TimeExceeded,
    compiling,
    javascript,
)
from chainstack_sdk.apps.sandbox.host import CALL_FUEL

AUTHOR = Account.from_key(b"\x01" * 32)
LIMITS = Limits(fuel=50_000_000, milliseconds=60_000)
SECRET = "a secret that nobody granted"
GRANT = Grant({"steps": [4_000, 6_000], "diary": SECRET}, 64)


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Compile in this process: starting a worker for each module would take most of the time."""
    monkeypatch.setattr(compiling, "compile_applet", lambda engine, code, _: wasmtime.Module(engine, code))


def script(code: str, limits: Limits = LIMITS, emit: int = 64) -> Applet:
    manifest = Manifest("bad", "1.0.0", AUTHOR.address, "js", records=("steps",), emit=emit, limits=limits)
    return Applet.sign(manifest, code.encode(), AUTHOR)


def module(code: str | bytes, limits: Limits = LIMITS, emit: int = 64) -> Applet:
    binary = bytes(wasmtime.wat2wasm(code)) if isinstance(code, str) else code
    manifest = Manifest("bad", "1.0.0", AUTHOR.address, "wasm", records=("steps",), emit=emit, limits=limits)
    return Applet.sign(manifest, binary, AUTHOR)


# Work ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "for (;;);",
        "function main() { for (;;); }",
        "function main() { for (;;) try { throw 1 } catch { continue } finally { continue } }",
        "function main() { /(a+)+$/.test('a'.repeat(40) + 'b') }",
        "function main() { let n = 3n; for (;;) n = n * n % (2n ** 4096n - 1n) }",
        "function main() { Array.from({length: 100000}, (_, i) => -i).sort((a, b) => { for (;;); }) }",
        "function main() { Promise.resolve().then(function again() { Promise.resolve().then(again) }) }",
        "function main() { return {toJSON() { for (;;); }} }",
        "function main() { return new Proxy({}, {get() { for (;;); }}) }",
        "function* all() { for (;;) yield 1 } function main() { for (const one of all()); }",
        "function main() { for (;;) eval('1 + 1') }",
        "function main() { for (;;) records.read('steps') }",
        "function main() { for (;;) Math.random(), Date.now() }",
    ],
)
def test_endless_work_ends_with_the_fuel(sandbox, code: str) -> None:
    with pytest.raises(FuelExhausted) as stopped:
        sandbox.run(script(code), None, GRANT)
    assert stopped.value.usage.fuel == LIMITS.fuel


@pytest.mark.parametrize(
    "code",
    [
        "function main() { for (;;); }",
        "function main() { /(a+)+$/.test('a'.repeat(40) + 'b') }",
        "function main() { for (;;) records.read('steps') }",
    ],
)
def test_the_clock_holds_where_fuel_is_plenty(machine_code: Path, code: str) -> None:
    limits = Limits(fuel=10**12, milliseconds=100)
    generous = Sandbox(limits, cache=machine_code)
    begun = perf_counter()
    with pytest.raises(TimeExceeded):
        generous.run(script(code, limits), None, GRANT)
    assert perf_counter() - begun < 5  # a tenth of a second, and room for a machine under load


def test_a_flood_of_host_calls_is_paid_for(sandbox) -> None:
    with pytest.raises(FuelExhausted) as stopped:
        sandbox.run(
            script("function main() { for (;;) try { records.read('steps') } catch {} }"), None, GRANT
        )
    assert 100 < stopped.value.usage.host_calls <= LIMITS.fuel // CALL_FUEL


@pytest.mark.parametrize("depth", [5_000, 400_000])
@pytest.mark.parametrize("opening", ["(", "[", "{a:", "-", "(x=>", "`${", "if(1)", "class A extends "])
def test_deeply_nested_source_does_not_end_the_process(sandbox, opening: str, depth: int) -> None:
    code = (opening * depth)[:400_000]
    with pytest.raises((AppletFailed, FuelExhausted, MemoryExceeded)):
        sandbox.run(script(code))


@pytest.mark.parametrize(
    "code",
    [
        "function main() { (function again() { again() })() }",
        "function main() { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a }",
        "function main() { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a.toString() }",
        "function main() { let a = {}; a.a = a; return a }",
        "function main() { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x }",
        "function main() { let a = []; for (let i = 0; i < 65; i++) a = [a]; emit(a) }",
        "function main() { let a = 1; for (let i = 0; i < 5e4; i++) a = {a}; return structuredClone(a) }",
        "function main() { return JSON.parse('['.repeat(1e6)) }",
        "function main() { return 1n }",
        "function main() { throw {get message() { throw 1 }, toString() { throw 2 }} }",
    ],
)
def test_deep_and_odd_values_fail(sandbox, code: str) -> None:
    with pytest.raises((AppletFailed, FuelExhausted)):
        sandbox.run(script(code, emit=1 << 20), None, Grant(emit=1 << 20))


# Memory -------------------------------------------------------------------------------------------------

HOGS = {
    "arrays": "const all = []; for (;;) all.push(new Array(1000).fill(all.length));",
    "typed arrays": "const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));",
    "one buffer": "new ArrayBuffer(1 << 30);",
    "growing buffer": "const b = new ArrayBuffer(8, {maxByteLength: 1 << 30}); b.resize(1 << 30);",
    "strings": "let s = 'x'; for (;;) s += s + 'y'.repeat(s.length);",
    "repeat": "const all = []; for (;;) all.push('x'.repeat(1 << 24) + all.length);",
    "join": "Array(1 << 20).join('y'.repeat(1 << 12));",
    "BigInt": "let n = 2n; for (;;) n = n << 100000n;",
    "map": "const m = new Map(); for (let i = 0; ; i++) m.set(i, {i});",
    "closures": "let f = () => 0; for (;;) { const g = f; f = () => g; }",
    "caught": "const all = []; for (;;) try { all.push(new Uint8Array(1 << 20)) } catch { all.push(1) }",
    "JSON": "let o = [1]; for (;;) o = [o, o], JSON.stringify(o);",
}
CONTAINED = (MemoryExceeded, AppletFailed, FuelExhausted)


@pytest.mark.parametrize("name", HOGS)
def test_memory_has_a_ceiling(sandbox, name: str) -> None:
    with pytest.raises(CONTAINED) as stopped:
        sandbox.run(script(f"function main() {{ {HOGS[name]} }}"))
    assert stopped.value.usage.memory <= LIMITS.memory


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux to measure a peak")
def test_the_process_stays_small(machine_code: Path) -> None:
    """Three that fill their memory, in one process: its peak grows by one applet's and not by each."""
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sandbox_attacks import HOGS, Limits, MemoryExceeded, Sandbox, script

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

sandbox = Sandbox(Limits(milliseconds=60_000), cache=Path({str(machine_code)!r}))
sandbox.run(script("function main() {{}}"))
Path("/proc/self/clear_refs").write_text("5")
before = peak()
for name in ("typed arrays", "join", "caught"):
    try:
        sandbox.run(script("function main() {{ " + HOGS[name] + " }}", Limits(milliseconds=60_000)))
    except MemoryExceeded as error:
        print(error.usage.memory)
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *applets, process = map(int, done.stdout.split())
    assert len(applets) == 3
    assert 30 << 20 < max(applets) <= LIMITS.memory
    assert process < LIMITS.memory + (16 << 20)


def test_giant_text_does_not_reach_the_host(sandbox) -> None:
    """A megabyte of name, value or complaint: refused by its size, or cut."""
    huge = "'x'.repeat(1e6)"
    with pytest.raises(CapabilityDenied, match="size"):
        sandbox.run(script(f"function main() {{ records.read({huge}) }}", Limits()), None, GRANT)
    with pytest.raises(QuotaExceeded):
        sandbox.run(script(f"function main() {{ emit({huge}) }}", Limits()), None, GRANT)
    with pytest.raises(AppletFailed) as failed:
        sandbox.run(script(f"function main() {{ throw {huge} }}", Limits()), None, GRANT)
    assert len(failed.value.text) <= 200


# Escapes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "records.read.constructor('return Object.getOwnPropertyNames(this)')()",
        "emit.constructor.constructor('return Object.getOwnPropertyNames(this)')()",
        "(async () => {}).constructor('return Object.getOwnPropertyNames(this)'),"
        " Object.getOwnPropertyNames(globalThis)",
        "Reflect.ownKeys((0, eval)('this')).map(String)",
    ],
)
def test_no_way_round_leads_out_of_the_realm(sandbox, code: str) -> None:
    """Whatever function they come from, the globals hold ECMAScript and what the prelude offers."""
    plain = "function main() { return Object.getOwnPropertyNames(globalThis) }"
    grant = Grant(emit=4_000)
    (known,) = sandbox.run(script(plain, emit=4_000), None, grant).values
    allowed = {*known, "Symbol(Symbol.toStringTag)"}
    assert not allowed & {
        "process",
        "require",
        "host",
        "__host_call",
        "std",
        "os",
        "bjson",
        "print",
        "WebAssembly",
    }
    (names,) = sandbox.run(script(f"function main() {{ return {code} }}", emit=4_000), None, grant).values
    assert set(names) <= allowed


@pytest.mark.parametrize(
    "code",
    [
        "import('os')",
        "import * as std from 'std'",
        "function main() { return import.meta }",
        "function main() { return require('fs') }",
        "function main() { return process.env }",
        "function main() { return new WebAssembly.Module(new Uint8Array(8)) }",
        "function main() { return host.records() }",
        "function main() { emit = () => {}; globalThis.emit.x.y }",
        "function emit() {}",
        "let records = 1",
        "function main() { 'use strict'; records.read = 1 }",
        "function main() { Object.defineProperty(globalThis, 'emit', {value: 1}) }",
    ],
)
def test_what_is_not_there_cannot_be_used(sandbox, code: str) -> None:
    with pytest.raises(AppletFailed):
        sandbox.run(script(code), None, GRANT)


@pytest.mark.parametrize(
    "prepare",
    [
        "Object.prototype.toJSON = function () { return 'changed' };",
        "Array.prototype.toJSON = function () { return ['diary'] };",
        "String.prototype.toString = () => 'diary'; globalThis.String = () => 'diary';",
        "JSON.stringify = () => '[\"diary\"]';",
        "Object.defineProperty(Array.prototype, 0, {set() {}, get() { return 'diary' }});",
        "Function.prototype.call = Function.prototype.apply = () => 'diary';",
    ],
)
def test_changed_prototypes_reach_no_more_than_was_granted(sandbox, prepare: str) -> None:
    code = prepare + "function main() { return records.read('steps') }"
    try:
        run = sandbox.run(script(code), None, GRANT)
    except (CapabilityDenied, AppletFailed):
        return
    assert SECRET.encode() not in run.output


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("host.record('diary')", CapabilityDenied),
        ("__host_call('record', '[\"diary\"]')", CapabilityDenied),
        ("__host_call('record', '[[\"diary\"]]')", CapabilityDenied),
        ("__host_call('record', '[1]')", CapabilityDenied),
        ("__host_call('record', '[]')", AppletFailed),
        ("__host_call('record', 'no json')", AppletFailed),
        ("__host_call('emit', '')", AppletFailed),
        ("__host_call('emit', '[1, 2]')", AppletFailed),
        ("__host_call('emit', '[' + '['.repeat(50) + '1]')", AppletFailed),
        ("__host_call('emit', '[\"' + 'x'.repeat(64) + '\"]')", QuotaExceeded),
        ("__host_call('open', '[\"/etc/passwd\"]')", AppletFailed),
        ("__host_call('emit\\0', '[1]')", AppletFailed),
        ("__host_call('x'.repeat(1e5), '[1]')", AppletFailed),
        ("host.__proto__()", AppletFailed),
        ("for (;;) print('x')", FuelExhausted),
        ("for (;;) console.log('x'.repeat(1000))", FuelExhausted),
    ],
)
def test_the_checks_do_not_rely_on_the_realm(sandbox, monkeypatch, code: str, error: type) -> None:
    """Here nothing is taken out of the realm: the applet holds the engine's own way to the host."""
    monkeypatch.setattr(javascript, "PRELUDE", b"globalThis.__start = entry => entry()")
    with pytest.raises(error):
        sandbox.run(script(f"function main() {{ {code} }}"), None, GRANT)


# What leaves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "for (const letter of 'x'.repeat(100)) emit(letter)",
        "for (;;) emit()",
        "for (let i = 0; i < 100; i++) emit(0)",
        "emit('x'.repeat(40)); return 'y'.repeat(40)",
        "return 'x'.repeat(63)",
        "emit(Array(40).fill(0))",
        "emit({['k'.repeat(80)]: 1})",
        "try { emit('x'.repeat(100)) } catch {} return 1",
    ],
)
def test_no_more_leaves_than_the_quota(sandbox, code: str) -> None:
    """Many small values, one large, keys of objects, the entry's result: there is one account for all."""
    with pytest.raises(QuotaExceeded):
        sandbox.run(script(f"function main() {{ {code} }}"), None, GRANT)


def test_the_whole_quota_can_be_used(sandbox) -> None:
    run = sandbox.run(script("function main() { emit('x'.repeat(30)); return 'y'.repeat(28) }"), None, GRANT)
    assert run.usage.emitted == 64
    assert len(run.output) == 65  # one separator less, two brackets more


def test_a_failed_run_lets_nothing_out(sandbox) -> None:
    """Neither through what it emitted before nor through the error of the capability it tried."""
    code = "function main() { emit(records.read('steps')); records.read('diary') }"
    with pytest.raises(CapabilityDenied) as denied:
        sandbox.run(script(code), None, GRANT)
    assert not hasattr(denied.value, "emitted")
    assert SECRET not in str(denied.value)


def test_spelling_carries_nothing(sandbox) -> None:
    """White space, the order of keys and the spelling of numbers are lost on the way out."""
    spellings = ('{"b":1.0,"a":[ ]}', '{ "a":[],"b":1.00 }', '{"a" : [] , "b":1e0}')
    runs = set()
    for text in spellings:
        code = f"function main() {{ JSON.stringify = () => 0; emit(JSON.parse('{text}')) }}"
        runs.add(sandbox.run(script(code), None, GRANT).emitted)
    assert runs == {(b'{"a":[],"b":1}',)}


# WebAssembly --------------------------------------------------------------------------------------------

IMPORTS = """
    (import "chainstack" "input" (func $input (param i32 i32) (result i32)))
    (import "chainstack" "record" (func $record (param i32 i32 i32 i32) (result i32)))
    (import "chainstack" "emit" (func $emit (param i32 i32)))
    (memory (export "memory") 1)
"""


def main(body: str, rest: str = "") -> str:
    return f'(module {IMPORTS} {rest} (func $main (export "main") {body}))'


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (main("(loop br 0)"), FuelExhausted, "fuel"),
        (main("", "(func $s (loop br 0)) (start $s)"), FuelExhausted, "fuel"),
        (main("call $main"), AppletFailed, "stack_overflow"),
        (main("unreachable"), AppletFailed, "unreachable"),
        (main("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), AppletFailed, "division"),
        (main("(drop (i32.load (i32.const -4)))"), AppletFailed, "memory_out_of_bounds"),
        (main("(call_indirect (i32.const 0))", "(table 1 funcref)"), AppletFailed, "call_to_null"),
        (main("(call $emit (i32.const 65530) (i32.const 10))"), AppletFailed, "outside of its memory"),
        (main("(call $emit (i32.const -5) (i32.const 10))"), AppletFailed, "outside of its memory"),
        (main("(call $emit (i32.const 0) (i32.const -1))"), FuelExhausted, "fuel"),
        (main("(call $emit (i32.const 0) (i32.const 63))"), AppletFailed, "not JSON"),
        (main("(call $emit (i32.const 0) (i32.const 64))"), QuotaExceeded, "more than it may"),
        (main("(drop (call $input (i32.const 65535) (i32.const 9)))"), AppletFailed, "outside"),
        (main("(drop (call $input (i32.const -1) (i32.const -1)))"), AppletFailed, "outside"),
        (
            main("(drop (call $record (i32.const -1) (i32.const -1) (i32.const 0) (i32.const 9)))"),
            AppletFailed,
            "outside",
        ),
        (
            main("(drop (call $record (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 99)))",
                 '(data (i32.const 0) "diary")'),
            CapabilityDenied,
            "diary",
        ),
        (
            main("(drop (call $record (i32.const 0) (i32.const 5000) (i32.const 0) (i32.const 99)))"),
            CapabilityDenied,
            "not granted",
        ),
        (
            main("(loop (drop (call $input (i32.const 0) (i32.const 0))) (br 0))"),
            FuelExhausted,
            "fuel",
        ),
        (
            main("(call $emit (i32.const 0) (i32.const 99)) (call $emit (i32.const 0) (i32.const 1))",
                 '(data (i32.const 0) "1")'),
            QuotaExceeded,
            "size 99",
        ),
    ],
)  # fmt: skip
def test_a_hostile_module_is_stopped(sandbox, text: str, error: type, told: str) -> None:
    with pytest.raises(error, match=told) as stopped:
        sandbox.run(module(text), None, GRANT)
    assert stopped.value.usage.emitted == 0


@pytest.mark.usefixtures("at_once")
def test_memory_does_not_grow_beyond_the_limit(sandbox) -> None:
    """Growing fails with -1 as the standard has it; the entry then traps."""
    text = main("(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable")
    with pytest.raises(AppletFailed, match="unreachable") as failed:
        sandbox.run(module(text))
    assert failed.value.usage.memory == LIMITS.memory


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
            "fd_write",
        ),
        ('(import "env" "host_call" (func (param i32 i32 i32 i32) (result i32)))', "host_call"),
        ('(import "chainstack" "open" (func))', "open"),
        ('(import "chainstack" "emit" (func (param i64)))', "incompatible import type"),
        ('(import "chainstack" "memory" (memory 1))', "memory"),
        ("(table 10001 funcref)", "table"),
    ],
)
def test_a_module_gets_nothing_it_is_not_offered(sandbox, text: str, told: str) -> None:
    extra = f'(module {text} (memory (export "memory") 1) (func (export "main")))'
    if "(import" in text and "(memory 1)" in text:
        extra = f'(module {text} (export "memory" (memory 0)) (func (export "main")))'
    with pytest.raises(AppletRefused, match="cannot be linked") as refused:
        sandbox.run(module(extra))
    assert told in refused.value.reason


@pytest.mark.parametrize(
    "text",
    [
        '(module (memory (export "memory") 1 1 shared))',
        "(module (memory 1) (memory 1))",
        "(module (memory i64 1))",
        "(module (func (param v128)))",
        "(module (type (struct)))",
        "(module (tag))",
        "(module (func $f (return_call $f)))",
    ],
)
def test_features_that_applets_do_without_are_off(sandbox, text: str) -> None:
    code = bytes(wasmtime.wat2wasm(text))
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Module.validate(sandbox._engine, code)


# Compiling ----------------------------------------------------------------------------------------------


def leb(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def section(number: int, *items: bytes) -> bytes:
    body = leb(len(items)) + b"".join(items)
    return bytes([number]) + leb(len(body)) + body


def bomb(functions: int, size: int) -> bytes:
    """A valid module of many functions that add up loads: about `functions * size` bytes of code."""
    load = b"\x20\x00\x28\x02\x00\x6a"  # local.get 0, i32.load, i32.add
    body = b"\x00" + b"\x41\x00" + load * (size // len(load)) + b"\x0b"
    code = leb(len(body)) + body
    return b"".join(
        [
            b"\0asm\x01\0\0\0",
            section(1, b"\x60\x01\x7f\x01\x7f"),
            section(3, *[b"\x00"] * functions),
            section(5, b"\x00\x01"),
            section(7, b"\x06memory\x02\x00", b"\x04main\x00\x00"),
            section(10, *[code] * functions),
        ]
    )


def test_a_compile_bomb_is_stopped_by_the_clock(machine_code: Path) -> None:
    """One MiB of code that takes seconds; the worker is gone at its deadline."""
    hasty = Sandbox(compile_seconds=0.3, cache=machine_code)
    applet = module(bomb(10_000, 90))
    begun = perf_counter()
    with pytest.raises(AppletRefused, match="too long to compile"):
        hasty.run(applet)
    assert perf_counter() - begun < 5


def test_a_compile_bomb_is_stopped_by_the_memory(sandbox, monkeypatch) -> None:
    monkeypatch.setattr(compiling, "COMPILE_MEMORY", 100 << 20)
    with pytest.raises(AppletRefused, match="takes too much to compile"):
        sandbox.run(module(bomb(1, 600_000)))


def test_a_small_module_with_many_names_is_refused(sandbox) -> None:
    names = " ".join(f'(export "n{number}" (func $main))' for number in range(5_000))
    with pytest.raises(AppletRefused, match="too many imports and exports"):
        sandbox.run(module(main("", names)))


@pytest.mark.parametrize("code", [b"\0asm\x01\0\0\0\xff", b"\0asm\x01\0\0\0" + bytes(500)])
def test_garbage_is_refused(sandbox, code: bytes) -> None:
    with pytest.raises(AppletRefused, match="not a valid module"):
        sandbox.run(module(code))


# The sandbox goes on ------------------------------------------------------------------------------------


def test_after_all_this_a_good_applet_runs_as_before(sandbox) -> None:
    good = script("function main(n) { return n + 1 }")
    before = sandbox.run(good, 1, GRANT)
    for attack in (HOGS["typed arrays"], "for (;;);", "records.read('diary')"):
        with pytest.raises((*CONTAINED, CapabilityDenied)):
            sandbox.run(script(f"function main() {{ {attack} }}"), None, GRANT)
        assert sandbox.run(good, 1, GRANT) == before
