"""From a proof to the hash of its block, and to what it says if that block is final.

The block hash is keccak-256 of 200 bytes: ``version 8 ‖ chain id 8 ‖ height 8 ‖ slot 8 ‖ timestamp 8 ‖
state 32 ‖ transactions 32 ‖ receipts 32 ‖ messages 32 ‖ rest 32``. The body yields one of the five hashes:
whoever alters the thing, its place or its path gets another block hash, for which there is no evidence.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from chainstack_sdk.cspv.verify.facts import (
    Proven,
    ProvenAccount,
    ProvenMessage,
    ProvenReceipt,
    ProvenStorage,
    ProvenTransaction,
)
from chainstack_sdk.cspv.verify.format import VERSION, Kind, Proof
from chainstack_sdk.cspv.verify.merkle import item_root
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath
from chainstack_sdk.cspv.verify.receipt import decode_receipt_item
from chainstack_sdk.cspv.verify.trie import NO_ACCOUNT, account_at, root_of, slot_at
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.format import FinalityScheme
    from chainstack_sdk.cspv.verify.paths import Body

_COMMITMENT = Struct(">5Q160s")

YIELDED = {Kind.RECEIPT: 2, Kind.TRANSACTION: 1, Kind.MESSAGE: 3, Kind.ACCOUNT: 0, Kind.STORAGE: 0}
"""Which of the header's five hashes (state, transactions, receipts, messages, rest) a body yields."""

_Where = tuple[int, int, int, int, bytes]


def open_proof(proof: Proof | bytes, chain_id: int, scheme: FinalityScheme) -> tuple[Proof, Proven]:
    """Return a proof, decoded, with what it says about a block.

    *Nothing is proven yet*: it is for the caller to check by :attr:`Proof.finality` that the block
    :attr:`Proven.block_hash` is final.

    Raises
    ------
    InvalidInput
        When it is no proof, one of another scheme, or contradicts itself.
    """
    opened = proof if isinstance(proof, Proof) else Proof.from_bytes(proof)
    if opened.scheme is not scheme:
        raise InvalidInput("a proof of another scheme", expected=scheme.name, actual=opened.scheme.name)
    root = _root(opened.body)
    place = YIELDED[opened.kind]
    roots = b"".join((*opened.hashes[:place], root, *opened.hashes[place:]))
    numbers = (opened.height, opened.slot, opened.timestamp_ms)
    block_hash = keccak256(_COMMITMENT.pack(VERSION, chain_id, *numbers, roots))
    return opened, _facts(opened.kind, opened.body, root, (chain_id, *numbers, block_hash))


def _root(body: Body) -> bytes:
    if isinstance(body, ItemPath):
        return item_root(body)
    return root_of(body.nodes if isinstance(body, AccountPath) else body.account_nodes)


def _facts(kind: Kind, body: Body, root: bytes, where: _Where) -> Proven:
    if isinstance(body, ItemPath):
        return _item_facts(kind, body, where)
    if isinstance(body, AccountPath):
        account = account_at(root, body.address, body.nodes)
        return ProvenAccount(*where, body.address, account is not None, *(account or NO_ACCOUNT))
    contract = account_at(root, body.address, body.account_nodes) or NO_ACCOUNT
    value = slot_at(contract.storage_root, body.slot, body.storage_nodes)
    return ProvenStorage(*where, body.address, body.slot, value)


def _item_facts(kind: Kind, path: ItemPath, where: _Where) -> Proven:
    if kind is Kind.RECEIPT:
        return ProvenReceipt(*where, path.index, *decode_receipt_item(path.item))
    if kind is Kind.TRANSACTION:
        return ProvenTransaction(*where, path.index, path.item, keccak256(path.item))
    return ProvenMessage(*where, path.index, path.item)
