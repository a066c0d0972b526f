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

    return open_key, recover


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
