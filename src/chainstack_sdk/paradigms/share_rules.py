"""What may stand in the way of a share, and how lock-ups end: plain values and arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

BASIS_POINTS = 10_000
"""The whole."""
_MASK = (1 << 64) - 1


class Restriction(IntEnum):
    """Why a transfer is refused, as ERC-1404 counts: 0 when it is not.

    The first three are refusals of every ERC-20 token, which has errors of its own for them.
    """

    NONE = 0
    NO_ACCOUNT = 1
    PAUSED = 2
    INSUFFICIENT_BALANCE = 3
    SENDER_FROZEN = 4
    RECEIVER_FROZEN = 5
    NOT_LISTED = 6
    WINDOW_CLOSED = 7
    LOCKED = 8
    TOO_MANY_HOLDERS = 9
    ABOVE_SHARE = 10

    @property
    def message(self) -> str:
        """The reason in words."""
        return MESSAGES[self]


TOKEN_REFUSALS = (
    Restriction.NONE,
    Restriction.NO_ACCOUNT,
    Restriction.PAUSED,
    Restriction.INSUFFICIENT_BALANCE,
)
"""What is no matter of the rules of shares."""
MESSAGES = (
    "no restriction",
    "the zero address neither sends nor receives",
    "the token is paused",
    "more than the sender holds",
    "the sender is frozen",
    "the receiver is frozen",
    "the receiver is not on the list of holders",
    "outside of the transfer windows",
    "more than is unlocked",
    "there would be too many holders",
    "the receiver would hold too large a share",
)
"""By :class:`Restriction`."""
UNKNOWN_MESSAGE = "no such restriction"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock-up: of the first so many shares that an account holds. Times are Unix seconds.

    All is locked before the cliff, and nothing from the end on. In between it is released in a straight line
    that has begun at the start.
    """

    amount: int
    """In the token's smallest unit; 0 when there is no lock-up."""
    start: int
    cliff: int
    end: int

    @property
    def is_possible(self) -> bool:
        """Whether something is locked, and the times are in order."""
        return self.amount > 0 and self.start <= self.cliff <= self.end

    def locked_at(self, now: int) -> int:
        """Return how much is locked at a time, rounded up."""
        if now < self.cliff:
            return self.amount
        if now >= self.end:
            return 0
        return -(-self.amount * (self.end - now) // (self.end - self.start))

    @property
    def schedule(self) -> int:
        """The times in one word: start + cliff * 2^64 + end * 2^128."""
        return self.start | self.cliff << 64 | self.end << 128

    @classmethod
    def of(cls, amount: int, schedule: int) -> Self:
        """Return the lock-up of an amount with the times in one word."""
        return cls(amount, schedule & _MASK, schedule >> 64 & _MASK, schedule >> 128)
