"""The main chain's engine: proof of work makes blocks, an elected committee certifies them.

Miners look for a nonce for a candidate of their own and announce its header with the nonce. The slot's
committee votes on candidates that carry their work; a block is appended when it is certified. So there are
no forks, and a block is final after one round of votes: the greatest hash power cannot rewrite a certified
block, and the committee alone cannot make one without the work.

A height begins for the committee with the first candidate, so that rounds do not go by while miners hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import SignedVote, decode_message
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.work import target_of
from chainstack_sdk.core.blocks import Header, decode_header
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    RequestWork,
    Restored,
    WorkFound,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.committee_engine import CommitteeEngine
    from chainstack_sdk.consensus.terms import WorkCheck
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule

_VOTES = 1
_WORK = 2
MAX_CANDIDATES = 64
"""Candidates of one height that an engine remembers: announced ones, and others whose work is not known."""


class DpowEngine:
    """Votes of a committee over candidates with proof of work.

    Parameters
    ----------
    committee
        The votes.
    work
        What miners must have done.
    headers
        Returns headers of the chain and of this node's own candidate, by hash.
    mining
        Whether this node makes candidates.
    """

    name = "dpow"

    def __init__(
        self,
        committee: CommitteeEngine,
        work: WorkCheck,
        headers: Callable[[bytes], Header | None],
        *,
        mining: bool = False,
    ) -> None:
        self.committee = committee
        self.mining = mining
        self._work = work
        self._headers = headers
        self._head: BlockCommitted | None = None
        self._asleep: BlockCommitted | None = None
        self._restored: dict[bytes, int] | None = None  # nonces, until the head is known
        self._has_begun = False
        self._nonces: dict[bytes, int] = {}
        self._unworked: dict[bytes, BlockProposed] = {}
        self._refused: dict[bytes, BlockRefused] = {}  # until the committee is awake
        self._worked: tuple[int, int] | None = None  # height and nonce of the newest block

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which headers are checked."""
        return self.committee.header_rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which finality is checked."""
        return self.committee.finality_rule

    @property
    def last_seal(self) -> bytes:
        """The seal of the block decided last, with every precommit known by now; empty before that."""
        seal, worked = self.committee.last_seal, self._worked
        if not seal or worked is None or worked[0] != self.committee.last_decided:
            return b""
        return _with_nonce(seal, worked[1])

    def resend(self) -> tuple[bytes, ...]:
        """Return the messages of this height that another node may lack."""
        return (
            *(
                _announcement(header, nonce)
                for block_hash, nonce in self._nonces.items()
                if (header := self._headers(block_hash)) is not None
            ),
            *(bytes((_VOTES,)) + message for message in self.committee.resend()),
        )

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order."""
        match event:
            case BlockCommitted():
                return self._on_head(event)
            case BlockProposed(_, block_hash) if block_hash not in self._nonces:
                return self._on_unworked(event)
            case BlockProposed():
                return (*self._wake(), *self._forward(event))
            case BlockRefused(_, block_hash) if self._asleep is not None:
                return self._keep_refused(block_hash, event)
            case WorkFound(block_hash, nonce):
                return self._on_work(block_hash, nonce)
            case MessageReceived(message) if message[:1] == bytes((_WORK,)):
                return self._on_announcement(message[1:])
            case MessageReceived(message) if message[:1] == bytes((_VOTES,)):
                return self._on_vote(message[1:])
            case MessageReceived():
                return ()
            case Restored(record):
                return self._on_restored(record)
        return self._forward(event)

    def _on_restored(self, data: bytes) -> tuple[EngineOutput, ...]:
        record, self._restored = _open(data)
        return self._forward(Restored(record))

    # Candidates

    def _on_head(self, event: BlockCommitted) -> tuple[EngineOutput, ...]:
        nonce = self._nonces.get(event.block_hash)
        self._worked = None if nonce is None else (event.height, nonce)
        self._head = self._asleep = event
        self._nonces.clear()
        self._unworked.clear()
        self._refused.clear()
        woken: tuple[EngineOutput, ...] = ()
        if self._restored is not None:  # it may have voted at this height before it went down
            self._nonces, self._restored = self._restored, None
            woken = self._wake()
        return (*woken, RequestBlock(event.height + 1)) if self.mining else woken

    def _on_unworked(self, event: BlockProposed) -> tuple[EngineOutput, ...]:
        """Work on a candidate of one's own; remember that of another until its work is known."""
        if self._head is None or event.height != self._head.height + 1:
            return ()
        foreign = [block_hash for block_hash, other in self._unworked.items() if not other.own]
        if len(foreign) >= MAX_CANDIDATES:  # anybody can make candidates that nobody works on
            del self._unworked[foreign[0]]
        self._unworked[event.block_hash] = event
        header = self._headers(event.block_hash)
        if header is None or not event.own:
            return ()
        return (RequestWork(header.hash, target_of(self._work.difficulty(header))),)

    def _keep_refused(self, block_hash: bytes, event: BlockRefused) -> tuple[EngineOutput, ...]:
        self._unworked.pop(block_hash, None)
        while len(self._refused) >= MAX_CANDIDATES:
            del self._refused[next(iter(self._refused))]
        self._refused[block_hash] = event
        return ()

    def _on_work(self, block_hash: bytes, nonce: int) -> tuple[EngineOutput, ...]:
        header = self._headers(block_hash)
        if header is None or block_hash not in self._unworked:
            return ()
        try:
            self._work.validate_work(header, nonce)
        except InvalidInput:
            return ()
        return (Broadcast(_announcement(header, nonce)), *self._accept(block_hash, nonce))

    def _on_announcement(self, data: bytes) -> tuple[EngineOutput, ...]:
        head = self._head
        parent = None if head is None else self._headers(head.block_hash)
        try:
            header, nonce = _parse(data)
            if parent is None or header.hash in self._nonces or len(self._nonces) >= MAX_CANDIDATES:
                return ()
            if header.height != parent.height + 1 or header.parent_hash != parent.hash:
                return ()
            self._work.validate_work(header, nonce)  # before anything that costs more
            self._work.validate_candidate(header, parent)
        except InvalidInput:
            return ()
        if header.hash in self._unworked:
            return self._accept(header.hash, nonce)
        self._nonces[header.hash] = nonce
        return (FetchBlock(header.height, header.hash),)

    def _accept(self, block_hash: bytes, nonce: int) -> tuple[EngineOutput, ...]:
        self._nonces[block_hash] = nonce
        return (*self._wake(), *self._forward(self._unworked.pop(block_hash)))

    # Votes

    def _on_vote(self, message: bytes) -> tuple[EngineOutput, ...]:
        woken = self._wake() if self._asleep is not None and self._is_of_this_height(message) else ()
        return (*woken, *self._forward(MessageReceived(message)))

    def _is_of_this_height(self, message: bytes) -> bool:
        try:
            signed = decode_message(message)
        except InvalidInput:
            return False
        said = signed.vote if isinstance(signed, SignedVote) else signed.proposal
        head = self._head
        return head is not None and said.height == head.height + 1 and self.committee.is_authentic(signed)

    def _wake(self) -> tuple[EngineOutput, ...]:
        """Let the committee begin the height."""
        if self._asleep is None:
            return ()
        event, self._asleep = self._asleep, None
        outputs = self._forward(event)
        for refused in self._refused.values():
            outputs += self._forward(refused)
        return outputs

    def _forward(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        if not self._has_begun and not isinstance(event, BlockCommitted | Restored):
            return ()  # whatever comes first begins the committee's height
        self._has_begun = True
        return tuple(
            self._dressed(output) for output in self.committee.process(event) if self._is_wanted(output)
        )

    def _is_wanted(self, output: EngineOutput) -> bool:
        """Tell candidates, which come from miners, and decisions that come too late, from the rest."""
        match output:
            case RequestBlock():
                return False
            case Decide(height):  # asleep, the committee may still count votes for the head
                return self._head is not None and height > self._head.height
        return True

    def _dressed(self, output: EngineOutput) -> EngineOutput:
        match output:
            case Broadcast(message):
                return Broadcast(bytes((_VOTES,)) + message)
            case Decide(height, block_hash, seal):
                nonce = self._nonces[block_hash]
                self._worked = height, nonce
                return Decide(height, block_hash, _with_nonce(seal, nonce))
            case Persist(record, then):
                # whoever is locked on a block must be able to show its work as well, after a crash of all
                voted = {
                    block_hash: nonce for block_hash, nonce in self._nonces.items() if block_hash in record
                }
                return Persist(_pack(record, voted), tuple(self._dressed(each) for each in then))
        return output


def _with_nonce(seal: bytes, nonce: int) -> bytes:
    """Put the nonce beside the votes."""
    votes = CommitteeSeal.decode(seal)
    return CommitteeSeal(votes.certificate, votes.seed_proof, nonce).encode()


def _pack(record: bytes, nonces: dict[bytes, int]) -> bytes:
    """Return RLP ``[record, [[block hash, nonce]…]]``."""
    return rlp_encode([record, [[block_hash, _nonce(nonce)] for block_hash, nonce in nonces.items()]])


def _open(data: bytes) -> tuple[bytes, dict[bytes, int]]:
    nonces = {}
    match rlp_decode(data):
        case [bytes(record), list(pairs)]:
            for pair in pairs:
                match pair:
                    case [bytes(block_hash), bytes(nonce)] if len(nonce) == 8:
                        nonces[block_hash] = int.from_bytes(nonce, "big")
                    case _:
                        raise InvalidInput("a nonce in a record goes with a block hash")
            return record, nonces
    raise InvalidInput("a record is a list of the committee's record and nonces")


def _nonce(nonce: int) -> bytes:
    return nonce.to_bytes(8, "big")


def _announcement(header: Header, nonce: int) -> bytes:
    """Return ``2 ‖ RLP [header, nonce]``."""
    return bytes((_WORK,)) + rlp_encode([header.encode(), _nonce(nonce)])


def _parse(data: bytes) -> tuple[Header, int]:
    match rlp_decode(data):
        case [bytes(header), bytes(nonce)] if len(nonce) == 8:
            return decode_header(header), int.from_bytes(nonce, "big")
    raise InvalidInput("an announcement is a list of header and nonce")


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = DpowEngine
