"""The config of restricted shares, as a pydantic model; only the edges load it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from chainstack_sdk.paradigms.config import Erc20Config, Owner
from chainstack_sdk.paradigms.share_rules import BASIS_POINTS

Uint64 = Annotated[StrictInt, Field(ge=0, lt=1 << 64)]
"""An unsigned 64-bit integer."""


class SharesConfig(Erc20Config):
    """What restricted shares are issued with: a token, and its rules."""

    decimals: Annotated[StrictInt, Field(ge=0, le=255)] = 0
    """How many decimals people are shown; shares are not divided unless you say so."""
    registrar: Owner
    """Who keeps the list of holders, freezes, locks up, and moves shares where the law says so."""
    listed_only: StrictBool = True
    """Whether only listed accounts receive."""
    max_holders: Uint64 = 0
    """How many accounts may have a balance; 0 means no limit."""
    max_share: Annotated[StrictInt, Field(ge=0, le=BASIS_POINTS)] = 0
    """What one holder other than the owner may get to, in basis points of the supply; 0 means no limit."""
    window_start: Uint64 = 0
    """When the first transfer window opens, Unix seconds."""
    window_period: Uint64 = 0
    """Seconds from one window to the next; 0: transfers are always open."""
    window_length: Uint64 = 0
    """Seconds for which each is open."""

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if self.window_period and not 0 < self.window_length <= self.window_period:
            raise ValueError("a window is open for a part of its period")
        return self
