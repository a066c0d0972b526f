"""Bad input: every decoder, verifier and entrance, under thousands of damaged inputs.

To try the inputs of another seed, or those of a failure again: ``CHAINSTACK_FUZZ_SEED=7 pytest tests/fuzz``.
"""

from __future__ import annotations

import pytest
from fuzzing.harness import Target, fuzz
from fuzzing.targets import LONG_INPUTS, QUICK_INPUTS, TARGETS

LEAST_QUICK, LEAST_LONG = 5_000, 100_000


def inputs(per_share: int) -> int:
    return sum(per_share * target.share for target in TARGETS)


def test_there_are_enough_inputs() -> None:
    assert inputs(QUICK_INPUTS) >= LEAST_QUICK
    assert inputs(LONG_INPUTS) >= LEAST_LONG
    assert len({target.name for target in TARGETS}) == len(TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_inputs(target: Target, fuzz_seed: int) -> None:
    check(target, QUICK_INPUTS, fuzz_seed)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_many_damaged_inputs(target: Target, fuzz_seed: int) -> None:
    check(target, LONG_INPUTS, fuzz_seed + 1)


def check(target: Target, per_share: int, seed: int) -> None:
    outcome = fuzz(target, per_share * target.share, seed)
    assert outcome.accepted + outcome.refused == per_share * target.share
    # damage that a target never notices would show that it is not reached at all
    assert outcome.refused or not target.refusals
