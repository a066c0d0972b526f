"""The durable record: what a validator must remember to never contradict itself.

It is written before a message is signed, and a restarted validator goes on from it: in the same round and
step, with the same lock. It holds

- the state of the round;
- the messages of that round that were to be signed: they may be signed again, unchanged. Messages of
  earlier rounds need not be kept, as nobody votes in a round that he has left;
- votes of others, as they may be lost elsewhere: the polka behind the valid value, without which a
  restarted proposer could convince nobody, and the precommits of the round before, without which those
  who are still in that round might wait for ever.

::

    version u8 ‖ chain id u64 ‖ address 20 ‖ height u64 ‖ round u32 ‖ step u8 ‖
    locked round + 1 u32 ‖ locked value 32 ‖ valid round + 1 u32 ‖ valid value 32 ‖
    number of messages u8 ‖ (size u16 ‖ message)… ‖ number of votes u16 ‖ vote 130 … ‖ checksum 32

Messages are as on the wire, with zeros for the signature; absent values are zeros; the checksum is
keccak-256 of all before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import (
    NIL,
    SignedVote,
    attach,
    content,
    decode_message,
)
from chainstack_sdk.consensus.bft.round import RoundState, Step
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.messages import Proposal, Vote

_VERSION = 1
_HEAD = Struct(">BQ20sQIBI32sI32sB")
_VOTE_BYTES = 130
_NO_SIGNATURE = bytes(65)


@dataclass(frozen=True, slots=True)
class Record:
    """What is durable."""

    chain_id: int
    address: bytes
    """Whose record it is: 20 bytes."""
    state: RoundState
    """Without the flags of the round, which are found again from the messages of others."""
    messages: tuple[Vote | Proposal, ...] = ()
    """What was to be signed in the round of the state."""
    votes: tuple[SignedVote, ...] = ()
    """The prevotes for the valid value in its round, and the precommits of the round before the current."""

    def encode(self) -> bytes:
        """Return the bytes laid out in the module's description."""
        state = self.state
        parts = [
            _HEAD.pack(
                _VERSION,
                self.chain_id,
                self.address,
                state.height,
                state.round,
                # a decision is found again from the precommits, or is in the chain already
                min(state.step, Step.PRECOMMIT),
                state.locked_round + 1,
                state.locked_value or NIL,
                state.valid_round + 1,
                state.valid_value or NIL,
                len(self.messages),
            )
        ]
        for message in self.messages:
            encoded = attach(message, self.address, _NO_SIGNATURE).encode()
            parts += (len(encoded).to_bytes(2, "big"), encoded)
        parts.append(len(self.votes).to_bytes(2, "big"))
        parts += [vote.encode() for vote in self.votes]
        body = b"".join(parts)
        return body + keccak256(body)

    @classmethod
    def decode(cls, data: bytes) -> Record:
        """Decode what :meth:`encode` gives.

        Raises
        ------
        InvalidInput
            When the checksum is wrong or the contents are not a record's.
        """
        body = data[:-32]
        if len(body) < _HEAD.size + 2 or keccak256(bytes(body)) != data[-32:]:
            raise InvalidInput("the consensus record is damaged")
        version, chain_id, address, height, round_, step, locked, locked_value, valid, value, count = (
            _HEAD.unpack_from(body)
        )
        if version != _VERSION or not Step.PROPOSE <= step <= Step.PRECOMMIT:
            raise InvalidInput("unknown form of consensus record", version=version, step=step)
        state = RoundState(
            height,
            round_,
            Step(step),
            locked_value=locked_value if locked else None,
            locked_round=locked - 1,
            valid_value=value if valid else None,
            valid_round=valid - 1,
        )
        messages, rest = _messages(body[_HEAD.size :], count)
        record = cls(chain_id, address, state, messages, _votes(rest))
        if record.encode() != data:
            raise InvalidInput("the consensus record is not in its canonical form")
        return record


def _messages(data: bytes, count: int) -> tuple[tuple[Vote | Proposal, ...], bytes]:
    """Return the messages at the start of the data, and what follows them."""
    messages: list[Vote | Proposal] = []
    for _ in range(count):
        end = 2 + int.from_bytes(data[:2], "big")
        message = decode_message(data[2:end])
        messages.append(content(message))
        data = data[end:]
    return tuple(messages), data


def _votes(data: bytes) -> tuple[SignedVote, ...]:
    messages = [decode_message(data[at : at + _VOTE_BYTES]) for at in range(2, len(data), _VOTE_BYTES)]
    # nothing else has this size; and the caller compares encodings
    return tuple(message for message in messages if isinstance(message, SignedVote))
