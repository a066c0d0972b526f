"""Whole runs drawn from a seed: who breaks the rules, and how; what goes wrong, and when."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.network.node import Timing
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim.application import false_block, other_block
from chainstack_sdk.testing.sim.byzantine import Corrupt, Delay, Middleware, Replay, Split, Withhold
from chainstack_sdk.testing.sim.committee import twin_name
from chainstack_sdk.testing.sim.equivocation import Conspiracy, Equivocate, Fickle
from chainstack_sdk.testing.sim.faults import FaultPlan
from chainstack_sdk.testing.sim.invariants import Termination
from chainstack_sdk.testing.sim.links import PERMILLE, LinkFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.network.effects import Node
    from chainstack_sdk.testing.sim.accountability import Accountability
    from chainstack_sdk.testing.sim.committee import Committee
    from chainstack_sdk.testing.sim.net import SimNet

    Wrapper: TypeAlias = Callable[[Node], Node]

FAULTY_MS = 1_200
"""How long faults go on."""
CALM_MS = 60_000
"""How soon after the last fault all honest nodes must have made progress."""
BLOCKS = 2
"""How much progress."""
_LEAST_LATENCY_MS, _USUAL_LATENCY_MS = 20, 100
_USUAL_SHARES = (0, 0, 20, 100)
_WAITS_MS = (100, 200, 300)
"""Some are so short that rounds often end before a decision."""
_RESENDS_MS = (500, 1_000)
_PHASES = 4
_PHASE_MS = 200
_LATE_MS = 300


def chaos(committee: Committee, seed: int) -> SimNet:
    """Run a committee through faults and misbehaviour drawn from a seed, until it has recovered.

    Up to fewer than a third of the validators break the rules. Agreement, validity and accountability are
    checked after every event; also, that all honest validators commit two more blocks within a minute of
    virtual time after the last fault, and that none of them has signed a vote that breaks the rules.

    Parameters
    ----------
    committee
        Validators of equal weight.
    seed
        Everything follows from it.

    Returns
    -------
    SimNet
        The run, at its end.

    Raises
    ------
    InvariantViolation
        When something does not hold; its text has the seed.
    """
    rng = Random(f"{seed} chaos")
    most = committee.most_faulty
    culprits = sorted(rng.sample(committee.names, rng.choice((most, most, most, rng.randint(0, most)))))
    manners = {name: rng.choice(MANNERS) for name in culprits}
    trusted = {*culprits, *rng.sample(committee.names, len(committee.names) // 2)}
    conspiracy = Conspiracy(trusted, other_block)
    two_faced = [name for name in culprits if manners[name] == "twins"]
    everybody = [*committee.names, *map(twin_name, two_faced)]
    forgetful = [name for name in culprits if manners[name] == "forgetful"]
    faulty, twins = ({name: draw_split(rng, everybody) for name in two_faced} for _ in range(2))
    usual = LinkFaults(
        latency_ms=(_LEAST_LATENCY_MS, rng.randint(_LEAST_LATENCY_MS, _USUAL_LATENCY_MS)),
        loss=rng.choice(_USUAL_SHARES),
        duplication=rng.choice(_USUAL_SHARES),
        reordering=rng.choice(_USUAL_SHARES),
    )
    for name in culprits:
        if name not in two_faced and name not in forgetful:
            faulty[name] = draw_manner(manners[name], rng, committee, name, conspiracy)
    timing = Timing(rng.choice(_WAITS_MS), rng.choice(_WAITS_MS), rng.choice(_RESENDS_MS))
    sim = committee.simulate(seed, faulty=faulty, twins=twins, links=usual, timing=timing)
    plan = FaultPlan.draw(seed, sim.names, FAULTY_MS, forgetful=forgetful)
    plan.apply(sim)
    sim.run(plan.end_ms)
    recover(sim)
    committee.accountability().convict(sim)
    return sim


def fork(committee: Committee, seed: int, *, within_ms: int = 10_000) -> tuple[SimNet, Accountability]:
    """Let just too many validators conspire to make the others commit different blocks at one height.

    As few validators as are not fewer than a third deceive two halves of the honest ones: either as
    equivocators, or as twins on both sides of a partition. Only accountability is checked.

    Parameters
    ----------
    committee
        Validators of equal weight.
    seed
        Everything follows from it.
    within_ms
        How much virtual time they have; they do not always succeed.

    Returns
    -------
    tuple[SimNet, Accountability]
        The run, and what it proves: its ``forks`` are empty when they did not succeed.

    Raises
    ------
    InvariantViolation
        When a fork does not name more than a third of the weight, or an honest validator is accused.
    """
    rng = Random(f"{seed} fork")
    shuffled = rng.sample(committee.names, len(committee.names))
    count = committee.most_faulty + 1
    culprits, honest = shuffled[:count], shuffled[count:]
    middle = len(honest) // 2
    halves = honest[:middle], honest[middle:]
    blame = committee.accountability()
    if rng.randrange(2):
        both = dict.fromkeys(culprits, Middleware)
        sim = committee.simulate(seed, faulty=both, twins=both, invariants=[blame])
        sim.cut((*culprits, *halves[0]), (*map(twin_name, culprits), *halves[1]))
    else:
        conspiracy = Conspiracy({*culprits, *halves[0]}, other_block)
        liars = {name: equivocate(committee, name, conspiracy) for name in culprits}
        sim = committee.simulate(seed, faulty=liars, invariants=[blame])
    sim.run(within_ms, stop=lambda: bool(blame.forks))
    return sim, blame


def recover(sim: SimNet) -> None:
    """Run on until every honest node has made progress since the latest fault.

    Raises
    ------
    InvariantViolation
        When that takes longer than a minute of virtual time.
    """
    termination = Termination(BLOCKS, CALM_MS)
    sim.watch(termination)
    sim.run(sim.calm_since_ms + CALM_MS + 1, stop=lambda: termination.is_reached(sim))


MANNERS = (
    "twins",
    "forgetful",
    "equivocate",
    "fickle",
    "propose invalid blocks",
    "withhold",
    "corrupt",
    "replay",
    "delay",
    "silent",
)
"""The ways in which validators break the rules in :func:`chaos`."""


def draw_manner(manner: str, rng: Random, committee: Committee, name: str, conspiracy: Conspiracy) -> Wrapper:
    """Return what makes a validator break the rules in a manner of :data:`MANNERS` that takes one node.

    Parameters
    ----------
    manner
        Which.
    rng
        What its strength is drawn from.
    name
        The validator's.
    conspiracy
        What equivocators share.
    """
    share, seed = rng.randint(50, 900), rng.getrandbits(32)
    match manner:
        case "equivocate":
            return equivocate(committee, name, conspiracy)
        case "fickle":
            return equivocate(committee, name, Fickle(other_block, seed))
        case "propose invalid blocks":
            return equivocate(committee, name, Conspiracy({name}, false_block))
        case "withhold":
            return partial(Withhold, share=share, seed=seed)
        case "corrupt":
            return partial(Corrupt, share=share, seed=seed)
        case "replay":
            return partial(Replay, share=share, seed=seed)
        case "delay":
            return partial(Delay, delay_ms=rng.randint(1, _LATE_MS))
        case "silent":
            return partial(Withhold, share=PERMILLE, seed=seed)
    raise UsageError("there is no such manner of breaking the rules", actual=manner)


def equivocate(committee: Committee, name: str, conspiracy: Conspiracy) -> Wrapper:
    """Return what lets a validator of a committee tell the stories of a conspiracy."""
    others = [other for other in committee.names if other != name]
    return partial(
        Equivocate,
        signer=committee.accounts[name],
        chain_id=committee.chain_id,
        conspiracy=conspiracy,
        everybody=others,
    )


def draw_split(rng: Random, names: Sequence[str]) -> Wrapper:
    """Return what makes a node one of two twins: it deals with half of the nodes, every while with others."""
    script = tuple(tuple(rng.sample(names, len(names) // 2)) for _ in range(_PHASES))
    return partial(Split, script=script, phase_ms=_PHASE_MS)
