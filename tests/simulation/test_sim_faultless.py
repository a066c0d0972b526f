"""Without faults: how soon committees decide, and with how many messages."""

from __future__ import annotations

import time

import pytest

from chainstack_sdk.consensus.bft import decode_message
from chainstack_sdk.consensus.bft.messages import content
from chainstack_sdk.network import wire
from chainstack_sdk.network.wire import Kind
from chainstack_sdk.testing.sim import Committee, LinkFaults, SimNet
from chainstack_sdk.testing.sim.audit import SEND, TIMER

DELAY_MS = 10


def decide(size: int, blocks: int) -> SimNet:
    sim = Committee(size).simulate(1, links=LinkFaults(latency_ms=(DELAY_MS, DELAY_MS)))
    assert sim.run(10_000, stop=lambda: all(sim.height(name) >= blocks for name in sim.names))
    return sim


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_a_decision_takes_three_message_delays(size: int) -> None:
    sim = decide(size, 5)
    delays = 0 if size == 1 else 3
    for commit in sim.commits:
        assert commit.time_ms == commit.height * delays * DELAY_MS
    # nobody had to wait for a timeout
    assert {entry.data for entry in sim.audit.entries if entry.kind == TIMER} == {b"build"}


@pytest.mark.parametrize("size", [4, 22, 64])
def test_messages_of_a_decision(size: int) -> None:
    """Two votes of each to each other, a proposal and a block to each: 2n² - 2."""
    sim = decide(size, 1)
    votes = candidates = 0
    for entry in sim.audit.entries:
        if entry.kind == SEND:
            kind, rest = wire.decode(entry.data)
            if kind is Kind.CANDIDATE:
                candidates += entry.time_ms == 0
            else:
                assert kind is Kind.ENGINE
                votes += content(decode_message(rest)).height == 1
    assert (votes, candidates) == (2 * size * (size - 1) + size - 1, size - 1)
    assert votes + candidates == 2 * size**2 - 2


def test_a_run_is_quick() -> None:
    """Five heights of four validators, real signatures included: far below what many seeds would forbid."""
    best = 1.0
    for _ in range(5):
        begin = time.process_time()
        decide(4, 5)
        best = min(best, time.process_time() - begin)
    assert best < 0.1
