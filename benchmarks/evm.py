"""The same token on a real EVM: OpenZeppelin's ERC-20, run by eth-tester over py-evm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.slots import mapping_slot, slot

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAIN_ID = 131_277_322_940_537
"""Fixed by eth-tester."""
BLOCK_GAS_LIMIT = 1_000_000_000

_CODE = Path(__file__).with_name("contracts") / "Token.hex"
_SUPPLY_SLOT, _NAME_SLOT, _SYMBOL_SLOT = 2, 3, 4


def _short_string(text: str) -> int:
    """Return the slot's content of a Solidity string of up to 31 bytes."""
    return int.from_bytes(text.encode().ljust(31, b"\0"), "big") << 8 | 2 * len(text)


def balance_slot(owner: bytes) -> int:
    """Return the slot of an account's tokens, in OpenZeppelin's ERC-20 as in this library's."""
    return int.from_bytes(mapping_slot(slot(0), owner), "big")


def tester(token: bytes, coin: Mapping[bytes, int], tokens: Mapping[bytes, int]) -> Any:
    """Return an ``EthereumTester`` with accounts that hold coin and tokens from the start.

    Parameters
    ----------
    token
        Where the contract shall be.
    coin
        Wei by address.
    tokens
        Tokens by address.
    """
    os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")  # else eth-hash takes one 10 times slower
    from eth_tester import EthereumTester, PyEVMBackend

    storage = {balance_slot(owner): amount for owner, amount in tokens.items()}
    storage[_SUPPLY_SLOT] = sum(tokens.values())
    storage[_NAME_SLOT], storage[_SYMBOL_SLOT] = _short_string("Gold"), _short_string("GLD")
    plain = {"nonce": 0, "code": b"", "storage": {}}
    state: dict[bytes, dict[str, Any]] = {owner: plain | {"balance": wei} for owner, wei in coin.items()}
    code = bytes.fromhex("".join(_CODE.read_text().split()))
    state[token] = {"balance": 0, "nonce": 1, "code": code, "storage": storage}
    parameters = PyEVMBackend.generate_genesis_params({"gas_limit": BLOCK_GAS_LIMIT})
    return EthereumTester(PyEVMBackend(parameters, state))
