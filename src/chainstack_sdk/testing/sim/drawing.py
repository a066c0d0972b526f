"""Diagrams of a run: SVG with a lane for each node, and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.svg import document, label, safe, tip
from chainstack_sdk.testing.sim import audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.testing.sim.audit import Entry
    from chainstack_sdk.testing.sim.timeline import Timeline

_LEFT, _TOP, _LANE, _BOTTOM = 90, 60, 70, 40
_MIN_WIDTH, _MAX_WIDTH = 900, 6_000
_PIXELS_PER_MS = 2
_TICKS = 10
_COLOURS = ("#1f6fb2", "#2e8b57", "#b5651d", "#7a3e9d", "#b03060", "#4d6b00", "#006d75", "#8a6d00")
_STYLE = """
text { font: 11px sans-serif; fill: #333 }
.lane { stroke: #999 } .down { stroke: #bbb; stroke-dasharray: 2 6 } .axis { stroke: #ddd }
.lost { stroke: #c22; stroke-dasharray: 4 3 } .network { stroke: #c80; stroke-dasharray: 1 3 }
.timer { fill: #fff; stroke: #555 } .store { fill: #555 } .mine { fill: #c80 } .commit { fill: #2a2 }
.crash { fill: #c22 } .restart { fill: #28c } .accuse { fill: #e60 }
"""
_MARKS = {
    audit.TIMER: "M-4,0 A4,4 0 1 1 4,0 A4,4 0 1 1 -4,0 Z",
    audit.STORE: "M-2,2 H2 V6 H-2 Z",
    audit.MINE: "M0,-7 L6,0 L0,7 L-6,0 Z",
    audit.COMMIT: "M-6,-6 H6 V6 H-6 Z",
    audit.CRASH: "M-7,-5 L-5,-7 L0,-2 L5,-7 L7,-5 L2,0 L7,5 L5,7 L0,2 L-5,7 L-7,5 L-2,0 Z",
    audit.RESTART: "M-6,6 L0,-7 L6,6 Z",
    audit.ACCUSE: "M-2,-9 H2 L1,1 H-1 Z M-2,3 H2 V7 H-2 Z",
}
"""Shapes around the point of the event; each has the class of the event's kind."""


def draw_svg(timeline: Timeline) -> str:
    """Return an SVG document; see :meth:`Timeline.svg`."""
    canvas = _Canvas(timeline)
    return document(canvas.right, canvas.bottom + 30, _STYLE, canvas.elements())


class _Canvas:
    """Where things stand in the picture of a stretch of time."""

    def __init__(self, timeline: Timeline) -> None:
        entries = timeline.entries
        self.timeline = timeline
        self.first_ms = min((entry.sent_ms for entry in entries), default=0)
        self.span_ms = max(1, entries[-1].time_ms - self.first_ms) if entries else 1
        self.width = min(_MAX_WIDTH, max(_MIN_WIDTH, self.span_ms * _PIXELS_PER_MS))
        self.lanes = {name: _TOP + _LANE * lane for lane, name in enumerate(timeline.names)}
        self.bottom = _TOP + _LANE * max(0, len(self.lanes) - 1) + _BOTTOM
        self.colours: dict[str, str] = {}

    def x(self, time_ms: int) -> int:
        return _LEFT + (time_ms - self.first_ms) * self.width // self.span_ms

    @property
    def right(self) -> int:
        return _LEFT + self.width + 30

    def elements(self) -> Iterator[str]:
        messages = [line for entry in self.timeline.entries for line in self._draw(entry)]
        yield tip("tip", "#666")
        yield from self._axis()
        yield from self._draw_lanes()
        yield from self._legend()
        yield from messages

    def _axis(self) -> Iterator[str]:
        for tick in range(_TICKS + 1):
            time_ms = self.first_ms + self.span_ms * tick // _TICKS
            x = self.x(time_ms)
            yield f'<line class="axis" x1="{x}" x2="{x}" y1="{_TOP - 15}" y2="{self.bottom}"/>'
            yield label(x, self.bottom + 15, f"{time_ms} ms", anchor="middle")

    def _draw_lanes(self) -> Iterator[str]:
        end = self.first_ms + self.span_ms
        for name, y in self.lanes.items():
            yield label(_LEFT - 12, y + 4, name, anchor="end")
            changes = [e for e in self.timeline.entries if e.node == name and e.kind in _ON_OR_OFF]
            state = _ON_OR_OFF[_other(changes[0].kind)] if changes else "lane"
            start = self.first_ms
            for change in changes:
                yield self._line(state, start, y, change.time_ms, y)
                start, state = change.time_ms, _ON_OR_OFF[change.kind]
            yield self._line(state, start, y, end, y)

    def _legend(self) -> Iterator[str]:
        for number, (word, colour) in enumerate(self.colours.items()):
            x = _LEFT + 110 * number
            yield f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>'
            yield label(x + 17, 24, word)

    def _draw(self, entry: Entry) -> Iterator[str]:
        kind, told = entry.kind, safe(f"{entry.time_ms} ms {entry.node} {self.timeline.tell(entry)}")
        x = self.x(entry.time_ms)
        if kind in (audit.DELIVER, audit.MISS):
            style = self._style(entry) if kind == audit.DELIVER else 'class="lost"'
            ends = self.x(entry.sent_ms), self.lanes[entry.peer], x, self.lanes[entry.node]
            yield _arrow(ends, style, told)
        elif kind in (audit.LOSE, audit.BLOCK):
            sender, receiver = self.lanes[entry.node], self.lanes[entry.peer]
            start = self.x(entry.sent_ms)
            yield _arrow((start, sender, max(x, start + 12), (sender + receiver) // 2), 'class="lost"', told)
        elif kind in _MARKS:
            y = self.lanes[entry.node]
            shape = f'<path class="{kind}" transform="translate({x},{y})" d="{_MARKS[kind]}">'
            yield f"{shape}<title>{told}</title></path>"
            if kind == audit.COMMIT:
                height = int.from_bytes(entry.data[:8], "big")
                yield label(x, y - 10, str(height), anchor="middle")
        elif kind == audit.NETWORK:
            yield f'<line class="network" x1="{x}" x2="{x}" y1="{_TOP - 25}" y2="{self.bottom}">'
            yield f"<title>{told}</title></line>"

    def _style(self, entry: Entry) -> str:
        word = self.timeline.describe(entry.data).partition(" ")[0]
        colour = self.colours.setdefault(word, _COLOURS[len(self.colours) % len(_COLOURS)])
        return f'stroke="{colour}"'

    def _line(self, style: str, start_ms: int, y1: int, end_ms: int, y2: int) -> str:
        return f'<line class="{style}" x1="{self.x(start_ms)}" y1="{y1}" x2="{self.x(end_ms)}" y2="{y2}"/>'


_ON_OR_OFF = {audit.CRASH: "down", audit.RESTART: "lane"}
"""How a lane is drawn after the event."""


def _other(kind: str) -> str:
    return audit.RESTART if kind == audit.CRASH else audit.CRASH


def _arrow(ends: tuple[int, int, int, int], style: str, told: str) -> str:
    x1, y1, x2, y2 = ends
    place = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line {place} {style} marker-end="url(#tip)"><title>{told}</title></line>'


# Mermaid


def draw_mermaid(timeline: Timeline) -> str:
    """Return a Mermaid document; see :meth:`Timeline.mermaid`."""
    aliases = {name: f"p{number}" for number, name in enumerate(timeline.names)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {alias} as {_plain(name)}" for name, alias in aliases.items()]
    for entry in timeline.entries:
        lines += [f"    {line}" for line in _mermaid_lines(timeline, entry, aliases)]
    return "\n".join(lines) + "\n"


def _mermaid_lines(timeline: Timeline, entry: Entry, aliases: dict[str, str]) -> Sequence[str]:
    kind = entry.kind
    if kind in (audit.SEND, audit.DUPLICATE):
        return ()  # shown where it arrives
    text = f"{entry.time_ms} ms"
    if kind == audit.DELIVER:
        return (f"{aliases[entry.peer]}->>{aliases[entry.node]}: {_plain(timeline.describe(entry.data))}",)
    if kind in (audit.LOSE, audit.BLOCK, audit.MISS):
        ends = (entry.peer, entry.node) if kind == audit.MISS else (entry.node, entry.peer)
        return (f"{aliases[ends[0]]}--x{aliases[ends[1]]}: {_plain(timeline.describe(entry.data))}",)
    told = _plain(timeline.tell(entry))
    if entry.node == audit.NOWHERE:
        everybody = f"{aliases[timeline.names[0]]},{aliases[timeline.names[-1]]}"
        return (f"Note over {everybody}: {text} {told}",)
    return (f"Note over {aliases[entry.node]}: {text} {told}",)


def _plain(text: str) -> str:
    """Return a text without what Mermaid takes for its own."""
    return "".join(" " if character in ";#:\r\n" else character for character in text)
