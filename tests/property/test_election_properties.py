"""Elections and rewards over arbitrary weights: order, monotony, bounds, every wei."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.consensus.election import (
    LOG2_FRACTION_BITS,
    Candidate,
    elect,
    fixed_log2,
    seeded_leader,
)
from chainstack_sdk.consensus.reputation import MAX_PERFORMANCE, StakePerformanceActivity, next_performance
from chainstack_sdk.consensus.rewards import SharedRewards

seeds = st.binary(min_size=32, max_size=32)
slots = st.integers(0, 2**64 - 1)
weights = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.integers(0, 2**200))
some_candidates = st.lists(
    st.builds(Candidate, st.binary(min_size=20, max_size=20), weights),
    max_size=30,
    unique_by=lambda c: c.address,
)
numbers = st.integers(0, 256).flatmap(lambda bits: st.integers(1, 1 << bits))


@given(numbers, numbers)
def test_the_logarithm_keeps_the_order(one: int, other: int) -> None:
    if one <= other:
        assert fixed_log2(one) <= fixed_log2(other)
    else:
        assert fixed_log2(one) >= fixed_log2(other)


@given(numbers)
def test_the_logarithm_is_as_accurate_as_promised(number: int) -> None:
    with localcontext() as context:
        context.prec = 80
        true = Decimal(number).ln() / Decimal(2).ln() * 2**LOG2_FRACTION_BITS
        assert -Decimal("1e-40") <= true - fixed_log2(number) < 8


@given(st.integers(1, 2**256), st.integers(0, 300))
def test_the_logarithm_of_neighbours_and_multiples(number: int, shift: int) -> None:
    assert fixed_log2(number) <= fixed_log2(number + 1)
    assert fixed_log2(number << shift) == fixed_log2(number) + (shift << LOG2_FRACTION_BITS)


@given(st.integers(1, 2**256), st.integers(1, 2**256))
def test_logarithms_of_products_add_up(one: int, other: int) -> None:
    """Each lies at most 8 units below the truth: 2^-61 in units of 2^-64."""
    excess = fixed_log2(one * other) - fixed_log2(one) - fixed_log2(other)
    assert -8 <= excess <= 16


@given(seeds, slots, some_candidates, st.integers(0, 35), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(seed, slot, candidates, size, random) -> None:
    committee = elect(seed, slot, candidates, size)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert elect(seed, slot, shuffled, size) == committee
    able = [candidate for candidate in candidates if candidate.weight]
    assert len(committee) == len(set(committee)) == min(size, len(able))
    assert set(committee) <= set(able)


@given(seeds, slots, some_candidates, st.integers(0, 35))
def test_a_smaller_committee_is_the_beginning_of_a_larger(seed, slot, candidates, size) -> None:
    assert elect(seed, slot, candidates, size) == elect(seed, slot, candidates, len(candidates))[:size]


@given(seeds, slots, some_candidates.filter(bool), st.data())
def test_who_else_stands_does_not_change_the_order_of_the_others(seed, slot, candidates, data) -> None:
    leaving = data.draw(st.sampled_from(candidates))
    whole = elect(seed, slot, candidates, len(candidates))
    others = [candidate for candidate in candidates if candidate != leaving]
    assert elect(seed, slot, others, len(others)) == tuple(c for c in whole if c != leaving)


@given(seeds, slots, some_candidates.filter(bool), st.data())
def test_more_weight_never_harms(seed, slot, candidates, data) -> None:
    index = data.draw(st.integers(0, len(candidates) - 1))
    before = elect(seed, slot, candidates, len(candidates))
    old = candidates[index]
    new = Candidate(old.address, old.weight + data.draw(st.integers(1, 2**64)))
    after = elect(seed, slot, [*candidates[:index], new, *candidates[index + 1 :]], len(candidates))
    assert old not in before or after.index(new) <= before.index(old)


@given(seeds, slots, some_candidates, st.integers(1, 2**64))
def test_only_the_proportion_of_weights_matters(seed, slot, candidates, factor) -> None:
    scaled = [Candidate(candidate.address, candidate.weight * factor) for candidate in candidates]
    addresses = [candidate.address for candidate in elect(seed, slot, candidates, 30)]
    assert [candidate.address for candidate in elect(seed, slot, scaled, 30)] == addresses


@given(seeds, slots, st.integers(0, 2**32 - 1), some_candidates, st.randoms(use_true_random=False))
def test_a_leader_has_weight_whatever_the_order(seed, height, round, candidates, random) -> None:
    able = {candidate.address for candidate in candidates if candidate.weight}
    if able:
        leader = seeded_leader(seed, height, round, candidates)
        random.shuffle(candidates)
        assert seeded_leader(seed, height, round, candidates) == leader
        assert leader in able


# Reputation and rewards

REPUTATION = StakePerformanceActivity(minimum_deposit=32)
records = st.tuples(st.integers(0, 2**100), st.integers(0, MAX_PERFORMANCE), st.integers(0, 2**64 - 1))


@given(records, records)
def test_reputation_grows_with_each_of_its_parts(one, other) -> None:
    lower, higher = (tuple(map(choose, one, other)) for choose in (min, max))
    assert 0 <= REPUTATION.weight(*lower) <= REPUTATION.weight(*higher) <= 2**32 * 1250


@given(records, st.integers(2, 50))
def test_dividing_a_stake_gains_nothing(record, parts) -> None:
    """Beyond the rounding below one per unit, which falls the other way."""
    stake, performance, sent = record
    whole = REPUTATION.weight(stake, performance, sent)
    assert whole == 2**32 * performance * (1000 + min(sent, 250)) // 1000 or (
        REPUTATION.weight(stake // parts, performance, sent) * parts <= whole
    )


@given(st.integers(0, MAX_PERFORMANCE), st.integers(0, 500), st.integers(0, 500))
def test_performance_goes_an_eighth_of_the_way(old: int, signed: int, missed: int) -> None:
    new = next_performance(old, signed, signed + missed)
    if not signed + missed:
        assert new == old
        return
    seen = MAX_PERFORMANCE * signed // (signed + missed)
    assert min(old, seen) <= new <= max(old, seen)
    exact = Fraction(7 * old + seen, 8)
    assert new == (math.ceil(exact) if seen > old else math.floor(exact))


@given(
    st.integers(0, 10**30),
    st.lists(st.binary(min_size=20, max_size=20), min_size=1, max_size=40, unique=True),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.data(),
)
def test_every_wei_has_an_owner(amount, members, more, absent, extra, data) -> None:
    percent = data.draw(st.integers(0, 100))
    policy = SharedRewards(
        miner_percent=percent, signed=absent + more, absent=absent, proposer_extra=max(extra, not absent)
    )
    signers = data.draw(st.sets(st.sampled_from(members)))
    proposer = data.draw(st.sampled_from(members))
    miners, part = policy.divide(amount)
    assert miners + part == amount
    assert miners == amount * percent // 100
    shares = policy.verifier_shares(part, members, signers, proposer)
    assert sum(share for _, share in shares) == part
    assert [address for address, _ in shares] == [member for member in members if member in dict(shares)]
    of = dict.fromkeys(members, 0) | dict(shares)
    others = [member for member in members if member != proposer]
    assert len({of[member] for member in others if member in signers}) <= 1
    assert len({of[member] for member in others if member not in signers}) <= 1
    total = sum(
        (policy.signed if member in signers else absent) + (member == proposer) * policy.proposer_extra
        for member in members
    )
    for member in others:
        assert of[member] == part * (policy.signed if member in signers else absent) // total
    own = (policy.signed if proposer in signers else absent) + policy.proposer_extra
    assert 0 <= of[proposer] - Fraction(part * own, total) < len(members)
