"""What happened in a run, for people: as text, as a space-time diagram, as a sequence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.describe import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chainstack_sdk.testing.sim.audit import Entry

_LOST = {
    audit.LOSE: "is lost",
    audit.BLOCK: "is stopped by the partition",
    audit.MISS: "comes while it is down",
}


class Timeline:
    """A stretch of a run. ``str()`` of it is one line for each event.

    Parameters
    ----------
    entries
        The log of the run.
    names
        The nodes, in the order in which they are drawn.
    describe
        Tells what a message is.
    first_ms, last_ms
        The stretch, both ends included; no end: up to now.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        names: Sequence[str],
        describe: Callable[[bytes], str],
        first_ms: int = 0,
        last_ms: int | None = None,
    ) -> None:
        self.names = tuple(names)
        """The nodes."""
        self.describe = describe
        """Tells what a message is."""
        self.entries = [
            entry
            for entry in entries
            if entry.time_ms >= first_ms and (last_ms is None or entry.time_ms <= last_ms)
        ]
        """The events, in order."""

    def __str__(self) -> str:
        return "\n".join(self._lines(self.entries))

    def tail(self, lines: int) -> str:
        """Return the last lines of the text."""
        return "\n".join(str(self).splitlines()[-lines:])

    def svg(self) -> str:
        """Return a space-time diagram: a lane for each node, time to the right, an arrow for each message."""
        from chainstack_sdk.testing.sim.drawing import draw_svg

        return draw_svg(self)

    def mermaid(self) -> str:
        """Return a Mermaid sequence diagram: what arrived, what was lost, what nodes did."""
        from chainstack_sdk.testing.sim.drawing import draw_mermaid

        return draw_mermaid(self)

    def _lines(self, entries: Sequence[Entry]) -> Iterator[str]:
        width = max(map(len, self.names), default=0)
        at = 0
        while at < len(entries):
            entry = entries[at]
            end = at + 1
            if entry.kind == audit.SEND:
                end = _end_of_broadcast(entries, at)
                receivers = ", ".join(sent.peer for sent in entries[at:end] if sent.kind == audit.SEND)
                text = f"sends {self.describe(entry.data)} to {receivers}"
                yield f"{entry.time_ms:>8} ms  {entry.node:<{width}}  {text}"
                lost = [sent for sent in entries[at:end] if sent.kind != audit.SEND]
            else:
                lost = [entry]
            for other in lost:
                yield f"{other.time_ms:>8} ms  {other.node:<{width}}  {self.tell(other)}"
            at = end

    def tell(self, entry: Entry) -> str:
        """Return what an event is, in a few words, without time and node."""
        data = entry.data
        match entry.kind:
            case audit.SEND:
                return f"sends {self.describe(data)} to {entry.peer}"
            case audit.DELIVER:
                return f"hears {self.describe(data)} from {entry.peer}"
            case audit.DUPLICATE:
                return f"{self.describe(data)} to {entry.peer} will arrive twice"
            case audit.LOSE | audit.BLOCK:
                return f"{self.describe(data)} to {entry.peer} {_LOST[entry.kind]}"
            case audit.MISS:
                return f"{self.describe(data)} from {entry.peer} {_LOST[entry.kind]}"
            case audit.TIMER:
                return f"timer {data.decode()}"
            case audit.STORE:
                return f"stores {len(data)} bytes"
            case audit.MINE:
                return f"finds nonce {int.from_bytes(data[32:], 'big')} for {short(data[:32])}"
            case audit.COMMIT:
                return f"commits block {int.from_bytes(data[:8], 'big')} {short(data[8:40])}"
            case audit.ACCUSE:
                return f"accuses, with {len(data)} bytes of evidence"
            case audit.RESTART:
                return f"restarts with a record of {len(data)} bytes" if data else "restarts without a record"
            case audit.CRASH:
                return "crashes"
            case _:
                return data.decode()


def _end_of_broadcast(entries: Sequence[Entry], start: int) -> int:
    """Return where the transmissions of one message end; what befell each stands between them."""
    first, end = entries[start], start + 1
    alike = (audit.SEND, audit.LOSE, audit.BLOCK, audit.DUPLICATE)
    while end < len(entries):
        entry = entries[end]
        if entry.kind not in alike or (entry.time_ms, entry.sent_ms) != (first.time_ms, first.sent_ms):
            break
        if entry.node != first.node or entry.data != first.data:
            break
        end += 1
    return end
