"""Four validators, their messages, and a message pump: what the tests beside this file share.

Signatures are the signer's address and zeros, which :class:`TrustingScheme` believes; those that matter
as signatures are real ones, in the tests of the scheme, the certificates and the evidence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from chainstack_sdk.consensus.bft import (
    BftCore,
    FixedMembership,
    Proposal,
    SignedProposal,
    SignedVote,
    Validator,
    ValidatorSet,
    Vote,
    VoteKeeper,
    VoteKind,
)
from chainstack_sdk.consensus.bft.gossip import EarlyMessages
from chainstack_sdk.consensus.bft.heightlog import HeightLog
from chainstack_sdk.consensus.bft.votes import Tally
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    Broadcast,
    Decide,
    EngineInput,
    EngineOutput,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    Sign,
    Signed,
)

CHAIN = 7
A, B, C = b"\xaa" * 32, b"\xbb" * 32, b"\xcc" * 32
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


class TrustingScheme:
    """Believes signatures that begin with the signer's address."""

    def signer(self, digest: bytes, signature: bytes) -> bytes | None:
        return signature[:20]

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        return [signature[:20] for _, signature in requests]


def who(index: int) -> bytes:
    return bytes([index + 1]) * 20


def signature_of(index: int) -> bytes:
    return who(index) + bytes(45)


def committee(*weights: int) -> ValidatorSet:
    return ValidatorSet(Validator(who(index), weight) for index, weight in enumerate(weights))


FOUR = committee(1, 1, 1, 1)


def vote(kind: VoteKind, index: int, block: bytes, round: int = 0, height: int = 1) -> SignedVote:
    return SignedVote(Vote(kind, height, round, block), who(index), signature_of(index))


def prevote(index: int, block: bytes, round: int = 0, height: int = 1) -> SignedVote:
    return vote(PREVOTE, index, block, round, height)


def precommit(index: int, block: bytes, round: int = 0, height: int = 1) -> SignedVote:
    return vote(PRECOMMIT, index, block, round, height)


def proposal(
    index: int, block: bytes, round: int = 0, valid_round: int = -1, height: int = 1, extra: bytes = b""
) -> SignedProposal:
    return SignedProposal(Proposal(height, round, block, valid_round, extra), who(index), signature_of(index))


def received(message: SignedVote | SignedProposal) -> MessageReceived:
    return MessageReceived(message.encode())


def core(index: int | None, height: int = 1, validators: ValidatorSet = FOUR, **options: Any) -> BftCore:
    """Return an engine; the validator with this index proposes height 1, round `index` - 1 (mod 4)."""
    options.setdefault("membership", FixedMembership(validators))
    options.setdefault("scheme", TrustingScheme())
    address = None if index is None else who(index)
    return BftCore(CHAIN, address=address, height=height, **options)


def snapshot(value: Any) -> Any:
    """Return a comparable copy of all that an engine holds, but for its count of refusals."""
    if isinstance(value, dict):
        return [(key, snapshot(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [snapshot(item) for item in value]
    if isinstance(value, set):
        return frozenset(value)
    if isinstance(value, Tally):
        return [snapshot(getattr(value, name)) for name in Tally.__slots__]
    if isinstance(value, BftCore | HeightLog | VoteKeeper | EarlyMessages):
        return [(name, snapshot(item)) for name, item in vars(value).items() if name != "refused"]
    return value


def flat(outputs: Iterable[EngineOutput]) -> list[EngineOutput]:
    """Return the outputs with those that wait for a record after it."""
    found: list[EngineOutput] = []
    for output in outputs:
        found.append(output)
        if isinstance(output, Persist):
            found += flat(output.then)
    return found


def asked(outputs: Iterable[EngineOutput]) -> list[bytes]:
    """Return the payloads that the outputs want signed."""
    return [output.payload for output in flat(outputs) if isinstance(output, Sign)]


def sign_all(engine: BftCore, index: int, outputs: Iterable[EngineOutput]) -> list[EngineOutput]:
    """Answer every wish to sign, and those that follow; return all outputs with what is in records."""
    everything: list[EngineOutput] = []
    pending = deque(flat(outputs))
    while pending:
        output = pending.popleft()
        everything.append(output)
        if isinstance(output, Sign):
            pending.extend(flat(engine.process(Signed(output.payload, signature_of(index)))))
    return everything


class Pump:
    """Engines in one process; every message arrives, in the order of sending."""

    def __init__(self, count: int, validators: ValidatorSet | None = None) -> None:
        validators = validators or committee(*[1] * count)
        self.engines = [core(index, validators=validators) for index in range(count)]
        self.decided: dict[int, list[Decide]] = {}
        self.delays: set[int] = set()
        """After how many message delays decisions were reached."""
        self.sent = 0
        self._queue: deque[tuple[int, bytes, int]] = deque()

    def start(self) -> None:
        for index, engine in enumerate(self.engines):
            self._carry_out(index, engine.start(), 0)

    def run(self) -> None:
        while self._queue:
            index, message, delay = self._queue.popleft()
            self._feed(index, MessageReceived(message), delay)

    def commit(self, height: int) -> None:
        """Tell every engine that its decision has been appended; the count of delays begins anew."""
        for index in range(len(self.engines)):
            self._feed(index, BlockCommitted(height, self.decided[height][0].block_hash), 0)

    def _feed(self, index: int, event: EngineInput, delay: int) -> None:
        self._carry_out(index, self.engines[index].process(event), delay)

    def _carry_out(self, index: int, outputs: Iterable[EngineOutput], delay: int) -> None:
        for output in outputs:
            match output:
                case Persist(_, then):
                    self._carry_out(index, then, delay)
                case Sign(payload):
                    self._feed(index, Signed(payload, signature_of(index)), delay)
                case Broadcast(message):
                    for peer in range(len(self.engines)):
                        if peer != index:
                            self.sent += 1
                            self._queue.append((peer, message, delay + 1))
                case RequestBlock(height):
                    self._feed(index, BlockProposed(height, height.to_bytes(32, "big")), delay)
                case FetchBlock(height, block_hash):
                    self._feed(index, BlockProposed(height, block_hash), delay)
                case Decide(height):
                    self.decided.setdefault(height, []).append(output)
                    self.delays.add(delay)
