"""Configuration of a chain as people write it: keyword arguments or a JSON file, checked by pydantic.

The only module of the core that imports pydantic; it is loaded when a configuration is first used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from chainstack_sdk.core import genesis
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.address import to_address, to_checksum_address
from chainstack_sdk.primitives.errors import UsageError


def _integer(value: object) -> object:
    """Accept ``"0x…"`` and decimal text besides integers: JSON readers round large numbers."""
    if isinstance(value, str):
        return int(value, 0)
    return value


def _bytes(value: object) -> object:
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


Uint64 = Annotated[int, BeforeValidator(_integer), Field(ge=0, lt=1 << 64, strict=True)]
Uint256 = Annotated[
    int,
    BeforeValidator(_integer),
    Field(ge=0, lt=1 << 256, strict=True),
    PlainSerializer(str, when_used="json"),
]
HexBytes = Annotated[bytes, BeforeValidator(_bytes), PlainSerializer(_hex, when_used="json")]


class _Checked(BaseModel):
    """A model whose mistakes are :class:`~chainstack_sdk.primitives.errors.UsageError`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise UsageError(explain(error)) from error


class AccountConfig(_Checked):
    """An account of the genesis state."""

    nonce: Uint64 = 0
    balance: Uint256 = 0
    code: HexBytes = b""
    storage: dict[Uint256, Uint256] = Field(default_factory=dict)


class JsonConfig(_Checked):
    """A configuration that people keep as JSON."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a JSON file.

        Raises
        ------
        UsageError
            When there is no such file or it does not hold a configuration; the text names the field.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no path at all
            raise UsageError(f"cannot read the configuration: {error}", path=str(path)) from error
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read JSON text.

        Raises
        ------
        UsageError
            When it does not hold a configuration; the text names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise UsageError(explain(error)) from error

    def to_json(self) -> str:
        """Return the configuration as JSON text."""
        return self.model_dump_json(indent=2)

    def save(self, path: str | Path) -> None:
        """Write the configuration as JSON."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")


class ChainConfig(JsonConfig):
    """Everything that is fixed when a chain begins, and how this node keeps it.

    Unknown fields are refused. In JSON, amounts may be numbers, decimal text or ``0x`` text, bytes are
    ``0x`` text and addresses checksummed text.
    """

    chain_id: Uint64 = genesis.DEFAULT_CHAIN_ID
    """EIP-155 chain id."""
    engine: str = "instant"
    """Name of the consensus engine; one of your own is also given to the chain as an object."""
    timestamp_ms: Uint64 = genesis.DEFAULT_TIMESTAMP_MS
    """Unix time of genesis in milliseconds."""
    gas_limit: Uint64 = genesis.DEFAULT_GAS_LIMIT
    """Gas of one block."""
    base_fee: Uint256 = genesis.DEFAULT_BASE_FEE
    """Wei for each gas in the first block."""
    burn_base_fee: bool = False
    """Burn the base fee, as Ethereum does, in place of paying it to the proposer."""
    extra_data: HexBytes = Field(default=b"", max_length=32)
    """At most 32 bytes of your own in the genesis header."""
    funds: dict[str, Uint256] = Field(default_factory=dict)
    """Wei by address: the short way to fund accounts."""
    accounts: dict[str, AccountConfig] = Field(default_factory=dict)
    """Accounts in full, by address. The factory of paradigms and the deployer of machines come by themselves,
    unless something else is put at their addresses."""
    keep_states: int | None = Field(default=None, ge=1)
    """How many of the newest blocks can be undone, so that the states below them stay readable; None: all.
    Not together with ``archive``, which keeps every state."""
    archive: bool = False
    """Keep the state as trie nodes: every block's state stays readable and need not fit in memory."""

    @field_validator("funds", "accounts", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        try:
            entries = {to_checksum_address(address): entry for address, entry in value.items()}
        except UsageError as error:
            raise ValueError(str(error)) from error
        if len(entries) < len(value):
            raise ValueError("an address is named twice, in different spellings")
        return entries

    @model_validator(mode="after")
    def _pruning(self) -> Self:
        if self.archive and self.keep_states is not None:
            raise ValueError("an archive keeps every state: leave keep_states out")
        return self

    def genesis(self) -> Genesis:
        """Return the parameters that nodes must agree on.

        Raises
        ------
        UsageError
            When an address is in both ``funds`` and ``accounts``.
        """
        twice = sorted(set(self.funds) & set(self.accounts))
        if twice:
            raise UsageError("address in both funds and accounts", address=twice[0])
        accounts: dict[bytes, GenesisAccount] = {
            to_address(address): GenesisAccount(balance=wei) for address, wei in self.funds.items()
        }
        for address, entry in self.accounts.items():
            accounts[to_address(address)] = GenesisAccount(
                entry.nonce, entry.balance, entry.code, dict(entry.storage)
            )
        return Genesis(
            chain_id=self.chain_id,
            accounts=accounts,
            timestamp_ms=self.timestamp_ms,
            gas_limit=self.gas_limit,
            base_fee=self.base_fee,
            engine=self.engine,
            extra_data=self.extra_data,
            burn_base_fee=self.burn_base_fee,
        )


def explain(error: ValidationError) -> str:
    """Return a pydantic error as one line a person can act on."""
    problems = (f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}" for item in error.errors())
    return "invalid configuration: " + "; ".join(problems)
