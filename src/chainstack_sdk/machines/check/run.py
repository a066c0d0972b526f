"""Checking a machine: declarations, then a bounded exhaustive search, then long walks drawn by hypothesis."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.blocked import blocked
from chainstack_sdk.machines.check.findings import KINDS, CheckReport
from chainstack_sdk.machines.check.graph import Graph
from chainstack_sdk.machines.check.judge import Judge
from chainstack_sdk.machines.check.search import Search
from chainstack_sdk.machines.check.walks import walk
from chainstack_sdk.machines.check.world import World
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.machines.check.findings import Finding
    from chainstack_sdk.machines.ir import MachineIR

BUDGET = 20_000
"""Steps that a check tries at most, if not told otherwise: about two seconds."""
QUICK_BUDGET = 2_000
"""Steps that are tried before a deployment."""
WALKS = 40
"""Walks that hypothesis draws."""


def check_machine(machine: MachineIR, *, budget: int = BUDGET, walks: int = WALKS) -> CheckReport:
    """Look for defects in a machine.

    The same machine has the same report. A report without findings is no proof: see its notes, and whether
    the search was exhaustive.

    Parameters
    ----------
    machine
        Which machine.
    budget
        Steps that the search tries at most. A little more may be tried, for the last configuration is tried
        as a whole, and by the walks.
    walks
        Long walks that hypothesis draws where the search has not visited everything; 0: none.

    Raises
    ------
    UsageError
        When the budget or the number of walks is negative.
    """
    if budget < 0 or walks < 0:
        raise UsageError("a budget is not negative", budget=budget, walks=walks)
    graph = Graph(machine)
    search = Search(World(machine), budget)
    search.run()
    exhaustive, notes = search.exhaustive, []
    if walks and not exhaustive and not walk(search, walks):
        notes.append("hypothesis is not installed: no long walks were tried; install chainstack-sdk[check]")
    judge = Judge(search, graph)
    found = [*graph.findings(), *judge.findings(), *blocked(judge)]
    return CheckReport(
        machine.name,
        tuple(sorted(found, key=_order)),
        len(search.nodes),
        search.steps,
        budget,
        exhaustive,
        (*judge.notes(), *notes),
    )


@lru_cache(maxsize=256)
def quick_check(machine: MachineIR) -> CheckReport:
    """Check a machine before it is deployed, once in a process: a small budget and no walks."""
    return check_machine(machine, budget=QUICK_BUDGET, walks=0)


def _order(finding: Finding) -> tuple[bool, int]:
    return finding.severity != "error", KINDS.index(finding.kind)
