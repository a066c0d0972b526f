"""What execution knows of its block."""

from __future__ import annotations

from chainstack_sdk.core.context import BlockContext


def test_time_in_seconds_is_cut_not_rounded() -> None:
    context = BlockContext(1, 2, 1_999, bytes(20), 30_000_000, 7, bytes(32))
    assert context.timestamp == 1
    assert context.slot == 0
