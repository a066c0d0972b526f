"""Byzantine fault tolerant consensus as a sans-IO state machine, for engines to be built around.

What it guarantees, with less than 1/3 of the weight faulty: no two honest validators decide differently
at a height, however messages are delayed, lost or forged; and once messages arrive in time, a decision is
reached. Without faults it takes three message delays: proposal, prevotes, precommits.

What it asks of its host, besides what :mod:`chainstack_sdk.core.engine` says:

- ``Persist`` is carried out before the ``Sign`` in it. A validator that loses its record and votes on may
  contradict itself, and pays for it.
- Timeouts grow with the round, so that they will exceed any delay at last.
- Peers that may have missed something are handed :meth:`BftCore.resend`, or, when they are at an earlier
  height, the blocks they lack with their seals, which end up in ``BlockCommitted``.
- Verdicts on candidates are given once the host is sure: a block that one host finds valid and another
  invalid stops the chain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.evidence import Evidence
from chainstack_sdk.consensus.bft.gossip import EarlyMessages, messages_to_resend
from chainstack_sdk.consensus.bft.heightlog import HeightLog
from chainstack_sdk.consensus.bft.intake import Intake
from chainstack_sdk.consensus.bft.messages import (
    MAX_EXTRA,
    NIL,
    Proposal,
    SignedProposal,
    Vote,
    VoteKind,
    attach,
    content,
    decode_message,
)
from chainstack_sdk.consensus.bft.record import Record
from chainstack_sdk.consensus.bft.round import (
    PrecommitTimedOut,
    PrevoteTimedOut,
    ProposeTimedOut,
    RequestValue,
    RoundStarted,
    RoundState,
    StartRound,
    Step,
    TimeoutKind,
    ValueKnown,
    apply,
)
from chainstack_sdk.consensus.bft.rules import blocks_in_question, next_event
from chainstack_sdk.core.engine import (
    Accuse,
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.consensus.bft.round import RoundEvent
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import Membership, ValidatorSet
    from chainstack_sdk.consensus.bft.votes import Fact
    from chainstack_sdk.core.engine import EngineInput, EngineOutput

_TIMED_OUT: dict[str, type[ProposeTimedOut | PrevoteTimedOut | PrecommitTimedOut]] = {
    TimeoutKind.PROPOSE: ProposeTimedOut,
    TimeoutKind.PREVOTE: PrevoteTimedOut,
    TimeoutKind.PRECOMMIT: PrecommitTimedOut,
}


class BftCore:
    """One validator, or one who only follows, deciding height after height.

    Parameters
    ----------
    chain_id
        Bound into every signature; below 2^64.
    membership
        Who validates and who proposes; asked for a height from the one before until the one after.
    address
        Whose votes this engine casts: 20 bytes; None to follow without a vote. Has no effect at heights
        where it is no validator.
    height
        The first height to decide: that of the chain's head, plus one.
    scheme
        Checks signatures.
    check_proposal
        A further condition on proposals at the current height, such as a proof in their extra bytes.
        Those that it refuses are dropped like wrongly signed ones.
    """

    refused: int
    """How many messages and signatures were dropped: malformed, forged, or of a height out of reach."""

    def __init__(
        self,
        chain_id: int,
        membership: Membership,
        *,
        address: bytes | None,
        height: int,
        scheme: Scheme,
        check_proposal: Callable[[SignedProposal], bool] | None = None,
    ) -> None:
        self.refused = 0
        self._chain_id = chain_id
        self._membership = membership
        self._address = address
        self._scheme = scheme
        self._intake = Intake(chain_id, membership, scheme, check_proposal)
        self._current = HeightLog(height, membership.validators(height))
        self._previous: HeightLog | None = None
        self._state = RoundState(height)
        self._is_started = False
        self._record: Record | None = None  # of a height that is not reached yet
        self._early = EarlyMessages()
        self._asked: dict[bytes, Vote | Proposal] = {}  # by payload
        self._own: list[Vote | Proposal] = []  # of the current round
        self._outputs: list[EngineOutput] = []
        self._to_sign: list[Sign] = []

    # What others may ask

    @property
    def height(self) -> int:
        """The height being decided: that of the chain's head, plus one."""
        return self._state.height

    @property
    def round(self) -> int:
        """The current round."""
        return self._state.round

    @property
    def step(self) -> Step:
        """Where the engine stands in the round."""
        return self._state.step

    @property
    def state(self) -> RoundState:
        """All that the algorithm remembers within the height."""
        return self._state

    @property
    def validators(self) -> ValidatorSet:
        """Who validates the height being decided."""
        return self._current.keeper.validators

    @property
    def last_seal(self) -> bytes:
        """The encoded certificate of the height decided last, with every precommit known by now.

        Empty when this engine has not seen that height decided, as after a restart.
        """
        log = self._previous if self._current.decision is None else self._current
        return b"" if log is None else log.seal()

    def proposal_extra(self, height: int) -> bytes | None:
        """Return the extra bytes of the proposal that was decided, at this height or the previous one.

        None for other heights, and for those that this engine has not seen decided.
        """
        for log in (self._current, self._previous):
            if log is not None and log.height == height:
                return log.decided_extra()
        return None

    def is_authentic(self, message: SignedMessage) -> bool:
        """Tell whether a message of any height is signed by one of that height's validators, as named."""
        try:
            validators = self._membership.validators(content(message).height)
        except UsageError:
            return False
        return self._intake.is_entitled(message, validators) and self._intake.is_signed(message)

    def resend(self, since: tuple[int, int] | None = None) -> tuple[bytes, ...]:
        """Return encoded messages that a peer may have missed, for its host to receive again.

        Parameters
        ----------
        since
            The peer's height and round; None when they are not known. A peer at another height, or in a
            later round, is handed nothing: it needs blocks, or has nothing to learn here.
        """
        height, round_ = since or (self.height, 0)
        if height != self.height or round_ > self.round:
            return ()
        current = self._current
        found = messages_to_resend(self._state, current.keeper, current.decision, round_)
        return tuple(dict.fromkeys(message.encode() for message in found))

    # What happens

    def start(self) -> tuple[EngineOutput, ...]:
        """Begin the first height; return nothing when it has begun already.

        Calling it is not needed: the first input begins the height too.
        """
        if not self._is_started:
            self._begin(self._state.height, None)
        return self._flush()

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Take one input and return what the host is to do, in order.

        Messages that are wrong in whatever way change nothing but :attr:`refused`.

        Raises
        ------
        UsageError
            When the host breaks the contract: a record that comes late, a candidate that cannot be, a
            height whose validators are not known. Nothing has changed then.
        InvalidInput
            When the record to restore is damaged, or another validator's. Nothing has changed then.
        """
        if isinstance(event, Restored):
            self._restore(event.record)
        if not self._is_started:
            self._begin(self._state.height, None)
        match event:
            case MessageReceived(message):
                self._receive(message)
            case Signed(payload, signature):
                self._signed(payload, signature)
            case TimeoutElapsed(timeout):
                self._timed_out(timeout)
            case BlockProposed(height, block_hash, extra):
                self._judged(height, block_hash, extra)
            case BlockRefused(height, block_hash):
                self._judged(height, block_hash, None)
            case BlockCommitted(height, block_hash):
                self._committed(height, block_hash)
            case _:
                pass
        return self._flush()

    def _restore(self, data: bytes) -> None:
        if self._is_started:
            raise UsageError("a record is restored before anything else", height=self.height)
        record = Record.decode(data)
        if (record.chain_id, record.address) != (self._chain_id, self._address):
            raise InvalidInput("the consensus record is another validator's", address=record.address)
        self._record = record

    def _begin(self, height: int, previous: HeightLog | None) -> None:
        """Go to a height: where the record says, or to its first round."""
        self._current = HeightLog(height, self._membership.validators(height))  # may raise: first
        self._previous = previous
        self._state = RoundState(height)
        self._is_started = True
        self._own.clear()
        self._asked = {
            payload: message for payload, message in self._asked.items() if message.height == height - 1
        }
        record = self._record
        if record is not None and record.state.height <= height:
            self._record = None
        if record is not None and record.state.height == height:
            self._resume(record)
        else:
            self._enter(0)
        for message in self._early.take(height):
            if self._intake.is_entitled(message, self.validators) and self._intake.is_acceptable(message):
                self._note(self._current.keeper.add(message))
        self._settle()

    def _resume(self, record: Record) -> None:
        self._state = state = record.state
        keeper = self._current.keeper
        keeper.enter(state.round)
        for vote in record.votes:
            if vote.validator in keeper.validators:
                keeper.add(vote)
        for message in record.messages:
            self._own.append(message)
            payload = message.payload(self._chain_id)
            self._asked[payload] = message
            self._outputs.append(Sign(payload))  # in the record already
        if state.step is Step.PROPOSE:
            if any(isinstance(message, Proposal) for message in record.messages):
                timeout = Timeout(TimeoutKind.PROPOSE, state.height, state.round)
                self._outputs.append(ScheduleTimeout(timeout))
            else:
                self._enter(state.round)

    # Inputs

    def _receive(self, data: bytes) -> None:
        try:
            message = decode_message(data)
        except InvalidInput:
            self.refused += 1
            return
        height = content(message).height
        if height == self.height:
            self._receive_for(message, self._current)
        elif height == self.height - 1 and self._previous is not None:
            self._receive_for(message, self._previous)
        elif height == self.height + 1:
            self._receive_early(message)
        else:
            self.refused += 1

    def _receive_for(self, message: SignedMessage, log: HeightLog) -> None:
        if log.keeper.holds(message):
            return
        is_current = log is self._current
        if (
            self._intake.is_entitled(message, log.keeper.validators)
            and self._intake.is_signed(message)
            and (not is_current or self._intake.is_acceptable(message))
        ):
            self._take(message, log)
        else:
            self.refused += 1

    def _receive_early(self, message: SignedMessage) -> None:
        try:
            validators = self._membership.validators(self.height + 1)
        except UsageError:
            validators = self.validators  # whoever is new will be heard when the height begins
        if message.validator not in validators:
            self.refused += 1
        elif self._early.has_room(message):
            if self._intake.is_signed(message):
                self._early.keep(message)
            else:
                self.refused += 1

    def _signed(self, payload: bytes, signature: bytes) -> None:
        message = self._asked.get(payload)
        address = self._scheme.signer(keccak256(payload), signature)
        if message is None or address is None or address != self._address:
            self.refused += 1
            return
        del self._asked[payload]
        signed = attach(message, address, signature)
        self._outputs.append(Broadcast(signed.encode()))
        if isinstance(message, Proposal) and message.valid_round >= 0:
            # so that nobody waits for the polka that justifies the proposal (L28)
            keeper = self._current.keeper
            for vote in keeper.votes_for(VoteKind.PREVOTE, message.valid_round, message.block_hash).values():
                self._outputs.append(Broadcast(vote.encode()))
        for log in (self._current, self._previous):
            if log is not None and log.height == message.height:
                self._take(signed, log)

    def _timed_out(self, timeout: Timeout) -> None:
        if timeout.height == self.height and timeout.kind in _TIMED_OUT:
            self._apply(_TIMED_OUT[timeout.kind](timeout.round))
            self._settle()

    def _judged(self, height: int, block_hash: bytes, extra: bytes | None) -> None:
        """Take the host's verdict on a block: extra bytes for a valid one, None for an invalid one."""
        if len(block_hash) != 32 or block_hash == NIL or (extra is not None and len(extra) > MAX_EXTRA):
            raise UsageError("a candidate has a hash of 32 bytes, and at most 256 bytes of its proposer's")
        if height != self.height:
            return
        self._current.judge(block_hash, extra)
        if extra is not None and self._state.awaits_value:
            self._supply()
        self._settle()

    def _committed(self, height: int, block_hash: bytes) -> None:
        if height == self.height - 1 and self._current.decision is None:
            return  # this is where it stands already
        ended = self._current
        self._begin(height + 1, ended if ended.height == height else None)
        ended.close(block_hash)

    # The algorithm

    def _take(self, message: SignedMessage, log: HeightLog) -> None:
        """Count a message that has passed all checks, and do what follows."""
        found = log.keeper.add(message)
        self._note(found)
        if log is self._current and (found or isinstance(message, SignedProposal)):
            self._settle()

    def _note(self, found: tuple[Fact | Evidence, ...]) -> None:
        for one in found:
            if isinstance(one, Evidence):
                self._outputs.append(Accuse(one.encode()))

    def _settle(self) -> None:
        """Apply rules for as long as one applies; then ask for the blocks on which others vote."""
        current = self._current
        while (event := next_event(self._state, current.keeper, current.verdicts)) is not None:
            self._apply(event)
        if self._state.step is not Step.COMMITTED:
            for block_hash in blocks_in_question(self._state, current.keeper):
                self._fetch(block_hash)

    def _apply(self, event: RoundEvent) -> None:
        transition = apply(self._state, event)
        self._state = transition.state
        for output in transition.outputs:
            match output:
                case Vote() | Proposal():
                    self._ask_to_sign(output)
                case ScheduleTimeout():
                    self._outputs.append(output)
                case RequestValue():
                    self._supply()
                case StartRound(round_):
                    self._enter(round_)
                case _:
                    self._current.decision = output
                    self._outputs.append(Decide(self.height, output.block_hash, self._current.seal()))

    def _enter(self, round_: int) -> None:
        self._own.clear()
        self._note(self._current.keeper.enter(round_))
        is_proposer = self._may_vote() and self._membership.proposer(self.height, round_) == self._address
        self._apply(RoundStarted(round_, is_proposer))

    def _supply(self) -> None:
        """Answer getValue(), or ask the host for what is missing (L15-L18)."""
        candidates = self._current.candidates
        wanted = self._state.valid_value or next(iter(candidates), None)
        if wanted is None:
            self._outputs.append(RequestBlock(self.height))
        elif wanted in candidates:
            self._apply(ValueKnown(wanted))
        else:  # a block of the record, from before a restart
            self._fetch(wanted)

    def _fetch(self, block_hash: bytes) -> None:
        if self._current.needs_fetching(block_hash):
            self._outputs.append(FetchBlock(self.height, block_hash))

    def _ask_to_sign(self, message: Vote | Proposal) -> None:
        if not self._may_vote():
            return
        if isinstance(message, Proposal):
            message = replace(message, extra=self._current.candidates[message.block_hash])
        payload = message.payload(self._chain_id)
        self._asked[payload] = message
        self._own.append(message)
        self._to_sign.append(Sign(payload))

    def _flush(self) -> tuple[EngineOutput, ...]:
        """Return what has gathered, messages to sign last: the host may answer them at once."""
        if self._to_sign and self._address is not None:
            votes = self._current.votes_to_keep(self._state)
            record = Record(self._chain_id, self._address, self._state, tuple(self._own), votes)
            self._outputs.append(Persist(record.encode(), tuple(self._to_sign)))
            self._to_sign.clear()
        outputs = tuple(self._outputs)
        self._outputs.clear()
        return outputs

    def _may_vote(self) -> bool:
        """Tell whether this engine votes now: a record of a later height says that it has voted here."""
        return self._record is None and self._address in self.validators
