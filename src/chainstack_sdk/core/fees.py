"""The fee market: how the base fee follows the use of blocks.

Source: EIP-1559. A block aims at half its gas limit; the base fee rises by at most an eighth after a full
block and falls by at most an eighth after an empty one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

ELASTICITY_MULTIPLIER = 2
"""The gas limit over the gas that a block aims to use."""
BASE_FEE_MAX_CHANGE_DENOMINATOR = 8
"""The base fee changes by at most one part in this many from a block to the next."""


@lru_cache(maxsize=16)  # asked for several times a block
def next_base_fee(parent_base_fee: int, parent_gas_used: int, parent_gas_limit: int) -> int:
    """Return the base fee per gas, in wei, of the block after a parent.

    Parameters
    ----------
    parent_base_fee
        Wei per gas. From 0 it stays 0 until a block uses more than its target.
    parent_gas_used
        Gas, from 0 to the limit.
    parent_gas_limit
        Gas, at least 2, so that there is a target.

    Raises
    ------
    UsageError
        When a number is out of range.
    """
    if parent_base_fee < 0 or not 0 <= parent_gas_used <= parent_gas_limit or parent_gas_limit < 2:
        raise UsageError(
            "no base fee follows from such a parent",
            base_fee=parent_base_fee,
            gas_used=parent_gas_used,
            gas_limit=parent_gas_limit,
        )
    target = parent_gas_limit // ELASTICITY_MULTIPLIER
    if parent_gas_used > target:
        excess = parent_gas_used - target
        rise = parent_base_fee * excess // target // BASE_FEE_MAX_CHANGE_DENOMINATOR
        return parent_base_fee + max(rise, 1)
    unused = target - parent_gas_used
    return parent_base_fee - parent_base_fee * unused // target // BASE_FEE_MAX_CHANGE_DENOMINATOR


class ProposerFees:
    """The fee policy of a chain without verifiers: whoever makes the block earns its fees.

    Parameters
    ----------
    burn_base_fee
        Take the base fee out of the supply, as Ethereum does, and pay only the tips.
    """

    __slots__ = ("burn_base_fee",)

    def __init__(self, *, burn_base_fee: bool = False) -> None:
        self.burn_base_fee = burn_base_fee

    def distribute(self, proposer: bytes, base_fees: int, tips: int) -> Sequence[tuple[bytes, int]]:
        """Return the proposer's credit in wei."""
        return ((proposer, tips if self.burn_base_fee else base_fees + tips),)
