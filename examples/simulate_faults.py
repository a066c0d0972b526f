"""Four validators under faults, then under conspirators: what holds, what breaks, and who is to blame."""

from chainstack_sdk.testing import Committee, FaultPlan, LinkFaults, chaos, fork

committee = Committee(
    4
)  # real engines, keys and signatures; the network, the clock and the faults are simulated


def one_decision() -> None:
    """Decide without faults, in three message delays: proposal, prevotes, precommits."""
    sim = committee.simulate(seed=1, links=LinkFaults(latency_ms=(20, 20)))
    sim.run(60)
    print("One decision, as v0 sees it:")
    for line in str(sim.timeline()).splitlines():
        if " v0 " in line:
            print(line)


def a_bad_day() -> None:
    """Run into crashes, partitions, storms and wrong clocks, all drawn from a seed; then recover."""
    sim = committee.simulate(seed=7)
    plan = FaultPlan.draw(7, sim.names, duration_ms=2_000)
    plan.apply(sim)
    sim.run(plan.end_ms)
    print("\nA bad day:", *plan.faults, sep="\n  ")
    sim.run(plan.end_ms + 3_000)
    print("heights afterwards:", {name: sim.height(name) for name in sim.names})


def many_bad_days() -> None:
    """Let at most one validator of four lie in each run, and check after every event that nothing breaks."""
    runs = [chaos(committee, seed) for seed in range(12)]
    events = sum(len(sim.audit.entries) for sim in runs)
    liars = sum(sim.honest != sim.names for sim in runs)
    print(
        f"\n{len(runs)} runs at random, {liars} of them with a liar: {events} events, no fork, all recovered"
    )
    print("the same seed gives the same run:", chaos(committee, 5).digest == runs[5].digest)


def too_many_liars() -> None:
    """Let two of four lie, which is too many. They cannot hide, though."""
    sim, blame = fork(committee, seed=2)
    one, other = blame.forks[0]
    print(f"\nTwo liars of four: after {sim.now_ms} ms a fork at height {one.height}")
    for commit in (one, other):
        print(f"  {commit.node} committed {commit.block_hash.hex()[:12]}")
    named = sorted(map(committee.name_of, blame.blamed))
    print("proven guilty by what they signed:", ", ".join(named))
    print("the liars were:", ", ".join(sorted(set(committee.names) - set(sim.honest))))


one_decision()
a_bad_day()
many_bad_days()
too_many_liars()
