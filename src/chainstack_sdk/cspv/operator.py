"""The chain key of a chain that one party runs: one secret, no shares, a signature at once.

**Caveats.** The party that has the secret can sign any block, hence prove anything to those who hold its
anchor: they trust it as the users of its chain do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.cspv.schemes import ChainKeyFinality
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, public_key, secret_from, sign
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header

OPERATOR_DOMAIN = b"CHAINSTACK-OPERATOR-V1"
"""Keeps the secrets that come from a seed here apart from others that come from it."""
_MIN_SEED_BYTES = 32


class OperatorKey:
    """The one holder of a chain key.

    Parameters
    ----------
    seed
        At least 32 random bytes, to be kept as secret as the key itself.

    Raises
    ------
    UsageError
        When the seed is shorter.
    """

    __slots__ = ("_public_key", "_secret")

    def __init__(self, seed: bytes) -> None:
        if len(seed) < _MIN_SEED_BYTES:
            raise UsageError("the seed of a key has at least 32 bytes", actual=len(seed))
        self._secret = secret_from(OPERATOR_DOMAIN, seed)
        self._public_key = public_key(self._secret)

    @property
    def public_key(self) -> bytes:
        """96 bytes, a compressed point of G2."""
        return self._public_key

    def sign(self, block_hash: bytes) -> bytes:
        """Return the signature that makes a block final, 48 bytes."""
        return sign(self._secret, block_hash, FINALITY_DOMAIN)

    def finality(self, chain_id: int) -> ChainKeyFinality:
        """Return what proves blocks of a chain that this key signs, each when it is asked for."""
        return ChainKeyFinality(chain_id, lambda: self._public_key, self._sign_header)

    def _sign_header(self, header: Header) -> bytes:
        return self.sign(header.hash)
