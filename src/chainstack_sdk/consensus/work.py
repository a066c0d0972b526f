"""Proof of work: a nonce whose hash with the block hash is small enough.

The work is over 40 bytes, the block hash (32) followed by the nonce (8, big-endian). Its hash, read as a
big-endian number, must not exceed the *target*; the *difficulty* is how many hashes that takes on average::

    target = (2^256 - 1) // difficulty

A header says in its ``work_commitment`` how difficult its work is and who is to be paid for it; both are
under the block hash, so neither changes without the work being done again::

    difficulty   32 bytes, big-endian, at least 1
    payouts      32 bytes, hash of the list of payouts, zeros when it is empty
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator

NONCES = 1 << 64
"""How many nonces there are: each is eight bytes."""
MAX_TARGET = (1 << 256) - 1
"""The target that every hash meets, that of difficulty 1."""
_HASH_BYTES = 32
_COMMITMENT_BYTES = 64
_BYTES = tuple(bytes([byte]) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody who hashed a range of nonces says of it."""

    nonce: int | None
    """The lowest nonce that meets the target, where the search ended; None when there is none."""
    hashes: int
    """How many nonces were tried: up to the one found, or all of the range."""
    shares: tuple[int, ...] = ()
    """Every nonce tried that meets the easier target of shares, ascending; a nonce found is the last."""


class WorkHash(Protocol):
    """The hash that work is done with. It travels to workers, so it must be possible to pickle it."""

    @property
    def name(self) -> str:
        """A short name, such as ``"double-sha256"``."""
        ...

    def digest(self, block_hash: bytes, nonce: int) -> bytes:
        """Return the 32-byte hash of a block hash (32 bytes) and a nonce below 2^64."""
        ...

    def search(self, block_hash: bytes, start: int, count: int, target: int, share_target: int) -> Found:
        """Try ``count`` nonces from ``start`` on, in order, and stop at the first that meets the target.

        Parameters
        ----------
        block_hash
            32 bytes.
        target
            The greatest hash that wins.
        share_target
            The greatest hash that makes a share; at least the target.
        """
        ...


class DoubleSha256:
    """SHA-256 of SHA-256, as in Bitcoin; the state after all but the nonce's last byte is kept and copied."""

    __slots__ = ()
    name = "double-sha256"

    def digest(self, block_hash: bytes, nonce: int) -> bytes:
        """Return the 32-byte hash of a block hash (32 bytes) and a nonce below 2^64."""
        return sha256(sha256(block_hash + nonce.to_bytes(8, "big")).digest()).digest()

    def search(self, block_hash: bytes, start: int, count: int, target: int, share_target: int) -> Found:
        """Try ``count`` nonces from ``start`` on, in order, and stop at the first that meets the target.

        Raises
        ------
        UsageError
            When the range leaves the nonces, a target is none, or shares are harder than the target.
        """
        win, share = _bounds(target, share_target)
        shares = []
        for first, prefix, lasts in _stretches(block_hash, start, count):
            midstate = sha256(prefix).copy
            for nonce, last in enumerate(lasts, first):
                state = midstate()
                state.update(last)
                digest = sha256(state.digest()).digest()
                if digest <= share:
                    shares.append(nonce)
                    if digest <= win:
                        return Found(nonce, nonce - start + 1, tuple(shares))
        return Found(None, count, tuple(shares))


class KeccakWork:
    """Keccak-256, the hash of everything else here."""

    __slots__ = ()
    name = "keccak-256"

    def digest(self, block_hash: bytes, nonce: int) -> bytes:
        """Return the 32-byte hash of a block hash (32 bytes) and a nonce below 2^64."""
        return keccak256(block_hash + nonce.to_bytes(8, "big"))

    def search(self, block_hash: bytes, start: int, count: int, target: int, share_target: int) -> Found:
        """Try ``count`` nonces from ``start`` on, in order, and stop at the first that meets the target.

        Raises
        ------
        UsageError
            When the range leaves the nonces, a target is none, or shares are harder than the target.
        """
        win, share = _bounds(target, share_target)
        shares = []
        for first, prefix, lasts in _stretches(block_hash, start, count):
            for nonce, last in enumerate(lasts, first):
                digest = keccak256(prefix + last)
                if digest <= share:
                    shares.append(nonce)
                    if digest <= win:
                        return Found(nonce, nonce - start + 1, tuple(shares))
        return Found(None, count, tuple(shares))


def _bounds(target: int, share_target: int) -> tuple[bytes, bytes]:
    """Return both targets as what digests compare with; bytes of one length compare like numbers."""
    if not 0 <= target <= share_target <= MAX_TARGET:
        raise UsageError("a target is a number of 32 bytes, and no share is harder to find than a block")
    return target.to_bytes(_HASH_BYTES, "big"), share_target.to_bytes(_HASH_BYTES, "big")


def _stretches(block_hash: bytes, start: int, count: int) -> Iterator[tuple[int, bytes, tuple[bytes, ...]]]:
    """Yield stretches of 256 nonces or less: the first nonce, the bytes before the last, the last ones."""
    stop = start + count
    if count < 0 or start < 0 or stop > NONCES:
        raise UsageError("nonces are below 2^64", start=start, count=count)
    while start < stop:
        last = start & 0xFF
        end = min(stop, start - last + 256)
        yield start, block_hash + (start >> 8).to_bytes(7, "big"), _BYTES[last : last + end - start]
        start = end


def target_of(difficulty: int) -> int:
    """Return the greatest hash that counts, where one in ``difficulty`` hashes counts on average.

    Raises
    ------
    UsageError
        When the difficulty is not from 1 to 2^256 - 1.
    """
    if not 1 <= difficulty <= MAX_TARGET:
        raise UsageError("a difficulty is at least 1 and takes 32 bytes", actual=difficulty)
    return MAX_TARGET // difficulty


def is_worked(block_hash: bytes, nonce: int, difficulty: int, work_hash: WorkHash) -> bool:
    """Tell whether a nonce does the work that a difficulty asks for; anything impossible does not."""
    if not (0 <= nonce < NONCES and 1 <= difficulty <= MAX_TARGET):
        return False
    return int.from_bytes(work_hash.digest(block_hash, nonce), "big") <= target_of(difficulty)


def work_commitment(difficulty: int, payouts_hash: bytes) -> bytes:
    """Return the 64 bytes by which a header commits to its difficulty and to a list of payouts.

    Parameters
    ----------
    payouts_hash
        32 bytes, of :attr:`Payouts.hash`.

    Raises
    ------
    UsageError
        When the difficulty is not from 1 to 2^256 - 1 or the hash is not of 32 bytes.
    """
    if not 1 <= difficulty <= MAX_TARGET or len(payouts_hash) != _HASH_BYTES:
        raise UsageError("work is committed to by a positive difficulty and a hash, 32 bytes each")
    return difficulty.to_bytes(_HASH_BYTES, "big") + payouts_hash


def parse_work_commitment(commitment: bytes) -> tuple[int, bytes]:
    """Return the difficulty and the hash of the payouts that a header commits to.

    Raises
    ------
    InvalidInput
        When it is not 64 bytes or the difficulty is zero.
    """
    if len(commitment) != _COMMITMENT_BYTES:
        raise InvalidInput("a work commitment has 64 bytes", actual=len(commitment))
    difficulty = int.from_bytes(commitment[:_HASH_BYTES], "big")
    if not difficulty:
        raise InvalidInput("a difficulty is at least 1", actual=difficulty)
    return difficulty, commitment[_HASH_BYTES:]


if TYPE_CHECKING:
    _double_sha256: type[WorkHash] = DoubleSha256
    _keccak: type[WorkHash] = KeccakWork
