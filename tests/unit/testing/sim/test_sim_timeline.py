from __future__ import annotations

from xml.etree import ElementTree

import pytest

from chainstack_sdk.testing.sim import audit
from chainstack_sdk.testing.sim.audit import Entry
from chainstack_sdk.testing.sim.timeline import Timeline

SVG = "{http://www.w3.org/2000/svg}"
COMMIT = (7).to_bytes(8, "big") + b"\xab\xcd\xef" + bytes(29) + b"seal"
ENTRIES = [
    Entry(0, audit.SEND, "a", "b<1>", b"vote", 0),
    Entry(0, audit.DUPLICATE, "a", "b<1>", b"vote", 0),
    Entry(0, audit.SEND, "a", "c", b"vote", 0),
    Entry(0, audit.LOSE, "a", "c", b"vote", 0),
    Entry(10, audit.DELIVER, "b<1>", "a", b"vote", 0),
    Entry(12, audit.TIMER, "b<1>", "", b"propose 1/0", 12),
    Entry(13, audit.STORE, "b<1>", "", b"12345", 13),
    Entry(14, audit.MINE, "c", "", bytes(31) + b"\x01" + (99).to_bytes(8, "big"), 14),
    Entry(15, audit.CRASH, "c", "", b"", 15),
    Entry(16, audit.SEND, "a", "c", b"block", 16),
    Entry(20, audit.NETWORK, "", "", b"cut a | b<1>", 20),
    Entry(21, audit.SEND, "a", "b<1>", b"vote", 21),
    Entry(21, audit.BLOCK, "a", "b<1>", b"vote", 21),
    Entry(26, audit.MISS, "c", "a", b"block", 16),
    Entry(30, audit.RESTART, "c", "", b"12345", 30),
    Entry(31, audit.CRASH, "c", "", b"", 31),
    Entry(32, audit.RESTART, "c", "", b"", 32),
    Entry(33, audit.COMMIT, "c", "", COMMIT, 33),
    Entry(34, audit.ACCUSE, "c", "", b"evidence", 34),
    Entry(35, audit.NETWORK, "c", "", b"clock 700", 35),
]
TEXT = """\
       0 ms  a     sends vote to b<1>, c
       0 ms  a     vote to b<1> will arrive twice
       0 ms  a     vote to c is lost
      10 ms  b<1>  hears vote from a
      12 ms  b<1>  timer propose 1/0
      13 ms  b<1>  stores 5 bytes
      14 ms  c     finds nonce 99 for 000000
      15 ms  c     crashes
      16 ms  a     sends block to c
      20 ms        cut a | b<1>
      21 ms  a     sends vote to b<1>
      21 ms  a     vote to b<1> is stopped by the partition
      26 ms  c     block from a comes while it is down
      30 ms  c     restarts with a record of 5 bytes
      31 ms  c     crashes
      32 ms  c     restarts without a record
      33 ms  c     commits block 7 abcdef
      34 ms  c     accuses, with 8 bytes of evidence
      35 ms  c     clock 700"""


def timeline(entries: list[Entry] = ENTRIES, **stretch: int) -> Timeline:
    return Timeline(entries, ["a", "b<1>", "c"], bytes.decode, **stretch)


def test_every_kind_of_event_in_words() -> None:
    assert str(timeline()) == TEXT
    assert {entry.kind for entry in ENTRIES} == {
        value for name, value in vars(audit).items() if name.isupper() and isinstance(value, str) and value
    }


def test_single_transmissions_in_words() -> None:
    assert timeline().tell(ENTRIES[2]) == "sends vote to c"


def test_a_stretch_of_time() -> None:
    assert str(timeline(first_ms=13, last_ms=15)) == "\n".join(TEXT.splitlines()[5:8])
    assert timeline().tail(2) == "\n".join(TEXT.splitlines()[-2:])
    assert timeline().tail(1000) == TEXT


def test_other_messages_end_a_broadcast() -> None:
    other = [
        Entry(0, audit.SEND, "a", "c", b"x", 0),
        Entry(0, audit.SEND, "a", "c", b"y", 0),
        Entry(0, audit.SEND, "c", "a", b"y", 0),
        Entry(1, audit.SEND, "c", "a", b"y", 1),
    ]
    assert len(str(timeline(other)).splitlines()) == 4


def elements(picture: str, tag: str, name: str | None = None) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(picture).iter(SVG + tag)
    return [element for element in found if name is None or element.get("class") == name]


def test_the_picture_is_valid_and_whole() -> None:
    picture = timeline().svg()
    marks = {name: len(elements(picture, "path", name)) for name in ("crash", "restart", "commit", "timer")}
    assert marks == {"crash": 2, "restart": 2, "commit": 1, "timer": 1}
    assert len(elements(picture, "path", "mine")) == len(elements(picture, "path", "store")) == 1
    assert len(elements(picture, "line", "lost")) == 3
    assert len(elements(picture, "line", "network")) == 2
    arrows = [line for line in elements(picture, "line") if line.get("stroke")]
    assert len(arrows) == 1
    assert (arrows[0].get("x1"), arrows[0].get("y1")) == ("90", "60")
    titles = [element.text for element in elements(picture, "title")]
    assert "10 ms b<1> hears vote from a" in titles
    assert len(titles) == 3 + 2 + 1 + 9


def test_a_lane_is_broken_while_its_node_is_down() -> None:
    picture = timeline().svg()
    assert len(elements(picture, "line", "down")) == 2
    assert len(elements(picture, "line", "lane")) == 2 + 3
    later = timeline(first_ms=20, last_ms=30).svg()
    assert [line.get("x1") for line in elements(later, "line", "down")] == ["90"]


@pytest.mark.parametrize("entries", [[], ENTRIES[:1]])
def test_pictures_of_little(entries: list[Entry]) -> None:
    assert elements(timeline(entries).svg(), "text")
    assert timeline(entries).mermaid().startswith("sequenceDiagram\n")


def test_a_picture_of_nobody() -> None:
    assert elements(Timeline([], [], bytes.decode).svg(), "svg")
    assert str(Timeline([], [], bytes.decode)) == ""


def test_mermaid() -> None:
    lines = timeline().mermaid().splitlines()
    assert lines[:4] == [
        "sequenceDiagram",
        "    participant p0 as a",
        "    participant p1 as b<1>",
        "    participant p2 as c",
    ]
    assert lines[4:7] == [
        "    p0--xp2: vote",
        "    p0->>p1: vote",
        "    Note over p1: 12 ms timer propose 1/0",
    ]
    assert "    Note over p0,p2: 20 ms cut a | b<1>" in lines
    assert "    p0--xp2: block" in lines
    assert "    Note over p2: 33 ms commits block 7 abcdef" in lines
    assert len(lines) == 4 + 15


def test_mermaid_takes_no_control_characters() -> None:
    entries = [Entry(1, audit.DELIVER, "a", "c", b"x;y#z:\nend", 0)]
    assert timeline(entries).mermaid().splitlines()[-1] == "    p2->>p0: x y z  end"
