from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.paradigms.auction_terms import (
    BASIS_POINTS,
    LISTING_TYPE,
    MAX_DURATION,
    PRICE_LIMIT,
    AuctionKind,
    Listing,
    ListingStatus,
    commission_of,
)

BEGINS = 1_700_000_000
price = st.integers(1, PRICE_LIMIT - 1)


def dutch(start=1_000, floor=100, duration=90, **changes):
    values = {
        "id": 1,
        "token_id": 7,
        "seller": b"\x01" * 20,
        "kind": AuctionKind.DUTCH,
        "status": ListingStatus.OPEN,
        "begins": BEGINS,
        "duration": duration,
        "ends": BEGINS + duration,
        "first_price": start,
        "second_price": floor,
        "bidder": bytes(20),
        "amount": 0,
    }
    return Listing(**{**values, **changes})


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(0, 1_000), (1, 990), (45, 550), (89, 110), (90, 100), (91, 100), (10**6, 100), (-1, 1_000)],
)
def test_a_dutch_price_falls_in_a_line_and_rests_at_the_floor(elapsed, expected):
    assert dutch().price_at(BEGINS + elapsed) == expected


@pytest.mark.parametrize(
    ("elapsed", "expected"), [(0, 10), (1, 10), (2, 9), (3, 9), (4, 8), (5, 8), (6, 7), (7, 6)]
)
def test_a_dutch_price_is_rounded_up(elapsed, expected):
    """From 10 to 6 in 7 seconds: 10, 9.43, 8.86, 8.29, 7.71, 7.14, 6.57, 6."""
    expected_exactly = ceil(10 - Fraction(4 * elapsed, 7))
    assert dutch(10, 6, 7).price_at(BEGINS + elapsed) == expected_exactly == expected


@given(st.tuples(price, price), st.integers(1, MAX_DURATION), st.lists(st.integers(0, 2 * MAX_DURATION)))
def test_a_dutch_price_is_the_line_rounded_up(prices, duration, times):
    floor, start = sorted(prices)
    listing = dutch(start, floor, duration)
    found = [listing.price_at(BEGINS + elapsed) for elapsed in sorted(times)]
    exact = [start - Fraction((start - floor) * min(t, duration), duration) for t in sorted(times)]
    assert found == [ceil(value) for value in exact]
    assert found == sorted(found, reverse=True)
    assert all(floor <= value <= start for value in found)


def test_an_english_price_rises_with_the_bids():
    english = {"kind": AuctionKind.ENGLISH, "start": 500, "floor": 20}
    assert dutch(**english).price_at(BEGINS) == 500
    bid = dutch(**english, status=ListingStatus.HELD, bidder=b"\x02" * 20, amount=700)
    assert bid.price_at(BEGINS) == bid.price_at(BEGINS + 10**6) == 720


@given(
    st.builds(
        dutch,
        start=st.integers(0, PRICE_LIMIT - 1),
        floor=st.integers(0, PRICE_LIMIT - 1),
        duration=st.integers(0, 2**64 - 1),
        token_id=st.integers(0, 2**256 - 1),
        seller=st.binary(min_size=20, max_size=20),
        kind=st.sampled_from(AuctionKind),
        status=st.sampled_from(ListingStatus),
        begins=st.integers(0, 2**64 - 1),
        ends=st.integers(0, 2**64 - 1),
        bidder=st.binary(min_size=20, max_size=20),
        amount=st.integers(0, PRICE_LIMIT - 1),
    )
)
def test_listings_come_back_from_words_and_values(listing):
    words = listing.words()
    assert all(0 <= word < 1 << 256 for word in words)
    assert Listing.from_words(listing.id, words) == listing
    assert Listing.from_values(listing.values()) == listing


def test_the_words_are_packed_as_solidity_packs_a_struct():
    listing = dutch(start=3, floor=4, duration=5, ends=6, begins=2, status=ListingStatus.SOLD, amount=9)
    assert listing.words() == (
        7,
        int.from_bytes(b"\x01" * 20, "big") + (0 << 160) + (3 << 168) + (2 << 176),
        3 + (4 << 128),
        5 + (6 << 64) + (9 << 128),
        0,
    )


def test_the_abi_names_the_members_in_their_order():
    names = [member.split()[1] for member in LISTING_TYPE.strip("()").split(", ")]
    camel = [name.split("_") for name in Listing.__slots__]
    assert names == [first + "".join(part.title() for part in rest) for first, *rest in camel]


@pytest.mark.parametrize(
    ("paid", "points", "expected"),
    [(100, 250, 2), (39, 250, 0), (40, 250, 1), (10_000, 1, 1), (9_999, 1, 0), (77, 0, 0), (77, 10_000, 77)],
)
def test_commission_is_rounded_down(paid, points, expected):
    assert commission_of(paid, points) == expected


@given(price, st.integers(0, BASIS_POINTS))
def test_commission_is_within_the_price(paid, points):
    commission = commission_of(paid, points)
    assert 0 <= commission <= paid
    assert Fraction(paid * points, BASIS_POINTS) - commission < 1


def test_open_or_not():
    assert [dutch(status=status).is_open for status in ListingStatus] == [True, True, False, False]
