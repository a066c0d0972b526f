"""Settings of every property test."""

from __future__ import annotations

from hypothesis import settings

# No deadline: coverage and a busy machine slow single examples down, and that is no failure.
# The quick profile tries the same examples every time, so that what passed once passes elsewhere;
# the long one looks for new ones.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("quick")
