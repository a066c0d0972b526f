"""Four engines under arbitrary schedules: they agree, never contradict themselves, and end once healed."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.consensus.bft import (
    NIL,
    BftCore,
    Evidence,
    FixedMembership,
    Proposal,
    Validator,
    ValidatorSet,
    Vote,
    VoteKind,
    rotation,
)
from chainstack_sdk.consensus.bft.messages import attach
from chainstack_sdk.core.engine import (
    Accuse,
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    EngineInput,
    EngineOutput,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    TimeoutElapsed,
)
from chainstack_sdk.primitives.keccak import keccak256

CHAIN = 7
ADDRESSES = [bytes([number]) * 20 for number in (1, 2, 3, 4)]
VALIDATORS = ValidatorSet(Validator(address, 1) for address in ADDRESSES)
LIAR = 3
"""Who lies, where one does."""
BAD_BLOCK = b"\xbb" * 32
"""A block that every host finds invalid."""


class Trusting:
    """Believes signatures that begin with the signer's address."""

    def signer(self, digest: bytes, signature: bytes) -> bytes | None:
        return signature[:20]

    def signers(self, requests: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
        return [signature[:20] for _, signature in requests]


class Host:
    """An engine with its chain, its durable record, and what it waits for."""

    def __init__(self, world: World, index: int) -> None:
        self.world = world
        self.index = index
        self.chain: list[bytes] = []
        self.record: bytes | None = None
        self.asked: dict[tuple[str, int, int], bytes] = {}
        """Every payload that was to be signed, by what it may be signed for once."""
        self.start()

    def start(self) -> None:
        """Begin, or begin again with nothing but the chain and the record."""
        self.to_sign: list[bytes] = []
        self.timers: list[TimeoutElapsed] = []
        self.engine = BftCore(
            CHAIN,
            FixedMembership(VALIDATORS),
            address=ADDRESSES[self.index],
            height=len(self.chain) + 1,
            scheme=Trusting(),
        )
        if self.record is not None:
            self.feed(Restored(self.record))
        self.carry_out(self.engine.start())

    def feed(self, event: EngineInput) -> None:
        self.carry_out(self.engine.process(event))

    def carry_out(self, outputs: Iterable[EngineOutput]) -> None:
        for output in outputs:
            match output:
                case Persist(record, then):
                    self.record = record
                    self.carry_out(then)
                case Sign(payload):
                    self.note(payload)
                    self.to_sign.append(payload)
                case Broadcast(message):
                    self.world.send(message, [peer for peer in range(4) if peer != self.index])
                case ScheduleTimeout(timeout):
                    self.timers.append(TimeoutElapsed(timeout))
                case RequestBlock(height) if height <= self.world.last_height:
                    self.feed(BlockProposed(height, self.world.build(height, self.index)))
                case FetchBlock(height, block_hash):
                    known = block_hash in self.world.blocks
                    self.feed((BlockProposed if known else BlockRefused)(height, block_hash))
                case Decide(height, block_hash):
                    assert block_hash in self.world.blocks
                    self.append(height, block_hash)
                case Accuse(evidence):
                    self.world.accused.add(Evidence.decode(evidence).validator)

    def append(self, height: int, block_hash: bytes) -> None:
        assert height == len(self.chain) + 1
        self.chain.append(block_hash)
        assert self.world.decided.setdefault(height, block_hash) == block_hash, "two decisions"
        self.feed(BlockCommitted(height, block_hash))

    def note(self, payload: bytes) -> None:
        """Fail when another payload for the same purpose was to be signed before, crashes included."""
        kind, height = payload[22], int.from_bytes(payload[31:39], "big")
        purpose = (str(kind), height, int.from_bytes(payload[39:43], "big"))
        assert self.asked.setdefault(purpose, payload) == payload, "a contradiction"

    def sign(self, rng: Random) -> None:
        """Answer one wish to sign, not always the oldest."""
        if self.to_sign:
            self.answer(self.to_sign.pop(rng.randrange(len(self.to_sign))))

    def sign_all(self) -> None:
        while self.to_sign:
            self.answer(self.to_sign.pop(0))

    def answer(self, payload: bytes) -> None:
        self.feed(Signed(payload, ADDRESSES[self.index] + bytes(45)))


class World:
    """Four hosts, one of which may lie instead of running an engine, and a network that may do anything."""

    def __init__(self, honest: int, seed: int = 0) -> None:
        self.rng = Random(seed)
        self.blocks: dict[bytes, int] = {}
        """Height by hash of every valid block."""
        self.decided: dict[int, bytes] = {}
        self.in_flight: list[tuple[int, bytes]] = []
        self.cut_off: set[int] = set()
        self.jammed: set[tuple[int, int]] = set()
        """(type byte, peer) of the messages that do not arrive."""
        self.accused: set[bytes] = set()
        self.last_height = 1_000
        """No host builds blocks above it."""
        self.hosts: list[Host] = []
        for index in range(honest):
            self.hosts.append(Host(self, index))

    def build(self, height: int, index: int) -> bytes:
        block_hash = keccak256(bytes([height, index, len(self.blocks)]))
        self.blocks[block_hash] = height
        return block_hash

    def send(self, message: bytes, peers: Iterable[int]) -> None:
        self.in_flight += [(peer, message) for peer in peers]

    def deliver(self, at: int, *, keep: bool = False) -> None:
        peer, message = self.in_flight[at] if keep else self.in_flight.pop(at)
        if peer < len(self.hosts) and peer not in self.cut_off and (message[0], peer) not in self.jammed:
            self.hosts[peer].feed(MessageReceived(message))

    def act(self, action: str) -> None:
        """Let something happen, to whomever; most messages arrive in about the order of sending."""
        rng = self.rng
        host = rng.choice(self.hosts)
        match action:
            case "work":
                host.sign_all()
                for _ in range(min(3, len(self.in_flight))):
                    self.deliver(rng.randrange(min(len(self.in_flight), 8)))
            case "sign":
                host.sign(rng)
            case "duplicate" if self.in_flight:
                self.deliver(rng.randrange(len(self.in_flight)), keep=True)
            case "lose" if self.in_flight:
                self.in_flight.pop(rng.randrange(len(self.in_flight)))
            case "elapse" if host.timers:
                host.feed(host.timers.pop(rng.randrange(-1, len(host.timers))))
            case "crash":
                host.start()
            case "resend":
                self.send_again(host)
            case "catch up":
                self.catch_up(host)
            case "cut":
                self.cut_off = set(rng.sample(range(4), rng.randrange(3)))
            case "jam":
                self.jammed = {(rng.choice((1, 2, 2, 3)), rng.randrange(4)) for _ in range(rng.randrange(4))}
            case "lie" if len(self.hosts) == LIAR:
                self.lie()

    def catch_up(self, host: Host) -> None:
        height = len(host.chain) + 1
        if height in self.decided:
            host.append(height, self.decided[height])

    def lie(self) -> None:
        """Say about the same thing one thing to some, and another to the others."""
        rng = self.rng
        engine = rng.choice(self.hosts).engine
        height, round_ = engine.height, engine.round + rng.choice((0, 0, 0, 1))
        blocks = [block_hash for block_hash, of in self.blocks.items() if of == height]
        if rotation(VALIDATORS, height, round_) == ADDRESSES[LIAR] and rng.random() < 0.5:
            blocks += [self.build(height, LIAR) for _ in range(2 - len(blocks))]
            said: list[Vote | Proposal] = [
                Proposal(height, round_, block, rng.randrange(-1, round_)) for block in rng.sample(blocks, 2)
            ]
        else:
            kind = rng.choice(list(VoteKind))
            said = [Vote(kind, height, round_, rng.choice([NIL, BAD_BLOCK, *blocks * 3])) for _ in range(2)]
        for peer in range(LIAR):
            message = attach(rng.choice(said), ADDRESSES[LIAR], ADDRESSES[LIAR] + bytes(45))
            self.send(message.encode(), [peer])

    def settle(self) -> None:
        """Answer every wish to sign and deliver every message, in order."""
        while self.in_flight or any(host.to_sign for host in self.hosts):
            for host in self.hosts:
                host.sign_all()
            while self.in_flight:
                self.deliver(0)

    def heal(self) -> None:
        """Let everything arrive, waits end and laggards catch up, until all have decided one height more."""
        self.cut_off, self.jammed = set(), set()
        height = self.last_height = max(self.decided, default=0) + 1
        for _ in range(40):
            self.settle()
            if all(len(host.chain) >= height for host in self.hosts):
                return
            for host in self.hosts:
                self.send_again(host)
                self.catch_up(host)
            self.settle()
            for host in self.hosts:
                timers, host.timers = host.timers, []
                for timer in timers:
                    host.feed(timer)
        raise AssertionError("no decision after the network has healed")

    def send_again(self, host: Host) -> None:
        for message in host.engine.resend():
            self.send(message, [peer for peer in range(len(self.hosts)) if peer != host.index])


FAULTS = ("sign", "duplicate", "lose", "elapse", "crash", "resend", "catch up", "cut", "jam", "lie")
mixes = st.fixed_dictionaries({fault: st.sampled_from((0, 1, 4, 10)) for fault in FAULTS})
seeds = st.integers(0, 2**32)
EXAMPLES = settings().max_examples // 4
"""A run is a long story; fewer of them will do."""
ACTIONS = 300
"""How much happens in a run before the network heals."""


def run(world: World, mix: dict[str, int]) -> None:
    """Let faults happen as often as the mix says; the hosts assert agreement and consistency."""
    weights = [60, *mix.values()]
    for action in world.rng.choices(("work", *mix), weights, k=ACTIONS):
        world.act(action)


@settings(max_examples=EXAMPLES)
@given(seeds, mixes)
def test_honest_validators_agree_and_are_not_accused(seed: int, mix: dict[str, int]) -> None:
    world = World(4, seed)
    run(world, mix)
    world.heal()
    assert world.accused == set()


@settings(max_examples=EXAMPLES)
@given(seeds, mixes)
def test_validators_agree_beside_a_liar(seed: int, mix: dict[str, int]) -> None:
    world = World(LIAR, seed)
    run(world, mix | {"lie": 20})
    world.heal()
    assert world.accused <= {ADDRESSES[LIAR]}


@settings(max_examples=EXAMPLES)
@given(seeds, mixes)
def test_a_crash_of_all_at_once_loses_nothing_that_matters(seed: int, mix: dict[str, int]) -> None:
    world = World(LIAR, seed)
    for _ in range(2):
        run(world, mix | {"lie": 10})
        for host in world.hosts:
            host.start()
    world.heal()


def test_the_checks_find_what_they_look_for() -> None:
    """A validator that loses its record contradicts itself, and that is noticed."""
    world = World(4)
    host = world.hosts[0]
    host.feed(host.timers[0])  # no proposal came: it votes for nil
    host.record = None
    host.start()
    made = attach(Proposal(1, 0, world.build(1, 1)), ADDRESSES[1], ADDRESSES[1] + bytes(45))
    with pytest.raises(AssertionError, match="a contradiction"):
        host.feed(MessageReceived(made.encode()))
