"""The published fairness test: 10,000 elections with a fixed seed against exact chances, by chi-square.

docs/election.md shows counts and statistics, and must show these. With a fixed seed nothing here is a matter
of luck: a statistic beyond its critical value means that the draw is not what it is said to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import TypeVar

from chainstack_sdk.consensus.election import Candidate, elect, seeded_leader
from chainstack_sdk.primitives.keccak import keccak256

ELECTIONS = 10_000
SEATS = 4
SEED = keccak256(b"fairness")
WEIGHTS = range(1, 11)
STANDING = [Candidate(keccak256(bytes([weight]))[:20], weight) for weight in WEIGHTS]
WEIGHT_OF = {candidate.address: candidate.weight for candidate in STANDING}

# What chi-square exceeds with a chance of 0.001, by degrees of freedom. 9: the tables, such as NIST/SEMATECH
# e-Handbook of Statistical Methods, section 1.3.6.7.4. 182: the same integral, solved numerically.
CRITICAL = {9: 27.877, 182: 246.695}

PAGE = Path(__file__).parents[2] / "docs" / "election.md"

Committee = frozenset[int]
Outcome = TypeVar("Outcome", bound=Hashable)

IN_PROPORTION = {weight: Fraction(weight, sum(WEIGHTS)) for weight in WEIGHTS}


@cache
def drawn() -> tuple[Counter[int], Counter[Committee]]:
    """How often each weight had the first seat, and how often each committee was drawn."""
    first: Counter[int] = Counter()
    committees: Counter[Committee] = Counter()
    for slot in range(ELECTIONS):
        weights = [member.weight for member in elect(SEED, slot, STANDING, SEATS)]
        first[weights[0]] += 1
        committees[frozenset(weights)] += 1
    return first, committees


@cache
def exact() -> dict[Committee, Fraction]:
    """The chance of each committee: one seat after the other, by the definition, over all sets."""
    chances: dict[Committee, Fraction] = {frozenset(): Fraction(1)}
    for _ in range(SEATS):
        following: dict[Committee, Fraction] = {}
        for seated, chance in chances.items():
            left = [weight for weight in WEIGHTS if weight not in seated]
            for weight in left:
                larger = seated | {weight}
                following[larger] = following.get(larger, Fraction()) + chance * Fraction(weight, sum(left))
        chances = following
    return chances


def included(weights: Iterable[int]) -> Fraction:
    """The exact chance that all of these are drawn."""
    return sum((chance for seats, chance in exact().items() if seats.issuperset(weights)), Fraction())


def chi_square(observed: Counter[Outcome], chances: Mapping[Outcome, Fraction]) -> tuple[float, int]:
    """Pearson's statistic and its degrees of freedom; what is expected less than 5 times is put together."""
    assert sum(chances.values()) == 1
    pooled_seen = pooled_expected = statistic = 0.0
    cells = 0
    for outcome, chance in chances.items():
        expected = float(ELECTIONS * chance)
        if expected < 5:
            pooled_seen += observed[outcome]
            pooled_expected += expected
        else:
            statistic += (observed[outcome] - expected) ** 2 / expected
            cells += 1
    if pooled_expected:
        statistic += (pooled_seen - pooled_expected) ** 2 / pooled_expected
        cells += 1
    return statistic, cells - 1


def seats_of(weight: int) -> int:
    """In how many of the elections this weight was drawn."""
    return sum(count for seats, count in drawn()[1].items() if weight in seats)


def inclusion_statistic(chances: Mapping[int, Fraction]) -> float:
    """Return (O - E)' C^-1 (O - E) for how often each weight was drawn; chi-square of 9 degrees of freedom.

    Pearson's sum would be too small: the seats of one election are not drawn independently. So the exact
    covariance of being drawn stands in, without the last weight, whose count follows from the others'.
    """
    free = list(WEIGHTS)[:-1]
    offsets = [float(seats_of(weight) - ELECTIONS * chances[weight]) for weight in free]
    covariance = [
        [float(ELECTIONS * (included({a, b}) - included({a}) * included({b}))) for b in free] for a in free
    ]
    return sum(a * b for a, b in zip(offsets, solved(covariance, offsets), strict=True))


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return x with matrix · x = right, by Gauss-Jordan elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        pivot = max(range(column, len(rows)), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for index, row in enumerate(rows):
            if index != column:
                rows[index] = [a - row[column] * b for a, b in zip(row, rows[column], strict=True)]
    return [row[-1] for row in rows]


def test_the_exact_chances_are_those_of_drawing_without_replacement() -> None:
    assert len(exact()) == 210
    assert sum(exact().values()) == 1
    assert sum(included({weight}) for weight in WEIGHTS) == SEATS
    # one committee by hand: 10, 9, 8 and 7 in each of their 24 orders
    top = sum(
        Fraction(10 * 9 * 8 * 7, 55 * (55 - a) * (55 - a - b) * (55 - a - b - c))
        for a, b, c, _ in permutations((10, 9, 8, 7))
    )
    assert exact()[frozenset((10, 9, 8, 7))] == top


def test_one_seat_goes_in_proportion_to_weight() -> None:
    statistic, freedom = chi_square(drawn()[0], IN_PROPORTION)
    assert statistic < CRITICAL[freedom]
    assert published("the only seat", freedom, statistic)


def test_four_seats_include_each_as_often_as_they_should() -> None:
    statistic = inclusion_statistic({weight: included({weight}) for weight in WEIGHTS})
    assert statistic < CRITICAL[9]
    assert published("one of four seats", 9, statistic)


def test_four_seats_go_to_each_committee_as_often_as_they_should() -> None:
    statistic, freedom = chi_square(drawn()[1], exact())
    assert statistic < CRITICAL[freedom]
    assert published("all four seats", freedom, statistic)


def test_leaders_are_drawn_in_proportion_to_weight() -> None:
    leaders = (seeded_leader(SEED, height, 0, STANDING) for height in range(ELECTIONS))
    statistic, freedom = chi_square(Counter(WEIGHT_OF[leader] for leader in leaders), IN_PROPORTION)
    assert statistic < CRITICAL[freedom]
    assert published("the leader", freedom, statistic)


def test_unfair_draws_would_be_noticed() -> None:
    """The statistics have power: chances that are only somewhat wrong lie far beyond the critical values."""
    uniform = {weight: Fraction(1, 10) for weight in WEIGHTS}
    assert chi_square(drawn()[0], uniform)[0] > 10 * CRITICAL[9]
    off_by_one = {weight: Fraction(weight + 1, 65) for weight in WEIGHTS}
    assert chi_square(drawn()[0], off_by_one)[0] > 3 * CRITICAL[9]
    with_replacement = {weight: SEATS * IN_PROPORTION[weight] for weight in WEIGHTS}
    assert inclusion_statistic(with_replacement) > 10 * CRITICAL[9]


def test_the_published_counts_are_the_counted() -> None:
    for weight in WEIGHTS:
        first = f"{drawn()[0][weight]:,} | {float(ELECTIONS * IN_PROPORTION[weight]):,.1f}"
        seats = f"{seats_of(weight):,} | {float(ELECTIONS * included({weight})):,.1f}"
        assert f"| {weight} | {first} | {seats} |" in PAGE.read_text(encoding="utf-8")


def published(name: str, freedom: int, statistic: float) -> bool:
    row = f"| {name} | {freedom} | {statistic:.2f} | {CRITICAL[freedom]:.2f} |"
    return row in PAGE.read_text(encoding="utf-8")
