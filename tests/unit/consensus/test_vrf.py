"""Verifiable randomness: what is refused, and what is remembered."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nacl import bindings

from chainstack_sdk.consensus import vrf
from chainstack_sdk.consensus.vrf import (
    VRF_OUTPUT_BYTES,
    VRF_PROOF_BYTES,
    VrfKey,
    validate_vrf_key,
    vrf_output,
    vrf_prove,
    vrf_public_key,
    vrf_verify,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

KEY = VrfKey(b"\7" * 32)
ALPHA = b"input"
PROOF = KEY.prove(ALPHA)
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


def small_order() -> list[bytes]:
    """The eight points of small order, and other encodings of some of them."""
    points = [b"\1" + bytes(31)]
    while len(points) < 8:
        points.append(bindings.crypto_core_ed25519_add(points[-1], ORDER_8))
    strange = [P.to_bytes(32, "little"), (P + 1).to_bytes(32, "little"), b"\1" + bytes(30) + b"\x80"]
    return [*points, *strange]


def with_torsion(point: bytes) -> bytes:
    return bindings.crypto_core_ed25519_add(point, ORDER_8)


def test_sizes() -> None:
    assert (len(KEY.public), len(PROOF), len(vrf_verify(KEY.public, ALPHA, PROOF))) == (
        32,
        VRF_PROOF_BYTES,
        VRF_OUTPUT_BYTES,
    )


def test_a_key_shows_only_its_public_half() -> None:
    assert repr(KEY) == f"VrfKey(public=0x{KEY.public.hex()})"
    assert not hasattr(KEY, "__dict__")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_secret_key_has_32_bytes(size: int) -> None:
    for use in (VrfKey, vrf_public_key, lambda secret: vrf_prove(secret, b"")):
        with pytest.raises(UsageError, match="secret key"):
            use(bytes(size))


def test_the_eight_points_of_small_order_are_all_there() -> None:
    assert len(set(small_order()[:8])) == 8
    assert bindings.crypto_core_ed25519_add(small_order()[7], ORDER_8) == small_order()[0]


@pytest.mark.parametrize("public", small_order(), ids=bytes.hex)
def test_keys_of_small_order_are_refused(public: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a key"):
        validate_vrf_key(public)
    with pytest.raises(InvalidInput, match="not a key"):
        vrf_verify(public, ALPHA, PROOF)


@pytest.mark.parametrize(
    "public",
    [b"", KEY.public[:31], KEY.public + b"\0", b"\2" + bytes(31), with_torsion(KEY.public), b"\xff" * 32],
    ids=["empty", "short", "long", "off the curve", "outside the group", "not canonical"],
)
def test_other_bad_keys_are_refused(public: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a key"):
        validate_vrf_key(public)
    with pytest.raises(InvalidInput, match="not a key"):
        vrf_verify(public, ALPHA, PROOF)


def test_a_good_key_is_valid() -> None:
    validate_vrf_key(KEY.public)


GAMMA, C, S = PROOF[:32], PROOF[32:48], PROOF[48:]
MALFORMED = {
    "empty": b"",
    "short": PROOF[:-1],
    "long": PROOF + b"\0",
    "s + q": GAMMA + C + (int.from_bytes(S, "little") + Q).to_bytes(32, "little"),
    "s = q": GAMMA + C + Q.to_bytes(32, "little"),
    "s of all ones": GAMMA + C + b"\xff" * 32,
    "Gamma off the curve": b"\2" + bytes(31) + C + S,
    "Gamma neutral": b"\1" + bytes(31) + C + S,
    "Gamma of small order": ORDER_8 + C + S,
    "Gamma outside the group": with_torsion(GAMMA) + C + S,
    "Gamma not canonical": (P + 3).to_bytes(32, "little") + C + S,
    "zeros": bytes(80),
    "ones": b"\xff" * 80,
}


@pytest.mark.parametrize("proof", MALFORMED.values(), ids=MALFORMED)
def test_malformed_proofs_are_refused(proof: bytes) -> None:
    for use in (vrf_output, lambda data: vrf_verify(KEY.public, ALPHA, data)):
        with pytest.raises(InvalidInput):
            use(proof)


@pytest.mark.parametrize(
    "proof",
    [
        GAMMA + bytes(16) + S,
        GAMMA + C + bytes(32),
        GAMMA + C + (Q - 1).to_bytes(32, "little"),
        KEY.public + C + S,
        KEY.prove(b"other"),
    ],
    ids=["c = 0", "s = 0", "s = q - 1", "another Gamma", "of another input"],
)
def test_wrong_proofs_are_refused(proof: bytes) -> None:
    assert len(vrf_output(proof)) == VRF_OUTPUT_BYTES  # well formed
    with pytest.raises(InvalidInput):
        vrf_verify(KEY.public, ALPHA, proof)


def test_a_proof_is_for_one_key_and_one_input() -> None:
    with pytest.raises(InvalidInput, match="not this key's"):
        vrf_verify(VrfKey(b"\x08" * 32).public, ALPHA, PROOF)
    with pytest.raises(InvalidInput, match="not this key's"):
        vrf_verify(KEY.public, ALPHA + b"\0", PROOF)


@pytest.mark.parametrize("excess", range(19))
def test_hashes_that_are_no_canonical_point_are_passed_over(excess: int) -> None:
    """RFC 8032, section 5.1.3, refuses y from p on; libsodium alone would take it modulo p."""
    for sign in (0, 2**255):
        assert vrf._point_of((P + excess + sign).to_bytes(32, "little")) is None


def test_hashes_that_lead_to_the_neutral_point_are_passed_over() -> None:
    assert [vrf._point_of(point) for point in small_order()] == [None] * 11
    assert vrf._point_of(KEY.public) == vrf._point_of(with_torsion(KEY.public)) is not None


def test_an_input_without_a_point_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []
    monkeypatch.setattr(vrf, "_point_of", tried.append)
    with pytest.raises(InvalidInput, match="no point"):
        KEY.prove(b"unlucky")
    assert len(tried) == len(set(tried)) == 256


def test_what_was_right_is_remembered_and_what_was_wrong_is_not() -> None:
    vrf._verify.cache_clear()
    output = vrf_verify(KEY.public, ALPHA, PROOF)
    assert vrf_verify(KEY.public, ALPHA, PROOF) == output
    for _ in range(2):
        with pytest.raises(InvalidInput):
            vrf_verify(KEY.public, b"else", PROOF)
    known = vrf._verify.cache_info()
    assert (known.hits, known.misses, known.currsize) == (1, 3, 1)
    assert known.maxsize is not None


def test_libsodium_is_loaded_on_first_use_only() -> None:
    program = (
        "import sys, chainstack_sdk\n"
        "from chainstack_sdk.consensus import beacon, election, reputation, rewards, vrf\n"
        "assert not any(name.partition('.')[0] == 'nacl' for name in sys.modules)\n"
        "vrf.vrf_public_key(bytes(32))\n"
        "assert 'nacl' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
