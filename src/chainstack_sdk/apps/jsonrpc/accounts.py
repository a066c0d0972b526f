"""Methods that read the state: balances, nonces, code, storage, proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.apps.jsonrpc.blocks import require_height
from chainstack_sdk.apps.jsonrpc.objects import to_data
from chainstack_sdk.apps.jsonrpc.parameters import PENDING
from chainstack_sdk.core.queries import prove

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.apps.jsonrpc.host import RpcHost
    from chainstack_sdk.apps.jsonrpc.parameters import BlockRef

MAX_PROVEN_SLOTS = 1024
"""Slots in one ``eth_getProof``, as in geth."""


def get_balance(host: RpcHost, address: bytes, which: BlockRef) -> str:
    """``eth_getBalance``, in wei."""
    with host.blockchain.state_at(require_height(host, which)) as state:
        return hex(state.balance(address))


def get_transaction_count(host: RpcHost, address: bytes, which: BlockRef) -> str:
    """``eth_getTransactionCount``; as of ``pending``, what waits in the pool counts."""
    waiting = host.pool.next_nonce(address) if which == PENDING else None
    if waiting is not None:
        return hex(waiting)
    with host.blockchain.state_at(require_height(host, which)) as state:
        return hex(state.nonce(address))


def get_code(host: RpcHost, address: bytes, which: BlockRef) -> str:
    """``eth_getCode``: of a native contract ``0xef43`` and what it is an instance of."""
    with host.blockchain.state_at(require_height(host, which)) as state:
        return to_data(state.code(address))


def get_storage_at(host: RpcHost, address: bytes, slot: int, which: BlockRef) -> str:
    """``eth_getStorageAt``, 32 bytes."""
    with host.blockchain.state_at(require_height(host, which)) as state:
        return to_data(state.storage(address, slot.to_bytes(32, "big")).to_bytes(32, "big"))


def get_proof(host: RpcHost, address: bytes, slots: Sequence[int], which: BlockRef) -> dict[str, Any]:
    """``eth_getProof`` (EIP-1186), against the block's ``stateRoot``."""
    keys = [slot.to_bytes(32, "big") for slot in slots]
    proof = prove(host.blockchain, address, keys, require_height(host, which))
    return {
        "address": to_data(address),
        "accountProof": [to_data(node) for node in proof.nodes],
        "balance": hex(proof.balance),
        "codeHash": to_data(proof.code_hash),
        "nonce": hex(proof.nonce),
        "storageHash": to_data(proof.storage_root),
        "storageProof": [
            {
                "key": to_data(entry.slot),
                "value": hex(entry.value),
                "proof": [to_data(node) for node in entry.nodes],
            }
            for entry in proof.storage
        ],
    }
