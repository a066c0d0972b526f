"""Ceremonies: what they hash to, and what their numbers follow from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ceremony_kit import committee, equal, keyed

from chainstack_sdk.consensus.chainkey.ceremony import Ceremony, beacon_message, holders_message
from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.consensus.chainkey.seats import seats_of
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

FOUR, SEVEN = equal(0, 4), equal(4, 7)
KNOWN = SecretPolynomial((1, 2, 3)).public()
RESHARING = Ceremony(1, 2, 3, FOUR, SEVEN, KNOWN)
GENERATION = replace(RESHARING, previous=None)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def test_the_hash_is_of_everything() -> None:
    start = b"chainstack key ceremony" + u64(1) + u64(2) + u64(3) + FOUR.hash + SEVEN.hash
    assert RESHARING.hash == keccak256(start + keccak256(KNOWN.encode()))
    assert GENERATION.hash == keccak256(start + bytes(32))


def test_each_field_counts() -> None:
    others = [
        replace(RESHARING, chain_id=9),
        replace(RESHARING, round=9),
        replace(RESHARING, generation=9),
        replace(RESHARING, dealers=equal(1, 4)),
        replace(RESHARING, players=equal(5, 7)),
        replace(RESHARING, previous=SecretPolynomial((1, 2, 4)).public()),
        GENERATION,
        RESHARING,
    ]
    assert len({ceremony.hash for ceremony in others}) == len(others)
    assert len(set(others)) == len(others)
    assert replace(RESHARING) == RESHARING


def test_numbers() -> None:
    assert (RESHARING.threshold, RESHARING.needed, RESHARING.reveal_limit) == (5, 3, 2)
    assert not RESHARING.is_generation
    assert GENERATION.is_generation
    weighted = Ceremony(1, 2, 3, committee(0, 1, 2, 3), committee(0, 3, 2, 2, 1), None)
    assert weighted.dealer_seats == seats_of(weighted.dealers)
    assert weighted.player_seats == seats_of(weighted.players)
    assert weighted.reveal_limit == weighted.player_seats.total - weighted.threshold


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match="not one that the dealers have shares of"):
        replace(RESHARING, dealers=SEVEN)
    for name in ("chain_id", "round", "generation"):
        for value in (-1, 2**64):
            with pytest.raises(UsageError, match="does not fit"):
                replace(RESHARING, **{name: value})


def test_dealers_need_not_be_others_than_players() -> None:
    assert keyed(FOUR, FOUR).ceremony.threshold == 3


def test_what_holders_sign() -> None:
    message = holders_message(1, 2, 3, SEVEN.hash)
    assert message == b"chainstack key holders" + u64(1) + u64(2) + u64(3) + SEVEN.hash
    assert len(message) == 78
    assert beacon_message(1, 2) == b"chainstack key beacon" + u64(1) + u64(2)
    assert len(beacon_message(1, 2)) == 37
    for arguments in ((2**64, 2, 3, bytes(32)), (1, -1, 3, bytes(32)), (1, 2, 3, bytes(31))):
        with pytest.raises(UsageError):
            holders_message(*arguments)
    with pytest.raises(UsageError):
        beacon_message(1, 2**64)
