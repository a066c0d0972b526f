"""What a block mints on chains where blocks alone decide, without a committee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from typing import Final

DEFAULT_REWARD: Final = ether(2)
"""Wei."""


class BlockReward(Protocol):
    """How much coin a block mints. A function of the height, so that the supply is known from it too."""

    def reward(self, height: int) -> int:
        """Return the wei that the block of a height mints."""
        ...

    def minted(self, height: int) -> int:
        """Return the wei that all blocks up to a height have minted, the block of that height included."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantReward:
    """The same for every block; genesis mints nothing.

    Raises
    ------
    UsageError
        When the amount is negative.
    """

    wei: int = DEFAULT_REWARD

    def __post_init__(self) -> None:
        if self.wei < 0:
            raise UsageError("a block mints no negative amount", actual=self.wei)

    def reward(self, height: int) -> int:
        """Return the wei that the block of a height mints."""
        return self.wei if height else 0

    def minted(self, height: int) -> int:
        """Return the wei that all blocks up to a height have minted."""
        return self.wei * height


if TYPE_CHECKING:
    _check: type[BlockReward] = ConstantReward
