"""Channels: who talks to whom, known by a hash that both sides compute alone.

::

    channel   keccak256("chainstack channel" ‖ ordered 1 ‖ endpoint ‖ endpoint)
    endpoint  chain id 8 ‖ app 20, big-endian; the lower of the two comes first

So there is no handshake: each app opens the channel on its own chain, and packets pass once both have.
"""

from __future__ import annotations

from typing import NamedTuple

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

_DOMAIN = b"chainstack channel"


class Endpoint(NamedTuple):
    """One end of a channel: an app on a chain."""

    chain: int
    """Chain id, below 2^64."""
    app: bytes
    """The app's contract, 20 bytes."""

    def to_bytes(self) -> bytes:
        """Return the 28 bytes that a channel's hash takes in.

        Raises
        ------
        UsageError
            When the chain id or the address does not fit.
        """
        if not 0 <= self.chain < 1 << 64 or len(self.app) != 20:
            raise UsageError("an endpoint is a chain id of 64 bits and an address of 20 bytes", actual=self)
        return self.chain.to_bytes(8, "big") + self.app


def channel_id(one: Endpoint, other: Endpoint, ordered: bool = False) -> bytes:
    """Return the id of the channel between two endpoints, 32 bytes; their order does not matter.

    Parameters
    ----------
    ordered
        Whether packets are received in the order in which they were sent.

    Raises
    ------
    UsageError
        When an endpoint's chain id or address does not fit, or both are on one chain.
    """
    if one.chain == other.chain:
        raise UsageError("a channel joins two chains", actual=one.chain)
    ends = sorted((one.to_bytes(), other.to_bytes()))
    return keccak256(b"".join((_DOMAIN, bytes((ordered,)), *ends)))
