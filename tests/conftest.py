"""Settings of every property test."""

from __future__ import annotations

from hypothesis import settings

# No deadline: coverage and a busy machine slow single examples down, and that is no failure.
settings.register_profile("quick", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("quick")
