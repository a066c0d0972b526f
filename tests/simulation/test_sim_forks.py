"""With a third of the validators or more conspiring, forks happen, and name the conspirators."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.bft import Certificate, Evidence, validate_evidence
from chainstack_sdk.testing.sim import (
    Agreement,
    Committee,
    Conspiracy,
    InvariantViolation,
    equivocate,
    fork,
    other_block,
)

QUICK, LONG = 5, 200
COMMITTEES = {size: Committee(size) for size in (4, 7)}


def find_forks(size: int, first: int, count: int) -> int:
    """Run some seeds and return in how many there was a fork; every fork names its culprits."""
    committee, found = COMMITTEES[size], 0
    for seed in range(first, first + count):
        print(f"committee of {size}, seed {seed}")
        sim, blame = fork(committee, seed)
        for one, other in blame.forks:
            assert one.height == other.height
            assert one.block_hash != other.block_hash
        if blame.forks:
            found += 1
            named = {committee.name_of(address) for address in blame.blamed}
            assert named.isdisjoint(sim.honest)
            assert 3 * len(named) > size
    return found


@pytest.mark.parametrize("size", [4, 7])
def test_the_simulator_finds_forks(size: int, first_seed: int) -> None:
    assert find_forks(size, first_seed, QUICK) >= 1


@pytest.mark.long
@pytest.mark.parametrize("size", [4, 7])
def test_the_simulator_finds_many_forks(size: int, first_seed: int) -> None:
    assert find_forks(size, first_seed, LONG) > LONG // 2


def test_forks_across_rounds_are_found_and_explained() -> None:
    """Where the certificates are of different rounds, the votes between them name the culprits."""
    committee = COMMITTEES[4]
    for seed in range(100):
        _, blame = fork(committee, seed)
        for one, other in blame.forks:
            rounds = [Certificate.decode(commit.seal).round for commit in (one, other)]
            if rounds[0] != rounds[1]:
                assert len(blame.blamed) == 2
                return
    pytest.fail("no fork across rounds among the seeds")


def test_agreement_is_violated() -> None:
    committee = Committee(4)
    conspiracy = Conspiracy(["v0", "v1", "v2"], other_block)
    liars = {name: equivocate(committee, name, conspiracy) for name in ("v0", "v1")}
    sim = committee.simulate(4, faulty=liars, invariants=[Agreement()])
    with pytest.raises(InvariantViolation, match="committed different blocks") as caught:
        sim.run(20_000)
    assert "(seed 4, after " in str(caught.value)


def test_the_evidence_of_honest_nodes_convinces_others() -> None:
    committee = Committee(4)
    conspiracy = Conspiracy(["v0", "v1"], other_block)
    sim = committee.simulate(2, faulty={"v0": equivocate(committee, "v0", conspiracy)})
    sim.run(20_000, stop=lambda: any(sim.is_honest(found.node) for found in sim.accusations))
    evidence = next(found.evidence for found in sim.accusations if sim.is_honest(found.node))
    culprit = validate_evidence(Evidence.decode(evidence), committee.chain_id, committee.scheme)
    assert committee.name_of(culprit) == "v0"
