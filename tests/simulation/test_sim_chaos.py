"""Committees under random faults and fewer than a third of liars: no fork, and all recover.

Everything in a run follows from its seed, which a failure names. Agreement, validity and accountability are
checked after every event. 60 seeds by default, 2,000 for each size in the long mode; signatures are real.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from chainstack_sdk.testing.sim import Committee, SimNet, chaos

QUICK = {4: 40, 7: 20}
LONG, STEP = 2_000, 10
SIZES = tuple(QUICK)
COMMITTEES = {size: Committee(size) for size in SIZES}


def survive(size: int, seed: int) -> SimNet:
    """One run; pytest shows what is printed when it fails in whatever way."""
    print(f"committee of {size}, seed {seed}")
    sim = chaos(COMMITTEES[size], seed)
    assert len({sim.height(name) for name in sim.honest}) >= 1
    assert min(sim.height(name) for name in sim.honest) >= 2
    return sim


@pytest.mark.parametrize(
    ("size", "start"), [(size, start) for size, seeds in QUICK.items() for start in range(0, seeds, STEP)]
)
def test_committees_survive(size: int, start: int, first_seed: int) -> None:
    for seed in range(start, start + STEP):
        survive(size, first_seed + seed)


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, LONG, 10 * STEP))
@pytest.mark.parametrize("size", SIZES)
def test_committees_survive_much_more(size: int, start: int, first_seed: int) -> None:
    for seed in range(start, start + 10 * STEP):
        survive(size, first_seed + seed)


def test_there_are_enough_seeds() -> None:
    assert sum(QUICK.values()) == 60
    assert LONG == 2_000


@pytest.mark.parametrize("size", SIZES)
def test_a_seed_says_it_all(size: int, first_seed: int) -> None:
    digests = [survive(size, first_seed + seed).digest for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


PROGRAM = """
from chainstack_sdk.testing.sim import Committee, chaos, fork
committee = Committee(4)
print([chaos(committee, seed).digest.hex() for seed in (3, 4)], fork(committee, 0)[0].digest.hex())
"""


def test_a_seed_says_it_all_in_another_process_too() -> None:
    runs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(runs) == 1


def test_the_seeds_try_everything(first_seed: int) -> None:
    """The runs are not all of the harmless kind."""
    seen = set()
    for seed in range(12):
        sim = survive(4, first_seed + seed)
        seen |= set(sim.audit.counts)
        seen |= {"a liar"} if len(sim.honest) < len(sim.names) else {"no liar"}
    expected = {"crash", "restart", "lose", "duplicate", "block", "miss", "a liar", "no liar"}
    assert expected <= seen or first_seed
