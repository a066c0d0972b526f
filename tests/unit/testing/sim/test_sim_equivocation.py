from __future__ import annotations

from collections.abc import Hashable

from chainstack_sdk.consensus.bft import (
    NIL,
    Proposal,
    Secp256k1Scheme,
    SignedProposal,
    SignedVote,
    Vote,
    VoteKind,
    decode_message,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.effects import Effect, Send, Store
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.sim import Conspiracy, Equivocate, Fickle

CHAIN_ID = 5
LIAR, OTHER = accounts(2)
BODY, FALSE_BODY = b"the block", b"kcolb eht"
BLOCK, FALSE_BLOCK = keccak256(BODY), keccak256(FALSE_BODY)


class Sayer:
    """Says what it is told, and keeps what it hears."""

    def __init__(self) -> None:
        self.says: tuple[Effect, ...] = ()
        self.heard: list[bytes] = []

    def start(self) -> tuple[Effect, ...]:
        return self.says

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        self.heard.append(message)
        return self.says

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return self.says

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        return self.says


def liar() -> tuple[Sayer, Equivocate]:
    sayer = Sayer()
    conspiracy = Conspiracy(["a"], lambda body: body[::-1])
    return sayer, Equivocate(sayer, LIAR, CHAIN_ID, conspiracy, ["a", "b"])


def told(*effects: Effect, node: tuple[Sayer, Equivocate]) -> tuple[Effect, ...]:
    node[0].says = effects
    return node[1].start()


def signed_vote(account, kind: VoteKind, block_hash: bytes) -> bytes:
    vote = Vote(kind, 3, 1, block_hash)
    signed = SignedVote(vote, account.address, account.sign(vote.digest(CHAIN_ID)))
    return wire.encode(Kind.ENGINE, signed.encode())


def false_vote(effect: Effect) -> Vote:
    """The vote that b hears, after a look at its signature."""
    assert isinstance(effect, Send)
    assert effect.to == "b"
    signed = decode_message(wire.decode(effect.message)[1])
    assert isinstance(signed, SignedVote)
    assert Secp256k1Scheme().signer(signed.vote.digest(CHAIN_ID), signed.signature) == LIAR.address
    return signed.vote


def test_two_blocks_two_proposals_two_votes() -> None:
    node = liar()
    candidate = wire.encode(Kind.CANDIDATE, BODY)
    false_candidate = wire.encode(Kind.CANDIDATE, FALSE_BODY)
    assert told(Send(candidate), node=node) == (Send(candidate, "a"), Send(false_candidate, "b"))
    proposal = Proposal(3, 1, BLOCK, 0, b"extra")
    signed = SignedProposal(proposal, LIAR.address, LIAR.sign(proposal.digest(CHAIN_ID)))
    message = wire.encode(Kind.ENGINE, signed.encode())
    true, false = told(Send(message), node=node)
    assert true == Send(message, "a")
    assert isinstance(false, Send)
    other = decode_message(wire.decode(false.message)[1])
    assert isinstance(other, SignedProposal)
    assert other.proposal == Proposal(3, 1, FALSE_BLOCK, 0, b"extra")
    assert Secp256k1Scheme().signer(other.proposal.digest(CHAIN_ID), other.signature) == LIAR.address
    for kind in VoteKind:
        vote = signed_vote(LIAR, kind, BLOCK)
        true, false = told(Send(vote), node=node)
        assert true == Send(vote, "a")
        assert false_vote(false) == Vote(kind, 3, 1, FALSE_BLOCK)


def test_votes_for_blocks_of_others_become_votes_for_nothing() -> None:
    vote = signed_vote(LIAR, VoteKind.PREVOTE, BLOCK)
    _, false = told(Send(vote), node=liar())
    assert false_vote(false).block_hash == NIL


def test_the_stories_agree_when_there_is_nothing_to_contradict() -> None:
    proposal = Proposal(3, 1, BLOCK)
    unknown = SignedProposal(proposal, LIAR.address, LIAR.sign(proposal.digest(CHAIN_ID)))
    same = (
        Send(signed_vote(LIAR, VoteKind.PREVOTE, NIL)),
        Send(signed_vote(OTHER, VoteKind.PREVOTE, BLOCK)),
        Send(wire.encode(Kind.ENGINE, unknown.encode())),
        Send(wire.encode(Kind.CANDIDATE, BODY), "b"),
        Send(wire.encode_status(3)),
        Store(b"record"),
    )
    assert told(*same, node=liar()) == same


def test_single_receivers_hear_their_story() -> None:
    vote = signed_vote(LIAR, VoteKind.PREVOTE, BLOCK)
    true, false = told(Send(vote, "a"), Send(vote, "b"), node=liar())
    assert true == Send(vote, "a")
    assert false_vote(false).block_hash == NIL


def test_the_fickle_tell_either_story() -> None:
    def stories(seed: int) -> list[bool]:
        conspiracy = Fickle(lambda body: body[::-1], seed)
        assert conspiracy.falsify(BODY) == FALSE_BODY
        return [conspiracy.hears_truth("a") for _ in range(40)]

    assert set(stories(1)) == {True, False}
    assert stories(1) == stories(1) != stories(2)


def test_the_false_block_is_handed_out() -> None:
    node = liar()
    told(Send(wire.encode(Kind.CANDIDATE, BODY)), node=node)
    node[0].says = ()
    fetch = wire.encode(Kind.FETCH, FALSE_BLOCK)
    assert node[1].receive("b", fetch) == (Send(wire.encode(Kind.CANDIDATE, FALSE_BODY), "b"),)
    assert node[0].heard == []
    for message in (wire.encode(Kind.FETCH, BLOCK), wire.encode_status(1)):
        assert node[1].receive("b", message) == ()
    assert len(node[0].heard) == 2
