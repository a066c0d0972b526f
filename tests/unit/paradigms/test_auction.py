"""Every rule of auction platforms, and every way to get around one that we could think of."""

import pytest

from chainstack_sdk.chain import Chain
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import (
    FACTORY_ADDRESS,
    Erc721,
    Factory,
    Paradigm,
    auction_book,
    default_registry,
    error,
    external,
    load_bytes,
    slot,
    store_bytes,
)
from chainstack_sdk.paradigms.auction import AuctionPlatform as Platform
from chainstack_sdk.paradigms.auction_handle import AuctionApi
from chainstack_sdk.paradigms.auction_terms import ABANDON_AFTER, MAX_DURATION, AuctionKind, ListingStatus
from chainstack_sdk.paradigms.erc721_handle import Erc721Token
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import Reverted, UsageError

MAGIC = bytes.fromhex("150b7a02")
ART, OTHER = 7, 8
FALL, REST, EXTENSION = 100, 50, 30
U128, U256 = (1 << 128) - 1, (1 << 256) - 1
MODE = slot(100)
HONEST, FROZEN, LAZY, NOSY, MUTE, LIAR = range(6)


class Puppet(Paradigm):
    """A contract that does what it is told, also when it is given a token or coin."""

    name = "puppet"
    constructor = "constructor(bool payments)"
    WORDS, OUTCOME, TARGET = slot(0), slot(1), slot(2)

    Busy = error("error Busy()")

    @external("function run(address to, bytes data) payable returns (bytes)")
    def run(self, call, to, data):
        return call.call(to, data, call.value)

    @external("function arm(address to, bytes data)")
    def arm(self, call, to, data):
        call.store(self.TARGET, int.from_bytes(to, "big"))
        store_bytes(call, self.WORDS, data)

    @external("function outcome() view returns (uint256)")
    def outcome(self, call):
        """1: the armed call went through, 2: it was refused as reentrant, 3: otherwise."""
        return call.load(self.OUTCOME)

    @external(
        "function onERC721Received(address operator, address from, uint256 tokenId, bytes data) "
        "returns (bytes4)"
    )
    def on_received(self, call, operator, sender, token_id, data):
        self.strike(call)
        return MAGIC

    def receive(self, call):
        call.require(self.config.payments, self.Busy)
        self.strike(call)

    def strike(self, call):
        data = load_bytes(call, self.WORDS)
        if data:
            done, answer = call.try_call(call.load(self.TARGET).to_bytes(20, "big"), data)
            reentered = answer == Platform.Reentered.encode()
            call.store(self.OUTCOME, 1 if done else 2 if reentered else 3)


class Glutton(Paradigm):
    """A contract that spends all gas whenever it is called with coin or a token, other than to bid."""

    name = "glutton"

    @external("function run(address to, bytes data) payable returns (bytes)")
    def run(self, call, to, data):
        return call.call(to, data, call.value)

    @external(
        "function onERC721Received(address operator, address from, uint256 tokenId, bytes data) "
        "returns (bytes4)"
    )
    def on_received(self, call, operator, sender, token_id, data):
        call.charge(call.gas_left + 1)

    def receive(self, call):
        call.charge(call.gas_left + 1)


class Shady(Erc721):
    """A collection that misbehaves when it is told to."""

    name = "shady"
    PREY = slot(101)

    @external("function behave(uint8 mode, address prey)")
    def behave(self, call, mode, prey):
        call.store(MODE, mode)
        call.store(self.PREY, int.from_bytes(prey, "big"))

    def owner_of(self, call, token_id):
        self.call_back(call)
        if call.load(MODE) == LIAR:
            return call.load(self.PREY).to_bytes(20, "big")
        return super().owner_of(call, token_id)

    def call_back(self, call):
        """Between the platform's checks and its payments, and while it moves the token."""
        if call.load(MODE) == NOSY:
            prey = call.load(self.PREY).to_bytes(20, "big")
            for function in ("bid", "cancel", "settle", "abandon"):
                _, answer = call.try_call(prey, Platform.abi_function(function).encode_call(1))
                call.require(answer == Platform.Reentered.encode(), function)

    def is_approved_for_all(self, call, owner, operator):
        mode = call.load(MODE)
        return mode == LIAR or (mode != MUTE and super().is_approved_for_all(call, owner, operator))

    def transfer_from(self, call, sender, to, token_id):
        mode = call.load(MODE)
        call.require(mode != FROZEN, "frozen")
        self.call_back(call)
        if mode != LAZY:
            super().transfer_from(call, sender, to, token_id)


class Stump(Paradigm):
    """Says that it is a collection, and answers with the right owner, but in too few bytes."""

    name = "stump"
    constructor = "constructor(address answer)"

    def invoke(self, call, data):
        return (1).to_bytes(32, "big") if data[:4] == bytes.fromhex("01ffc9a7") else self.config.answer


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def chain(make_chain, clock):
    registry = default_registry()
    for paradigm in (Puppet, Glutton, Shady, Stump):
        registry.add(paradigm)
    return make_chain(registry=registry, clock=clock)


@pytest.fixture
def api(chain):
    return AuctionApi(chain)


@pytest.fixture
def seller(people):
    return people[1]


@pytest.fixture
def buyer(people):
    return people[2]


@pytest.fixture
def rival(people):
    return people[3]


@pytest.fixture
def house(people):
    """Gets the commission; never sends anything."""
    return people[4]


def collect(chain, kind, owner, seller):
    config = {"base_uri": "", "mintable": True, "burnable": True, "owner": owner}
    issued = chain.paradigm(kind).issue(owner, name="Art", symbol="ART", **config)
    art = Erc721Token(chain, issued.address, issued.contract)
    for token in (ART, OTHER):
        art.mint(owner, seller, token)
    return art


@pytest.fixture
def art(chain, alice, seller):
    return collect(chain, "erc721", alice, seller)


@pytest.fixture
def platform(api, art, alice, seller, house):
    made = api.issue(
        alice,
        art,
        commission=250,
        commission_recipient=house,
        default_duration=FALL,
        floor_time=REST,
        extension=EXTENSION,
    )
    art.set_approval_for_all(seller, made)
    return made


@pytest.fixture
def dutch(platform, seller):
    return platform.list_dutch(seller, ART, start=10_000, floor=1_000)


@pytest.fixture
def english(platform, seller):
    return platform.list_english(seller, ART, reserve=500, increment=50)


@pytest.fixture
def after(clock):
    """Let the next block come so many seconds after the beginning of a listing."""

    def go(listing, seconds):
        clock.set_ms((listing.begins + seconds) * 1_000)

    return go


@pytest.fixture
def puppet(chain, alice):
    return chain.paradigm("puppet").issue(alice, payments=False)


def fee(receipt):
    return receipt.gas_used * receipt.effective_gas_price


def run(contract, sender, platform, function, *args, value=0):
    return contract.send(sender, "run", platform, platform.encode(function, *args), value=value)


def held(chain, platform, *creditors):
    """What the platform holds must be the highest bids and what it owes."""
    bids = sum(x.amount for x in platform.listings() if x.status is ListingStatus.HELD)
    owed = sum(platform.owed(who) for who in creditors)
    assert chain.balance(platform) == bids + owed
    return bids + owed


# Issuing


def test_what_a_platform_says_of_itself(platform, art, alice, house, api):
    assert platform.collection == art
    assert (platform.commission, platform.commission_on(10_000)) == (250, 250)
    assert (platform.commission_recipient(), platform.owner()) == (house.address, alice.address)
    assert (platform.listing_count(), platform.listings(), platform.listings_paused()) == (0, [], False)
    assert api.at(platform) == platform


def test_who_gets_the_commission_unless_told(api, art, alice, bob):
    assert api.issue(alice, art).commission_recipient() == alice.address
    made = api.issue(alice, art, owner=bob)
    assert (made.owner(), made.commission_recipient()) == (bob.address, bob.address)


GOOD = {
    "commission": 0,
    "commission_recipient": b"\x01" * 20,
    "default_duration": 1,
    "floor_time": 0,
    "extension": 0,
    "owner": b"\x01" * 20,
}


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("commission", 10_001, (Platform.InvalidCommission, 10_001)),
        ("commission", 65_535, (Platform.InvalidCommission, 65_535)),
        ("commission_recipient", ZERO_ADDRESS, (Platform.InvalidRecipient, ZERO_ADDRESS)),
        ("default_duration", 0, (Platform.InvalidDuration, 0)),
        ("default_duration", MAX_DURATION + 1, (Platform.InvalidDuration, MAX_DURATION + 1)),
        ("floor_time", MAX_DURATION + 1, (Platform.InvalidDuration, MAX_DURATION + 1)),
        ("extension", 2**64 - 1, (Platform.InvalidDuration, 2**64 - 1)),
        ("owner", ZERO_ADDRESS, (Platform.OwnableInvalidOwner, ZERO_ADDRESS)),
        ("collection", b"\x09" * 20, (Platform.InvalidCollection, b"\x09" * 20)),
    ],
)
def test_the_chain_refuses_a_config_whoever_encoded_it(chain, art, alice, reverts, field, value, refusal):
    config = {"collection": art.address, **GOOD}
    issue = Factory.abi_function("issue")
    good = Platform.constructor_type.encode(*config.values())
    assert chain.send_call(alice, FACTORY_ADDRESS, issue.encode_call("auction", good)).contract_address
    bad = Platform.constructor_type.encode(*{**config, field: value}.values())
    with reverts(refusal[0].encode(*refusal[1:])):
        chain.send_call(alice, FACTORY_ADDRESS, issue.encode_call("auction", bad))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("commission", 10_001),
        ("commission", -1),
        ("commission_recipient", bytes(20)),
        ("default_duration", 0),
        ("floor_time", -1),
        ("extension", MAX_DURATION + 1),
        ("extension", 1.0),
        ("owner", bytes(20)),
        ("collection", "nowhere"),
    ],
)
def test_the_edge_names_what_does_not_fit(field, value):
    with pytest.raises(UsageError, match=f"config of auction: {field}: "):
        Platform.encode_config({"collection": b"\x02" * 20, **GOOD, field: value})


def test_a_token_that_is_no_collection(chain, api, alice, puppet, reverts):
    gold = chain.erc20.issue(alice, name="Gold", symbol="GLD")
    for address in (gold, alice, puppet):
        with reverts(Platform.InvalidCollection, bytes(getattr(address, "address", address))):
            api.issue(alice, address)


def test_the_platform_may_not_pay_itself(platform, alice, reverts):
    with reverts(Platform.InvalidRecipient, platform.address):
        platform.set_commission_recipient(alice, platform)


# Listing


def test_the_flow_of_a_sale(chain, platform, art, dutch, seller, buyer, house, after, emitted):
    assert dutch == platform.listing(1) == platform.listing_of(ART)
    assert (dutch.kind, dutch.status) == (AuctionKind.DUTCH, ListingStatus.OPEN)
    assert (dutch.duration, dutch.ends) == (FALL, dutch.begins + FALL + REST)
    assert art.owner_of(ART) == seller.address, "a listing leaves the token with its owner"
    before = [chain.balance(who) for who in (seller, buyer, house)]
    after(dutch, 40)
    receipt = platform.bid(buyer, 1, 9_999)
    price = 10_000 - 9_000 * 40 // 100
    assert emitted(receipt, Platform, Erc721) == [
        ("Transfer", (seller.address, buyer.address, ART)),
        ("Sold", (1, ART, buyer.address, seller.address, price, 160)),
    ]
    changes = [chain.balance(who) - was for who, was in zip((seller, buyer, house), before, strict=True)]
    assert changes == [price - 160, -price - fee(receipt), 160]
    assert art.owner_of(ART) == buyer.address
    sold = platform.listing(1)
    assert (sold.status, sold.bidder, sold.amount) == (ListingStatus.SOLD, buyer.address, price)
    assert held(chain, platform) == 0
    assert platform.events("Sold", buyer=buyer)[0].args["price"] == price


def test_listing_tells(platform, seller, emitted):
    receipt = platform.send(seller, "list", ART, 10, 5, 0)
    now = platform.listing(1).begins
    ends = now + FALL + REST
    assert emitted(receipt, Platform) == [("DutchListed", (1, ART, seller.address, 10, 5, FALL, ends))]
    receipt = platform.send(seller, "listEnglish", OTHER, 10, 5, 77)
    ends = platform.listing(2).begins + 77
    assert emitted(receipt, Platform) == [("EnglishListed", (2, OTHER, seller.address, 10, 5, ends))]


def test_pages(platform, seller):
    for token in (ART, OTHER):
        platform.list_dutch(seller, token, start=2, floor=1)
    numbers = [
        [listing.id for listing in platform.listings(*page)] for page in ((), (0, 1), (2,), (3,), (1, 0))
    ]
    assert numbers == [[1, 2], [1], [2], [], []]
    assert len(platform.listings(0, U256)) == 2
    assert platform.listings(U256, U256) == []
    assert platform.listing_of(99) is None


def test_a_page_has_an_end(platform, seller, monkeypatch):
    assert auction_book.MAX_PAGE == 100
    monkeypatch.setattr(auction_book, "MAX_PAGE", 1)
    for token in (ART, OTHER):
        platform.list_dutch(seller, token, start=2, floor=1)
    assert [listing.id for listing in platform.listings(1, 2)] == [1]


def test_who_may_list(platform, art, seller, buyer, reverts):
    with reverts(Platform.NotTokenOwner, ART, buyer.address):
        platform.list_dutch(buyer, ART, start=2, floor=1)
    with reverts(Platform.NotTokenOwner, 99, seller.address):
        platform.list_dutch(seller, 99, start=2, floor=1)
    art.set_approval_for_all(seller, platform, False)
    with reverts(Platform.NoTradingRight, ART):
        platform.list_english(seller, ART, reserve=2, increment=1)
    art.approve(seller, platform, ART)
    assert platform.list_dutch(seller, ART, start=2, floor=1).id == 1


@pytest.mark.parametrize(("start", "floor"), [(0, 0), (5, 0), (5, 6), (1, U128)])
def test_dutch_prices(platform, seller, reverts, start, floor):
    with reverts(Platform.InvalidPrices, start, floor):
        platform.list_dutch(seller, ART, start=start, floor=floor)


@pytest.mark.parametrize(("reserve", "increment"), [(0, 1), (1, 0), (0, 0)])
def test_english_prices(platform, seller, reverts, reserve, increment):
    with reverts(Platform.InvalidPrices, reserve, increment):
        platform.list_english(seller, ART, reserve=reserve, increment=increment)


def test_prices_of_more_than_128_bits(platform, seller, chain):
    with pytest.raises(UsageError):
        platform.list_dutch(seller, ART, start=U128 + 1, floor=1)
    data = bytearray(platform.encode("list", ART, U128, 1, 0))
    data[4 + 32 + 15] = 1
    with pytest.raises(Reverted) as refusal:
        chain.send_call(seller, platform.address, bytes(data))
    assert refusal.value.data == b""


def test_the_largest_prices(platform, seller, buyer, reverts, after):
    listing = platform.list_dutch(seller, ART, start=U128, floor=U128 - 1, duration=MAX_DURATION)
    assert platform.price_of(1) == U128
    after(listing, 1)
    with reverts(Platform.BidTooLow, 1, U128, 5):
        platform.bid(buyer, 1, 5)
    platform.list_english(seller, OTHER, reserve=1, increment=U128)
    platform.bid(buyer, 2, 5)
    assert platform.price_of(2) == U128 + 5


def test_a_bid_that_would_not_fit(alice, people, reverts):
    """There is more coin than fits into 128 bits only where a genesis says so."""
    chain = Chain.in_memory(dict.fromkeys(people, 1 << 200), auto_seal=True)
    art = collect(chain, "erc721", alice, alice)
    platform = AuctionApi(chain).issue(alice, art)
    art.set_approval_for_all(alice, platform)
    platform.list_english(alice, ART, reserve=1, increment=1)
    with reverts(Platform.BidTooHigh, 1, U128 + 1):
        platform.bid(people[1], 1, U128 + 1)
    platform.bid(people[1], 1, U128)
    assert platform.listing(1).amount == U128


def test_durations(platform, seller, reverts):
    with reverts(Platform.InvalidDuration, MAX_DURATION + 1):
        platform.list_dutch(seller, ART, start=2, floor=1, duration=MAX_DURATION + 1)
    with reverts(Platform.InvalidDuration, 2**64 - 1):
        platform.list_english(seller, ART, reserve=2, increment=1, duration=2**64 - 1)


def test_a_token_is_listed_once_at_a_time(platform, dutch, seller, after, reverts, emitted):
    with reverts(Platform.AlreadyListed, ART, 1):
        platform.list_english(seller, ART, reserve=1, increment=1)
    after(dutch, FALL + REST + 1)
    receipt = platform.send(seller, "list", ART, 10, 5, 0)
    assert emitted(receipt, Platform)[0] == ("Cancelled", (1, ART))
    assert platform.listing(1).status is ListingStatus.CANCELLED
    assert platform.listing_of(ART).id == 2


def test_a_new_owner_lists_over_what_the_old_one_left(platform, art, dutch, seller, buyer, reverts):
    art.transfer_from(seller, seller, buyer, ART)
    art.approve(buyer, platform, ART)
    assert platform.list_dutch(buyer, ART, start=50, floor=50).id == 2
    art.transfer_from(buyer, buyer, seller, ART)
    with reverts(Platform.ListingClosed, 1):
        platform.bid(buyer, 1, 10_000)


def test_after_a_sale_the_token_may_be_listed_again(platform, art, dutch, buyer):
    platform.bid(buyer, 1)
    art.approve(buyer, platform, ART)
    assert platform.list_english(buyer, ART, reserve=1, increment=1).id == 2


# Dutch


@pytest.mark.parametrize(
    ("seconds", "price"), [(1, 9_910), (50, 5_500), (99, 1_090), (100, 1_000), (150, 1_000)]
)
def test_exactly_the_price_is_enough_and_less_is_not(
    platform, dutch, buyer, rival, after, reverts, chain, seconds, price
):
    after(dutch, seconds)
    with reverts(Platform.BidTooLow, 1, price, price - 1):
        platform.bid(rival, 1, price - 1)
    assert platform.price_of(1) == price
    assert platform.bid(buyer, 1, price).height == chain.height
    assert platform.listing(1).amount == price


def test_no_bid_is_enough_for_nothing(platform, dutch, buyer, after, reverts):
    after(dutch, FALL)
    with reverts(Platform.BidTooLow, 1, 1_000, 0):
        platform.bid(buyer, 1, 0)


def test_too_late(platform, dutch, buyer, after, reverts):
    after(dutch, FALL + REST + 1)
    assert not platform.is_biddable(1)
    for act in (lambda: platform.bid(buyer, 1, 10_000), lambda: platform.price_of(1)):
        with reverts(Platform.ListingEnded, 1, dutch.ends):
            act()


def test_the_second_buyer_comes_too_late(platform, dutch, buyer, rival, reverts, chain):
    platform.bid(buyer, 1, 10_000)
    for who in (buyer, rival):
        with reverts(Platform.ListingClosed, 1):
            platform.bid(who, 1, 10_000)
    assert not platform.is_biddable(1)
    assert held(chain, platform) == 0


@pytest.mark.parametrize("number", [0, 2, U256])
def test_there_is_no_such_listing(platform, dutch, buyer, reverts, number):
    for act in ("listing", "priceOf", "biddable"):
        with reverts(Platform.NoSuchListing, number):
            platform.read(act, number)
    for act in ("bid", "settle", "cancel", "abandon"):
        with reverts(Platform.NoSuchListing, number):
            platform.send(buyer, act, number)


def test_the_seller_may_not_bid(platform, seller, reverts):
    platform.list_dutch(seller, ART, start=2, floor=1)
    platform.list_english(seller, OTHER, reserve=2, increment=1)
    for number in (1, 2):
        with reverts(Platform.SellerMayNotBid, number):
            platform.bid(seller, number, 10)


@pytest.mark.parametrize("kind", ["dutch", "english"])
@pytest.mark.parametrize("how", ["moved", "right taken back", "burnt", "swapped right"])
def test_a_void_listing(request, platform, art, seller, buyer, rival, chain, reverts, kind, how):
    listing = request.getfixturevalue(kind)
    assert platform.is_biddable(1)
    match how:
        case "moved":
            art.transfer_from(seller, seller, rival, ART)
        case "right taken back":
            art.set_approval_for_all(seller, platform, False)
        case "burnt":
            art.burn(seller, ART)
        case "swapped right":
            art.set_approval_for_all(seller, platform, False)
            art.approve(seller, rival, ART)
    assert not platform.is_biddable(1)
    before = chain.balance(seller), chain.balance(buyer)
    with reverts(Platform.ListingVoid, 1):
        platform.bid(buyer, 1, 10_000)
    assert (chain.balance(seller), chain.balance(buyer)) == before
    assert platform.listing(1) == listing
    if how == "right taken back":
        art.approve(seller, platform, ART)
        platform.bid(buyer, 1, 10_000)
        assert platform.listing(1).bidder == buyer.address


@pytest.mark.parametrize("commission", [0, 1, 10_000])
def test_commission_from_nothing_to_everything(api, art, alice, seller, buyer, house, chain, commission):
    platform = api.issue(alice, art, commission=commission, commission_recipient=house)
    art.approve(seller, platform, ART)
    platform.list_dutch(seller, ART, start=19_999, floor=19_999)
    before = chain.balance(seller), chain.balance(house)
    platform.bid(buyer, 1, 30_000)
    kept = {0: 0, 1: 1, 10_000: 19_999}[commission]
    assert chain.balance(seller) - before[0] == 19_999 - kept
    assert chain.balance(house) - before[1] == kept
    assert held(chain, platform) == 0


# English


def test_an_auction(platform, art, english, seller, buyer, rival, house, chain, after, reverts, emitted):
    assert english.ends == english.begins + FALL
    with reverts(Platform.BidTooLow, 1, 500, 499):
        platform.bid(buyer, 1, 499)
    receipt = platform.bid(buyer, 1)
    assert emitted(receipt, Platform, Erc721)[-1] == ("BidPlaced", (1, buyer.address, 500, english.ends))
    assert art.owner_of(ART) == platform.address, "from the first bid on the platform holds the token"
    assert (platform.price_of(1), held(chain, platform)) == (550, 500)
    with reverts(Platform.BidTooLow, 1, 550, 549):
        platform.bid(rival, 1, 549)
    before = chain.balance(buyer)
    platform.bid(rival, 1, 600)
    assert chain.balance(buyer) - before == 500, "the one before has its bid back"
    platform.bid(rival, 1, 700)
    with reverts(Platform.ListingRunning, 1, english.ends):
        platform.settle(seller, 1)
    after(english, FALL)
    with reverts(Platform.ListingRunning, 1, english.ends):
        platform.settle(seller, 1)
    after(english, FALL + 1)
    with reverts(Platform.ListingEnded, 1, english.ends):
        platform.bid(buyer, 1, 10_000)
    before = chain.balance(seller), chain.balance(house)
    receipt = platform.settle(buyer, 1)
    assert emitted(receipt, Platform, Erc721) == [
        ("Transfer", (platform.address, rival.address, ART)),
        ("Sold", (1, ART, rival.address, seller.address, 700, 17)),
    ]
    assert (chain.balance(seller) - before[0], chain.balance(house) - before[1]) == (683, 17)
    assert (art.owner_of(ART), held(chain, platform)) == (rival.address, 0)
    for act in (platform.settle, platform.cancel, platform.abandon):
        with reverts(Platform.ListingClosed, 1):
            act(seller, 1)


def test_settling_needs_a_bid(platform, dutch, seller, after, reverts):
    platform.list_english(seller, OTHER, reserve=1, increment=1)
    after(dutch, 1_000)
    for number in (1, 2):
        for act in (platform.settle, platform.abandon):
            with reverts(Platform.NoBid, number):
                act(seller, number)


@pytest.mark.parametrize(("seconds", "ends"), [(10, 100), (70, 100), (71, 101), (100, 130)])
def test_a_late_bid_moves_the_end(platform, english, buyer, after, seconds, ends):
    after(english, seconds)
    platform.bid(buyer, 1)
    assert platform.listing(1).ends == english.begins + ends


def test_without_extension_the_end_stands(api, art, alice, seller, buyer, after, reverts):
    platform = api.issue(alice, art)
    art.approve(seller, platform, ART)
    listing = platform.list_english(seller, ART, reserve=1, increment=1, duration=10)
    after(listing, 10)
    platform.bid(buyer, 1)
    assert platform.listing(1).ends == listing.ends
    after(listing, 11)
    with reverts(Platform.ListingEnded, 1, listing.ends):
        platform.bid(buyer, 1)


def test_the_seller_cannot_back_out_of_a_bid(platform, art, english, seller, buyer, after, reverts):
    platform.bid(buyer, 1)
    with reverts(Platform.HasBid, 1):
        platform.cancel(seller, 1)
    art.set_approval_for_all(seller, platform, False)
    with reverts(Erc721.ERC721InsufficientApproval, seller.address, ART):
        art.transfer_from(seller, platform, seller, ART)
    after(english, FALL + 1)
    platform.settle(buyer, 1)
    assert art.owner_of(ART) == buyer.address


def test_one_may_outbid_oneself(platform, english, buyer, chain):
    platform.bid(buyer, 1)
    before = chain.balance(buyer)
    receipt = platform.bid(buyer, 1, 800)
    assert before - chain.balance(buyer) == 300 + fee(receipt)
    assert receipt.gas_used < 75_000, "only what has changed is written"
    assert held(chain, platform) == 800


# Cancelling


@pytest.mark.parametrize("kind", ["dutch", "english"])
def test_cancelling(request, platform, art, seller, buyer, alice, reverts, emitted, kind):
    request.getfixturevalue(kind)
    for stranger in (buyer, alice):
        with reverts(Platform.NotSeller, 1, stranger.address):
            platform.cancel(stranger, 1)
    assert emitted(platform.cancel(seller, 1), Platform) == [("Cancelled", (1, ART))]
    for act in (
        lambda: platform.cancel(seller, 1),
        lambda: platform.bid(buyer, 1, 10_000),
        lambda: platform.price_of(1),
        lambda: platform.settle(seller, 1),
    ):
        with reverts(Platform.ListingClosed, 1):
            act()
    assert art.owner_of(ART) == seller.address
    assert platform.list_dutch(seller, ART, start=2, floor=1).id == 2


def test_cancelling_after_a_sale(platform, dutch, seller, buyer, reverts):
    platform.bid(buyer, 1)
    with reverts(Platform.ListingClosed, 1):
        platform.cancel(seller, 1)


# The owner


def test_the_owner_stops_new_listings_only(platform, dutch, alice, seller, buyer, reverts, emitted):
    assert emitted(platform.pause_listings(alice), Platform) == [("ListingsPaused", (True,))]
    assert platform.listings_paused()
    with reverts(Platform.NewListingsPaused):
        platform.list_english(seller, OTHER, reserve=1, increment=1)
    platform.bid(buyer, 1)
    platform.pause_listings(alice, False)
    assert platform.list_english(seller, OTHER, reserve=1, increment=1).id == 2


def test_the_owner_names_who_gets_the_commission(
    platform, dutch, alice, bob, house, buyer, chain, emitted, reverts
):
    with reverts(Platform.InvalidRecipient, ZERO_ADDRESS):
        platform.set_commission_recipient(alice, ZERO_ADDRESS)
    receipt = platform.set_commission_recipient(alice, alice)
    assert emitted(receipt, Platform) == [("CommissionRecipientSet", (house.address, alice.address))]
    before = chain.balance(alice), chain.balance(house)
    platform.bid(buyer, 1, 10_000)
    assert (chain.balance(alice) > before[0], chain.balance(house)) == (True, before[1])


def test_strangers_are_not_the_owner(platform, buyer, alice, reverts):
    for act in (
        lambda: platform.pause_listings(buyer),
        lambda: platform.set_commission_recipient(buyer, buyer),
        lambda: platform.transfer_ownership(buyer, buyer),
        lambda: platform.renounce_ownership(buyer),
    ):
        with reverts(Platform.OwnableUnauthorizedAccount, buyer.address):
            act()
    platform.transfer_ownership(alice, buyer)
    assert platform.owner() == buyer.address
    platform.renounce_ownership(buyer)
    assert platform.owner() == ZERO_ADDRESS


# Contracts that bid, sell and collect


def test_a_contract_fetches_its_refunds_itself(
    platform, english, puppet, buyer, rival, chain, reverts, emitted
):
    """A contract that refuses coin cannot keep others from outbidding it."""
    run(puppet, buyer, platform, "bid", 1, value=500)
    receipt = platform.bid(rival, 1, 600)
    assert ("Credited", (puppet.address, 500)) in emitted(receipt, Platform)
    assert (platform.owed(puppet), held(chain, platform, puppet)) == (500, 1_100)
    with reverts(Platform.NothingOwed, buyer.address):
        platform.withdraw(buyer, puppet)
    with reverts(Puppet.Busy):
        run(puppet, buyer, platform, "withdraw", puppet)
    with reverts(Platform.InvalidRecipient.encode(ZERO_ADDRESS)):
        run(puppet, buyer, platform, "withdraw", ZERO_ADDRESS)
    with pytest.raises(Reverted):
        run(puppet, buyer, platform, "withdraw", platform)
    assert platform.owed(puppet) == 500
    before = chain.balance(rival)
    receipt = run(puppet, buyer, platform, "withdraw", rival)
    assert emitted(receipt, Platform) == [("Withdrawn", (puppet.address, rival.address, 500))]
    assert (chain.balance(rival) - before, held(chain, platform, puppet)) == (500, 600)
    with reverts(Platform.NothingOwed.encode(puppet.address)):
        run(puppet, buyer, platform, "withdraw", rival)


def test_a_contract_that_eats_all_gas_holds_up_nobody(chain, platform, english, alice, buyer, rival, after):
    glutton = chain.paradigm("glutton").issue(alice)
    run(glutton, buyer, platform, "bid", 1, value=500)
    platform.bid(rival, 1, 600)
    run(glutton, buyer, platform, "bid", 1, value=700)
    platform.set_commission_recipient(alice, glutton)
    after(english, FALL + 1)
    platform.settle(rival, 1)
    assert platform.collection.owner_of(ART) == glutton.address
    assert platform.owed(glutton) == 500 + 17 == held(chain, platform, glutton)


def test_a_buyer_that_refuses_the_token_buys_nothing(chain, platform, dutch, alice, buyer):
    glutton = chain.paradigm("glutton").issue(alice)
    with pytest.raises(Reverted):
        run(glutton, buyer, platform, "bid", 1, value=10_000)
    assert platform.listing(1) == dutch
    assert held(chain, platform) == 0


def test_contracts_sell_and_earn_too(chain, platform, art, puppet, alice, seller, buyer):
    art.transfer_from(seller, seller, puppet, ART)
    puppet.send(alice, "run", art, art.encode("approve", platform, ART))
    run(puppet, alice, platform, "list", ART, 10_000, 10_000, 0)
    platform.set_commission_recipient(alice, puppet)
    platform.bid(buyer, 1, 10_000)
    assert platform.owed(puppet) == 10_000 == held(chain, platform, puppet)


def test_excess_of_a_contract_is_kept_for_it(chain, platform, dutch, puppet, buyer, after):
    after(dutch, FALL)
    run(puppet, buyer, platform, "bid", 1, value=1_500)
    assert platform.owed(puppet) == 500 == held(chain, platform, puppet)


@pytest.mark.parametrize(
    "function", ["bid", "settle", "cancel", "abandon", "withdraw", "list", "listEnglish"]
)
def test_a_buyer_that_calls_back_while_it_is_given_the_token(chain, platform, dutch, puppet, buyer, function):
    args = {"withdraw": [puppet.address], "list": [ART, 5, 5, 0], "listEnglish": [ART, 5, 5, 0]}
    puppet.send(buyer, "arm", platform, platform.encode(function, *args.get(function, [1])))
    run(puppet, buyer, platform, "bid", 1, value=10_000)
    assert puppet.read("outcome") == 2, "the call back was refused as reentrant"
    sold = platform.listing(1)
    assert (sold.status, platform.listing_count()) == (ListingStatus.SOLD, 1)
    assert held(chain, platform, puppet) == 10_000 - sold.amount == platform.owed(puppet)


def test_a_creditor_that_calls_back_while_it_is_paid(chain, platform, english, alice, buyer, rival):
    thief = chain.paradigm("puppet").issue(alice, payments=True)
    run(thief, buyer, platform, "bid", 1, value=500)
    platform.bid(rival, 1, 5_000)
    thief.send(buyer, "arm", platform, platform.encode("withdraw", thief))
    run(thief, buyer, platform, "withdraw", thief)
    assert thief.read("outcome") == 2
    assert (chain.balance(thief), held(chain, platform, thief)) == (500, 5_000)


def test_plain_coin_is_refused(chain, platform, buyer):
    with pytest.raises(Reverted):
        chain.send_call(buyer, platform.address, b"", value=1)
    with pytest.raises(Reverted):
        platform.send(buyer, "settle", 1, value=1)


# Collections that misbehave


@pytest.fixture
def shady(chain, alice, seller):
    return collect(chain, "shady", alice, seller)


@pytest.fixture
def trap(api, shady, alice, seller, house):
    """A platform bound to a collection that can be told to misbehave, with a listing of each kind."""
    made = api.issue(alice, shady, commission=250, commission_recipient=house, default_duration=FALL)
    shady.set_approval_for_all(seller, made)
    made.list_dutch(seller, ART, start=100, floor=100)
    made.list_english(seller, OTHER, reserve=100, increment=1)
    return made


def test_a_collection_that_refuses_or_forgets_to_move(chain, trap, shady, alice, buyer, reverts):
    shady.send(alice, "behave", FROZEN, trap)
    for number in (1, 2):
        with pytest.raises(Reverted, match="frozen"):
            trap.bid(buyer, number)
    shady.send(alice, "behave", LAZY, trap)
    for number, token in (1, ART), (2, OTHER):
        with reverts(Platform.TransferRefused, token):
            trap.bid(buyer, number)
    shady.send(alice, "behave", MUTE, trap)
    with reverts(Platform.ListingVoid, 1):
        trap.bid(buyer, 1)
    assert held(chain, trap) == 0


def test_a_collection_that_calls_back(chain, trap, shady, alice, buyer):
    shady.send(alice, "behave", NOSY, trap)
    for number in (1, 2):
        trap.bid(buyer, number)
    assert held(chain, trap) == 100


def test_a_collection_that_says_that_a_held_token_is_somebody_elses(
    chain, trap, shady, alice, seller, buyer, rival, after, reverts
):
    """The bid for it must not be forgotten over a new listing."""
    trap.bid(buyer, 2, 300)
    shady.send(alice, "behave", LIAR, rival)
    after(trap.listing(2), FALL + 1)
    with reverts(Platform.AlreadyListed, OTHER, 2):
        trap.list_dutch(rival, OTHER, start=1, floor=1)
    shady.send(alice, "behave", HONEST, trap)
    trap.settle(rival, 2)
    assert (shady.owner_of(OTHER), held(chain, trap)) == (buyer.address, 0)


def test_a_collection_that_answers_nonsense(chain, api, alice, reverts):
    stump = chain.paradigm("stump").issue(alice, answer=alice)
    platform = api.issue(alice, stump)
    with reverts(Platform.NotTokenOwner, 1, alice.address):
        platform.list_dutch(alice, 1, start=2, floor=1)


def test_a_collection_that_freezes_after_the_bid(
    chain, trap, shady, alice, seller, buyer, rival, after, reverts
):
    """The winner waits for a week, then takes the bid back; the token is for the seller, once it moves."""
    trap.bid(rival, 2, 200)
    trap.bid(buyer, 2, 300)
    shady.send(alice, "behave", FROZEN, trap)
    listing = trap.listing(2)
    after(listing, FALL + 1)
    with pytest.raises(Reverted, match="frozen"):
        trap.settle(seller, 2)
    until = listing.ends + ABANDON_AFTER
    with reverts(Platform.ListingRunning, 2, until):
        trap.abandon(buyer, 2)
    after(listing, FALL + ABANDON_AFTER)
    with reverts(Platform.ListingRunning, 2, until):
        trap.abandon(buyer, 2)
    after(listing, FALL + ABANDON_AFTER + 1)
    for stranger in (seller, rival):
        with reverts(Platform.NotBidder, 2, stranger.address):
            trap.abandon(stranger, 2)
    before = chain.balance(buyer)
    receipt = trap.abandon(buyer, 2)
    assert chain.balance(buyer) - before == 300 - fee(receipt)
    assert held(chain, trap) == 0
    with reverts(Platform.NotBidder, 2, buyer.address):
        trap.abandon(buyer, 2)
    with pytest.raises(Reverted, match="frozen"):
        trap.settle(rival, 2)
    shady.send(alice, "behave", HONEST, trap)
    trap.settle(rival, 2)
    assert shady.owner_of(OTHER) == seller.address
    assert trap.listing(2).status is ListingStatus.CANCELLED
    with reverts(Platform.ListingClosed, 2):
        trap.settle(rival, 2)


def test_nobody_voids_an_auction_by_calling_from_the_depths(
    chain, platform, english, alice, seller, buyer, rival, after
):
    """A call that fails for its depth must not count as the collection's refusal."""
    platform.bid(buyer, 1)
    after(english, FALL + 1)
    data = platform.encode("settle", 1)
    target = platform.address
    puppets = [chain.paradigm("puppet").issue(alice, payments=False) for _ in range(32)]
    run_ = Puppet.abi_function("run")
    for depth, each in enumerate(puppets, 1):
        data, target = run_.encode_call(target, data), each.address
        if depth >= 31:
            with pytest.raises(Reverted, match="depth"):
                chain.send_call(rival, target, data)
    assert platform.listing(1).status is ListingStatus.HELD
    platform.settle(rival, 1)
    assert platform.collection.owner_of(ART) == buyer.address
