"""Where a verifier of work looks: FlyClient's sampling (IACR eprint 2019/226, section 5), in whole numbers.

All work of a chain is laid on a line from 0 (genesis) to ``total``. The last blocks, whose work is ``tail``,
are checked one by one. Below them positions are drawn: with u uniform in [0, 1),

::

    position = total - total * (tail / total) ** u

so that the density at x grows as 1 / (total - x). A fork that starts anywhere and of whose work at most the
share ``c`` is real is then hit by one draw with a chance of at least ``1 / k``, where ``k = log(total /
tail) / log(1 / c)``: the same wherever it starts. So many draws are made that all of them miss with a chance
below ``2 ** -bits``::

    draws = ceil(bits / log2(k / (k - 1))) + 1           none when tail >= c * total

The number of bits, the share and the shape of the line are the verifier's. The draws follow from the newest
block and its nonce, the work itself: to draw again, one has to do the work of that block again.

Logarithms and powers are fixed point numbers in units of 2^-64. The one draw that is added makes up for their
rounding.

**Caveats.** The chance is per attempt: who makes g newest blocks has g attempts. The policy of an anchor
keeps the newest block from being a cheap one.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.election import LOG2_FRACTION_BITS, fixed_log2
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOMAIN = b"chainstack work samples"
_ONE = 1 << LOG2_FRACTION_BITS
_FRACTION = _ONE - 1
_POWER_BITS = 128


def _tables() -> tuple[tuple[int, ...], ...]:
    """Return for each byte of a fraction the powers 2^-x of its values x, with 128 bits after the point."""
    tables = []
    root = 1 << _POWER_BITS - 1
    for _ in range(LOG2_FRACTION_BITS // 8):
        for _ in range(8):
            root = isqrt(root << _POWER_BITS)
        powers = [1 << _POWER_BITS]
        while len(powers) < 256:
            powers.append(powers[-1] * root >> _POWER_BITS)
        tables.append(tuple(powers))
    return tuple(tables)


_TABLES = _tables()


def scaled_down(value: int, exponent: int) -> int:
    """Return ``value / 2 ** exponent`` rounded down, the exponent being in units of 2^-64.

    The result is at most 1, and a part of 2^-60, below the true one.

    Parameters
    ----------
    value, exponent
        From 0.
    """
    power = 1 << _POWER_BITS
    for powers, byte in zip(_TABLES, (exponent & _FRACTION).to_bytes(8, "big"), strict=True):
        power = power * powers[byte] >> _POWER_BITS
    return value * power >> _POWER_BITS + (exponent >> LOG2_FRACTION_BITS)


def sample_count(total: int, tail: int, bits: int, share: tuple[int, int]) -> int:
    """Return how many positions are drawn.

    Parameters
    ----------
    total, tail
        Work of the whole chain and of the blocks at its end that are all checked: ``0 < tail < total``.
    bits
        The chance that a fork is missed is below ``2 ** -bits``.
    share
        Numerator and denominator of c: at most this much of a fork's work is real.

    Raises
    ------
    UsageError
        When a number is out of range.
    """
    real, whole = share
    if not (0 < tail < total and bits > 0 and 0 < real < whole):
        raise UsageError("there is nothing to sample by such numbers", total=total, tail=tail)
    spread = fixed_log2(total) - fixed_log2(tail)
    step = fixed_log2(whole) - fixed_log2(real)
    if spread <= step:
        return 0
    of_one = fixed_log2(spread) - fixed_log2(spread - step)
    return -(-(bits << LOG2_FRACTION_BITS) // max(of_one, 1)) + 1


def sample_positions(seed: bytes, count: int, total: int, tail: int) -> tuple[int, ...]:
    """Return the positions, each from 0 to below ``total - tail``, in the order of the draws.

    Draw i takes for u the first eight bytes of ``keccak256("chainstack work samples" ‖ seed ‖ i u32)``.

    Parameters
    ----------
    seed
        What the draws follow from: hash and nonce of the newest block, 40 bytes.
    count
        How many, below 2^32.
    total, tail
        As for :func:`sample_count`.
    """
    return tuple(drawn_positions(seed, count, total, tail))


def drawn_positions(seed: bytes, count: int, total: int, tail: int) -> Iterator[int]:
    """Yield what :func:`sample_positions` returns, one draw at a time.

    For verifiers: how many draws there are follows from numbers that are not proven, and a fork mostly fails
    at its first.
    """
    spread = fixed_log2(total) - fixed_log2(tail)
    for at in range(count):
        draw = int.from_bytes(keccak256(_DOMAIN + seed + at.to_bytes(4, "big"))[:8], "big")
        yield min(total - scaled_down(total, draw * spread >> LOG2_FRACTION_BITS), total - tail - 1)
