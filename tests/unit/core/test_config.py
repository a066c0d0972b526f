"""Configuration: what people write, and what they are told when it is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from chainstack_sdk.core.config import AccountConfig, ChainConfig
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing import accounts

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB = accounts(2)
TOKEN = "0x" + "0c" * 20

FULL = ChainConfig(
    chain_id=7,
    timestamp_ms=1_000,
    gas_limit=30_000_000,
    base_fee=2**80,
    burn_base_fee=True,
    extra_data=b"extra",
    funds={ALICE: 10**30, BOB.address: 5},  # type: ignore[dict-item]
    accounts={TOKEN: AccountConfig(nonce=1, balance=3, code=b"\xef\x43", storage={1: 2**255, 2: 7})},
    keep_states=10,
)


def test_the_genesis_of_a_configuration() -> None:
    assert FULL.genesis() == Genesis(
        chain_id=7,
        accounts={
            ALICE.address: GenesisAccount(balance=10**30),
            BOB.address: GenesisAccount(balance=5),
            b"\x0c" * 20: GenesisAccount(1, 3, b"\xef\x43", {1: 2**255, 2: 7}),
        },
        timestamp_ms=1_000,
        gas_limit=30_000_000,
        base_fee=2**80,
        engine="instant",
        extra_data=b"extra",
        burn_base_fee=True,
    )


def test_defaults_are_those_of_the_genesis() -> None:
    assert ChainConfig().genesis() == Genesis()
    assert ChainConfig().keep_states is None
    assert not ChainConfig().archive


@pytest.mark.parametrize("config", [FULL, ChainConfig(), ChainConfig(archive=True)])
def test_a_file_comes_back(config: ChainConfig, tmp_path: Path) -> None:
    config.save(tmp_path / "chain.json")
    assert ChainConfig.load(tmp_path / "chain.json") == config
    assert ChainConfig.load(str(tmp_path / "chain.json")) == config


def test_json_keeps_large_amounts_from_being_rounded() -> None:
    written = json.loads(FULL.model_dump_json())
    assert written["funds"] == {ALICE.checksum_address: str(10**30), BOB.checksum_address: "5"}
    assert written["accounts"][to_checksum_address(TOKEN)]["storage"] == {"1": str(2**255), "2": "7"}
    assert written["extra_data"] == "0x" + b"extra".hex()


@pytest.mark.parametrize("amount", ["255", "0xff", "0xFF", 255])
def test_amounts_may_be_text(amount: object) -> None:
    config = ChainConfig.parse(json.dumps({"funds": {TOKEN: amount}, "chain_id": amount}))
    assert config.funds == {to_checksum_address(TOKEN): 255}
    assert config.chain_id == 255


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError):
        FULL.chain_id = 8


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "value"),
        ("{", "value"),
        ("[]", "value"),
        ({"chainid": 1}, "chainid"),
        ({"chain_id": -1}, "chain_id"),
        ({"chain_id": 2**64}, "chain_id"),
        ({"chain_id": 1.0}, "chain_id"),
        ({"chain_id": True}, "chain_id"),
        ({"chain_id": "one"}, "chain_id"),
        ({"engine": 7}, "engine"),
        ({"base_fee": str(2**256)}, "base_fee"),
        ({"burn_base_fee": "maybe"}, "burn_base_fee"),
        ({"extra_data": "0x" + "00" * 33}, "extra_data"),
        ({"extra_data": "0xzz"}, "extra_data"),
        ({"funds": [1]}, "funds"),
        ({"funds": {"0x12": 1}}, "funds"),
        ({"funds": {TOKEN: -1}}, "funds"),
        ({"funds": {TOKEN: None}}, "funds"),
        ({"funds": {"0x" + "0c" * 20: 1, "0x" + "0C" * 20: 2}}, "different spellings"),
        ({"accounts": {TOKEN: {"nonce": 2**64}}}, "nonce"),
        ({"accounts": {TOKEN: {"balance": "0x1" + "0" * 64}}}, "balance"),
        ({"accounts": {TOKEN: {"code": "code"}}}, "code"),
        ({"accounts": {TOKEN: {"storage": {"-1": 1}}}}, "storage"),
        ({"accounts": {TOKEN: {"storage": {"1": str(2**256)}}}}, "storage"),
        ({"accounts": {TOKEN: {"owner": 1}}}, "owner"),
        ({"keep_states": 0}, "keep_states"),
        ({"archive": True, "keep_states": 5}, "archive"),
    ],
)
def test_the_problem_is_named(written: Any, told: str) -> None:
    text = written if isinstance(written, str) else json.dumps(written)
    with pytest.raises(UsageError, match=told) as caught:
        ChainConfig.parse(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        ChainConfig.load(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"extra_data": "\xe4"}')
    with pytest.raises(UsageError, match="cannot read"):
        ChainConfig.load(tmp_path / "latin.json")


def test_an_address_in_both_tables() -> None:
    with pytest.raises(UsageError, match="both"):
        ChainConfig(funds={TOKEN: 1}, accounts={TOKEN: AccountConfig()}).genesis()


def test_what_fits_alone_but_not_together() -> None:
    with pytest.raises(UsageError, match="gas_limit"):
        ChainConfig(gas_limit=20_000).genesis()
