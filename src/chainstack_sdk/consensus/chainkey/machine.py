"""The part of a node that takes part in a chain's key: deals, receives, signs.

A :class:`KeyMachine` belongs to one member, or to a node that wants to know signatures only. It is told each
final block with the state of the chain key after it, and every message of other machines, and answers with
what is to be sent and what is to be remembered. It has no clock: final blocks are its time. With ``L`` blocks
in a slot, counted from 0:

================  ======================================================================================
next block        a member
================  ======================================================================================
0 to L // 2 - 1   as player announces a key and acknowledges dealings; as dealer answers announcements
L // 2 on         as dealer closes its logs and sends them to all, for any builder to put into a block
once there are    as player derives its shares, checks them against the public polynomial, remembers
logs enough       them, and signs with them that it can
any               as holder signs the hash of the block that has become final
the slot's last   as holder signs the number of the slot, for its randomness
first of a slot   forgets the secrets of the ceremony before, and shares of keys that others hold now
after a change    as holder of the key before, votes for the link to the new one
of keys
================  ======================================================================================

The block of a height is signed by the holders as of the state after it. The shares of those who held the key
before are forgotten as soon as that state names others, who have shown by then that they can sign.

**Durable before sent.** Whatever depends on a change of the record is listed in the
:class:`~chainstack_sdk.consensus.chainkey.effects.Remember` that makes the change durable; a host asks the
machine for payloads only after it has carried out all outputs. Everything else can be found again from the
record and the newest final block.

**Loss.** Messages may be lost: what is outstanding is sent again after each block, and by
:meth:`KeyMachine.resend`. A member that loses its record begins anew, with other secrets: players that have
signed for its former dealing will not sign for the new one, so it posts a log only if enough had not; of the
shares that it had signed for, it gets those back that dealers made public. Where that does not suffice it
sits the slot out.

**Caveats.** A node that is cut off for the rest of the slot in which its shares were dealt, and told only
later blocks, has none in the next; so tell it every block. Messages of ceremonies and topics to come are kept
within bounds only, and a flood of junk can push them out; then only the repetition helps. A log costs its
receiver up to ``threshold`` decoded points before its signature can be checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.admission import takes_logs
from chainstack_sdk.consensus.chainkey.ceremony import beacon_message
from chainstack_sdk.consensus.chainkey.effects import BlockFinal, Heard, Remember
from chainstack_sdk.consensus.chainkey.messages import LinkVote, Partial, PartialKind, decode_message
from chainstack_sdk.consensus.chainkey.part import Part
from chainstack_sdk.consensus.chainkey.payload import MAX_LOGS, NO_PAYLOAD, KeyPayload
from chainstack_sdk.consensus.chainkey.pool import LinkVotes
from chainstack_sdk.consensus.chainkey.record import CeremonyRecord, KeyRecord
from chainstack_sdk.consensus.chainkey.topics import Topics
from chainstack_sdk.consensus.chainkey.waiting import Waiting
from chainstack_sdk.core.engine import Broadcast
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.effects import KeyInput, KeyOutput, Message
    from chainstack_sdk.consensus.chainkey.messages import KeyMessage
    from chainstack_sdk.consensus.chainkey.payload import KeyDesk
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.consensus.chainkey.state import Holders, KeyState
    from chainstack_sdk.consensus.staking.slots import SlotSchedule

_ENTROPY_BYTES = 32
_FUTURE_HEIGHTS = 64
_UNFINISHED_HEIGHTS = 4


class KeyMachine:
    """One member's part in a chain's key; see the module.

    Parameters
    ----------
    chain_id
        The chain.
    address
        The member's account, 20 bytes.
    sign
        Signs a digest of 32 bytes with that account: 65 bytes.
    entropy
        32 random bytes, used for nothing else. A restored record makes them void.
    schedule
        The chain's slots.
    scheme
        Tells who signed.
    initial_shares
        The member's shares of a key that the chain has from genesis, by place.

    Raises
    ------
    UsageError
        When there are not 32 bytes of entropy.
    """

    def __init__(
        self,
        chain_id: int,
        address: bytes,
        sign: Callable[[bytes], bytes],
        entropy: bytes,
        schedule: SlotSchedule,
        scheme: Scheme,
        *,
        initial_shares: Mapping[int, int] | None = None,
    ) -> None:
        if len(entropy) != _ENTROPY_BYTES:
            raise UsageError("a key machine takes 32 bytes of entropy", actual=len(entropy))
        self._chain_id = chain_id
        self._address = address
        self._sign = sign
        self._schedule = schedule
        self._scheme = scheme
        self._initial_shares = dict(initial_shares or {})
        self._record = KeyRecord(chain_id, address, keccak256(b"chainstack key machine" + entropy))
        self._dirty = False
        self._block: BlockFinal | None = None
        self._part: Part | None = None
        self._former = b""
        self._topics = Topics(chain_id, address, sign, scheme)
        self._link_votes = LinkVotes(chain_id, address, sign, scheme)
        self._waiting = Waiting()

    @property
    def height(self) -> int:
        """The height of the newest final block that the machine, or its record, knows."""
        return self._record.height

    @property
    def lacks_shares(self) -> bool:
        """Whether this member should have shares of the newest outcome, but cannot derive them."""
        return self._part is not None and self._part.lacks_shares

    def process(self, event: KeyInput) -> tuple[KeyOutput, ...]:
        """Take an input; return what is to be done, in order.

        Raises
        ------
        InvalidInput
            When a record is damaged. Remote data never raises.
        UsageError
            When a record is another member's, or comes after other inputs.
        """
        match event:
            case BlockFinal():
                return self._durably(self._on_block(event))
            case Heard(message):
                return self._durably(self._on_message(message))
            case _:
                self._restore(event.record)
                return ()

    def resend(self) -> tuple[KeyOutput, ...]:
        """Return what is outstanding, to be sent again; for hosts to call now and then."""
        if self._block is None or self._part is None:
            return ()
        return tuple(self._outstanding(self._block, self._part))

    def shares(self, polynomial: PublicPolynomial) -> dict[int, int]:
        """Return the shares that this member has on a public polynomial, by place: secrets."""
        return dict(self._record.keys.get(_name(polynomial), {}))

    # What a block builder asks for

    def payload(self, height: int) -> KeyPayload:
        """Return what a block of this height, above the newest final one, may carry as far as is known."""
        block, part = self._block, self._part
        if block is None or part is None or height <= block.height:
            return NO_PAYLOAD
        state = block.state
        logs: list[bytes] = []
        if takes_logs(self._schedule, height):
            wanted = state.ceremony.needed - len(state.logs)
            logs = part.logs(state)[: min(wanted, MAX_LOGS)]
        return KeyPayload(tuple(logs), self._attestation(state), self._link_votes.link)

    def beacon(self, slot: int) -> bytes | None:
        """Return the key's signature over a slot's number, 48 bytes, or None while there is none."""
        return self._topics.signature(PartialKind.BEACON, slot) or None

    def signature(self, height: int) -> bytes | None:
        """Return the key's signature over the hash of the block at a height, 48 bytes, or None.

        It is kept for 256 blocks.
        """
        return self._topics.signature(PartialKind.FINALITY, height) or None

    def _attestation(self, state: KeyState) -> bytes:
        successors, holders = state.successors, state.holders
        found = b""
        if successors is not None and not successors.attestation:
            found = self._topics.signature(PartialKind.HOLDERS, successors.round)
        if not found and holders is not None and not holders.attestation:
            found = self._topics.signature(PartialKind.HOLDERS, holders.round)
        return found

    # Blocks

    def _on_block(self, event: BlockFinal) -> list[Message]:
        if event.height < self._record.height:
            return []
        self._block = event
        self._record.height = event.height
        part = self._enter(event.state)
        part.advance(is_dealing_time=self._is_dealing_time(event.height))
        self._derive(part, event.state)
        self._forget(event.state)
        self._sign_topics(event)
        self._link_votes.enter(event.state)
        return [*self._hear_waiting(), *self._outstanding(event, part)]

    def _enter(self, state: KeyState) -> Part:
        """Return this member's part in the ceremony: a new one when there was none, as after a start."""
        self._take_initial_shares(state)
        ceremony, part = state.ceremony, self._part
        if part is None or part.ceremony.hash != ceremony.hash:
            shares = {} if ceremony.previous is None else self.shares(ceremony.previous)
            record = self._ceremony_record(ceremony)
            part = Part(ceremony, self._address, record, shares, self._sign, self._scheme)
            self._part = part
        return part

    def _ceremony_record(self, ceremony: Ceremony) -> CeremonyRecord:
        """Return what is remembered of a ceremony; what is of another is forgotten."""
        kept = self._record.ceremony
        if kept is not None and kept.hash == ceremony.hash:
            return kept
        if kept is not None:
            self._former = kept.hash
            self._record.ceremony = None
            self._dirty = True
        members = (ceremony.dealers, ceremony.players)
        if all(some.index_of(self._address) is None for some in members):
            return CeremonyRecord(ceremony.hash, b"")  # it has nothing to remember
        self._dirty = True
        return self._record.begin(ceremony.hash)

    def _take_initial_shares(self, state: KeyState) -> None:
        given, self._initial_shares = self._initial_shares, {}
        if given and state.holders is not None:
            polynomial = state.holders.polynomial
            right = {place: share for place, share in given.items() if polynomial.is_share(place, share)}
            if right and _name(polynomial) not in self._record.keys:
                self._record.keys[_name(polynomial)] = right
                self._dirty = True

    def _derive(self, part: Part, state: KeyState) -> None:
        if state.outcome is not None and _name(state.outcome) not in self._record.keys:
            shares = part.derive(state)
            if shares:
                self._record.keys[_name(state.outcome)] = shares
                self._dirty = True

    def _forget(self, state: KeyState) -> None:
        """Erase shares that are neither those of the holders nor those that will be."""
        kept = {_name(one.polynomial) for one in (state.holders, state.successors) if one is not None}
        if not kept.issuperset(self._record.keys):
            self._record.keys = {name: held for name, held in self._record.keys.items() if name in kept}
            self._dirty = True

    def _sign_topics(self, event: BlockFinal) -> None:
        state, holders = event.state, event.state.holders
        successors = state.successors
        if successors is not None:
            self._sign_holders(successors)
        if holders is None:
            return
        if not holders.attestation:
            self._sign_holders(holders)
        shares = self.shares(holders.polynomial)
        self._topics.open(PartialKind.FINALITY, event.height, holders, event.block_hash)
        self._topics.contribute(PartialKind.FINALITY, event.height, shares)
        if self._schedule.is_last(event.height + 1):
            slot = self._schedule.slot_of(event.height + 1)
            self._topics.open(PartialKind.BEACON, slot, holders, beacon_message(self._chain_id, slot))
            self._topics.contribute(PartialKind.BEACON, slot, shares)

    def _sign_holders(self, holders: Holders) -> None:
        self._topics.open(PartialKind.HOLDERS, holders.round, holders, holders.message(self._chain_id))
        self._topics.contribute(PartialKind.HOLDERS, holders.round, self.shares(holders.polynomial))

    # Messages

    def _on_message(self, data: bytes) -> list[Message]:
        try:
            message = decode_message(data)
        except InvalidInput:
            return []
        block, part = self._block, self._part
        if block is None or part is None or self._is_ahead(message, block):
            self._waiting.add(data)
            return []
        match message:
            case Partial():
                self._topics.hear(message)
            case LinkVote():
                self._link_votes.hear(message)
            case _ if message.ceremony == part.ceremony.hash:
                return list(part.hear(message))
        return []

    def _is_ahead(self, message: KeyMessage, block: BlockFinal) -> bool:
        """Tell whether a message is about something that this node may come to know yet."""
        state, height = block.state, block.height
        match message:
            case Partial(kind, number):
                if self._topics.has(kind, number):
                    return False
                if kind is PartialKind.FINALITY:
                    return height < number <= height + _FUTURE_HEIGHTS
                if kind is PartialKind.BEACON:
                    return number in (state.slot, state.slot + 1)
                return number in (state.ceremony.round, state.ceremony.round + 1)
            case LinkVote(generation):
                return generation == state.ceremony.generation + (state.ceremony.previous is not None)
            case _:
                return message.ceremony not in (state.ceremony.hash, self._former)

    def _hear_waiting(self) -> list[Message]:
        return [output for data in self._waiting.take() for output in self._on_message(data)]

    # Outputs

    def _outstanding(self, block: BlockFinal, part: Part) -> Iterator[Message]:
        is_dealing_time = self._is_dealing_time(block.height)
        yield from part.outstanding(block.state, is_dealing_time=is_dealing_time)
        for message in self._outstanding_partials(block):
            if message:
                yield Broadcast(message)
        if self._link_votes.own:
            yield Broadcast(self._link_votes.own)

    def _outstanding_partials(self, block: BlockFinal) -> Iterator[bytes]:
        state, topics = block.state, self._topics
        for holders in (state.successors, state.holders):
            if holders is not None and not holders.attestation:
                yield topics.own(PartialKind.HOLDERS, holders.round)
        # That the signature is known here does not mean that others know it without this part.
        yield topics.own(PartialKind.BEACON, state.slot)
        unsigned = topics.unfinished(PartialKind.FINALITY)[-_UNFINISHED_HEIGHTS:]
        for height in sorted({*unsigned, block.height}):
            yield topics.own(PartialKind.FINALITY, height)

    def _durably(self, outputs: Iterable[Message]) -> tuple[KeyOutput, ...]:
        """Return outputs, after the writing of the record if that has changed."""
        listed = tuple(outputs)
        if self._part is not None and self._part.changed:
            self._part.changed, self._dirty = False, True
        if not self._dirty:
            return listed
        self._dirty = False
        return (Remember(self._record.encode(), listed),)

    def _restore(self, data: bytes) -> None:
        record = KeyRecord.decode(data)
        if (record.chain_id, record.address) != (self._chain_id, self._address):
            raise UsageError(
                "the key record is another member's", expected=self._address, actual=record.address
            )
        if self._block is not None:
            raise UsageError("a record comes before everything else")
        self._record = record

    def _is_dealing_time(self, height: int) -> bool:
        """Tell whether the block after a height is in the first half of its slot."""
        return height % self._schedule.blocks < self._schedule.blocks // 2


def _name(polynomial: PublicPolynomial) -> bytes:
    return keccak256(polynomial.encode())


if TYPE_CHECKING:
    _check: type[KeyDesk] = KeyMachine
