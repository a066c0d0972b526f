"""Diagrams of machines as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.machines.layers import Box, Link, arrange, spread
from chainstack_sdk.primitives.svg import document, label, safe, tip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.machines.diagram import Diagram, Way

_MARGIN, _TITLE = 24, 34
_LINE = 17
"""Pixels from one line of text to the next."""
_MARK = 18
_MAX_LINE = 210
"""Pixels of a line in a label, if its words allow."""
_STYLE = """
text { font: 12px Helvetica, Arial, "Liberation Sans", sans-serif; fill: #24303c }
.title { font-size: 17px; font-weight: 600 } .state { font-size: 14px; font-weight: 600 }
.name { font-weight: 600 } .detail { fill: #64727f } .late { fill: #a35b00 }
.box { fill: #f3f7fb; stroke: #3b6ea5; stroke-width: 1.5 } .end { fill: #eef7f0; stroke: #3f8f5b }
.rim { fill: none; stroke: #3f8f5b } .rule { stroke: #c9d7e5 } .paper { fill: #fff }
.way { fill: none; stroke: #5b6b7a; stroke-width: 1.4; marker-end: url(#tip) }
.timer { stroke: #c47a15; stroke-dasharray: 6 4; marker-end: url(#late) }
.dot { fill: #24303c } .ring { fill: #fff; stroke: #24303c; stroke-width: 1.5 }
.loop { fill: none; stroke: #5b6b7a; stroke-width: 1.3; marker-end: url(#small) }
"""
_LOOP = "a5,5 0 1 0 7,0"
"""A circle that is open above, where its tip is."""
_WIDTHS = {
    **dict.fromkeys("ijl'|", 3),
    **dict.fromkeys("ft.,:;! ()[]/\\I", 4),
    **dict.fromkeys('r-`*"', 5),
    **dict.fromkeys("ckszvxyJ_", 7),
    **dict.fromkeys("mMW%@", 11),
    **dict.fromkeys("wABCDEFGHKNOPQRSTUVXYZ&+<>=~", 9),
}
"""Pixels of characters in letters 12 pixels high, rounded up; of all others 8."""


def draw(diagram: Diagram) -> str:
    """Return an SVG document; see :meth:`Diagram.svg`."""
    return _Picture(diagram).document()


@dataclass(frozen=True, slots=True)
class _Text:
    """Lines of a label or of a state's inside, each of parts with their style."""

    lines: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def width(self) -> int:
        return max(_width(line) for line in self.lines)

    @property
    def height(self) -> int:
        return _LINE * len(self.lines)


class _Picture:
    """Where everything stands, and how it looks."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.inside = [self._inside(at) for at in range(len(diagram.states))]
        self.states = [self._box(at) for at in range(len(diagram.states))]
        self.start, self.ends = Box(_MARK, _MARK, 8), [Box(_MARK, _MARK, 8) for _ in diagram.final]
        self.arrows = [each for each in diagram.arrows if each.source != each.target]
        self.labels = [_text(each.ways, timed=each.timed) for each in self.arrows]
        marked = [Link(0, 1, None), *[Link(at + 1, len(self.states) + 1 + n, None) for n, at in self._final]]
        self.marks = marked
        self.links = [
            Link(arrow.source + 1, arrow.target + 1, Box(text.width + 8, text.height + 4, 3))
            for arrow, text in zip(self.arrows, self.labels, strict=True)
        ]
        size = arrange([self.start, *self.states, *self.ends], [*self.links, *marked])
        self.width = max(size[0], _width(((diagram.title, "state"),)) * 6 // 5) + 2 * _MARGIN
        self.height = size[1] + 2 * _MARGIN + _TITLE
        self.left = (self.width - size[0]) // 2

    @property
    def _final(self) -> Iterable[tuple[int, int]]:
        return enumerate(self.diagram.final)

    def _inside(self, state: int) -> list[_Text]:
        """Return what leaves a state as it is, or enters it anew, each way by itself."""
        loops = [each for each in self.diagram.arrows if each.source == each.target == state]
        return [_text([way], timed=each.timed) for each in loops for way in each.ways]

    def _box(self, state: int) -> Box:
        width, height = _width(((self.diagram.states[state], "state"),)) * 7 // 6 + 36, 34
        if self.inside[state]:
            width = max([width, *[text.width + 46 for text in self.inside[state]]])
            height += 12 + sum(text.height for text in self.inside[state])
        return Box(max(width, 90), height)

    def document(self) -> str:
        title = self.diagram.title
        return document(self.width, self.height, _STYLE, [f"<title>{safe(title)}</title>", *self._elements()])

    def _elements(self) -> Iterator[str]:
        yield tip("tip", "#5b6b7a")
        yield tip("late", "#c47a15")
        yield tip("small", "#5b6b7a", 5)
        yield f'<rect class="paper" width="{self.width}" height="{self.height}"/>'
        yield label(_MARGIN, _MARGIN + 8, self.diagram.title, style="title")
        yield f'<g transform="translate({self.left},{_MARGIN + _TITLE})">'
        for link in self.marks:
            yield _way(link, "way")
        for arrow, link in zip(self.arrows, self.links, strict=True):
            yield _way(link, "way timer" if arrow.timed else "way")
        for link, text in zip(self.links, self.labels, strict=True):
            yield from _label(link, text)
        for at, box in enumerate(self.states):
            yield from self._state(at, box)
        yield f'<circle class="dot" cx="{self.start.x}" cy="{self.start.y + 9}" r="8"/>'
        for end in self.ends:
            yield f'<circle class="ring" cx="{end.x}" cy="{end.y + 9}" r="8"/>'
            yield f'<circle class="dot" cx="{end.x}" cy="{end.y + 9}" r="4"/>'
        yield "</g>"

    def _state(self, state: int, box: Box) -> Iterator[str]:
        left, kind = box.x - box.width // 2, " end" if state in self.diagram.final else ""
        size = f'width="{box.width}" height="{box.height}" rx="9"'
        yield f'<rect class="box{kind}" x="{left}" y="{box.y}" {size}/>'
        yield label(box.x, box.y + 22, self.diagram.states[state], anchor="middle", style="state")
        y = box.y + 34
        if self.inside[state]:
            yield f'<path class="rule" d="M{left + 1},{y} H{left + box.width - 1}"/>'
        for text in self.inside[state]:
            yield f'<path class="loop" d="M{left + 14},{y + 9} {_LOOP}"/>'
            for line in text.lines:
                y += _LINE
                yield label(left + 32, y, line)


def _label(link: Link, text: _Text) -> Iterator[str]:
    box = link.label
    assert box is not None
    size = f'width="{box.width}" height="{box.height}" rx="4"'
    yield f'<rect class="paper" x="{box.x - box.width // 2}" y="{box.y}" {size}/>'
    for at, line in enumerate(text.lines):
        yield label(box.x, box.y + 14 + _LINE * at, line, anchor="middle")


def _way(link: Link, style: str) -> str:
    """Return the line of a link: straight through layers, bent between them."""
    upper, *middle, lower = link.path
    port, goal = _port(upper, upper.below, link.path[1]), _port(lower, lower.above, link.path[-2])
    pieces = [((port, upper.y + upper.height), (port, upper.bottom))]
    pieces += [((each.x, each.top), (each.x, each.bottom)) for each in middle]
    pieces.append(((goal, lower.top), (goal, lower.y)))
    if link.turned:
        pieces = [(end, start) for start, end in reversed(pieces)]
    drawn: list[str] = []
    x = y = 0
    for (from_x, from_y), (to_x, to_y) in pieces:
        half = (y + from_y) // 2
        drawn.append(f"C{x},{half} {from_x},{half} {from_x},{from_y}" if drawn else f"M{from_x},{from_y}")
        if to_y != from_y:
            drawn.append(f"V{to_y}")
        x, y = to_x, to_y
    return f'<path class="{style}" d="{" ".join(drawn)}"/>'


def _port(box: Box, side: Sequence[Box], other: Box) -> int:
    """Return where on a box's side the line to another begins: straight above or below it, if it can."""
    order = sorted(side, key=lambda each: each.x)
    at = next(place for place, each in enumerate(order) if each is other)
    room = max(0, box.width // 2 - 14)
    space = min(22, 2 * room // max(1, len(order) - 1))
    wishes = [(each.x, 1) for each in order]
    found = spread(wishes, [space] * (len(order) - 1))[at]
    least, most = box.x - room + at * space, box.x + room - (len(order) - 1 - at) * space
    return min(max(found, least), most)


# Text


def _text(ways: Sequence[Way], *, timed: bool) -> _Text:
    detail = "late" if timed else "detail"
    lines: list[tuple[tuple[str, str], ...]] = []
    for way in ways:
        name, told = (way.name, "name"), (way.detail, detail)
        if not way.detail:
            lines.append((name,))
        elif _width((name, told)) <= _MAX_LINE:
            lines.append((name, told))
        else:
            lines.append((name,))
            lines += [((line, detail),) for line in _wrapped(way.detail)]
    return _Text(tuple(lines))


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and _width(((longer, ""),)) > _MAX_LINE:
            yield line
            line = word
        else:
            line = longer
    yield line


def _width(parts: Sequence[tuple[str, str]]) -> int:
    """Return how wide a line is at most, in pixels."""
    text = " ".join([text for text, _ in parts])
    return sum(_WIDTHS.get(each, 8) for each in text)
