"""Every joint of the house has an implementation for tests, and both have the same members."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from chainstack_sdk import testing
from chainstack_sdk.core import interfaces

IMPLEMENTATIONS: dict[str, list[type[Any]]] = {
    "KeyValueStore": [testing.RecordingStore],
    "StateTrie": [testing.NaiveTrie],
    "Contract": [testing.ScriptedContract],
    "ContractRuntime": [testing.NullRuntime, testing.ScriptedRuntime],
    "FeePolicy": [testing.FixedFees],
    "ChainRules": [testing.ScriptedRules],
    "HeaderRule": [testing.AcceptAllHeaders],
    "CandidateRule": [testing.AcceptAllHeaders],
    "FinalityRule": [testing.AcceptAllHeaders],
    "ConsensusEngine": [testing.ScriptedEngine],
    "Consensus": [testing.ScriptedConsensus],
    "Clock": [testing.FixedClock],
    "Ledger": [testing.FailingLedger],
}
PROTOCOLS = {
    name: value
    for name, value in vars(interfaces).items()
    if inspect.isclass(value) and value.__module__ == interfaces.__name__
}


def members(kind: type[Any]) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, object, object]]:
    found = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default) for one in found]


def test_the_table_names_every_protocol() -> None:
    assert set(IMPLEMENTATIONS) == set(PROTOCOLS)
    assert testing.__doc__ is not None
    assert all(f"`{name}`" in testing.__doc__ for name in PROTOCOLS)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_implementations_have_all_members(name: str) -> None:
    for kind in IMPLEMENTATIONS[name]:
        for member, declared in members(PROTOCOLS[name]).items():
            if not isinstance(declared, property):
                assert parameters(getattr(kind, member)) == parameters(declared), (kind, member)
            else:
                assert hasattr(kind, member) or member == "name", (kind, member)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_every_member_says_what_it_does(name: str) -> None:
    protocol = PROTOCOLS[name]
    for member in [protocol, *(getattr(protocol, one) for one in members(protocol))]:
        assert (member.__doc__ or "").strip(), (name, member)
