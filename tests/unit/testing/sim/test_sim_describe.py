from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft import NIL, Proposal, SignedProposal, SignedVote, Vote, VoteKind
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.network import wire
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing import bare_chain
from chainstack_sdk.testing.sim.describe import describe_message, short, signed_message

BLOCK = bytes.fromhex("3fa9c1") + bytes(29)
HEADER = bare_chain().head
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
        (wire.encode(Kind.ENGINE, b"\x01" + vote(VoteKind.PREVOTE, BLOCK)), "prevote 5/2 3fa9c1"),
        (
            wire.encode(Kind.ENGINE, encode_announcement(HEADER, b"seal")),
            f"announcement {HEADER.height} {HEADER.hash[:3].hex()}",
        ),
        (wire.encode(Kind.ENGINE, b"nonsense"), "engine message of 8 bytes"),
        (wire.encode(Kind.ENGINE, b"\x01" + rlp_encode([])), "engine message of 2 bytes"),
        (wire.encode(Kind.ENGINE, b"\x01" + rlp_encode([b"", b""])), "engine message of 4 bytes"),
        (b"", "0 bytes"),
    ],
)
def test_messages_in_words(message: bytes, told: str) -> None:
    assert describe_message(message) == told


def test_signatures_are_found_in_messages() -> None:
    signed = vote(VoteKind.PREVOTE, BLOCK)
    for engine in (signed, b"\x01" + signed):
        found = signed_message(wire.encode(Kind.ENGINE, engine))
        assert found is not None
        assert found.encode() == signed
    others = wire.encode_status(1), wire.encode(Kind.ENGINE, b""), wire.encode(Kind.CANDIDATE, signed), b""
    assert [signed_message(message) for message in others] == [None] * 4


def test_hashes_in_short() -> None:
    assert (short(BLOCK), short(NIL)) == ("3fa9c1", "nil")
