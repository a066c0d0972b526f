"""Keccak-256, the hash of everything here.

It is the original Keccak submission (padding byte ``0x01``), not the later SHA3-256 of FIPS 202.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def _backend() -> Callable[[bytes], bytes]:
    """Return the fastest installed implementation, itself and not a wrapper of it."""
    try:
        import tiny_keccak
    except ImportError:
        pass
    else:
        return tiny_keccak.keccak256
    try:
        from eth_hash.backends import pysha3
    except ImportError:
        pass
    else:
        return pysha3.keccak256
    try:
        from eth_hash.backends import pycryptodome
    except ImportError:
        raise UsageError("no keccak implementation is installed: install the package tiny-keccak") from None
    return pycryptodome.keccak256


keccak256: Callable[[bytes], bytes] = _backend()
"""Return the 32-byte Keccak-256 hash of some ``bytes`` (exactly ``bytes``: not a subclass, not a view)."""

EMPTY_HASH = keccak256(b"")
"""The hash of nothing: the code hash of an account without code."""

EMPTY_ROOT = keccak256(b"\x80")
"""The root of an empty Merkle-Patricia trie: the hash of the RLP of the empty string."""
