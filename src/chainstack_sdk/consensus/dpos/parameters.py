"""What a chain of voted delegates fixes for good in its genesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.consensus.dpos.storage import (
    BLOCKS_PER_EPOCH,
    DELEGATION_ADDRESS,
    INTERVAL_MS,
    MINIMUM_DEPOSIT,
    SEATS,
)
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.storage import Storage
    from chainstack_sdk.core.genesis import Genesis


@dataclass(frozen=True, slots=True)
class DelegationParameters:
    """How long epochs are, how many seats there are, and how fast blocks come.

    Raises
    ------
    UsageError
        When a number is out of range.
    """

    blocks_per_epoch: int = 100
    """At least the number of seats, so that every delegate has a turn in every epoch."""
    seats: int = 21
    """Delegates of an epoch, 1 to 1,024. With fewer candidates there are fewer."""
    minimum_deposit: int = ether(32)
    """Wei that a candidate leaves with the contract; at least 1."""
    interval_ms: int = 3_000
    """Milliseconds from one turn to the next."""

    def __post_init__(self) -> None:
        if not 1 <= self.seats <= MAX_MEMBERS:
            raise UsageError("there are from 1 to 1024 seats", actual=self.seats)
        if not self.seats <= self.blocks_per_epoch < 1 << 32:
            raise UsageError("an epoch has a block for each seat at least", actual=self.blocks_per_epoch)
        if not 1 <= self.minimum_deposit < 1 << 256:
            raise UsageError("a minimum deposit is at least 1 wei", actual=self.minimum_deposit)
        if not 1 <= self.interval_ms < 1 << 32:
            raise UsageError("turns are at least a millisecond apart", actual=self.interval_ms)

    @property
    def schedule(self) -> SlotSchedule:
        """The epochs: the slots of headers."""
        return SlotSchedule(self.blocks_per_epoch)

    def write(self, storage: Storage) -> None:
        """Write the parameters to the contract's storage."""
        storage.store(BLOCKS_PER_EPOCH, self.blocks_per_epoch)
        storage.store(SEATS, self.seats)
        storage.store(MINIMUM_DEPOSIT, self.minimum_deposit)
        storage.store(INTERVAL_MS, self.interval_ms)

    @classmethod
    def read(cls, storage: Storage) -> DelegationParameters:
        """Return the parameters that the contract's storage holds.

        Raises
        ------
        UsageError
            When it holds none.
        """
        return cls(
            blocks_per_epoch=storage.load(BLOCKS_PER_EPOCH),
            seats=storage.load(SEATS),
            minimum_deposit=storage.load(MINIMUM_DEPOSIT),
            interval_ms=storage.load(INTERVAL_MS),
        )

    @classmethod
    def of(cls, genesis: Genesis) -> DelegationParameters:
        """Return the parameters that a genesis fixes.

        Raises
        ------
        UsageError
            When it has no delegation contract.
        """
        account = genesis.accounts.get(DELEGATION_ADDRESS)
        if account is None:
            raise UsageError("this genesis has no delegation contract")
        return cls.read(MappingStorage(dict(account.storage)))
