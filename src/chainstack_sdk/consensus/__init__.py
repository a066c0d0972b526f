"""Consensus engines: sans-IO state machines that decide which block comes next."""

from chainstack_sdk.consensus.instant import InstantEngine, InstantRule

__all__ = ["InstantEngine", "InstantRule"]
