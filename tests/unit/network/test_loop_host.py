"""A committee in one process: what the loop does with each output, and when it gives up."""

from __future__ import annotations

from itertools import repeat

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.consensus.instant import InstantEngine
from chainstack_sdk.consensus.work import DoubleSha256, Found, target_of
from chainstack_sdk.core.engine import (
    Accuse,
    BlockCommitted,
    BlockProposed,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    Persist,
    RequestBlock,
    RequestWork,
    ScheduleTimeout,
    Sign,
    Signed,
    Timeout,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.network.loop_host import LoopHost
from chainstack_sdk.network.pool import SoloPool
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.testing import ScriptedEngine, accounts, decide

ALICE, BOB, CAROL = accounts(3)
HEAD, BLOCK, OTHER = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
PROPOSED = BlockProposed(1, BLOCK)
DECIDED = Decide(1, BLOCK, b"seal")


class Reacting(ScriptedEngine):
    """Answers inputs by their type, however often."""

    def __init__(self, answers, **options):
        super().__init__(**options)
        self.answers = answers

    def process(self, event):
        super().process(event)
        answer = self.answers.get(type(event), ())
        return answer(event) if callable(answer) else answer


class TurnTaker(ScriptedEngine):
    """Has a turn every so often."""

    def __init__(self, first_ms, step_ms):
        super().__init__(repeat(decide()))
        self.first_ms, self.step_ms = first_ms, step_ms

    def turn_ms(self, now_ms):
        return None

    def next_turn_ms(self, now_ms):
        if self.first_ms is None:
            return None
        return self.first_ms + ((now_ms - self.first_ms) // self.step_ms + 1) * self.step_ms


def host_of(*engines, **options) -> LoopHost:
    return LoopHost(lambda: engines, (ALICE, BOB, CAROL)[: len(engines)], **options)


def seen(engine, kind):
    return [event for event in engine.inputs if isinstance(event, kind)]


@pytest.mark.parametrize(("engines", "signers"), [(0, 0), (1, 2), (2, 1)])
def test_each_member_has_an_engine_and_a_key(engines, signers) -> None:
    host = LoopHost(lambda: [InstantEngine() for _ in range(engines)], (ALICE, BOB)[:signers])
    with pytest.raises(UsageError, match="engine and a key") as caught:
        host.process(PROPOSED)
    assert caught.value.facts == {"expected": engines, "actual": signers}


def test_it_looks_like_one_engine() -> None:
    inner = InstantEngine()
    host = host_of(inner, InstantEngine())
    assert host.name == "instant"
    assert host.header_rule is inner.header_rule
    assert host.finality_rule is inner.finality_rule
    assert host.process(BlockCommitted(0, HEAD)) == ()
    assert host.process(PROPOSED) == (Decide(1, BLOCK, b""),)
    assert host.process(MessageReceived(b"from outside")) == ()
    assert host.turn(5) is None


def test_messages_go_to_all_others_and_signatures_to_whoever_asked() -> None:
    payload = b"\x19 vote"
    first = Reacting(
        {
            BlockProposed: (Persist(b"record", (Sign(payload),)), FetchBlock(1, OTHER), RequestBlock(1)),
            Signed: (Broadcast(b"hello"),),
        }
    )
    second, third = Reacting({MessageReceived: (DECIDED,)}), Reacting({})
    assert host_of(first, second, third).process(PROPOSED) == (DECIDED,)
    assert seen(first, Signed) == [Signed(payload, ALICE.sign(keccak256(payload)))]
    assert seen(first, MessageReceived) == []
    assert seen(second, MessageReceived) == seen(third, MessageReceived) == [MessageReceived(b"hello")]
    assert seen(second, Signed) == []


def test_only_the_first_member_makes_candidates() -> None:
    engines = [Reacting({BlockProposed: (DECIDED,)}) for _ in range(3)]
    host_of(*engines).process(PROPOSED)
    assert [seen(engine, BlockProposed)[0].own for engine in engines] == [True, False, False]


def test_a_seal_that_has_grown_since_the_decision_is_the_one_that_counts() -> None:
    class Growing(Reacting):
        last_seal = b"more signatures"

    host = host_of(Growing({BlockProposed: (DECIDED,)}))
    assert host.process(PROPOSED) == (Decide(1, BLOCK, b"more signatures"),)


# Time


def wait(round: int = 0) -> ScheduleTimeout:
    return ScheduleTimeout(Timeout("propose", 1, round))


def test_time_jumps_to_the_next_timeout_when_nobody_has_anything_to_say() -> None:
    late = Reacting({BlockProposed: (wait(3),), TimeoutElapsed: (DECIDED,)})
    early = Reacting({BlockProposed: (wait(),)})
    assert host_of(late, early).process(PROPOSED) == (DECIDED,)
    assert seen(early, TimeoutElapsed)[0].timeout == Timeout("propose", 1, 0)
    assert len(seen(early, TimeoutElapsed)) == 2  # offered again before the first wait
    assert len(seen(late, TimeoutElapsed)) == 1


def test_timeouts_of_the_last_height_are_forgotten() -> None:
    engine = Reacting({BlockCommitted: (wait(),), TimeoutElapsed: (DECIDED,)})
    host = host_of(engine)
    host.process(BlockCommitted(0, HEAD))
    engine.answers[BlockCommitted] = ()
    host.process(BlockCommitted(1, BLOCK))
    with pytest.raises(UsageError, match="does not agree"):
        host.process(BlockProposed(2, OTHER))


def test_members_that_never_agree() -> None:
    silent = Reacting({})
    with pytest.raises(UsageError, match="does not agree"):
        host_of(silent).process(PROPOSED)
    restless = Reacting({BlockProposed: (wait(),), TimeoutElapsed: (wait(1),)})
    with pytest.raises(UsageError, match="does not agree") as caught:
        host_of(restless).process(PROPOSED)
    assert caught.value.facts == {"height": 1}


def test_members_that_decide_on_another_block() -> None:
    with pytest.raises(UsageError, match="another block"):
        host_of(Reacting({BlockProposed: (Decide(1, OTHER, b""),)})).process(PROPOSED)


# Proofs


def test_only_the_first_proposer_proves_until_a_round_fails() -> None:
    asked = []

    def prove(member: int, block_hash: bytes) -> bytes:
        asked.append(member)
        return bytes([member]) + block_hash[:1]

    quick = [Reacting({BlockProposed: (DECIDED,)}) for _ in range(3)]
    host_of(*quick, prove=prove, first_proposer=lambda height: height).process(PROPOSED)
    assert asked == [1]
    assert [seen(engine, BlockProposed)[0].extra for engine in quick] == [b"", b"\x01\x02", b""]

    asked.clear()
    slow = [Reacting({BlockProposed: (wait(),), TimeoutElapsed: (DECIDED,)}) for _ in range(2)]
    host_of(*slow, prove=prove, first_proposer=lambda _: None).process(PROPOSED)
    assert asked == [0, 1]
    assert [each.extra for each in seen(slow[1], BlockProposed)] == [b"", b"\x01\x02"]


# Work and evidence


def test_work_is_done_with_the_chains_hash() -> None:
    target = target_of(16)
    miner = Reacting({BlockProposed: (RequestWork(BLOCK, target),), WorkFound: (DECIDED,)})
    assert host_of(miner).process(PROPOSED) == (DECIDED,)
    (found,) = seen(miner, WorkFound)
    assert int.from_bytes(DoubleSha256().digest(BLOCK, found.nonce), "big") <= target


def test_work_that_nobody_can_do() -> None:
    class Hopeless(DoubleSha256):
        __slots__ = ()

        def search(self, block_hash, start, count, target, share_target):
            return Found(None, count)

    miner = Reacting({BlockProposed: (RequestWork(BLOCK, 1),), WorkFound: (DECIDED,)})
    with pytest.raises(UsageError, match="does not agree"):
        host_of(miner, pool=lambda: SoloPool(Hopeless())).process(PROPOSED)


def test_accusations_reach_whoever_wants_them() -> None:
    accuser = {BlockProposed: (Accuse(b"proof"), DECIDED)}
    heard: list[bytes] = []
    host_of(Reacting(accuser), on_evidence=heard.append).process(PROPOSED)
    assert heard == [b"proof"]
    assert host_of(Reacting(accuser)).process(PROPOSED) == (DECIDED,)


# Turns


def test_the_next_turn_of_any_member() -> None:
    host = host_of(TurnTaker(1_000, 3_000), TurnTaker(2_000, 3_000), TurnTaker(None, 1))
    assert host.turn(1_000) == (1_000, ALICE.address)
    assert host.turn(1_001) == (2_000, BOB.address)
    assert host.turn(2_500) == (4_000, ALICE.address)


def test_members_without_any_turn() -> None:
    assert host_of(TurnTaker(None, 1)).turn(5) is None


# Deciding again


class Once(ScriptedEngine):
    """Decides once in its life."""

    def __init__(self):
        super().__init__()
        self.has_decided = False

    def process(self, event):
        super().process(event)
        if not isinstance(event, BlockProposed) or self.has_decided:
            return ()
        self.has_decided = True
        return (Decide(event.height, event.block_hash, b""),)


@pytest.fixture
def renewed() -> tuple[LoopHost, list[list[Once]]]:
    """A host of engines that decide once, and all that it has asked for."""
    made: list[list[Once]] = []

    def make() -> list[Once]:
        made.append([Once()])
        return made[-1]

    return LoopHost(make, [ALICE]), made


def test_members_are_made_when_they_are_needed(renewed) -> None:
    host, made = renewed
    host.process(BlockCommitted(0, HEAD))
    assert made == []
    assert host.name == "scripted"
    assert [engine.inputs for engine in made[0]] == [[BlockCommitted(0, HEAD)]]


def test_members_are_renewed_when_the_chain_goes_back(renewed) -> None:
    host, made = renewed
    host.process(BlockCommitted(0, HEAD))
    assert host.process(PROPOSED)
    host.process(BlockCommitted(1, BLOCK))
    assert len(made) == 1
    host.process(BlockCommitted(0, HEAD))
    assert host.process(BlockProposed(1, OTHER)) == (Decide(1, OTHER, b""),)
    assert len(made) == 2
    assert made[1][0].inputs[0] == BlockCommitted(0, HEAD)


def test_members_are_renewed_when_nothing_came_of_their_decision(renewed) -> None:
    host, made = renewed
    host.process(BlockCommitted(0, HEAD))
    for block_hash in (BLOCK, OTHER, BLOCK):
        assert host.process(BlockProposed(1, block_hash)) == (Decide(1, block_hash, b""),)
    assert len(made) == 3
    assert made[2][0].inputs == [BlockCommitted(0, HEAD), BlockProposed(1, BLOCK, own=True)]


def test_members_that_cannot_be_renewed_are_told_of_the_head() -> None:
    engine = Once()
    host = host_of(engine)
    host.process(BlockCommitted(0, HEAD))
    host.process(PROPOSED)
    with pytest.raises(UsageError, match="does not agree"):
        host.process(PROPOSED)
    assert seen(engine, BlockCommitted) == [BlockCommitted(0, HEAD)] * 2


def test_a_host_that_was_told_of_no_head_asks_the_same_members_again() -> None:
    host = host_of(ScriptedEngine(repeat(decide())))
    assert host.process(PROPOSED) == host.process(PROPOSED) == (Decide(1, BLOCK, b""),)


# What is final


class Doubting(ScriptedEngine):
    """Takes the newest two blocks for replaceable."""

    def finalized_height(self) -> int:
        return 5


def test_what_is_final() -> None:
    host = host_of(ScriptedEngine())
    assert host.finalized_height() == 0
    host.process(BlockCommitted(7, BLOCK))
    assert host.finalized_height() == 7
    assert host_of(Doubting()).finalized_height() == 5
