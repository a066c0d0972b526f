"""Election: from a seed and weights to a committee, or to a leader, the same everywhere.

A committee is drawn *without replacement*, weighted: the first seat goes to each candidate with a chance in
proportion to its weight, the second likewise among the others, and so on. Efraimidis and Spirakis (Weighted
random sampling with a reservoir, 2006) do all draws at once, as an exponential race: every candidate gets a
number

::

    u    = keccak256("chainstack election" ‖ seed 32 ‖ slot u64 ‖ address 20), a 256-bit integer
    key  = -log2((u + 1) / 2^256) / weight

and the smallest keys win, in ascending order. A candidate's number depends on nobody else, so that who else
stands for election, or in which order they are listed, does not move it.

Integers only: the logarithm is taken in fixed point (:func:`fixed_log2`), and keys are compared by
cross-multiplication.

Caveat: candidates, weights and addresses must be fixed before the seed is known to anybody, its last proposer
included. Who may still register, or add to a stake, with the seed in hand tries addresses until one wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, TypeVar

from chainstack_sdk.consensus.octets import exact_bytes, uint_bytes
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG2_FRACTION_BITS = 64
"""Bits after the binary point of :func:`fixed_log2`."""
_MANTISSA_BITS = 63
_ELECTION_DOMAIN = b"chainstack election"
_LEADER_DOMAIN = b"chainstack leader"
_DRAW_BITS = 256
_WIDEST = _DRAW_BITS << LOG2_FRACTION_BITS
"""log2(2^256) in fixed point."""


class Weighted(Protocol):
    """Whoever may be drawn."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        ...

    @property
    def weight(self) -> int:
        """From 0."""
        ...


_W = TypeVar("_W", bound=Weighted)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One who stands for election."""

    address: bytes
    """20 bytes."""
    weight: int
    """From 0: see :mod:`~chainstack_sdk.consensus.reputation`."""
    vrf_key: bytes = b""
    """The registered public key for verifiable randomness, 32 bytes."""


def elect(seed: bytes, slot: int, candidates: Sequence[Candidate], size: int) -> tuple[Candidate, ...]:
    """Draw a committee without replacement, by weight.

    The result does not depend on the order of the candidates; of equal keys, the lower address comes first.
    Rounding misorders two candidates with a chance below 2^-61, whatever their weights, so that the chance
    of any committee out of 1024 candidates is within 2^-42 of the ideal one.

    Parameters
    ----------
    seed
        32 bytes that no candidate could choose.
    slot
        What the committee is for, below 2^64; one seed gives independent committees for different slots.
    candidates
        With different addresses. Those of weight 0 are never drawn.
    size
        Seats, from 0. With fewer candidates, all of them are drawn.

    Returns
    -------
    tuple
        The committee in the order of the draw.

    Raises
    ------
    UsageError
        When an argument does not fit, a weight is negative or two candidates have the same address.
    """
    if size < 0:
        raise UsageError("a committee has no negative number of seats", actual=size)
    prefix = _ELECTION_DOMAIN + exact_bytes(seed, 32, "seed") + uint_bytes(slot, 8, "slot")
    standing = _standing(candidates)
    race = [(_exponential(prefix + candidate.address), candidate) for candidate in standing]
    race.sort(key=cmp_to_key(_compare))
    return tuple(candidate for _, candidate in race[:size])


def seeded_leader(seed: bytes, height: int, round: int, validators: Sequence[Weighted]) -> bytes:
    """Draw one address for a round, in exact proportion to weight.

    A stream of keccak256("chainstack leader" ‖ seed 32 ‖ height u64 ‖ round u32 ‖ counter u32) is searched
    for the first integer below the greatest multiple of the total weight; its remainder, which is uniform,
    is looked up in the cumulative weights, addresses ascending. The order of `validators` does not matter.

    Parameters
    ----------
    seed
        32 bytes that no validator could choose.
    height, round
        What the leader is for: below 2^64 and 2^32.
    validators
        With different addresses and a total weight from 1 to 2^256.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    prefix = b"".join(
        (
            _LEADER_DOMAIN,
            exact_bytes(seed, 32, "seed"),
            uint_bytes(height, 8, "height"),
            uint_bytes(round, 4, "round"),
        )
    )
    standing = _standing(validators)
    total = sum(validator.weight for validator in standing)
    if not 0 < total <= 1 << _DRAW_BITS:
        raise UsageError("nobody can be drawn by such weights", total=total)
    place = _below(total, prefix)
    cumulative = iter(standing)
    leader = next(cumulative)
    while place >= leader.weight:
        place -= leader.weight
        leader = next(cumulative)
    return leader.address


def fixed_log2(number: int) -> int:
    """Return log2 of an integer, rounded down, in units of 2^-64.

    It never decreases when the number grows, is exact for powers of two, never exceeds the true logarithm
    and is less than 2^-61 below it.

    The mantissa, from 1 to below 2 with 63 bits after the point, is raised to the fourth power, which fits
    into 256 bits. How often that can be halved before it is below 2 is the next digit, two bits, of the
    logarithm, and what remains is the next mantissa. Powers, halving and rounding down keep the order of two
    mantissas, and where two numbers part, the greater has the greater digit. The rounding before digit i
    takes at most a part of 2^-63 from the mantissa, 4^-i · 2^-63 · log2(e) from the logarithm: together less
    than 2^-62. What is left after the last digit is less than 2^-64.

    Parameters
    ----------
    number
        At least 1.

    Raises
    ------
    UsageError
        When the number is not positive.
    """
    if number < 1:
        raise UsageError("only positive numbers have a logarithm", actual=number)
    result = number.bit_length() - 1
    mantissa = (number << _MANTISSA_BITS) >> result
    for _ in range(LOG2_FRACTION_BITS // 2):
        power = mantissa**4
        digit = power.bit_length() - 1 - 4 * _MANTISSA_BITS
        mantissa = power >> 3 * _MANTISSA_BITS + digit
        result = result << 2 | digit
    return result


def _standing(entrants: Sequence[_W]) -> list[_W]:
    """Return those with a positive weight, addresses ascending."""
    ordered = sorted(entrants, key=lambda entrant: entrant.address)
    for before, after in pairwise(ordered):
        if before.address == after.address:
            raise UsageError("somebody stands twice", address=after.address)
    if any(entrant.weight < 0 for entrant in ordered):
        raise UsageError("a weight is not negative", actual=min(entrant.weight for entrant in ordered))
    return [entrant for entrant in ordered if entrant.weight]


def _exponential(data: bytes) -> int:
    """Return -log2 of a number in (0, 1] that follows from the data, in units of 2^-64."""
    return _WIDEST - fixed_log2(int.from_bytes(keccak256(data), "big") + 1)


def _compare(one: tuple[int, Candidate], other: tuple[int, Candidate]) -> int:
    """Order by number / weight; the sort is stable and began with ascending addresses."""
    return one[0] * other[1].weight - other[0] * one[1].weight


def _below(total: int, prefix: bytes) -> int:
    """Return an integer from 0 to below the total, every one with the same chance."""
    limit = (1 << _DRAW_BITS) // total * total
    counter, draw = 0, limit
    while draw >= limit:  # refused with a chance below 1/2
        draw = int.from_bytes(keccak256(prefix + uint_bytes(counter, 4, "counter")), "big")
        counter += 1
    return draw % total
