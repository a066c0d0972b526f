"""What a check tells: findings, and the report with all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.machines.check.trace import Trace

Severity: TypeAlias = Literal["error", "warning"]
Kind: TypeAlias = Literal[
    "unreachable-state", "dead-end", "stuck-funds", "open-money", "timer", "overflow", "invariant"
]

KINDS: tuple[Kind, ...] = (
    "unreachable-state",
    "dead-end",
    "stuck-funds",
    "open-money",
    "timer",
    "overflow",
    "invariant",
)
"""All kinds, in the order in which a report shows them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a machine."""

    severity: Severity
    """``"error"``: a defect; ``"warning"``: may be meant so."""
    kind: Kind
    place: str
    """Name of the state, transition, timer or invariant."""
    message: str
    """What is wrong."""
    advice: str
    """What to write instead."""
    trace: Trace | None = None
    """A deployment and calls that lead there; None where the declarations alone show it."""
    filename: str | None = None
    line: int | None = None
    """Where the place is declared; None when the source is not at hand."""

    def as_test(self) -> str:
        """Return a Python module with one test that leads a chain in memory there, ready to run.

        Raises
        ------
        UsageError
            When the finding has no trace.
        """
        from chainstack_sdk.machines.check.as_test import test_of

        return test_of(self)

    def __str__(self) -> str:
        """Return ``[file:line: ]severity: kind: place: message; advice``, and the trace below."""
        where = "" if self.line is None else f"{self.filename}:{self.line}: "
        told = f"{where}{self.severity}: {self.kind}: {self.place}: {self.message}; {self.advice}"
        return told if self.trace is None else f"{told}\n{self.trace}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check."""

    machine: str
    """The machine's name."""
    findings: tuple[Finding, ...]
    """Errors first; the same machine has the same."""
    configurations: int
    """How many different configurations were reached: state, fields, balances."""
    steps: int
    """How many calls were tried."""
    budget: int
    """How many were allowed."""
    exhaustive: bool
    """Whether the search ended by itself: every configuration was visited that the tried values lead to."""
    notes: tuple[str, ...] = ()
    """What was not seen, and what limits the search."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that are defects."""
        return tuple([each for each in self.findings if each.severity == "error"])

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The other findings."""
        return tuple([each for each in self.findings if each.severity == "warning"])

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not self.errors

    def with_lines(self, filename: str, lines: Mapping[str, int]) -> CheckReport:
        """Return the report with the places of the findings in their source."""
        found = [
            replace(each, filename=filename, line=lines[each.place]) if each.place in lines else each
            for each in self.findings
        ]
        return replace(self, findings=tuple(found))

    def __str__(self) -> str:
        """Return a page to read."""
        reach = "all that the tried values lead to" if self.exhaustive else "not all there are"
        head = (
            f"{self.machine}: {len(self.errors)} errors, {len(self.warnings)} warnings\n"
            f"{self.configurations} configurations ({reach}), {self.steps} of at most {self.budget} steps"
        )
        return "\n".join([head, *[str(each) for each in self.findings], *[f"note: {x}" for x in self.notes]])
