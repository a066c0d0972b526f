"""Taking an applet back: its author's signed word that it should no longer be run.

::

    revocation = rlp([applet (32 bytes), signature])
    signature: r ‖ s ‖ v (65 bytes) over keccak256("chainstack-revocation-v1" ‖ applet)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.apps.sandbox.errors import AppletRefused
from chainstack_sdk.apps.sandbox.package import check_signer
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.primitives.types import Hash32

if TYPE_CHECKING:
    from chainstack_sdk.apps.sandbox.manifest import Manifest
    from chainstack_sdk.primitives.keys import Account

DOMAIN = b"chainstack-revocation-v1"
"""What the signed bytes begin with."""


class AppletRevoked(AppletRefused):
    """The applet's author took it back."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """An author's word that an applet should not be run any more."""

    applet: Hash32
    """The hash of the applet: 32 bytes."""
    signature: bytes
    """The author's: 65 bytes."""

    @classmethod
    def sign(cls, applet: Hash32, author: Account) -> Revocation:
        """Return a revocation, signed."""
        return cls(applet, author.sign(_digest(applet)))

    def check(self, manifest: Manifest) -> None:
        """Check that the author of a manifest signed this.

        Raises
        ------
        AppletRefused
            When not.
        """
        check_signer(_digest(self.applet), self.signature, manifest)

    def encode(self) -> bytes:
        """Return the encoding."""
        return rlp_encode([self.applet, self.signature])

    @classmethod
    def decode(cls, data: bytes) -> Revocation:
        """Return what :meth:`encode` made; the signature is not checked yet.

        Raises
        ------
        AppletRefused
            When the bytes are no revocation.
        """
        try:
            item = rlp_decode(data)
        except InvalidInput as error:
            raise AppletRefused(f"not a revocation: {error.message}") from None
        match item:
            case [bytes(applet), bytes(signature)] if len(applet) == 32 and len(signature) == 65:
                return cls(Hash32(applet), signature)
        raise AppletRefused("not a revocation")


def _digest(applet: Hash32) -> bytes:
    return keccak256(DOMAIN + applet)
