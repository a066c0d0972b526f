"""Outcomes: the key stays, everybody's share is right, and whoever was exposed is named."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from ceremony_kit import SCHEME, Rehearsal, committee, equal, generation, keyed, resharing

from chainstack_sdk.consensus.bft import ValidatorSet
from chainstack_sdk.consensus.chainkey.dealing import close_log, shares_for
from chainstack_sdk.consensus.chainkey.log import Reveal, validate_log
from chainstack_sdk.consensus.chainkey.outcome import (
    MissingDealing,
    combine_logs,
    derive_shares,
    exposed_members,
)
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

FOUR, SEVEN = equal(0, 4), equal(4, 7)
MESSAGE = b"a block's hash"


def valid_logs(rehearsal: Rehearsal, places: tuple[int, ...], silent: tuple[int, ...] = ()) -> list:
    logs = [rehearsal.log(place, silent) for place in places]
    for log in logs:
        validate_log(rehearsal.ceremony, log, SCHEME)
    return logs


def sign_with(shares: dict[int, int], places: tuple[int, ...]) -> bytes:
    return bls.combine({x: bls.sign(shares[x], MESSAGE, bls.FINALITY_DOMAIN) for x in places})


def signs(key: bytes, shares: dict[int, int], places: tuple[int, ...]) -> bool:
    return bls.verify(key, MESSAGE, sign_with(shares, places), bls.FINALITY_DOMAIN)


# The key stays ------------------------------------------------------------------------------------------


def test_every_selection_keeps_the_key() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    key = rehearsal.ceremony.previous.key
    for places in combinations((1, 2, 3, 4), 3):
        polynomial, shares = rehearsal.outcome([rehearsal.log(place) for place in places])
        assert polynomial.key == key
        assert sorted(shares) == list(range(1, 8))
        assert signs(key, shares, (2, 3, 5, 6, 7))


def test_the_order_of_a_selection_does_not_matter() -> None:
    for rehearsal in (keyed(FOUR, SEVEN), generation(FOUR, SEVEN)):
        logs = [rehearsal.log(place) for place in (1, 3, 4)]
        assert combine_logs(rehearsal.ceremony, logs) == combine_logs(rehearsal.ceremony, logs[::-1])


def test_one_share_less_than_the_threshold_does_not_sign() -> None:
    rehearsal = keyed(FOUR, FOUR)
    key = rehearsal.ceremony.previous.key
    _, shares = rehearsal.outcome([rehearsal.log(place) for place in (1, 2, 4)])
    for places in combinations(shares, 3):
        assert signs(key, shares, places)
    for places in combinations(shares, 2):
        assert not signs(key, shares, places)


def test_old_and_new_shares_do_not_mix() -> None:
    rehearsal = keyed(FOUR, FOUR)
    key = rehearsal.ceremony.previous.key
    _, shares = rehearsal.outcome([rehearsal.log(place) for place in (1, 2, 4)])
    for taken in combinations(range(1, 5), 3):
        for old in (1, 2):
            mixed = {x: rehearsal.shares[x] if turn < old else shares[x] for turn, x in enumerate(taken)}
            assert not signs(key, mixed, taken)
        assert signs(key, dict(rehearsal.shares), taken)


SIZES = [equal(0, 4), equal(10, 7), equal(2, 4), equal(30, 22), equal(8, 5), committee(60, 3, 2, 2, 1, 1)]


def test_committees_of_changing_size_keep_the_key() -> None:
    """A generation, then resharings among 4, 7, 4, 22, 5 and 5 members, the last with several seats each."""
    first = generation(SIZES[-1], SIZES[0])
    polynomial, shares = first.outcome(valid_logs(first, tuple(range(1, first.ceremony.needed + 1))))
    key = polynomial.key
    held: ValidatorSet = SIZES[0]
    for players in SIZES[1:]:
        rehearsal = resharing(held, players, polynomial, shares)
        ceremony = rehearsal.ceremony
        # the last places deal, and some players are silent
        places = tuple(range(1 + ceremony.dealer_seats.spare, 1 + ceremony.dealer_seats.total))
        few = len(places) > 10
        logs = valid_logs(rehearsal, places, () if few else (0,))
        polynomial, shares = rehearsal.outcome(logs)
        assert polynomial.key == key
        assert polynomial.threshold == ceremony.threshold == len(polynomial.points)
        assert all(polynomial.is_share(place, share) for place, share in shares.items())
        assert sorted(shares) == list(range(1, ceremony.player_seats.total + 1))
        assert signs(key, shares, tuple(shares)[-ceremony.threshold :])
        held = players


def test_a_generation_makes_a_key_that_nobody_dealt() -> None:
    rehearsal = generation(FOUR, SEVEN)
    polynomial, shares = rehearsal.outcome(valid_logs(rehearsal, (1, 2, 4), silent=(3,)))
    secrets = [rehearsal.dealings[place][0].at(0) for place in (1, 2, 4)]
    assert polynomial.key == bls.public_key(sum(secrets))
    assert polynomial.key not in [rehearsal.dealings[place][1].key for place in range(1, 5)]
    assert signs(polynomial.key, shares, (1, 2, 3, 4, 7))


# What a faulty dealer tries -----------------------------------------------------------------------------


def equivocated(victim: int) -> tuple[Rehearsal, list]:
    """Place 1 sent one polynomial to a victim, who signed, and logs another in which it reveals its share."""
    rehearsal = keyed(FOUR, SEVEN)
    other = rehearsal.dealing(1, salt=b"other")
    acks = {index: rehearsal.ack(1, index, other[1].encode()) for index in range(7) if index != victim}
    log = close_log(rehearsal.ceremony, 1, other, acks, rehearsal.dealer(1).sign)
    assert log is not None
    return rehearsal, [log, *valid_logs(rehearsal, (2, 3))]


def test_commitments_other_than_those_sent() -> None:
    rehearsal, logs = equivocated(victim=5)
    validate_log(rehearsal.ceremony, logs[0], SCHEME)
    received = rehearsal.received(5)
    assert received[1][0] != logs[0].commitments.encode()
    shares = derive_shares(rehearsal.ceremony, logs, 5, received)
    assert combine_logs(rehearsal.ceremony, logs).is_share(6, shares[6])
    # whoever trusted what it was sent would have another number
    polynomial = combine_logs(rehearsal.ceremony, logs)
    weights = bls.lagrange_at_zero((1, 2, 3))
    trusting = sum(w * received[place][1][0] for w, place in zip(weights, (1, 2, 3), strict=True))
    assert not polynomial.is_share(6, trusting % bls.ORDER)


def test_a_replaced_dealing_that_was_not_revealed() -> None:
    """Who signed for what it has no longer is told which dealing is missing."""
    rehearsal, logs = equivocated(victim=5)
    for index in (0, 4):
        with pytest.raises(MissingDealing) as caught:
            derive_shares(rehearsal.ceremony, logs, index, rehearsal.received(index))
        assert caught.value.place == 1


def test_a_lost_dealing() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    logs = valid_logs(rehearsal, (1, 3, 4))
    received = rehearsal.received(0)
    del received[3]
    with pytest.raises(MissingDealing, match="are not there") as caught:
        derive_shares(rehearsal.ceremony, logs, 0, received)
    assert caught.value.place == 3
    short = {place: (commitments, ()) for place, (commitments, _) in rehearsal.received(0).items()}
    with pytest.raises(MissingDealing):
        derive_shares(rehearsal.ceremony, logs, 0, short)


def test_a_damaged_dealing() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    logs = valid_logs(rehearsal, (1, 3, 4))
    received = rehearsal.received(0)
    received[3] = (received[3][0], (received[3][1][0] + 1,))
    with pytest.raises(InvalidInput, match="not on the polynomial") as caught:
        derive_shares(rehearsal.ceremony, logs, 0, received)
    assert not isinstance(caught.value, MissingDealing)


def test_shares_that_are_public_need_not_be_received() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    logs = valid_logs(rehearsal, (1, 3, 4), silent=(2,))
    known = derive_shares(rehearsal.ceremony, logs, 2, {})
    assert known == derive_shares(rehearsal.ceremony, logs, 2, rehearsal.received(2))
    assert list(known) == [3]


def test_a_selection_is_whole() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    logs = [rehearsal.log(place) for place in (1, 2, 3, 4)]
    for selection in ([], logs[:2], logs, [logs[0], logs[1], logs[0]]):
        with pytest.raises(UsageError, match="of different places"):
            combine_logs(rehearsal.ceremony, selection)


def test_logs_that_nobody_checked_do_not_change_the_key() -> None:
    rehearsal = keyed(FOUR, SEVEN)
    logs = [rehearsal.log(place) for place in (1, 2, 3)]
    foreign = SecretPolynomial.from_seed(bytes(32), 5).public()
    with pytest.raises(InvalidInput, match="change the key"):
        combine_logs(rehearsal.ceremony, [replace(logs[0], commitments=foreign), *logs[1:]])


def test_a_key_that_cancels_the_others() -> None:
    """The attack on sums of keys: it takes a proof of a secret that the attacker does not know."""
    rehearsal = generation(FOUR, SEVEN)
    wanted = SecretPolynomial.from_seed(b"the attacker's".ljust(32), 5)
    others = [rehearsal.dealings[place][1] for place in (1, 2)]
    points = [
        bls.g2_multiple(coefficient) + -(one + two)
        for coefficient, one, two in zip(wanted.coefficients, others[0].points, others[1].points, strict=True)
    ]
    rogue = PublicPolynomial(points)
    claimed = bls.sign(wanted.at(0), MESSAGE, bls.POSSESSION_DOMAIN)
    dealing = (wanted, rogue, claimed)
    acks = {index: rehearsal.ack(4, index, rogue.encode()) for index in range(7)}
    log = close_log(rehearsal.ceremony, 4, dealing, acks, rehearsal.dealer(4).sign)
    logs = [rehearsal.log(1), rehearsal.log(2), log]
    assert combine_logs(rehearsal.ceremony, logs).key == bls.public_key(wanted.at(0))
    with pytest.raises(InvalidInput, match="does not prove that it knows"):
        validate_log(rehearsal.ceremony, log, SCHEME)


# Members with several seats, and who is exposed ---------------------------------------------------------


def test_members_have_a_share_for_each_seat() -> None:
    rehearsal = keyed(committee(0, 3, 2, 2), committee(10, 1, 1, 1, 97))
    ceremony = rehearsal.ceremony
    logs = valid_logs(rehearsal, tuple(range(1, ceremony.needed + 1)))
    for index, count in enumerate(ceremony.player_seats.counts):
        shares = derive_shares(ceremony, logs, index, rehearsal.received(index))
        assert list(shares) == list(ceremony.player_seats.places(index))
        assert len(shares) == count


def test_exactly_those_whose_shares_are_known_are_exposed() -> None:
    """Of 3 logs of 4 dealers one may be of a faulty one: to be revealed in the two others is enough."""
    rehearsal = keyed(FOUR, equal(10, 10))
    ceremony = rehearsal.ceremony
    assert (ceremony.needed, ceremony.dealer_seats.spare, ceremony.reveal_limit) == (3, 1, 3)
    silent = {1: (0, 4, 9), 2: (0, 4), 3: (0, 5, 9)}
    logs = [rehearsal.log(place, players) for place, players in silent.items()]
    assert exposed_members(ceremony, logs) == (0, 4, 9)
    assert exposed_members(ceremony, [rehearsal.log(place) for place in (1, 2, 3)]) == ()
    # Member 4, revealed by dealers 1 and 2: dealer 3 knows what it dealt, and so the share.
    weights = bls.lagrange_at_zero((1, 2, 3))
    public = [log.results[4].shares[0] for log in logs[:2] if isinstance(log.results[4], Reveal)]
    known = [*public, shares_for(ceremony, rehearsal.dealings[3][0], 4)[0]]
    share = sum(weight * part for weight, part in zip(weights, known, strict=True)) % bls.ORDER
    assert combine_logs(ceremony, logs).is_share(5, share)


def test_members_without_seats_are_not_exposed() -> None:
    rehearsal = keyed(FOUR, committee(10, 1, 1, 1, 97))
    logs = [rehearsal.log(place) for place in (1, 2, 3)]
    assert exposed_members(rehearsal.ceremony, logs) == ()


@pytest.mark.parametrize("count", range(1, 40))
def test_exposed_and_faulty_members_of_equal_weight_stay_below_the_threshold(count: int) -> None:
    ceremony = keyed(FOUR, equal(10, count)).ceremony
    assert 2 * ceremony.reveal_limit < ceremony.threshold
