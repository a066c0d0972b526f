"""What each worker has brought and has not been paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.payouts import Payouts

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tally:
    """Work by address, in hashes that the shares stand for.

    Parameters
    ----------
    work
        What was owed when an earlier tally was put away: ``dict(tally.payouts().entries)``.
    """

    __slots__ = ("_work",)

    def __init__(self, work: Mapping[bytes, int] | None = None) -> None:
        self._work = dict(work or {})

    def credit(self, address: bytes, work: int) -> None:
        """Add some work to what is owed to an address of 20 bytes."""
        if work:
            self._work[address] = self.work_of(address) + work

    def work_of(self, address: bytes) -> int:
        """Return what is owed to an address."""
        return self._work.get(address, 0)

    def payouts(self) -> Payouts:
        """Return the list of payouts for a candidate that is made now."""
        return Payouts.of(self._work)

    def settle(self, payouts: Payouts) -> None:
        """Take off what a block has paid; to be called once for each of the master's blocks on the chain."""
        for address, weight in payouts.entries:
            left = self.work_of(address) - weight
            if left > 0:
                self._work[address] = left
            else:
                self._work.pop(address, None)
