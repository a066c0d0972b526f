"""The search: configurations reached from deployments, step by step, and what is seen on the way.

It goes on from the configuration whose like has been visited least: same state, same kinds of holdings, same
fields in use. So rare places are come to early, and no counter that runs up keeps it busy. Nothing is left to
chance: the same machine is searched the same way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from itertools import product
from typing import TYPE_CHECKING

from chainstack_sdk.core.panics import DIVISION_BY_ZERO, OVERFLOW
from chainstack_sdk.machines.check.culprits import Culprits
from chainstack_sdk.machines.check.domain import MOST_PAYMENTS, Calls
from chainstack_sdk.machines.check.gaining import gains, gains_again, taken_seats
from chainstack_sdk.machines.check.hints import ROUNDS, variants
from chainstack_sdk.machines.check.world import deployment
from chainstack_sdk.machines.closures import OUT_OF_BOUNDS
from chainstack_sdk.machines.storage import since
from chainstack_sdk.primitives.abi import PANIC_SELECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.check.world import Configuration, Outcome, World
    from chainstack_sdk.machines.ir import Function

MOST_REGION = 400
"""Configurations in a region that is looked at as a whole."""
MOST_HINTED = 30
"""Configurations in which a refusal of a transition is looked into."""
MOST_REASONS = 4
"""Different refusals that are looked into at a time."""
MOST_DEPLOYMENTS = 4
"""Different deployments from which the search starts."""
DEPLOYED_COIN = (1_000, 1, 0)
"""Wei with which a machine is deployed whose constructor takes coin, besides what it asks for."""

PANICS = tuple(PANIC_SELECTOR + code.to_bytes(32) for code in (OVERFLOW, DIVISION_BY_ZERO, OUT_OF_BOUNDS))
"""Revert data of arithmetic that goes wrong."""


@dataclass(slots=True)
class Node:
    """A configuration and what is known of it."""

    configuration: Configuration
    state: int
    """Number of the machine's state."""
    parent: int | None
    step: Step
    """The step that first led here."""
    depth: int
    holdings: dict[str, int]
    parents: list[int] = field(default_factory=list)
    """All from which a step leads here."""
    children: list[int] = field(default_factory=list)
    expanded: bool = False
    cut: bool = False
    """Whether something was left out: a payment too many."""
    paid_out: frozenset[str] = frozenset()
    """What a step from here pays out."""
    worked: frozenset[int] = frozenset()
    """Numbers of transitions of which a call worked."""
    refused: dict[int, dict[bytes, Step]] = field(default_factory=dict)
    """By number of a transition of which no call worked: by revert data, the first call refused with it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Something seen on the way."""

    kind: str
    """``gained``, ``again``, ``seated``, ``lost``, ``broken`` or ``stopped``."""
    name: str
    """Of the transition, invariant or timer."""
    node: int
    """Where it began."""
    step: Step | None
    """What was done there; None: it is there already."""
    asset: str = "coin"
    amount: int = 0
    data: bytes = b""


class Search:
    """Explores the configurations of one machine.

    Parameters
    ----------
    world
        Where it runs.
    budget
        How many steps may be tried.
    """

    def __init__(self, world: World, budget: int) -> None:
        self.world, self.budget = world, budget
        self.calls = Calls(world)
        self.nodes: list[Node] = []
        self.steps = 0
        self.sights: dict[tuple[str, str], Sight] = {}
        """The first of each kind and name."""
        self.tried: Counter[int] = Counter()
        """By transition: how often it was tried."""
        self.due_in: dict[int, int] = {}
        """By state with a timer: the shortest delay seen, seconds."""
        self.hinted: Counter[tuple[str, bytes]] = Counter()
        """By function and refusal: how often it was looked into."""
        self._known: dict[tuple[object, ...], int] = {}
        self._alike: Counter[tuple[object, ...]] = Counter()
        self._queue: list[tuple[int, int, int]] = []

    @cached_property
    def culprits(self) -> Culprits:
        """What tells why a call is refused; made when it is first asked."""
        return Culprits(self.world.machine)

    @property
    def exhaustive(self) -> bool:
        """Whether nothing is left to expand."""
        return not self._queue

    def run(self) -> None:
        """Search until all is visited or two thirds of the budget are spent; the rest is for questions."""
        self._deploy()
        while self._queue and self.steps * 3 < self.budget * 2:
            self.expand(heappop(self._queue)[-1])

    def walk(self, choices: Sequence[int]) -> None:
        """Go on from a deployment by steps that are drawn, and look around where the walk ends.

        Parameters
        ----------
        choices
            Numbers: the first chooses the deployment, each other a step, among all that are tried there.
        """
        roots = [number for number, node in enumerate(self.nodes) if node.parent is None]
        if not roots or self.steps >= self.budget:
            return
        number = roots[choices[0] % len(roots)]
        for choice in choices[1:]:
            number = self._stroll(number, choice)
        if not self.nodes[number].expanded:
            self.expand(number)

    def _stroll(self, number: int, choice: int) -> int:
        configuration = self.nodes[number].configuration
        self.world.load(configuration)
        steps = [*self.calls.waits(configuration), *[step for _, step in self.calls.of(configuration, 2_000)]]
        if not steps:
            return number
        step = steps[choice % len(steps)]
        self.steps += 1
        return self._meet(number, step, self.world.attempt(configuration, step)) or number

    def _deploy(self) -> None:
        """Start from what breaks an invariant at once, the first that works, and what differs most."""
        world = self.world
        before = world.beginning()
        world.load(before)
        good: list[tuple[Step, Outcome]] = []
        refused: dict[bytes, Step] = {}
        coin = DEPLOYED_COIN if world.machine.payable else (0,)
        # the first is large enough to be divided
        arguments = self.calls.values.arguments(world.machine.constructor, deployed=True)
        for args, value in product(arguments, coin):
            step = deployment(args.values, value)
            self.steps += 1
            outcome = world.attempt(before, step)
            if outcome.after is not None:
                good.append((step, outcome))
            else:
                refused.setdefault(outcome.refusal, step)
        function, payable = world.machine.constructor, world.machine.payable
        if payable or not good:
            good += self._learn(before, refused, function, name="", payable=payable, rounds=2 * ROUNDS)
        broken = {step for step, outcome in good if outcome.after and any(world.broken(outcome.after))}
        seen: set[tuple[int, object]] = set()
        for _ in range(min(MOST_DEPLOYMENTS, len(good))):
            best = max(good, key=lambda each: (each[0] in broken, len(_choices(each[0]) - seen)))
            good.remove(best)
            seen |= _choices(best[0])
            self._meet(None, *best)

    def expand(self, number: int) -> None:
        """Try all steps from a node."""
        node, world = self.nodes[number], self.world
        node.expanded = True
        configuration = node.configuration
        worked: set[int] = set()
        world.load(configuration)
        due = world.due(configuration)
        if due is not None:
            delay = due - since(configuration.values[world.status])
            self.due_in[node.state] = min(delay, self.due_in.get(node.state, delay))
        for wait in self.calls.waits(configuration):
            self.steps += 1
            self._meet(number, wait, world.attempt(configuration, wait))
        for transition, step in self.calls.of(configuration):
            if step.value and configuration.paid >= MOST_PAYMENTS:
                node.cut = True
                continue
            self.steps += 1
            self.tried[transition] += 1
            outcome = world.attempt(configuration, step)
            if outcome.after is None:
                node.refused.setdefault(transition, {}).setdefault(outcome.refusal, step)
            else:
                worked.add(transition)
                self._meet(number, step, outcome)
        for transition in sorted(set(node.refused) - worked):
            found = self._try_harder(node, transition)
            for step, outcome in found:
                worked.add(transition)
                self._meet(number, step, outcome)
        node.worked = frozenset(worked)
        for transition in worked:
            node.refused.pop(transition, None)

    def _try_harder(self, node: Node, transition: int) -> list[tuple[Step, Outcome]]:
        """Vary calls of a transition that were all refused."""
        if node.configuration.paid >= MOST_PAYMENTS:
            return []
        made, refused = self.world.machine.transitions[transition], node.refused[transition]
        return self._learn(node.configuration, refused, made.function, name=made.name, payable=made.payable)

    def _learn(
        self,
        before: Configuration,
        refused: dict[bytes, Step],
        function: Function,
        *,
        name: str,
        payable: bool,
        rounds: int = ROUNDS,
    ) -> list[tuple[Step, Outcome]]:
        """Vary refused steps by what they were compared with, until some work; note new refusals.

        Each refusal of a function is looked into so many times and no more: most are rightly refused.
        """
        good: list[tuple[Step, Outcome]] = []
        known: set[bytes] = set()
        for _ in range(rounds):
            new = [each for each in refused if each not in known and self.hinted[(name, each)] < MOST_HINTED]
            known.update(new)
            for data in new[:MOST_REASONS]:
                self.hinted[(name, data)] += 1
                compared = self.culprits.compared(before, refused[data])
                self.world.load(before)
                for step in variants(refused[data], function, compared, self.world.cast, payable=payable):
                    self.steps += 1
                    outcome = self.world.attempt(before, step)
                    if outcome.after is not None:
                        good.append((step, outcome))
                    else:
                        refused.setdefault(outcome.refusal, step)
            if good:
                break
        return good

    def _meet(self, parent: int | None, step: Step, outcome: Outcome) -> int | None:
        """Take note of where a step leads and return the node; None when it was refused."""
        world, after = self.world, outcome.after
        if after is None:
            return None
        if parent is not None:
            self._watch(parent, step, after)
        key = world.key(after)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.nodes)
            depth = 0 if parent is None else self.nodes[parent].depth + 1
            node = Node(after, world.state_of(after), parent, step, depth, world.holdings(after))
            self.nodes.append(node)
            like = (node.state, *[bool(each) for each in node.holdings.values()], len(after.values))
            self._alike[like] += 1
            heappush(self._queue, (self._alike[like] + depth // 4, depth, number))
            for claim in world.broken(after):
                self._see(Sight("broken", claim, number, None))
            if parent is not None:
                world.load(self.nodes[parent].configuration)
        if parent is not None:
            self.nodes[number].parents.append(parent)
            self.nodes[parent].children.append(number)
        if outcome.stopped is not None:
            self._see(Sight("stopped", outcome.stopped, number, None, data=outcome.refusal))
        return number

    def _watch(self, parent: int, step: Step, after: Configuration) -> None:
        node, world = self.nodes[parent], self.world
        before, held = node.configuration, world.holdings(after)
        node.paid_out |= frozenset([each for each in held if held[each] < node.holdings[each]])
        lost = world.lost(after) - world.lost(before)
        if lost:
            name = step.function or self._timer(node.state)
            self._see(Sight("lost", name, parent, step, amount=lost))
        for sight in gains(world, before, step, after):
            self._see(Sight("gained", step.function, parent, step, *sight))
        for asset, at in taken_seats(world, before, step, after):
            if not any(each.kind == "wait" for each in self.way_to(parent)):
                self._see(Sight("seated", step.function, parent, step, asset, at))
        if node.step == step and node.parent is not None:
            earlier = self.nodes[node.parent].configuration
            for sight in gains_again(world, earlier, before, step, after):
                self._see(Sight("again", step.function, parent, step, *sight))

    def _timer(self, state: int) -> str:
        return next(each.name for each in self.world.machine.timers if each.source == state)

    def _see(self, sight: Sight) -> None:
        self.sights.setdefault((sight.kind, sight.name), sight)

    # What follows from what

    def way_to(self, number: int) -> tuple[Step, ...]:
        """Return the steps that lead to a node."""
        found: list[Step] = []
        at: int | None = number
        while at is not None:
            node = self.nodes[at]
            found.append(node.step)
            at = node.parent
        return tuple(reversed(found))

    def region(self, number: int, stop: Callable[[Node], bool]) -> list[int] | None:
        """Return all that follows from a node, which is expanded for that as far as the budget goes.

        Parameters
        ----------
        stop
            Tells of a node that the rest does not matter.

        Returns
        -------
        list[int] | None
            None when it stopped or the budget is spent. Where it ends for one payment too many is told by
            :attr:`Node.cut`.
        """
        found, waiting = [number], [number]
        for at in waiting:
            node = self.nodes[at]
            if not node.expanded and self.steps < self.budget:
                self.expand(at)
            if stop(node) or not node.expanded or len(found) > MOST_REGION:
                return None
            new = [each for each in dict.fromkeys(node.children) if each not in found]
            found += new
            waiting += new
        return found

    def back_from(self, numbers: Iterable[int]) -> set[int]:
        """Return the nodes from which steps lead to one of some nodes, these included."""
        found = set(numbers)
        waiting = sorted(found)
        while waiting:
            for each in self.nodes[waiting.pop()].parents:
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found


def _choices(deployed: Step) -> set[tuple[int, object]]:
    return {*enumerate(deployed.args), (-1, deployed.value)}
