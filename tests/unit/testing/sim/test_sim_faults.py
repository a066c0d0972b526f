from __future__ import annotations

from collections.abc import Hashable

import pytest

from chainstack_sdk.network.effects import Effect, Send, SetTimer, Store
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim import (
    BadLinks,
    Crash,
    CrashAtStore,
    Cut,
    FaultPlan,
    Heal,
    LinkFaults,
    Recovery,
    Restart,
    SimNet,
    Skew,
    Weather,
)
from chainstack_sdk.testing.sim import audit as kinds

NAMES = ("n0", "n1", "n2")


class Beat:
    """Says and stores something every 100 ms of its clock."""

    def start(self) -> tuple[Effect, ...]:
        return (SetTimer("beat", 100),)

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        return ()

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return Store(b"r"), Send(b"beat"), SetTimer("beat", 100)

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        return ()


def beating(plan: FaultPlan, until_ms: int) -> SimNet:
    sim = SimNet(1, [lambda record: Beat()] * 3, links=LinkFaults(latency_ms=(1, 1)))
    plan.apply(sim)
    sim.run(until_ms)
    return sim


def test_every_fault_happens_at_its_time() -> None:
    storm = dead = LinkFaults(loss=1000)
    plan = FaultPlan(
        (
            Crash(10, "n0"),
            Restart(20, "n0"),
            CrashAtStore(30, "n1", durable=True),
            Skew(40, "n2", 2000),
            Cut(150, (("n0",), ("n1", "n2"))),
            Heal(
                250,
            ),
            Weather(260, storm),
            Weather(350, None),
            BadLinks(355, (("n0", "n1"), ("n2", "n0")), dead),
            Restart(360, "n1", amnesia=True),
            Recovery(400),
        )
    )
    assert plan.end_ms == 400
    sim = beating(plan, 399)
    happened = [
        (entry.time_ms, entry.kind, entry.node, entry.data if entry.kind == kinds.NETWORK else b"")
        for entry in sim.audit.entries
        if entry.kind in (kinds.CRASH, kinds.RESTART, kinds.NETWORK)
    ]
    assert happened == [
        (10, kinds.CRASH, "n0", b""),
        (20, kinds.RESTART, "n0", b""),
        (40, kinds.NETWORK, "n2", b"clock 2000"),
        (100, kinds.CRASH, "n1", b""),
        (150, kinds.NETWORK, "", b"cut n0 | n1, n2"),
        (250, kinds.NETWORK, "", b"heal"),
        (260, kinds.NETWORK, "", f"links {storm}".encode()),
        (350, kinds.NETWORK, "", f"links {LinkFaults(latency_ms=(1, 1))}".encode()),
        (355, kinds.NETWORK, "n0", f"link to n1 {dead}".encode()),
        (355, kinds.NETWORK, "n2", f"link to n0 {dead}".encode()),
        (360, kinds.RESTART, "n1", b""),
    ]
    assert sim.honest == ("n0", "n2")


def test_a_recovery_ends_everything() -> None:
    plan = FaultPlan(
        (
            Skew(0, "n2", 5000),
            Crash(0, "n0"),
            CrashAtStore(350, "n1", durable=False),
            Cut(350, (("n0",), ("n1", "n2"))),
            Weather(350, LinkFaults(loss=1000)),
            Recovery(380),
        )
    )
    sim = beating(plan, 1_000)
    assert sim.calm_since_ms == 380
    assert all(sim.node(name) is not None for name in NAMES)
    delivered = {(e.peer, e.node) for e in sim.audit.entries if e.kind == kinds.DELIVER and e.time_ms > 700}
    assert len(delivered) == 6
    beats = [e.time_ms for e in sim.audit.entries if e.kind == kinds.TIMER and e.node == "n2"]
    assert beats[-1] - beats[-2] == 100


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ((), "ends with a recovery"),
        ((Crash(1, "n0"),), "ends with a recovery"),
        ((Crash(5, "n0"), Recovery(4)), "in order of time"),
    ],
)
def test_impossible_plans_are_refused(faults, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        FaultPlan(faults)


def test_plans_are_drawn_from_the_seed() -> None:
    assert FaultPlan.draw(1, NAMES, 500) == FaultPlan.draw(1, NAMES, 500) != FaultPlan.draw(2, NAMES, 500)


def test_every_drawn_plan_runs_and_recovers() -> None:
    seen = set()
    for seed in range(60):
        plan = FaultPlan.draw(seed, NAMES, 500, forgetful=["n2"] if seed % 2 else [])
        seen |= {type(fault) for fault in plan.faults}
        sim = beating(plan, 700)
        assert sim.calm_since_ms == plan.end_ms == 500
        assert all(sim.node(name) is not None for name in NAMES)
        assert {"n0", "n1"} <= set(sim.honest)
    assert seen == {BadLinks, Crash, CrashAtStore, Cut, Heal, Recovery, Restart, Skew, Weather}


def test_the_forgetful_lose_records() -> None:
    drawn = [FaultPlan.draw(seed, NAMES, 500, forgetful=["n1"]) for seed in range(40)]
    lost = [fault for plan in drawn for fault in plan.faults if isinstance(fault, Restart)]
    assert {fault.older for fault in lost if fault.node == "n1"} == {0, 1, 2, 3}
    assert any(fault.amnesia for fault in lost)
    assert not any(fault.amnesia or fault.older for fault in lost if fault.node != "n1")


def test_one_node_alone_can_fail_too() -> None:
    assert FaultPlan.draw(4, ["n0"], 500).end_ms == 500
