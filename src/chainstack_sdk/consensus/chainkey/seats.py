"""Seats: how many shares of a chain key each member of a committee holds.

Members of equal weight have one seat each. Others get seats in proportion to weight, by largest remainders,
out of the smallest number of seats that is large enough for both of these at once:

- members with more than 2/3 of the weight have at least ``threshold`` seats: they can always sign;
- members with up to 1/3 of the weight have fewer: they never can.

Hence members with less than 1/3 of the weight have at most the seats to spare, ``total - threshold``: the
others can always sign without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Seats:
    """Who holds which shares; the places of shares are numbered from 1, member by member.

    Members without a seat are possible, where weights differ a lot.
    """

    counts: tuple[int, ...]
    """Seats of each member, in the order of the committee."""
    threshold: int
    """How many shares sign."""

    @property
    def total(self) -> int:
        """How many seats there are."""
        return sum(self.counts)

    @property
    def spare(self) -> int:
        """How many seats may be missing without harm."""
        return self.total - self.threshold

    def places(self, index: int) -> range:
        """Return the places of a member's shares."""
        first = 1 + sum(self.counts[:index])
        return range(first, first + self.counts[index])

    def holder(self, place: int) -> int:
        """Return the index of the member who holds a place.

        Raises
        ------
        UsageError
            When the place is not from 1 to :attr:`total`.
        """
        after = 1
        for index, count in enumerate(self.counts):
            after += count
            if 1 <= place < after:
                return index
        raise UsageError("no member has that place", expected=self.total, actual=place)


@lru_cache(maxsize=64)
def seats_of(members: ValidatorSet) -> Seats:
    """Return the seats of a committee.

    Of ``S`` seats, rounding gives or takes at most ``e`` away from any set of members. More than 2/3 of the
    weight then have more than ``2 S / 3 - e`` seats, which gives the threshold, and up to 1/3 of the weight
    at most ``S / 3 + e``.
    """
    weights = [member.weight for member in members]
    total = sum(weights)
    if len(set(weights)) == 1:
        return Seats((1,) * len(weights), 2 * len(weights) // 3 + 1)
    seats = len(weights)
    while True:
        counts = _apportion(weights, seats)
        # All numbers below are in units of 1/(3 * total) of a seat.
        excess = 3 * sum(
            max(count * total - weight * seats, 0) for count, weight in zip(counts, weights, strict=True)
        )
        threshold = (2 * seats * total - excess) // (3 * total) + 1
        if threshold * 3 * total > seats * total + excess:
            return Seats(counts, threshold)
        seats += 1


def _apportion(weights: list[int], seats: int) -> tuple[int, ...]:
    """Divide seats by largest remainders; of equal ones the earlier member's counts more."""
    total = sum(weights)
    counts = [weight * seats // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(weights[index] * seats % total), index))
    for index in order[: seats - sum(counts)]:
        counts[index] += 1
    return tuple(counts)
