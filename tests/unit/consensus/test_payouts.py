"""The list of those whom a block pays: one encoding, one hash, and every wei given away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.consensus.payouts import MAX_PAYOUTS, Payouts, split, validate_payouts
from chainstack_sdk.consensus.work import work_commitment
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

A, B, C = (bytes([byte]) * 20 for byte in (1, 2, 3))
HEAVIEST = 2**128 - 1

works = st.dictionaries(st.binary(min_size=20, max_size=20), st.integers(1, HEAVIEST), max_size=20)


def test_the_bytes() -> None:
    payouts = Payouts(((A, 5), (B, HEAVIEST)))
    assert payouts.encode() == A + bytes(15) + b"\x05" + B + b"\xff" * 16
    assert payouts.hash == keccak256(payouts.encode())
    assert Payouts.decode(payouts.encode()) == payouts


def test_nobody() -> None:
    nobody = Payouts()
    assert nobody.encode() == b""
    assert nobody.hash == bytes(32)
    assert Payouts.decode(b"") == nobody == Payouts.of({}) == Payouts.of({A: 0})


@given(works)
def test_there_and_back(work: dict[bytes, int]) -> None:
    payouts = Payouts.of(work)
    assert dict(payouts.entries) == work
    assert [address for address, _ in payouts.entries] == sorted(work)
    assert Payouts.decode(payouts.encode()) == payouts
    assert all(payouts.weight_of(address) == weight for address, weight in work.items())


@given(st.one_of(st.binary(max_size=120), works.map(lambda work: Payouts.of(work).encode())), st.data())
def test_any_bytes_are_refused_or_the_one_encoding(encoded: bytes, data: st.DataObject) -> None:
    if encoded:
        at = data.draw(st.integers(0, len(encoded) - 1))
        encoded = encoded[:at] + data.draw(st.binary(max_size=2)) + encoded[at + 1 :]
    try:
        payouts = Payouts.decode(encoded)
    except InvalidInput:
        return
    assert payouts.encode() == encoded


@pytest.mark.parametrize(
    "entries",
    [
        ((B, 1), (A, 1)),
        ((A, 1), (A, 1)),
        ((A, 0),),
        ((A, -1),),
        ((A, HEAVIEST + 1),),
        ((b"", 1),),
        ((A[1:], 1),),
        ((A + b"\x01", 1),),
    ],
    ids=["order", "twice", "zero", "negative", "heavy", "none", "short", "long"],
)
def test_impossible_lists(entries: tuple[tuple[bytes, int], ...]) -> None:
    with pytest.raises(InvalidInput):
        Payouts(entries)


@pytest.mark.parametrize(
    "data",
    [A, A + bytes(16), A + bytes(15), 2 * (A + bytes(15) + b"\x01"), (A + b"\x01" * 16) * (MAX_PAYOUTS + 1)],
    ids=["no weight", "weight 0", "cut", "twice", "many"],
)
def test_malformed_lists(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Payouts.decode(data)


def test_as_many_as_possible_and_one_more() -> None:
    work = {index.to_bytes(20, "big"): 7 for index in range(MAX_PAYOUTS)}
    assert len(Payouts.of(work).entries) == MAX_PAYOUTS
    full = Payouts.of(work | {A: 9, B: 6})
    assert full.weight_of(A) == 9
    assert full.weight_of(B) == 0, "the least is left out"
    last = (MAX_PAYOUTS - 1).to_bytes(20, "big")
    assert full.weight_of(last) == 0, "of equals, the highest address"
    assert full.weight_of((MAX_PAYOUTS - 2).to_bytes(20, "big")) == 7
    with pytest.raises(InvalidInput):
        Payouts((*full.entries, (b"\xff" * 20, 1)))


def test_a_block_carries_what_its_header_commits_to() -> None:
    payouts = Payouts(((A, 5), (B, 6)))
    commitment = work_commitment(10, payouts.hash)
    assert validate_payouts(commitment, payouts.encode()) == payouts
    assert validate_payouts(work_commitment(10, bytes(32)), b"") == Payouts()
    for attachment in (b"", Payouts(((A, 5),)).encode(), Payouts(((A, 6), (B, 6))).encode()):
        with pytest.raises(InvalidInput, match="other payouts"):
            validate_payouts(commitment, attachment)
    for broken, attachment in ((b"", payouts.encode()), (commitment, payouts.encode()[:-1])):
        with pytest.raises(InvalidInput):
            validate_payouts(broken, attachment)


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, (1, 1), (50, 50)),
        (100, (1, 1, 1), (34, 33, 33)),
        (101, (1, 1, 1), (34, 34, 33)),
        (10, (1, 2, 4), (1, 3, 6)),
        (0, (3, 5), (0, 0)),
        (1, (1, 10**30), (0, 1)),
        (7, (5,), (7,)),
        (10, (6, 6, 2), (4, 4, 2)),
    ],
)
def test_dividing(amount: int, weights: tuple[int, ...], shares: tuple[int, ...]) -> None:
    entries = [(bytes([index]) * 20, weight) for index, weight in enumerate(weights)]
    assert [wei for _, wei in split(amount, entries)] == list(shares)


@given(st.integers(0, 2**200), st.lists(st.integers(1, HEAVIEST), min_size=1, max_size=50))
def test_every_wei_goes_where_it_is_due(amount: int, weights: list[int]) -> None:
    entries = [(index.to_bytes(20, "big"), weight) for index, weight in enumerate(weights)]
    shares = split(amount, entries)
    assert [address for address, _ in shares] == [address for address, _ in entries]
    assert sum(wei for _, wei in shares) == amount
    total = sum(weights)
    for (_, weight), (_, wei) in zip(entries, shares, strict=True):
        assert abs(wei * total - amount * weight) < total, "less than a wei from the exact part"


@pytest.mark.parametrize(("amount", "entries"), [(-1, [(A, 1)]), (1, []), (1, [(A, 1), (B, 0)])])
def test_what_cannot_be_divided(amount: int, entries: list[tuple[bytes, int]]) -> None:
    with pytest.raises(UsageError):
        split(amount, entries)
