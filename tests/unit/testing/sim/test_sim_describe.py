from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft import NIL, Proposal, SignedProposal, SignedVote, Vote, VoteKind
from chainstack_sdk.network import wire
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.testing.sim.describe import describe_message, short

BLOCK = bytes.fromhex("3fa9c1") + bytes(29)
WHO, SIGNATURE = b"v" * 20, b"s" * 65


def vote(kind: VoteKind, block_hash: bytes) -> bytes:
    return SignedVote(Vote(kind, 5, 2, block_hash), WHO, SIGNATURE).encode()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (wire.encode(Kind.ENGINE, vote(VoteKind.PREVOTE, BLOCK)), "prevote 5/2 3fa9c1"),
        (wire.encode(Kind.ENGINE, vote(VoteKind.PRECOMMIT, NIL)), "precommit 5/2 nil"),
        (
            wire.encode(Kind.ENGINE, SignedProposal(Proposal(5, 2, BLOCK), WHO, SIGNATURE).encode()),
            "proposal 5/2 3fa9c1",
        ),
        (
            wire.encode(Kind.ENGINE, SignedProposal(Proposal(5, 2, BLOCK, 1), WHO, SIGNATURE).encode()),
            "proposal 5/2 3fa9c1 valid since round 1",
        ),
        (wire.encode(Kind.FETCH, BLOCK), "fetch 3fa9c1"),
        (wire.encode_status(12), "status 12"),
        (wire.encode(Kind.CANDIDATE, bytes(84)), "candidate block of 84 bytes"),
        (wire.encode(Kind.DECIDED, bytes(90)), "decided block of 90 bytes"),
        (wire.encode(Kind.ENGINE, b"nonsense"), "9 bytes"),
        (b"", "0 bytes"),
    ],
)
def test_messages_in_words(message: bytes, told: str) -> None:
    assert describe_message(message) == told


def test_hashes_in_short() -> None:
    assert (short(BLOCK), short(NIL)) == ("3fa9c1", "nil")
