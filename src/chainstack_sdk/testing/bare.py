"""The core without a facade: a bare chain, payments on it, and blocks from them. Not for production."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.gas import intrinsic_gas
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.transactions import sign_transaction
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.consensus import AcceptAllHeaders
from chainstack_sdk.testing.contracts import NullRuntime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.interfaces import ChainRules, ContractRuntime, FeePolicy, HeaderRule, Ledger
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

PROPOSER = keccak256(b"chainstack_sdk test proposer")[12:]
"""Who earns the fees of :func:`extend`'s blocks; nobody has its key."""
_TIP = 1_000_000_000


def bare_chain(
    funds: Mapping[AddressLike, int] | None = None,
    *,
    genesis: Genesis | None = None,
    runtime: ContractRuntime | None = None,
    header_rule: HeaderRule | None = None,
    fees: FeePolicy | None = None,
    rules: ChainRules | None = None,
    ledger: Ledger | None = None,
    state: State | None = None,
) -> Blockchain:
    """Make a core chain out of parts, those that are not given being the simplest there are.

    Parameters
    ----------
    funds
        Wei by address, added to the accounts of the genesis.
    genesis
        Everything else about block 0.
    runtime, header_rule
        Without them no contract is known, and every header is accepted.
    fees, rules, ledger, state
        Without them as for :class:`~chainstack_sdk.core.Blockchain`, the fees going to the proposer.
    """
    base = Genesis() if genesis is None else genesis
    funded: dict[bytes, GenesisAccount] = {
        to_address(who): GenesisAccount(balance=wei) for who, wei in (funds or {}).items()
    }
    return Blockchain(
        replace(base, accounts={**base.accounts, **funded}),
        runtime=NullRuntime() if runtime is None else runtime,
        header_rule=AcceptAllHeaders() if header_rule is None else header_rule,
        fees=ProposerFees(burn_base_fee=base.burn_base_fee) if fees is None else fees,
        rules=rules,
        ledger=ledger,
        state=state,
    )


def payment(
    chain: Blockchain,
    sender: Signer,
    to: AddressLike,
    value: int = 0,
    *,
    data: bytes = b"",
    gas: int | None = None,
    nonce: int | None = None,
    tip: int = _TIP,
) -> Transaction:
    """Sign an EIP-1559 transaction for a chain.

    Parameters
    ----------
    value
        Wei.
    gas
        Gas limit; by default just what the transaction pays before anything runs.
    nonce
        By default the sender's next in the newest state.
    tip
        Wei for each gas above the base fee.
    """
    return sign_transaction(
        sender,
        chain_id=chain.genesis.chain_id,
        nonce=chain.state.nonce(sender.address) if nonce is None else nonce,
        to=to_address(to),
        gas=intrinsic_gas(data, False) if gas is None else gas,
        value=value,
        data=data,
        max_fee_per_gas=chain.next_base_fee + tip,
        max_priority_fee_per_gas=tip,
    )


def extend(chain: Blockchain, *transactions: Transaction, seal: bytes = b"") -> Block:
    """Append a block of these transactions, one second after its parent, and return it.

    Raises
    ------
    Rejected
        When one of them may not run; nothing has been appended.
    """
    candidate = chain.build(transactions, timestamp_ms=chain.head.timestamp_ms + 1_000, proposer=PROPOSER)
    for _transaction, error in candidate.rejected:
        raise error
    return chain.commit(candidate, seal)
