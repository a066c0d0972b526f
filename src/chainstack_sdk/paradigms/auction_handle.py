"""Auction platforms as Python objects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chainstack_sdk.paradigms.auction import AuctionPlatform
from chainstack_sdk.paradigms.auction_terms import Listing
from chainstack_sdk.paradigms.erc721_handle import Erc721Token
from chainstack_sdk.paradigms.instance import Instance, InstanceApi
from chainstack_sdk.primitives.address import AddressLike

if TYPE_CHECKING:
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.paradigms.template import Paradigm
    from chainstack_sdk.primitives.keys import Signer


class AuctionHandle(Instance):
    """An auction platform on a chain.

    Prices are in wei, times in seconds. Whoever is named ``sender`` signs the transaction and pays its fee. A
    transaction that the platform refuses raises :class:`~chainstack_sdk.primitives.errors.Reverted` with the
    reason, such as ``BidTooLow(id=1, least=100, value=99)``.
    """

    def __init__(
        self, host: ContractHost, address: AddressLike, paradigm: type[Paradigm] = AuctionPlatform
    ) -> None:
        super().__init__(host, address, paradigm)

    # Questions

    @cached_property
    def collection(self) -> Erc721Token:
        """The collection whose tokens are sold here."""
        return Erc721Token(self.host, bytes(self.read("collection")))

    @cached_property
    def commission(self) -> int:
        """What the platform keeps of a price, in basis points: 250 are 2.5 %."""
        return int(self.read("commission"))

    def commission_on(self, price: int) -> int:
        """Return what the platform keeps of a price, in wei, rounded down."""
        return int(self.read("commissionOn", price))

    def commission_recipient(self) -> bytes:
        """Return who gets the commission, 20 bytes."""
        return bytes(self.read("commissionRecipient"))

    def listings_paused(self) -> bool:
        """Tell whether new listings are stopped."""
        return bool(self.read("listingsPaused"))

    def owner(self) -> bytes:
        """Return the owner of the platform, 20 bytes."""
        return bytes(self.read("owner"))

    def listing_count(self) -> int:
        """Return how many listings there have been; their numbers are 1 to this."""
        return int(self.read("listingCount"))

    def listing(self, number: int, *, block: int | None = None) -> Listing:
        """Return everything about a listing, at a block or now."""
        return Listing.from_values(self.read("listing", number, block=block))

    def listings(self, first: int = 1, count: int = 100) -> list[Listing]:
        """Return a page of listings by number, at most 100; fewer at the end."""
        return [Listing.from_values(values) for values in self.read("listings", first, count)]

    def listing_of(self, token_id: int) -> Listing | None:
        """Return a token's newest listing, open or not; None when it never was listed."""
        number = int(self.read("listingOf", token_id))
        return self.listing(number) if number else None

    def price_of(self, number: int, *, block: int | None = None) -> int:
        """Return the least bid in wei at the time of a block, by default the newest.

        Raises
        ------
        Reverted
            When the listing is closed or its time is up.
        """
        return int(self.read("priceOf", number, block=block))

    def is_biddable(self, number: int) -> bool:
        """Tell whether a bid that is high enough would be taken: open, in time, and not void."""
        return bool(self.read("biddable", number))

    def owed(self, who: AddressLike) -> int:
        """Return what a contract may withdraw, in wei; accounts are paid at once."""
        return int(self.read("owed", who))

    # Transactions

    def list_dutch(
        self, sender: Signer, token_id: int, *, start: int, floor: int, duration: int = 0
    ) -> Listing:
        """List a token at a falling price.

        Parameters
        ----------
        sender
            Who owns the token, and has given the platform the right to trade it.
        start, floor
            Prices in wei, from 1 to 2^128 - 1.
        duration
            Seconds from the start price to the floor; 0 for the platform's default.
        """
        return self._listed(self.send(sender, "list", token_id, start, floor, duration), "DutchListed")

    def list_english(
        self, sender: Signer, token_id: int, *, reserve: int, increment: int, duration: int = 0
    ) -> Listing:
        """List a token for rising bids.

        Parameters
        ----------
        sender
            Who owns the token, and has given the platform the right to trade it.
        reserve, increment
            The least first bid, and by how much each further one is higher at least, in wei: from 1 to
            2^128 - 1.
        duration
            Seconds; 0 for the platform's default.
        """
        receipt = self.send(sender, "listEnglish", token_id, reserve, increment, duration)
        return self._listed(receipt, "EnglishListed")

    def bid(self, sender: Signer, number: int, amount: int | None = None) -> Receipt:
        """Bid for a listing.

        Parameters
        ----------
        amount
            Wei; by default the least that is enough now. More than a Dutch price comes back at once.
        """
        value = self.price_of(number) if amount is None else amount
        return self.send(sender, "bid", number, value=value)

    def settle(self, sender: Signer, number: int) -> Receipt:
        """Hand out token and coin of an English auction whose time is up; anybody may."""
        return self.send(sender, "settle", number)

    def cancel(self, sender: Signer, number: int) -> Receipt:
        """Take a listing without bids back; the seller may."""
        return self.send(sender, "cancel", number)

    def abandon(self, sender: Signer, number: int) -> Receipt:
        """Take the winning bid back, when nobody could settle for a week; the winner may."""
        return self.send(sender, "abandon", number)

    def withdraw(self, sender: Signer, to: AddressLike | None = None) -> Receipt:
        """Have what the sender is owed paid to an account, by default the sender."""
        return self.send(sender, "withdraw", sender.address if to is None else to)

    def set_commission_recipient(self, sender: Signer, recipient: AddressLike) -> Receipt:
        """Name who gets the commission; the platform's owner may."""
        return self.send(sender, "setCommissionRecipient", recipient)

    def pause_listings(self, sender: Signer, paused: bool = True) -> Receipt:
        """Stop new listings, or allow them again; the platform's owner may."""
        return self.send(sender, "pauseListings", paused)

    def transfer_ownership(self, sender: Signer, to: AddressLike) -> Receipt:
        """Pass the role of the platform's owner on."""
        return self.send(sender, "transferOwnership", to)

    def renounce_ownership(self, sender: Signer) -> Receipt:
        """Give the role of the platform's owner up for ever."""
        return self.send(sender, "renounceOwnership")

    def _listed(self, receipt: Receipt, event: str) -> Listing:
        topic = self.topic(event)
        numbers = [log.topics[1] for log in receipt.logs if log.topics[0] == topic]
        return self.listing(int.from_bytes(numbers[0], "big"))


class AuctionApi(InstanceApi[AuctionHandle]):
    """Issues and finds auction platforms: ``AuctionApi(chain)``."""

    def __init__(self, host: ContractHost) -> None:
        super().__init__(host, AuctionPlatform, AuctionHandle)

    def issue(
        self,
        sender: Signer,
        collection: AddressLike,
        *,
        commission: int = 0,
        commission_recipient: AddressLike | None = None,
        default_duration: int = 24 * 3600,
        floor_time: int = 24 * 3600,
        extension: int = 0,
        owner: AddressLike | None = None,
        gas: int | None = None,
    ) -> AuctionHandle:
        """Issue a platform bound to a collection by one transaction.

        Parameters
        ----------
        sender
            Who signs and pays.
        collection
            The ERC-721 contract whose tokens are to be sold.
        commission
            What the platform keeps of a price, in basis points: 250 are 2.5 %.
        commission_recipient
            Who gets it; by default the owner.
        default_duration
            Seconds, for listings that name no duration.
        floor_time
            Seconds for which a Dutch listing stays at its floor after the fall.
        extension
            A bid within so many seconds before the end of an English auction moves the end to as many seconds
            after the bid; 0: the end stands.
        owner
            Who may stop new listings and name another recipient; by default the sender.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the config does not fit.
        Reverted
            When the chain refuses: ``InvalidCollection`` when no ERC-721 contract is at the address.
        """
        owner = sender.address if owner is None else owner
        config = {
            "collection": collection,
            "commission": commission,
            "commission_recipient": owner if commission_recipient is None else commission_recipient,
            "default_duration": default_duration,
            "floor_time": floor_time,
            "extension": extension,
            "owner": owner,
        }
        return self._issue(sender, config, gas)
