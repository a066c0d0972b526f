"""Committees and leaders of a live chain."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft.validators import rotation
from chainstack_sdk.consensus.staking import StakingParameters, StateCommittees
from chainstack_sdk.primitives import InvalidInput, UsageError, ether
from chainstack_sdk.testing.committee import CommitteeBench


@pytest.fixture
def bench():
    return CommitteeBench(6, parameters=StakingParameters(2, 3, ether(1)))


def test_validators_are_known_up_to_the_newest_committee(bench):
    for height in range(1, 7):
        newest = bench.parameters.schedule.newest_fixed(bench.chain.height)
        last = bench.parameters.schedule.last_of(newest)
        assert bench.membership.validators(last) == bench.committees.at(newest)
        with pytest.raises(UsageError, match="not known"):
            bench.membership.validators(last + 1)
        assert bench.membership.proposer(height, 1) == rotation(
            bench.membership.validators(height), height, 1
        )
        bench.extend()


def test_committees_follow_the_state_back(bench):
    bench.to_slot(1)
    elected = bench.committees.at(2)
    bench.chain.undo()
    with pytest.raises(InvalidInput, match="no committee"):
        bench.committees.at(2)
    bench.extend(round=2)  # another seed for the next block only: the same election
    assert bench.committees.at(2) == elected


def test_another_seed_gives_another_committee():
    """The block before the election is decided in another round, so its successor has another seed."""
    parameters = StakingParameters(2, 6, ether(1))
    one, other = (CommitteeBench(12, parameters=parameters) for _ in range(2))
    one.extend(round=0)
    other.extend(round=1)
    one.extend()
    other.extend()
    assert one.chain.head.seed != other.chain.head.seed
    assert one.committees.at(2) != other.committees.at(2)


def test_old_committees_are_forgotten(bench):
    bench.to_slot(7)
    assert len({bench.committees.at(slot).hash for slot in range(4, 9)}) > 1
    for slot in (0, 3, 9):
        with pytest.raises(InvalidInput, match="no committee"):
            bench.committees.at(slot)


def test_many_committees_do_not_fill_the_memory():
    bench = CommitteeBench(12, parameters=StakingParameters(1, 3, ether(1)))
    committees = StateCommittees(bench.chain.state)
    seen = set()
    for slot in range(20):
        bench.to_slot(slot)
        seen.add(committees.at(slot + 1).hash)
        assert committees.at(slot + 1).hash == bench.chain.head.next_committee_hash or slot == 0
    assert len(seen) > 16 >= len(committees._decoded)
