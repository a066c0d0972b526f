from __future__ import annotations

from collections.abc import Hashable

import pytest

from chainstack_sdk.network.effects import Effect, Mine, Send, SetTimer, Store
from chainstack_sdk.testing.sim import Corrupt, Delay, Middleware, MiningLiar, Replay, Split, Withhold

MESSAGES = tuple(Send(b"message %d" % number) for number in range(200))


class Talker:
    """Says what it is told, at every occasion, and keeps what it hears."""

    def __init__(self, *effects: Effect) -> None:
        self._effects = effects
        self.heard: list[object] = []

    def start(self) -> tuple[Effect, ...]:
        return self._effects

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        self.heard.append((sender, message))
        return self._effects

    def elapsed(self, timer) -> tuple[Effect, ...]:
        self.heard.append(timer)
        return self._effects

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        self.heard.append((block_hash, nonce))
        return self._effects


def test_a_bare_middleware_changes_nothing() -> None:
    effects = Send(b"x"), Store(b"r"), SetTimer("t", 5)
    talker = Talker(*effects)
    node = Middleware(talker)
    assert node.start() == node.receive("a", b"m") == node.elapsed("t") == node.mined(b"h", 7) == effects
    assert talker.heard == [("a", b"m"), "t", (b"h", 7)]


def sends(effects: tuple[Effect, ...]) -> list[bytes]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


@pytest.mark.parametrize("make", [Withhold, Corrupt, Replay])
def test_chance_follows_from_the_seed(make) -> None:
    one, same, other = (make(Talker(*MESSAGES), share=500, seed=seed).start() for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("make", [Withhold, Corrupt, Replay])
def test_other_effects_are_left_alone(make) -> None:
    others = Store(b"r"), SetTimer("t", 5)
    assert make(Talker(*others), share=1000, seed=1).start() == others


def test_withhold() -> None:
    assert sends(Withhold(Talker(*MESSAGES), share=1000, seed=1).start()) == []
    assert Withhold(Talker(*MESSAGES), share=0, seed=1).start() == MESSAGES
    assert 60 < len(sends(Withhold(Talker(*MESSAGES), share=500, seed=1).start())) < 140


def test_corrupt_flips_one_bit() -> None:
    damaged = Corrupt(Talker(*MESSAGES, Send(b"")), share=1000, seed=1).start()
    assert len(damaged) == len(MESSAGES) + 1
    assert damaged[-1] == Send(b"")
    for before, after in zip(MESSAGES, damaged, strict=False):
        assert isinstance(after, Send)
        difference = int.from_bytes(before.message, "big") ^ int.from_bytes(after.message, "big")
        assert difference.bit_count() == 1
    assert Corrupt(Talker(*MESSAGES), share=0, seed=1).start() == MESSAGES


def test_replay_sends_what_was_said_before() -> None:
    node = Replay(Talker(Send(b"own", "b")), share=1000, seed=1)
    for number in range(600):
        own, old = node.receive("a", b"heard %d" % number)
        assert own == Send(b"own", "b")
        assert isinstance(old, Send)
        assert old.to is None
        assert old.message == b"own" or int(old.message.removeprefix(b"heard ")) <= number
    assert Replay(Talker(*MESSAGES), share=0, seed=1).start() == MESSAGES


def test_delay() -> None:
    talker = Talker(Send(b"x"), Store(b"r"), Send(b"y", "b"))
    node = Delay(talker, 300)
    first, stored, second = node.start()
    assert isinstance(first, SetTimer)
    assert isinstance(second, SetTimer)
    assert (first.delay_ms, stored, second.delay_ms) == (300, Store(b"r"), 300)
    assert node.elapsed(second.timer) == (Send(b"y", "b"),)
    assert node.elapsed(first.timer) == (Send(b"x"),)
    assert talker.heard == []
    node.elapsed("own")
    node.elapsed(first.timer)
    assert talker.heard == ["own", first.timer]


def test_split_deals_with_some_only_and_changes_which() -> None:
    talker = Talker(Send(b"all"), Send(b"one", "c"), Store(b"r"))
    node = Split(talker, script=[("a", "b"), ("c",)], phase_ms=100)
    timer, *first = node.start()
    assert isinstance(timer, SetTimer)
    assert timer.delay_ms == 100
    assert first == [Send(b"all", "a"), Send(b"all", "b"), Store(b"r")]
    assert node.receive("c", b"m") == ()
    assert node.elapsed(timer.timer) == (timer,)
    assert node.receive("c", b"m") == (Send(b"all", "c"), Send(b"one", "c"), Store(b"r"))
    assert node.receive("a", b"m") == ()
    node.elapsed(timer.timer)
    assert node.elapsed("own") == tuple(first)
    assert talker.heard == [("c", b"m"), "own"]


def test_a_mining_liar_claims_at_once() -> None:
    talker = Talker(Mine(b"h" * 32, 1000), Send(b"x"))
    node = MiningLiar(talker, claim=lambda block_hash, target: target + block_hash[0])
    timer, said = node.start()
    assert isinstance(timer, SetTimer)
    assert said == Send(b"x")
    assert timer.delay_ms == 1
    assert node.elapsed(timer.timer) == (timer, said)
    assert talker.heard == [(b"h" * 32, 1000 + ord("h"))]
    node.elapsed("own")
    assert talker.heard[1:] == ["own"]


def test_a_mining_liar_can_speak_for_itself() -> None:
    node = MiningLiar(
        Talker(Mine(b"h" * 32, 1000)),
        claim=lambda block_hash, target: 5,
        announce=lambda block_hash, nonce: [block_hash, b"%d" % nonce],
    )
    (timer,) = node.start()
    assert isinstance(timer, SetTimer)
    assert node.elapsed(timer.timer) == (Send(b"h" * 32), Send(b"5"), timer)


def test_a_mining_liar_without_a_task_claims_nothing() -> None:
    talker = Talker(Send(b"x"))
    node = MiningLiar(talker, claim=lambda block_hash, target: 0)
    assert node.elapsed("own") == (Send(b"x"),)
