from __future__ import annotations

from collections.abc import Hashable

import pytest

from chainstack_sdk.network.effects import Committed, Effect, Send, SetTimer
from chainstack_sdk.testing.sim import (
    Agreement,
    Commit,
    InvariantViolation,
    LinkFaults,
    SimNet,
    Termination,
    Validity,
)


class Committer:
    """Commits one block after the other, at times of its own."""

    def __init__(self, script: dict[int, tuple[Effect, ...]]) -> None:
        self._script = script

    def start(self) -> tuple[Effect, ...]:
        return tuple(SetTimer(str(time_ms), time_ms) for time_ms in self._script)

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        return ()

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return self._script[int(timer)]

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        return ()


def block(height: int, letter: bytes = b"x") -> tuple[Effect, ...]:
    return (Committed(height, letter * 32, b""),)


def run(*scripts: dict[int, tuple[Effect, ...]], until_ms: int = 1000, **options) -> SimNet:
    nodes = [lambda record, script=script: Committer(script) for script in scripts]
    sim = SimNet(11, nodes, links=LinkFaults(latency_ms=(1, 1)), **options)
    sim.run(until_ms)
    return sim


def test_agreement() -> None:
    scripts = {1: block(1), 2: block(2, b"y")}, {3: block(1), 4: block(2, b"y")}
    assert len(run(*scripts, invariants=[Agreement()]).commits) == 4


def test_disagreement_is_found_with_seed_and_story() -> None:
    with pytest.raises(InvariantViolation) as caught:
        run({1: block(1), 2: block(2)}, {3: block(1, b"y"), 4: ()}, invariants=[Agreement()])
    first, *story = str(caught.value).splitlines()
    assert first == "n0 and n1 committed different blocks at height 1 (seed 11, after 3 ms)"
    assert story[-1] == "       3 ms  n1  commits block 1 797979"
    assert isinstance(caught.value, AssertionError)


def test_committing_twice_is_found() -> None:
    with pytest.raises(InvariantViolation, match="n0 committed height 1 twice"):
        run({1: block(1), 2: block(1)}, invariants=[Agreement()])


def test_the_faulty_may_disagree() -> None:
    run({1: block(1)}, {3: block(1, b"y"), 4: block(1, b"z")}, invariants=[Agreement()], faulty=["n1"])


def test_validity() -> None:
    def is_valid(commit: Commit) -> bool:
        return commit.block_hash == b"x" * 32

    run({1: block(1)}, {3: block(1, b"y")}, invariants=[Validity(is_valid)], faulty=["n1"])
    with pytest.raises(InvariantViolation, match="n1 committed an invalid block at height 1"):
        run({1: block(1)}, {3: block(1, b"y")}, invariants=[Validity(is_valid)])


def ticking(commits: dict[int, tuple[Effect, ...]]) -> dict[int, tuple[Effect, ...]]:
    return {time_ms: (Send(b""),) for time_ms in range(50, 1000, 50)} | commits


def test_termination() -> None:
    termination = Termination(2, 300)
    sim = run(ticking({10: block(1), 210: block(2)}), ticking({20: block(2)}), invariants=[termination])
    assert termination.is_reached(sim)


def test_a_node_that_lags_is_found_when_the_time_is_over() -> None:
    termination = Termination(2, 300)
    with pytest.raises(InvariantViolation, match="n1 is still at height 1 and not at 2") as caught:
        run(ticking({10: block(2)}), ticking({20: block(1)}), invariants=[termination])
    assert "after 301 ms" in str(caught.value)


def test_a_standstill_is_found_at_once() -> None:
    with pytest.raises(InvariantViolation, match="after 20 ms"):
        run({10: block(1)}, {20: ()}, invariants=[Termination(1, 300)])


def test_a_fault_begins_the_time_anew() -> None:
    termination = Termination(1, 300)
    sim = run(ticking({10: block(1)}), ticking({20: block(1)}), until_ms=100, invariants=[termination])
    assert termination.is_reached(sim)
    sim.heal()
    sim.run(400)
    assert not termination.is_reached(sim)
    assert not termination.is_reached(sim)
    with pytest.raises(InvariantViolation, match="n0 is still at height 1 and not at 2"):
        sim.run(500)


def test_nodes_that_are_down_or_faulty_need_not_follow() -> None:
    sim = run(ticking({10: block(1)}), ticking({}), ticking({}), until_ms=20, faulty=["n1"])
    sim.crash("n2")
    termination = Termination(0, 100)
    sim.watch(termination)
    sim.run(500)
    assert termination.is_reached(sim)
