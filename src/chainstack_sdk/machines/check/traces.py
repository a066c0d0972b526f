"""From what the search saw to traces: as short as they get, and run again before they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.check.gaining import gains, taken_seats
from chainstack_sdk.machines.check.trace import Ending, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.machines.check.trace import Step
    from chainstack_sdk.machines.check.world import Configuration, Outcome, World

    Replayed: TypeAlias = "tuple[Configuration, Outcome]"
    Holds: TypeAlias = Callable[[Configuration, Step, Outcome], Ending | None]


def replay(world: World, steps: Sequence[Step]) -> Replayed | None:
    """Run steps from the deployment on; return where the last began and what came of it.

    None, when a step before the last is refused.
    """
    before, outcome = world.beginning(), None
    for step in steps:
        if outcome is not None:
            if outcome.after is None:
                return None
            before = outcome.after
        world.load(before)
        outcome = world.attempt(before, step)
    return None if outcome is None else (before, outcome)


def shortest(world: World, steps: Sequence[Step], holds: Holds) -> Trace:
    """Return a trace without the steps that it can do without.

    Parameters
    ----------
    steps
        A way that ends as it should.
    holds
        Tells from the last step how a trace ends; None when not as it should.
    """
    kept = list(steps)
    ending = _ending(world, kept, holds)
    assert ending is not None, "the search saw it"
    at = len(kept) - 2
    while at > 0:
        tried = kept[:at] + kept[at + 1 :]
        found = _ending(world, tried, holds)
        if found is not None:
            kept, ending = tried, found
        at -= 1
    return Trace(world.machine, tuple(kept), ending)


def _ending(world: World, steps: Sequence[Step], holds: Holds) -> Ending | None:
    found = replay(world, steps)
    return None if found is None else holds(found[0], steps[-1], found[1])


# How traces end


def held(world: World, state: int, asset: str) -> Holds:
    """Return what holds when the machine is in a state and has something."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        after = outcome.after
        if after is None or world.state_of(after) != state:
            return None
        amount = world.holdings(after)[asset]
        return Ending(_name(world, after), "held", asset, amount) if amount else None

    return holds


def gained(world: World, asset: str) -> Holds:
    """Return what holds when the last caller has gained what it had no right to."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        if outcome.after is None:
            return None
        found = dict(gains(world, before, step, outcome.after))
        return Ending(_name(world, outcome.after), "gained", asset, found[asset]) if asset in found else None

    return holds


def gained_again(world: World, asset: str) -> Holds:
    """Return what holds when the last caller has gained by a call of which nothing is stored."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        after = outcome.after
        if after is None or world.stored(before) != world.stored(after):
            return None
        amount = world.holdings(after, world.cast.address[step.by])[asset] - world.first_holdings[asset]
        return Ending(_name(world, after), "gained", asset, amount) if amount > 0 else None

    return holds


def seated(world: World, role: int, asset: str) -> Holds:
    """Return what holds when the last caller has taken somebody's place in a role."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        after = outcome.after
        if after is None or (asset, role) not in taken_seats(world, before, step, after):
            return None
        at = world.members(after, role).index(world.cast.address[step.by])
        return Ending(_name(world, after), "seated", amount=int.from_bytes(world.slots(role)[at]))

    return holds


def lost(world: World) -> Holds:
    """Return what holds when coin went to nobody in the last step."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        after = outcome.after
        if after is None or world.lost(after) == world.lost(before):
            return None
        return Ending(_name(world, after), "lost", "coin", world.lost(after))

    return holds


def broken(world: World, name: str) -> Holds:
    """Return what holds when an invariant does not."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        if outcome.after is None or name not in world.broken(outcome.after):
            return None
        return Ending(_name(world, outcome.after), "broken", name=name)

    return holds


def stopped(world: World, name: str) -> Holds:
    """Return what holds when a timer is due and refuses to fire."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        if outcome.after is None or outcome.stopped != name:
            return None
        return Ending(_name(world, outcome.after), "stopped", data=outcome.refusal)

    return holds


def refused(world: World, data: bytes) -> Holds:
    """Return what holds when the last step is refused with this data."""

    def holds(before: Configuration, step: Step, outcome: Outcome) -> Ending | None:
        if outcome.after is not None or outcome.refusal != data:
            return None
        return Ending(_name(world, before), "refused", data=data)

    return holds


def _name(world: World, configuration: Configuration) -> str:
    return world.machine.states[world.state_of(configuration)].name
