"""Rewards: the division, the roles, what is left over."""

from __future__ import annotations

import pytest

from chainstack_sdk import ether
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.primitives.errors import UsageError

A, B, C, D = members = [bytes([number]) * 20 for number in (1, 2, 3, 4)]
POLICY = SharedRewards()


def test_the_default_division() -> None:
    assert POLICY.block_reward == ether(2)
    assert POLICY.divide(ether(2)) == (ether("1.74"), ether("0.26"))
    assert POLICY.divide(1) == (0, 1)
    assert POLICY.divide(0) == (0, 0)


@pytest.mark.parametrize(("percent", "parts"), [(0, (0, 101)), (100, (101, 0)), (50, (50, 51))])
def test_other_divisions(percent: int, parts: tuple[int, int]) -> None:
    assert SharedRewards(miner_percent=percent).divide(101) == parts


def test_shares_by_role() -> None:
    """6 + 4 + 4 + 1 quarters."""
    assert POLICY.verifier_shares(1500, members, {A, B, C}, A) == [(A, 600), (B, 400), (C, 400), (D, 100)]


def test_a_proposer_that_did_not_sign_keeps_its_extra() -> None:
    """1 + 2, 4, 4, 4 quarters."""
    assert POLICY.verifier_shares(1500, members, {B, C, D}, A) == [(A, 300), (B, 400), (C, 400), (D, 400)]


def test_what_is_left_over_goes_to_the_proposer() -> None:
    shares = POLICY.verifier_shares(1513, members, [B, C, D], C)
    assert shares == [(A, 100), (B, 403), (C, 607), (D, 403)]
    assert sum(share for _, share in shares) == 1513
    assert POLICY.verifier_shares(1, members, members, D) == [(D, 1)]


def test_nothing_to_share() -> None:
    assert POLICY.verifier_shares(0, members, members, A) == []


def test_nobody_signed() -> None:
    """As in the first block, whose parent has no certificate."""
    assert POLICY.verifier_shares(600, members, (), B) == [(A, 100), (B, 300), (C, 100), (D, 100)]


def test_foreign_signers_count_for_nothing() -> None:
    assert POLICY.verifier_shares(1500, members, {A, B, C, b"x" * 20}, A) == POLICY.verifier_shares(
        1500, members, {A, B, C}, A
    )


def test_other_roles() -> None:
    policy = SharedRewards(signed=1, absent=0, proposer_extra=1)
    assert policy.verifier_shares(90, members, {A, B}, A) == [(A, 60), (B, 30)]
    assert policy.verifier_shares(90, members, (), A) == [(A, 90)]
    equal = SharedRewards(signed=1, absent=1, proposer_extra=0)
    assert equal.verifier_shares(80, members, (), A) == [(member, 20) for member in members]


def test_one_member_gets_all() -> None:
    assert POLICY.verifier_shares(77, [A], (), A) == [(A, 77)]


@pytest.mark.parametrize(
    "settings",
    [
        {"signed": -1},
        {"absent": -1},
        {"proposer_extra": -1},
        {"signed": 1, "absent": 2},
        {"absent": 0, "proposer_extra": 0},
        {"block_reward": -1},
        {"miner_percent": -1},
        {"miner_percent": 101},
    ],
)
def test_bad_policies_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="no such"):
        SharedRewards(**settings)


def test_bad_rewards_are_refused() -> None:
    with pytest.raises(UsageError, match="negative"):
        POLICY.divide(-1)
    with pytest.raises(UsageError, match="negative"):
        POLICY.verifier_shares(-1, members, (), A)
    with pytest.raises(UsageError, match="proposer"):
        POLICY.verifier_shares(1, members, (), b"x" * 20)
    with pytest.raises(UsageError, match="proposer"):
        POLICY.verifier_shares(1, [], (), A)
