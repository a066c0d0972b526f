"""The states of a machine and what leads from one to another, as a diagram: Mermaid or SVG.

What leads from one state to another is drawn as one arrow, however much it is; what leaves a state as it is
stands within it. Timers are apart: they are dashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.machines.drawing import draw
from chainstack_sdk.machines.prose import SPAN, Prose

if TYPE_CHECKING:
    from chainstack_sdk.machines.ir import Field, MachineIR, Transition

MAX_DETAIL = 100
"""Characters that are told about one way; longer ones are cut."""


@dataclass(frozen=True, slots=True)
class Way:
    """A transition or a timer, as a diagram names it."""

    name: str
    detail: str
    """Who may call it, whether coin may come with it, or when it fires; may be empty. A state that a
    transition enters from itself begins anew, its timer too."""

    def __str__(self) -> str:
        """Return both."""
        return f"{self.name} ({self.detail})" if self.detail else self.name


@dataclass(frozen=True, slots=True)
class Arrow:
    """All ways of one kind from a state to a state."""

    source: int
    target: int
    ways: tuple[Way, ...]
    timed: bool = False
    """Whether they are timers."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """What is drawn of a machine."""

    title: str
    states: tuple[str, ...]
    """Names; the first is where the machine begins."""
    final: tuple[int, ...]
    """Numbers of the final states."""
    arrows: tuple[Arrow, ...]

    def mermaid(self) -> str:
        """Return a state diagram in Mermaid (``stateDiagram-v2``)."""
        lines = ["stateDiagram-v2"]
        lines += [f'state "{name}" as s{at}' for at, name in enumerate(self.states)]
        lines.append("[*] --> s0")
        for each in self.arrows:
            told = "<br/>".join([_plain(str(way)) for way in each.ways])
            lines.append(f"s{each.source} --> s{each.target} : {told}")
        lines += [f"s{at} --> [*]" for at in self.final]
        return "\n    ".join(lines) + "\n"

    def svg(self) -> str:
        """Return a picture: an SVG document with nothing outside of it, the same bytes every time."""
        return draw(self)


def diagram_of(machine: MachineIR) -> Diagram:
    """Return the diagram of a machine."""
    found: dict[tuple[int, int, bool], list[Way]] = {}
    for each in machine.transitions:
        for source in each.sources:
            target = source if each.target is None else each.target
            way = Way(each.name, _detail(machine, each, anew=each.target == source))
            found.setdefault((source, target, False), []).append(way)
    prose = Prose(machine)
    for timer in machine.timers:
        delay = timer.delay
        told = prose.delay(delay) if delay.op == "const" else prose.words(delay, unit=SPAN)
        way = Way(timer.name, _cut(f"after {told}"))
        found.setdefault((timer.source, timer.target, True), []).append(way)
    return Diagram(
        machine.name,
        tuple([each.name for each in machine.states]),
        tuple([at for at, each in enumerate(machine.states) if each.final]),
        tuple([Arrow(source, target, tuple(ways), timed) for (source, target, timed), ways in found.items()]),
    )


def _detail(machine: MachineIR, transition: Transition, *, anew: bool) -> str:
    who = "" if transition.role is None else f"by {members(machine.fields[transition.role])}"
    facts = (who, "payable" if transition.payable else "", "enters anew" if anew else "")
    return ", ".join([each for each in facts if each])


def members(role: Field) -> str:
    """Return who must call: "owner", "2 of 3 judges"."""
    if role.type.kind == "address":
        return role.name
    return f"{role.threshold} of {role.type.bound} {role.name}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_DETAIL else f"{text[: MAX_DETAIL - 1]}…"


def _plain(text: str) -> str:
    """Return a text without what Mermaid, or the page around it, takes for its own."""
    return "".join([each if each.isprintable() and each not in '";#:<>`&%{}' else " " for each in text])
