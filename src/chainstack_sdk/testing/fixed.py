"""Parts that never surprise: accounts from a seed, a clock that stands still, fees by fixed shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.core.interfaces import Clock, FeePolicy


def accounts(count: int, seed: str = "chainstack_sdk test account") -> list[Account]:
    """Return accounts that are the same in every run. Anybody can make their keys: for tests only.

    Parameters
    ----------
    count
        How many.
    seed
        Account number ``i`` has the secret key keccak(seed ‖ ``/i``); other seeds give other accounts.
    """
    return [Account.from_key(keccak256(f"{seed}/{index}".encode())) for index in range(count)]


class FixedClock:
    """A clock that stands still; blocks come one millisecond after their parents. Not for production.

    Parameters
    ----------
    now_ms
        Unix time in milliseconds.
    """

    __slots__ = ("_now_ms",)

    def __init__(self, now_ms: int = DEFAULT_TIMESTAMP_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the one time there is, in milliseconds."""
        return self._now_ms

    def next_block_ms(self, parent_ms: int) -> int:
        """Return the timestamp for a block on a parent: the one time there is, or the next millisecond."""
        return max(self._now_ms, parent_ms + 1)


class FixedFees:
    """A fee policy of fixed shares; what they leave is burnt. Not for production.

    Parameters
    ----------
    percent
        By 20-byte address, of all fees of a block; together at most 100. Nothing by default: all is burnt.

    Raises
    ------
    UsageError
        When the shares are negative or come to more than 100.
    """

    __slots__ = ("_percent",)

    def __init__(self, percent: Mapping[bytes, int] | None = None) -> None:
        self._percent = dict(percent or {})
        shares = self._percent.values()
        if sum(shares) > 100 or any(share < 0 for share in shares):
            raise UsageError("the shares are from 0 to 100 and come to at most 100", actual=sum(shares))

    def distribute(self, proposer: bytes, base_fees: int, tips: int) -> Sequence[tuple[bytes, int]]:
        """Return the share of each address in wei, rounded down."""
        fees = base_fees + tips
        return [(address, fees * percent // 100) for address, percent in self._percent.items()]


if TYPE_CHECKING:
    _clock: type[Clock] = FixedClock
    _fees: type[FeePolicy] = FixedFees
