"""Which statement or expression of a machine refuses a call, and what it compared before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainstack_sdk.machines.check.world import World
from chainstack_sdk.machines.closures import COMPARE
from chainstack_sdk.machines.effects import Statements
from chainstack_sdk.machines.ir import Expression
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.check.world import Configuration
    from chainstack_sdk.machines.closures import Closure, Frame
    from chainstack_sdk.machines.effects import Action
    from chainstack_sdk.machines.ir import MachineIR, Statement

MOST_COMPARED = 3
"""Comparisons that are told."""


class Watched(Statements):
    """Makes closures that note where a call goes wrong, the innermost place first."""

    def __init__(self, machine: MachineIR) -> None:
        super().__init__(machine)
        self.found: Expression | Statement | None = None
        self.compared: list[tuple[Any, Any]] = []
        """The values on both sides of comparisons, the last one last."""

    def make(self, expression: Expression) -> Closure:
        """Return the closure of an expression."""
        if expression.op in COMPARE:
            return self._comparison(COMPARE[expression.op], *[self.make(each) for each in expression.args])
        made = super().make(expression)

        def watched(call: Call, frame: Frame) -> object:
            try:
                return made(call, frame)
            except (Reverted, ZeroDivisionError):
                self.found = self.found or expression
                raise

        return watched

    def _comparison(self, compare: Callable[[Any, Any], bool], one: Closure, other: Closure) -> Closure:
        def compared(call: Call, frame: Frame) -> bool:
            pair = one(call, frame), other(call, frame)
            self.compared.append(pair)
            return compare(*pair)

        return compared

    def act(self, statement: Statement) -> Action:
        """Return the closure of a statement."""
        made = super().act(statement)

        def watched(call: Call, frame: Frame) -> None:
            try:
                made(call, frame)
            except (Reverted, ZeroDivisionError):
                self.found = self.found or statement
                raise

        return watched


class Culprits:
    """Runs refused steps again to see what refuses them; made only when there is one to explain.

    Parameters
    ----------
    machine
        Which machine.
    """

    def __init__(self, machine: MachineIR) -> None:
        self._watched = Watched(machine)
        self._world = World(machine, self._watched)

    def of(self, configuration: Configuration, step: Step) -> tuple[Expression | Statement | None, bytes]:
        """Return what refuses a step, and the revert data.

        None instead of a place: not the machine's code, but its state, a role or a token.
        """
        refusal = self._refusal(configuration, step)
        return self._watched.found, refusal

    def compared(self, configuration: Configuration, step: Step) -> list[tuple[Any, Any]]:
        """Return what a step that is refused compared last, the very last first."""
        self._refusal(configuration, step)
        return self._watched.compared[: -MOST_COMPARED - 1 : -1]

    def _refusal(self, configuration: Configuration, step: Step) -> bytes:
        self._watched.found = None
        self._watched.compared.clear()
        self._world.load(configuration)
        return self._world.attempt(configuration, step).refusal


def values_of(culprit: Expression | Statement) -> tuple[Expression, ...]:
    """Return the expressions on which it depends whether a place refuses."""
    return (culprit,) if isinstance(culprit, Expression) else culprit.args
