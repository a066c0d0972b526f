"""Whatever machine there is: its report and its diagram can be made, and hold no markup of the author's."""

from __future__ import annotations

import random
import re
from xml.etree import ElementTree

import pytest

from chainstack_sdk.machines.diagram import diagram_of
from chainstack_sdk.machines.report import report_of
from chainstack_sdk.testing.drawn_machines import MachineMaker

PEOPLE = [bytes([number]) * 20 for number in range(1, 6)]
MERMAID = re.compile(
    r"stateDiagram-v2\n"
    r'(    state "[A-Za-z_][A-Za-z0-9_]*" as s\d+\n)+'
    r"    \[\*\] --> s0\n"
    r"(    s\d+ --> s\d+ : ([^\n\"<>;:#`&]|<br/>)+\n)*"
    r"(    s\d+ --> \[\*\]\n)*"
)


def tell_many(seeds: range) -> None:
    for seed in seeds:
        machine = MachineMaker(random.Random(seed), PEOPLE, PEOPLE[:1]).machine()
        report, diagram = report_of(machine), diagram_of(machine)
        assert report == report_of(machine)
        assert f"```mermaid\n{diagram.mermaid()}```" in report
        assert MERMAID.fullmatch(diagram.mermaid())
        assert len(re.findall(r"^## \d+\. ", report, re.MULTILINE)) == 11
        for each in machine.transitions:
            assert f"\n### {each.name}\n" in report
        ElementTree.fromstring(diagram.svg())


def test_machines_drawn_by_lot_can_be_told_and_drawn() -> None:
    tell_many(range(25))


@pytest.mark.long
def test_two_thousand_machines_can_be_told_and_drawn() -> None:
    tell_many(range(2_000))
