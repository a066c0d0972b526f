"""Auction platforms: one transaction issues a platform bound to one ERC-721 collection.

A seller gives the platform the right to trade a token (``approve`` or ``setApprovalForAll`` of the
collection) and lists it.

- *Dutch*, the default: the price falls in a straight line from the start price to the floor, stays there for
  the platform's ``floor_time``, and the first bid that reaches it wins at once. What was paid above the price
  goes back in the same transaction.
- *English*: bids rise from the reserve by at least the increment; each sends the one before back. From the
  second after the end on, anybody may :meth:`~AuctionPlatform.settle`.

**Where the token is.** It stays with its owner until somebody puts coin on the table: a Dutch sale moves it
from the seller to the buyer, and the first bid of an English auction moves it to the platform, so that the
seller cannot back out of a bid. A listing whose seller has moved the token, or has taken the trading right
back, is *void*: bids on it are refused, and nothing else happens. It is good again when token and right are
back before its time is up, unless the token was listed anew.

**Who can hold up whom.** Nobody is paid by running code of theirs: coin for an account goes straight there,
coin for a contract (a refund, proceeds, commission) is noted as owed, and the contract withdraws it. The
winner of an English auction is not asked whether it takes the token. If the collection itself refuses to
move it for a week after the end, the winner may take the bid back (:meth:`~AuctionPlatform.abandon`); until
then anybody's :meth:`~AuctionPlatform.settle` does what was agreed.

**Coin.** At every moment the platform holds exactly the highest bids of the unsettled English auctions and
what it owes.

**Caveats**

- A contract that sells, bids or gets commission must be able to call ``withdraw``, and one that wins an
  English auction must be able to move the token.
- The seller may not bid, under that address. Nothing on a chain tells whose another address is.
- A collection decides alone who owns what. One that lies cheats those who trade its tokens, not the coin of
  others: all platform functions that move anything are locked against each other while it runs.
- A token that is sent to the platform without having been sold is lost.
- Seconds are those of the blocks: whoever makes them decides which of two bids comes first.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.paradigms.auction_collection import belongs_to, hand_over, is_collection, may_move, move
from chainstack_sdk.paradigms.auction_owner import AuctionOwner
from chainstack_sdk.paradigms.auction_terms import (
    ABANDON_AFTER,
    BASIS_POINTS,
    MAX_DURATION,
    PRICE_LIMIT,
    AuctionKind,
    Listing,
    ListingStatus,
    commission_of,
)
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from chainstack_sdk.core.call import Call

_LOCK = slot(0)
_FREE, _TAKEN = 1, 2


class AuctionPlatform(AuctionOwner):
    """The auction paradigm.

    Config: ``collection``, the ERC-721 contract; ``commission`` in basis points and its first
    ``commission_recipient``; ``default_duration``, ``floor_time`` and ``extension`` in seconds; ``owner``,
    who may stop new listings and name another recipient; the rate of the commission is fixed.
    """

    name = "auction"
    constructor = (
        "constructor(address collection, uint16 commission, address commission_recipient, "
        "uint64 default_duration, uint64 floor_time, uint64 extension, address owner)"
    )
    owner_slot = slot(1)

    DutchListed = event(
        "event DutchListed(uint256 indexed id, uint256 indexed tokenId, address indexed seller, "
        "uint256 startPrice, uint256 floorPrice, uint256 duration, uint256 ends)"
    )
    EnglishListed = event(
        "event EnglishListed(uint256 indexed id, uint256 indexed tokenId, address indexed seller, "
        "uint256 reserve, uint256 increment, uint256 ends)"
    )
    BidPlaced = event(
        "event BidPlaced(uint256 indexed id, address indexed bidder, uint256 amount, uint256 ends)"
    )
    BidAbandoned = event("event BidAbandoned(uint256 indexed id, address indexed bidder, uint256 amount)")
    Sold = event(
        "event Sold(uint256 indexed id, uint256 indexed tokenId, address indexed buyer, address seller, "
        "uint256 price, uint256 commission)"
    )
    Cancelled = event("event Cancelled(uint256 indexed id, uint256 indexed tokenId)")
    Withdrawn = event("event Withdrawn(address indexed account, address indexed to, uint256 amount)")

    InvalidCollection = error("error InvalidCollection(address collection)")
    InvalidCommission = error("error InvalidCommission(uint256 basisPoints)")
    InvalidDuration = error("error InvalidDuration(uint256 duration)")
    InvalidPrices = error("error InvalidPrices(uint256 first, uint256 second)")
    NewListingsPaused = error("error NewListingsPaused()")
    NotTokenOwner = error("error NotTokenOwner(uint256 tokenId, address account)")
    NoTradingRight = error("error NoTradingRight(uint256 tokenId)")
    AlreadyListed = error("error AlreadyListed(uint256 tokenId, uint256 id)")
    ListingVoid = error("error ListingVoid(uint256 id)")
    ListingRunning = error("error ListingRunning(uint256 id, uint256 until)")
    BidTooLow = error("error BidTooLow(uint256 id, uint256 least, uint256 value)")
    BidTooHigh = error("error BidTooHigh(uint256 id, uint256 value)")
    SellerMayNotBid = error("error SellerMayNotBid(uint256 id)")
    NotSeller = error("error NotSeller(uint256 id, address account)")
    NotBidder = error("error NotBidder(uint256 id, address account)")
    HasBid = error("error HasBid(uint256 id)")
    NoBid = error("error NoBid(uint256 id)")
    NothingOwed = error("error NothingOwed(address account)")
    TransferRefused = error("error TransferRefused(uint256 tokenId)")
    Reentered = error("error Reentered()")

    @classmethod
    def config_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the config."""
        from chainstack_sdk.paradigms.auction_config import AuctionConfig

        return AuctionConfig

    def create(self, call: Call) -> None:
        """Check the config, set the owner and the recipient of the commission."""
        config = self.config
        call.require(config.commission <= BASIS_POINTS, self.InvalidCommission, config.commission)
        for duration, least in (config.default_duration, 1), (config.floor_time, 0), (config.extension, 0):
            call.require(least <= duration <= MAX_DURATION, self.InvalidDuration, duration)
        call.require(is_collection(call, config.collection), self.InvalidCollection, config.collection)
        self.set_first_owner(call, config.owner)
        self.name_recipient(call, config.commission_recipient)
        call.store(_LOCK, _FREE)

    # Selling

    @external(
        "function list(uint256 tokenId, uint128 startPrice, uint128 floorPrice, uint64 duration) "
        "returns (uint256 id)"
    )
    def list_dutch(self, call: Call, token_id: int, start: int, floor: int, duration: int) -> int:
        """List a token at a price that falls from start to floor within so many seconds.

        The caller owns the token and has given the platform the right to trade it. Duration 0 is the
        platform's default. Prices are above 0; start and floor may be the same.
        """
        call.require(start >= floor > 0, self.InvalidPrices, start, floor)
        listing = self._list(call, AuctionKind.DUTCH, token_id, start, floor, duration)
        times = listing.duration, listing.ends
        call.emit(self.DutchListed, listing.id, token_id, call.caller, start, floor, *times)
        return listing.id

    @external(
        "function listEnglish(uint256 tokenId, uint128 reserve, uint128 increment, uint64 duration) "
        "returns (uint256 id)"
    )
    def list_english(self, call: Call, token_id: int, reserve: int, increment: int, duration: int) -> int:
        """List a token for rising bids: the first at the reserve, each further at least an increment more.

        The caller owns the token and has given the platform the right to trade it. Duration 0 is the
        platform's default. Reserve and increment are above 0.
        """
        call.require(reserve > 0 < increment, self.InvalidPrices, reserve, increment)
        listing = self._list(call, AuctionKind.ENGLISH, token_id, reserve, increment, duration)
        call.emit(self.EnglishListed, listing.id, token_id, call.caller, reserve, increment, listing.ends)
        return listing.id

    @external("function cancel(uint256 id)")
    def cancel(self, call: Call, number: int) -> None:
        """Take a listing back; for the seller, as long as nobody has bid."""
        with self._alone(call):
            listing = self.find_open(call, number)
            call.require(call.caller == listing.seller, self.NotSeller, number, call.caller)
            call.require(listing.status is ListingStatus.OPEN, self.HasBid, number)
            self._cancel(call, listing)

    # Buying

    @external("function bid(uint256 id) payable")
    def bid(self, call: Call, number: int) -> None:
        """Bid the coin that comes along: buys at once what is listed Dutch, leads what is listed English."""
        with self._alone(call):
            listing = self.find_running(call, number)
            call.require(call.caller != listing.seller, self.SellerMayNotBid, number)
            least = listing.price_at(call.block.timestamp)
            call.require(call.value >= least, self.BidTooLow, number, least, call.value)
            if listing.status is ListingStatus.OPEN:
                call.require(self.is_deliverable(call, listing), self.ListingVoid, number)
            if listing.kind is AuctionKind.DUTCH:
                self._buy(call, listing, least)
            else:
                self._lead(call, listing)

    @external("function settle(uint256 id)")
    def settle(self, call: Call, number: int) -> None:
        """Hand out token and coin of an English auction whose time is up; for anybody.

        A token whose winner has given up on it goes back to the seller.
        """
        with self._alone(call):
            listing = self.find_open(call, number)
            call.require(listing.status is ListingStatus.HELD, self.NoBid, number)
            call.require(call.block.timestamp > listing.ends, self.ListingRunning, number, listing.ends)
            if listing.bidder == ZERO_ADDRESS:
                self._cancel(call, listing)
                self._move(call, listing.token_id, call.address, listing.seller)
            else:
                self.change(call, listing, replace(listing, status=ListingStatus.SOLD))
                self._move(call, listing.token_id, call.address, listing.bidder)
                self._share_out(call, listing, listing.bidder, listing.amount)

    @external("function abandon(uint256 id)")
    def abandon(self, call: Call, number: int) -> None:
        """Take the winning bid of an English auction back, when nobody could settle it for a week."""
        with self._alone(call):
            listing = self.find_open(call, number)
            call.require(listing.status is ListingStatus.HELD, self.NoBid, number)
            call.require(call.caller == listing.bidder, self.NotBidder, number, call.caller)
            until = listing.ends + ABANDON_AFTER
            call.require(call.block.timestamp > until, self.ListingRunning, number, until)
            self.change(call, listing, replace(listing, bidder=ZERO_ADDRESS, amount=0))
            self.pay(call, listing.bidder, listing.amount)
            call.emit(self.BidAbandoned, number, listing.bidder, listing.amount)

    @external("function withdraw(address to) returns (uint256)")
    def withdraw(self, call: Call, to: bytes) -> int:
        """Pay what the caller is owed to an account, or to a contract that takes plain payments."""
        with self._alone(call):
            call.require(to != ZERO_ADDRESS, self.InvalidRecipient, to)
            amount = self.take_owed(call, call.caller)
            call.require(amount, self.NothingOwed, call.caller)
            call.call(to, b"", amount)
            call.emit(self.Withdrawn, call.caller, to, amount)
        return amount

    # Inside

    @contextmanager
    def _alone(self, call: Call) -> Iterator[None]:
        """Lock the platform's functions; what reverts in between undoes the lock too."""
        call.require(call.load(_LOCK) == _FREE, self.Reentered)
        call.store(_LOCK, _TAKEN)
        yield
        call.store(_LOCK, _FREE)

    def _list(
        self, call: Call, kind: AuctionKind, token_id: int, first: int, second: int, duration: int
    ) -> Listing:
        config, seller, now = self.config, call.caller, call.block.timestamp
        call.require(not self.listings_paused(call), self.NewListingsPaused)
        duration = duration or config.default_duration
        call.require(duration <= MAX_DURATION, self.InvalidDuration, duration)
        ends = now + duration + (config.floor_time if kind is AuctionKind.DUTCH else 0)
        with self._alone(call):
            place = config.collection, token_id, seller
            call.require(belongs_to(call, *place), self.NotTokenOwner, token_id, seller)
            call.require(may_move(call, *place), self.NoTradingRight, token_id)
            self._clear(call, token_id)
            number = self.listing_count(call) + 1
            terms = now, duration, ends, first, second
            listing = Listing(number, token_id, seller, kind, ListingStatus.OPEN, *terms, ZERO_ADDRESS, 0)
            self.enter(call, listing)
        return listing

    def _clear(self, call: Call, token_id: int) -> None:
        """Close what is left of an earlier listing: its time is up, or it was that of another owner."""
        number = self.listing_of(call, token_id)
        if not number:
            return
        before = self.find(call, number)
        if before.is_open:
            over = before.seller != call.caller or call.block.timestamp > before.ends
            replaceable = before.status is ListingStatus.OPEN and over
            call.require(replaceable, self.AlreadyListed, token_id, number)
            self._cancel(call, before)

    def _cancel(self, call: Call, listing: Listing) -> None:
        self.change(call, listing, replace(listing, status=ListingStatus.CANCELLED))
        call.emit(self.Cancelled, listing.id, listing.token_id)

    def _buy(self, call: Call, listing: Listing, price: int) -> None:
        buyer, token_id = call.caller, listing.token_id
        self.change(call, listing, replace(listing, status=ListingStatus.SOLD, bidder=buyer, amount=price))
        left = hand_over(call, self.config.collection, token_id, listing.seller, buyer)
        call.require(left, self.TransferRefused, token_id)
        self._share_out(call, listing, buyer, price)
        self.pay(call, buyer, call.value - price)

    def _lead(self, call: Call, listing: Listing) -> None:
        number, bidder, amount = listing.id, call.caller, call.value
        call.require(amount < PRICE_LIMIT, self.BidTooHigh, number, amount)
        ends, late = listing.ends, call.block.timestamp + self.config.extension
        ends = max(ends, late)
        status = ListingStatus.HELD
        self.change(call, listing, replace(listing, status=status, bidder=bidder, amount=amount, ends=ends))
        if listing.status is ListingStatus.OPEN:
            self._move(call, listing.token_id, listing.seller, call.address)
        self.pay(call, listing.bidder, listing.amount)
        call.emit(self.BidPlaced, number, bidder, amount, ends)

    def _move(self, call: Call, token_id: int, owner: bytes, to: bytes) -> None:
        arrived = move(call, self.config.collection, token_id, owner, to)
        call.require(arrived, self.TransferRefused, token_id)

    def _share_out(self, call: Call, listing: Listing, buyer: bytes, price: int) -> None:
        commission = commission_of(price, self.config.commission)
        self.pay(call, listing.seller, price - commission)
        self.pay(call, self.commission_recipient(call), commission)
        call.emit(self.Sold, listing.id, listing.token_id, buyer, listing.seller, price, commission)
