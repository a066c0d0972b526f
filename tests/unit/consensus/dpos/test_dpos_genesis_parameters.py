from __future__ import annotations

import pytest

from chainstack_sdk import ether
from chainstack_sdk.consensus.dpos import (
    DELEGATION_ADDRESS,
    DELEGATION_CODE,
    DelegationParameters,
    genesis_delegates,
    with_delegation,
)
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import UsageError

A, B, C = (bytes([number]) * 20 for number in (1, 2, 3))
PARAMETERS = DelegationParameters(blocks_per_epoch=10, seats=2, minimum_deposit=7, interval_ms=500)


def test_a_genesis_holds_parameters_delegates_and_deposits() -> None:
    genesis = with_delegation(Genesis(), [B, A], PARAMETERS)
    account = genesis.accounts[DELEGATION_ADDRESS]
    assert (account.code, account.balance, account.nonce) == (DELEGATION_CODE, 14, 1)
    assert DelegationParameters.of(genesis) == PARAMETERS
    assert DelegationParameters.of(Genesis.decode(genesis.encode())) == PARAMETERS
    assert [member.address for member in genesis_delegates(genesis)] == [A, B]
    assert PARAMETERS.schedule == SlotSchedule(10)


def test_a_genesis_without_the_contract() -> None:
    with pytest.raises(UsageError, match="no delegation contract"):
        DelegationParameters.of(Genesis())
    with pytest.raises(UsageError, match="no delegation contract"):
        genesis_delegates(Genesis())


@pytest.mark.parametrize("delegates", [[], [A, B, C], [A, A], [A, b"short"]])
def test_the_first_delegates_are_right(delegates: list[bytes]) -> None:
    with pytest.raises(UsageError, match="first delegates"):
        with_delegation(Genesis(), delegates, PARAMETERS)


def test_a_genesis_has_one_contract() -> None:
    with pytest.raises(UsageError, match="already"):
        with_delegation(with_delegation(Genesis(), [A], PARAMETERS), [A], PARAMETERS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seats": 0},
        {"seats": 1_025, "blocks_per_epoch": 2_000},
        {"seats": 11, "blocks_per_epoch": 10},
        {"blocks_per_epoch": 1 << 32},
        {"minimum_deposit": 0},
        {"minimum_deposit": 1 << 256},
        {"interval_ms": 0},
        {"interval_ms": 1 << 32},
    ],
)
def test_parameters_are_in_range(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        DelegationParameters(**wrong)


def test_default_parameters() -> None:
    assert DelegationParameters() == DelegationParameters(
        blocks_per_epoch=100, seats=21, minimum_deposit=ether(32), interval_ms=3_000
    )
