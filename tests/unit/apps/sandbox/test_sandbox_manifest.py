"""Manifests: what they may say, and that they have one encoding."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.apps.sandbox import MAX_EMIT, AppletRefused, Limits, Manifest
from chainstack_sdk.apps.sandbox.manifest import MAX_RECORDS, manifest_of
from chainstack_sdk.primitives.rlp import rlp_decode

FULL = Manifest(
    "steps.average",
    "1.2.30",
    bytes(range(20)),
    "js",
    "run",
    ("sleep", "steps"),
    128,
    Limits(1_000, 65_536, 7),
)


def test_the_encoding_is_what_the_module_says() -> None:
    assert rlp_decode(FULL.encode()) == [
        b"steps.average", b"1.2.30", bytes(range(20)), b"js", b"run",
        [b"sleep", b"steps"], b"\x80", [b"\x03\xe8", b"\x01\x00\x00", b"\x07"],
    ]  # fmt: skip
    assert manifest_of(rlp_decode(FULL.encode())) == FULL


@settings(max_examples=50)
@given(
    st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    st.sets(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True), max_size=5),
    st.integers(0, MAX_EMIT),
    st.integers(1, 10**12),
)
def test_what_is_encoded_is_decoded(name: str, records: set[str], emit: int, fuel: int) -> None:
    manifest = replace(FULL, name=name, records=tuple(sorted(records)), emit=emit, limits=Limits(fuel=fuel))
    assert manifest_of(rlp_decode(manifest.encode())) == manifest


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("name", ["", "A", "-a", "a" * 65, "a\n", "é", "a/b"], "name of an applet"),
        ("version", ["1", "1.0", "01.0.0", "1.0.0\n", "1.0.0-a", "1.0.1234567890", "v1.0.0"], "version"),
        ("entry", ["", "1a", "a-b", "a(", "a" * 65, "main\n"], "entry"),
        ("author", [b"", bytes(19), bytes(21)], "20 bytes"),
        ("kind", ["", "python"], "js or wasm"),
        ("records", [("b", "a"), ("a", "a")], "ascending"),
        ("records", [("",), ("A",)], "record of an applet"),
        ("records", [tuple(f"r{number:03}" for number in range(MAX_RECORDS + 1))], "at most 64"),
        ("emit", [-1, MAX_EMIT + 1], "at most 1 MiB"),
    ],
)
def test_a_malformed_field_is_refused(field: str, values: list, told: str) -> None:
    for value in values:
        with pytest.raises(AppletRefused, match=told):
            replace(FULL, **{field: value})


@pytest.mark.parametrize(
    ("place", "item", "told"),
    [
        (0, [], "not an applet's manifest"),
        (0, b"\xff", "ASCII"),
        (1, b"1", "version"),
        (5, b"", "not an applet's manifest"),
        (5, [[]], "ASCII"),
        (6, b"\x00", "leading zero"),
        (6, b"\x01" * 9, "too long"),
        (7, [b"\x01"], "not an applet's manifest"),
        (7, [b"", b"\x01\x00\x00", b"\x01"], "fuel is from 1"),
        (7, [b"\x01", b"\x01", b"\x01"], "pages"),
        (7, [b"\x01", b"\x01\x00\x00", b""], "ms"),
    ],
)
def test_a_malformed_item_is_refused(place: int, item, told: str) -> None:
    items = rlp_decode(FULL.encode())
    items[place] = item
    with pytest.raises(AppletRefused, match=told):
        manifest_of(items)


def test_other_shapes_are_refused() -> None:
    for item in (b"", [], [b""] * 8, rlp_decode(FULL.encode())[:-1]):
        with pytest.raises(AppletRefused, match="not an applet's manifest"):
            manifest_of(item)


def test_it_tells_people_what_it_wants() -> None:
    assert FULL.capabilities == ("records.read sleep", "records.read steps", "emit <= 128 bytes")
    assert replace(FULL, emit=0, records=()).capabilities == ()
    assert FULL.describe().splitlines() == [
        "steps.average 1.2.30 (js) by 0x000102030405060708090a0b0c0d0e0f10111213",
        "  asks for: records.read sleep",
        "  asks for: records.read steps",
        "  asks for: emit <= 128 bytes",
        "  uses at most 1,000 fuel and 65,536 bytes of memory",
    ]
    assert "asks for: nothing" in replace(FULL, emit=0, records=()).describe()
