"""Limits: their ranges, and the smaller of two."""

from __future__ import annotations

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.apps.sandbox import Limits, Usage


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("fuel", [0, -1, 10**12 + 1], "fuel"),
        ("memory", [0, 65_535, (256 << 20) + 65_536], "pages"),
        ("milliseconds", [0, 600_001], "ms"),
    ],
)
def test_a_limit_out_of_range_is_refused(field: str, values: list[int], told: str) -> None:
    for value in values:
        with pytest.raises(UsageError, match=told):
            Limits(**{field: value})


def test_within_takes_the_smaller_of_each() -> None:
    assert Limits(5, 65_536 * 3, 9).within(Limits(7, 65_536, 8)) == Limits(5, 65_536, 8)
    assert Limits(7, 65_536, 8).within(Limits(5, 65_536 * 3, 9)) == Limits(5, 65_536, 8)


def test_time_does_not_make_two_runs_differ() -> None:
    assert Usage(1, 2, 3, 4, 5) == Usage(1, 2, 3, 4, 6)
    assert Usage(1, 2, 3, 4, 5) != Usage(2, 2, 3, 4, 5)
