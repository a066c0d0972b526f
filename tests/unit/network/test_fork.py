"""Nodes that go over to other branches: fetching, switching, refusing, waiting for turns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.sealed import SealedHeader, encode_announcement
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, target_of
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    Broadcast,
    Decide,
    FetchBlock,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Timeout,
    WorkFound,
)
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.network import wire
from chainstack_sdk.network.chain_application import MAX_AHEAD_MS, ChainApplication
from chainstack_sdk.network.effects import Committed, Mine, Send, SetTimer
from chainstack_sdk.network.fork import BLOCKS_OF_A_SENDER, KEPT_BEHIND, MAX_WANTED, ForkNode
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.node import RESEND, Timing
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvariantBroken, UsageError
from chainstack_sdk.testing import NullRuntime, ScriptedEngine, accounts, payment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.network.effects import Effect
    from chainstack_sdk.testing.consensus import Reaction

DIFFICULTY = 16
TARGET = target_of(DIFFICULTY)
KIND = PowChain(parameters=PowParameters(difficulty=DIFFICULTY, window=0))
MINERS = local_members(3)
ALICE, BOB = accounts(2)
GENESIS = KIND.prepare(
    Genesis(chain_id=7, accounts={one.address: GenesisAccount(balance=10**20) for one in (ALICE, BOB)})
)
TIMING = Timing(100, 10, 50)


@dataclass
class Clock:
    """Time that a test sets; blocks are a second apart."""

    time_ms: int = GENESIS.timestamp_ms + 1_000_000

    def now_ms(self) -> int:
        return self.time_ms

    def next_block_ms(self, parent_ms: int) -> int:
        return parent_ms + 1_000


class Miner:
    """A node with a proof-of-work chain, which mines when it is told to."""

    def __init__(self, number: int = 0, clock: Clock | None = None, *, producing: bool = True) -> None:
        self.full: FullNode = full_node(
            KIND,
            GENESIS,
            MINERS[number],
            runtime=NullRuntime(),
            clock=clock or Clock(),
            producing=producing,
            timing=TIMING,
        )
        self.node = self.full.node
        self.chain = self.full.blockchain
        self.job = mine_in(self.node.start())

    def mine(self) -> Block:
        assert self.job is not None
        self.job = mine_in(self.node.mined(self.job.block_hash, work(self.job.block_hash)))
        return self.chain.ledger.block(self.chain.height)

    def hear(self, kind: Kind, rest: bytes, sender: str = "bob") -> tuple[Effect, ...]:
        effects = self.node.receive(sender, wire.encode(kind, rest))
        self.job = mine_in(effects) or self.job
        return effects

    def take(self, block: Block, sender: str = "bob") -> tuple[Effect, ...]:
        return self.hear(Kind.CANDIDATE, block.encode(), sender)

    @property
    def head(self) -> bytes:
        return self.chain.head.hash


def mine_in(effects: Iterable[Effect]) -> Mine | None:
    return next((effect for effect in effects if isinstance(effect, Mine)), None)


def work(block_hash: bytes) -> int:
    nonce = DoubleSha256().search(block_hash, 0, NONCES, TARGET, TARGET).nonce
    assert nonce is not None
    return nonce


def sealed(block: Block) -> Block:
    return replace(block, seal=work(block.hash).to_bytes(8, "big"))


def announcement(block: Block) -> bytes:
    return encode_announcement(block.header, block.seal)


def sent(effects: Iterable[Effect]) -> list[Effect]:
    return [effect for effect in effects if not isinstance(effect, Mine)]


def fetching(block: Block, to: str | None = "bob") -> Send:
    return Send(wire.encode(Kind.FETCH, block.hash), to)


def status(height: int, to: str | None = "bob") -> Send:
    return Send(wire.encode_status(height), to)


def committed(*blocks: Block) -> list[Effect]:
    return [Committed(block.height, block.hash, block.seal) for block in blocks]


# Blocks one after the other


def test_a_mined_block_is_appended_and_sent_before_it_is_announced() -> None:
    miner = Miner()
    assert miner.job is not None
    effects = miner.node.mined(miner.job.block_hash, work(miner.job.block_hash))
    block = miner.chain.ledger.block(1)
    assert sent(effects) == [
        Send(wire.encode(Kind.CANDIDATE, block.encode())),
        *committed(block),
        Send(wire.encode(Kind.ENGINE, announcement(block))),
    ]
    following = mine_in(effects)
    assert following is not None
    assert following.block_hash != miner.job.block_hash


def test_a_block_of_another_is_appended_and_its_sender_asked_for_more() -> None:
    block, miner = Miner(1).mine(), Miner()
    effects = miner.take(block)
    assert sent(effects) == [*committed(block), status(2)]
    assert mine_in(effects) is not None  # on the new head
    assert miner.head == block.hash
    assert sent(miner.take(block)) == []


def test_the_block_of_an_announcement_is_fetched() -> None:
    block, miner = Miner(1).mine(), Miner()
    assert miner.hear(Kind.ENGINE, announcement(block)) == (fetching(block),)
    assert miner.hear(Kind.ENGINE, announcement(block), "carol") == ()
    assert miner.node.elapsed(RESEND) == (SetTimer(RESEND, 50), status(1, None), fetching(block, None))
    assert committed(block)[0] in miner.take(block)


def test_a_decided_block_is_as_good() -> None:
    block, miner = Miner(1).mine(), Miner()
    miner.hear(Kind.DECIDED, block.encode())
    assert miner.head == block.hash


# Branches


def test_a_heavier_branch_is_walked_back_and_taken_as_a_whole() -> None:
    here, there = Miner(0), Miner(1)
    lost = payment(here.chain, ALICE, BOB, 5)
    here.full.pool.put_back([lost])
    here.job = mine_in(here.take(there.mine()))
    old = here.mine()
    assert old.transactions == (lost,)
    branch = [there.chain.ledger.block(1), *(there.mine() for _ in range(3))]
    assert here.take(branch[3]) == (fetching(branch[2]),)
    assert here.take(branch[3]) == ()  # asked for already
    assert here.take(branch[2]) == (fetching(branch[1]),)
    effects = here.take(branch[1])
    assert sent(effects) == [*committed(*branch[1:]), status(5)]
    assert here.head == branch[3].hash
    assert list(here.full.pool) == [lost]
    assert here.mine().transactions == (lost,)


def test_what_is_missing_of_a_known_branch_is_fetched() -> None:
    here, there = Miner(0), Miner(1)
    branch = [there.mine() for _ in range(3)]
    for block in branch:
        here.hear(Kind.ENGINE, announcement(block))
    resent = here.node.elapsed(RESEND)
    assert [fetching(block, None) for block in branch] == list(resent[2:])
    here.take(branch[2])
    here.take(branch[0])
    assert here.chain.height == 0
    here.take(branch[1])
    assert here.head == branch[2].hash


def test_a_lighter_branch_is_kept_for_later() -> None:
    here, there = Miner(0), Miner(1)
    own, other = here.mine(), there.mine()
    assert here.take(other) == ()
    assert here.head == own.hash
    assert here.hear(Kind.FETCH, other.hash) == (Send(wire.encode(Kind.CANDIDATE, other.encode()), "bob"),)
    second = there.mine()
    assert sent(here.take(second)) == [*committed(other, second), status(3)]


def test_blocks_that_were_left_behind_are_forgotten() -> None:
    here, there = Miner(0), Miner(1)
    here.mine()
    stale = there.mine()
    here.take(stale)
    here.mine()
    assert here.hear(Kind.FETCH, stale.hash) != ()
    for _ in range(KEPT_BEHIND - 1):
        here.mine()
    assert here.hear(Kind.FETCH, stale.hash) == ()


def test_nobody_can_crowd_out_the_blocks_of_others() -> None:
    here, there = Miner(0), Miner(1)
    template = there.mine()
    junk = [
        replace(template, header=replace(template.header, height=50, extra_data=bytes([number])))
        for number in range(BLOCKS_OF_A_SENDER + 1)
    ]
    for block in junk:
        here.take(block, "mallory")
    held = [here.hear(Kind.FETCH, block.hash) != () for block in junk]
    assert held == [True] * BLOCKS_OF_A_SENDER + [False]
    assert committed(template)[0] in here.take(template, "bob")


def test_what_is_on_the_way_is_taken_from_a_full_share() -> None:
    here, there = Miner(0), Miner(1)
    template = there.mine()
    for number in range(BLOCKS_OF_A_SENDER):
        header = replace(template.header, height=50, extra_data=bytes([number]))
        here.take(replace(template, header=header))
    assert here.take(template) == (fetching(template),)  # no room yet
    assert committed(template)[0] in here.take(template)


def test_the_number_of_blocks_asked_for_is_bounded() -> None:
    here, there = Miner(0), Miner(1)
    header = there.mine().header
    for number in range(MAX_WANTED + 3):
        orphan = replace(header, height=9, parent_hash=number.to_bytes(32, "big"))
        here.hear(Kind.ENGINE, encode_announcement(orphan, bytes(8)))
    asked = [effect for effect in here.node.elapsed(RESEND) if isinstance(effect, Send)]
    assert len(asked) == 1 + MAX_WANTED
    assert asked[-1] == Send(wire.encode(Kind.FETCH, (MAX_WANTED + 2).to_bytes(32, "big")))


# Bad blocks


def test_an_invalid_block_is_banned_with_all_on_top_of_it() -> None:
    here, there = Miner(0), Miner(1)
    good = there.mine()
    wrong = sealed(replace(good, header=replace(good.header, state_root=b"\x01" * 32)))
    child = there.mine()
    on_top = sealed(replace(child, header=replace(child.header, parent_hash=wrong.hash)))
    assert here.take(on_top) == (fetching(wrong),)
    assert here.take(wrong) == ()
    assert here.chain.height == 0
    assert here.take(on_top) == here.take(wrong) == ()
    assert committed(good)[0] in here.take(good)


def test_content_that_does_not_match_says_nothing_of_the_block() -> None:
    here, there = Miner(0), Miner(1)
    block = there.mine()
    other = replace(block, attachment=Payouts.of({ALICE.address: 1}).encode())
    assert other.hash == block.hash
    assert here.take(other, "mallory") == ()
    assert committed(block)[0] in here.take(block)


def test_a_wrong_seal_does_not_keep_the_right_one_out() -> None:
    here, there = Miner(0), Miner(1)
    block = there.mine()
    forged = replace(block, seal=(int.from_bytes(block.seal, "big") + 1).to_bytes(8, "big"))
    here.take(forged, "mallory")
    assert here.chain.height == 0
    assert committed(block)[0] in here.hear(Kind.ENGINE, announcement(block))
    assert here.chain.ledger.block(1).seal == block.seal


@pytest.mark.parametrize("kind", [Kind.ENGINE, Kind.CANDIDATE, Kind.DECIDED])
def test_nonsense_is_dropped(kind: Kind) -> None:
    miner = Miner()
    for rest in (b"", b"\xc0", bytes(100)):
        assert miner.hear(kind, rest) == ()


def test_a_block_whose_time_has_not_come_waits() -> None:
    clock = Clock()
    here, there = Miner(0, clock), Miner(1)
    block = there.mine()
    clock.time_ms = block.timestamp_ms - MAX_AHEAD_MS - 1
    assert sent(here.take(block)) == []
    assert committed(block)[0] not in here.node.elapsed(RESEND)
    clock.time_ms += 1
    assert here.node.elapsed(RESEND)[2:4] == (*committed(block), status(2, None))


# Those that lag


def test_whoever_is_behind_is_handed_the_next_block() -> None:
    miner = Miner()
    block = miner.mine()
    assert miner.hear(Kind.STATUS, (1).to_bytes(8, "big")) == (
        Send(wire.encode(Kind.DECIDED, block.encode()), "bob"),
    )
    assert miner.hear(Kind.FETCH, block.hash) == (Send(wire.encode(Kind.CANDIDATE, block.encode()), "bob"),)
    for height in (0, 2, NONCES - 1):
        assert miner.hear(Kind.STATUS, height.to_bytes(8, "big")) == ()
    for block_hash in (bytes(32), miner.chain.ledger.header(0).hash):
        assert miner.hear(Kind.FETCH, block_hash) == ()


def test_the_newest_block_is_named_now_and_then() -> None:
    miner = Miner()
    assert miner.node.elapsed(RESEND) == (SetTimer(RESEND, 50), status(1, None))
    block = miner.mine()
    assert miner.node.elapsed(RESEND) == (
        SetTimer(RESEND, 50),
        status(2, None),
        Send(wire.encode(Kind.ENGINE, announcement(block))),
    )


# Engines


class TurnEngine(ScriptedEngine):
    """An engine with branches, and turns that begin at full seconds; every other one is this node's."""

    has_turns = True

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        raise UsageError("there are none")

    def turn_ms(self, now_ms: int) -> int | None:
        start = now_ms - now_ms % 1_000
        return None if start % 2_000 else start

    def next_turn_ms(self, now_ms: int) -> int | None:
        return now_ms - now_ms % 2_000 + 2_000 if self.has_turns else None


class BranchEngine(ScriptedEngine):
    """An engine with branches and without turns."""

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        raise UsageError("there are none")


TURN = Timeout("turn", 1, 0)


def scripted(engine: ScriptedEngine, clock: Clock, record: bytes | None = None) -> ForkNode:
    """A node of a scripted engine over the chain of a miner."""
    return ForkNode(engine, Miner(clock=clock).full.application, clock=clock, record=record, timing=TIMING)


def turning(time_ms: int, *reactions: Reaction) -> tuple[ForkNode, TurnEngine]:
    clock = Clock(GENESIS.timestamp_ms - GENESIS.timestamp_ms % 2_000 + time_ms)
    engine = TurnEngine([(), *reactions])
    node = scripted(engine, clock)
    node.start()
    engine.inputs.clear()
    return node, engine


def test_a_turn_is_awaited_by_the_clock() -> None:
    node, engine = turning(4_300, (ScheduleTimeout(TURN),), (ScheduleTimeout(TURN),))
    assert node.receive("bob", b"\x01go") == (SetTimer(TURN, 1_700),)
    engine.has_turns = False
    assert node.receive("bob", b"\x01go") == ()


def test_a_block_bears_the_time_of_its_turn() -> None:
    node, engine = turning(4_300, (RequestBlock(1),))
    node.receive("bob", b"\x01go")
    proposed = engine.inputs[1]
    assert isinstance(proposed, BlockProposed)
    assert proposed.own
    assert isinstance(node.application, ChainApplication)
    header = node.application.header(proposed.block_hash)
    assert header is not None
    assert (header.timestamp_ms % 2_000, header.height) == (0, 1)


def test_nothing_is_built_out_of_turn() -> None:
    node, engine = turning(5_300, (RequestBlock(1),), (RequestBlock(2),))
    assert node.receive("bob", b"\x01go") == node.receive("bob", b"\x01go") == ()
    assert len(engine.inputs) == 2


def test_one_who_makes_no_blocks_builds_none() -> None:
    follower = Miner(producing=False)
    assert follower.job is None
    node = ForkNode(
        engine := BranchEngine([(RequestBlock(1),)]), follower.full.application, clock=Clock(), timing=TIMING
    )
    node.start()
    assert engine.inputs == [BlockCommitted(0, follower.head)]


def test_other_waits_are_as_long_as_those_of_validators() -> None:
    node = scripted(BranchEngine([(ScheduleTimeout(Timeout("other", 1, 2)),)]), Clock())
    assert node.start() == (SetTimer(RESEND, 50), SetTimer(Timeout("other", 1, 2), 120))


def test_a_record_comes_first() -> None:
    engine = BranchEngine()
    scripted(engine, Clock(), b"record").start()
    assert engine.inputs[0] == Restored(b"record")


def test_what_does_not_concern_blocks_is_done_too() -> None:
    node = scripted(
        BranchEngine([(), (Broadcast(b"hello"), Sign(b"no key"), FetchBlock(1, bytes(32)))]), Clock()
    )
    node.start()
    assert node.mined(bytes(32), 5) == (Send(b"\x01hello"), Send(b"\x03" + bytes(32)))
    assert node.engine.inputs[1] == WorkFound(bytes(32), 5)  # type: ignore[attr-defined]


def test_an_engine_decides_on_what_was_built_for_it() -> None:
    node = scripted(BranchEngine([(Decide(1, bytes(32), b""),)]), Clock())
    with pytest.raises(InvariantBroken):
        node.start()
    node = scripted(BranchEngine([(RequestBlock(1), Decide(1, bytes(32), b""))]), Clock())
    with pytest.raises(InvariantBroken):
        node.start()


def test_an_engine_without_branches_is_refused() -> None:
    with pytest.raises(UsageError):
        scripted(ScriptedEngine(), Clock())
