"""The 2048-bit log bloom of the Yellow Paper (section 4.3.1), held as one integer.

A filter's bytes are the integer's 256 bytes, big-endian; two filters join with ``|`` and a filter may
contain an item exactly when ``filter & bits == bits``.
"""

from __future__ import annotations

from chainstack_sdk.primitives.keccak import keccak256

BLOOM_BYTES = 256
_CACHE_LIMIT = 16_384  # about 10 MB of masks; the addresses and topics of recent blocks recur

_masks: dict[bytes, int] = {}

cached_bits = _masks.get
"""``cached_bits(item)``: what :func:`bloom_bits` returned lately, or None; for loops without a call."""


def bloom_bits(item: bytes) -> int:
    """Return the three-bit mask of an address (20 bytes) or a topic (32 bytes)."""
    mask = _masks.get(item)
    if mask is None:
        digest = keccak256(item)
        mask = (
            1 << ((digest[0] << 8 | digest[1]) & 2047)
            | 1 << ((digest[2] << 8 | digest[3]) & 2047)
            | 1 << ((digest[4] << 8 | digest[5]) & 2047)
        )
        if len(_masks) >= _CACHE_LIMIT:
            _masks.clear()
        _masks[item] = mask
    return mask


def bloom_may_contain(bloom: int, item: bytes) -> bool:
    """Tell whether the filter may hold the item; False is certain, True is not."""
    bits = bloom_bits(item)
    return bloom & bits == bits
