"""What an engine may offer its host besides what every engine does; hosts look whether it is there."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class TurnTaking(Protocol):
    """An engine that makes blocks at certain times only."""

    def next_turn_ms(self, now_ms: int) -> int | None:
        """Return when this member's next turn on the head begins, after a time; None: it has none."""
        ...


@runtime_checkable
class Completing(Protocol):
    """An engine whose seals may grow after a decision, as more votes come in."""

    @property
    def last_seal(self) -> bytes:
        """The seal of the block decided last, with every vote known by now."""
        ...
