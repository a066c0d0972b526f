"""Which shard an account is at home on.

The 2^64 values of an address's first 8 bytes are cut into ranges of equal size, a shard for each, in order::

    shard    first 8 bytes of the address * shards >> 64
    chain id first chain id + shard

Addresses are hashes, so the shards have about as many accounts each.

**Caveats.** The address of a contract says nothing about its shard: a contract lives where it was issued.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.primitives.errors import UsageError

MAX_SHARDS = 1_024
"""How many shards there may be."""


def home_of(address: bytes, count: int) -> int:
    """Return the shard on which an account is at home, from 0.

    Parameters
    ----------
    address
        20 bytes.
    count
        How many shards there are.
    """
    return int.from_bytes(address[:8], "big") * count >> 64


@dataclass(frozen=True, slots=True)
class Homes:
    """How accounts are shared out."""

    count: int
    """How many shards there are."""
    first_chain: int
    """The chain id of shard 0; those of the others follow."""

    def checked(self) -> Homes:
        """Return this division if it is a possible one.

        Raises
        ------
        UsageError
            When there are no shards or too many, or a chain id would not fit 63 bits.
        """
        if not 1 <= self.count <= MAX_SHARDS:
            raise UsageError("so many shards there cannot be", expected=MAX_SHARDS, actual=self.count)
        if not 1 <= self.first_chain < (1 << 63) - self.count:
            raise UsageError("the chain ids of shards are from 1 to 2^63 - 1", actual=self.first_chain)
        return self

    def shard_of(self, address: bytes) -> int:
        """Return the shard on which an account is at home."""
        return home_of(address, self.count)

    def chain_of(self, shard: int) -> int:
        """Return the chain id of a shard."""
        return self.first_chain + shard

    def shard_with(self, chain_id: int | None) -> int | None:
        """Return the shard that has a chain id, or None."""
        if chain_id is None or not 0 <= chain_id - self.first_chain < self.count:
            return None
        return chain_id - self.first_chain
