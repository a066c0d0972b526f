"""The coordinator: counts the votes for transactions across chains, and decides.

A transaction is **committed** in the block that brings the last vote of its legs, if that is before the
deadline. Until then it may be **aborted**: by its initiator at any time, by anybody from the deadline on. The
first decision is the only one: it is in the state, provable for ever, and goes to every chain that takes part
as a packet.

Presumed abort: no block from the deadline on commits. So its state, when it does not say "committed", proves
that nothing of the transaction may happen, whether or not anybody has it aborted here.

**Caveats**

- The packets that tell of a decision are a convenience: where one cannot be sent, as the channel was never
  opened, is full or is paused, the decision stands all the same, and that chain learns of it by a proof.
- The coordinator believes each chain about its own legs. A chain that lies about what it has in escrow cheats
  those who trade for what is on it.
- Channels are opened by :meth:`Coordinator.connect`, by anybody, to the participant of another chain and to
  nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.primitives.abi import Function, Param
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS, HUB_ADDRESS, PARTICIPANT_ADDRESS
from chainstack_sdk.xchain.app import PEER_OF, SEND, CrossChainApp, PacketContext, open_channel, peer_of
from chainstack_sdk.xchain.atomic.refusals import AtomicRefusals
from chainstack_sdk.xchain.atomic.storage import Decision, decision_key, votes_key
from chainstack_sdk.xchain.atomic.terms import decode_message, encode_message
from chainstack_sdk.xchain.channels import Endpoint, channel_id

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.xchain.atomic.terms import AtomicTerms

NEWS_LIFETIME_MS: Final = 7 * 86_400_000
"""Milliseconds for which the packet with a decision may be received: a week."""
DECIDE: Final = Function("decide", (Param("uint8", "decision"), Param("bytes", "transaction")))
"""The participant's function that takes a decision on the coordinator's own chain."""


class Coordinator(AtomicRefusals, CrossChainApp):
    """The system contract at :data:`~chainstack_sdk.xchain.addresses.COORDINATOR_ADDRESS`."""

    Voted = event("event Voted(bytes32 indexed id, uint256 index)")
    Decided = event("event Decided(bytes32 indexed id, uint8 decision)")

    AlreadyVoted = error("error AlreadyVoted(bytes32 id, uint256 index)")

    @external("function connect(uint64 chain) returns (bytes32)")
    def connect(self, call: Call, chain: int) -> bytes:
        """Open the channel to the participant of another chain, and return its id; once is enough."""
        return open_channel(call, chain, PARTICIPANT_ADDRESS)

    @external("function isConnected(uint64 chain) view returns (bool)")
    def is_connected(self, call: Call, chain: int) -> bool:
        """Tell whether the channel to the participant of another chain is open."""
        if chain == call.block.chain_id:
            return False
        return call.try_call(HUB_ADDRESS, PEER_OF.encode_call(_channel(call, chain)))[0]

    @external("function vote(uint256 index, bytes transaction)")
    def vote(self, call: Call, index: int, transaction: bytes) -> None:
        """Count a vote of this chain's own participant, for the leg that it has prepared."""
        call.require(call.caller == PARTICIPANT_ADDRESS, self.NotAllowed, call.caller)
        self._vote(call, call.block.chain_id, index, transaction)

    @external("function abort(bytes transaction)")
    def abort(self, call: Call, transaction: bytes) -> None:
        """Abort a transaction: for its initiator, and from the deadline on for anybody."""
        terms = self.terms(call, transaction)
        self._require_here(call, terms)
        own = call.caller == terms.initiator or call.block.timestamp_ms >= terms.deadline_ms
        call.require(own, self.NotAllowed, call.caller)
        self.require_undecided(call, decision_key(terms.id), terms.id)
        self._decide(call, terms, Decision.ABORTED)

    @external("function decisionOf(bytes32 id) view returns (uint8)")
    def decision_of(self, call: Call, transaction: bytes) -> int:
        """Return what was decided: a number of :class:`~chainstack_sdk.xchain.atomic.Decision`."""
        return call.load(decision_key(transaction))

    @external("function votesOf(bytes32 id) view returns (uint256)")
    def votes_of(self, call: Call, transaction: bytes) -> int:
        """Return which legs have voted: bit ``i`` is that of leg ``i``."""
        return call.load(votes_key(transaction))

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Count the vote of another chain's participant; no other app has a channel to here."""
        index, transaction = self.decoded(call, decode_message, payload)
        self._vote(call, peer_of(call, context.channel).chain, index, transaction)
        return b""

    # Inside

    def _vote(self, call: Call, chain: int, index: int, transaction: bytes) -> None:
        terms = self.terms(call, transaction)
        self._require_here(call, terms)
        call.require(index in terms.legs_on(chain), self.NotALeg, terms.id, index)
        self.require_open(call, decision_key(terms.id), terms.id, terms.deadline_ms)
        key = votes_key(terms.id)
        votes = call.load(key)
        call.require(not votes >> index & 1, self.AlreadyVoted, terms.id, index)
        votes |= 1 << index
        call.store(key, votes)
        call.emit(self.Voted, terms.id, index)
        if votes + 1 == 1 << len(terms.legs):
            self._decide(call, terms, Decision.COMMITTED)

    def _require_here(self, call: Call, terms: AtomicTerms) -> None:
        here = call.block.chain_id
        call.require(terms.coordinator == here, self.WrongCoordinator, terms.coordinator, here)

    def _decide(self, call: Call, terms: AtomicTerms, decision: Decision) -> None:
        call.store(decision_key(terms.id), decision)
        call.emit(self.Decided, terms.id, decision)
        here, transaction = call.block.chain_id, terms.encode()
        for chain in terms.chains:
            if chain == here:
                call.try_call(PARTICIPANT_ADDRESS, DECIDE.encode_call(decision, transaction))
            else:
                self._tell(call, chain, encode_message(decision, transaction))

    def _tell(self, call: Call, chain: int, payload: bytes) -> None:
        """Send a decision to another chain, if the hub lets it pass."""
        expiry = call.block.timestamp_ms + NEWS_LIFETIME_MS
        call.try_call(HUB_ADDRESS, SEND.encode_call(_channel(call, chain), payload, 0, expiry))


def _channel(call: Call, chain: int) -> bytes:
    """Return the id of the channel to the participant of another chain."""
    own = Endpoint(call.block.chain_id, COORDINATOR_ADDRESS)
    return channel_id(own, Endpoint(chain, PARTICIPANT_ADDRESS))
