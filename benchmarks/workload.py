"""What the transfer benchmarks have in common: signed transfers, and the chain they are sent to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.evm import BLOCK_GAS_LIMIT, CHAIN_ID
from chainstack_sdk import Account, Chain, ether, gwei
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.primitives import keccak256
from chainstack_sdk.primitives.address import contract_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.core.transactions import Transaction

ACCOUNTS = 1_000
PER_BLOCK = 1_000
HOLDING = 1_000_000
"""Tokens of each account before the transfers."""
COIN = ether(10)
_TRANSFER = keccak256(b"transfer(address,uint256)")[:4]


@dataclass(frozen=True, slots=True)
class Transfers:
    """Token transfers of many accounts among each other, signed, and what belongs to them."""

    accounts: tuple[Account, ...]
    owner: Account
    """Who issues the token and hands it out."""
    token: bytes
    """Address of the contract."""
    handout: tuple[Transaction, ...]
    """What gives every account its tokens."""
    raws: tuple[bytes, ...]
    """The transfers, in an order in which they may run."""
    signed: tuple[tuple[bytes, bytes], ...]
    """Of each transfer the digest that was signed, and the signature."""

    @property
    def funds(self) -> dict[Account, int]:
        """Wei by account."""
        return {**dict.fromkeys(self.accounts, COIN), self.owner: ether(1_000)}

    def chain(self, **options: Any) -> Chain:
        """Return a new chain in memory on which the transfers may run."""
        chain = Chain.in_memory(self.funds, chain_id=CHAIN_ID, gas_limit=BLOCK_GAS_LIMIT, **options)
        return self.issued(chain)

    def issued(self, chain: Chain) -> Chain:
        """Issue the token on a new chain, hand it out, and return the chain."""
        token = chain.erc20.issue(self.owner, name="Gold", symbol="GLD", supply=HOLDING * len(self.accounts))
        return self.handed_out(chain, token.address)

    def handed_out(self, chain: Chain, token: bytes) -> Chain:
        """Hand a token out that the owner has, and return the chain."""
        if token != self.token:
            raise AssertionError("the token is not where the transfers were signed for")
        chain.send_many(self.handout)
        chain.seal()
        return chain

    def forgotten(self) -> None:
        """Make the process forget every transaction, so that it decodes and recovers them."""
        known.clear()

    def remember(self, signed: Sequence[Transaction]) -> None:
        """Make the process know transactions, as if it had just signed or admitted them."""
        for transaction in signed:
            if transaction.sender:
                known.add(transaction)


@cache
def transfers(count: int) -> Transfers:
    """Sign some transfers: the same in every process."""
    accounts = tuple(Account.from_key(number) for number in range(1, ACCOUNTS + 1))
    owner = Account.from_key(10**9)
    token = contract_address(owner.address, 0)
    handout = tuple(
        _signed(owner, 1 + index, token, account.address, HOLDING) for index, account in enumerate(accounts)
    )
    draw = random.Random(1)
    signed = [
        _signed(
            accounts[index % ACCOUNTS],
            index // ACCOUNTS,
            token,
            draw.choice(accounts).address,
            draw.randrange(1, 100),
        )
        for index in range(count)
    ]
    return Transfers(
        accounts,
        owner,
        token,
        handout,
        tuple(one.raw for one in signed),
        tuple((one.signing_hash, one.signature) for one in signed),
    )


def _signed(sender: Account, nonce: int, token: bytes, to: bytes, amount: int) -> Transaction:
    return sign_transaction(
        sender,
        chain_id=CHAIN_ID,
        nonce=nonce,
        to=token,
        gas=100_000,
        data=_TRANSFER + to.rjust(32, b"\0") + amount.to_bytes(32, "big"),
        max_fee_per_gas=gwei(10),
        max_priority_fee_per_gas=gwei(1),
    )


def run_blocks(chain: Chain, raws: Sequence[bytes]) -> int:
    """Send transfers through the public API and seal them, 1,000 to a block; return how many ran."""
    for start in range(0, len(raws), PER_BLOCK):
        batch = raws[start : start + PER_BLOCK]
        chain.send_many(batch)
        if len(chain.seal().transactions) != len(batch):
            raise AssertionError("a transfer was left out of its block")
    return len(raws)


def bare_recovery() -> Callable[[bytes, bytes], bytes]:
    """Return the least that can be done to find a sender: libsecp256k1 and one hash."""
    from coincurve import PublicKey

    from_signature = PublicKey.from_signature_and_message

    def recover(digest: bytes, signature: bytes) -> bytes:
        key = from_signature(signature, digest, hasher=None)
        return keccak256(key.format(compressed=False)[1:])[12:]

    return recover
