"""What the owner of an auction platform may do: stop new listings, name who gets the commission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.paradigms.auction_book import AuctionBook
from chainstack_sdk.paradigms.ownable import Ownable
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call


class AuctionOwner(AuctionBook, Ownable):
    """Mixin of the platform: an owner, whose only say in running listings is who gets the commission."""

    CommissionRecipientSet = event(
        "event CommissionRecipientSet(address indexed previous, address indexed recipient)"
    )
    ListingsPaused = event("event ListingsPaused(bool paused)")

    InvalidRecipient = error("error InvalidRecipient(address recipient)")

    @external("function setCommissionRecipient(address recipient)")
    def set_commission_recipient(self, call: Call, recipient: bytes) -> None:
        """Name who gets the commission from now on; for the owner only."""
        self.only_owner(call)
        self.name_recipient(call, recipient)

    @external("function pauseListings(bool paused)")
    def pause_listings(self, call: Call, paused: bool) -> None:
        """Stop new listings, or allow them again; for the owner only. Running ones go on."""
        self.only_owner(call)
        self.set_paused(call, paused)
        call.emit(self.ListingsPaused, paused)

    @external("function owner() view returns (address)")
    def owner(self, call: Call) -> bytes:
        """Return the platform's owner; the zero address when the role has been given up."""
        return super().owner(call)

    @external("function transferOwnership(address newOwner)")
    def transfer_ownership(self, call: Call, new_owner: bytes) -> None:
        """Pass the role to another account."""
        super().transfer_ownership(call, new_owner)

    @external("function renounceOwnership()")
    def renounce_ownership(self, call: Call) -> None:
        """Give the role up for ever."""
        super().renounce_ownership(call)

    def name_recipient(self, call: Call, recipient: bytes) -> None:
        """Write who gets the commission: anybody but nobody and the platform itself."""
        known = recipient not in (ZERO_ADDRESS, call.address)
        call.require(known, self.InvalidRecipient, recipient)
        call.emit(self.CommissionRecipientSet, self.commission_recipient(call), recipient)
        self.set_recipient(call, recipient)
