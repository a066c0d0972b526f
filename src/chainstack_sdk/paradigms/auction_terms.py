"""What an auction is about: a listing, what must be bid for it at which time, and what the platform keeps.

Nothing here touches a chain: the platform's contract and the handles work with the same rules.

**Rounding.** The price of a Dutch listing falls by ``(start - floor) * elapsed // duration``: the price is
rounded up to a whole wei, is the start price in the first second and exactly the floor after ``duration``.
The commission is ``price * basis points // 10,000``: rounded down, so that the seller has what is left over.

Four 32-byte words and the highest bidder are what a listing takes in storage, packed as Solidity packs the
members of a struct, the first in the lowest bits:

====  ====================================================================================
Word  Members
====  ====================================================================================
0     ``uint256 tokenId``
1     ``address seller, uint8 kind, uint8 status, uint64 begins``
2     ``uint128 firstPrice, uint128 secondPrice``
3     ``uint64 duration, uint64 ends, uint128 amount``
4     ``address bidder``
====  ====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Self

from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence

BASIS_POINTS: Final = 10_000
"""Parts of a price that make the whole: a commission of 250 is 2.5 %."""
MAX_DURATION: Final = 366 * 24 * 3600
"""The longest that any period of a platform or a listing may take, in seconds: a leap year."""
PRICE_LIMIT: Final = 1 << 128
"""Prices and bids, in wei, are below this."""
ABANDON_AFTER: Final = 7 * 24 * 3600
"""Seconds after the end in which anybody may settle before the winner may give up on the token."""
WORDS: Final = 5
"""Words of a listing in storage."""

LISTING_TYPE: Final = (
    "(uint256 id, uint256 tokenId, address seller, uint8 kind, uint8 status, uint64 begins, uint64 duration, "
    "uint64 ends, uint128 firstPrice, uint128 secondPrice, address bidder, uint128 amount)"
)
"""A listing in the contract ABI; the order of the members is that of :class:`Listing`."""

_ADDRESS = (1 << 160) - 1
_U128 = (1 << 128) - 1
_U64 = (1 << 64) - 1
_U8 = 0xFF


class AuctionKind(IntEnum):
    """How a price is found."""

    DUTCH = 0
    """The price falls; the first bid that reaches it wins at once."""
    ENGLISH = 1
    """Bids rise; the highest wins when the time is up."""


class ListingStatus(IntEnum):
    """How far a listing has come."""

    OPEN = 1
    """No bid yet; the token is with its owner."""
    HELD = 2
    """English only: there was a bid; the platform holds the token."""
    SOLD = 3
    CANCELLED = 4
    """Taken back by the seller, replaced by a newer listing, or given up by the winner."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A token for sale, or once for sale."""

    id: int
    """From 1 on, in the order of listing."""
    token_id: int
    seller: bytes
    """Who owned the token and listed it, 20 bytes."""
    kind: AuctionKind
    status: ListingStatus
    begins: int
    """Unix time in seconds of the block with the listing."""
    duration: int
    """Seconds: in which a Dutch price falls; an English auction's, without extensions."""
    ends: int
    """Unix time in seconds; bids of this very second are still in time."""
    first_price: int
    """In wei: the start price of a Dutch listing, the reserve of an English one."""
    second_price: int
    """In wei: the floor of a Dutch listing, the least increment of an English one."""
    bidder: bytes
    """Who has bid most, or has bought, 20 bytes; zeros before."""
    amount: int
    """In wei: the highest bid, or the price that was paid; 0 before."""

    @property
    def is_open(self) -> bool:
        """Whether it is neither sold nor cancelled; its time may be up all the same."""
        return self.status in (ListingStatus.OPEN, ListingStatus.HELD)

    def price_at(self, now: int) -> int:
        """Return the least bid in wei.

        Parameters
        ----------
        now
            Unix time in seconds. Before the listing began the price is the start price, after the fall the
            floor. The price of an English auction does not depend on it.
        """
        if self.kind is AuctionKind.ENGLISH:
            return self.first_price if self.bidder == ZERO_ADDRESS else self.amount + self.second_price
        elapsed = min(max(now - self.begins, 0), self.duration)
        return self.first_price - (self.first_price - self.second_price) * elapsed // self.duration

    def words(self) -> tuple[int, ...]:
        """Return what is kept in storage: five integers of 32 bytes."""
        return (
            self.token_id,
            int.from_bytes(self.seller, "big") | self.kind << 160 | self.status << 168 | self.begins << 176,
            self.first_price | self.second_price << 128,
            self.duration | self.ends << 64 | self.amount << 128,
            int.from_bytes(self.bidder, "big"),
        )

    @classmethod
    def from_words(cls, number: int, words: Sequence[int]) -> Self:
        """Return the listing of a number from what :meth:`words` gave."""
        token_id, who, prices, times, bidder = words
        return cls(
            id=number,
            token_id=token_id,
            seller=(who & _ADDRESS).to_bytes(20, "big"),
            kind=AuctionKind(who >> 160 & _U8),
            status=ListingStatus(who >> 168 & _U8),
            begins=who >> 176,
            duration=times & _U64,
            ends=times >> 64 & _U64,
            first_price=prices & _U128,
            second_price=prices >> 128,
            bidder=bidder.to_bytes(20, "big"),
            amount=times >> 128,
        )

    def values(self) -> tuple[Any, ...]:
        """Return the members in the order of :data:`LISTING_TYPE`."""
        return tuple([getattr(self, name) for name in self.__slots__])

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Self:
        """Return a listing from its decoded members in the order of :data:`LISTING_TYPE`."""
        number, token_id, seller, kind, status, *rest = values
        return cls(number, token_id, seller, AuctionKind(kind), ListingStatus(status), *rest)


def commission_of(price: int, basis_points: int) -> int:
    """Return what the platform keeps of a price, in wei, rounded down."""
    return price * basis_points // BASIS_POINTS
