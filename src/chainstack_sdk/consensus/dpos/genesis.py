"""A genesis with a delegation contract: its first candidates, who are the delegates of epochs 0 and 1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.consensus.dpos.storage import DELEGATION_ADDRESS, CandidateRecord
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.dpos.parameters import DelegationParameters
    from chainstack_sdk.core.genesis import Genesis

DELEGATION_CODE = system_code("delegation")
"""The code of the delegation contract."""


def with_delegation(
    genesis: Genesis, delegates: Sequence[bytes], parameters: DelegationParameters
) -> Genesis:
    """Return the genesis with a delegation contract at :data:`DELEGATION_ADDRESS`.

    Parameters
    ----------
    delegates
        Addresses, 20 bytes each, no more than there are seats: the delegates of epochs 0 and 1, and
        candidates for those after. The minimum deposit of each is new coin on the contract's balance.

    Raises
    ------
    UsageError
        When there are none or too many, one is listed twice or is no address, or the genesis has the
        contract already.
    """
    if not 1 <= len(delegates) <= parameters.seats:
        raise UsageError("the first delegates take from 1 to all seats", actual=len(delegates))
    if len(set(delegates)) < len(delegates) or any(len(address) != 20 for address in delegates):
        raise UsageError("the first delegates are addresses of 20 bytes, each listed once")
    if DELEGATION_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a delegation contract already")
    storage = MappingStorage({})
    parameters.write(storage)
    for address in delegates:
        place = layout.append_candidate(storage, address)
        layout.write_record(storage, address, CandidateRecord(parameters.minimum_deposit, 0, place))
    for epoch in (0, 1):
        layout.write_delegates(storage, epoch, delegates)
    storage.store(layout.NEWEST_EPOCH, 1)
    account = GenesisAccount(
        nonce=1,
        balance=len(delegates) * parameters.minimum_deposit,
        code=DELEGATION_CODE,
        storage=storage.values,
    )
    return replace(genesis, accounts={**genesis.accounts, DELEGATION_ADDRESS: account})


def genesis_delegates(genesis: Genesis) -> ValidatorSet:
    """Return the delegates of epochs 0 and 1.

    Raises
    ------
    UsageError
        When the genesis has no delegation contract.
    """
    account = genesis.accounts.get(DELEGATION_ADDRESS)
    delegates = layout.read_delegates(MappingStorage(dict(account.storage)), 0) if account else None
    if delegates is None:
        raise UsageError("this genesis has no delegation contract")
    return delegates
