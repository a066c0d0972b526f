"""The first block and the rules that are fixed with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import MAX_EXTRA_DATA, Header
from chainstack_sdk.core.bloom import BLOOM_BYTES
from chainstack_sdk.core.commitment import encode_account, slot_leaves
from chainstack_sdk.core.gas import TX_BASE
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.transactions.decode import MAX_CHAIN_ID
from chainstack_sdk.core.trie import MerklePatriciaTrie
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import decode_int, rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.state import State
    from chainstack_sdk.primitives.rlp import Encodable

DEFAULT_CHAIN_ID = 31337
"""What development chains use, so that wallets and clients know it as one."""
DEFAULT_TIMESTAMP_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC: a fixed instant, so that equal parameters make equal chains."""
DEFAULT_GAS_LIMIT = 1_000_000_000
DEFAULT_BASE_FEE = 1_000_000_000
"""1 gwei for each gas."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account that exists from the start."""

    nonce: int = 0
    balance: int = 0
    """Wei."""
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)
    """Slot number to value; both below 2^256."""

    def slots(self) -> dict[bytes, int]:
        """Return the storage by 32-byte big-endian slot, without zeros, ascending."""
        if not self.storage:
            return {}
        return {slot.to_bytes(32, "big"): value for slot, value in sorted(self.storage.items()) if value}


@dataclass(frozen=True, slots=True)
class Genesis:
    """Everything two nodes must agree on before the first block."""

    chain_id: int = DEFAULT_CHAIN_ID
    """From 1 to 2**63 - 37 (EIP-2294)."""
    accounts: Mapping[bytes, GenesisAccount] = field(default_factory=dict)
    timestamp_ms: int = DEFAULT_TIMESTAMP_MS
    gas_limit: int = DEFAULT_GAS_LIMIT
    base_fee: int = DEFAULT_BASE_FEE
    engine: str = "instant"
    """Name of the consensus engine."""
    engine_parameters: bytes = b""
    """What the engine fixes for good, in its own encoding."""
    extra_data: bytes = b""
    """At most 32 bytes."""
    burn_base_fee: bool = False
    """Whether the base fee leaves the supply, as on Ethereum, or goes to the proposer."""

    def __post_init__(self) -> None:
        if not 0 < self.chain_id <= MAX_CHAIN_ID:
            raise UsageError("genesis: no transaction can name this chain_id", actual=self.chain_id)
        for name in ("timestamp_ms", "gas_limit"):
            if not 0 <= getattr(self, name) < 1 << 64:
                raise UsageError(f"genesis: {name} is an unsigned 64-bit integer", actual=getattr(self, name))
        if self.gas_limit < TX_BASE:
            raise UsageError("genesis: gas_limit has no room for a transaction", expected=TX_BASE)
        if not 0 <= self.base_fee < 1 << 256:
            raise UsageError("genesis: base_fee is an unsigned 256-bit integer", actual=self.base_fee)
        if len(self.extra_data) > MAX_EXTRA_DATA:
            raise UsageError("genesis: extra_data is at most 32 bytes", actual=len(self.extra_data))
        for address, account in self.accounts.items():
            _validate_account(address, account)
        supply = sum(account.balance for account in self.accounts.values())
        if supply >= 1 << 256:
            raise UsageError("genesis: all balances together are an unsigned 256-bit integer", actual=supply)

    def encode(self) -> bytes:
        """Return the canonical RLP of all parameters, accounts in address order."""
        accounts: list[Encodable] = [
            [address, _integer(account.nonce), _integer(account.balance), account.code, _slots(account)]
            for address, account in sorted(self.accounts.items())
        ]
        burn = b"\x01" if self.burn_base_fee else b""
        numbers = (_FORMAT, self.chain_id, self.timestamp_ms, self.gas_limit, self.base_fee)
        engine = [self.engine.encode(), self.engine_parameters]
        return rlp_encode([*map(_integer, numbers), engine, self.extra_data, burn, accounts])

    @classmethod
    def decode(cls, data: bytes) -> Genesis:
        """Decode what :meth:`encode` wrote.

        Raises
        ------
        InvalidInput
            When the bytes are not a genesis.
        """
        match rlp_decode(data):
            case [
                bytes(form),
                bytes(chain_id),
                bytes(time),
                bytes(limit),
                bytes(fee),
                [bytes(engine), bytes(parameters)],
                *rest,
            ]:
                if decode_int(form, 8) != _FORMAT:
                    raise InvalidInput("unknown genesis format", expected=_FORMAT, actual=decode_int(form, 8))
            case _:
                raise InvalidInput("malformed genesis")
        match rest:
            case [bytes(extra), bytes(burn), list(accounts)] if burn in (b"", b"\x01"):
                pass
            case _:
                raise InvalidInput("malformed genesis")
        try:
            genesis = cls(
                chain_id=decode_int(chain_id, 8),
                accounts=dict(_account(item) for item in accounts),
                timestamp_ms=decode_int(time, 8),
                gas_limit=decode_int(limit, 8),
                base_fee=decode_int(fee),
                engine=engine.decode(),
                engine_parameters=parameters,
                extra_data=extra,
                burn_base_fee=bool(burn),
            )
        except (UsageError, UnicodeDecodeError) as error:
            raise InvalidInput(f"malformed genesis: {error}") from error
        if genesis.encode() != data:
            raise InvalidInput("the genesis is not in its canonical form")
        return genesis

    def fill(self, state: State) -> None:
        """Write the accounts to an empty state; the caller commits."""
        for address, account in self.accounts.items():
            if account.nonce:
                state.set_nonce(address, account.nonce)
            if account.balance:
                state.set_balance(address, account.balance)
            if account.code:
                state.set_code(address, account.code)
            for slot, value in account.slots().items():
                state.set_storage(address, slot, value)

    def header(self, root: bytes) -> Header:
        """Return the header of block 0 for the committed state; its seed commits to every parameter."""
        nothing = binary_root(())
        return Header(
            chain_id=self.chain_id,
            height=0,
            slot=0,
            timestamp_ms=self.timestamp_ms,
            state_root=root,
            transactions_root=nothing,
            receipts_root=nothing,
            messages_root=nothing,
            parent_hash=bytes(32),
            history_root=MountainRange().root,
            proposer=bytes(20),
            logs_bloom=bytes(BLOOM_BYTES),
            gas_limit=self.gas_limit,
            gas_used=0,
            base_fee=self.base_fee,
            seed=keccak256(self.encode()),
            extra_data=self.extra_data,
        )


def state_root(accounts: Mapping[bytes, GenesisAccount]) -> bytes:
    """Return the state root of exactly these accounts, as Ethereum computes it.

    Parameters
    ----------
    accounts
        By 20-byte address; empty accounts are written like any other.

    Raises
    ------
    UsageError
        When an address is not 20 bytes or a number does not fit.
    """
    leaves = {}
    for address, account in accounts.items():
        _validate_account(address, account)
        storage = MerklePatriciaTrie(slot_leaves(account.slots()))
        leaf = encode_account(account.nonce, account.balance, storage.root, keccak256(account.code))
        leaves[keccak256(address)] = leaf
    return MerklePatriciaTrie(leaves).root


def _validate_account(address: bytes, account: GenesisAccount) -> None:
    if not isinstance(address, bytes) or len(address) != 20:
        raise UsageError("an address is 20 bytes", actual=address)
    if not isinstance(account.nonce, int) or not 0 <= account.nonce < 1 << 64:
        raise UsageError("a nonce is an unsigned 64-bit integer", address=address, actual=account.nonce)
    storage = account.storage
    numbers = (account.balance, *storage, *storage.values()) if storage else (account.balance,)
    if [number for number in numbers if not (isinstance(number, int) and 0 <= number < 1 << 256)]:
        raise UsageError("balances and storage are unsigned 256-bit integers", address=address)


def _integer(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) >> 3, "big")


def _slots(account: GenesisAccount) -> list[list[bytes]]:
    return [[slot, _integer(value)] for slot, value in account.slots().items()]


def _account(item: object) -> tuple[bytes, GenesisAccount]:
    match item:
        case [bytes(address), bytes(nonce), bytes(balance), bytes(code), list(slots)]:
            storage = {}
            for pair in slots:
                match pair:
                    case [bytes(slot), bytes(value)] if len(slot) == 32:
                        storage[int.from_bytes(slot, "big")] = decode_int(value)
                    case _:
                        raise InvalidInput("malformed storage in a genesis")
            return address, GenesisAccount(decode_int(nonce, 8), decode_int(balance), code, storage)
    raise InvalidInput("malformed account in a genesis")
