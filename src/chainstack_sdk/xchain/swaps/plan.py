"""When a swap between two chains is safe: the order of its two time-outs, and the steps still to be risked.

Two parties exchange assets on two chains that know nothing of each other. The *initiator* makes up a secret
and locks its asset on the first chain; the *counterparty* locks its own on the second, under the same hash;
the initiator claims that and thereby shows the secret, with which the counterparty claims the first::

    initiator     lock first                       claim second
    counterparty                 lock second                       claim first
                  ───────────────────────────────────────────┼──────────────┼──▶ time
                                                        second expires  first expires

The margin is the time in which each party gets a transaction into a final block of either chain, with the
difference of the two chains' clocks on top. Then:

- The second lock expires a margin before the first or earlier: who claims the second at the last moment
  leaves the counterparty a margin to claim the first.
- The initiator shows the secret only while a margin is left to the second expiry: later the claim might come
  too late, and the counterparty, knowing the secret, would have both.
- A lock is begun only while all later steps still have their margins: sooner than that nobody loses anything,
  but coin would lie until it is refunded.

Source: Herlihy, "Atomic Cross-Chain Swaps", PODC 2018 (time-outs that decrease against the order of locking).

**Caveats**

- A party that goes offline after its lock may lose: who locked the second must watch it until it is claimed
  or refunded. :class:`~chainstack_sdk.xchain.atomic.AtomicTransaction` has no such duty, but needs anchors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.xchain.swaps.terms import SwapStatus, SwapTerms

if TYPE_CHECKING:
    from typing import Self

    from chainstack_sdk.xchain.custody import Asset
    from chainstack_sdk.xchain.swaps.terms import HashKind


class UnsafeTimeouts(UsageError):
    """The time-outs of a swap would let one party take both assets."""


class UnsafeStep(UsageError):
    """A step of a swap may not be taken now; ``safe`` names those that may."""


class SwapStep(Enum):
    """What one of the parties does next."""

    LOCK_FIRST = "lock first"
    """By the initiator, who alone knows the secret."""
    LOCK_SECOND = "lock second"
    """By the counterparty."""
    CLAIM_SECOND = "claim second"
    """By the initiator; shows the secret."""
    CLAIM_FIRST = "claim first"
    """By the counterparty, or by anybody for it."""
    REFUND_SECOND = "refund second"
    REFUND_FIRST = "refund first"


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """Two locks under one hash.

    Raises
    ------
    UnsafeTimeouts
        When the second lock does not expire at least the margin before the first, or there is no margin.
    UsageError
        When the two locks are under different hashes.
    """

    first: SwapTerms
    """The initiator's lock."""
    second: SwapTerms
    """The counterparty's."""
    margin_ms: int
    """Milliseconds in which each party can act on either chain, differences of clocks included."""

    def __post_init__(self) -> None:
        first, second = self.first, self.second
        if (first.hash, first.hash_kind) != (second.hash, second.hash_kind):
            raise UsageError("the two locks of a swap are under one hash")
        latest = first.expires_ms - self.margin_ms
        if self.margin_ms <= 0 or second.expires_ms > latest:
            raise UnsafeTimeouts(
                "the second lock must expire a margin before the first",
                expected=latest,
                actual=second.expires_ms,
                margin_ms=self.margin_ms,
            )

    @classmethod
    def agree(
        cls,
        initiator: bytes,
        counterparty: bytes,
        *,
        gives: Asset,
        gets: Asset,
        digest: bytes,
        hash_kind: HashKind,
        now_ms: int,
        margin_ms: int,
    ) -> Self:
        """Return a plan whose time-outs leave each step just its margin.

        Parameters
        ----------
        initiator, counterparty
            Addresses of 20 bytes, the same on both chains.
        gives, gets
            The initiator's asset on the first chain, and the counterparty's on the second.
        digest
            Of the initiator's secret, 32 bytes.
        now_ms
            The later of the two chains' times.
        """
        second_expires = now_ms + 3 * margin_ms
        first_expires = second_expires + margin_ms
        return cls(
            SwapTerms(initiator, counterparty, digest, hash_kind, first_expires, gives),
            SwapTerms(counterparty, initiator, digest, hash_kind, second_expires, gets),
            margin_ms,
        )

    def safe_steps(self, now_ms: int, first: SwapStatus, second: SwapStatus) -> tuple[SwapStep, ...]:
        """Return the steps that may be taken without a risk to who takes them.

        Parameters
        ----------
        now_ms
            The later of the two chains' times.
        first, second
            What has become of the two locks: that they are locked counts in final blocks only.
        """
        left = (self.second.expires_ms - now_ms) // self.margin_ms  # whole margins to the second expiry
        both = (first, second)
        unknown, locked = SwapStatus.UNKNOWN, SwapStatus.LOCKED
        safe = {
            SwapStep.LOCK_FIRST: both == (unknown, unknown) and left >= 3,
            SwapStep.LOCK_SECOND: both == (locked, unknown) and left >= 2,
            SwapStep.CLAIM_SECOND: second is locked and left >= 1,
            SwapStep.CLAIM_FIRST: both
            == (locked, SwapStatus.CLAIMED),  # late or not: nothing is left to lose
            SwapStep.REFUND_SECOND: second is locked and now_ms >= self.second.expires_ms,
            SwapStep.REFUND_FIRST: first is locked and now_ms >= self.first.expires_ms,
        }
        return tuple(step for step, is_safe in safe.items() if is_safe)
