"""Reputation: what a verifier's word weighs, and how that changes with what it does.

The weight by which committees are drawn is a function F(stake, performance, transactions sent). The default:

::

    units     = min(stake // minimum deposit, 2^32)           whole deposits; less than one weighs nothing
    activity  = 1000 + min(transactions sent, 250)            per mille: up to a quarter more
    weight    = units · performance · activity // 1000        performance in per mille, 0 to 1000

so a verifier of one deposit, flawless and new to the chain, weighs 1000, and no weight exceeds 2^43: those
of 2^20 verifiers add up to less than 2^64.

- Stake counts in proportion: dividing it among several identities gains nothing but the activity bonus,
  which each of them has to earn with transactions of its own, at their fees.
- Performance follows what the verifier signed (:func:`next_performance`). It can fall to 0, and does so
  within 41 slots of silence; a verifier without performance is never drawn.
- Who leaves and comes back under another name begins again at :data:`INITIAL_PERFORMANCE`. That is worth it
  below that value only, and takes the two slots of unbonding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import UsageError

MAX_PERFORMANCE = 1000
"""Every expected signature was given; performance is in per mille."""
INITIAL_PERFORMANCE = 500
"""Of a verifier that nobody has seen at work."""
MAX_ACTIVITY_BONUS = 250
"""Per mille."""
MAX_UNITS = 1 << 32
_PER_MILLE = 1000
_MEMORY = 8
"""A slot's share in the moving average is one part in this many."""


class Reputation(Protocol):
    """The function F from what is known of a verifier to its weight."""

    def weight(self, stake_wei: int, performance: int, transactions_sent: int) -> int:
        """Return the weight, an integer from 0; 0 keeps the verifier out of every committee.

        Called for each registered verifier at an election; must not depend on anything but its arguments.

        Parameters
        ----------
        stake_wei
            The deposit, in wei.
        performance
            Per mille, 0 to 1000.
        transactions_sent
            The nonce of the verifier's account.
        """
        ...


@dataclass(frozen=True, slots=True)
class StakePerformanceActivity:
    """The default reputation; the module gives the formula.

    Raises
    ------
    UsageError
        When the minimum deposit is not positive.
    """

    minimum_deposit: int
    """Wei of stake that make one unit of weight."""

    def __post_init__(self) -> None:
        if self.minimum_deposit < 1:
            raise UsageError("a deposit is positive", actual=self.minimum_deposit)

    def weight(self, stake_wei: int, performance: int, transactions_sent: int) -> int:
        """Return the weight, from 0 to 2^32 · 1250.

        Raises
        ------
        UsageError
            When an argument is out of range.
        """
        if stake_wei < 0 or not 0 <= performance <= MAX_PERFORMANCE or transactions_sent < 0:
            raise UsageError(
                "no verifier is like this",
                stake_wei=stake_wei,
                performance=performance,
                transactions_sent=transactions_sent,
            )
        units = min(stake_wei // self.minimum_deposit, MAX_UNITS)
        activity = _PER_MILLE + min(transactions_sent, MAX_ACTIVITY_BONUS)
        return units * performance * activity // _PER_MILLE


def next_performance(old: int, signed: int, expected: int) -> int:
    """Return a verifier's performance after a slot: 7/8 of the old one and 1/8 of the slot's.

    The change is rounded away from zero, so that a verifier that always signs comes to 1000 and one that
    never does to 0, instead of stopping short by up to 7.

    Parameters
    ----------
    old
        Per mille, 0 to 1000.
    signed
        Blocks of the slot whose certificates hold the verifier's signature.
    expected
        Blocks of the slot; with 0 there was nothing to see, and the performance stays.

    Raises
    ------
    UsageError
        When a number is out of range.
    """
    if not 0 <= old <= MAX_PERFORMANCE or not 0 <= signed <= expected:
        raise UsageError("no slot went like this", old=old, signed=signed, expected=expected)
    if not expected:
        return old
    gap = MAX_PERFORMANCE * signed // expected - old
    step = -(-abs(gap) // _MEMORY)
    return old + step if gap > 0 else old - step


if TYPE_CHECKING:
    _check: type[Reputation] = StakePerformanceActivity
