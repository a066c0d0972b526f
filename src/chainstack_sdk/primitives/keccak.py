"""Keccak-256, the hash of everything here, of one message or of many at once.

It is the original Keccak submission (padding byte ``0x01``), not the later SHA3-256 of FIPS 202.

Many small messages are hashed four at a time by processors with AVX2, in less than half of the time, by a
part of the library that is compiled when it is installed where a C compiler is (``_keccak.c``). Without it
everything works the same, by the package tiny-keccak and one message after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    One: TypeAlias = Callable[[bytes], bytes]


class Many(Protocol):
    """The type of :func:`keccak256_many`."""

    def __call__(self, items: Iterable[bytes], prefix: bytes = b"", /) -> list[bytes]:
        """Return the hash of each item, with the prefix before it."""
        ...


class Pieces(Protocol):
    """The type of :func:`keccak256_pieces`."""

    def __call__(self, data: bytes, size: int, prefix: bytes = b"", /) -> bytes:
        """Return the hash of each piece, with the prefix before it, joined."""
        ...


def _backend() -> One:
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


def _one_by_one(one: One) -> tuple[One, Many, Pieces]:
    """Return an implementation and the two functions of many messages made of it."""

    def many(items: Iterable[bytes], prefix: bytes = b"", /) -> list[bytes]:
        if prefix:
            return [one(prefix + item) for item in items]
        return [one(item) for item in items]

    def pieces(data: bytes, size: int, prefix: bytes = b"", /) -> bytes:
        if size < 1 or len(data) % size:
            raise ValueError("the data is not a whole number of pieces")
        return b"".join(many([data[at : at + size] for at in range(0, len(data), size)], prefix))

    return one, many, pieces


def _fastest() -> tuple[One, Many, Pieces]:
    """Return the functions of the compiled part, or of a package where there is none."""
    try:
        from chainstack_sdk.primitives._keccak import keccak256, keccak256_many, keccak256_pieces
    except ImportError:
        return _one_by_one(_backend())
    return keccak256, keccak256_many, keccak256_pieces


_functions = _fastest()

keccak256: One = _functions[0]
"""Return the 32-byte Keccak-256 hash of some ``bytes`` (exactly ``bytes``: not a subclass, not a view)."""

keccak256_many: Many = _functions[1]
"""``keccak256_many(items, prefix=b"")``: return the hash of each item, with the prefix (at most 135 bytes)
before it, as a list."""

keccak256_pieces: Pieces = _functions[2]
"""``keccak256_pieces(data, size, prefix=b"")``: return the hashes of each ``size`` bytes of the data, with
the prefix (at most 135 bytes) before them, joined; ``ValueError`` when that leaves a rest."""

EMPTY_HASH = keccak256(b"")
"""The hash of nothing: the code hash of an account without code."""

EMPTY_ROOT = keccak256(b"\x80")
"""The root of an empty Merkle-Patricia trie: the hash of the RLP of the empty string."""
