"""Where the contracts for other chains live: the same addresses on every chain that has them."""

from __future__ import annotations

from chainstack_sdk.core.messages import HUB_ADDRESS as HUB_ADDRESS

PEG_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004306")
"""The two-way peg, 20 bytes."""
PARTICIPANT_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004307")
"""Holds what a chain puts into transactions across chains, 20 bytes."""
COORDINATOR_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004308")
"""Decides on transactions across chains, 20 bytes."""
SWAPS_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004309")
"""Swaps against the preimage of a hash, 20 bytes."""
REGISTRY_ADDRESS = bytes.fromhex("000000000000000000000000000000000000430a")
"""The list of side chains that a main chain keeps, 20 bytes."""
