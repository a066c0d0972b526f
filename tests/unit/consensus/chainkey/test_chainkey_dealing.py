"""Dealing: the same for the same seed, another for everything else, and what a dealer must not do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ceremony_kit import equal, generation, keyed

from chainstack_sdk.consensus.chainkey.dealing import deal, shares_for
from chainstack_sdk.consensus.chainkey.log import possession_message
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import UsageError

SHARED = keyed(equal(0, 4), equal(4, 7))
MADE = generation(equal(0, 4), equal(4, 7))
SEED = bytes(range(32))


def test_a_seed_deals_the_same_again() -> None:
    for rehearsal in (SHARED, MADE):
        first, second = (deal(rehearsal.ceremony, 2, SEED, rehearsal.shares[2]) for _ in range(2))
        assert first[0].coefficients == second[0].coefficients
        assert first[1:] == second[1:]
        assert first[0].public() == first[1]


def test_another_seed_place_or_ceremony_deals_another() -> None:
    ceremony = MADE.ceremony
    dealt = [
        deal(ceremony, 2, SEED, None),
        deal(ceremony, 2, SEED + b"\0", None),
        deal(ceremony, 3, SEED, None),
        deal(replace(ceremony, round=5), 2, SEED, None),
        deal(replace(ceremony, players=equal(5, 7)), 2, SEED, None),
    ]
    coefficients = [coefficient for polynomial, _, _ in dealt for coefficient in polynomial.coefficients]
    assert len(set(coefficients)) == 5 * 5


def test_a_generation_proves_possession() -> None:
    ceremony = MADE.ceremony
    polynomial, commitments, possession = deal(ceremony, 2, SEED, None)
    assert polynomial.at(0) not in (0, None)
    message = possession_message(ceremony, 2, commitments.key)
    assert bls.verify(commitments.key, message, possession, bls.POSSESSION_DOMAIN)


def test_a_resharing_deals_the_share() -> None:
    polynomial, commitments, possession = deal(SHARED.ceremony, 2, SEED, SHARED.shares[2])
    assert polynomial.at(0) == SHARED.shares[2]
    assert commitments.threshold == 5
    assert possession == b""
    assert shares_for(SHARED.ceremony, polynomial, 3) == (polynomial.at(4),)


def test_what_a_dealer_must_not_do() -> None:
    share = SHARED.shares[2]
    for place in (0, 5):
        with pytest.raises(UsageError, match="no dealer"):
            deal(SHARED.ceremony, place, SEED, share)
    with pytest.raises(UsageError, match="at least 32 bytes"):
        deal(SHARED.ceremony, 2, SEED[:-1], share)
    with pytest.raises(UsageError, match="none in a generation"):
        deal(SHARED.ceremony, 2, SEED, None)
    with pytest.raises(UsageError, match="none in a generation"):
        deal(MADE.ceremony, 2, SEED, share)
    with pytest.raises(UsageError, match="not that of the place"):
        deal(SHARED.ceremony, 3, SEED, share)
