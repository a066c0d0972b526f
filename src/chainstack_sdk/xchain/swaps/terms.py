"""What two parties agree on about one lock of a swap, and the id that it gets.

An id is keccak-256 of 157 bytes, integers big-endian: ``"chainstack swap" 15 ‖ chain id 8 ‖ owner 20 ‖
recipient 20 ‖ hash 32 ‖ kind of hash 1 ‖ expiry 8 ‖ kind of asset 1 ‖ token 20 ‖ number 32``. Both sides
know it before anything is locked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.xchain.custody import Asset

SWAPS_CODE = system_code("swaps")
"""The code of the swap contract."""
SECRET_SIZE: Final = 32
"""Bytes of a preimage: exactly so many everywhere, or what one chain takes another might refuse."""
_DOMAIN = b"chainstack swap"


class HashKind(IntEnum):
    """By which hash a swap is locked; SHA-256 is what foreign systems have."""

    SHA256 = 0
    KECCAK256 = 1


class SwapStatus(IntEnum):
    """What has become of a lock."""

    UNKNOWN = 0
    """There is none of this id."""
    LOCKED = 1
    CLAIMED = 2
    """The recipient has it, and the preimage is public."""
    REFUNDED = 3
    """The owner has it back."""


def hash_secret(kind: HashKind, secret: bytes) -> bytes:
    """Return the hash, 32 bytes, that a secret of 32 bytes opens.

    Raises
    ------
    UsageError
        When the secret has another size.
    """
    if len(secret) != SECRET_SIZE:
        raise UsageError("a secret has 32 bytes", actual=len(secret))
    return hashlib.sha256(secret).digest() if kind is HashKind.SHA256 else keccak256(secret)


@dataclass(frozen=True, slots=True)
class SwapTerms:
    """One lock: who gives what to whom, against which secret, until when."""

    owner: bytes
    """20 bytes: who locks, and gets it back after the expiry."""
    recipient: bytes
    """20 bytes: who gets it for the secret."""
    hash: bytes
    """Of the secret, 32 bytes."""
    hash_kind: HashKind
    expires_ms: int
    """Unix time in milliseconds: blocks before it may claim, blocks from it on may refund. Below 2^64."""
    asset: Asset

    def id(self, chain_id: int) -> bytes:
        """Return the lock's id on a chain, 32 bytes."""
        asset = self.asset
        parts = (
            _DOMAIN,
            chain_id.to_bytes(8, "big"),
            self.owner,
            self.recipient,
            self.hash,
            bytes((self.hash_kind,)),
            self.expires_ms.to_bytes(8, "big"),
            bytes((asset.kind,)),
            asset.token,
            asset.number.to_bytes(32, "big"),
        )
        return keccak256(b"".join(parts))

    def arguments(self) -> tuple[bytes, bytes, int, int, int, bytes, int]:
        """Return the arguments of the contract's ``lock``; the owner is who calls it."""
        asset = self.asset
        return (
            self.recipient,
            self.hash,
            self.hash_kind,
            self.expires_ms,
            asset.kind,
            asset.token,
            asset.number,
        )
