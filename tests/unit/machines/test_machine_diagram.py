from __future__ import annotations

import random
import re
import runpy
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chainstack_sdk.machines import compile_text
from chainstack_sdk.machines.diagram import MAX_DETAIL, Arrow, Diagram, Way, diagram_of
from chainstack_sdk.machines.layers import GAP, Box, Link, arrange, spread

REPOSITORY = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
CLAIM = """\
class Claim(Machine):
    holder = role()
    oracles = role(3, threshold=2)
    window: uint256
    offered = State()
    active = State()
    disputed = State()
    closed = State(final=True)
    @transition(offered, active, payable=True)
    def buy(self) -> None:
        pass
    @transition(active, payable=True, by=holder)
    def top_up(self) -> None:
        pass
    @transition(active, active)
    def renew(self) -> None:
        pass
    @transition((active, disputed), disputed, by=holder)
    def dispute(self) -> None:
        pass
    @transition(active, disputed)
    def doubt(self) -> None:
        pass
    @transition(disputed, active, by=oracles)
    def reopen(self) -> None:
        pass
    @after(active, 36 * hours, closed)
    def expire(self) -> None:
        pass
    @after(disputed, lambda self: self.window + 60, closed)
    def lapse(self) -> None:
        pass
"""


def claim() -> Diagram:
    return diagram_of(compile_text(CLAIM))


def random_diagram(seed: int, states: int, arrows: int) -> Diagram:
    draw = random.Random(seed)
    ends = {(draw.randrange(states), draw.randrange(states)) for _ in range(arrows)}
    return Diagram(
        "Drawn",
        tuple(f"state_{number}" for number in range(states)),
        tuple(sorted(draw.sample(range(states), states // 3))),
        tuple(
            Arrow(one, other, (Way("go", "by owner " * draw.randrange(8)),), draw.random() < 0.3)
            for one, other in sorted(ends)
        ),
    )


def test_what_is_drawn() -> None:
    diagram = claim()
    assert diagram.title == "Claim"
    assert diagram.states == ("offered", "active", "disputed", "closed")
    assert diagram.final == (3,)
    assert {
        (each.source, each.target, each.timed): [str(way) for way in each.ways] for each in diagram.arrows
    } == {
        (0, 1, False): ["buy (payable)"],
        (1, 1, False): ["top_up (by holder, payable)", "renew (enters anew)"],
        (1, 2, False): ["dispute (by holder)", "doubt"],
        (2, 2, False): ["dispute (by holder, enters anew)"],
        (2, 1, False): ["reopen (by 2 of 3 oracles)"],
        (1, 3, True): ["expire (after 1 day 12 hours)"],
        (2, 3, True): ["lapse (after window + 1 minute)"],
    }


def test_mermaid() -> None:
    assert claim().mermaid() == (
        "stateDiagram-v2\n"
        '    state "offered" as s0\n'
        '    state "active" as s1\n'
        '    state "disputed" as s2\n'
        '    state "closed" as s3\n'
        "    [*] --> s0\n"
        "    s0 --> s1 : buy (payable)\n"
        "    s1 --> s1 : top_up (by holder, payable)<br/>renew (enters anew)\n"
        "    s1 --> s2 : dispute (by holder)<br/>doubt\n"
        "    s2 --> s2 : dispute (by holder, enters anew)\n"
        "    s2 --> s1 : reopen (by 2 of 3 oracles)\n"
        "    s1 --> s3 : expire (after 1 day 12 hours)\n"
        "    s2 --> s3 : lapse (after window + 1 minute)\n"
        "    s3 --> [*]\n"
    )


def test_texts_of_an_author_are_not_markup() -> None:
    text = 'a";: <b>&`#%%{init} --> s1'
    way = f"lambda self: self.window if self.note == {text!r} else 1"
    source = CLAIM.replace("lambda self: self.window + 60", way)
    diagram = diagram_of(
        compile_text(source.replace("    offered", "    note: Annotated[str, 40]\n    offered", 1))
    )
    line = next(line for line in diagram.mermaid().splitlines() if "lapse" in line)
    assert re.fullmatch(r" {4}s2 --> s3 : [^\"<>;:#`&%{}]*", line)
    root = ElementTree.fromstring(diagram.svg())
    assert f"'{text}'" in " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert {each.tag for each in root.iter()} == {
        SVG + tag
        for tag in ["svg", "style", "title", "rect", "text", "g", "path", "circle", "defs", "marker", "tspan"]
    }


def test_a_long_delay_is_cut() -> None:
    source = CLAIM.replace("self.window + 60", " + ".join(["self.window"] * 30))
    way = next(each for each in diagram_of(compile_text(source)).arrows if each.source == 2 and each.timed)
    assert len(way.ways[0].detail) == MAX_DETAIL
    assert way.ways[0].detail.endswith("…")


def test_a_picture_tells_everything() -> None:
    root = ElementTree.fromstring(claim().svg())
    words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert words[0] == "Claim"
    assert sorted(words[1:]) == sorted(
        [
            *("offered", "active", "disputed", "closed"),
            *("buy payable", "top_up by holder, payable", "renew enters anew", "dispute by holder", "doubt"),
            *("dispute by holder, enters anew", "reopen by 2 of 3 oracles"),
            *("expire after 1 day 12 hours", "lapse after window + 1 minute"),
        ]
    )
    kinds = [each.get("class") for each in root.iter(f"{SVG}path")]
    assert kinds.count("way timer") == 2
    assert kinds.count("way") == 3 + 2  # transitions; from the initial mark, to the final one
    assert kinds.count("loop") == 3
    assert [each.get("class") for each in root.iter(f"{SVG}rect")].count("box end") == 1
    assert len([*root.iter(f"{SVG}circle")]) == 3


@pytest.mark.parametrize(("states", "arrows"), [(1, 0), (1, 1), (2, 4), (5, 9), (8, 20), (14, 25)])
def test_nothing_covers_anything(states: int, arrows: int) -> None:
    for seed in range(3):
        root = ElementTree.fromstring(random_diagram(seed, states, arrows).svg())
        width, height = int(root.attrib["width"]), int(root.attrib["height"])
        (group,) = root.iter(f"{SVG}g")
        left, top = map(int, re.findall(r"\d+", group.attrib["transform"]))
        found = [
            [int(each.attrib[key]) for key in ("x", "y", "width", "height")]
            for each in group.iter(f"{SVG}rect")
        ]
        assert len(found) >= states
        for x, y, w, h in found:
            assert 0 <= left + x <= left + x + w <= width
            assert 0 <= top + y <= top + y + h <= height
        for (x, y, w, h), (x2, y2, w2, h2) in combinations(found, 2):
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_the_same_bytes_in_every_process() -> None:
    program = (
        "import sys; from chainstack_sdk.machines import compile_text\n"
        "from chainstack_sdk.machines.diagram import diagram_of\n"
        "sys.stdout.write(diagram_of(compile_text(sys.stdin.read())).svg())"
    )
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            input=CLAIM,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == claim().svg()


def test_the_picture_in_the_documentation_is_that_of_the_example() -> None:
    deposit = runpy.run_path(str(REPOSITORY / "examples" / "own_machine.py"))["Deposit"]
    picture = (REPOSITORY / "docs" / "machine-deposit.svg").read_text(encoding="utf-8")
    assert deposit.diagram().svg() == picture


# Places


def boxes(count: int) -> list[Box]:
    return [Box(60, 30) for _ in range(count)]


def test_arrows_lead_down_but_for_those_that_close_a_circle() -> None:
    states = boxes(4)
    links = [Link(*ends, Box(20, 10, 3)) for ends in [(0, 1), (1, 2), (2, 0), (0, 2), (3, 2)]]
    arrange(states, links)
    assert [link.turned for link in links] == [False, False, True, False, False]
    assert [each.layer for each in states] == [0, 2, 4, 2]
    for link in links:
        path = [states[link.source], states[link.target]][:: -1 if link.turned else 1]
        assert (link.path[0], link.path[-1]) == tuple(path)
        assert all(one.bottom < other.top for one, other in pairwise(link.path))
        assert link.label is link.path[-2 if link.turned else 1]


def test_what_nothing_leads_to_stands_above_what_it_leads_to() -> None:
    states = boxes(4)
    arrange(states, [Link(*ends, None) for ends in [(0, 1), (1, 2), (3, 2)]])
    assert [each.layer for each in states] == [0, 2, 4, 2]


def test_a_chain_is_a_straight_line() -> None:
    states = boxes(5)
    arrange(states, [Link(at, at + 1, Box(20, 10, 3)) for at in range(4)])
    assert len({each.x for each in states}) == 1


def test_an_order_in_which_nothing_crosses_is_found() -> None:
    states = boxes(6)
    links = [Link(*ends, None) for ends in [(0, 1), (0, 2), (0, 3), (1, 5), (2, 4), (3, 4)]]
    arrange(states, links)
    lines = [link.path for link in links]
    for one, other in combinations(lines, 2):
        for a, b in zip(pairwise(one), pairwise(other), strict=False):
            if a[0].layer == b[0].layer and a[0] is not b[0] and a[1] is not b[1]:
                assert (a[0].x < b[0].x) == (a[1].x < b[1].x)


def test_boxes_without_arrows_stand_side_by_side() -> None:
    states = boxes(3)
    width, height = arrange(states, [])
    assert (width, height) == (3 * 60 + 2 * GAP, 30)


@pytest.mark.parametrize(
    ("wishes", "gaps", "places"),
    [
        ([(5, 1)], [], [5]),
        ([(0, 1), (50, 1)], [10], [0, 50]),
        ([(5, 1), (5, 1)], [10], [0, 10]),
        ([(5, 3), (5, 1)], [8], [3, 11]),
        ([(9, 1), (5, 1), (1, 1)], [2, 2], [3, 5, 7]),
    ],
)
def test_places_as_close_to_the_wishes_as_can_be(wishes, gaps, places) -> None:
    assert spread(wishes, gaps) == places
