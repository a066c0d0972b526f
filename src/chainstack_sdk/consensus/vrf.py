"""Verifiable randomness: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, on libsodium.

A verifiable random function is a keyed hash that everybody can check: of an input *alpha* the holder of a
secret key makes a *proof* (80 bytes), and from the proof follows the *output* beta (64 bytes). Under one
public key an input has one output only, which nobody can tell without the secret key.

::

    proof   Gamma 32 ‖ c 16 ‖ s 32        Gamma a point, c and s little-endian integers
    output  SHA-512(0x03 ‖ 0x03 ‖ 8·Gamma ‖ 0x00)

Points are encoded as in RFC 8032, and keys are those of Ed25519: a secret key is its 32-byte seed. Names in
the code are those of RFC 9381, section 5.

**Caveats**

- Public keys and Gamma must lie in the group of prime order. RFC 9381 asks less (section 5.4.5: that the
  key has no small order); no honest prover notices, and a proof cannot be varied by a point of small order.
- Mapping alpha to the curve takes a number of steps that depends on it. Alpha is meant to be public here.
- Uniqueness holds for any key, but a key chosen after alpha is known can be chosen for its output. Keys
  must be fixed before the input is: see :mod:`~chainstack_sdk.consensus.beacon`.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha512

from chainstack_sdk.consensus.octets import exact_bytes
from chainstack_sdk.primitives.errors import InvalidInput

VRF_KEY_BYTES = 32
"""Of a secret key and of a public key alike."""
VRF_PROOF_BYTES = 80
VRF_OUTPUT_BYTES = 64

_SUITE = b"\x03"
_ENCODE_TO_CURVE, _CHALLENGE, _PROOF_TO_HASH = (_SUITE + front for front in (b"\x01", b"\x02", b"\x03"))
_BACK = b"\x00"
_P = 2**255 - 19
"""Order of the field."""
_Q = 2**252 + 27742317777372353535851937790883648493
"""Order of the group."""
_IDENTITY = b"\x01" + bytes(31)
_REMEMBERED = 1024
"""Verified proofs, of about 600 bytes each."""


class VrfKey:
    """A secret key, expanded once for many proofs.

    Parameters
    ----------
    secret
        32 bytes, an Ed25519 seed. Best used for nothing else.

    Raises
    ------
    UsageError
        When the secret has another length.
    """

    __slots__ = ("_prefix", "_scalar", "public")

    public: bytes
    """The public key, 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        from nacl import bindings

        expanded = sha512(exact_bytes(secret, VRF_KEY_BYTES, "secret key")).digest()
        clamped = bytes([expanded[0] & 0xF8, *expanded[1:31], expanded[31] & 0x7F | 0x40])
        self._scalar = bindings.crypto_core_ed25519_scalar_reduce(clamped + bytes(32))
        self._prefix = expanded[32:]
        self.public = bindings.crypto_scalarmult_ed25519_base_noclamp(self._scalar)

    def __repr__(self) -> str:
        return f"VrfKey(public=0x{self.public.hex()})"

    def prove(self, alpha: bytes) -> bytes:
        """Return the proof, 80 bytes, for an input of any length; always the same one.

        Source: RFC 9381, section 5.1; the nonce as in section 5.4.2.2. All that is done with the secret
        scalar takes constant time.
        """
        from nacl import bindings

        multiply = bindings.crypto_scalarmult_ed25519_noclamp
        h = _encode_to_curve(self.public, alpha)
        gamma = multiply(self._scalar, h)
        k = bindings.crypto_core_ed25519_scalar_reduce(sha512(self._prefix + h).digest())
        u = bindings.crypto_scalarmult_ed25519_base_noclamp(k)
        c = _challenge(self.public, h, gamma, u, multiply(k, h))
        cx = bindings.crypto_core_ed25519_scalar_mul(c + bytes(16), self._scalar)
        return gamma + c + bindings.crypto_core_ed25519_scalar_add(k, cx)


def vrf_public_key(secret: bytes) -> bytes:
    """Return the public key, 32 bytes, of a 32-byte secret key.

    Raises
    ------
    UsageError
        When the secret has another length.
    """
    return VrfKey(secret).public


def vrf_prove(secret: bytes, alpha: bytes) -> bytes:
    """Return the proof, 80 bytes, that a secret key makes for an input.

    Raises
    ------
    UsageError
        When the secret has not 32 bytes.
    """
    return VrfKey(secret).prove(alpha)


def validate_vrf_key(public: bytes) -> None:
    """Check a public key, as before it is registered.

    Raises
    ------
    InvalidInput
        When it is not the one encoding of a point, other than the neutral one, in the group of prime order.
    """
    if len(public) != VRF_KEY_BYTES or not _is_valid_point(public):
        raise InvalidInput("not a key for verifiable randomness", actual=public)


def vrf_output(proof: bytes) -> bytes:
    """Return the output, 64 bytes, of a proof that has been verified: RFC 9381's proof_to_hash.

    Raises
    ------
    InvalidInput
        When the proof is malformed. A well-formed one may still be a forgery.
    """
    gamma, _, _ = _decode_proof(proof)
    return _output(gamma)


def vrf_verify(public: bytes, alpha: bytes, proof: bytes) -> bytes:
    """Check a proof and return its output, 64 bytes.

    The last 1024 proofs that were right are remembered, so that several engines in one process, or a
    proposal and the block that comes of it, pay for one verification.

    Source: RFC 9381, section 5.3, with key validation; stricter where the module says so.

    Raises
    ------
    InvalidInput
        When the key is not valid, or the proof is not the key's proof for this input.
    """
    return _verify(public, alpha, proof)


@lru_cache(maxsize=_REMEMBERED)
def _verify(public: bytes, alpha: bytes, proof: bytes) -> bytes:
    from nacl import bindings, exceptions

    gamma, c, s = _decode_proof(proof)
    validate_vrf_key(public)
    h = _encode_to_curve(public, alpha)
    multiply, subtract = bindings.crypto_scalarmult_ed25519_noclamp, bindings.crypto_core_ed25519_sub
    wide_c = c + bytes(16)
    try:
        u = subtract(bindings.crypto_scalarmult_ed25519_base_noclamp(s), multiply(wide_c, public))
        v = subtract(multiply(s, h), multiply(wide_c, gamma))
    except exceptions.CryptoError:  # c or s is 0, which libsodium will not multiply with
        raise InvalidInput("not a proof of verifiable randomness", actual=proof) from None
    if _challenge(public, h, gamma, u, v) != c:
        raise InvalidInput("the proof is not this key's for this input", key=public, input=alpha)
    return _output(gamma)


def _decode_proof(proof: bytes) -> tuple[bytes, bytes, bytes]:
    """Return gamma, c, s as they stand in the proof (RFC 9381, section 5.4.4)."""
    if len(proof) != VRF_PROOF_BYTES:
        raise InvalidInput("a proof has another length", expected=VRF_PROOF_BYTES, actual=len(proof))
    gamma, c, s = proof[:32], proof[32:48], proof[48:]
    if int.from_bytes(s, "little") >= _Q or not _is_valid_point(gamma):
        raise InvalidInput("not a proof of verifiable randomness", actual=proof)
    return gamma, c, s


def _is_valid_point(point: bytes) -> bool:
    from nacl import bindings

    return bindings.crypto_core_ed25519_is_valid_point(point)


def _encode_to_curve(public: bytes, alpha: bytes) -> bytes:
    """Return the point for an input, by try and increment (RFC 9381, section 5.4.1.1)."""
    for counter in range(256):
        digest = sha512(b"".join((_ENCODE_TO_CURVE, public, alpha, bytes([counter]), _BACK))).digest()
        if (point := _point_of(digest[:32])) is not None:
            return point
    raise InvalidInput("no point of the curve belongs to this input", input=alpha)  # chance: 2**-256


def _point_of(candidate: bytes) -> bytes | None:
    """Return eight times the point that 32 bytes encode, or None where there is none but the neutral one."""
    from nacl import exceptions

    # libsodium would take y modulo p; RFC 8032, section 5.1.3, has one encoding for each point
    if int.from_bytes(candidate, "little") % 2**255 >= _P:
        return None
    try:
        point = _times_cofactor(candidate)
    except exceptions.CryptoError:  # not on the curve
        return None
    return None if point == _IDENTITY else point


def _times_cofactor(point: bytes) -> bytes:
    from nacl import bindings

    for _ in range(3):
        point = bindings.crypto_core_ed25519_add(point, point)
    return point


def _challenge(public: bytes, h: bytes, gamma: bytes, u: bytes, v: bytes) -> bytes:
    """Return c, 16 bytes (RFC 9381, section 5.4.3)."""
    return sha512(b"".join((_CHALLENGE, public, h, gamma, u, v, _BACK))).digest()[:16]


def _output(gamma: bytes) -> bytes:
    return sha512(_PROOF_TO_HASH + _times_cofactor(gamma) + _BACK).digest()
