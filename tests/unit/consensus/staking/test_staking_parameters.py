"""Parameters of a committee chain: their bounds, their weights, their place in the genesis."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.staking import StakingParameters
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives import UsageError, ether
from chainstack_sdk.testing.committee import CommitteeBench


def test_there_and_back():
    parameters = StakingParameters(7, 5, 3, 2)
    storage = MappingStorage({})
    parameters.write(storage)
    assert StakingParameters.read(storage) == parameters
    assert parameters.schedule.blocks == 7


def test_a_genesis_knows_its_parameters():
    parameters = StakingParameters(9, 2, ether(3), ether(1))
    assert StakingParameters.of(CommitteeBench(2, parameters=parameters).genesis) == parameters


def test_most_genesis_blocks_have_none():
    with pytest.raises(UsageError, match="no staking contract"):
        StakingParameters.of(Genesis())


@pytest.mark.parametrize(
    "values",
    [
        {"blocks_per_slot": 0},
        {"blocks_per_slot": 2**32},
        {"committee_size": 0},
        {"committee_size": 1_025},
        {"minimum_deposit": 0},
        {"minimum_deposit": 2**256},
        {"weight_unit": -1},
        {"weight_unit": 2**256},
    ],
)
def test_impossible_parameters_are_refused(values):
    with pytest.raises(UsageError):
        StakingParameters(**values)


@pytest.mark.parametrize(
    ("unit", "deposit", "weight"),
    [
        (0, ether(1_000), 1),
        (ether(1), ether(1_000), 1_000),
        (ether(1), ether(2) - 1, 1),
        (ether(1), 5, 1),
        (1, 2**255, 2**54 - 1),
    ],
)
def test_the_weight_of_a_vote(unit, deposit, weight):
    parameters = StakingParameters(weight_unit=unit)
    assert parameters.voting_weight(deposit) == weight
    assert 1_024 * weight < 2**64
