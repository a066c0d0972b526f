"""An auction platform against a model in memory: whatever is listed, bid, moved away, settled, given up."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import Erc721, Paradigm, default_registry, external
from chainstack_sdk.paradigms.auction import AuctionPlatform
from chainstack_sdk.paradigms.auction_handle import AuctionApi
from chainstack_sdk.primitives.errors import Reverted
from chainstack_sdk.testing.fixed import accounts

PEOPLE = accounts(4)
FUNDS = 10**20
TOKENS = (1, 2, 3)
COMMISSION, FALL, REST, EXTENSION = 333, 60, 20, 15
WEEK = 7 * 24 * 3600
HOUSE = b"\x77" * 20
CODE = b"\xff" * 20
"""Stands in the model for a bidder that is a contract, which Alice moves."""
BUYERS = [*(account.address for account in PEOPLE), CODE]
ERRORS = {each.selector: each.name for each in (*AuctionPlatform.abi_errors, *Erc721.abi_errors)}

person = st.integers(0, len(PEOPLE) - 1)
buyer = st.sampled_from(BUYERS)
token = st.sampled_from(TOKENS)
any_place = st.integers(0, 1_000)
spans = st.integers(0, 90)
small = st.integers(0, 400)
extra = st.sampled_from([0, 0, 0, 1, 250, -1])


class Puppet(Paradigm):
    """A contract that bids."""

    name = "puppet"

    @external("function run(address to, bytes data) payable")
    def run(self, call, to, data):
        call.call(to, data, call.value)

    @external(
        "function onERC721Received(address operator, address from, uint256 tokenId, bytes data) "
        "returns (bytes4)"
    )
    def on_received(self, call, operator, sender, token_id, data):
        return bytes.fromhex("150b7a02")


class Refused(Exception):
    """What the model says a contract answers, by the name of the error."""


def refuse_if(condition, name):
    if condition:
        raise Refused(name)


@dataclass
class Sale:
    """A listing as the model has it."""

    dutch: bool
    token: int
    seller: bytes
    first: int
    second: int
    begins: int
    span: int
    ends: int
    state: str = "open"
    bids: list[tuple[bytes, int]] = field(default_factory=list)

    def least(self, now):
        if not self.dutch:
            return self.bids[-1][1] + self.second if self.bids else self.first
        passed = min(now - self.begins, self.span)
        # the price is the start less the part of the fall that is over, rounded up
        return -(-(self.first * (self.span - passed) + self.second * passed) // self.span)


class Model:
    """The rules of a platform in the simplest terms; coin that comes and goes, but for fees."""

    def __init__(self):
        self.sales: list[Sale] = []
        self.owner = dict.fromkeys(TOKENS, BUYERS[0])
        self.trusting: set[bytes] = set()
        self.coin: dict[bytes, int] = defaultdict(int)
        self.owed = 0

    def sale(self, number):
        refuse_if(not 1 <= number <= len(self.sales), "NoSuchListing")
        found = self.sales[number - 1]
        refuse_if(found.state in ("sold", "cancelled"), "ListingClosed")
        return found

    def list(self, now, who, dutch, token, first, second, span):
        refuse_if(not (first >= second > 0 if dutch else first > 0 < second), "InvalidPrices")
        refuse_if(self.owner[token] != who, "NotTokenOwner")
        refuse_if(who not in self.trusting, "NoTradingRight")
        for number, sale in enumerate(self.sales, 1):
            if sale.token == token and sale.state == "open":
                refuse_if(sale.seller == who and now <= sale.ends, "AlreadyListed")
                self.cancelled(number)
        span = span or FALL
        self.sales.append(Sale(dutch, token, who, first, second, now, span, now + span + REST * dutch))

    def bid(self, now, who, number, value):
        sale = self.sale(number)
        refuse_if(now > sale.ends, "ListingEnded")
        refuse_if(who == sale.seller, "SellerMayNotBid")
        refuse_if(value < sale.least(now), "BidTooLow")
        void = self.owner[sale.token] != sale.seller or sale.seller not in self.trusting
        refuse_if(sale.state == "open" and void, "ListingVoid")
        self.coin[who] -= value
        if sale.dutch:
            price = sale.least(now)
            sale.bids.append((who, price))
            self.pay(who, value - price)
            self.sold(sale)
            return
        if sale.bids:
            self.pay(*sale.bids[-1])
        sale.bids.append((who, value))
        sale.state, self.owner[sale.token] = "held", b""
        sale.ends = max(sale.ends, now + EXTENSION)

    def sold(self, sale):
        winner, price = sale.bids[-1]
        sale.state, self.owner[sale.token] = "sold", winner
        kept = price * COMMISSION // 10_000
        self.pay(sale.seller, price - kept)
        self.coin[HOUSE] += kept

    def settle(self, now, who, number):
        sale = self.sale(number)
        refuse_if(sale.state == "open", "NoBid")
        refuse_if(now <= sale.ends, "ListingRunning")
        if sale.state == "given up":
            self.cancelled(number)
            self.owner[sale.token] = sale.seller
        else:
            self.sold(sale)

    def abandon(self, now, who, number):
        sale = self.sale(number)
        refuse_if(sale.state == "open", "NoBid")
        refuse_if(sale.state == "given up" or sale.bids[-1][0] != who, "NotBidder")
        refuse_if(now <= sale.ends + WEEK, "ListingRunning")
        sale.state = "given up"
        self.pay(*sale.bids[-1])

    def cancel(self, now, who, number):
        sale = self.sale(number)
        refuse_if(who != sale.seller, "NotSeller")
        refuse_if(sale.state != "open", "HasBid")
        self.cancelled(number)

    def cancelled(self, number):
        self.sales[number - 1].state = "cancelled"

    def withdraw(self, now, who):
        refuse_if(who != CODE or not self.owed, "NothingOwed")
        self.coin[BUYERS[0]] += self.owed
        self.owed = 0

    def pay(self, who, amount):
        if who == CODE:
            self.owed += amount
        else:
            self.coin[who] += amount

    def held(self):
        return self.owed + sum(sale.bids[-1][1] for sale in self.sales if sale.state == "held")


class AuctionMachine(RuleBasedStateMachine):
    """Everybody may own, list and bid; a contract bids too."""

    def __init__(self):
        super().__init__()
        registry = default_registry()
        registry.add(Puppet)
        self.clock = ManualClock()
        operator = accounts(1, "operator")[0]
        funds = dict.fromkeys((*PEOPLE, operator), FUNDS)
        self.chain = Chain.in_memory(funds, registry=registry, clock=self.clock, auto_seal=True)
        self.art = self.chain.erc721.issue(operator, name="Art", symbol="ART")
        for number in TOKENS:
            self.art.mint(operator, PEOPLE[0], number)
        self.puppet = self.chain.paradigm("puppet").issue(operator)
        self.platform = AuctionApi(self.chain).issue(
            operator,
            self.art,
            commission=COMMISSION,
            commission_recipient=HOUSE,
            default_duration=FALL,
            floor_time=REST,
            extension=EXTENSION,
        )
        self.model = Model()
        self.fees = defaultdict(int)
        for who in range(3):  # the fourth never lets the platform trade, unless told to
            self.trust(who, True)
        self.offer(BUYERS[0], True, 1, (300, 20), 0)
        self.offer(BUYERS[0], False, 2, (100, 10), 40)

    # What can be done

    @rule(who=person, dutch=st.booleans(), token=token, prices=st.tuples(small, small), span=spans)
    def list(self, who, dutch, token, prices, span):
        self.offer(BUYERS[who], dutch, token, prices, span)

    @rule(dutch=st.booleans(), token=token, prices=st.tuples(small, small), span=spans)
    def list_own(self, dutch, token, prices, span):
        """As the owner would, at prices that make sense."""
        owner = self.model.owner[token]
        if owner in BUYERS[:4]:
            self.offer(owner, dutch, token, (max(prices) + 1, min(prices) + 1), span)

    def offer(self, who, dutch, token, prices, span):
        function = "list" if dutch else "listEnglish"
        self.act(who, function, (token, *prices, span), ("list", who, dutch, token, *prices, span))

    @rule(who=buyer, place=any_place, more=extra)
    def bid_on_anything(self, who, place, more):
        number = self.any_number(place)
        known = 1 <= number <= len(self.model.sales)
        value = max(self.model.sales[number - 1].least(self.now()) + more, 0) if known else 5
        self.act(who, "bid", (number,), ("bid", who, number, value), value)

    @precondition(lambda self: self.numbers("open", "held"))
    @rule(who=buyer, place=any_place, more=extra)
    def bid_on_what_is_open(self, who, place, more):
        numbers = self.numbers("open", "held")
        number = numbers[place % len(numbers)]
        value = self.model.sales[number - 1].least(self.now()) + more
        self.act(who, "bid", (number,), ("bid", who, number, value), value)

    @precondition(lambda self: self.numbers("held", "given up"))
    @rule(who=buyer, place=any_place, give_up=st.booleans())
    def end(self, who, place, give_up):
        """Wait for the end, or for a week more and let the winner give up."""
        numbers = self.numbers("held", "given up")
        number = numbers[place % len(numbers)]
        sale = self.model.sales[number - 1]
        patience = 1 + WEEK * give_up
        self.clock.set_ms(max(self.now(), sale.ends + patience) * 1_000)
        verb, who = ("abandon", sale.bids[-1][0]) if give_up else ("settle", who)
        self.act(who, verb, (number,), (verb, who, number))

    @rule(who=buyer, place=any_place, verb=st.sampled_from(["settle", "cancel", "abandon"]))
    def meddle(self, who, place, verb):
        number = self.any_number(place)
        self.act(who, verb, (number,), (verb, who, number))

    @precondition(lambda self: self.model.owed)
    @rule(who=st.sampled_from([CODE, BUYERS[1]]))
    def withdraw(self, who):
        self.act(who, "withdraw", (PEOPLE[0],), ("withdraw", who))

    def numbers(self, *states):
        return [number for number, sale in enumerate(self.model.sales, 1) if sale.state in states]

    def any_number(self, place):
        """Mostly one that there is, sometimes the one before the first or after the last."""
        return place % (len(self.model.sales) + 2)

    @rule(token=token, to=person)
    def move_away(self, token, to):
        owner = self.model.owner[token]
        if owner in BUYERS[:4]:
            account = PEOPLE[BUYERS.index(owner)]
            self.paid(account, self.art.transfer_from(account, account, PEOPLE[to], token))
            self.model.owner[token] = BUYERS[to]

    @rule(token=token, to=person)
    def hand_out(self, token, to):
        """What the contract has bought goes to somebody else."""
        if self.model.owner[token] == CODE:
            data = self.art.encode("transferFrom", self.puppet, PEOPLE[to], token)
            self.paid(PEOPLE[0], self.puppet.send(PEOPLE[0], "run", self.art, data))
            self.model.owner[token] = BUYERS[to]

    @rule(who=person, approved=st.booleans())
    def trust(self, who, approved):
        self.paid(PEOPLE[who], self.art.set_approval_for_all(PEOPLE[who], self.platform, approved))
        (self.model.trusting.add if approved else self.model.trusting.discard)(BUYERS[who])

    @rule(seconds=st.sampled_from([1, 5, 20, 40, 100]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    # What must hold

    @invariant()
    def coin_is_where_it_should_be(self):
        chain, model = self.chain, self.model
        assert chain.balance(self.platform) == model.held()
        assert self.platform.owed(self.puppet) == model.owed
        assert (chain.balance(HOUSE), chain.balance(self.puppet)) == (model.coin[HOUSE], 0)
        for account in PEOPLE:
            expected = FUNDS + model.coin[account.address] - self.fees[account.address]
            assert chain.balance(account) == expected

    @invariant()
    def tokens_are_where_they_should_be(self):
        for number, owner in self.model.owner.items():
            expected = {CODE: self.puppet.address, b"": self.platform.address}.get(owner, owner)
            assert self.art.owner_of(number) == expected

    @invariant()
    def the_book_says_the_same(self):
        now = self.chain.head.timestamp_ms // 1_000
        names = {"held": "HELD", "given up": "HELD", "sold": "SOLD", "cancelled": "CANCELLED", "open": "OPEN"}
        listings = self.platform.listings(1, 100)
        assert [each.status.name for each in listings] == [names[sale.state] for sale in self.model.sales]
        for listing, sale in zip(listings, self.model.sales, strict=True):
            assert (listing.ends, listing.seller) == (sale.ends, sale.seller)
            if sale.state in ("open", "held"):
                assert listing.price_at(now) == sale.least(now)

    def teardown(self):
        """When all is settled and withdrawn, the platform holds nothing."""
        self.clock.advance(100_000)
        for number, sale in enumerate(self.model.sales, 1):
            if sale.state in ("held", "given up"):
                self.act(BUYERS[1], "settle", (number,), ("settle", BUYERS[1], number))
        if self.model.owed:
            self.withdraw(CODE)
        self.coin_is_where_it_should_be()
        self.tokens_are_where_they_should_be()
        assert self.chain.balance(self.platform) == self.art.balance_of(self.platform) == 0

    # Both sides

    def now(self):
        return self.clock.next_block_ms(self.chain.head.timestamp_ms) // 1_000

    def act(self, who, function, args, expected, value=0):
        """Do it on the chain and in the model: both succeed, or both refuse for the same reason."""
        verb, *rest = expected
        try:
            getattr(self.model, verb)(self.now(), *rest)
            refused = None
        except Refused as refusal:
            refused = str(refusal)
        account = PEOPLE[0] if who == CODE else PEOPLE[BUYERS.index(who)]
        try:
            if who == CODE:
                # Alice sends the coin along, the contract bids with it
                data = self.platform.encode(function, *args)
                receipt = self.puppet.send(account, "run", self.platform, data, value=value)
                self.model.coin[CODE] += value
                self.model.coin[account.address] -= value
            else:
                receipt = self.platform.send(account, function, *args, value=value)
            self.paid(account, receipt)
            answer = None
        except Reverted as refusal:
            answer = ERRORS[refusal.data[:4]]
        assert answer == refused

    def paid(self, account, receipt):
        self.fees[account.address] += receipt.gas_used * receipt.effective_gas_price


TestAuction = AuctionMachine.TestCase
TestAuction.settings = settings(
    max_examples=max(settings.default.max_examples // 8, 1), stateful_step_count=50
)
