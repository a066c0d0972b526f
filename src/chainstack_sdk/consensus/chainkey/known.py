"""Signatures of a chain's key that were checked lately.

Builders, voters and the machines of one process see the same signatures again and again, and two pairings
take as long as everything else about a small block.
"""

from __future__ import annotations

from functools import lru_cache

from chainstack_sdk.primitives.bls import verify

_REMEMBERED = 1_024


@lru_cache(maxsize=_REMEMBERED)
def is_signed(key: bytes, message: bytes, signature: bytes, domain: bytes) -> bool:
    """Tell whether a signature is that of a message under a key; see :func:`~.primitives.bls.verify`."""
    return verify(key, message, signature, domain)
