"""Nibble paths, hex-prefix, node references and what batches are checked for."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from chainstack_sdk.core.trie.encoding import (
    checked_changes,
    checked_key,
    encoded,
    hex_prefix,
    nibbles,
    recursion_room,
    reference,
    references,
)
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256


class Subclass(bytes):
    pass


def test_nibbles_are_half_bytes_high_half_first() -> None:
    assert nibbles(b"\x12\xf0") == bytes([1, 2, 15, 0])
    assert nibbles(b"") == b""


@pytest.mark.parametrize(
    ("path", "is_leaf", "expected"),
    [  # the examples of the Ethereum wiki's "Patricia Tree", then the empty paths
        ([1, 2, 3, 4, 5], False, "112345"),
        ([0, 1, 2, 3, 4, 5], False, "00012345"),
        ([0, 15, 1, 12, 11, 8], True, "200f1cb8"),
        ([15, 1, 12, 11, 8], True, "3f1cb8"),
        ([], True, "20"),
        ([], False, "00"),
    ],
)
def test_hex_prefix(path: list[int], is_leaf: bool, expected: str) -> None:
    assert hex_prefix(bytes(path), is_leaf).hex() == expected


def test_short_nodes_are_embedded_and_others_hashed() -> None:
    short, long = b"\xde" + b"\x01" * 30, b"\xdf" + b"\x01" * 31
    hashed = b"\xa0" + keccak256(long)
    assert (reference(short), reference(long)) == (short, hashed)
    assert references([long, long]) == [hashed, hashed]
    assert references([long, short]) == [hashed, short]


@pytest.mark.parametrize(
    ("size", "header"), [(0, "c0"), (1023, "f903ff"), (1024, "f90400"), (70_000, "fa011170")]
)
def test_nodes_of_all_sizes(size: int, header: str) -> None:
    assert encoded(bytes(size)) == bytes.fromhex(header) + bytes(size)


def test_a_batch_of_bytes_is_taken_as_it_is() -> None:
    changes = {b"key": b"value"}
    assert checked_changes(changes) is changes


def test_subclasses_of_bytes_become_bytes() -> None:
    changes = checked_changes({Subclass(b"key"): Subclass(b"value"), b"other": b""})
    assert changes == {b"key": b"value", b"other": b""}
    assert {type(octets) for pair in changes.items() for octets in pair} == {bytes}


@pytest.mark.parametrize(
    "changes", [{"key": b"value"}, {b"key": "value"}, {b"key": None}, {1: b""}, {b"": bytearray()}]
)
def test_other_types_are_refused(changes: dict[bytes, bytes]) -> None:
    with pytest.raises(UsageError) as caught:
        checked_changes(changes)
    assert {caught.value.key: caught.value.value} == changes


def test_a_key_is_bytes() -> None:
    assert checked_key(b"") == b""
    with pytest.raises(UsageError):
        checked_key("key")  # type: ignore[arg-type]


def test_room_is_made_for_long_keys_only_and_given_back() -> None:
    limit = sys.getrecursionlimit()
    with recursion_room(64):
        assert sys.getrecursionlimit() == limit
    with suppress(ZeroDivisionError), recursion_room(1000):
        assert sys.getrecursionlimit() == limit + 8000
        raise ZeroDivisionError
    assert sys.getrecursionlimit() == limit
