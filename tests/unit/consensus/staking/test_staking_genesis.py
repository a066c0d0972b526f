"""A genesis with a staking contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.staking import (
    STAKING_ADDRESS,
    GenesisValidator,
    StakingParameters,
    genesis_committees,
    with_staking,
)
from chainstack_sdk.consensus.staking.frozen import FrozenWeight, read_frozen
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.consensus.vrf import vrf_public_key
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.native import system_code
from chainstack_sdk.primitives import UsageError, keccak256

MINIMUM = 1_000
PARAMETERS = StakingParameters(10, 4, MINIMUM)
BASE = Genesis(accounts={b"\x01" * 20: GenesisAccount(balance=5)})


def validators(count, deposit=MINIMUM):
    return [
        GenesisValidator(
            keccak256(b"%d" % number)[12:], vrf_public_key(keccak256(b"vrf %d" % number)), deposit
        )
        for number in range(count)
    ]


def test_the_contract_is_an_account_with_all_deposits():
    genesis = with_staking(BASE, validators(3, MINIMUM + 1), PARAMETERS)
    account = genesis.accounts[STAKING_ADDRESS]
    assert (account.nonce, account.balance, account.code) == (1, 3 * MINIMUM + 3, system_code("staking"))
    assert genesis.accounts[b"\x01" * 20].balance == 5
    assert Genesis.decode(genesis.encode()).encode() == genesis.encode()


def test_few_validators_sit_in_both_committees():
    everybody = validators(3)
    committees = genesis_committees(with_staking(BASE, everybody, PARAMETERS))
    assert sorted(committees) == [0, 1]
    for committee in committees.values():
        assert [(one.address, one.weight, one.vrf_key) for one in committee] == sorted(
            (one.address, 1, one.vrf_key) for one in everybody
        )


def test_many_are_drawn_from_by_a_seed_of_all_else():
    everybody = validators(30)
    first, second = genesis_committees(with_staking(BASE, everybody, PARAMETERS)).values()
    assert len(first) == len(second) == 4
    assert first != second
    elsewhere = with_staking(replace(BASE, chain_id=5), everybody, PARAMETERS)
    assert genesis_committees(elsewhere)[0] != first
    again = with_staking(BASE, everybody[::-1], PARAMETERS)
    assert genesis_committees(again) == {0: first, 1: second}


def test_stake_counts_in_the_draw():
    rich = validators(1, MINIMUM * 10**6)[0]
    poor = validators(30)[1:]
    genesis = with_staking(BASE, [*poor, rich], StakingParameters(10, 4, MINIMUM, weight_unit=MINIMUM))
    committee = genesis_committees(genesis)[0]
    assert committee.weight_of(rich.address) == 10**6
    assert committee.total_weight == 10**6 + 3


def test_the_weights_for_the_end_of_slot_0_are_there():
    poor, rich = validators(1)[0], replace(validators(2)[1], deposit=3 * MINIMUM)
    genesis = with_staking(BASE, [poor, rich], StakingParameters(10, 4, MINIMUM, weight_unit=MINIMUM))
    storage = MappingStorage(dict(genesis.accounts[STAKING_ADDRESS].storage))
    assert read_frozen(storage) == [FrozenWeight(poor.address, 500, 1), FrozenWeight(rich.address, 1_500, 3)]


def refusals():
    one, two = validators(2)
    return {
        "at least one": [],
        "20 bytes": [replace(one, address=b"\x01" * 19)],
        "listed twice": [one, replace(one, vrf_key=two.vrf_key)],
        "one VRF key": [one, replace(two, vrf_key=one.vrf_key)],
        "not a key": [replace(one, vrf_key=bytes(32))],
        "too small": [replace(one, deposit=MINIMUM - 1)],
    }


@pytest.mark.parametrize("what", refusals())
def test_impossible_validators_are_refused(what):
    with pytest.raises(UsageError, match=what):
        with_staking(BASE, refusals()[what], PARAMETERS)


def test_once_is_enough():
    genesis = with_staking(BASE, validators(1), PARAMETERS)
    with pytest.raises(UsageError, match="already"):
        with_staking(genesis, validators(1), PARAMETERS)


def test_other_genesis_blocks_have_no_committees():
    with pytest.raises(UsageError, match="no staking contract"):
        genesis_committees(BASE)
