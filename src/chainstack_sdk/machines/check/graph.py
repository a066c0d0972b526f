"""What a machine's declarations show without running it: what leads where, and what may leave on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.domain import HORIZON
from chainstack_sdk.machines.check.findings import Finding
from chainstack_sdk.machines.check.tree import pays, stored_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.machines.ir import MachineIR, Timer, Transition


class Graph:
    """The states of a machine and the arrows between them.

    Parameters
    ----------
    machine
        Which machine.
    """

    def __init__(self, machine: MachineIR) -> None:
        self.machine = machine
        self._stored = _settable(machine)
        self.arrows: dict[int, set[int]] = {at: set() for at in range(len(machine.states))}
        """By state: the states that may follow."""
        self._leaving: dict[int, frozenset[str]] = dict.fromkeys(self.arrows, frozenset())
        self.busy: set[int] = set()
        """States in which something can happen."""
        for transition in machine.transitions:
            if self.unset_role(transition) is None:
                for source in transition.sources:
                    target = source if transition.target is None else transition.target
                    self._add(source, target, pays(transition.function.body))
        for timer in machine.timers:
            if not never_due(timer):
                self._add(timer.source, timer.target, pays(timer.body))
        self.reachable = self.from_(0)
        """States that a deployed machine may come into."""

    def _add(self, source: int, target: int, leaving: frozenset[str]) -> None:
        self.arrows[source].add(target)
        self._leaving[source] |= leaving
        self.busy.add(source)

    def from_(self, state: int) -> set[int]:
        """Return the states that may follow a state sooner or later, itself included."""
        found, waiting = {state}, [state]
        while waiting:
            for target in sorted(self.arrows[waiting.pop()] - found):
                found.add(target)
                waiting.append(target)
        return found

    def may_leave(self, state: int) -> frozenset[str]:
        """Return what a machine may pay out from a state on: see :data:`~.tree.PAYING`."""
        return frozenset[str]().union(*[self._leaving[each] for each in self.from_(state)])

    def unset_role(self, transition: Transition) -> str | None:
        """Return the role of a transition when nothing ever says who it is."""
        if transition.role is None or transition.role in self._stored:
            return None
        return self.machine.fields[transition.role].name

    # Findings

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with the declarations."""
        machine = self.machine
        for number, state in enumerate(machine.states):
            if number not in self.reachable:
                yield Finding(
                    "error",
                    "unreachable-state",
                    state.name,
                    "nothing leads into this state",
                    f"give a transition or timer the target {state.name}, or remove the state",
                )
            elif not state.final and number not in self.busy:
                yield Finding(
                    "error",
                    "dead-end",
                    state.name,
                    "nothing can happen in this state, and it is not final",
                    f"add a transition or timer with the source {state.name}, or write State(final=True)",
                )
        for transition in machine.transitions:
            role = self.unset_role(transition)
            if role is not None:
                yield Finding(
                    "error",
                    "dead-end",
                    transition.name,
                    f"nobody can call this transition: nothing ever says who {role} is",
                    f"set self.{role} in __init__ or in a transition before",
                )
        for timer in machine.timers:
            yield from self._about(timer)

    def _about(self, timer: Timer) -> Iterator[Finding]:
        source = self.machine.states[timer.source].name
        if timer.source not in self.reachable:
            yield Finding(
                "error",
                "timer",
                timer.name,
                f"the timer never fires: nothing leads into its state {source}",
                f"give a transition the target {source}, or remove the timer",
            )
        for transition in self.machine.transitions:
            again = transition.target == timer.source and timer.source in transition.sources
            if again and transition.role is None and not transition.payable:
                yield put_off(self.machine, timer, transition)


def _settable(machine: MachineIR) -> frozenset[int]:
    """Return the fields that something writes which can be called: not only those who are to be named."""
    found = stored_fields([machine.constructor.body, *[each.body for each in machine.timers]])
    size = -1
    while size < len(found):
        size = len(found)
        callable_ = [each for each in machine.transitions if each.role is None or each.role in found]
        found |= stored_fields([each.function.body for each in callable_])
    return found


def put_off(machine: MachineIR, timer: Timer, transition: Transition) -> Finding:
    """Return the finding of a timer that begins anew with every call of a transition."""
    source = machine.states[timer.source].name
    return Finding(
        "warning",
        "timer",
        timer.name,
        f"anyone can put the timer off for ever: {transition.name} comes into {source} anew",
        "leave its target out, so that the machine stays in the state, or name a role in by=",
    )


def never_due(timer: Timer) -> bool:
    """Tell whether a timer has a constant delay that nobody lives to see."""
    return timer.delay.op == "const" and int(timer.delay.data) > HORIZON
