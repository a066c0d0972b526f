"""Votes and proposals: their bytes, and what is not one."""

from __future__ import annotations

import pytest
from bft_kit import A, precommit, prevote, proposal, signature_of, who

from chainstack_sdk.consensus.bft.messages import (
    DOMAIN,
    MAX_EXTRA,
    NIL,
    Proposal,
    SignedMessage,
    SignedVote,
    Vote,
    VoteKind,
    attach,
    content,
    decode_message,
    kind_of,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

HEIGHT, ROUND = 0x0102030405060708, 0x0A0B0C0D
MESSAGES: list[SignedMessage] = [
    prevote(0, A),
    precommit(3, NIL, round=2**32 - 1, height=2**64 - 1),
    proposal(1, A),
    proposal(1, A, round=5, valid_round=4, extra=bytes(MAX_EXTRA)),
]


def test_the_payload_of_a_vote() -> None:
    vote = Vote(VoteKind.PRECOMMIT, HEIGHT, ROUND, A)
    expected = DOMAIN + bytes.fromhex("02 0000000000000007 0102030405060708 0a0b0c0d") + A
    assert vote.payload(7) == expected
    assert vote.digest(7) == keccak256(expected)
    assert len(expected) == 75
    assert expected[0] == 0x19


def test_the_payload_of_a_proposal() -> None:
    made = Proposal(HEIGHT, ROUND, A, 2, b"proof")
    head = bytes.fromhex("03 0000000000000007 0102030405060708 0a0b0c0d")
    assert made.payload(7) == DOMAIN + head + A + bytes.fromhex("00000003") + b"proof"
    assert made.digest(7) == keccak256(made.payload(7))
    assert Proposal(HEIGHT, ROUND, A).payload(7) == DOMAIN + head + A + bytes(4)


def test_the_domain_is_no_transactions_first_byte() -> None:
    assert DOMAIN == b"\x19chainstack consensus\x00"
    assert DOMAIN[0] not in (0x01, 0x02)
    assert DOMAIN[0] < 0xC0


def test_everything_signed_is_bound() -> None:
    vote, made = Vote(VoteKind.PREVOTE, 1, 2, A), Proposal(1, 2, A, 1, b"x")
    digests = {
        vote.digest(7),
        vote.digest(8),
        Vote(VoteKind.PRECOMMIT, 1, 2, A).digest(7),
        Vote(VoteKind.PREVOTE, 2, 2, A).digest(7),
        Vote(VoteKind.PREVOTE, 1, 3, A).digest(7),
        Vote(VoteKind.PREVOTE, 1, 2, NIL).digest(7),
        made.digest(7),
        Proposal(1, 2, A, 0, b"x").digest(7),
        Proposal(1, 2, A, 1, b"y").digest(7),
    }
    assert len(digests) == 9


@pytest.mark.parametrize("message", MESSAGES)
def test_round_trips(message: SignedMessage) -> None:
    encoded = message.encode()
    assert decode_message(encoded) == message
    assert attach(content(message), message.validator, message.signature) == message
    assert encoded[0] == kind_of(message)
    size = 130 if isinstance(message, SignedVote) else 134 + len(message.proposal.extra)
    assert len(encoded) == size


GOOD_VOTE, GOOD_PROPOSAL = prevote(0, A).encode(), proposal(0, A, round=1, valid_round=0).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nothing", b""),
        ("a cut vote", GOOD_VOTE[:-1]),
        ("a vote and more", GOOD_VOTE + b"\0"),
        ("a vote of no kind", b"\0" + GOOD_VOTE[1:]),
        ("a vote as a proposal", b"\3" + GOOD_VOTE[1:]),
        ("a proposal as a vote", b"\1" + GOOD_PROPOSAL[1:]),
        ("a cut proposal", GOOD_PROPOSAL[:133]),
        ("too much extra", GOOD_PROPOSAL + bytes(MAX_EXTRA + 1)),
        ("a proposal of nothing", GOOD_PROPOSAL[:13] + NIL + GOOD_PROPOSAL[45:]),
        ("a valid round that is not earlier", GOOD_PROPOSAL[:45] + b"\0\0\0\2" + GOOD_PROPOSAL[49:]),
    ],
)
def test_what_is_no_message(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_message(data)


@pytest.mark.parametrize(
    ("height", "round_", "block"),
    [(-1, 0, A), (2**64, 0, A), (1, -1, A), (1, 2**32, A), (1, 0, A[1:]), (1, 0, A + A)],
)
def test_what_cannot_be_encoded_cannot_be_made(height: int, round_: int, block: bytes) -> None:
    with pytest.raises(InvalidInput):
        Vote(VoteKind.PREVOTE, height, round_, block)
    with pytest.raises(InvalidInput):
        Proposal(height, round_, block)


@pytest.mark.parametrize(("valid_round", "extra"), [(1, b""), (-2, b""), (0, bytes(MAX_EXTRA + 1))])
def test_proposals_that_cannot_be_made(valid_round: int, extra: bytes) -> None:
    with pytest.raises(InvalidInput):
        Proposal(1, 1, A, valid_round, extra)


def test_the_parts_of_a_message() -> None:
    vote, made = prevote(2, A), proposal(2, A)
    assert (vote.validator, vote.signature) == (made.validator, made.signature) == (who(2), signature_of(2))
