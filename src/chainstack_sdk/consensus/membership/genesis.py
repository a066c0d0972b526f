"""A genesis with a membership contract."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.membership.rules import committee_of
from chainstack_sdk.consensus.membership.storage import (
    BLOCKS_PER_SLOT,
    GOVERNED,
    MEMBERSHIP_ADDRESS,
    PERMISSIONED,
    add_member,
    set_listed,
)
from chainstack_sdk.consensus.staking.committees import read_committee, write_committee
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native import system_code
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.core.genesis import Genesis

MEMBERSHIP_CODE = system_code("membership")
"""The code of the membership contract."""


def with_membership(
    genesis: Genesis,
    members: Sequence[bytes],
    *,
    blocks_per_slot: int = 100,
    governed: bool = True,
    senders: Sequence[bytes] | None = None,
) -> Genesis:
    """Return the genesis with a membership contract.

    Parameters
    ----------
    members
        Addresses of those who validate from the start, 20 bytes each.
    blocks_per_slot
        How many blocks a committee serves.
    governed
        Whether members may admit and expel by votes; otherwise the membership is fixed for good.
    senders
        Who may send besides members; None: everybody.

    Raises
    ------
    UsageError
        When there is no member or one is listed twice, an address has not 20 bytes, a slot has no blocks,
        or the genesis has the contract already.
    """
    if MEMBERSHIP_ADDRESS in genesis.accounts:
        raise UsageError("this genesis has a membership contract already")
    try:
        committee = committee_of(list(members))
    except InvalidInput as error:
        raise UsageError(error.message, **error.facts) from error
    storage = MappingStorage({})
    storage.store(BLOCKS_PER_SLOT, SlotSchedule(blocks_per_slot).blocks)
    storage.store(GOVERNED, int(governed))
    storage.store(PERMISSIONED, int(senders is not None))
    for member in members:
        add_member(storage, member)
    for sender in senders or ():
        if len(sender) != 20:
            raise UsageError("a sender's address has 20 bytes", actual=sender)
        set_listed(storage, sender, True)
    for slot in (0, 1):
        write_committee(storage, slot, committee)
    account = GenesisAccount(nonce=1, code=MEMBERSHIP_CODE, storage=storage.values)
    return replace(genesis, accounts={**genesis.accounts, MEMBERSHIP_ADDRESS: account})


def schedule_of(genesis: Genesis) -> SlotSchedule:
    """Return the slots of a genesis with a membership contract.

    Raises
    ------
    UsageError
        When it has none.
    """
    return SlotSchedule(_storage(genesis).load(BLOCKS_PER_SLOT))


def genesis_members(genesis: Genesis) -> dict[int, ValidatorSet]:
    """Return the committees of slots 0 and 1, which a genesis with a membership contract fixes.

    Raises
    ------
    UsageError
        When it has none.
    """
    storage = _storage(genesis)
    found = {slot: read_committee(storage, slot) for slot in (0, 1)}
    return {slot: committee for slot, committee in found.items() if committee is not None}


def _storage(genesis: Genesis) -> MappingStorage:
    account = genesis.accounts.get(MEMBERSHIP_ADDRESS)
    if account is None:
        raise UsageError("this genesis has no membership contract")
    return MappingStorage(dict(account.storage))
