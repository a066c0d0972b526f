"""Engines that say when a block may be made, by whom, and what it carries."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Producing(Protocol):
    """An engine that gives blocks their timestamps and proposers, where its rules ask for certain ones."""

    def turn(self, timestamp_ms: int) -> tuple[int, bytes] | None:
        """Return when the next block may be made, and whose it is.

        Parameters
        ----------
        timestamp_ms
            Unix time in milliseconds, after the head's.

        Returns
        -------
        tuple or None
            The first time that is not before, and the proposer's address, 20 bytes. None where the engine has
            nothing to say about either.
        """
        ...


@runtime_checkable
class Attaching(Protocol):
    """An engine that adds something to the blocks made here."""

    def attachment(self) -> bytes:
        """Return the attachment of the next block, such as whom it pays for work; empty for none."""
        ...
