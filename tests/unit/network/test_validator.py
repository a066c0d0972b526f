"""Validators' nodes: candidates, decisions, and help for those that lag."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

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
    RequestWork,
    Restored,
    Sign,
    SwitchHead,
    WorkFound,
)
from chainstack_sdk.network import wire
from chainstack_sdk.network.application import Candidate, TooEarly
from chainstack_sdk.network.effects import Accused, Committed, Mine, Send, SetTimer, Store
from chainstack_sdk.network.node import RESEND, Timing
from chainstack_sdk.network.validator import BUILD, CANDIDATES_OF_A_SENDER, ValidatorNode
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.errors import InvalidInput, InvariantBroken
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing import ScriptedEngine, decide
from chainstack_sdk.testing.sim.application import Tally, TallyBlock, TallyDisk

if TYPE_CHECKING:
    from chainstack_sdk.network.effects import Effect
    from chainstack_sdk.testing.consensus import Reaction

NOBODY = bytes(20)
TIMING = Timing(100, 10, 50)


def expect_seal(height: int, block_hash: bytes, seal: bytes) -> None:
    if seal != b"good":
        raise InvalidInput("a wrong seal")


class Chain(Tally):
    """A tiny chain that may be told to wait, and remembers accusations."""

    def __init__(self, label: str = "chain") -> None:
        super().__init__(TallyDisk(), NOBODY, label, expect_seal)
        self.is_early = False
        self.makes_blocks = True
        self.accusations: list[bytes] = []

    def build(self, height: int) -> Candidate:
        return super().build(height) if self.makes_blocks else None  # type: ignore[return-value]

    def check(self, candidate: Candidate) -> None:
        if self.is_early:
            raise TooEarly("not yet")
        super().check(candidate)

    def extra(self, candidate: Candidate) -> bytes:
        return b"extra"

    def accuse(self, evidence: bytes) -> None:
        self.accusations.append(evidence)


class RepeatingEngine(ScriptedEngine):
    """An engine that can repeat itself."""

    def resend(self) -> tuple[bytes, ...]:
        return b"vote one", b"vote two"


def started(
    *reactions: Reaction, engine: ScriptedEngine | None = None
) -> tuple[ValidatorNode, ScriptedEngine]:
    """A node whose engine answers from the list, and its engine with what it has heard forgotten."""
    engine = engine or ScriptedEngine([(), *reactions])
    node = ValidatorNode(engine, Chain(), timing=TIMING)
    node.start()
    engine.inputs.clear()
    return node, engine


def tell(node: ValidatorNode, kind: Kind, rest: bytes, sender: str = "bob") -> tuple[Effect, ...]:
    return node.receive(sender, wire.encode(kind, rest))


def block(label: str, chain: Chain | None = None) -> Candidate:
    """What another node would build on a chain; by default on genesis."""
    disk = TallyDisk(list(chain.disk.blocks) if chain else [])
    return Tally(disk, NOBODY, label, expect_seal).build(len(disk.blocks) + 1)


def sealed(candidate: Candidate, seal: bytes = b"good") -> bytes:
    return candidate.body + seal


FIRST = block("bob")


def proposed(candidate: Candidate, *, own: bool = False) -> BlockProposed:
    return BlockProposed(candidate.height, candidate.block_hash, b"extra", own)


# Beginning


def test_a_node_begins_at_the_head_of_its_chain() -> None:
    engine = ScriptedEngine([(Broadcast(b"hello"),)])
    chain = Chain()
    chain.commit(FIRST, b"good")
    node = ValidatorNode(engine, chain, timing=TIMING)
    assert node.start() == (SetTimer(RESEND, 50), Send(b"\x01hello"))
    assert engine.inputs == [BlockCommitted(1, FIRST.block_hash)]


def test_after_a_crash_the_record_comes_first() -> None:
    engine = ScriptedEngine()
    ValidatorNode(engine, Chain(), record=rlp_encode([b"record", []])).start()
    assert engine.inputs == [Restored(b"record"), BlockCommitted(0, bytes(32))]


def test_blocks_that_a_record_speaks_of_are_kept_with_it() -> None:
    engine = ScriptedEngine([(), (Persist(b"voted for " + FIRST.block_hash),)])
    node = ValidatorNode(engine, Chain())
    node.start()
    (stored,) = tell(node, Kind.CANDIDATE, FIRST.body)
    assert stored == Store(rlp_encode([b"voted for " + FIRST.block_hash, [FIRST.body]]))
    again = ScriptedEngine()
    restarted = ValidatorNode(again, Chain(), record=stored.record)
    restarted.start()
    assert again.inputs == [
        Restored(b"voted for " + FIRST.block_hash),
        BlockCommitted(0, bytes(32)),
        proposed(FIRST),
    ]
    assert tell(restarted, Kind.FETCH, FIRST.block_hash)  # it can show the block


def test_blocks_of_a_record_that_the_chain_has_passed_are_forgotten() -> None:
    later = replace(TallyBlock.decode(FIRST.body), height=2).candidate()
    engine = ScriptedEngine()
    ValidatorNode(engine, Chain(), record=rlp_encode([b"record", [later.body]])).start()
    assert engine.inputs == [Restored(b"record"), BlockCommitted(0, bytes(32))]


@pytest.mark.parametrize("record", [b"", b"record", rlp_encode([b"record"]), rlp_encode([[], []])])
def test_a_damaged_record_is_not_guessed_at(record: bytes) -> None:
    with pytest.raises(InvalidInput):
        ValidatorNode(ScriptedEngine(), Chain(), record=record).start()


# Candidates


def test_a_valid_candidate_is_proposed() -> None:
    node, engine = started((Broadcast(b"prevote"),))
    assert tell(node, Kind.CANDIDATE, FIRST.body) == (Send(b"\x01prevote"),)
    assert tell(node, Kind.CANDIDATE, FIRST.body) == ()
    assert engine.inputs == [proposed(FIRST)]


def test_an_invalid_candidate_is_refused() -> None:
    wrong = replace(TallyBlock.decode(FIRST.body), total=1).candidate()
    node, engine = started()
    tell(node, Kind.CANDIDATE, wrong.body)
    assert engine.inputs == [BlockRefused(1, wrong.block_hash)]


def test_a_candidate_on_another_parent_is_refused() -> None:
    wrong = replace(TallyBlock.decode(FIRST.body), parent_hash=b"\x01" * 32).candidate()
    node, engine = started()
    tell(node, Kind.CANDIDATE, wrong.body)
    assert engine.inputs == [BlockRefused(1, wrong.block_hash)]


def test_a_malformed_candidate_is_dropped() -> None:
    node, engine = started()
    assert tell(node, Kind.CANDIDATE, FIRST.body[:-1]) == ()
    assert engine.inputs == []


def test_a_candidate_of_the_next_height_waits() -> None:
    ahead = Chain()
    ahead.commit(FIRST, b"good")
    second = block("bob", ahead)
    node, engine = started()
    tell(node, Kind.CANDIDATE, second.body)
    assert engine.inputs == []
    tell(node, Kind.DECIDED, sealed(FIRST))
    assert engine.inputs == [BlockCommitted(1, FIRST.block_hash), proposed(second)]


def test_a_candidate_far_ahead_or_behind_is_dropped() -> None:
    node, engine = started()
    third = replace(TallyBlock.decode(FIRST.body), height=3).candidate()
    tell(node, Kind.CANDIDATE, third.body)
    tell(node, Kind.DECIDED, sealed(FIRST))
    tell(node, Kind.CANDIDATE, FIRST.body)
    assert engine.inputs == [BlockCommitted(1, FIRST.block_hash)]
    assert tell(node, Kind.FETCH, third.block_hash) == tell(node, Kind.FETCH, FIRST.block_hash) == ()


def test_a_candidate_whose_time_has_not_come_is_judged_later() -> None:
    node, engine = started()
    chain = node.application
    assert isinstance(chain, Chain)
    chain.is_early = True
    tell(node, Kind.CANDIDATE, FIRST.body)
    node.elapsed(RESEND)
    assert engine.inputs == []
    chain.is_early = False
    node.elapsed(RESEND)
    assert engine.inputs == [proposed(FIRST)]


def test_nobody_can_crowd_out_the_candidates_of_others() -> None:
    node, engine = started()
    flood = [block(f"mallory {number}") for number in range(CANDIDATES_OF_A_SENDER + 2)]
    for candidate in flood:
        tell(node, Kind.CANDIDATE, candidate.body, "mallory")
    assert len(engine.inputs) == CANDIDATES_OF_A_SENDER
    tell(node, Kind.CANDIDATE, FIRST.body, "bob")
    assert engine.inputs[-1] == proposed(FIRST)


def test_what_the_engine_asks_for_is_taken_from_anybody() -> None:
    flood = [block(f"mallory {number}") for number in range(CANDIDATES_OF_A_SENDER)]
    node, engine = started(*[()] * CANDIDATES_OF_A_SENDER, (FetchBlock(1, FIRST.block_hash),))
    for candidate in flood:
        tell(node, Kind.CANDIDATE, candidate.body)
    assert tell(node, Kind.ENGINE, b"proposal") == (Send(b"\x03" + FIRST.block_hash),)
    assert Send(b"\x03" + FIRST.block_hash) in node.elapsed(RESEND)
    tell(node, Kind.CANDIDATE, FIRST.body)
    assert engine.inputs[-1] == proposed(FIRST)
    assert node.elapsed(RESEND) == (SetTimer(RESEND, 50), Send(wire.encode_status(1)))


def test_what_is_held_is_not_asked_for_but_handed_on() -> None:
    node, _ = started((FetchBlock(1, FIRST.block_hash),))
    assert tell(node, Kind.CANDIDATE, FIRST.body) == ()
    assert tell(node, Kind.FETCH, FIRST.block_hash) == (Send(b"\x02" + FIRST.body, "bob"),)


# Making blocks


def test_a_block_of_ones_own_is_sent_and_then_proposed() -> None:
    own = block("chain")
    engine = ScriptedEngine([(RequestBlock(1), Broadcast(b"early")), (Broadcast(b"proposal"),)])
    node = ValidatorNode(engine, Chain(), timing=Timing(pause_ms=70))
    assert node.start() == (SetTimer(RESEND, 1_000), SetTimer(BUILD, 70), Send(b"\x01early"))
    assert node.elapsed(BUILD) == (Send(b"\x02" + own.body), Send(b"\x01proposal"))
    assert engine.inputs[1:] == [proposed(own, own=True)]


def test_a_block_that_others_have_sent_already_may_be_built_again() -> None:
    own = block("chain")
    node, engine = started((), (RequestBlock(1),))
    tell(node, Kind.CANDIDATE, own.body)
    assert tell(node, Kind.ENGINE, b"go") == (SetTimer(BUILD, 0),)
    assert node.elapsed(BUILD) == (Send(b"\x02" + own.body),)
    assert engine.inputs == [proposed(own), MessageReceived(b"go"), proposed(own, own=True)]


def test_a_block_is_sent_once_its_work_is_done() -> None:
    own = block("chain")
    node, engine = started((RequestBlock(1),), (RequestWork(own.block_hash, 5),), (Broadcast(b"found"),))
    tell(node, Kind.ENGINE, b"go")
    assert node.elapsed(BUILD) == (Mine(own.block_hash, 5),)
    assert node.mined(own.block_hash, 3) == (Send(b"\x02" + own.body), Send(b"\x01found"))
    assert engine.inputs[-1] == WorkFound(own.block_hash, 3)


def test_work_that_comes_too_late_is_not_sent() -> None:
    node, engine = started()
    assert node.mined(b"\x01" * 32, 3) == ()
    assert engine.inputs == [WorkFound(b"\x01" * 32, 3)]


def test_nothing_is_built_for_another_height_or_by_one_who_makes_no_blocks() -> None:
    node, engine = started((RequestBlock(2),), (RequestBlock(1),))
    tell(node, Kind.ENGINE, b"go")
    assert node.elapsed(BUILD) == ()
    assert isinstance(node.application, Chain)
    node.application.makes_blocks = False
    tell(node, Kind.ENGINE, b"go")
    assert node.elapsed(BUILD) == ()
    assert len(engine.inputs) == 2


def test_nothing_is_built_at_another_timer() -> None:
    node, engine = started((RequestBlock(1),))
    tell(node, Kind.ENGINE, b"go")
    assert node.elapsed("tea") == ()
    assert len(engine.inputs) == 1


def test_a_block_of_ones_own_that_was_overtaken_is_not_sent() -> None:
    node, engine = started((RequestBlock(1),))
    tell(node, Kind.ENGINE, b"go")
    tell(node, Kind.CANDIDATE, FIRST.body)
    assert tell(node, Kind.DECIDED, sealed(FIRST))[0] == Committed(1, FIRST.block_hash, b"")
    assert node.elapsed(BUILD) == ()
    assert engine.inputs[1:] == [proposed(FIRST), BlockCommitted(1, FIRST.block_hash)]


# Decisions


def test_a_decision_is_carried_out() -> None:
    node, engine = started(decide(b"good"))
    assert tell(node, Kind.CANDIDATE, FIRST.body) == (Committed(1, FIRST.block_hash, b"good"),)
    assert engine.inputs == [proposed(FIRST), BlockCommitted(1, FIRST.block_hash)]
    assert (node.application.height, node.application.head_hash) == (1, FIRST.block_hash)


def test_an_engine_cannot_decide_on_what_nobody_has() -> None:
    node, _ = started((Decide(1, FIRST.block_hash, b"good"),))
    with pytest.raises(InvariantBroken):
        tell(node, Kind.ENGINE, b"go")


def test_accusations_reach_chain_and_driver() -> None:
    node, _ = started((Accuse(b"evidence"),))
    assert tell(node, Kind.ENGINE, b"two votes") == (Accused(b"evidence"),)
    assert isinstance(node.application, Chain)
    assert node.application.accusations == [b"evidence"]


def test_what_concerns_other_nodes_is_left_alone() -> None:
    node, _ = started((SwitchHead(1, FIRST.block_hash), Sign(b"payload")))
    assert tell(node, Kind.ENGINE, b"go") == ()


# Those that lag


def test_whoever_is_behind_is_handed_the_next_block() -> None:
    node, _ = started(decide(b"good"))
    tell(node, Kind.CANDIDATE, FIRST.body)
    expected = (Send(b"\x05" + sealed(FIRST), "carol"),)
    assert tell(node, Kind.STATUS, (1).to_bytes(8, "big"), "carol") == expected
    assert tell(node, Kind.STATUS, bytes(8), "carol") == ()
    assert tell(node, Kind.STATUS, (3).to_bytes(8, "big"), "carol") == ()


def test_at_the_same_height_the_engine_repeats_itself() -> None:
    node, _ = started(engine=RepeatingEngine())
    assert tell(node, Kind.STATUS, (1).to_bytes(8, "big")) == (
        Send(b"\x01vote one", "bob"),
        Send(b"\x01vote two", "bob"),
    )
    silent, _ = started()
    assert tell(silent, Kind.STATUS, (1).to_bytes(8, "big")) == ()


def test_a_decided_block_is_appended_and_its_sender_asked_for_more() -> None:
    node, engine = started()
    assert tell(node, Kind.DECIDED, sealed(FIRST)) == (
        Committed(1, FIRST.block_hash, b""),
        Send(wire.encode_status(2), "bob"),
    )
    assert engine.inputs == [BlockCommitted(1, FIRST.block_hash)]
    assert tell(node, Kind.DECIDED, sealed(FIRST)) == ()


@pytest.mark.parametrize("body", [b"", sealed(FIRST, b"bad"), FIRST.body])
def test_a_decided_block_is_checked(body: bytes) -> None:
    node, engine = started()
    assert tell(node, Kind.DECIDED, body) == ()
    assert engine.inputs == []
    assert node.application.height == 0
