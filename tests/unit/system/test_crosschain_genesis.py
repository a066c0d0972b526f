"""The contracts for other chains in a genesis, and in the runtime that it calls for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chainstack_sdk import Chain, ChainConfig, UsageError, ether
from chainstack_sdk.chain.crosschain import CrossChain, crosschain_contracts, with_crosschain
from chainstack_sdk.core import Genesis, GenesisAccount, MemoryStore
from chainstack_sdk.testing import accounts
from chainstack_sdk.xchain import addresses
from chainstack_sdk.xchain.atomic import COORDINATOR_CODE, PARTICIPANT_CODE, coordinator_of, participant_of
from chainstack_sdk.xchain.genesis import with_hub
from chainstack_sdk.xchain.peg import PegApi, with_peg
from chainstack_sdk.xchain.registry import REGISTRY_CODE, ChainRegistryApi
from chainstack_sdk.xchain.swaps import SwapContract

GOVERNOR, ALICE = accounts(2)


def test_it_is_what_the_packages_of_the_contracts_say() -> None:
    setup = CrossChain(GOVERNOR.address, "Franc", "FRC")
    made = with_crosschain(Genesis(), setup)
    expected = with_peg(with_hub(Genesis(), GOVERNOR.address), "Franc", "FRC").accounts
    assert {address: made.accounts[address] for address in expected} == expected
    assert made.accounts[addresses.COORDINATOR_ADDRESS].code == COORDINATOR_CODE
    assert made.accounts[addresses.PARTICIPANT_ADDRESS].code == PARTICIPANT_CODE
    assert made.accounts[addresses.REGISTRY_ADDRESS].code == REGISTRY_CODE
    assert {account.code for account in made.accounts.values()} == crosschain_contracts().keys()


def test_every_contract_answers() -> None:
    chain = Chain.in_memory(crosschain=GOVERNOR)
    assert coordinator_of(chain).read("decisionOf", bytes(32)) == 0
    assert participant_of(chain).read("decisionOf", bytes(32)) == 0
    assert chain.contract(addresses.SWAPS_ADDRESS, SwapContract).read("statusOf", bytes(32)) == 0
    assert PegApi(chain).channel_to(5) is None
    assert ChainRegistryApi(chain).chains() == ()


def test_the_allowance_comes_on_top() -> None:
    genesis = Genesis(accounts={GOVERNOR.address: GenesisAccount(balance=5)})
    made = with_crosschain(genesis, CrossChain(GOVERNOR.address, allowance=ether(1)))
    assert made.accounts[GOVERNOR.address].balance == ether(1) + 5
    assert with_crosschain(genesis, GOVERNOR).accounts[GOVERNOR.address].balance == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"governor": bytes(20)},
        {"governor": b"\x01"},
        {"governor": GOVERNOR.address, "coin_name": ""},
        {"governor": GOVERNOR.address, "coin_symbol": "é" * 16},
    ],
)
def test_what_makes_no_setup(fields) -> None:
    with pytest.raises(UsageError):
        CrossChain(**fields)


def test_it_is_put_in_once() -> None:
    with pytest.raises(UsageError, match="already"):
        with_crosschain(with_crosschain(Genesis(), GOVERNOR), GOVERNOR)


def test_a_stored_chain_and_an_exported_one_know_the_contracts(tmp_path: Path) -> None:
    config = ChainConfig(funds={GOVERNOR.address: ether(1)})
    chain = Chain.open(MemoryStore(), config, crosschain=GOVERNOR, auto_seal=True)
    chain.transfer(GOVERNOR, ALICE, 1)
    chain.export(tmp_path / "chain")
    again = Chain.load(tmp_path / "chain")
    assert again.head.hash == chain.head.hash
    assert ChainRegistryApi(again).chains() == ()


def test_a_chain_is_made_without_loading_the_contracts() -> None:
    program = (
        "import sys; from chainstack_sdk import ChainStack; ChainStack.local();"
        "print([name for name in sys.modules if name.startswith('chainstack_sdk.xchain.')"
        " or name.startswith('pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['chainstack_sdk.xchain.addresses']"
