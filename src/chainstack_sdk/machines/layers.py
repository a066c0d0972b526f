"""Where the states and arrows of a diagram stand: in layers, from the initial state down.

The method of Sugiyama, Tagawa and Toda (1981). Arrows that close a circle are turned round for the while;
every state is put below those that lead to it; an arrow is led through one point in each layer on its way,
one of which is as large as its label; the order within layers is chosen so that few arrows cross; and what
is connected is put below each other. Whole numbers only: the same places everywhere.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SWEEPS = 12
GAP = 28
"""Pixels between neighbours."""
ROW_GAP = 22
"""Pixels between layers, at least."""


@dataclass(slots=True)
class Box:
    """Something that takes room: a state, a mark, a label, or a point on an arrow's way."""

    width: int
    height: int
    pull: int = 1
    """How much it insists on a straight line to what it is connected with."""
    layer: int = 0
    rank: int = 0
    """Place within its layer."""
    x: int = 0
    """Of its middle."""
    y: int = 0
    """Of its top."""
    top: int = 0
    """Of its layer."""
    bottom: int = 0
    """Of its layer."""
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)


@dataclass(slots=True)
class Link:
    """An arrow from box to box."""

    source: int
    target: int
    label: Box | None
    path: list[Box] = field(default_factory=list)
    """From the upper end to the lower, both included."""
    turned: bool = False
    """Whether it leads upwards: from the lower end to the upper."""


def arrange(boxes: Sequence[Box], links: Sequence[Link]) -> tuple[int, int]:
    """Put boxes and labels in their places; return width and height of all of it.

    Parameters
    ----------
    boxes
        The ends of the links by number, the first of all at the top.
    links
        What connects them; none from a box to itself.
    """
    _turn(len(boxes), links)
    _layer(boxes, links)
    layers = _layers(boxes, links)
    _order(layers)
    _settle(layers)
    _align(layers, links)
    return _place(layers)


def _turn(count: int, links: Sequence[Link]) -> None:
    """Turn those links round that lead back to where one came from."""
    leaving: list[list[Link]] = [[] for _ in range(count)]
    for link in links:
        leaving[link.source].append(link)
    for each in leaving:
        each.sort(key=lambda link: link.target)
    state = [0] * count  # 1: on the way, 2: done
    for start in range(count):
        stack = [(start, iter(leaving[start]))] if not state[start] else []
        state[start] = state[start] or 1
        while stack:
            at, rest = stack[-1]
            found = next(rest, None)
            if found is None:
                state[at] = 2
                stack.pop()
            elif state[found.target] == 1:
                found.turned = True
            elif not state[found.target]:
                state[found.target] = 1
                stack.append((found.target, iter(leaving[found.target])))


def _layer(boxes: Sequence[Box], links: Sequence[Link]) -> None:
    """Give each box the first even layer below all that lead to it."""
    for _ in boxes:
        for link in links:
            upper, lower = _ends(boxes, link)
            lower.layer = max(lower.layer, upper.layer + 2)
    for each in boxes:  # what nothing leads to stands close above what it leads to
        into = [link for link in links if _ends(boxes, link)[1] is each]
        out = [_ends(boxes, link)[1].layer for link in links if _ends(boxes, link)[0] is each]
        if out and not into:
            each.layer = min(out) - 2


def _ends(boxes: Sequence[Box], link: Link) -> tuple[Box, Box]:
    one, other = boxes[link.source], boxes[link.target]
    return (other, one) if link.turned else (one, other)


def _layers(boxes: Sequence[Box], links: Sequence[Link]) -> list[list[Box]]:
    """Return what stands in each layer, the ways of links with it; labels are close to where one leaves."""
    layers: list[list[Box]] = [[] for _ in range(max(each.layer for each in boxes) + 1)]
    for each in boxes:
        layers[each.layer].append(each)
    for link in links:
        upper, lower = _ends(boxes, link)
        way = [Box(1, 0, 3) for _ in range(upper.layer + 1, lower.layer)]
        if link.label is not None:
            way[-1 if link.turned else 0] = link.label
        for at, each in enumerate(way, upper.layer + 1):
            each.layer = at
            layers[at].append(each)
        link.path = [upper, *way, lower]
        for one, other in pairwise(link.path):
            one.below.append(other)
            other.above.append(one)
    return layers


# Order within layers


def _order(layers: list[list[Box]]) -> None:
    best = [list(each) for each in layers]
    for layer in layers:
        _rank(layer)
    fewest = _crossings(layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            layer.sort(key=lambda box: _middle(box, box.above if down else box.below))
            _rank(layer)
        for layer in layers:
            _swap(layer)
        count = _crossings(layers)
        if count < fewest:
            best, fewest = [list(each) for each in layers], count
    layers[:] = best


def _rank(layer: Sequence[Box]) -> None:
    for at, each in enumerate(layer):
        each.rank = at


def _middle(box: Box, others: Sequence[Box]) -> int:
    """Return a thousand times the mean place of others, or the own place where there are none."""
    if not others:
        return 1_000 * box.rank
    return 1_000 * sum(each.rank for each in others) // len(others)


def _swap(layer: list[Box]) -> None:
    """Exchange neighbours where fewer links cross then."""
    for at in range(len(layer) - 1):
        one, other = layer[at], layer[at + 1]
        if _crossed(one, other) > _crossed(other, one):
            layer[at], layer[at + 1] = other, one
            one.rank, other.rank = at + 1, at


def _crossed(left: Box, right: Box) -> int:
    """Return how many links of two neighbours cross each other."""
    return sum(
        one.rank > other.rank
        for mine, theirs in ((left.above, right.above), (left.below, right.below))
        for one in mine
        for other in theirs
    )


def _crossings(layers: Sequence[Sequence[Box]]) -> int:
    """Return how many links cross: pairs that are in another order below than above."""
    count = 0
    for layer in layers:
        seen: list[int] = []
        for each in layer:
            for rank in sorted([other.rank for other in each.below]):
                count += len(seen) - bisect_right(seen, rank)
                insort(seen, rank)
    return count


# Places


def _settle(layers: Sequence[Sequence[Box]]) -> None:
    """Find the middles: each box as close below what it is connected with as its neighbours allow."""
    for layer in layers:
        x = 0
        for each in layer:
            each.x = x + each.width // 2
            x += each.width + GAP
    for sweep in range(8 * SWEEPS):
        down, both = sweep % 2 == 0, sweep >= 2 * SWEEPS
        for layer in layers if down else reversed(layers):
            _straighten(layer, up=both or down, down=both or not down)


def _straighten(layer: Sequence[Box], *, up: bool, down: bool) -> None:
    """Move the boxes of a layer to where those above, below or both pull them."""
    wishes = []
    for box in layer:
        near = [*(box.above if up else ()), *(box.below if down else ())]
        pulls = sum(each.pull for each in near)
        middle = sum(each.pull * each.x for each in near) // pulls if near else box.x
        wishes.append((middle, box.pull * (pulls or 1)))
    gaps = [(one.width + other.width + 1) // 2 + GAP for one, other in pairwise(layer)]
    for box, x in zip(layer, spread(wishes, gaps), strict=True):
        box.x = x


def _align(layers: Sequence[Sequence[Box]], links: Sequence[Link]) -> None:
    """Draw the ways of links straight as far as they come without touching anything."""
    for link in [*links] * 3:
        run: list[Box] = []
        least, most = _FAR_LEFT, _FAR_RIGHT
        for box in [each for each in link.path if each.pull > 1]:
            room = _room(layers[box.layer], box)
            if max(least, room[0]) > min(most, room[1]):
                _line_up(run, least, most)
                run, least, most = [], _FAR_LEFT, _FAR_RIGHT
            run.append(box)
            least, most = max(least, room[0]), min(most, room[1])
        _line_up(run, least, most)


_FAR_LEFT, _FAR_RIGHT = -(10**9), 10**9


def _room(layer: Sequence[Box], box: Box) -> tuple[int, int]:
    """Return how far to the left and to the right the middle of a box may be moved."""
    at = next(place for place, each in enumerate(layer) if each is box)
    least, most = _FAR_LEFT, _FAR_RIGHT
    if at:
        least = layer[at - 1].x + (layer[at - 1].width + box.width + 1) // 2 + GAP
    if at + 1 < len(layer):
        most = layer[at + 1].x - (layer[at + 1].width + box.width + 1) // 2 - GAP
    return min(least, box.x), max(most, box.x)


def _line_up(run: Sequence[Box], least: int, most: int) -> None:
    middle = sum(each.x for each in run) // len(run)
    for each in run:
        each.x = min(max(middle, least), most)


def spread(wishes: Sequence[tuple[int, int]], gaps: Sequence[int]) -> list[int]:
    """Return places as close to the wished ones as order and gaps allow: least squares.

    Parameters
    ----------
    wishes
        In order: the place, and how much it matters.
    gaps
        Between each place and the next, at least.
    """
    offsets = [0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    groups: list[list[int]] = []  # weight, weighted sum of wishes, number of places
    for (wish, weight), offset in zip(wishes, offsets, strict=False):
        groups.append([weight, weight * (wish - offset), 1])
        while len(groups) > 1 and groups[-2][1] * groups[-1][0] >= groups[-1][1] * groups[-2][0]:
            last = groups.pop()
            groups[-1] = [one + other for one, other in zip(groups[-1], last, strict=True)]
    starts = [total // weight for weight, total, count in groups for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=False)]


def _place(layers: Sequence[Sequence[Box]]) -> tuple[int, int]:
    """Set the tops, and move everything so that it begins at 0."""
    every = [each for layer in layers for each in layer]
    left = min(each.x - each.width // 2 for each in every)
    y = 0
    for layer in layers:
        height = max(each.height for each in layer)
        reach = max([abs(each.x - other.x) for each in layer for other in each.below], default=0)
        for each in layer:
            each.y = y + (height - each.height) // 2
            each.top, each.bottom = y, y + height
        y += height + min(ROW_GAP + reach // 12, 3 * ROW_GAP)
    for each in every:
        each.x -= left
    return max(each.x + (each.width + 1) // 2 for each in every), max(each.bottom for each in every)
