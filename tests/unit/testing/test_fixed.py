"""Accounts from a seed, a clock that stands still, fees by fixed shares."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import FixedClock, FixedFees, accounts


def test_accounts_are_the_same_in_every_run() -> None:
    made = accounts(3)
    assert made == accounts(5)[:3]
    assert len(set(accounts(20))) == 20
    assert made[1].secret_key == keccak256(b"chainstack_sdk test account/1")
    assert made[0].checksum_address == "0xfBa41D3B112FE24603C4A1FE0E9CC922FF9B627F"
    assert accounts(0) == []


def test_seeds_give_other_accounts() -> None:
    assert not set(accounts(5)) & set(accounts(5, seed="mine"))


def test_a_clock_that_stands_still() -> None:
    assert FixedClock().now_ms() == DEFAULT_TIMESTAMP_MS
    clock = FixedClock(1_000)
    assert [clock.now_ms(), clock.next_block_ms(5), clock.now_ms()] == [1_000, 1_000, 1_000]
    assert clock.next_block_ms(1_000) == 1_001


def test_fees() -> None:
    one, two = bytes(20), b"\x01" * 20
    assert list(FixedFees().distribute(one, 70, 31)) == []
    assert list(FixedFees({one: 33, two: 0}).distribute(two, 70, 31)) == [(one, 33), (two, 0)]
    assert list(FixedFees({one: 50, two: 50}).distribute(one, 70, 31)) == [(one, 50), (two, 50)]


@pytest.mark.parametrize("percent", [{bytes(20): 101}, {bytes(20): -1}, {bytes(20): 60, b"\x01" * 20: 41}])
def test_shares_that_cannot_be(percent: dict[bytes, int]) -> None:
    with pytest.raises(UsageError):
        FixedFees(percent)
