"""The participant: escrows the legs of transactions across chains, until the decision is known here.

A leg is **prepared** by the owner of its funds: the guards hold, the funds are in escrow, where nobody can
use them for anything else, and the chain's vote goes to the coordinator. One of these ends it:

=======================================================  =====================================================
the decision comes as a packet of the coordinator        or, on the coordinator's chain, by a call of it
the vote was refused, or not received in time            the coordinator can never commit: aborted
a proof of the coordinator's state (:meth:`resolve`)     its decision; or, from the deadline on, that there is
                                                         none: aborted
=======================================================  =====================================================

Committed, the recipients get the funds; aborted, the owners have them back. Whoever can prove the
coordinator's chain settles a leg: nobody else is needed, and nobody waits beyond the deadline.

A token that refuses to move, as one that is paused, holds nobody else up: its leg is **owed** and can be
released as soon as the token is willing.

**Caveats**

- A guard is looked at when its leg is prepared, not when the transaction is committed: what it asks about may
  change in between. Funds in escrow do not.
- :meth:`resolve` only notes the decision, and runs no token: each leg is then released by a call of its own.
  So even a token that uses up all gas holds up its own leg alone. Packets release legs at once: those that
  would release such a leg are not received, and a vote of it that was too late stays in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel, peer_of, send_packet
from chainstack_sdk.xchain.atomic.coordinator import Coordinator
from chainstack_sdk.xchain.atomic.evidence import proven_storage
from chainstack_sdk.xchain.atomic.refusals import AtomicRefusals
from chainstack_sdk.xchain.atomic.storage import (
    Decision,
    clear_escrow,
    decision_key,
    known_key,
    read_escrow,
    write_escrow,
)
from chainstack_sdk.xchain.atomic.terms import Leg, decode_message, encode_message
from chainstack_sdk.xchain.custody import Custodian

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.xchain.atomic.storage import Escrow
    from chainstack_sdk.xchain.atomic.terms import AtomicTerms, Guard

_WORD = 32
_VOTE = Coordinator.abi_function("vote")
_DECISION_OF = Coordinator.abi_function("decisionOf")


class Participant(AtomicRefusals, CrossChainApp, Custodian):
    """The system contract at :data:`~chainstack_sdk.xchain.addresses.PARTICIPANT_ADDRESS`."""

    Prepared = event("event Prepared(bytes32 indexed id, uint256 index, address indexed owner)")
    Resolved = event("event Resolved(bytes32 indexed id, uint8 decision)")
    Released = event("event Released(bytes32 indexed id, uint256 index, address indexed to)")
    Owed = event("event Owed(bytes32 indexed id, uint256 index, address indexed to)")

    WrongLeg = error("error WrongLeg(bytes32 id, uint256 index, bytes32 expected)")
    NotTheOwner = error("error NotTheOwner(address owner)")
    AlreadyPrepared = error("error AlreadyPrepared(bytes32 id, uint256 index)")
    GuardFailed = error("error GuardFailed(uint256 guard, uint256 actual)")
    InvalidProof = error("error InvalidProof(string reason)")
    Undecided = error("error Undecided(bytes32 id, uint64 deadlineMs)")
    NotDecided = error("error NotDecided(bytes32 id)")
    NothingHeld = error("error NothingHeld(bytes32 id, uint256 index)")

    @external("function prepare(uint256 index, bytes leg, bytes transaction) payable")
    def prepare(self, call: Call, index: int, leg: bytes, transaction: bytes) -> None:
        """Put the caller's funds into escrow for a leg, and vote for its transaction.

        Coin comes along with the call; a token must have been approved for this contract.
        """
        self.require_unlocked(call)
        terms, found = self.terms(call, transaction), self.decoded(call, Leg.decode, leg)
        self._validate(call, terms, index, found)
        for number, guard in enumerate(found.guards):
            actual = self._actual(call, number, guard)
            call.require(guard.holds(actual), self.GuardFailed, number, actual)
        write_escrow(call, terms.id, index, found)
        self.take(call, found.asset, call.caller)
        call.emit(self.Prepared, terms.id, index, call.caller)
        self._vote(call, terms, index, transaction)

    @external("function decide(uint8 decision, bytes transaction)")
    def decide(self, call: Call, decision: int, transaction: bytes) -> None:
        """Take a decision of this chain's own coordinator."""
        call.require(call.caller == COORDINATOR_ADDRESS, self.NotAllowed, call.caller)
        self._settle(call, self.terms(call, transaction), Decision(decision))

    @external("function resolve(bytes transaction, bytes proof)")
    def resolve(self, call: Call, transaction: bytes, proof: bytes) -> None:
        """Learn the decision by proof of the coordinator's state; for anybody.

        Parameters
        ----------
        proof
            Of the slot :func:`~chainstack_sdk.xchain.atomic.decision_slot` of the coordinator, at any block
            after the decision, or at any block from the deadline on. On the coordinator's own chain it is
            not looked at.
        """
        self.require_unlocked(call)
        terms = self.terms(call, transaction)
        self.require_undecided(call, known_key(terms.id), terms.id)
        decision = self._decision(call, terms, proof)
        self._note(call, terms.id, decision)

    @external("function release(bytes32 id, uint256 index)")
    def release(self, call: Call, transaction: bytes, index: int) -> None:
        """Hand out the funds of a leg whose transaction is decided; for anybody."""
        self.require_unlocked(call)
        decision = Decision(call.load(known_key(transaction)))
        call.require(decision, self.NotDecided, transaction)
        escrow = read_escrow(call, transaction, index)
        if escrow is None:
            raise call.error(self.NothingHeld, transaction, index)
        clear_escrow(call, transaction, index)
        self.give(call, escrow.asset, escrow.receiver(decision))
        call.emit(self.Released, transaction, index, escrow.receiver(decision))

    @external("function decisionOf(bytes32 id) view returns (uint8)")
    def decision_of(self, call: Call, transaction: bytes) -> int:
        """Return what is known here: a number of :class:`~chainstack_sdk.xchain.atomic.Decision`."""
        return call.load(known_key(transaction))

    @external(
        "function escrowOf(bytes32 id, uint256 index) view returns "
        "(address owner, address recipient, uint8 kind, address token, uint256 number)"
    )
    def escrow_of(self, call: Call, transaction: bytes, index: int) -> tuple[bytes, bytes, int, bytes, int]:
        """Return what is held for a leg; there must be something."""
        escrow = read_escrow(call, transaction, index)
        if escrow is None:
            raise call.error(self.NothingHeld, transaction, index)
        asset = escrow.asset
        return escrow.owner, escrow.recipient, asset.kind, asset.token, asset.number

    @external("function holds(bytes32 id, uint256 index) view returns (bool)")
    def holds(self, call: Call, transaction: bytes, index: int) -> bool:
        """Tell whether something is held for a leg."""
        return read_escrow(call, transaction, index) is not None

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Take the decision of a coordinator on another chain; no other app has a channel to here."""
        decision, transaction = self.decoded(call, decode_message, payload)
        terms = self.terms(call, transaction)
        source = peer_of(call, context.channel).chain
        call.require(terms.coordinator == source, self.WrongCoordinator, terms.coordinator, source)
        call.require(decision in (Decision.COMMITTED, Decision.ABORTED), self.Malformed, "not a decision")
        self._settle(call, terms, Decision(decision))
        return b""

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Learn what became of a vote; one that was refused can never be counted."""
        if not success:
            self.on_timeout(call, context, payload)

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Learn that a vote did not arrive before the deadline: the transaction cannot be committed."""
        _, transaction = self.decoded(call, decode_message, payload)
        self._settle(call, self.terms(call, transaction), Decision.ABORTED)

    # Preparing

    def _validate(self, call: Call, terms: AtomicTerms, index: int, leg: Leg) -> None:
        here, identity = call.block.chain_id, terms.id
        call.require(index in terms.legs_on(here), self.NotALeg, identity, index)
        expected = terms.legs[index][1]
        call.require((leg.chain, leg.hash) == (here, expected), self.WrongLeg, identity, index, expected)
        call.require(call.caller == leg.owner, self.NotTheOwner, leg.owner)
        self.require_open(call, known_key(identity), identity, terms.deadline_ms)
        call.require(read_escrow(call, identity, index) is None, self.AlreadyPrepared, identity, index)

    def _actual(self, call: Call, number: int, guard: Guard) -> int:
        """Return the number that a guard is about; nothing can be changed by asking."""
        if not guard.data:
            return call.balance(guard.target)
        before, call.read_only = call.read_only, True
        answer = call.call(guard.target, guard.data)
        call.read_only = before
        call.require(len(answer) >= _WORD, self.GuardFailed, number, 0)
        return int.from_bytes(answer[:_WORD], "big")

    def _vote(self, call: Call, terms: AtomicTerms, index: int, transaction: bytes) -> None:
        if terms.coordinator == call.block.chain_id:
            call.call(COORDINATOR_ADDRESS, _VOTE.encode_call(index, transaction))
            return
        channel = open_channel(call, terms.coordinator, COORDINATOR_ADDRESS)
        send_packet(call, channel, encode_message(index, transaction), timeout_ms=terms.deadline_ms)

    # Settling

    def _decision(self, call: Call, terms: AtomicTerms, proof: bytes) -> Decision:
        """Return what the state of the coordinator says, at a block where that is final."""
        if terms.coordinator == call.block.chain_id:
            answer = call.call(COORDINATOR_ADDRESS, _DECISION_OF.encode_call(terms.id))
            value, time = int.from_bytes(answer, "big"), call.block.timestamp_ms
        else:
            value, time = self._proven(call, terms, proof)
        if value != Decision.NONE:
            return Decision(value)
        call.require(time >= terms.deadline_ms, self.Undecided, terms.id, terms.deadline_ms)
        return Decision.ABORTED

    def _proven(self, call: Call, terms: AtomicTerms, proof: bytes) -> tuple[int, int]:
        """Return the value of the coordinator's slot, and the time of the block."""
        try:
            found = proven_storage(call, terms.coordinator, proof)
        except InvalidInput as refusal:
            raise call.error(self.InvalidProof, refusal.message) from refusal
        expected = COORDINATOR_ADDRESS, decision_key(terms.id)
        told = found.address, found.key
        call.require(told == expected, self.InvalidProof, "not the slot of this decision")
        call.require(found.value <= max(Decision), self.InvalidProof, "not a decision")
        return found.value, found.timestamp_ms

    def _settle(self, call: Call, terms: AtomicTerms, decision: Decision) -> None:
        """Note a decision and hand out what is held here; a decision that is known already is no news."""
        self.require_unlocked(call)
        if call.load(known_key(terms.id)) == decision:
            return
        self.require_undecided(call, known_key(terms.id), terms.id)
        self._note(call, terms.id, decision)
        for index in terms.legs_on(call.block.chain_id):
            escrow = read_escrow(call, terms.id, index)
            if escrow is not None:
                self._hand_out(call, terms.id, index, escrow, decision)

    def _note(self, call: Call, transaction: bytes, decision: Decision) -> None:
        call.store(known_key(transaction), decision)
        call.emit(self.Resolved, transaction, decision)

    def _hand_out(
        self, call: Call, transaction: bytes, index: int, escrow: Escrow, decision: Decision
    ) -> None:
        """Give the funds of a leg away, or note that they are owed."""
        to = escrow.receiver(decision)
        clear_escrow(call, transaction, index)
        if self.try_give(call, escrow.asset, to):
            call.emit(self.Released, transaction, index, to)
        else:
            write_escrow(call, transaction, index, escrow)
            call.emit(self.Owed, transaction, index, to)
