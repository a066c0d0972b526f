"""What a verified proof says, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proven:
    """Where on which chain it was proven: the part that all facts share."""

    chain_id: int
    """The anchor's chain."""
    height: int
    """The block's height."""
    slot: int
    """The committee's term."""
    timestamp_ms: int
    """The block's time: Unix time in milliseconds."""
    block_hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class ProvenLog:
    """An event that a contract emitted."""

    address: bytes
    """The emitting contract, 20 bytes."""
    topics: tuple[bytes, ...]
    """At most four topics of 32 bytes; the first is the event's signature hash."""
    data: bytes
    """ABI-encoded values that are not indexed."""


@dataclass(frozen=True, slots=True)
class ProvenReceipt(Proven):
    """A transaction, or what is due at the end of a block, ran in this block, and this is how it ended."""

    index: int
    """The transaction's place in the block, from 0."""
    transaction_hash: bytes
    """32 bytes."""
    status: int
    """1: succeeded, 0: failed."""
    cumulative_gas_used: int
    """Gas used in the block up to and including this transaction."""
    bloom_hash: bytes
    """keccak-256 of the receipt's log bloom."""
    logs: tuple[ProvenLog, ...]
    """What it emitted, in order."""

    @property
    def succeeded(self) -> bool:
        """Whether the transaction did what it asked for."""
        return self.status == 1


@dataclass(frozen=True, slots=True)
class ProvenTransaction(Proven):
    """A transaction is in this block. Whether it succeeded is for a receipt to say."""

    index: int
    """Its place in the block, from 0."""
    raw: bytes
    """The signed envelope."""
    hash: bytes
    """keccak-256 of it, 32 bytes."""


@dataclass(frozen=True, slots=True)
class ProvenMessage(Proven):
    """A message to another chain is in this block."""

    index: int
    """Its place among the block's messages, from 0."""
    message: bytes
    """Its bytes."""


@dataclass(frozen=True, slots=True)
class ProvenAccount(Proven):
    """What an account held after this block; an account that does not exist holds nothing."""

    address: bytes
    """20 bytes."""
    exists: bool
    """Whether the state has an entry for it."""
    nonce: int
    """How many transactions it has sent."""
    balance: int
    """Wei."""
    storage_root: bytes
    """Root of its storage trie, 32 bytes."""
    code_hash: bytes
    """keccak-256 of its code, 32 bytes."""


@dataclass(frozen=True, slots=True)
class ProvenStorage(Proven):
    """What a slot of a contract held after this block."""

    address: bytes
    """The contract, 20 bytes."""
    key: bytes
    """The slot, 32 bytes."""
    value: int
    """0 where nothing was ever stored."""
