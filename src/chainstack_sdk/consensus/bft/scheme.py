"""How signatures of validators are checked: one seam, so that tests may trust and others may batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keys import HALF_N, recover

if TYPE_CHECKING:
    from collections.abc import Iterable

_HALF = HALF_N.to_bytes(32, "big")
_DEFAULT_REMEMBERED = 4_096


class Scheme(Protocol):
    """Tells who signed. Neither method raises, whatever bytes it is given."""

    def signer(self, digest: bytes, signature: bytes) -> bytes | None:
        """Return the 20-byte address that signed a 32-byte digest, or None when nobody did."""
        ...

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        """Answer :meth:`signer` for many pairs of digest and signature, in their order."""
        ...


class Secp256k1Scheme:
    """Recoverable signatures over secp256k1, each message having one valid signature per nonce.

    A signature is 65 bytes, r ‖ s ‖ v, with v 0 or 1 and s in the lower half of the group order; all
    others stand for nobody. Recent answers are remembered: a vote in a certificate has usually been
    seen as a message, and the engines of one process may share a scheme.

    Parameters
    ----------
    remembered
        How many answers are kept at least; twice as many at most.
    """

    def __init__(self, remembered: int = _DEFAULT_REMEMBERED) -> None:
        self._remembered = remembered
        self._recent: dict[tuple[bytes, bytes], bytes | None] = {}
        self._older: dict[tuple[bytes, bytes], bytes | None] = {}

    def signer(self, digest: bytes, signature: bytes) -> bytes | None:
        """Return the 20-byte address that signed a 32-byte digest, or None when nobody did."""
        key = (digest, signature)
        if key in self._recent:
            return self._recent[key]
        address = self._older[key] if key in self._older else _recover_strictly(digest, signature)
        if len(self._recent) >= self._remembered:
            self._older, self._recent = self._recent, {}
        self._recent[key] = address
        return address

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        """Answer :meth:`signer` for many pairs of digest and signature, in their order."""
        return [self.signer(digest, signature) for digest, signature in requests]


def _recover_strictly(digest: bytes, signature: bytes) -> bytes | None:
    if len(signature) != 65 or signature[32:64] > _HALF:
        return None
    try:
        return recover(digest, signature)
    except InvalidInput:
        return None
