from __future__ import annotations

from random import Random

import pytest

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.testing.sim import (
    BareEngine,
    Committee,
    Conspiracy,
    TallyDisk,
    Withhold,
    other_block,
    twin_name,
)
from chainstack_sdk.testing.sim.scenarios import MANNERS, draw_manner


def test_validators_have_names_keys_and_weights() -> None:
    committee = Committee([3, 1, 1])
    assert committee.names == ("v0", "v1", "v2")
    weights = {
        name: committee.validators.weight_of(account.address) for name, account in committee.accounts.items()
    }
    assert weights == {"v0": 3, "v1": 1, "v2": 1}
    assert [committee.name_of(committee.accounts[name].address) for name in committee.names] == list(weights)
    with pytest.raises(UsageError, match="no validator"):
        committee.name_of(bytes(20))


def test_keys_are_the_same_every_time() -> None:
    assert Committee(4).validators == Committee(4).validators
    assert [Committee(size).most_faulty for size in (1, 3, 4, 6, 7, 10)] == [0, 0, 1, 1, 2, 3]


def test_the_engine_has_rules() -> None:
    node = Committee(1).node("v0", TallyDisk())
    assert isinstance(node.engine, BareEngine)
    assert node.engine.header_rule is node.engine.finality_rule
    assert node.engine.finality_rule.work(None) == 1


def test_one_validator_decides_alone() -> None:
    sim = Committee(1).simulate(1)
    assert sim.run(1_000, stop=lambda: sim.height("v0") == 3, max_events=100)


def test_weight_decides() -> None:
    heavy = Committee([7, 1, 1, 1])
    silent = {f"v{number}": lambda node: Withhold(node, share=1000, seed=1) for number in (1, 2, 3)}
    sim = heavy.simulate(1, faulty=silent)
    assert sim.run(60_000, stop=lambda: sim.height("v0") == 3)
    light = Committee([6, 1, 1, 1])
    assert not light.simulate(1, faulty=silent).run(5_000, stop=lambda: False)
    sim = light.simulate(1, faulty=silent)
    sim.run(5_000)
    assert sim.commits == []


def test_twins_share_a_key_and_build_different_blocks() -> None:
    committee = Committee(4)
    one, twin = (committee.node(name, TallyDisk()) for name in ("v1", twin_name("v1")))
    candidates = [node.application.build(1) for node in (one, twin)]
    assert candidates[0] != candidates[1]
    sim = committee.simulate(1, faulty={"v1": lambda node: node}, twins={"v1": lambda node: node})
    assert sim.names == ("v0", "v1", "v2", "v3", "v1*")
    assert sim.honest == ("v0", "v2", "v3")


def test_a_seal_of_others_is_checked() -> None:
    committee = Committee(4)
    sim = committee.simulate(1)
    sim.run(stop=lambda: bool(sim.commits), until_ms=10_000)
    commit = sim.commits[0]
    node = sim.node(commit.node)
    sealed = node.application.sealed(1)
    assert committee.node("v0", TallyDisk()).application.append(sealed).block_hash == commit.block_hash
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(InvalidInput):
        committee.node("v0", TallyDisk()).application.append(damaged)


def test_every_manner_can_be_drawn() -> None:
    committee = Committee(4)
    conspiracy = Conspiracy(["v0"], other_block)
    for manner in MANNERS:
        if manner not in ("twins", "forgetful"):
            around = draw_manner(manner, Random(1), committee, "v0", conspiracy)
            assert around(committee.node("v0", TallyDisk())).start()
    with pytest.raises(UsageError, match="manner"):
        draw_manner("politely", Random(1), committee, "v0", conspiracy)
