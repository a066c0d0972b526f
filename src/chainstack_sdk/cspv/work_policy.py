"""What a verifier of work demands, and what it believes of the attacker.

=====================  =====  =====================================================================
field                  bytes
=====================  =====  =====================================================================
soundness bits             2  a fork that is mostly fake passes with a chance below 2^-bits a try
share                   1, 1  numerator and denominator of c: what part of a fork can be real work
confirmations              4  the last blocks, all of which are checked; a proven block is below them
parts                      4  no block holds more than 1/parts of the work from it to the end
minimum work              32  less work than this is not this chain, or not all of it
=====================  =====  =====================================================================

All integers are big-endian. Bits and share together ask for no more than 65,536 draws of any chain
(:mod:`~chainstack_sdk.cspv.work_sampling`): a proof can claim whatever work it likes before it is found out.

**The attacker.** From where it leaves the honest chain on, it does real work at ``m`` times the pace of the
honest miners, ``m < c``, and fills up its fork with blocks without work. That a mere third of the honest
pace yields half of their work, by luck, gets rarer with the number of blocks which that takes. Miners choose
timestamps and so bend the difficulty; a few very hard blocks would do in place of many. ``parts`` stops
that: as no block holds more than ``1 / parts`` of a fork, at least ``c * parts`` real blocks are needed,
which succeeds with a chance of at most ``exp(-c * parts * (ln(c / m) - 1 + m / c))`` (Chernoff). With the
defaults and m = 1/10 that is 2^-14, without counting that as much work as all of the last blocks hold has to
be done for one try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.cspv.work_sampling import sample_count
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.format import Reader

POLICY_BYTES = 44
MAX_DRAWS = 1 << 16
"""How many places a verifier looks at in the longest chain there can be: some tenths of a second."""
_MOST_WORK = (1 << 256) - 1


@dataclass(frozen=True, slots=True)
class WorkPolicy:
    """The demands of a verifier.

    Raises
    ------
    UsageError
        When a number does not fit or makes no sense.
    """

    soundness_bits: int = 50
    """From 1 to 65,535, as far as :data:`MAX_DRAWS` allows: with the default share to 370."""
    share: tuple[int, int] = (1, 2)
    """Numerator and denominator of c, above 0 and below 1; each at most 255."""
    confirmations: int = 100
    """From 1 to 2^32 - 1."""
    parts: int = 25
    """From 1 to the number of confirmations. With constant difficulty any number holds; the default lets a
    block be four times as hard as the last ones on average."""
    minimum_work: int = 0
    """Expected hashes, below 2^256."""

    def __post_init__(self) -> None:
        real, whole = self.share
        if not (0 < self.soundness_bits < 1 << 16 and 0 < real < whole < 1 << 8):
            raise UsageError("sampling needs a number of bits, and a share between 0 and 1", share=self.share)
        if sample_count(_MOST_WORK, 1, self.soundness_bits, self.share) > MAX_DRAWS:
            raise UsageError("so many bits take too many draws", expected=MAX_DRAWS, share=self.share)
        if not 1 <= self.parts <= self.confirmations < 1 << 32:
            raise UsageError("parts are at most as many as confirmations", parts=self.parts)
        if not 0 <= self.minimum_work < 1 << 256:
            raise UsageError("the least work is a number of 32 bytes", actual=self.minimum_work)

    def to_bytes(self) -> bytes:
        """Return the 44 bytes of the table above."""
        return b"".join(
            (
                self.soundness_bits.to_bytes(2, "big"),
                bytes(self.share),
                self.confirmations.to_bytes(4, "big"),
                self.parts.to_bytes(4, "big"),
                self.minimum_work.to_bytes(32, "big"),
            )
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When the bytes end early.
        UsageError
            When a number makes no sense.
        """
        bits, real, whole = reader.number(2), reader.number(1), reader.number(1)
        return cls(bits, (real, whole), reader.number(4), reader.number(4), reader.number(32))
