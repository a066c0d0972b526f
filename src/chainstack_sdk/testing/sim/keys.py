"""Chain keys in virtual time: machines of many members, and a chain that carries what they make.

The chain is one, as if consensus had decided on each block already: a real state under the real rules
(:class:`~chainstack_sdk.consensus.chainkey.rules.KeyedRules`), which every member is told of block by block.
Members are real machines (:class:`~chainstack_sdk.consensus.chainkey.machine.KeyMachine`) with a disk each;
between them is a network that delays, loses and reorders. Everything follows from a seed.

Members build blocks in turn. The slot's last block waits for the beacon's signature, as it does under
consensus, but not for ever.

**Caveats.** Blocks take no time to be agreed on, and none is ever taken back: that is what final means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.effects import BlockFinal, Heard, Remember, SendTo
from chainstack_sdk.consensus.chainkey.genesis import deal_locally
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.payload import NO_PAYLOAD, KeyPayload, commitment, wrap
from chainstack_sdk.consensus.chainkey.rules import KeyedRules
from chainstack_sdk.consensus.chainkey.state import read_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE
from chainstack_sdk.consensus.chainkey.turning import write_genesis
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.blocks import ZERO_HASH, Block, Header
from chainstack_sdk.core.closing import NO_EXTRAS, Closing, HeaderExtras
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.engine import Restored
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.consensus import ScriptedRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.effects import KeyOutput, Message
    from chainstack_sdk.consensus.chainkey.state import KeyState
    from chainstack_sdk.primitives.keys import Account
    from chainstack_sdk.testing.sim.key_checks import KeyChecks
    from chainstack_sdk.testing.sim.key_faults import KeyFault

CHAIN_ID = 8_453
BLOCK_MS = 1_000
"""Between blocks."""
_PATIENCE = 20
"""For how many times the wait for a block the slot's last block waits for the beacon."""
_GAS_LIMIT = 30_000_000


@dataclass(frozen=True, slots=True)
class KeyLinks:
    """What the network does to messages."""

    latency_ms: tuple[int, int] = (5, 150)
    """The shortest and the longest way."""
    loss: int = 0
    """How many of 1,000 messages never arrive."""


class KeyChain:
    """A chain without transactions, under the rules of keyed chains.

    Parameters
    ----------
    committee
        Returns the committee of a slot.
    blocks
        In each slot.
    extensions
        How many ceremonies in a row may fail before a new key is generated.
    seed
        From which the committee of slot 0 gets a key, 32 bytes; None: it generates one.
    """

    def __init__(
        self,
        committee: Callable[[int], ValidatorSet],
        *,
        blocks: int = 8,
        extensions: int = 1,
        seed: bytes | None = None,
    ) -> None:
        self.schedule = SlotSchedule(blocks)
        self.scheme = Secp256k1Scheme(65_536)
        self._state = State()
        self._state.set_code(CHAIN_KEY_ADDRESS, CHAIN_KEY_CODE)
        polynomial, shares = (None, {}) if seed is None else deal_locally(committee(0), seed)
        self.initial_shares = {committee(0).members[index].address: held for index, held in shares.items()}
        """By address, the shares of the members of the first committee, by place."""
        storage = StateStorage(self._state, CHAIN_KEY_ADDRESS)
        write_genesis(storage, CHAIN_ID, committee(0), committee(1), polynomial)
        self._state.commit()
        self._rules = KeyedRules(
            ScriptedRules(),
            self._state,
            self.schedule,
            committee,
            self.scheme,
            block=lambda height: self.blocks[height],
            extensions=extensions,
        )
        self.blocks = [self._block(0, ZERO_HASH, NO_EXTRAS)]
        """From genesis on."""
        self.states = [self._read()]
        """After each of them."""

    @property
    def height(self) -> int:
        """The head's."""
        return len(self.blocks) - 1

    @property
    def state(self) -> KeyState:
        """The chain key after the head."""
        return self.states[-1]

    def build(self, machine: KeyMachine) -> None:
        """Append a block with what a machine has for it."""
        self._rules.desk = machine
        self._append(self._rules.extras(self.blocks[-1], bytes(20), b""))

    def append(self, payload: KeyPayload) -> None:
        """Append a block with this payload.

        Raises
        ------
        InvalidInput
            When the rules refuse it; the chain is as it was.
        """
        encoded = payload.encode()
        self._append(HeaderExtras(attachment=wrap(b"", encoded), extra_data=commitment(encoded)))

    def final(self, height: int) -> BlockFinal:
        """Return what machines are told about a block."""
        return BlockFinal(height, self.blocks[height].hash, self.states[height])

    def _append(self, extras: HeaderExtras) -> None:
        parent = self.blocks[-1]
        height = parent.height + 1
        context = BlockContext(CHAIN_ID, height, height, bytes(20), _GAS_LIMIT, 0, parent.hash)
        mark = self._state.checkpoint()
        try:
            self._rules.close(Closing(self._state, context, parent.header, extras, 0, 0))
        except InvalidInput:
            self._state.rollback(mark)
            raise
        self._state.commit()
        self.blocks.append(self._block(height, parent.hash, extras))
        self.states.append(self._read())

    def _block(self, height: int, parent_hash: bytes, extras: HeaderExtras) -> Block:
        header = Header(
            chain_id=CHAIN_ID,
            height=height,
            slot=self.schedule.slot_of(height),
            timestamp_ms=height,
            state_root=self._state.root,
            transactions_root=ZERO_HASH,
            receipts_root=ZERO_HASH,
            messages_root=ZERO_HASH,
            parent_hash=parent_hash,
            history_root=ZERO_HASH,
            proposer=bytes(20),
            logs_bloom=bytes(256),
            gas_limit=_GAS_LIMIT,
            gas_used=0,
            base_fee=0,
            extra_data=extras.extra_data,
        )
        return Block(header, (), attachment=extras.attachment)

    def _read(self) -> KeyState:
        state = read_key_state(self._state)
        if state is None:
            raise InvariantBroken("a keyed chain has no chain key contract")
        return state


@dataclass(slots=True)
class KeyNode:
    """A member's node: its machine, its disk, and what is wrong with it."""

    number: int
    account: Account
    fault: KeyFault | None = None
    """What it does in place of the right things; None for an honest member."""
    machine: KeyMachine | None = None
    """None while it is down."""
    disk: bytes = b""
    """The newest record; empty when there is none."""
    height: int = 0
    """Of the newest block that it has."""
    starts: int = 0
    has_lost: bool = False
    """Whether its record was ever lost."""
    crash_after: int | None = None
    """How many more records are written before it crashes, if it shall."""
    crash_durable: bool = False
    """Whether the last of these reaches the disk."""

    @property
    def is_honest(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.fault is None


@dataclass(order=True, slots=True)
class _Event:
    at_ms: int
    number: int
    happen: Callable[[], None] = field(compare=False)


class KeySim:
    """Members of a keyed chain in virtual time.

    Parameters
    ----------
    accounts
        Of all who ever are members.
    chain
        The chain that they are on.
    seed
        Of everything random.
    links
        What the network does.
    checks
        What must hold; asked at each block and for each message sent.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        chain: KeyChain,
        seed: int,
        *,
        links: KeyLinks = KeyLinks(),
        checks: KeyChecks,
    ) -> None:
        self.chain = chain
        self.links = links
        self.rng = Random(seed)
        self.now_ms = 0
        self.nodes = [KeyNode(number, account) for number, account in enumerate(accounts)]
        self.refused = 0
        """How many blocks of faulty builders the rules refused."""
        self.unseeded: list[int] = []
        """Slots that ended without the beacon's signature though there was a key."""
        self._seed = seed
        self._checks = checks
        self._by_address: dict[bytes, KeyNode] = {node.account.address: node for node in self.nodes}
        self._events: list[_Event] = []
        self._count = 0
        self._waited = 0

    def start(self) -> None:
        """Start all nodes, and the chain's clock."""
        for node in self.nodes:
            self.restart(node)
        self.after(BLOCK_MS, self._tick)

    def after(self, delay_ms: int, happen: Callable[[], None]) -> None:
        """Let something happen later."""
        self._count += 1
        heappush(self._events, _Event(self.now_ms + delay_ms, self._count, happen))

    def run_to(self, height: int) -> None:
        """Let time pass until the chain has reached a height."""
        while self.chain.height < height:
            event = heappop(self._events)
            self.now_ms = event.at_ms
            event.happen()

    def restart(self, node: KeyNode, *, amnesia: bool = False) -> None:
        """Start a node that is down, from its disk or, with amnesia, from nothing."""
        if node.machine is not None:
            return
        node.has_lost |= amnesia
        node.disk = b"" if amnesia else node.disk
        node.starts += 1
        entropy = keccak256(f"{self._seed}/{node.number}/{node.starts}".encode())
        initial = None if node.has_lost else self.chain.initial_shares.get(node.account.address)
        node.machine = KeyMachine(
            CHAIN_ID,
            node.account.address,
            node.account.sign,
            entropy,
            self.chain.schedule,
            self.chain.scheme,
            initial_shares=initial,
        )
        if node.disk:
            node.machine.process(Restored(node.disk))
        self._tell(node, node.machine)
        self._catch_up(node)

    def crash(self, node: KeyNode) -> None:
        """Stop a node; what is not on its disk is gone."""
        node.machine = None
        node.crash_after = None

    def crash_at_store(self, node: KeyNode, records: int, *, durable: bool) -> None:
        """Stop a node when it writes its next record but so many, before or after that is on the disk."""
        node.crash_after, node.crash_durable = records, durable

    # Time

    def _tick(self) -> None:
        if self._is_beacon_missing() and self._waited < _PATIENCE:
            self._waited += 1
        else:
            self._grow()
        self.after(BLOCK_MS, self._tick)
        if self.links.loss:
            self.after(BLOCK_MS // 2, self._resend)

    def _is_beacon_missing(self) -> bool:
        chain = self.chain
        if not chain.schedule.is_last(chain.height + 1) or chain.state.holders is None:
            return False
        slot = chain.schedule.slot_of(chain.height + 1)
        return not any(
            node.machine is not None and node.is_honest and node.machine.beacon(slot) for node in self.nodes
        )

    def _grow(self) -> None:
        if self._is_beacon_missing():
            self.unseeded.append(self.chain.state.slot)
        self._waited = 0
        first = self.chain.height % len(self.nodes)
        if not any(map(self._build, self.nodes[first:] + self.nodes[:first])):
            self.chain.append(NO_PAYLOAD)
        self._checks.on_block(self)
        for node in self.nodes:
            self.after(self.rng.randint(1, 200), partial(self._catch_up, node))

    def _build(self, builder: KeyNode) -> bool:
        """Let a node build the next block; return whether there is one then."""
        if builder.machine is None:
            return False
        if builder.fault is None:
            self.chain.build(builder.machine)
            return True
        try:
            self.chain.append(builder.fault.payload(self, builder))
        except InvalidInput:
            self.refused += 1
            return False
        return True

    def _catch_up(self, node: KeyNode) -> None:
        while node.machine is not None and node.height < self.chain.height:
            node.height += 1
            self._tell(node, node.machine)

    def _tell(self, node: KeyNode, machine: KeyMachine) -> None:
        """Tell a node of the newest block that it has."""
        self._carry_out(node, machine.process(self.chain.final(node.height)))
        if node.fault is not None:
            self._send(node, node.fault.on_block(self, node))

    def _resend(self) -> None:
        for node in self.nodes:
            if node.machine is not None:
                self._carry_out(node, node.machine.resend())

    # Messages

    def _carry_out(self, node: KeyNode, outputs: Iterable[KeyOutput]) -> None:
        for output in outputs:
            if isinstance(output, Remember):
                if not self._store(node, output.record):
                    return
                self._carry_out(node, output.then)
            elif node.fault is not None:
                self._send(node, node.fault.instead_of(self, node, output))
            else:
                self._checks.on_message(self, node, output.message)
                self._send(node, (output,))

    def _store(self, node: KeyNode, record: bytes) -> bool:
        """Write a record; return whether the node lives on."""
        if node.crash_after == 0:
            if node.crash_durable:
                node.disk = record
            self.crash(node)
            return False
        if node.crash_after is not None:
            node.crash_after -= 1
        node.disk = record
        return True

    def _send(self, sender: KeyNode, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, SendTo):
                receivers = [self._by_address[message.address]]
            else:
                receivers = [node for node in self.nodes if node is not sender]
            for receiver in receivers:
                self._deliver(receiver, message.message)

    def _deliver(self, receiver: KeyNode, message: bytes) -> None:
        if self.rng.randrange(1_000) >= self.links.loss:
            delay = self.rng.randint(*self.links.latency_ms)
            self.after(delay, lambda: self._hear(receiver, message))

    def _hear(self, receiver: KeyNode, message: bytes) -> None:
        if receiver.machine is not None:
            if receiver.fault is not None:
                receiver.fault.on_message(self, receiver, message)
            self._carry_out(receiver, receiver.machine.process(Heard(message)))
