"""Long walks through a machine, drawn by hypothesis from a fixed seed.

The search goes wide; walks go far: thirty steps on from a deployment, where a counter has run up or many have
paid in. They are drawn as bits, so that no constants of other modules come into them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.machines.check.search import Search

LENGTH = 30
"""Steps of a walk."""
_BITS = 7
"""Of the number that chooses a step."""


def walk(search: Search, walks: int) -> bool:
    """Let hypothesis walk through a machine; return False when it is not installed.

    Parameters
    ----------
    search
        What notes where the walks lead.
    walks
        How many.
    """
    try:
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import strategies as st
    except ImportError:
        return False
    size = _BITS * (LENGTH + 1)

    @settings(
        max_examples=walks,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.booleans(), min_size=size, max_size=size))
    def one(bits: list[bool]) -> None:
        search.walk([_number(bits[at : at + _BITS]) for at in range(0, size, _BITS)])

    one()
    return True


def _number(bits: list[bool]) -> int:
    return sum(bit << at for at, bit in enumerate(bits))
