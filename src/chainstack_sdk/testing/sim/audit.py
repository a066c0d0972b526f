"""What happened in a simulated run: every event from outside, and a digest over all of them.

The digest is a chain of SHA-256: ``digest ← SHA-256(digest ‖ time u64 ‖ fields)``, each field with its
length (u32) before it. Two runs with the same digest have seen the same messages, at the same times, in the
same order, with the same bytes.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from chainstack_sdk.core.engine import Timeout

if TYPE_CHECKING:
    from chainstack_sdk.network.effects import Timer

SEND: Final = "send"
DELIVER: Final = "deliver"
DUPLICATE: Final = "duplicate"
LOSE: Final = "lose"
"""The link dropped a message."""
BLOCK: Final = "block"
"""A message met a partition."""
MISS: Final = "miss"
"""The receiver was down when a message came."""
TIMER: Final = "timer"
STORE: Final = "store"
MINE: Final = "mine"
CRASH: Final = "crash"
RESTART: Final = "restart"
COMMIT: Final = "commit"
ACCUSE: Final = "accuse"
NETWORK: Final = "network"
"""Somebody changed the network, or a clock."""

NOWHERE: Final = ""
"""Stands for a node where an event has none."""


class Entry(NamedTuple):
    """One event."""

    time_ms: int
    kind: str
    node: str
    """Who did it, or to whom it happened; empty for the network."""
    peer: str
    """Of a message: the other end. Otherwise empty."""
    data: bytes
    """The message, the record, the timer's text, what was committed, the evidence."""
    sent_ms: int
    """Of a message that arrived or not: when it was sent. Otherwise the time of the event."""


class Audit:
    """The log of a run."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        """Every event so far, in order."""
        self.digest = bytes(32)
        """Over every event so far, 32 bytes."""
        self._heads: dict[tuple[str, str, str], bytes] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How many events of each kind there were."""
        return dict(Counter(entry.kind for entry in self.entries))

    def note(
        self, time_ms: int, kind: str, node: str, peer: str, data: bytes, sent_ms: int | None = None
    ) -> None:
        """Add an event; see :class:`Entry`."""
        self.entries.append(Entry(time_ms, kind, node, peer, data, time_ms if sent_ms is None else sent_ms))
        fields = kind, node, peer
        head = self._heads.get(fields)
        if head is None:
            head = self._heads[fields] = b"".join([_prefixed(field.encode()) for field in fields])
        self.digest = sha256(self.digest + time_ms.to_bytes(8, "big") + head + _prefixed(data)).digest()


def _prefixed(field: bytes) -> bytes:
    return len(field).to_bytes(4, "big") + field


def timer_text(timer: Timer) -> bytes:
    """Return a timer's name as it stands in the log: ``kind height/round``, or a node's own name for it."""
    if isinstance(timer, Timeout):
        return f"{timer.kind} {timer.height}/{timer.round}".encode()
    return timer.encode()
