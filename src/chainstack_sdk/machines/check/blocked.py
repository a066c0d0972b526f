"""Arithmetic that blocks transitions: by what a machine holds, not by what a caller gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.check import traces
from chainstack_sdk.machines.check.culprits import values_of
from chainstack_sdk.machines.check.findings import Finding
from chainstack_sdk.machines.check.search import PANICS
from chainstack_sdk.machines.check.tree import Influence
from chainstack_sdk.machines.closures import OUT_OF_BOUNDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.machines.check.findings import Severity
    from chainstack_sdk.machines.check.judge import Judge
    from chainstack_sdk.machines.check.trace import Step

MOST_LOOKS = 8
"""Configurations that are looked at for each transition."""

_BELOW_ZERO = ("sub", "decrease", "to_uint")
_OPERATIONS = {
    "add": "an addition",
    "increase": "an addition",
    "sub": "a subtraction",
    "decrease": "a subtraction",
    "mul": "a multiplication",
    "div": "a division by zero",
    "mod": "a division by zero",
    "neg": "a negation",
    "to_int": "a conversion",
    "to_uint": "a conversion",
}


def blocked(judge: Judge) -> Iterator[Finding]:
    """Yield the transitions that arithmetic can block, each once.

    A transition is blocked in a configuration when no call of it works and one ends in a panic that nobody
    can avoid: it depends on stored values alone, or every call ends so that works elsewhere in that state.

    It is an error when nothing that was tried makes it work again. It is a warning when it works again later,
    and when it refuses as ``require`` would: less is there than is taken, or the array is at its end.
    """
    for number in range(len(judge.machine.transitions)):
        found: dict[Severity, Finding] = {}
        looks = 0
        for at, node in judge.by_depth():
            for data, step in node.refused.get(number, {}).items():
                if data in PANICS and looks < MOST_LOOKS and "error" not in found:
                    looks += 1
                    finding = _look(judge, number, at, step)
                    if finding is not None:
                        found.setdefault(finding.severity, finding)
        yield from [found[each] for each in ("error", "warning") if each in found][:1]


def _look(judge: Judge, number: int, at: int, step: Step) -> Finding | None:
    transition, node = judge.machine.transitions[number], judge.nodes[at]
    culprit, data = judge.search.culprits.of(node.configuration, step)
    assert culprit is not None, "arithmetic goes wrong in the machine's own code"
    stored = not Influence(transition.function).reaches(values_of(culprit))
    elsewhere = any(number in each.worked and each.state == node.state for each in judge.nodes)
    only_panics = all(each in PANICS for each in node.refused[number])
    if not stored and not (only_panics and elsewhere):
        return None
    index = data[-1] == OUT_OF_BOUNDS
    refuses = index or culprit.op in _BELOW_ZERO
    for_good = not refuses and not _recovers(judge, number, at)
    what = "an index out of bounds" if index else _OPERATIONS[culprit.op]
    lasting = "for good" if for_good else "until something else happens" if not refuses else "as a refusal"
    return Finding(
        "error" if for_good else "warning",
        "overflow",
        transition.name,
        f"{what} blocks the transition by what the machine holds, {lasting}",
        "bound what is stored by require where it is stored, or require here what is needed",
        judge.shortest((*judge.search.way_to(at), step), traces.refused(judge.world, data)),
    )


def _recovers(judge: Judge, number: int, at: int) -> bool:
    """Tell whether a transition works again after a configuration, as far as the budget goes."""
    search = judge.search
    if at in search.back_from([each for each, node in enumerate(judge.nodes) if number in node.worked]):
        return True
    search.region(at, lambda node: number in node.worked)
    return at in search.back_from([each for each, node in enumerate(judge.nodes) if number in node.worked])
