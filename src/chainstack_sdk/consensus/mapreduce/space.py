"""The nonces of a job's candidates: which have been handed out, which have come back, which are left."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from chainstack_sdk.consensus.mapreduce.values import NeedCandidate
from chainstack_sdk.primitives.errors import UsageError


class Piece(NamedTuple):
    """Some nonces of one candidate; pieces compare in the order in which they are handed out."""

    extra_nonce: int
    start: int
    size: int
    block_hash: bytes


class NonceSpace:
    """Hands out disjoint pieces in ascending order; what comes back goes first.

    Parameters
    ----------
    block_hash
        The first candidate's, 32 bytes.
    nonces
        How many nonces of each candidate are used: 0 to ``nonces - 1``.

    Raises
    ------
    UsageError
        When the hash has not 32 bytes.
    """

    __slots__ = ("_extra_nonce", "_hash", "_limit", "_next", "_nonces", "_returned", "_used")

    def __init__(self, block_hash: bytes, nonces: int) -> None:
        self._used: set[bytes] = set()
        self._use(block_hash)
        self._nonces = nonces
        self._extra_nonce = 0
        self._next = 0
        self._returned: list[Piece] = []
        self._limit: tuple[int, int] | None = None

    def extend(self, extra_nonce: int, block_hash: bytes) -> None:
        """Go on with another candidate.

        Raises
        ------
        UsageError
            When this candidate was not asked for, its hash has not 32 bytes or is that of an earlier one.
        """
        if self._next < self._nonces or extra_nonce != self._extra_nonce + 1:
            raise UsageError("this candidate was not asked for", actual=extra_nonce)
        self._use(block_hash)
        self._extra_nonce = extra_nonce
        self._next = 0

    def _use(self, block_hash: bytes) -> None:
        if len(block_hash) != 32:
            raise UsageError("a block hash has 32 bytes", actual=block_hash)
        if block_hash in self._used:
            raise UsageError("an extra nonce changes the block hash", hash=block_hash)
        self._used.add(block_hash)
        self._hash = block_hash

    def take(self, count: int) -> Piece | NeedCandidate | None:
        """Return a piece of at most ``count`` nonces; None when only those above the limit are left."""
        if self._returned:
            return self._take_returned(count)
        if self._limit is not None:
            return None
        if self._next == self._nonces:
            return NeedCandidate(self._extra_nonce + 1)
        count = min(count, self._nonces - self._next)
        piece = Piece(self._extra_nonce, self._next, count, self._hash)
        self._next += count
        return piece

    def _take_returned(self, count: int) -> Piece:
        piece = heappop(self._returned)
        if piece.size <= count:
            return piece
        heappush(self._returned, piece._replace(start=piece.start + count, size=piece.size - count))
        return piece._replace(size=count)

    def give_back(self, piece: Piece) -> None:
        """Take back a piece that nobody has hashed; what lies above the limit is forgotten."""
        if self._limit is not None:
            extra_nonce, nonce = self._limit
            if piece.extra_nonce > extra_nonce:
                return
            if piece.extra_nonce == extra_nonce:
                piece = piece._replace(size=min(piece.size, nonce - piece.start))
        if piece.size > 0:
            heappush(self._returned, piece)

    def close(self, extra_nonce: int, nonce: int) -> None:
        """From now on hand out only what has come back, and of that only what lies below this nonce."""
        self._limit = extra_nonce, nonce
        returned, self._returned = self._returned, []
        for piece in returned:
            self.give_back(piece)

    @property
    def has_returned(self) -> bool:
        """Whether something that came back waits to be handed out."""
        return bool(self._returned)
