"""What an engine may offer its host besides what every engine does; hosts look whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from chainstack_sdk.consensus.sealed import SealedHeader


@runtime_checkable
class TurnTaking(Protocol):
    """An engine that makes blocks at certain times only, and dates them by these."""

    def turn_ms(self, now_ms: int) -> int | None:
        """Return the timestamp for a block on the head when it is this member's turn, else None."""
        ...

    def next_turn_ms(self, now_ms: int) -> int | None:
        """Return when this member's next turn on the head begins, after a time; None: it has none."""
        ...


@runtime_checkable
class Finalising(Protocol):
    """An engine whose newest blocks may still be replaced."""

    def finalized_height(self) -> int:
        """Return the height of the newest block that will not be."""
        ...


@runtime_checkable
class Completing(Protocol):
    """An engine whose seals may grow after a decision, as more votes come in."""

    @property
    def last_seal(self) -> bytes:
        """The seal of the block decided last, with every vote known by now."""
        ...


@runtime_checkable
class Resending(Protocol):
    """An engine that can repeat itself."""

    def resend(self) -> tuple[bytes, ...]:
        """Return the messages of this height that another node may lack."""
        ...


@runtime_checkable
class Branching(Protocol):
    """An engine that compares branches."""

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        """Return the sealed headers that lead from the chain to a tip, oldest first.

        Raises
        ------
        UsageError
            When the engine does not know the tip.
        """
        ...
