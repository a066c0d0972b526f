"""Crashes at the worst moments: what a record is good for, and what its loss costs."""

from __future__ import annotations

from random import Random

import pytest

from chainstack_sdk.testing.sim import (
    Committee,
    LinkFaults,
    SimNet,
    Termination,
    recover,
)

COMMITTEE = Committee(4)


def culprits(sim: SimNet) -> set[str]:
    """Whom the messages of a run prove guilty."""
    return set(map(COMMITTEE.name_of, COMMITTEE.accountability().convict(sim)))


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_crashes_at_the_writing_of_records(seed: int, durable: bool) -> None:
    """Nodes die again and again at a record, before or after it is on the disk, and never lie."""
    sim = COMMITTEE.simulate(seed)
    rng = Random(seed)
    for name in sim.names:
        at_ms = 0
        for _ in range(15):
            at_ms += rng.randint(1, 120)
            sim.at(at_ms, lambda name=name: sim.crash_at_store(name, durable=durable))
            at_ms += rng.randint(60, 200)
            sim.at(at_ms, lambda name=name: sim.restart(name))
    sim.run(2_500)
    for name in sim.names:
        sim.crash_at_store(name, durable=None)
        sim.restart(name)
    recover(sim)
    assert sim.audit.counts["crash"] > 8
    assert culprits(sim) == set()
    assert sim.accusations == []


def lose_the_record(seed: int, *, amnesia: bool) -> SimNet:
    """Crash one validator again and again, just after it has voted."""
    sim = COMMITTEE.simulate(seed, links=LinkFaults(latency_ms=(10, 200)))
    rng = Random(seed)
    at_ms = 0
    for _ in range(20):
        at_ms += rng.randint(20, 400)
        sim.at(at_ms, lambda: sim.crash("v0"))
        sim.at(at_ms, lambda: sim.restart("v0", amnesia=amnesia))
    sim.run(at_ms)
    recover(sim)
    return sim


def test_without_its_record_a_validator_contradicts_itself() -> None:
    """With the record it never does, under the very same faults."""
    for seed in range(20):
        assert culprits(lose_the_record(seed, amnesia=False)) == set()
        if culprits(lose_the_record(seed, amnesia=True)) == {"v0"}:
            return
    pytest.fail("nobody contradicted himself")


def test_a_minority_waits_and_catches_up() -> None:
    sim = COMMITTEE.simulate(5)
    sim.run(300)
    sim.cut(["v0"])
    sim.run(3_000)
    alone = sim.height("v0")
    assert sim.height("v1") > alone + 5
    sim.heal()
    sim.watch(Termination(3, 5_000))
    sim.run(8_001)
    assert sim.height("v0") > alone + 5


def test_no_half_decides() -> None:
    sim = COMMITTEE.simulate(6)
    sim.run(300)
    sim.cut(["v0", "v1"], ["v2", "v3"])
    sim.run(400)
    heights = [sim.height(name) for name in sim.names]
    sim.run(20_000)
    assert [sim.height(name) for name in sim.names] == heights
    sim.heal()
    recover(sim)


def test_slow_links_and_wrong_clocks_only_cost_time() -> None:
    sim = COMMITTEE.simulate(7, links=LinkFaults(latency_ms=(200, 900)))
    sim.skew("v1", 300)
    sim.skew("v2", 4_000)
    recover(sim)
    assert min(sim.height(name) for name in sim.names) >= 2


def test_a_node_that_lost_its_chain_is_handed_every_block() -> None:
    """A newcomer hears of nothing but heights, and asks its way up."""
    sim = COMMITTEE.simulate(8)
    sim.crash("v3")
    sim.run(0)
    sim.crash("v3")
    sim.run(2_000)
    assert sim.height("v0") > 5
    sim.restart("v3")
    recover(sim)
    assert sim.height("v3") >= sim.height("v0") - 2


def test_a_block_that_all_are_locked_on_survives_a_loss_of_power() -> None:
    """All go down between the second votes and the decision; the block is nowhere but on their disks."""
    sim = COMMITTEE.simulate(9, links=LinkFaults(latency_ms=(10, 10)))
    sim.run(25)
    for name in sim.names:
        sim.crash(name)
    sim.run(100)
    for name in sim.names:
        sim.restart(name)
    recover(sim)
    assert len({commit.block_hash for commit in sim.commits if commit.height == 1}) == 1
