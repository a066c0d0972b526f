"""Ethereum's published transactions: 83 single ones, and those of 30 whole blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chainstack_sdk.core.transactions import decode_and_recover, decode_transaction
from chainstack_sdk.core.trie import MerklePatriciaTrie
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode, rlp_int

VECTORS = Path(__file__).parent.parent / "vectors"
CHAIN_ID = 1
"""The chain that the vectors are valid or invalid on."""


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / name).read_text())


TRANSACTIONS = load("transactions.json")
BLOCKS = load("block_tx_roots.json")
VALID = [vector for vector in TRANSACTIONS if vector["valid"]]
INVALID = [vector for vector in TRANSACTIONS if not vector["valid"]]
FOREIGN = {
    "RightVRSTestF0000000a",
    "RightVRSTestF0000000c",
    "Vitalik_15",
    "WrongVRSTestVEqual39",
    "WrongVRSTestVEqual41",
}
"""Invalid for nothing but their chain id, which decoding alone does not judge."""
UNRECOVERABLE = {"PointAtInfinity"}
"""Well formed, but no key makes the signature."""


def name_of(vector: dict[str, Any]) -> str:
    return vector["name"].split("/")[-1]


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def test_vectors_are_complete() -> None:
    assert (len(VALID), len(INVALID), len(BLOCKS)) == (28, 55, 30)
    assert {name_of(vector) for vector in INVALID} >= FOREIGN | UNRECOVERABLE


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_valid_transaction(vector: dict[str, Any]) -> None:
    transaction = decode_transaction(unhex(vector["tx"]))
    assert transaction.hash == unhex(vector["hash"])
    assert transaction.sender == unhex(vector["sender"])
    assert transaction.intrinsic_gas == vector["intrinsic_gas"]
    assert transaction.encode() == unhex(vector["tx"])
    assert transaction.chain_id in (None, CHAIN_ID)


@pytest.mark.parametrize("vector", INVALID, ids=name_of)
def test_invalid_transaction(vector: dict[str, Any]) -> None:
    raw = unhex(vector["tx"])
    if name_of(vector) in FOREIGN:
        assert decode_transaction(raw).chain_id not in (None, CHAIN_ID)
    elif name_of(vector) in UNRECOVERABLE:
        transaction = decode_transaction(raw)
        with pytest.raises(InvalidInput, match="no key"):
            _ = transaction.sender
    else:
        with pytest.raises(InvalidInput):
            decode_transaction(raw)


@pytest.mark.parametrize("vector", BLOCKS, ids=lambda vector: vector["name"])
def test_transactions_of_block(vector: dict[str, Any]) -> None:
    header, items, *_rest = rlp_decode(unhex(vector["rlp"]))
    raws = [item if isinstance(item, bytes) else rlp_encode(item) for item in items]
    assert keccak256(rlp_encode(header)) == unhex(vector["hash"])
    transactions = list(decode_and_recover(raws))
    assert [transaction.raw for transaction in transactions] == raws
    assert [transaction.hash for transaction in transactions] == [keccak256(raw) for raw in raws]
    root = MerklePatriciaTrie({rlp_int(index): raw for index, raw in enumerate(raws)}).root
    assert root == unhex(vector["transactionsTrie"])


def test_senders_of_blocks_match_another_implementation() -> None:
    from eth_account import Account as Oracle

    raws = []
    for vector in BLOCKS:
        _header, items, *_rest = rlp_decode(unhex(vector["rlp"]))
        raws += [item if isinstance(item, bytes) else rlp_encode(item) for item in items]
    assert len(raws) > 50
    for transaction in decode_and_recover(raws):
        assert transaction.sender == unhex(Oracle.recover_transaction(transaction.raw))
