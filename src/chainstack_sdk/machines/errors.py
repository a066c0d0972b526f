"""What goes wrong between a machine's source and a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.machines.check import CheckReport


class CompileError(UsageError):
    """The source is not in the language.

    Parameters
    ----------
    message
        What is wrong, and what to write instead.
    filename, line, column
        Where; lines and columns from 1.
    """

    def __init__(self, message: str, *, filename: str, line: int, column: int) -> None:
        super().__init__(message, filename=filename, line=line, column=column)

    def __str__(self) -> str:
        """Return the error as compilers show theirs: ``file:line:column: message``."""
        return f"{self.filename}:{self.line}:{self.column}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.message, self.filename, self.line, self.column)


class InvalidMachine(InvalidInput):
    """A tree or an encoding breaks a rule of the language."""


class DefectiveMachine(UsageError):
    """A machine is not deployed because a check finds errors in it.

    Parameters
    ----------
    report
        What the check tells.
    """

    def __init__(self, report: CheckReport) -> None:
        self.report = report
        found = [f"{each.kind} of {each.place} ({each.message})" for each in report.errors]
        super().__init__(
            f"{report.machine} has defects: {'; '.join(found)}. Its check() shows how to come there; "
            "deploy(..., unchecked=True) deploys it all the same"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return DefectiveMachine, (self.report,)


def _again(message: str, filename: str, line: int, column: int) -> CompileError:
    return CompileError(message, filename=filename, line=line, column=column)
