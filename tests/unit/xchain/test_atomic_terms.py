"""What the parties agree on: encodings, ids, limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.xchain.atomic import AtomicTerms, Comparison, Guard, Leg
from chainstack_sdk.xchain.atomic.terms import MAX_GUARDS, MAX_LEGS, decode_message, encode_message
from chainstack_sdk.xchain.custody import Asset

A, B, NOBODY = b"\xaa" * 20, b"\xbb" * 20, bytes(20)
GUARD = Guard(B, b"question", Comparison.EQUAL, 5)
LEG = Leg(7, A, B, Asset.erc20(B, 10), (GUARD, Guard.balance(A, 3)))
TERMS = AtomicTerms.of(A, 1, 9, 1_000, [LEG, replace(LEG, chain=8), replace(LEG, guards=())])


def test_encodings_are_those_of_the_table():
    assert rlp_decode(LEG.encode()) == [
        *(b"\x07", A, B, b"\x01", B, b"\x0a"),
        [[B, b"question", b"", b"\x05"], [A, b"", b"\x01", b"\x03"]],
    ]
    pairs = [[chain.to_bytes(1, "big"), leg_hash] for chain, leg_hash in TERMS.legs]
    assert rlp_decode(TERMS.encode()) == [A, b"\x01", b"\x09", b"\x03\xe8", pairs]
    assert TERMS.id == keccak256(b"chainstack atomic" + TERMS.encode())
    assert LEG.hash == keccak256(LEG.encode()) == TERMS.legs[0][1]


def test_what_was_encoded_is_decoded():
    assert Leg.decode(LEG.encode()) == LEG
    assert AtomicTerms.decode(TERMS.encode()) == TERMS
    assert decode_message(encode_message(3, b"abc")) == (3, b"abc")
    assert (TERMS.chains, TERMS.legs_on(7), TERMS.legs_on(1)) == ((7, 8), (0, 2), ())


def test_every_field_counts():
    """Two transactions that differ in anything have different ids."""
    changed = [
        replace(TERMS, initiator=B),
        replace(TERMS, nonce=2),
        replace(TERMS, coordinator=8),
        replace(TERMS, deadline_ms=999),
        replace(TERMS, legs=TERMS.legs[:2]),
        replace(TERMS, legs=TERMS.legs[::-1]),
    ]
    legs = [
        replace(LEG, chain=6),
        replace(LEG, owner=B),
        replace(LEG, recipient=A),
        replace(LEG, asset=Asset.erc721(B, 10)),
        replace(LEG, asset=Asset.erc20(A, 10)),
        replace(LEG, asset=Asset.erc20(B, 11)),
        replace(LEG, guards=(GUARD,)),
    ]
    assert len({one.id for one in (TERMS, *changed)}) == 7
    assert len({one.hash for one in (LEG, *legs)}) == 8


@pytest.mark.parametrize(
    "make",
    [
        lambda: Guard(A[1:], b"", Comparison.EQUAL, 0),
        lambda: Guard(A, bytes(513), Comparison.EQUAL, 0),
        lambda: Guard(A, b"", Comparison.EQUAL, 1 << 256),
        lambda: Guard(A, b"", Comparison.EQUAL, -1),
        lambda: replace(LEG, chain=1 << 64),
        lambda: replace(LEG, owner=A + b"\0"),
        lambda: replace(LEG, owner=NOBODY),
        lambda: replace(LEG, recipient=NOBODY),
        lambda: replace(LEG, recipient=b""),
        lambda: replace(LEG, guards=(GUARD,) * (MAX_GUARDS + 1)),
        lambda: replace(TERMS, initiator=b""),
        lambda: replace(TERMS, nonce=1 << 64),
        lambda: replace(TERMS, deadline_ms=-1),
        lambda: replace(TERMS, legs=()),
        lambda: replace(TERMS, legs=TERMS.legs[:1] * (MAX_LEGS + 1)),
        lambda: replace(TERMS, legs=((1 << 64, LEG.hash),)),
        lambda: replace(TERMS, legs=((1, LEG.hash[1:]),)),
    ],
)
def test_what_does_not_fit(make):
    with pytest.raises(InvalidInput):
        make()


def leg_items(**changed):
    names = ("chain", "owner", "recipient", "kind", "token", "number", "guards")
    items = dict(zip(names, rlp_decode(LEG.encode()), strict=True))
    return rlp_encode(list({**items, **changed}.values()))


@pytest.mark.parametrize(
    "data",
    [
        leg_items(kind=b"\x03"),
        leg_items(kind=b""),
        leg_items(token=NOBODY),
        leg_items(token=b"\x01"),
        leg_items(number=b"\0\x01"),
        leg_items(guards=[b"guard"]),
        leg_items(guards=[[A, b"", b"\x02", b""]]),
        leg_items(guards=b""),
    ],
)
def test_legs_that_are_none(data):
    with pytest.raises(InvalidInput):
        Leg.decode(data)


def test_transactions_that_are_none():
    for legs in ([b"leg"], [[b"\x01", LEG.hash, b""]]):
        with pytest.raises(InvalidInput):
            AtomicTerms.decode(rlp_encode([A, 1, 9, 1_000, legs]))


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(max_size=3))
def test_any_bytes_are_decoded_or_refused(noise, at, patch):
    for decode, good in (
        (Leg.decode, LEG.encode()),
        (AtomicTerms.decode, TERMS.encode()),
        (decode_message, encode_message(1, b"abc")),
    ):
        for data in (noise, good[:at] + patch + good[at + len(patch) :], good[:at]):
            try:
                found = decode(data)
            except InvalidInput:
                continue
            again = encode_message(*found) if isinstance(found, tuple) else found.encode()
            assert again == data
