"""Several engines together: how fast they decide, and at what price in messages."""

from __future__ import annotations

import pytest
from bft_kit import Pump, committee

HEIGHTS = 3


@pytest.mark.parametrize(("count", "heights"), [(1, 3), (4, 5), (7, 3), (22, 1)])
def test_three_message_delays_and_two_votes_each(count: int, heights: int) -> None:
    pump = Pump(count)
    pump.start()
    pump.run()
    for height in range(1, heights + 1):
        decisions = pump.decided[height]
        assert len(decisions) == count
        assert len({decision.block_hash for decision in decisions}) == 1
        pump.commit(height)
        pump.run()
    assert pump.delays == ({3} if count > 1 else {0})
    assert all(engine.refused == 0 for engine in pump.engines)
    decided = max(pump.decided)
    assert pump.sent == decided * (count - 1) * (2 * count + 1)  # 2n² - n - 1 for each decision


def test_weighted_validators_agree() -> None:
    weights = (50, 20, 10, 10, 9, 1)
    pump = Pump(len(weights), committee(*weights))
    pump.start()
    pump.run()
    for height in range(1, 4):
        pump.commit(height)
        pump.run()
    assert {len(decisions) for decisions in pump.decided.values()} == {len(weights)}
    assert max(pump.delays) == 3
