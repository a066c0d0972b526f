"""Logs: what is valid, and every way of not being."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from ceremony_kit import CHAIN_ID, SCHEME, Rehearsal, committee, equal, generation, keyed, resharing

from chainstack_sdk.consensus.bft import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.log import (
    Ack,
    DealerLog,
    Reveal,
    ack_digest,
    log_digest,
    possession_message,
    validate_log,
    validate_public_part,
)
from chainstack_sdk.consensus.chainkey.polynomial import SecretPolynomial
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

FOUR, SEVEN = equal(0, 4), equal(4, 7)
SHARED = keyed(FOUR, SEVEN)
MADE = generation(FOUR, SEVEN)
PLAIN = SHARED.log(2)
REVEALING = SHARED.log(2, silent=(1, 6))
NEW = MADE.log(3, silent=(0,))
WEIGHTED = keyed(committee(0, 4, 2, 2, 1), committee(10, 1, 1, 1, 97))


def refuse(rehearsal: Rehearsal, log: DealerLog, match: str) -> None:
    """Refused with the right reason, again and again, by one who knows nothing and by one who knows much."""
    for scheme in (SCHEME, Secp256k1Scheme(), SCHEME):
        with pytest.raises(InvalidInput, match=match):
            validate_log(rehearsal.ceremony, log, scheme)


# What is valid ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rehearsal", "log"), [(SHARED, PLAIN), (SHARED, REVEALING), (MADE, NEW), (MADE, MADE.log(1))]
)
def test_honest_logs_are_valid(rehearsal: Rehearsal, log: DealerLog) -> None:
    for _ in range(2):
        validate_log(rehearsal.ceremony, log, SCHEME)
        validate_log(rehearsal.ceremony, DealerLog.decode(log.encode()), Secp256k1Scheme())


def test_all_members_with_several_seats_or_none() -> None:
    ceremony = WEIGHTED.ceremony
    assert 0 in ceremony.player_seats.counts
    assert max(ceremony.dealer_seats.counts) > 1
    for place in WEIGHTED.dealings:
        log = WEIGHTED.log(place)
        validate_log(ceremony, log, SCHEME)
        for count, result in zip(ceremony.player_seats.counts, log.results, strict=True):
            assert isinstance(result, Ack) if count else result == Reveal(())


def test_logs_read_as_written() -> None:
    for log in (PLAIN, REVEALING, NEW, WEIGHTED.log(1)):
        data = log.encode()
        again = DealerLog.decode(data)
        assert again == log
        assert hash(again) == hash(log)
        assert again.encode() == data


def test_the_layout() -> None:
    item = rlp_decode(NEW.encode())
    dealing = MADE.dealings[3]
    assert item[:3] == [b"\3", dealing[1].encode(), dealing[2]]
    assert item[3][0] == [dealing[0].at(1).to_bytes(32, "big")]
    assert [len(ack) for ack in item[3][1:]] == [65] * 6
    assert len(item[4]) == 65
    assert len(NEW.encode()) < 1_200


def test_the_digests() -> None:
    ceremony = MADE.ceremony
    start = ceremony.hash + bytes(3) + b"\3"
    commitments = NEW.commitments.encode()
    ack = keccak256(b"chainstack key ack" + start + keccak256(commitments))
    assert ack_digest(ceremony, 3, commitments) == ack
    body = rlp_encode(rlp_decode(NEW.encode())[:4])
    signed = keccak256(b"chainstack key log" + ceremony.hash + keccak256(body))
    assert log_digest(ceremony, 3, NEW.commitments, NEW.possession, NEW.results) == signed
    assert possession_message(ceremony, 3, NEW.commitments.key) == start + NEW.commitments.key
    for place in (-1, 2**32):
        with pytest.raises(UsageError):
            ack_digest(ceremony, place, commitments)


# What is not --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 5, 2**32 - 1])
def test_nobody_has_the_place(place: int) -> None:
    refuse(SHARED, replace(PLAIN, place=place), "no dealer has that place")


def test_another_degree() -> None:
    """Of a higher degree, a threshold of shares would say nothing; of a lower, fewer would sign."""
    for threshold in (4, 6):
        share = SHARED.shares[2]
        polynomial = SecretPolynomial.from_seed(bytes(32), threshold, share)
        dealing = (polynomial, polynomial.public(), b"")
        SHARED.dealings[9] = dealing
        acks = {index: SHARED.ack(2, index, dealing[1].encode()) for index in range(7)}
        log = close_log(SHARED.ceremony, 2, dealing, acks, SHARED.dealer(2).sign)
        del SHARED.dealings[9]
        assert log is not None
        refuse(SHARED, log, "another degree")


def test_another_share_than_that_of_the_place() -> None:
    """It would change the key; a dealer of several places may not mix them up either."""
    for share in (12345, SHARED.shares[3]):
        polynomial = SecretPolynomial.from_seed(bytes(32), 5, share)
        with pytest.raises(InvalidInput, match="something else than the share"):
            validate_public_part(SHARED.ceremony, 2, polynomial.public())
        acks = {index: SHARED.ack(2, index, polynomial.public().encode()) for index in range(7)}
        dealing = (polynomial, polynomial.public(), b"")
        log = close_log(SHARED.ceremony, 2, dealing, acks, SHARED.dealer(2).sign)
        assert log is not None
        refuse(SHARED, log, "something else than the share")


def test_a_log_of_another_ceremony() -> None:
    ceremony = SHARED.ceremony
    for other in (
        replace(ceremony, round=3),
        replace(ceremony, chain_id=CHAIN_ID + 1),
        replace(ceremony, generation=2),
    ):
        with pytest.raises(InvalidInput, match="not signed by its dealer"):
            validate_log(other, PLAIN, SCHEME)


def test_a_log_of_another_place_of_the_same_dealer() -> None:
    """Signed by the right account: but the place is signed for."""
    seats = WEIGHTED.ceremony.dealer_seats
    places = seats.places(seats.counts.index(2))
    log = WEIGHTED.log(places[0])
    moved = replace(log, place=places[1])
    refuse(WEIGHTED, moved, "something else than the share")
    both = generation(WEIGHTED.ceremony.dealers, SEVEN)
    moved = replace(both.log(places[0]), place=places[1])
    refuse(both, moved, "not signed by its dealer")


def test_signed_by_another() -> None:
    digest = log_digest(SHARED.ceremony, 2, PLAIN.commitments, b"", PLAIN.results)
    for signature in (SHARED.dealer(1).sign(digest), bytes(65), b"\xff" * 65, PLAIN.signature[:-1] + b"\2"):
        refuse(SHARED, replace(PLAIN, signature=signature), "not signed by its dealer")


def test_acknowledged_by_another() -> None:
    commitments = PLAIN.commitments.encode()
    digest = ack_digest(SHARED.ceremony, 2, commitments)
    for signature in (
        SHARED.player(0).sign(digest),
        SHARED.ack(1, 3, commitments),
        SHARED.ack(2, 3, SHARED.dealings[1][1].encode()),
        SHARED.ack(2, 3, b""),
        bytes(65),
    ):
        log = SHARED.with_result(PLAIN, 3, Ack(signature))
        refuse(SHARED, log, "not signed by its player")


def test_reveals_that_are_no_shares() -> None:
    right = SHARED.dealings[2][0].at(2)
    for share in (right + 1, bls.ORDER - right, 1):
        log = SHARED.with_result(REVEALING, 1, Reveal((share,)))
        refuse(SHARED, log, "reveals what is no share")


def test_two_wrong_reveals_do_not_cancel() -> None:
    """Neither in the plain sum, nor in a sum with the weights of another log, nor swapped."""
    polynomial = SHARED.dealings[2][0]
    first, second = polynomial.at(2), polynomial.at(7)
    for wrong in ((first + 1, second - 1), (second, first), (first + 2, second), (first, second + 3)):
        log = SHARED.with_result(REVEALING, 1, Reveal((wrong[0] % bls.ORDER,)))
        log = SHARED.with_result(log, 6, Reveal((wrong[1] % bls.ORDER,)))
        refuse(SHARED, log, "reveals what is no share")


def test_too_many_reveals() -> None:
    polynomial = SHARED.dealings[2][0]
    log = SHARED.with_result(REVEALING, 3, Reveal((polynomial.at(4),)))
    refuse(SHARED, log, "reveals too much")
    dealing = SHARED.dealings[2]
    acks = {index: SHARED.ack(2, index, dealing[1].encode()) for index in range(4)}
    assert close_log(SHARED.ceremony, 2, dealing, acks, SHARED.dealer(2).sign) is None


def test_the_limit_counts_seats() -> None:
    rehearsal = keyed(FOUR, committee(10, 3, 3, 2, 2))
    seats = rehearsal.ceremony.player_seats
    heavy = seats.counts.index(max(seats.counts))
    log = rehearsal.log(1)
    everything = tuple(index for index in range(4) if index != heavy)
    for index in everything:
        shares = shares_for(rehearsal.ceremony, rehearsal.dealings[1][0], index)
        log = rehearsal.with_result(log, index, Reveal(shares))
    refuse(rehearsal, log, "reveals too much")


def test_one_share_for_each_seat() -> None:
    polynomial = SHARED.dealings[2][0]
    for shares in ((), (polynomial.at(2), polynomial.at(3))):
        log = SHARED.with_result(REVEALING, 1, Reveal(shares))
        refuse(SHARED, log, "one share for each seat")
    seats = WEIGHTED.ceremony.player_seats
    index = seats.counts.index(0)
    log = WEIGHTED.with_result(WEIGHTED.log(1), index, Reveal((1,)))
    refuse(WEIGHTED, log, "one share for each seat")
    acked = Ack(WEIGHTED.ack(1, index, WEIGHTED.dealings[1][1].encode()))
    refuse(WEIGHTED, WEIGHTED.with_result(WEIGHTED.log(1), index, acked), "nothing to acknowledge")


def test_one_result_for_each_player() -> None:
    for results in ((), PLAIN.results[:-1], (*PLAIN.results, PLAIN.results[0])):
        refuse(SHARED, SHARED.resigned(PLAIN, results=results), "one result for each player")


def test_possession_is_for_generations() -> None:
    refuse(SHARED, SHARED.resigned(PLAIN, possession=bytes(48)), "in a generation only")
    refuse(MADE, MADE.resigned(NEW, possession=b""), "in a generation only")


def test_a_key_of_nobody() -> None:
    """In a generation the last dealer could choose a key that cancels the others': but not know it."""
    polynomial, commitments, possession = MADE.dealings[3]
    other_place = MADE.dealings[2][2]
    other_purpose = bls.sign(
        polynomial.at(0), possession_message(MADE.ceremony, 3, commitments.key), bls.FINALITY_DOMAIN
    )
    other_round = deal(replace(MADE.ceremony, round=9), 3, bytes(32), None)[2]
    for claimed in (other_place, other_purpose, other_round, b"\xc0" + bytes(47), bytes(48)):
        refuse(MADE, MADE.resigned(NEW, possession=claimed), "does not prove that it knows")
    moved = bls.sign(
        polynomial.at(0), possession_message(MADE.ceremony, 2, commitments.key), bls.POSSESSION_DOMAIN
    )
    assert moved != possession
    refuse(MADE, MADE.resigned(NEW, possession=moved), "does not prove that it knows")


def test_a_copied_dealing_is_not_the_copiers() -> None:
    """Without knowing the polynomial there are no signatures of the players, and no proof of possession."""
    commitments, possession = MADE.dealings[3][1:]
    copied = MADE.resigned(NEW, place=1, possession=possession, commitments=commitments)
    refuse(MADE, copied, "not signed by its player")
    acks = tuple(Ack(MADE.ack(1, index, commitments.encode())) for index in range(7))
    refuse(MADE, MADE.resigned(copied, results=acks), "does not prove that it knows")


# Bytes that are no log ----------------------------------------------------------------------------------


def spoiled(change: Callable[[list], object]) -> bytes:
    item = rlp_decode(REVEALING.encode())
    change(item)
    return rlp_encode(item)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\xc0",
        REVEALING.encode()[:-1],
        REVEALING.encode() + b"\0",
        spoiled(lambda item: item.pop()),
        spoiled(lambda item: item.append(b"")),
        spoiled(lambda item: item.__setitem__(0, [])),
        spoiled(lambda item: item.__setitem__(0, b"\0\2")),
        spoiled(lambda item: item.__setitem__(0, bytes([1, 0, 0, 0, 0]))),
        spoiled(lambda item: item.__setitem__(1, b"")),
        spoiled(lambda item: item.__setitem__(1, item[1][:-1])),
        spoiled(lambda item: item.__setitem__(1, item[1][:-96] + b"\xc0" + bytes(95))),
        spoiled(lambda item: item.__setitem__(2, bytes(47))),
        spoiled(lambda item: item.__setitem__(3, b"")),
        spoiled(lambda item: item.__setitem__(3, [bytes(65)] * 1_025)),
        spoiled(lambda item: item[3].__setitem__(0, bytes(64))),
        spoiled(lambda item: item[3].__setitem__(1, [bytes(31)])),
        spoiled(lambda item: item[3].__setitem__(1, [[bytes(32)]])),
        spoiled(lambda item: item[3].__setitem__(1, [bytes(32)])),
        spoiled(lambda item: item[3].__setitem__(1, [bls.ORDER.to_bytes(32, "big")])),
        spoiled(lambda item: item[3].__setitem__(1, [b"\xff" * 32])),
        spoiled(lambda item: item.__setitem__(4, item[4] + b"\0")),
        b"\xc1" * 5_000 + b"\xc0",
    ],
)
def test_bytes_that_are_no_log(data: bytes) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput):
            DealerLog.decode(data)


def test_no_byte_of_a_log_may_differ() -> None:
    """One that still reads as a log is refused for its signatures."""
    for log, rehearsal in ((REVEALING, SHARED), (NEW, MADE)):
        data = log.encode()
        for position in range(0, len(data), 3):
            damaged = bytearray(data)
            damaged[position] ^= 1 << position % 8
            with pytest.raises(InvalidInput):
                validate_log(rehearsal.ceremony, DealerLog.decode(bytes(damaged)), SCHEME)


def test_a_resharing_of_what_was_generated() -> None:
    polynomial, shares = MADE.outcome([MADE.log(place) for place in (4, 1, 2)])
    following = resharing(SEVEN, FOUR, polynomial, shares)
    assert isinstance(following.ceremony, Ceremony)
    for place in following.dealings:
        validate_log(following.ceremony, following.log(place, silent=(place % 4,)), SCHEME)
