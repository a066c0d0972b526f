"""The package in which an applet travels: manifest, code, signature; named by its hash.

::

    package  = rlp([manifest, code, signature])
    hash     = keccak256("chainstack-applet-v1" ‖ rlp([manifest, keccak256(code)]))
    signature: r ‖ s ‖ v over the hash (65 bytes, s low, v 0 or 1) by the author of the manifest

The hash is the applet's identity: the same manifest and code, the same hash. An :class:`Applet` exists
only with a signature that holds, so whoever has one need not check again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chainstack_sdk.apps.sandbox.errors import AppletRefused
from chainstack_sdk.apps.sandbox.manifest import Manifest, manifest_of
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account, recover_sender
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.primitives.types import Hash32

DOMAIN = b"chainstack-applet-v1"
"""What the hash of an applet begins with."""

MAX_CODE = 1 << 20
"""The most code an applet may have: 1 MiB."""

MAX_PACKAGE = MAX_CODE + (1 << 14)
"""No package is larger; in bytes."""

_WASM = b"\0asm\x01\0\0\0"


@dataclass(frozen=True, slots=True)
class Applet:
    """A signed applet.

    Raises
    ------
    AppletRefused
        When the code is too large or not of its kind, or the signature is not the author's.
    """

    manifest: Manifest
    code: bytes
    """JavaScript as UTF-8, or a WebAssembly module in binary form; 1 byte to 1 MiB."""
    signature: bytes
    """The author's over the hash: 65 bytes."""
    hash: Hash32 = field(init=False)
    """Its identity: 32 bytes."""

    def __post_init__(self) -> None:
        _check_code(self.manifest, self.code)
        object.__setattr__(self, "hash", applet_hash(self.manifest, self.code))
        check_signer(self.hash, self.signature, self.manifest)

    @classmethod
    def sign(cls, manifest: Manifest, code: bytes, author: Account) -> Applet:
        """Return the package of an applet, signed.

        Raises
        ------
        UsageError
            When the account is not the manifest's author.
        AppletRefused
            When the code is too large or not of its kind.
        """
        if author.address != manifest.author:
            raise UsageError(
                "an applet is signed by its author", expected=manifest.author, actual=author.address
            )
        return cls(manifest, code, author.sign(applet_hash(manifest, code)))

    def encode(self) -> bytes:
        """Return the package as bytes."""
        return rlp_encode([self.manifest.items(), self.code, self.signature])

    @classmethod
    def decode(cls, package: bytes) -> Applet:
        """Return the applet in a package.

        Raises
        ------
        AppletRefused
            When the bytes are not the one encoding of a signed applet.
        """
        if len(package) > MAX_PACKAGE:
            raise AppletRefused("an applet's package is too large", limit=MAX_PACKAGE, actual=len(package))
        try:
            item = rlp_decode(package)
        except InvalidInput as error:
            raise AppletRefused(f"not an applet's package: {error.message}") from None
        match item:
            case [list(manifest), bytes(code), bytes(signature)]:
                return cls(manifest_of(manifest), code, signature)
        raise AppletRefused("not an applet's package")


def applet_hash(manifest: Manifest, code: bytes) -> Hash32:
    """Return the hash by which an applet is known: 32 bytes."""
    return Hash32(keccak256(DOMAIN + rlp_encode([manifest.items(), keccak256(code)])))


def check_signer(digest: bytes, signature: bytes, manifest: Manifest) -> None:
    """Check that the author of a manifest signed a digest of 32 bytes.

    Raises
    ------
    AppletRefused
        When the signature is malformed or another's.
    """
    if len(signature) != 65 or signature[64] > 1:
        raise AppletRefused("a signature of an applet has 65 bytes, the last 0 or 1")
    try:
        signer = recover_sender(digest, signature)
    except InvalidInput as error:
        raise AppletRefused(f"the signature of an applet does not hold: {error.message}") from None
    if signer != manifest.author:
        raise AppletRefused("an applet is signed by its author", expected=manifest.author, actual=signer)


def _check_code(manifest: Manifest, code: bytes) -> None:
    if not 0 < len(code) <= MAX_CODE:
        raise AppletRefused("the code of an applet has 1 byte to 1 MiB", actual=len(code))
    if manifest.kind == "wasm":
        if not code.startswith(_WASM):
            raise AppletRefused("the code of an applet is not a WebAssembly module in binary form")
        return
    try:
        text = code.decode()
    except UnicodeDecodeError:
        raise AppletRefused("the code of an applet is not UTF-8") from None
    if "\0" in text:
        raise AppletRefused("the code of an applet holds a zero character")
