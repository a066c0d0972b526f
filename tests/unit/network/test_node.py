"""What all nodes have in common: engine outputs become effects, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.engine import (
    Broadcast,
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
from chainstack_sdk.network.effects import Mine, Send, SetTimer, Store
from chainstack_sdk.network.node import RESEND, EngineNode, Timing
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import recover
from chainstack_sdk.testing import ScriptedEngine, accounts

if TYPE_CHECKING:
    from collections.abc import Hashable

    from chainstack_sdk.testing.consensus import Reaction

(ALICE,) = accounts(1)
HASH = b"\x11" * 32
TIMEOUT = Timeout("prevote", 3, 4)


class TalkingNode(EngineNode):
    """A node that hands every message to its engine."""

    def _on_message(self, sender: Hashable, kind: Kind, rest: bytes) -> None:
        self._feed(MessageReceived(rest))


def talking(*reactions: Reaction, signs: bool = True) -> tuple[TalkingNode, ScriptedEngine]:
    engine = ScriptedEngine(reactions)
    return TalkingNode(engine, ALICE if signs else None, Timing(100, 10, 50)), engine


def test_outputs_become_effects() -> None:
    outputs = (Broadcast(b"vote"), ScheduleTimeout(TIMEOUT), RequestWork(HASH, 7), RequestBlock(1))
    node, engine = talking(outputs)
    assert node.receive("bob", b"\x01hello") == (
        Send(b"\x01vote"),
        SetTimer(TIMEOUT, 140),
        Mine(HASH, 7),
    )
    assert engine.inputs == [MessageReceived(b"hello")]
    assert node.receive("bob", b"\x01again") == ()


def test_a_record_comes_before_what_depends_on_it() -> None:
    payload = b"\x19payload"
    node, engine = talking(
        (Persist(b"record", (Sign(payload), Broadcast(b"then"))), Broadcast(b"after")),
        (Broadcast(b"signed"),),
    )
    effects = node.receive("bob", b"\x01go")
    assert effects == (Store(b"record"), Send(b"\x01then"), Send(b"\x01after"), Send(b"\x01signed"))
    signed = engine.inputs[1]
    assert isinstance(signed, Signed)
    assert recover(keccak256(payload), signed.signature) == ALICE.address


def test_a_node_without_a_key_signs_nothing() -> None:
    node, engine = talking((Sign(b"payload"),), signs=False)
    assert node.receive("bob", b"\x01go") == ()
    assert len(engine.inputs) == 1


def test_timers() -> None:
    node, engine = talking((Broadcast(b"late"),))
    assert node.elapsed(TIMEOUT) == (Send(b"\x01late"),)
    assert engine.inputs == [TimeoutElapsed(TIMEOUT)]
    assert node.elapsed(RESEND) == (SetTimer(RESEND, 50),)
    assert node.elapsed("unknown") == ()
    assert len(engine.inputs) == 1


def test_work() -> None:
    node, engine = talking((Broadcast(b"found"),))
    assert node.mined(HASH, 9) == (Send(b"\x01found"),)
    assert engine.inputs == [WorkFound(HASH, 9)]


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x09x", b"\x03short"])
def test_what_is_no_message_is_dropped(message: bytes) -> None:
    node, engine = talking((Broadcast(b"heard"),))
    assert node.receive("bob", message) == ()
    assert engine.inputs == []


def test_a_bare_node_takes_no_messages() -> None:
    engine = ScriptedEngine()
    assert EngineNode(engine, None, Timing()).receive("bob", b"\x01vote") == ()
    assert engine.inputs == []


def test_waits_grow_with_the_round() -> None:
    timing = Timing(base_ms=100, step_ms=30)
    assert [timing.delay_ms(Timeout("propose", 1, number)) for number in range(4)] == [100, 130, 160, 190]
