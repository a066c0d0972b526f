from __future__ import annotations

import pytest

from chainstack_sdk import ether
from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.primitives.errors import UsageError


def test_every_block_but_genesis_mints_the_same() -> None:
    reward = ConstantReward(7)
    assert [reward.reward(height) for height in (0, 1, 2, 10**6)] == [0, 7, 7, 7]
    assert [reward.minted(height) for height in range(5)] == [
        sum(reward.reward(height) for height in range(upto + 1)) for upto in range(5)
    ]
    assert ConstantReward().reward(1) == ether(2)
    assert ConstantReward(0).minted(5) == 0


def test_no_block_takes_coin_away() -> None:
    with pytest.raises(UsageError):
        ConstantReward(-1)
