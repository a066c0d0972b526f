"""Packages: signed by their author, one encoding, refused after any change."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import Account, UsageError
from chainstack_sdk.apps.sandbox import MAX_CODE, MAX_PACKAGE, Applet, AppletRefused, Manifest
from chainstack_sdk.apps.sandbox.package import DOMAIN
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.primitives.keys import N
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

AUTHOR, OTHER = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
MANIFEST = Manifest("a", "1.0.0", AUTHOR.address, "js", records=("steps",), emit=9)
APPLET = Applet.sign(MANIFEST, b"function main() {}", AUTHOR)


def test_the_encoding_is_what_the_module_says() -> None:
    manifest = rlp_decode(MANIFEST.encode())
    assert rlp_decode(APPLET.encode()) == [manifest, APPLET.code, APPLET.signature]
    assert APPLET.hash == keccak256(DOMAIN + rlp_encode([manifest, keccak256(APPLET.code)]))
    assert Applet.decode(APPLET.encode()) == APPLET


def test_manifest_and_code_make_the_hash() -> None:
    assert Applet.sign(MANIFEST, b"function main(){}", AUTHOR).hash != APPLET.hash
    assert Applet.sign(replace(MANIFEST, emit=8), APPLET.code, AUTHOR).hash != APPLET.hash


def test_any_changed_bit_is_refused() -> None:
    package = APPLET.encode()
    for place in range(len(package)):
        changed = bytearray(package)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(AppletRefused):
            Applet.decode(bytes(changed))


def test_cut_or_extended_packages_are_refused() -> None:
    package = APPLET.encode()
    for data in (*(package[:size] for size in range(len(package))), package + b"\0"):
        with pytest.raises(AppletRefused):
            Applet.decode(data)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(AppletRefused):
        Applet.decode(data)


def test_mutated_packages_decode_to_themselves_or_are_refused() -> None:
    seed = 7
    random = Random(seed)
    package = APPLET.encode()
    for _ in range(500):
        data = bytearray(package)
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(data))
            data[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 2))
        try:
            applet = Applet.decode(bytes(data))
        except AppletRefused:
            continue
        assert applet.encode() == bytes(data), f"seed {seed}"


def signature(r: bytes = APPLET.signature[:32], s: bytes = APPLET.signature[32:64], v: int = 0) -> bytes:
    return r + s + bytes([v])


def flipped() -> bytes:
    """The other signature of the same key over the same hash, which EIP-2 forbids."""
    s = N - int.from_bytes(APPLET.signature[32:64], "big")
    return signature(s=s.to_bytes(32, "big"), v=1 - APPLET.signature[64])


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (b"", "65 bytes"),
        (APPLET.signature + b"\0", "65 bytes"),
        (signature(v=APPLET.signature[64] + 27), "the last 0 or 1"),
        (flipped(), "upper half"),
        (signature(r=bytes(32)), "does not hold"),
        (OTHER.sign(APPLET.hash), "signed by its author"),
        (AUTHOR.sign(bytes(32)), "signed by its author"),
    ],
)
def test_another_signature_is_refused(bad: bytes, told: str) -> None:
    with pytest.raises(AppletRefused, match=told):
        Applet(MANIFEST, APPLET.code, bad)


def test_only_the_author_signs() -> None:
    with pytest.raises(UsageError, match="signed by its author"):
        Applet.sign(MANIFEST, APPLET.code, OTHER)


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("js", b"", "1 byte to 1 MiB"),
        ("js", b" " * (MAX_CODE + 1), "1 byte to 1 MiB"),
        ("js", b"\xff", "UTF-8"),
        ("js", b"main\0", "zero character"),
        ("wasm", b"(module)", "binary form"),
        ("wasm", b"\0asm\x0d\0\x01\0", "binary form"),  # a component
    ],
)
def test_code_is_of_its_kind(kind: str, code: bytes, told: str) -> None:
    with pytest.raises(AppletRefused, match=told):
        Applet.sign(replace(MANIFEST, kind=kind), code, AUTHOR)


def test_a_large_package_is_refused_before_it_is_read() -> None:
    with pytest.raises(AppletRefused, match="package is too large"):
        Applet.decode(bytes(MAX_PACKAGE + 1))
    largest = Applet.sign(MANIFEST, b" " * MAX_CODE, AUTHOR)
    assert Applet.decode(largest.encode()) == largest
