"""Layer 1: state, transactions, blocks, execution, and the chain that ties them together.

Everything here is deterministic: no clock, randomness, network or environment is read. The parts that may
be replaced are declared in :mod:`chainstack_sdk.core.interfaces`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.core.account_proof import AccountProof, SlotProof
    from chainstack_sdk.core.blocks import Block, Header, decode_header
    from chainstack_sdk.core.building import Candidate
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.config import ChainConfig
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.execution import BlockExecution
    from chainstack_sdk.core.fees import ProposerFees, next_base_fee
    from chainstack_sdk.core.genesis import Genesis, GenesisAccount, state_root
    from chainstack_sdk.core.history import MountainRange, MountainRangeProof, verify_history_proof
    from chainstack_sdk.core.ledger import MemoryLedger, StoredLedger
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.core.merkle import (
        BinaryMerkleProof,
        BinaryMerkleTree,
        binary_root,
        verify_binary_proof,
    )
    from chainstack_sdk.core.receipts import Log, Receipt, receipt_item
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.store import LmdbStore, MemoryStore, SqliteStore
    from chainstack_sdk.core.transactions import (
        Transaction,
        decode_transaction,
        recover_senders,
        sign_transaction,
    )
    from chainstack_sdk.core.trie import MerklePatriciaTrie, StoredTrie, verify_proof
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AccountProof": "account_proof",
            "BinaryMerkleProof": "merkle",
            "BinaryMerkleTree": "merkle",
            "Block": "blocks",
            "BlockContext": "context",
            "BlockExecution": "execution",
            "Blockchain": "chain",
            "Call": "call",
            "Candidate": "building",
            "ChainConfig": "config",
            "Genesis": "genesis",
            "GenesisAccount": "genesis",
            "Header": "blocks",
            "LmdbStore": "store",
            "Log": "receipts",
            "MemoryLedger": "ledger",
            "MemoryStore": "store",
            "Mempool": "mempool",
            "MerklePatriciaTrie": "trie",
            "MountainRange": "history",
            "MountainRangeProof": "history",
            "ProposerFees": "fees",
            "Receipt": "receipts",
            "SlotProof": "account_proof",
            "SqliteStore": "store",
            "State": "state",
            "StateDiff": "diff",
            "StoredLedger": "ledger",
            "StoredTrie": "trie",
            "Transaction": "transactions",
            "binary_root": "merkle",
            "decode_header": "blocks",
            "decode_transaction": "transactions",
            "next_base_fee": "fees",
            "receipt_item": "receipts",
            "recover_senders": "transactions",
            "sign_transaction": "transactions",
            "state_root": "genesis",
            "verify_binary_proof": "merkle",
            "verify_history_proof": "history",
            "verify_proof": "trie",
        },
    )

__all__ = [
    "AccountProof",
    "BinaryMerkleProof",
    "BinaryMerkleTree",
    "Block",
    "BlockContext",
    "BlockExecution",
    "Blockchain",
    "Call",
    "Candidate",
    "ChainConfig",
    "Genesis",
    "GenesisAccount",
    "Header",
    "LmdbStore",
    "Log",
    "MemoryLedger",
    "MemoryStore",
    "Mempool",
    "MerklePatriciaTrie",
    "MountainRange",
    "MountainRangeProof",
    "ProposerFees",
    "Receipt",
    "SlotProof",
    "SqliteStore",
    "State",
    "StateDiff",
    "StoredLedger",
    "StoredTrie",
    "Transaction",
    "binary_root",
    "decode_header",
    "decode_transaction",
    "next_base_fee",
    "receipt_item",
    "recover_senders",
    "sign_transaction",
    "state_root",
    "verify_binary_proof",
    "verify_history_proof",
    "verify_proof",
]
