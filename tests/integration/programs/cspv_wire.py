"""Proofs put together from their parts, byte by byte as the format says, and signed with a key of the test's.

Built without the library's own prover, so that a verifier is held to the document and not to one writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.receipts import Log, Receipt, logs_bloom, receipt_item
from chainstack_sdk.primitives import bls, keccak256, rlp_encode

CHAIN_ID = 7_001
SECRET = bls.secret_from(b"cspv-tests", bytes(32))
KEY = bls.public_key(SECRET)
ANCHOR = b"\x01\x01" + CHAIN_ID.to_bytes(8, "big") + KEY

RECEIPT, TRANSACTION, MESSAGE, ACCOUNT, STORAGE = range(1, 6)
_YIELDED = {RECEIPT: 2, TRANSACTION: 1, MESSAGE: 3, ACCOUNT: 0, STORAGE: 0}

TRANSFER = keccak256(b"Transfer(address,address,uint256)")
TOKEN, PAYER, SHOP = bytes([0x11]) * 20, bytes([0x22]) * 20, bytes([0x33]) * 20


@dataclass(frozen=True)
class Head:
    """What of a block is in every proof of it."""

    height: int = 1_234_567
    slot: int = 211
    timestamp_ms: int = 1_753_000_000_000
    state: bytes = keccak256(b"state")
    transactions: bytes = keccak256(b"transactions")
    receipts: bytes = keccak256(b"receipts")
    messages: bytes = keccak256(b"messages")
    rest: bytes = keccak256(b"rest")
    chain_id: int = CHAIN_ID
    version: int = 1

    @property
    def roots(self) -> list[bytes]:
        return [self.state, self.transactions, self.receipts, self.messages, self.rest]

    @property
    def hash(self) -> bytes:
        numbers = (self.version, self.chain_id, self.height, self.slot, self.timestamp_ms)
        return keccak256(b"".join(number.to_bytes(8, "big") for number in numbers) + b"".join(self.roots))


HEAD = Head()


def assembled(
    head: Head, kind: int, body: bytes, *, secret: int = SECRET, links: Sequence[bytes] = ()
) -> bytes:
    """Return a chain key's proof, signed."""
    numbers = b"".join(number.to_bytes(8, "big") for number in (head.height, head.slot, head.timestamp_ms))
    roots = head.roots
    del roots[_YIELDED[kind]]
    signature = bls.sign(secret, head.hash, bls.FINALITY_DOMAIN)
    linked = bytes([len(links)]) + b"".join(len(link).to_bytes(2, "big") + link for link in links)
    return bytes([1, 1, kind]) + numbers + b"".join(roots) + signature + linked + body


def item_proof(kind: int, items: Sequence[bytes], index: int, head: Head = HEAD, **signed: int) -> bytes:
    """Return a proof that an item is in a block, in the tree that the kind says."""
    tree = BinaryMerkleTree(items)
    name = {RECEIPT: "receipts", TRANSACTION: "transactions", MESSAGE: "messages"}[kind]
    path = tree.prove(index)
    body = index.to_bytes(4, "big") + bytes([path.depth]) + b"".join(path.siblings) + items[index]
    return assembled(replace(head, **{name: tree.root}), kind, body, **signed)


def nodes(*lists: Sequence[bytes]) -> bytes:
    """Return lists of trie nodes as the format has them."""
    return b"".join(
        bytes([len(listed)]) + b"".join(len(node).to_bytes(2, "big") + node for node in listed)
        for listed in lists
    )


def transfer(value: int = 250, token: bytes = TOKEN) -> Log:
    return Log(token, (TRANSFER, bytes(12) + PAYER, bytes(12) + SHOP), value.to_bytes(32, "big"))


def receipt(*logs: Log, status: int = 1, name: bytes = b"paid", gas: int = 51_234) -> bytes:
    """Return a receipt item."""
    outcome = Receipt(keccak256(name), status, gas, logs_bloom(logs), logs, gas, 10**9, 1, 0, None, b"")
    return receipt_item(outcome)


def fillers(count: int) -> list[bytes]:
    """Return the other items of a block."""
    return [b"filler %d" % number for number in range(count)]


def payment_proof(count: int = 4, *logs: Log, index: int = 2, head: Head = HEAD, **options: int) -> bytes:
    """Return a proof of a payment in a block of some transactions."""
    items = fillers(count)
    items[index] = receipt(*(logs or (transfer(),)), **options)
    return item_proof(RECEIPT, items, index, head)


def account_leaf(nonce: int, balance: int, storage_root: bytes, code_hash: bytes) -> bytes:
    return rlp_encode([nonce, balance, storage_root, code_hash])
