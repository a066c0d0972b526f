"""The configuration of side chains: what it takes, what it refuses, and JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainstack_sdk import UsageError, ether
from chainstack_sdk.system import SideChainConfig
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)


def test_defaults() -> None:
    config = SideChainConfig(name="shop")
    assert (config.consensus, config.scheme, config.anchoring_interval) == ("instant", "chain_key", 0)
    assert config.chain_id is None


@pytest.mark.parametrize(
    ("engine", "scheme"),
    [
        ("instant", "chain_key"),
        ("pbft", "chain_key"),
        ("pos", "chain_key"),
        ("dpow", "chain_key"),
        ("dpos", "chain_key"),
        ("pow", "work"),
    ],
)
def test_the_scheme_follows_from_the_engine(engine: str, scheme: str) -> None:
    assert SideChainConfig(name="x", consensus=engine).scheme == scheme


def test_json_there_and_back(tmp_path: Path) -> None:
    config = SideChainConfig(
        name="shop",
        chain_id=77,
        consensus="pbft",
        membership="private",
        permitted=[ALICE, BOB.address],
        funds={ALICE: ether(5), BOB.address: 1 << 200},
        paradigms=["erc20"],
        finality="committee",
        work={"confirmations": 3},
        anchoring_interval=10,
    )
    assert SideChainConfig.parse(config.to_json()) == config
    config.save(tmp_path / "shop.json")
    assert SideChainConfig.load(tmp_path / "shop.json") == config
    assert config.chain_config(5).genesis().accounts[ALICE.address].balance == ether(5)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "main"}, "the main chain"),
        ({"name": "é" * 40}, "64 bytes"),
        ({"name": "x", "size": 3}, "size"),
        ({"name": "x", "consensus": "poa"}, "consensus"),
        ({"name": "x", "validators": 0}, "validators"),
        ({"name": "x", "coin_symbol": "é" * 20}, "31 bytes"),
        ({"name": "x", "membership": "private"}, "takes the engine pbft"),
        ({"name": "x", "membership": "public", "consensus": "pbft"}, "takes the engine pbft"),
        ({"name": "x", "permitted": [ALICE]}, "permitted"),
        ({"name": "x", "permitted": [3]}, "permitted"),
        ({"name": "x", "finality": "committee"}, "chain_key"),
        ({"name": "x", "consensus": "pow", "finality": "chain_key"}, "work"),
        ({"name": "x", "funds": 5}, "funds"),
        ({"name": "x", "funds": {ALICE: 1, ALICE.address: 2}}, "twice"),
        ({"name": "x", "funds": {ALICE: -1}}, "funds"),
        ({"name": "x", "anchoring_interval": -1}, "anchoring_interval"),
    ],
)
def test_what_is_refused(fields, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        SideChainConfig(**fields)


def test_text_that_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="invalid configuration"):
        SideChainConfig.parse('{"name": 5}')
    with pytest.raises(UsageError, match="invalid configuration"):
        SideChainConfig.parse("{")
    with pytest.raises(UsageError, match="cannot read"):
        SideChainConfig.load(tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot read"):
        SideChainConfig.load(tmp_path / "bad")
