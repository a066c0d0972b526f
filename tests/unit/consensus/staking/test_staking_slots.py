"""Slots: which heights are in them, where they end, whose committee is fixed."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.primitives import UsageError


def test_a_schedule_of_three():
    schedule = SlotSchedule(3)
    assert [schedule.slot_of(height) for height in range(8)] == [0, 0, 0, 0, 1, 1, 1, 2]
    assert [schedule.is_last(height) for height in range(8)] == [
        *(False, False, False, True),
        *(False, False, True, False),
    ]
    assert [schedule.newest_fixed(height) for height in range(8)] == [1, 1, 1, 2, 2, 2, 3, 3]


@pytest.mark.parametrize("blocks", [1, 2, 100])
def test_first_and_last(blocks):
    schedule = SlotSchedule(blocks)
    for slot in range(4):
        first, last = schedule.first_of(slot), schedule.last_of(slot)
        assert last - first + 1 == blocks
        assert {schedule.slot_of(height) for height in range(first, last + 1)} == {slot}
        assert schedule.is_last(last)
        assert schedule.first_of(slot + 1) == last + 1


@pytest.mark.parametrize("blocks", [0, -1])
def test_a_slot_has_a_block(blocks):
    with pytest.raises(UsageError, match="at least one block"):
        SlotSchedule(blocks)
