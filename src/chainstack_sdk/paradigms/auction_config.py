"""The config of an auction platform, as a pydantic model; only the edges load it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from chainstack_sdk.paradigms.auction_terms import BASIS_POINTS, MAX_DURATION
from chainstack_sdk.paradigms.config import Owner

Seconds = Annotated[StrictInt, Field(ge=0, le=MAX_DURATION)]
"""A period of up to a leap year."""


class AuctionConfig(BaseModel):
    """What an auction platform is issued with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Owner
    """The ERC-721 contract whose tokens are sold here."""
    commission: Annotated[StrictInt, Field(ge=0, le=BASIS_POINTS)] = 0
    """What the platform keeps of a price, in basis points: 250 are 2.5 %."""
    commission_recipient: Owner
    """Who gets it at first; the owner may name another."""
    default_duration: Annotated[StrictInt, Field(ge=1, le=MAX_DURATION)] = 24 * 3600
    """Seconds, for listings that name no duration."""
    floor_time: Seconds = 24 * 3600
    """Seconds for which a Dutch listing stays at its floor after the fall."""
    extension: Seconds = 0
    """A bid within so many seconds before the end of an English auction moves the end to as many seconds
    after the bid; 0: the end stands."""
    owner: Owner
    """Who may stop new listings and name the recipient of the commission."""
