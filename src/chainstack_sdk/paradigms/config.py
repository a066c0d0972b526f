"""The configs of the paradigms that come with the library, as pydantic models.

Only the edges use them: the handles and JSON. Nothing that runs transactions imports this module, because
pydantic takes longer to load than the rest of the library.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address
from chainstack_sdk.primitives.errors import UsageError


def _owner(value: Any) -> bytes:
    try:
        address = to_address(value)
    except UsageError as error:
        raise ValueError(str(error)) from error
    if address == ZERO_ADDRESS:
        raise ValueError("the zero address owns nothing")
    return address


Uint256 = Annotated[StrictInt, Field(ge=0, lt=1 << 256)]
"""An unsigned 256-bit integer."""
Owner = Annotated[bytes, BeforeValidator(_owner)]
"""An account, 20 bytes or checksummed text; not the zero address."""


class Erc20Config(BaseModel):
    """What an ERC-20 token is issued with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: StrictStr
    symbol: StrictStr
    decimals: Annotated[StrictInt, Field(ge=0, le=255)] = 18
    """How many decimals people are shown."""
    supply: Uint256 = 0
    """Minted to the owner, in the smallest unit: 10**decimals make one token."""
    cap: Uint256 = 0
    """The most that may exist, in the smallest unit; 0 means no limit."""
    mintable: StrictBool = False
    burnable: StrictBool = False
    pausable: StrictBool = False
    owner: Owner

    @model_validator(mode="after")
    def _within_cap(self) -> Erc20Config:
        if self.cap and self.supply > self.cap:
            raise ValueError("the supply is above the cap")
        return self


class Erc721Config(BaseModel):
    """What an ERC-721 collection is issued with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: StrictStr
    symbol: StrictStr
    base_uri: StrictStr = ""
    """A token's URI is this followed by its number in decimal, unless it has one of its own."""
    mintable: StrictBool = True
    """Whether the owner can make tokens after all were issued; without it there never are any."""
    burnable: StrictBool = False
    owner: Owner
