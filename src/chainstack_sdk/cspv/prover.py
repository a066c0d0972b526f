"""Proofs of what is on a chain, made by whoever has the chain.

A proof needs the block's header and, for receipts and transactions, all of the block's: 10,000 of them take
some 20 ms to hash. For accounts and slots the node must have the tries of the block's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core import queries
from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.messages import messages_of
from chainstack_sdk.core.receipts import Receipt, receipt_item
from chainstack_sdk.core.transactions import Transaction
from chainstack_sdk.cspv.verify.format import Kind, Proof
from chainstack_sdk.cspv.verify.opening import YIELDED
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.cspv.schemes import FinalityProver
    from chainstack_sdk.cspv.verify.paths import Body


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account, as something to prove."""

    address: bytes
    """20 bytes."""

    def __post_init__(self) -> None:
        if len(self.address) != 20:
            raise UsageError("an address has 20 bytes", actual=len(self.address))


@dataclass(frozen=True, slots=True)
class StorageKey:
    """A slot of a contract, as something to prove."""

    address: bytes
    """The contract, 20 bytes."""
    slot: int
    """Its number, below 2^256."""

    def __post_init__(self) -> None:
        if len(self.address) != 20:
            raise UsageError("an address has 20 bytes", actual=len(self.address))
        if not 0 <= self.slot < 1 << 256:
            raise UsageError("the number of a slot has at most 256 bits", actual=self.slot)


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A message to another chain, as something to prove."""

    height: int
    """Of its block."""
    index: int
    """Its place among the block's messages, from 0."""


Provable = Receipt | Transaction | MessageKey | AccountKey | StorageKey
"""What :func:`prove` takes."""


def prove(
    blockchain: Blockchain, finality: FinalityProver, target: Provable, height: int | None = None
) -> Proof:
    """Prove that something is on a chain, or that it is not.

    Parameters
    ----------
    blockchain, finality
        The chain, and what shows that its blocks are final.
    target
        A receipt, a transaction or a message of a block; an account or a slot, which need not exist.
    height
        The block after which an account or a slot is proven; by default the newest. All else is proven in its
        own block.

    Raises
    ------
    UsageError
        When no block holds it, the block is not final yet, its state is not kept, or the height given is not
        its own.
    """
    match target:
        case Receipt():
            own = _own_height(target.height, height)
            proof = prove_receipt(blockchain, finality, own, target.transaction_index)
            if blockchain.ledger.receipts(own)[target.transaction_index] != target:
                raise UsageError("the receipt is not of this chain", hash=target.transaction_hash)
            return proof
        case Transaction():
            found = queries.find_transaction(blockchain, target.hash)
            if found is None:
                raise UsageError("no block holds this transaction", hash=target.hash)
            return prove_transaction(blockchain, finality, _own_height(found[1], height), found[2])
        case MessageKey(own, index):
            return prove_message(blockchain, finality, _own_height(own, height), index)
        case AccountKey(address):
            return prove_account(blockchain, finality, address, height)
    return prove_storage(blockchain, finality, target.address, target.slot, height)


def prove_receipt(blockchain: Blockchain, finality: FinalityProver, height: int, index: int) -> Proof:
    """Prove how the transaction at a place of a block ended and what it emitted.

    Raises
    ------
    UsageError
        When there is no such place, or the block is not final yet.
    """
    header = _header(blockchain, height)
    items = [receipt_item(receipt) for receipt in blockchain.ledger.receipts(height)]
    return _proof(finality, header, Kind.RECEIPT, _path(items, index))


def prove_transaction(blockchain: Blockchain, finality: FinalityProver, height: int, index: int) -> Proof:
    """Prove which transaction is at a place of a block.

    Raises
    ------
    UsageError
        When there is no such place, or the block is not final yet.
    """
    header = _header(blockchain, height)
    raws = [transaction.raw for transaction in blockchain.ledger.block(height).transactions]
    return _proof(finality, header, Kind.TRANSACTION, _path(raws, index))


def prove_message(blockchain: Blockchain, finality: FinalityProver, height: int, index: int) -> Proof:
    """Prove the message to another chain at a place among those of a block.

    Raises
    ------
    UsageError
        When there is no such place, or the block is not final yet.
    """
    header = _header(blockchain, height)
    messages = messages_of(blockchain.ledger.receipts(height))
    return _proof(finality, header, Kind.MESSAGE, _path(messages, index))


def prove_account(
    blockchain: Blockchain, finality: FinalityProver, address: bytes, height: int | None = None
) -> Proof:
    """Prove what an account holds after a block, by default the newest, or that it does not exist.

    Raises
    ------
    UsageError
        When the block is not final yet, or its state is not kept.
    """
    header = _header(blockchain, height)
    account = queries.prove(blockchain, address, (), header.height)
    return _proof(finality, header, Kind.ACCOUNT, AccountPath(address, account.nodes))


def prove_storage(
    blockchain: Blockchain, finality: FinalityProver, address: bytes, slot: int, height: int | None = None
) -> Proof:
    """Prove what is in a slot of a contract after a block, by default the newest, or that nothing is.

    Raises
    ------
    UsageError
        When the block is not final yet, or its state is not kept.
    """
    header = _header(blockchain, height)
    key = slot.to_bytes(32, "big")
    account = queries.prove(blockchain, address, (key,), header.height)
    (storage,) = account.storage
    path = StoragePath(address, key, account.nodes, storage.nodes)
    return _proof(finality, header, Kind.STORAGE, path)


def _own_height(own: int, asked: int | None) -> int:
    if asked not in (None, own):
        raise UsageError("it is in another block", expected=asked, actual=own)
    return own


def _header(blockchain: Blockchain, height: int | None) -> Header:
    if height is None:
        return blockchain.head
    if not 0 <= height <= blockchain.height:
        raise UsageError("the chain has no such block", height=height)
    return blockchain.ledger.header(height)


def _path(items: Sequence[bytes], index: int) -> ItemPath:
    tree = BinaryMerkleTree(items)
    return ItemPath(index, tree.prove(index).siblings, items[index])


def header_hashes(header: Header) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Return the roots and the hash that a block hash commits to, 32 bytes each, in its order."""
    return (
        header.state_root,
        header.transactions_root,
        header.receipts_root,
        header.messages_root,
        header.rest_hash(),
    )


def _proof(finality: FinalityProver, header: Header, kind: Kind, body: Body) -> Proof:
    hashes, yielded = header_hashes(header), YIELDED[kind]
    where = (header.height, header.slot, header.timestamp_ms)
    others = hashes[:yielded] + hashes[yielded + 1 :]
    return Proof(finality.scheme, kind, *where, others, finality.evidence(header), body)
