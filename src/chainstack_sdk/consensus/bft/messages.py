"""What validators say to each other: proposals and votes, signed.

A validator signs keccak-256 of a *payload*, which begins with a byte that no transaction begins with and
names the chain, so that a signature means one thing only. All integers are big-endian.

===============  =====  ==========================================================
payload          bytes
===============  =====  ==========================================================
domain              22  ``0x19 ‖ "chainstack consensus" ‖ 0x00``
type                 1  1 prevote, 2 precommit, 3 proposal
chain id             8
height               8
round                4
block hash          32  zeros in a vote for nil
valid round + 1      4  proposals only; 0 when there is none
extra            0-256  proposals only
===============  =====  ==========================================================

On the wire a message leaves out the domain and the chain id, which both ends know, and ends with the
validator's address and signature; the extra bytes of a proposal come last. A message has one encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import TypeAlias

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

DOMAIN = b"\x19chainstack consensus\x00"
"""What every payload begins with."""
NIL = bytes(32)
"""The block hash in a vote for no block."""
MAX_EXTRA = 256
"""Bytes that a proposer may add to a proposal."""

_PROPOSAL = 3
_PROPOSAL_TYPE = bytes((_PROPOSAL,))
_MAX_HEIGHT = 2**64 - 1
_MAX_ROUND = 2**32 - 1
_VOTE_PAYLOAD = Struct(f">{len(DOMAIN)}sBQQI32s")
_PROPOSAL_PAYLOAD = Struct(f">{len(DOMAIN)}sBQQI32sI")
_VOTE = Struct(">BQI32s20s65s")
_PROPOSAL_HEAD = Struct(">BQI32sI20s65s")
_MAX_PROPOSAL = _PROPOSAL_HEAD.size + MAX_EXTRA


class VoteKind(IntEnum):
    """The two votes of a round."""

    PREVOTE = 1
    PRECOMMIT = 2


_KINDS = {int(kind): kind for kind in VoteKind}


@dataclass(frozen=True, slots=True)
class Vote:
    """What a validator votes for in a round of a height."""

    kind: VoteKind
    height: int
    """Below 2^64."""
    round: int
    """Below 2^32."""
    block_hash: bytes
    """32 bytes; :data:`NIL` for no block."""

    def __post_init__(self) -> None:
        if not (
            0 <= self.height <= _MAX_HEIGHT and 0 <= self.round <= _MAX_ROUND and len(self.block_hash) == 32
        ):
            raise InvalidInput("a vote is for a height, a round and a block hash of 32 bytes")

    def payload(self, chain_id: int) -> bytes:
        """Return what is hashed and signed on a chain: 75 bytes."""
        return _VOTE_PAYLOAD.pack(DOMAIN, self.kind, chain_id, self.height, self.round, self.block_hash)

    def digest(self, chain_id: int) -> bytes:
        """Return keccak-256 of the payload."""
        return keccak256(
            _VOTE_PAYLOAD.pack(DOMAIN, self.kind, chain_id, self.height, self.round, self.block_hash)
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a round's proposer wants decided."""

    height: int
    """Below 2^64."""
    round: int
    """Below 2^32."""
    block_hash: bytes
    """32 bytes, not :data:`NIL`."""
    valid_round: int = -1
    """The earlier round in which more than 2/3 prevoted for this block, or -1."""
    extra: bytes = b""
    """At most 256 bytes; what they mean is the engine's affair."""

    def __post_init__(self) -> None:
        if not (
            0 <= self.height <= _MAX_HEIGHT
            and -1 <= self.valid_round < self.round <= _MAX_ROUND
            and len(self.block_hash) == 32
            and self.block_hash != NIL
        ):
            raise InvalidInput("a proposal is for a height, a round above its valid round, and a block")
        if len(self.extra) > MAX_EXTRA:
            raise InvalidInput("a proposal carries too much", expected=MAX_EXTRA, actual=len(self.extra))

    def payload(self, chain_id: int) -> bytes:
        """Return what is hashed and signed on a chain: 79 bytes and the extra ones."""
        return (
            _PROPOSAL_PAYLOAD.pack(
                DOMAIN, _PROPOSAL, chain_id, self.height, self.round, self.block_hash, self.valid_round + 1
            )
            + self.extra
        )

    def digest(self, chain_id: int) -> bytes:
        """Return keccak-256 of the payload."""
        return keccak256(self.payload(chain_id))


@dataclass(frozen=True, slots=True)
class SignedVote:
    """A vote, who casts it, and the signature, which is *not* checked by decoding."""

    vote: Vote
    validator: bytes
    """20 bytes."""
    signature: bytes
    """65 bytes, r ‖ s ‖ v."""

    def encode(self) -> bytes:
        """Return ``type ‖ height ‖ round ‖ block hash ‖ validator ‖ signature``: 130 bytes."""
        vote = self.vote
        return _VOTE.pack(vote.kind, vote.height, vote.round, vote.block_hash, self.validator, self.signature)


@dataclass(frozen=True, slots=True)
class SignedProposal:
    """A proposal, whose it is, and the signature, which is *not* checked by decoding."""

    proposal: Proposal
    validator: bytes
    """20 bytes."""
    signature: bytes
    """65 bytes, r ‖ s ‖ v."""

    def encode(self) -> bytes:
        """Return ``3 ‖ height ‖ round ‖ block hash ‖ valid round + 1 ‖ validator ‖ signature ‖ extra``.

        134 to 390 bytes.
        """
        proposal = self.proposal
        return (
            _PROPOSAL_HEAD.pack(
                _PROPOSAL,
                proposal.height,
                proposal.round,
                proposal.block_hash,
                proposal.valid_round + 1,
                self.validator,
                self.signature,
            )
            + proposal.extra
        )


SignedMessage: TypeAlias = SignedVote | SignedProposal
"""What engines exchange."""


def content(message: SignedMessage) -> Vote | Proposal:
    """Return what is signed: the vote or the proposal."""
    return message.vote if isinstance(message, SignedVote) else message.proposal


def kind_of(message: SignedMessage) -> int:
    """Return the type byte: 1 prevote, 2 precommit, 3 proposal."""
    return int(message.vote.kind) if isinstance(message, SignedVote) else _PROPOSAL


def attach(message: Vote | Proposal, validator: bytes, signature: bytes) -> SignedMessage:
    """Return a message with who sends it (20 bytes) and the signature (65 bytes)."""
    if isinstance(message, Vote):
        return SignedVote(message, validator, signature)
    return SignedProposal(message, validator, signature)


def is_proposal(data: bytes) -> bool:
    """Tell whether bytes are a proposal rather than a vote, by their first byte alone."""
    return data[:1] == _PROPOSAL_TYPE


def decode_message(data: bytes) -> SignedMessage:
    """Decode a vote or a proposal. Signature and membership are for the caller to check.

    Raises
    ------
    InvalidInput
        For anything that :meth:`SignedVote.encode` and :meth:`SignedProposal.encode` never give.
    """
    size = len(data)
    if size == _VOTE.size:
        kind, height, round_, block_hash, validator, signature = _VOTE.unpack(data)
        if kind in _KINDS:
            return SignedVote(Vote(_KINDS[kind], height, round_, block_hash), validator, signature)
    elif _PROPOSAL_HEAD.size <= size <= _MAX_PROPOSAL and data[0] == _PROPOSAL:
        _, height, round_, block_hash, valid, validator, signature = _PROPOSAL_HEAD.unpack_from(data)
        proposal = Proposal(height, round_, block_hash, valid - 1, bytes(data[_PROPOSAL_HEAD.size :]))
        return SignedProposal(proposal, validator, signature)
    raise InvalidInput("neither a vote nor a proposal", size=size)
