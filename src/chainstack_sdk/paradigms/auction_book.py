"""The book of an auction platform: where listings and credits are kept, and the questions about them.

====  =================================================================================
Slot  Value
====  =================================================================================
0     lock: 1 free, 2 taken
1     owner of the platform
2     recipient of the commission
3     whether new listings are stopped
4     number of listings so far
5     listings: mapping from number; see :mod:`~chainstack_sdk.paradigms.auction_terms`
6     number of a token's newest listing: mapping from token
7     wei owed: mapping from address
====  =================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import MappingSlots, following, mapping_slot, slot
from chainstack_sdk.paradigms.auction_collection import belongs_to, may_move
from chainstack_sdk.paradigms.auction_terms import (
    LISTING_TYPE,
    WORDS,
    Listing,
    ListingStatus,
    commission_of,
)
from chainstack_sdk.paradigms.template import Paradigm

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

MAX_PAGE: Final = 100
"""The most listings that one question returns."""

_RECIPIENT = slot(2)
_PAUSED = slot(3)
_COUNT = slot(4)
_LISTINGS = slot(5)
_NEWEST = slot(6)
_OWED = MappingSlots(7)


class AuctionBook(Paradigm):
    """Mixin of the platform: its storage, its views, and coin that waits to be fetched."""

    Credited = event("event Credited(address indexed account, uint256 amount)")
    NoSuchListing = error("error NoSuchListing(uint256 id)")
    ListingClosed = error("error ListingClosed(uint256 id)")
    ListingEnded = error("error ListingEnded(uint256 id, uint256 ends)")

    # Questions

    @external("function collection() view returns (address)")
    def collection(self, call: Call) -> bytes:
        """Return the ERC-721 contract whose tokens are sold here."""
        return bytes(self.config.collection)

    @external("function commission() view returns (uint256)")
    def commission(self, call: Call) -> int:
        """Return what the platform keeps of a price, in basis points."""
        return int(self.config.commission)

    @external("function commissionOn(uint256 price) view returns (uint256)")
    def commission_on(self, call: Call, price: int) -> int:
        """Return what the platform keeps of a price, in wei, rounded down."""
        return commission_of(price, self.config.commission)

    @external("function commissionRecipient() view returns (address)")
    def commission_recipient(self, call: Call) -> bytes:
        """Return who gets the commission."""
        return call.load(_RECIPIENT).to_bytes(20, "big")

    @external("function listingsPaused() view returns (bool)")
    def listings_paused(self, call: Call) -> bool:
        """Tell whether new listings are stopped."""
        return bool(call.load(_PAUSED))

    @external(f"function listing(uint256 id) view returns ({LISTING_TYPE} found)")
    def listing(self, call: Call, number: int) -> tuple[Any, ...]:
        """Return everything about a listing."""
        return self.find(call, number).values()

    @external("function listingCount() view returns (uint256)")
    def listing_count(self, call: Call) -> int:
        """Return how many listings there have been; their numbers are 1 to this."""
        return call.load(_COUNT)

    @external(f"function listings(uint256 first, uint256 count) view returns ({LISTING_TYPE}[] page)")
    def listings(self, call: Call, first: int, count: int) -> list[tuple[Any, ...]]:
        """Return listings by number from ``first`` on: ``count``, at most 100, or as many as there are."""
        first = max(first, 1)
        end = min(call.load(_COUNT) + 1, first + min(count, MAX_PAGE))
        return [self.find(call, number).values() for number in range(first, end)]

    @external("function listingOf(uint256 tokenId) view returns (uint256)")
    def listing_of(self, call: Call, token_id: int) -> int:
        """Return the number of a token's newest listing, open or not; 0 when it never was listed."""
        return call.load(_newest_slot(token_id))

    @external("function priceOf(uint256 id) view returns (uint256)")
    def price_of(self, call: Call, number: int) -> int:
        """Return the least bid that wins or leads now, in wei; refuses when bids are over.

        Whether the seller can still deliver is not looked at: see :meth:`is_biddable`.
        """
        listing = self.find_running(call, number)
        return listing.price_at(call.block.timestamp)

    @external("function biddable(uint256 id) view returns (bool)")
    def is_biddable(self, call: Call, number: int) -> bool:
        """Tell whether a bid that is high enough would be taken: open, in time, and not void."""
        listing = self.find(call, number)
        if not listing.is_open or call.block.timestamp > listing.ends:
            return False
        return listing.status is ListingStatus.HELD or self.is_deliverable(call, listing)

    @external("function owed(address account) view returns (uint256)")
    def owed(self, call: Call, account: bytes) -> int:
        """Return what an account may withdraw, in wei."""
        return call.load(_OWED[account])

    # For the platform

    def find(self, call: Call, number: int) -> Listing:
        """Return a listing.

        Raises
        ------
        Reverted
            ``NoSuchListing``.
        """
        call.require(1 <= number <= call.load(_COUNT), self.NoSuchListing, number)
        base = mapping_slot(_LISTINGS, number)
        return Listing.from_words(number, [call.load(following(base, at)) for at in range(WORDS)])

    def find_open(self, call: Call, number: int) -> Listing:
        """Return a listing that is neither sold nor cancelled.

        Raises
        ------
        Reverted
            ``NoSuchListing``, ``ListingClosed``.
        """
        listing = self.find(call, number)
        call.require(listing.is_open, self.ListingClosed, number)
        return listing

    def find_running(self, call: Call, number: int) -> Listing:
        """Return a listing that is open and whose time is not up.

        Raises
        ------
        Reverted
            ``NoSuchListing``, ``ListingClosed``, ``ListingEnded``.
        """
        listing = self.find_open(call, number)
        call.require(call.block.timestamp <= listing.ends, self.ListingEnded, number, listing.ends)
        return listing

    def is_deliverable(self, call: Call, listing: Listing) -> bool:
        """Tell whether the seller of an open listing still owns the token and lets the platform trade it."""
        place = self.config.collection, listing.token_id, listing.seller
        return belongs_to(call, *place) and may_move(call, *place)

    def enter(self, call: Call, listing: Listing) -> None:
        """Write a new listing, the newest of its token."""
        call.store(_COUNT, listing.id)
        call.store(_newest_slot(listing.token_id), listing.id)
        self._write(call, listing, (0,) * WORDS)

    def change(self, call: Call, before: Listing, after: Listing) -> None:
        """Write what has changed of a listing."""
        self._write(call, after, before.words())

    def set_recipient(self, call: Call, recipient: bytes) -> None:
        """Write who gets the commission."""
        call.store(_RECIPIENT, int.from_bytes(recipient, "big"))

    def set_paused(self, call: Call, paused: bool) -> None:
        """Write whether new listings are stopped."""
        call.store(_PAUSED, int(paused))

    def pay(self, call: Call, to: bytes, amount: int) -> None:
        """Pay an account, or note for a contract what it is owed: paying never runs a contract's code."""
        if not amount:
            return
        if call.is_contract(to):
            call.store(_OWED[to], call.load(_OWED[to]) + amount)
            call.emit(self.Credited, to, amount)
        else:
            call.transfer(to, amount)

    def take_owed(self, call: Call, account: bytes) -> int:
        """Return what an account is owed, which is nothing from then on."""
        amount = call.load(_OWED[account])
        call.store(_OWED[account], 0)
        return amount

    def _write(self, call: Call, listing: Listing, before: tuple[int, ...]) -> None:
        base = mapping_slot(_LISTINGS, listing.id)
        for at, (old, new) in enumerate(zip(before, listing.words(), strict=True)):
            if old != new:
                call.store(following(base, at), new)


def _newest_slot(token_id: int) -> bytes:
    return mapping_slot(_NEWEST, token_id)
