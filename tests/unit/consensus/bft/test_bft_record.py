"""The durable record: what goes in comes out, and damage is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bft_kit import CHAIN, PRECOMMIT, PREVOTE, A, B, precommit, prevote, proposal, who

from chainstack_sdk.consensus.bft.messages import MAX_EXTRA, NIL, Proposal, Vote
from chainstack_sdk.consensus.bft.record import Record
from chainstack_sdk.consensus.bft.round import RoundState, Step
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

LOCKED = RoundState(9, 4, Step.PRECOMMIT, A, 4, B, 2)
MESSAGES = (Proposal(9, 4, A, 2, bytes(MAX_EXTRA)), Vote(PREVOTE, 9, 4, A), Vote(PRECOMMIT, 9, 4, NIL))
VOTES = (*(prevote(index, B, 2, 9) for index in range(3)), precommit(3, NIL, 3, 9))
FULL = Record(CHAIN, who(1), LOCKED, MESSAGES, VOTES)
BARE = Record(CHAIN, who(1), RoundState(1))


@pytest.mark.parametrize("record", [FULL, BARE, Record(2**64 - 1, who(0), RoundState(2**64 - 1, 2**32 - 1))])
def test_round_trips(record: Record) -> None:
    assert Record.decode(record.encode()) == record


def test_flags_are_not_kept_and_a_decision_is_found_again() -> None:
    state = replace(LOCKED, step=Step.COMMITTED, polka_taken=True, polka_waited=True, precommit_waited=True)
    assert Record.decode(Record(CHAIN, who(1), state).encode()).state == LOCKED


def test_the_layout() -> None:
    head = bytes.fromhex("01 0000000000000007") + who(1)
    state = bytes.fromhex("0000000000000001 00000000 01") + 2 * (bytes(4) + bytes(32))
    body = head + state + b"\0" + b"\0\0"
    assert BARE.encode() == body + keccak256(body)


def test_any_damage_is_noticed() -> None:
    data = FULL.encode()
    for at in range(0, len(data), 7):
        with pytest.raises(InvalidInput, match="damaged"):
            Record.decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for cut in (b"", data[:10], data[:-1], data + b"\0"):
        with pytest.raises(InvalidInput, match="damaged"):
            Record.decode(cut)


def resealed(change: bytes, at: int, record: Record = BARE) -> bytes:
    """Return a record with other bytes in a place, and a checksum to match."""
    body = record.encode()[:-32]
    changed = body[:at] + change + body[at + len(change) :]
    return changed + keccak256(changed)


def with_votes(votes: bytes) -> bytes:
    """Return a record with other bytes in place of one vote."""
    return resealed(votes, COUNT + 3, replace(BARE, votes=(precommit(0, A),)))


COUNT = len(BARE.encode()) - 32 - 3
"""Where the number of messages stands."""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("another version", resealed(b"\2", 0)),
        ("no step", resealed(b"\0", 41)),
        ("a decided step", resealed(b"\4", 41)),
        ("a locked value without a round", resealed(A, 46)),
        ("a message that is not there", resealed(b"\1", COUNT)),
        ("votes that are not there", resealed(b"\1", COUNT + 2)),
        ("bytes after the end", resealed(bytes(5), COUNT + 1)),
        ("a proposal among the votes", with_votes(proposal(1, A).encode()[:130])),
    ],
)
def test_contents_that_are_no_records(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Record.decode(data)


def test_a_cut_vote_is_refused() -> None:
    body = FULL.encode()[:-32]
    for end in (len(body) - 130, len(body) - 1):
        with pytest.raises(InvalidInput):
            Record.decode(body[:end] + keccak256(body[:end]))
