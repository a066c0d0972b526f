"""What a side chain is to be like: keyword arguments or JSON, checked by pydantic.

Loaded with the first side chain, not with the library.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chainstack_sdk.core import genesis
from chainstack_sdk.core.config import ChainConfig, JsonConfig, Uint64, Uint256
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError

SCHEMES = {
    "instant": ("chain_key",),
    "pbft": ("chain_key", "committee"),
    "pos": ("chain_key", "committee"),
    "dpow": ("chain_key", "committee"),
    "dpos": ("chain_key",),
    "pow": ("work",),
}
"""The ways to prove blocks final, by engine; the first is the default."""
_LIST = "members of a consortium or a private chain are known to each other: that takes the engine pbft"


def _address(value: Any) -> str:
    try:
        return to_checksum_address(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


def _funds(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    entries = {_address(who): wei for who, wei in value.items()}
    if len(entries) < len(value):
        raise ValueError("an account is funded twice, in different spellings")
    return entries


AddressText = Annotated[str, BeforeValidator(_address)]
ShortText = Annotated[str, Field(min_length=1, max_length=31)]


class WorkDemands(BaseModel):
    """What other chains demand of work: see :class:`~chainstack_sdk.cspv.work_policy.WorkPolicy`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    soundness_bits: int = Field(default=50, ge=1, lt=1 << 16)
    """A fork that is mostly fake passes with a chance below 2^-bits a try."""
    share: tuple[int, int] = (1, 2)
    """What part of a fork can be real work: numerator and denominator."""
    confirmations: int = Field(default=6, ge=1, lt=1 << 32)
    """Blocks that must follow a block; few suit chains of one's own, where nobody rivals the miners."""
    minimum_work: Uint256 = 0
    """Expected hashes of the whole chain, at least."""


class SideChainConfig(JsonConfig):
    """Everything that makes up a side chain, but for objects of one's own.

    Unknown fields are refused. An address may be given as text, as 20 bytes, or as an account; in JSON it is
    text, and amounts may be text as well.

    Raises
    ------
    UsageError
        On construction, when something does not fit; the text names the field.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    """By which the system knows the chain; ``main`` is taken."""
    chain_id: Uint64 | None = None
    """EIP-155 chain id; by default the next that is free in the system."""

    # Who decides on blocks
    consensus: Literal["instant", "pow", "pos", "dpos", "pbft", "dpow"] = "instant"
    """The engine; ``instant``: one party, the operator of the system, seals blocks at once."""
    validators: int = Field(default=4, ge=1)
    """Members of the committee, delegates, or members of the consortium from the start."""
    seats: int | None = Field(default=None, ge=1)
    """Seats of the committee or of the delegates; by default as many as there are validators."""
    blocks_per_slot: int = Field(default=100, ge=1)
    """How many blocks a committee serves, or how many make an epoch of delegates."""
    membership: Literal["public", "consortium", "private"] | None = None
    """Who may take part: anybody; members that admit each other, who let everybody send; or those and
    permitted senders alone. The default follows from the engine."""
    governed: bool = True
    """Whether the members of a consortium or a private chain may admit and expel by votes."""
    permitted: tuple[AddressText, ...] = ()
    """Who may send on a private chain, besides its members and the operator of the system."""

    # What is on it
    coin_name: ShortText = "Coin"
    """How the chain's coin is called on other chains."""
    coin_symbol: ShortText = "COIN"
    funds: Annotated[dict[str, Uint256], BeforeValidator(_funds)] = Field(default_factory=dict)
    """Wei of the chain's coin by address."""
    paradigms: tuple[str, ...] | None = None
    """Names of the paradigms that may be issued, by default all. Tokens of other chains can only arrive where
    ``erc20`` and ``erc721`` are among them."""

    # Fees
    gas_limit: Uint64 = genesis.DEFAULT_GAS_LIMIT
    """Gas of one block."""
    base_fee: Uint256 = genesis.DEFAULT_BASE_FEE
    """Wei for each gas in the first block."""
    burn_base_fee: bool = False
    """Burn the base fee in place of paying it to who makes the block."""

    # How other chains know what is final
    finality: Literal["chain_key", "committee", "work"] | None = None
    """The scheme; by default the best that the engine offers."""
    work: WorkDemands = WorkDemands()
    """With work only."""
    anchoring_interval: int = Field(default=0, ge=0)
    """The newest final block whose height is a multiple of it is written down on the main chain whenever the
    system relays; 0: none is."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.name == "main":
            raise ValueError("main is the name of the main chain")
        for text in (self.coin_name, self.coin_symbol):
            if len(text.encode()) > 31:
                raise ValueError("the name and the symbol of a coin have 1 to 31 bytes")
        if len(self.name.encode()) > 64:
            raise ValueError("a chain's name has at most 64 bytes")
        listed = self.membership in ("consortium", "private")
        if self.membership is not None and listed != (self.consensus == "pbft"):
            raise ValueError(_LIST)
        if self.permitted and self.membership != "private":
            raise ValueError("only a private chain has permitted senders")
        if self.finality is not None and self.finality not in SCHEMES[self.consensus]:
            offered = ", ".join(SCHEMES[self.consensus])
            raise ValueError(f"blocks of {self.consensus} are proven final by: {offered}")
        return self

    @property
    def scheme(self) -> str:
        """How blocks are proven final: ``chain_key``, ``committee`` or ``work``."""
        return self.finality or SCHEMES[self.consensus][0]

    def chain_config(self, chain_id: int) -> ChainConfig:
        """Return the configuration of the chain itself."""
        return ChainConfig(
            chain_id=chain_id,
            engine="instant",
            gas_limit=self.gas_limit,
            base_fee=self.base_fee,
            burn_base_fee=self.burn_base_fee,
            funds=dict(self.funds),
        )
