"""What must hold in every run, checked after every event.

An invariant remembers what it has seen: each run needs its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.testing.sim.net import SimNet
    from chainstack_sdk.testing.sim.world import Commit

_SHOWN_LINES = 30


class InvariantViolation(AssertionError):
    """Something happened that must not. The text has the seed and the last events of the run."""

    def __init__(self, sim: SimNet, text: str) -> None:
        end = sim.timeline().tail(_SHOWN_LINES)
        super().__init__(f"{text} (seed {sim.seed}, after {sim.now_ms} ms)\n{end}")


class Invariant(Protocol):
    """Something that must hold throughout a run."""

    def check(self, sim: SimNet) -> None:
        """Look at what is new since the last call.

        Raises
        ------
        InvariantViolation
            When it does not hold.
        """
        ...


class Agreement:
    """No two honest nodes commit different blocks at a height, and none commits a height twice."""

    def __init__(self) -> None:
        self._seen = 0
        self._first: dict[int, Commit] = {}
        self._done: set[tuple[str, int]] = set()

    def check(self, sim: SimNet) -> None:
        """Look at the commits that are new since the last call."""
        for commit in _new(sim, self._seen):
            first = self._first.setdefault(commit.height, commit)
            place = (commit.node, commit.height)
            if place in self._done:
                raise InvariantViolation(sim, f"{commit.node} committed height {commit.height} twice")
            if first.block_hash != commit.block_hash:
                text = f"{first.node} and {commit.node} committed different blocks at height {commit.height}"
                raise InvariantViolation(sim, text)
            self._done.add(place)
        self._seen = len(sim.commits)


class Validity:
    """Honest nodes commit valid blocks only.

    Parameters
    ----------
    is_valid
        Tells whether what a node committed is valid, judged independently of the node.
    """

    def __init__(self, is_valid: Callable[[Commit], bool]) -> None:
        self._seen = 0
        self._is_valid = is_valid

    def check(self, sim: SimNet) -> None:
        """Look at the commits that are new since the last call."""
        for commit in _new(sim, self._seen):
            if not self._is_valid(commit):
                text = f"{commit.node} committed an invalid block at height {commit.height}"
                raise InvariantViolation(sim, text)
        self._seen = len(sim.commits)


class Termination:
    """Whenever no fault has begun or ended for a while, every honest node has made progress.

    Parameters
    ----------
    blocks
        By how many blocks every honest node that runs gets beyond where the first of them was, at the
        latest fault.
    within_ms
        In how much virtual time.
    """

    def __init__(self, blocks: int, within_ms: int) -> None:
        self._blocks = blocks
        self._within_ms = within_ms
        self._calm_since_ms = -1
        self._target = 0
        self._looked_at = -1

    def check(self, sim: SimNet) -> None:
        """Look once the time is over, or nothing will happen any more."""
        if sim.calm_since_ms != self._calm_since_ms:
            self._calm_since_ms = sim.calm_since_ms
            self._looked_at = -1
            self._target = max(map(sim.height, sim.honest), default=0) + self._blocks
        if sim.is_idle or sim.now_ms - sim.calm_since_ms > self._within_ms:
            for name in self._behind(sim):
                text = f"{name} is still at height {sim.height(name)} and not at {self._target}"
                raise InvariantViolation(sim, text)

    def is_reached(self, sim: SimNet) -> bool:
        """Tell whether all have made progress since the latest fault; asked after :meth:`check`."""
        if len(sim.commits) == self._looked_at:
            return False  # asked before, and nothing has been committed since
        self._looked_at = len(sim.commits)
        return not self._behind(sim)

    def _behind(self, sim: SimNet) -> list[str]:
        return [name for name in sim.honest if sim.node(name) is not None and sim.height(name) < self._target]


def _new(sim: SimNet, seen: int) -> list[Commit]:
    """Return the commits of honest nodes from number `seen` on."""
    commits = sim.commits
    if seen == len(commits):
        return []
    return [commit for commit in commits[seen:] if sim.is_honest(commit.node)]


if TYPE_CHECKING:
    _agreement: type[Invariant] = Agreement
    _validity: type[Invariant] = Validity
    _termination: type[Invariant] = Termination
