"""Faults planted into the engine are found: the simulator would notice if it were wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.bft import ValidatorSet, engine
from chainstack_sdk.network.validator import ValidatorNode
from chainstack_sdk.testing.sim import Committee, InvariantViolation, Tally, chaos


def first_violation(size: int, seeds: int) -> str:
    """The first line of what is found, at the first seed at which something is."""
    committee = Committee(size)
    for seed in range(seeds):
        try:
            chaos(committee, seed)
        except InvariantViolation as violation:
            told = str(violation).splitlines()[0]
            assert f"(seed {seed}, after " in told
            return told
    pytest.fail("nothing was found")


def test_half_is_no_quorum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ValidatorSet, "is_quorum", lambda self, weight: 2 * weight >= self.total_weight)
    assert "committed different blocks" in first_violation(4, 200)


def test_locks_must_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    true_apply = engine.apply

    def forgetful_apply(state, event):
        return true_apply(replace(state, locked_value=None, locked_round=-1), event)

    monkeypatch.setattr(engine, "apply", forgetful_apply)
    told = first_violation(4, 300)
    assert "different blocks" in told or "is proven guilty" in told


def test_records_must_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    true_node = Committee.node

    def without_record(self, name, disk, record=None, timing=None) -> ValidatorNode:
        return true_node(self, name, disk, None, timing)

    monkeypatch.setattr(Committee, "node", without_record)
    told = first_violation(4, 200)
    assert "different blocks" in told or "is proven guilty" in told


def test_blocks_must_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tally, "_check", lambda self, block: None)
    assert "committed an invalid block" in first_violation(4, 200)


def test_nodes_must_help_those_that_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ValidatorNode, "_on_status", lambda self, sender, height: None)
    assert "is still at height" in first_violation(4, 200)
