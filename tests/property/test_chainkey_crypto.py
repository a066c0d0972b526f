"""Chain keys: seats for any weights, shares for any sizes, and any bytes at all where something is read."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from chainstack_sdk.consensus.bft import Secp256k1Scheme, Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.log import DealerLog, ack_digest, validate_log
from chainstack_sdk.consensus.chainkey.outcome import combine_logs, derive_shares, exposed_members
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
from chainstack_sdk.consensus.chainkey.seats import Seats, seats_of
from chainstack_sdk.primitives import bls
from chainstack_sdk.primitives.envelope import open_key, seal
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

ACCOUNTS = {account.address: account for account in map(Account.from_key, range(1, 31))}
SCHEME = Secp256k1Scheme()

secrets = st.integers(1, bls.ORDER - 1)
seeds = st.binary(min_size=32, max_size=40)
weights = st.lists(
    st.one_of(st.integers(1, 4), st.integers(1, 1_000), st.integers(1, 2**60)), min_size=1, max_size=8
)
sizes = st.lists(st.integers(1, 3), min_size=1, max_size=5)


def members(count_or_weights: list[int], first: int = 0) -> ValidatorSet:
    chosen = islice(ACCOUNTS, first, first + len(count_or_weights))
    return ValidatorSet(map(Validator, chosen, count_or_weights))


# Seats --------------------------------------------------------------------------------------------------


@given(weights)
def test_seats_keep_both_promises_for_every_set_of_members(drawn: list[int]) -> None:
    committee = members(drawn)
    seats = seats_of(committee)
    assert 2 * seats.total <= 3 * len(drawn) + 2
    assert 0 < seats.threshold <= seats.total
    assert seats.spare < seats.threshold
    for chosen in range(1 << len(drawn)):
        picked = [index for index in range(len(drawn)) if chosen >> index & 1]
        weight = sum(committee.members[index].weight for index in picked)
        held = sum(seats.counts[index] for index in picked)
        if committee.is_quorum(weight):
            assert held >= seats.threshold
        if not committee.exceeds_third(weight):
            assert held < seats.threshold
        if 3 * weight < committee.total_weight:
            assert held <= seats.spare


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_places_are_dealt_out_in_order(counts: list[int]) -> None:
    seats = Seats(tuple(counts), 1)
    places = [place for index in range(len(counts)) for place in seats.places(index)]
    assert places == list(range(1, seats.total + 1))
    assert all(place in seats.places(seats.holder(place)) for place in places)


# Signatures and polynomials -----------------------------------------------------------------------------


@settings(max_examples=30)
@given(secrets, st.binary(max_size=200), st.binary(min_size=1, max_size=255))
def test_signatures_equal_those_of_another_implementation(secret: int, message: bytes, domain: bytes) -> None:
    signature = bls.sign(secret, message, domain)
    theirs = G1Point.hash_to_curve(message, domain) * Scalar(secret)
    assert signature == bytes(theirs.to_compressed_bytes())
    assert bls.public_key(secret) == bytes((G2Point() * Scalar(secret)).to_compressed_bytes())
    assert bls.verify(bls.public_key(secret), message, signature, domain)
    assert not bls.verify(bls.public_key(secret), message + b"\0", signature, domain)


@given(st.binary(max_size=100), st.binary(max_size=60))
def test_any_bytes_may_be_verified(key: bytes, signature: bytes) -> None:
    assert not bls.verify(key, b"message", signature, bls.FINALITY_DOMAIN)


@given(st.integers(0, 2**384 - 1), st.integers(0, 2**768 - 1))
def test_points_have_one_encoding(one: int, other: int) -> None:
    for data, decode in (
        (one.to_bytes(48, "big"), bls.decode_g1),
        (other.to_bytes(96, "big"), bls.decode_g2),
    ):
        try:
            point = decode(data)
        except InvalidInput:
            continue
        assert point.compress() == data


@settings(max_examples=25)
@given(st.lists(secrets, min_size=1, max_size=6), st.data())
def test_any_threshold_of_shares_signs_as_the_key(coefficients: list[int], data: st.DataObject) -> None:
    polynomial = SecretPolynomial(coefficients)
    threshold = len(coefficients)
    places = data.draw(st.lists(st.integers(1, 200), min_size=threshold, max_size=threshold + 2, unique=True))
    parts = {x: bls.sign(polynomial.at(x), b"m", bls.BEACON_DOMAIN) for x in places}
    assert bls.combine(parts) == bls.sign(coefficients[0], b"m", bls.BEACON_DOMAIN)
    image = polynomial.public()
    assert all(image.is_share(x, polynomial.at(x)) for x in places)
    assert PublicPolynomial.decode(image.encode()) == image


# Envelopes ----------------------------------------------------------------------------------------------


@given(seeds, seeds, st.binary(max_size=300), st.binary(max_size=50), st.data())
def test_envelopes_open_for_one_key_and_are_whole(
    receiver: bytes, sender: bytes, text: bytes, context: bytes, data: st.DataObject
) -> None:
    key = open_key(receiver)
    sealed = seal(key.public, text, context, sender)
    assert key.open(sealed, context) == text
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    damaged = bytearray(sealed)
    damaged[bit // 8] ^= 1 << bit % 8
    for wrong, where in ((bytes(damaged), context), (sealed, context + b"\0"), (sealed[:-1], context)):
        with pytest.raises(InvalidInput):
            key.open(wrong, where)


@given(st.binary(max_size=200))
def test_any_bytes_may_be_opened_or_sealed_for(junk: bytes) -> None:
    with pytest.raises(InvalidInput):
        open_key(bytes(32)).open(junk, b"")
    if len(junk) != 32:
        with pytest.raises(InvalidInput):
            seal(junk, b"", b"", bytes(32))


# Ceremonies ---------------------------------------------------------------------------------------------


def run(
    ceremony: Ceremony,
    shares: Mapping[int, int | None],
    selection: list[int],
    silent: list[list[int]],
    seed: bytes,
) -> tuple[PublicPolynomial, dict[int, int], list[DealerLog]]:
    """Deal, acknowledge, log, check, combine: the outcome, all new shares, and the logs."""
    dealings = {place: deal(ceremony, place, seed, shares[place]) for place in selection}
    logs = []
    for place, quiet in zip(selection, silent, strict=True):
        commitments = dealings[place][1].encode()
        acks = {
            index: ACCOUNTS[member.address].sign(ack_digest(ceremony, place, commitments))
            for index, member in enumerate(ceremony.players)
            if ceremony.player_seats.counts[index] and index not in quiet
        }
        dealer = ceremony.dealers.members[ceremony.dealer_seats.holder(place)].address
        log = close_log(ceremony, place, dealings[place], acks, ACCOUNTS[dealer].sign)
        if log is None:  # more silence than can be revealed
            return run(ceremony, shares, selection, [[]] * len(selection), seed)
        validate_log(ceremony, DealerLog.decode(log.encode()), SCHEME)
        logs.append(log)
    new: dict[int, int] = {}
    for index in range(len(ceremony.players)):
        received = {
            place: (commitments.encode(), shares_for(ceremony, polynomial, index))
            for place, (polynomial, commitments, _) in dealings.items()
        }
        new |= derive_shares(ceremony, logs, index, received)
    return combine_logs(ceremony, logs), new, logs


@settings(max_examples=12)
@given(st.lists(sizes, min_size=3, max_size=4), st.data())
def test_a_key_outlives_any_committees(drawn: list[list[int]], data: st.DataObject) -> None:
    """Generated, then reshared: with any weights, any selection, and anybody silent within the limit."""
    committees = [members(one, data.draw(st.integers(0, 20))) for one in drawn]
    shares: Mapping[int, int | None] = dict.fromkeys(range(1, seats_of(committees[0]).total + 1))
    polynomial = None
    for round, (dealers, players) in enumerate(pairwise(committees)):
        ceremony = Ceremony(1, round, 1, dealers, players, polynomial)
        places = data.draw(st.permutations(range(1, ceremony.dealer_seats.total + 1)))
        selection = places[: ceremony.needed]
        quiet = st.lists(st.integers(0, len(players) - 1), max_size=2)
        silent = data.draw(st.lists(quiet, min_size=len(selection), max_size=len(selection)))
        before, seed = polynomial, data.draw(seeds)
        polynomial, new, logs = run(ceremony, shares, selection, silent, seed)
        assert before is None or polynomial.key == before.key
        assert polynomial.threshold == ceremony.threshold
        assert all(polynomial.is_share(place, share) for place, share in new.items())
        signers = data.draw(st.permutations(sorted(new)))[: ceremony.threshold]
        parts = {x: bls.sign(new[x], b"final", bls.FINALITY_DOMAIN) for x in signers}
        assert bls.verify(polynomial.key, b"final", bls.combine(parts), bls.FINALITY_DOMAIN)
        del parts[signers[0]]
        if parts:
            assert not bls.verify(polynomial.key, b"final", bls.combine(parts), bls.FINALITY_DOMAIN)
        assert set(exposed_members(ceremony, logs)) <= {index for one in silent for index in one}
        shares = new


# Bytes from elsewhere -----------------------------------------------------------------------------------

CEREMONY = Ceremony(1, 1, 1, members([1] * 4), members([1] * 4, 10), None)
_DEALING = deal(CEREMONY, 2, bytes(32), None)
LOG = close_log(
    CEREMONY,
    2,
    _DEALING,
    {
        index: ACCOUNTS[CEREMONY.players.members[index].address].sign(
            ack_digest(CEREMONY, 2, _DEALING[1].encode())
        )
        for index in range(3)
    },
    ACCOUNTS[CEREMONY.dealers.members[1].address].sign,
)
assert LOG is not None
ENCODED = LOG.encode()


def refused(data: bytes) -> bool:
    """Whether bytes are refused, in the way that is promised."""
    try:
        validate_log(CEREMONY, DealerLog.decode(data), SCHEME)
    except InvalidInput:
        return True
    return False


@given(st.binary(max_size=400))
def test_any_bytes_may_be_read_as_a_log(data: bytes) -> None:
    assert refused(data)


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_log_is_refused(data: st.DataObject) -> None:
    assert not refused(ENCODED)
    changed = bytearray(ENCODED)
    match data.draw(st.sampled_from(["flip", "cut", "insert", "swap"])):
        case "flip":
            bit = data.draw(st.integers(0, 8 * len(ENCODED) - 1))
            changed[bit // 8] ^= 1 << bit % 8
        case "cut":
            at = data.draw(st.integers(0, len(ENCODED) - 1))
            del changed[at : at + data.draw(st.integers(1, 100))]
        case "insert":
            at = data.draw(st.integers(0, len(ENCODED)))
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=100))
        case _:
            at, to = (data.draw(st.integers(0, len(ENCODED) - 33)) for _ in range(2))
            changed[at : at + 32] = ENCODED[to : to + 32]
    assert bytes(changed) == ENCODED or refused(bytes(changed))


items = st.recursive(
    st.one_of(st.binary(max_size=100), st.sampled_from([bytes(n) for n in (1, 32, 48, 65, 96)])),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.integers(0, 4), items)
def test_a_log_with_any_item_in_place_of_one(which: int, item: object) -> None:
    parts = rlp_decode(ENCODED)
    assert isinstance(parts, list)
    parts[which] = item  # type: ignore[call-overload]
    assert refused(rlp_encode(parts))


@settings(max_examples=50)
@given(st.lists(items, max_size=7))
def test_a_log_of_any_items(drawn: list[object]) -> None:
    assert refused(rlp_encode(drawn))  # type: ignore[arg-type]
