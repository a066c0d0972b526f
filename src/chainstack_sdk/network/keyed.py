"""A node that also holds its share of the chain's key.

It stands around a node that decides on blocks. Whatever that one commits is final, and is told to the
machine of the chain key; what the machine has to say travels among the same nodes, under a kind of its own.

The signature over a slot's number, out of which the slot's last block takes its seed, must be waited for: a
block without it is right by the chain's rules, which cannot know what its proposer knew, but no honest node
builds one while it knows the signature or can still hope for it, or votes for one before its patience with
the height has ended (:class:`BeaconGate`). From then on it does, even if it knows the signature by now, as
others may be locked on such a block, and would wait for its vote for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.effects import Heard, SendTo
from chainstack_sdk.core.engine import Broadcast, Restored
from chainstack_sdk.network import wire
from chainstack_sdk.network.application import TooEarly
from chainstack_sdk.network.effects import Committed, Send, Store
from chainstack_sdk.network.node import RESEND
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from chainstack_sdk.consensus.chainkey.effects import KeyOutput
    from chainstack_sdk.consensus.chainkey.machine import KeyMachine
    from chainstack_sdk.consensus.chainkey.payload import KeyDesk
    from chainstack_sdk.consensus.chainkey.state import KeyState
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.network.application import Gate
    from chainstack_sdk.network.effects import Effect, Node, Timer
    from chainstack_sdk.network.final_blocks import FinalBlocks

PATIENCE = 20
"""Retransmissions that a node waits through for a slot's signature before it goes on without."""


class BeaconGate:
    """Holds back the last block of a slot until the slot's signature is there, or there is no hope for it.

    Parameters
    ----------
    schedule
        The slots.
    state
        Returns what is on chain about its key, as of the newest block.
    desk
        Knows the signatures.
    patience
        How many times :meth:`tick` is called at one height before there is no hope.
    """

    def __init__(
        self,
        schedule: SlotSchedule,
        state: Callable[[], KeyState | None],
        desk: KeyDesk,
        patience: int = PATIENCE,
    ) -> None:
        self._schedule = schedule
        self._state = state
        self._desk = desk
        self._patience = patience
        self._height = 0
        self._ticks = 0

    def tick(self, height: int) -> None:
        """Note that time has passed while this node waited for the block of a height."""
        if height != self._height:
            self._height, self._ticks = height, 0
        self._ticks += 1

    def may_build(self, height: int) -> bool:
        """Tell whether a block of the next height may be built now."""
        return not self._is_owed(height) or self._knows(height) or self._is_hopeless(height)

    def judge(self, header: Header) -> None:
        """Check that a candidate brings the slot's signature, while it can be waited for.

        A candidate without is never refused for good: nodes that knew no signature may have voted for it.

        Raises
        ------
        TooEarly
            When it brings none, and this node's patience with the height has not ended.
        """
        if header.seed_proof or not self._is_owed(header.height) or self._is_hopeless(header.height):
            return
        raise TooEarly("a slot's last block lacks the slot's signature", height=header.height)

    def _is_owed(self, height: int) -> bool:
        state = self._state()
        return self._schedule.is_last(height) and state is not None and state.holders is not None

    def _knows(self, height: int) -> bool:
        return self._desk.beacon(self._schedule.slot_of(height)) is not None

    def _is_hopeless(self, height: int) -> bool:
        return height == self._height and self._ticks >= self._patience


class KeyedNode:
    """A node with a share of the chain's key, without input and output of its own.

    Parameters
    ----------
    make_node
        Makes the node that decides on blocks, of what it has stored last.
    machine
        Deals, plays and signs for the chain key.
    final
        The chain's final blocks.
    gate
        Is told that time has passed; None where there is none.
    peers
        The driver's names of other members by address; messages for others go to everybody, encrypted as they
        are.
    record
        What :class:`~chainstack_sdk.network.Store` kept last, after a crash.

    Raises
    ------
    InvalidInput
        When the record is not that of such a node.
    """

    def __init__(
        self,
        make_node: Callable[[bytes | None], Node],
        machine: KeyMachine,
        *,
        final: FinalBlocks,
        gate: BeaconGate | None = None,
        peers: Mapping[bytes, Hashable] | None = None,
        record: bytes | None = None,
    ) -> None:
        self._record, self._key_record = (b"", b"") if record is None else _open(record)
        self.inner = make_node(self._record or None)
        self.machine = machine
        self._final = final
        self._gate = gate
        self._peers = peers or {}
        self._effects: list[Effect] = []

    def start(self) -> tuple[Effect, ...]:
        """Begin at the head of the chain, or go on from the record after a crash."""
        if self._key_record:
            self._carry_out(self.machine.process(Restored(self._key_record)))
        self._on_final()
        self._pass_on(self.inner.start())
        return self._flush()

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        """Take a message from another node; anything that is not one is dropped."""
        if message[:1] == bytes((wire.Kind.KEY,)):
            self._carry_out(self.machine.process(Heard(message[1:])))
        else:
            self._pass_on(self.inner.receive(sender, message))
        return self._flush()

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        """Take the news that a timer has run out."""
        if timer == RESEND:
            if self._gate is not None:
                self._gate.tick(self._final.height + 1)
            self._carry_out(self.machine.resend())
        self._pass_on(self.inner.elapsed(timer))
        return self._flush()

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        """Take the nonce that was asked for."""
        self._pass_on(self.inner.mined(block_hash, nonce))
        return self._flush()

    def _pass_on(self, effects: Sequence[Effect]) -> None:
        """Hand on what the inner node wants; of each block that it commits the machine is told."""
        for effect in effects:
            match effect:
                case Store(record):
                    self._record = record
                    self._effects.append(self._durable())
                case Committed():
                    self._effects.append(effect)
                    self._on_final()
                case _:
                    self._effects.append(effect)

    def _on_final(self) -> None:
        for told in self._final.new():
            self._carry_out(self.machine.process(told))

    def _carry_out(self, outputs: Sequence[KeyOutput]) -> None:
        for output in outputs:
            match output:
                case Broadcast(message):
                    self._effects.append(Send(wire.encode(wire.Kind.KEY, message)))
                case SendTo(address, message):
                    self._effects.append(Send(wire.encode(wire.Kind.KEY, message), self._peers.get(address)))
                case _:
                    self._key_record = output.record
                    self._effects.append(self._durable())
                    self._carry_out(output.then)

    def _durable(self) -> Store:
        return Store(rlp_encode([self._record, self._key_record]))

    def _flush(self) -> tuple[Effect, ...]:
        effects, self._effects = tuple(self._effects), []
        return effects


def _open(stored: bytes) -> tuple[bytes, bytes]:
    match rlp_decode(stored):
        case [bytes(record), bytes(key_record)]:
            return record, key_record
    raise InvalidInput("a keyed node's record is that of the node and that of its machine")


if TYPE_CHECKING:
    _node: type[Node] = KeyedNode
    _gate: type[Gate] = BeaconGate
