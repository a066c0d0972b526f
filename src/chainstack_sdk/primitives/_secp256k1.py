"""The curve secp256k1, from whichever binding of libsecp256k1 is installed.

Imported on first use only: loading the library takes longer than all of this package. Two functions,
chosen at import:

``open_key(secret)``
    the public key (64 bytes, x then y) of a 32-byte secret, and a function that signs a 32-byte digest
    (65 bytes: r, s, recovery id; deterministic by RFC 6979, s in the lower half of the group order)
``recover(digest, signature)``
    the 64-byte public key that made such a signature; ``ValueError`` when there is none
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Sign: TypeAlias = Callable[[bytes], bytes]
    OpenKey: TypeAlias = Callable[[bytes], tuple[bytes, Sign]]
    Recover: TypeAlias = Callable[[bytes, bytes], bytes]


def _coincurve() -> tuple[OpenKey, Recover]:
    from coincurve import PrivateKey, PublicKey

    from_signature = PublicKey.from_signature_and_message

    def open_key(secret: bytes) -> tuple[bytes, Sign]:
        key = PrivateKey(secret)
        # the default hasher is SHA-256: it must be switched off, here and below
        return key.public_key.format(compressed=False)[1:], lambda digest: key.sign_recoverable(digest, None)

    def recover(digest: bytes, signature: bytes) -> bytes:
        return from_signature(signature, digest, None).format(False)[1:]

    try:
        return open_key, _straight_recover()
    except (ImportError, AttributeError):  # another version of coincurve, which wraps the library otherwise
        return open_key, recover


def _straight_recover() -> Recover:
    """Return coincurve's recovery without its layers of Python, which take a tenth of the time."""
    ffi, lib = import_module("coincurve._libsecp256k1").ffi, import_module("coincurve._libsecp256k1").lib
    context = import_module("coincurve.context").GLOBAL_CONTEXT.ctx
    new, buffer = ffi.new, ffi.buffer
    signature_type, key_type, bytes_type, size_type = map(
        ffi.typeof,
        ("secp256k1_ecdsa_recoverable_signature *", "secp256k1_pubkey *", "unsigned char[65]", "size_t *"),
    )
    parse = lib.secp256k1_ecdsa_recoverable_signature_parse_compact
    find_key, serialize = lib.secp256k1_ecdsa_recover, lib.secp256k1_ec_pubkey_serialize
    uncompressed = lib.SECP256K1_EC_UNCOMPRESSED

    def recover(digest: bytes, signature: bytes) -> bytes:
        # the library aborts the process on sizes and recovery ids that cannot be
        if len(digest) != 32 or len(signature) != 65 or signature[64] > 3:
            raise ValueError("a recovery takes 32 bytes, and 65 of which the last is at most 3")
        # new memory each time, as threads run in here at once
        parsed, key = new(signature_type), new(key_type)
        if not (parse(context, parsed, signature, signature[64]) and find_key(context, key, parsed, digest)):
            raise ValueError("no key makes this signature")
        point = new(bytes_type)
        serialize(context, point, new(size_type, 65), key, uncompressed)
        return bytes(buffer(point)[1:])

    return recover


def _btclib() -> tuple[OpenKey, Recover]:
    keys = import_module("btclib_secp256k1.keys")
    recovery = import_module("btclib_secp256k1.recovery")

    def open_key(secret: bytes) -> tuple[bytes, Sign]:
        def sign(digest: bytes) -> bytes:
            compact, recovery_id = recovery.sign(digest, secret, verify=False)
            return bytes([*compact, recovery_id])

        return bytes(keys.pubkey_from_prvkey(secret, compressed=False)[1:]), sign

    def recover(digest: bytes, signature: bytes) -> bytes:
        if len(signature) != 65:
            raise ValueError("a recoverable signature has 65 bytes")
        return bytes(recovery.recover(digest, signature[:64], signature[64], compressed=False)[1:])

    return open_key, recover


def _load() -> tuple[OpenKey, Recover]:
    for backend in (_coincurve, _btclib):
        try:
            return backend()
        except ImportError:
            continue
    raise UsageError("no secp256k1 implementation is installed: install the package coincurve")


open_key, recover = _load()
