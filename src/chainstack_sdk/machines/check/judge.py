"""From what the search saw to findings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chainstack_sdk.machines.check import traces
from chainstack_sdk.machines.check.culprits import values_of
from chainstack_sdk.machines.check.domain import HORIZON, MOST_CALLERS
from chainstack_sdk.machines.check.findings import Finding
from chainstack_sdk.machines.check.graph import never_due, put_off
from chainstack_sdk.machines.check.people import STRANGERS
from chainstack_sdk.machines.check.search import PANICS
from chainstack_sdk.machines.check.trace import Ending, Step, Trace
from chainstack_sdk.machines.check.tree import Influence, acting_expressions, pays, statements_in
from chainstack_sdk.primitives.abi import decode_revert
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.machines.check.graph import Graph
    from chainstack_sdk.machines.check.search import Node, Search, Sight
    from chainstack_sdk.machines.check.traces import Holds
    from chainstack_sdk.machines.ir import Transition

MOST_REGIONS = 12
"""Configurations of which it is looked into why nothing is paid out, for each asset."""
YEAR = 366 * 86_400

_FINITE = ("bool", "enum")


class Judge:
    """Draws conclusions from a search.

    Parameters
    ----------
    search
        One that has run.
    graph
        What the declarations show.
    """

    def __init__(self, search: Search, graph: Graph) -> None:
        self.search, self.graph = search, graph
        self.world, self.machine = search.world, search.world.machine
        self.nodes = search.nodes

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with states, funds, invariants and timers."""
        yield from self._unreached()
        yield from self._left_behind()
        yield from self._locked_up()
        for sight in self.search.sights.values():
            yield from self._sighted(sight)
        yield from self._late_timers()
        yield from self._put_off()

    def notes(self) -> Iterator[str]:
        """Yield what was not seen."""
        search = self.search
        if not self.nodes:
            yield "no deployment that was tried is accepted: nothing of the machine was run"
            return
        worked = {each for node in self.nodes for each in node.worked}
        for number, transition in enumerate(self.machine.transitions):
            if number not in worked and search.tried[number]:
                reasons = [node.refused[number] for node in self.nodes if number in node.refused]
                told = dict.fromkeys([self._told(data) for each in reasons for data in each])
                yield (
                    f"{transition.name} was tried {search.tried[number]} times and never worked: "
                    f"{'; '.join(list(told)[:3])}"
                )
        for number in self._missed():
            if not self._shut(number):
                yield f"the search did not come into {self.machine.states[number].name}"

    def _told(self, data: bytes) -> str:
        return decode_revert(data, self.world.interface.errors) if data else "a token refuses"

    def by_depth(self) -> list[tuple[int, Node]]:
        """Return the nodes with their numbers, those with the shortest ways first."""
        return sorted(enumerate(self.nodes), key=lambda each: each[1].depth)

    def shortest(self, steps: Sequence[Step], holds: Holds) -> Trace:
        """Return the shortest trace that ends alike."""
        return traces.shortest(self.world, steps, holds)

    # States

    def _missed(self) -> list[int]:
        return sorted(self.graph.reachable - {node.state for node in self.nodes}) if self.nodes else []

    def _unreached(self) -> Iterator[Finding]:
        for number in self._missed():
            if self._shut(number):
                yield Finding(
                    "warning",
                    "unreachable-state",
                    self.machine.states[number].name,
                    "no call that was tried leads into this state",
                    "see whether the conditions of what leads there can hold",
                )

    def _shut(self, state: int) -> bool:
        """Tell whether the search has tried all, and nothing that was not tried leads into a state."""
        if not self.search.exhaustive or any(node.cut for node in self.nodes):
            return False
        return not any(
            node.state in transition.sources and self._might_work(node, number, transition)
            for number, transition in enumerate(self.machine.transitions)
            if transition.target == state
            for node in self.nodes
        )

    # Funds

    def _left_behind(self) -> Iterator[Finding]:
        """Funds where no statement pays any more."""
        seen = set()
        for number, node in self.by_depth():
            for asset, amount in node.holdings.items():
                if not amount or (node.state, asset) in seen or asset in self.graph.may_leave(node.state):
                    continue
                seen.add((node.state, asset))
                state = self.machine.states[node.state]
                where = f"the final state {state.name}" if state.final else f"state {state.name}"
                yield Finding(
                    "error",
                    "stuck-funds",
                    state.name,
                    f"{asset} can be left in {where}, from which no statement pays any out",
                    "pay out all that is held on the way into it, or refuse what is too much",
                    self.shortest(self.search.way_to(number), traces.held(self.world, node.state, asset)),
                )

    def _locked_up(self) -> Iterator[Finding]:
        """Funds that no sequence of calls pays out, though statements would."""
        for asset in self.nodes[0].holdings if self.nodes else ():
            paying = [at for at, node in enumerate(self.nodes) if asset in node.paid_out]
            way_out = self.search.back_from(paying)
            found: dict[int, Finding] = {}
            looked = 0
            for number, node in self.by_depth():
                known = node.state in found or asset not in self.graph.may_leave(node.state)
                if known or number in way_out or not node.holdings[asset] or looked >= MOST_REGIONS:
                    continue
                looked += 1
                region = self.search.region(number, partial(_pays_out, asset))
                refused = None if region is None else self._refused(region, asset)
                if region is not None and refused is not None:
                    cut = any(self.nodes[each].cut for each in region)
                    found[node.state] = self._lock(number, asset, refused, cut=cut)
            yield from found.values()

    def _lock(self, number: int, asset: str, refused: list[str], *, cut: bool) -> Finding:
        node = self.nodes[number]
        name = self.machine.states[node.state].name
        why = f", {' and '.join(refused)} always refused" if refused else ""
        limit = ", at least until more is paid in than was tried" if cut else ""
        return Finding(
            "warning" if cut else "error",
            "stuck-funds",
            name,
            f"{asset} can be locked up in state {name}: nothing that anybody calls pays any out{why}{limit}",
            "let somebody, or a timer, pay out what is held, whatever has happened",
            Trace(
                self.machine, self.search.way_to(number), Ending(name, "held", asset, node.holdings[asset])
            ),
        )

    def _refused(self, region: Sequence[int], asset: str) -> list[str] | None:
        """Return what would pay in a region and refuses; None when values that were not tried might help."""
        if any(
            each.op == "const" and each.type.kind == "address" for each in acting_expressions(self.machine)
        ):
            return None  # somebody of whom nothing is known
        told = []
        for node in (self.nodes[each] for each in region):
            for at, transition in enumerate(self.machine.transitions):
                if node.state not in transition.sources or at in node.worked:
                    continue
                if self._might_work(node, at, transition):
                    return None
                if asset in pays(transition.function.body):
                    told.append(transition.name)
        return list(dict.fromkeys(told))

    def _might_work(self, node: Node, number: int, transition: Transition) -> bool:
        """Tell whether a transition that was refused might work with what was not tried."""
        finite = all(each.type.kind in _FINITE for each in transition.function.parameters)
        facts = ("value", "caller") if len(self.world.cast.people) > MOST_CALLERS else ("value",)
        if finite and not transition.payable and "caller" not in facts:
            return False
        influence = Influence(transition.function, facts)
        for step in node.refused.get(number, {}).values():
            culprit, _ = self.search.culprits.of(node.configuration, step)
            if culprit is None or influence.reaches(values_of(culprit)):
                return True
        return False

    # What was seen on the way

    def _sighted(self, sight: Sight) -> Iterator[Finding]:
        steps = self.search.way_to(sight.node)
        if sight.step is not None:
            steps = (*steps, sight.step)
        match sight.kind:
            case "gained":
                yield Finding(
                    "error",
                    "open-money",
                    sight.name,
                    f"anyone may take {sight.asset}: somebody gains who paid nothing, holds no role and was "
                    "named by nobody",
                    "name a role in by=, or require that self.caller is owed it",
                    self.shortest(steps, traces.gained(self.world, sight.asset)),
                )
            case "again":
                yield Finding(
                    "error",
                    "open-money",
                    sight.name,
                    f"who is paid {sight.asset} once can be paid again and again: nothing is stored of it",
                    "store that it has been paid, such as self.owed[self.caller] = 0, before the transfer",
                    self.shortest(steps, traces.gained_again(self.world, sight.asset)),
                )
            case "seated":
                yield self._seated(sight, steps)
            case "lost":
                yield from self._lost(sight, steps)
            case "broken":
                yield Finding(
                    "error",
                    "invariant",
                    sight.name,
                    "the invariant does not hold, or cannot be computed",
                    "refuse the last call with require, or correct the invariant",
                    self.shortest(steps, traces.broken(self.world, sight.name)),
                )
            case _:
                yield self._stopped(sight, steps)

    def _seated(self, sight: Sight, steps: Sequence[Step]) -> Finding:
        role = self.machine.fields[sight.amount].name
        return Finding(
            "error",
            "open-money",
            sight.name,
            f"anyone may take the place of somebody in the role {role}, which pays {sight.asset} out",
            "name a role in by=, or require that self.caller may be put there",
            self.shortest(steps, traces.seated(self.world, sight.amount, sight.asset)),
        )

    def _lost(self, sight: Sight, steps: Sequence[Step]) -> Iterator[Finding]:
        bodies = {each.name: each.function.body for each in self.machine.transitions}
        bodies |= {each.name: each.body for each in self.machine.timers}
        to = [each.args[0] for each in statements_in(bodies[sight.name]) if each.op == "pay"]
        if any(each.op == "const" and each.data == ZERO_ADDRESS for each in to):
            return  # it burns coin in so many words
        yield Finding(
            "error",
            "stuck-funds",
            sight.name,
            "coin is paid to nobody: the recipient is the zero address, a field that was never set",
            "require that the field is set, or set it before",
            self.shortest(steps, traces.lost(self.world)),
        )

    def _stopped(self, sight: Sight, steps: Sequence[Step]) -> Finding:
        reason = self._told(sight.data)
        return Finding(
            "error",
            "overflow" if sight.data in PANICS else "timer",
            sight.name,
            f"the timer refuses to fire when it is due, and blocks the machine: {reason}",
            "let what a timer does always work: if instead of require, and never more than self.balance",
            self.shortest(steps, traces.stopped(self.world, sight.name)),
        )

    # Timers

    def _late_timers(self) -> Iterator[Finding]:
        for timer in self.machine.timers:
            soonest = self.search.due_in.get(timer.source)
            late = never_due(timer) or (soonest is not None and soonest > HORIZON)
            if timer.source not in self.graph.reachable or not late:
                continue
            name = self.machine.states[timer.source].name
            at = next((at for at, node in self.by_depth() if node.state == timer.source), None)
            trace = None
            if at is not None:
                steps = (*self.search.way_to(at), Step("wait", seconds=HORIZON))
                trace = Trace(self.machine, steps, Ending(name, "waiting"))
            yield Finding(
                "error",
                "timer",
                timer.name,
                f"the timer never fires: it is not due {HORIZON // YEAR} years after {name} began",
                "write the delay in seconds from when the state began, such as 7 * days",
                trace,
            )

    def _put_off(self) -> Iterator[Finding]:
        """Timers that a stranger puts off, again and again, with calls that need no coin."""
        for timer in self.machine.timers:
            for transition in self.machine.transitions:
                again = transition.target == timer.source and timer.source in transition.sources
                if (
                    again
                    and transition.payable
                    and any(self._is_second(each, transition) for each in self.nodes)
                ):
                    yield put_off(self.machine, timer, transition)

    def _is_second(self, node: Node, transition: Transition) -> bool:
        """Tell whether a stranger's call led here that needs no coin, and before it another such call."""
        if node.parent is None:
            return False
        for step in (node.step, self.nodes[node.parent].step):
            if step.function != transition.name or step.by not in STRANGERS or step.value:
                return False
        return True


def _pays_out(asset: str, node: Node) -> bool:
    return asset in node.paid_out
