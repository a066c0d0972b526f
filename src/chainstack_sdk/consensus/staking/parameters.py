"""What a committee chain fixes for good in its genesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.consensus.staking.storage import (
    BLOCKS_PER_SLOT,
    COMMITTEE_SIZE,
    MINIMUM_DEPOSIT,
    STAKING_ADDRESS,
    WEIGHT_UNIT,
    MappingStorage,
)
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage
    from chainstack_sdk.core.genesis import Genesis

_MAX_WEIGHT = (2**64 - 1) // MAX_MEMBERS
"""Of a member, so that the weights of a committee add up to less than 2^64."""


@dataclass(frozen=True, slots=True)
class StakingParameters:
    """How long slots are, how large committees, and what a seat takes.

    Raises
    ------
    UsageError
        When a number is out of range.
    """

    blocks_per_slot: int = 100
    """At least 1."""
    committee_size: int = 22
    """Seats, 1 to 1,024. With fewer candidates a committee has fewer members."""
    minimum_deposit: int = ether(32)
    """Wei, at least 1."""
    weight_unit: int = 0
    """Wei of deposit for each unit of a member's voting weight; 0: every member has one vote, and its stake
    counts only when committees are drawn."""

    def __post_init__(self) -> None:
        if not 1 <= self.blocks_per_slot < 1 << 32:
            raise UsageError("a slot has from 1 to 2^32 - 1 blocks", actual=self.blocks_per_slot)
        if not 1 <= self.committee_size <= MAX_MEMBERS:
            raise UsageError("a committee has from 1 to 1024 seats", actual=self.committee_size)
        if not 1 <= self.minimum_deposit < 1 << 256:
            raise UsageError("a minimum deposit is at least 1 wei", actual=self.minimum_deposit)
        if not 0 <= self.weight_unit < 1 << 256:
            raise UsageError("a unit of weight is a number of wei", actual=self.weight_unit)

    @property
    def schedule(self) -> SlotSchedule:
        """The slots."""
        return SlotSchedule(self.blocks_per_slot)

    def voting_weight(self, deposit: int) -> int:
        """Return what a member's vote weighs, from 1 to 2^54 - 1."""
        if not self.weight_unit:
            return 1
        return min(max(deposit // self.weight_unit, 1), _MAX_WEIGHT)

    def write(self, storage: Storage) -> None:
        """Write the parameters to the staking contract's storage."""
        storage.store(BLOCKS_PER_SLOT, self.blocks_per_slot)
        storage.store(COMMITTEE_SIZE, self.committee_size)
        storage.store(MINIMUM_DEPOSIT, self.minimum_deposit)
        storage.store(WEIGHT_UNIT, self.weight_unit)

    @classmethod
    def read(cls, storage: Storage) -> StakingParameters:
        """Return the parameters that the staking contract's storage holds.

        Raises
        ------
        UsageError
            When it holds none.
        """
        return cls(
            blocks_per_slot=storage.load(BLOCKS_PER_SLOT),
            committee_size=storage.load(COMMITTEE_SIZE),
            minimum_deposit=storage.load(MINIMUM_DEPOSIT),
            weight_unit=storage.load(WEIGHT_UNIT),
        )

    @classmethod
    def of(cls, genesis: Genesis) -> StakingParameters:
        """Return the parameters that a genesis fixes.

        Raises
        ------
        UsageError
            When it has no staking contract.
        """
        account = genesis.accounts.get(STAKING_ADDRESS)
        if account is None:
            raise UsageError("this genesis has no staking contract")
        return cls.read(MappingStorage(dict(account.storage)))
