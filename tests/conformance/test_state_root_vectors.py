"""State roots of Ethereum's published account sets; see tests/vectors/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chainstack_sdk.core import Genesis, GenesisAccount, state_root
from chainstack_sdk.core.account_proof import AccountProof, SlotProof
from chainstack_sdk.core.archive import StoredCommitment
from chainstack_sdk.core.commitment import FlatCommitment
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "state_roots.json").read_text()
)
COMMITMENTS = {"flat": FlatCommitment, "stored": lambda: StoredCommitment(MemoryStore())}


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def accounts_of(vector: dict[str, Any]) -> dict[bytes, GenesisAccount]:
    return {
        unhex(address): GenesisAccount(
            nonce=account["nonce"],
            balance=int(account["balance"], 16),
            code=unhex(account["code"]),
            storage={int(slot, 16): int(value, 16) for slot, value in account["storage"].items()},
        )
        for address, account in vector["state"].items()
    }


def filled(commitment: str, accounts: dict[bytes, GenesisAccount]) -> State:
    state = State(COMMITMENTS[commitment]())
    Genesis(accounts=accounts).fill(state)
    state.commit()
    return state


def is_empty(account: GenesisAccount) -> bool:
    return not (account.nonce or account.balance or account.code or account.slots())


def test_vectors_are_complete() -> None:
    accounts = [account for vector in VECTORS for account in accounts_of(vector).values()]
    assert len(VECTORS) == 40
    assert sum(bool(account.storage) for account in accounts) == 14
    assert sum(bool(account.code) for account in accounts) > 100


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_root_of_the_accounts(vector: dict[str, Any]) -> None:
    assert state_root(accounts_of(vector)) == unhex(vector["root"])


@pytest.mark.parametrize("commitment", COMMITMENTS)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_state_and_proofs_have_that_root(vector: dict[str, Any], commitment: str) -> None:
    accounts, root = accounts_of(vector), unhex(vector["root"])
    # what the state itself never writes: accounts that do not exist (EIP-161)
    assert not any(map(is_empty, accounts.values()))
    state = filled(commitment, accounts)
    assert state.root == root
    for address, account in accounts.items():
        slots = [*account.slots(), (2**256 - 1).to_bytes(32, "big")]
        proof = AccountProof(
            address,
            account.nonce,
            account.balance,
            state.commitment.storage_root(address),
            keccak256(account.code),
            state.commitment.prove_account(address),
            tuple(
                SlotProof(slot, account.slots().get(slot, 0), state.commitment.prove_slot(address, slot))
                for slot in slots
            ),
            height=0,
        )
        proof.verify(root)
        with pytest.raises(InvalidInput):
            proof.verify(keccak256(root))
