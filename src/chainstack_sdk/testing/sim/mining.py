"""How long a search for a nonce takes in virtual time, and the search itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.election import LOG2_FRACTION_BITS, fixed_log2
from chainstack_sdk.consensus.work import MAX_TARGET, NONCES, DoubleSha256
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from random import Random

_DRAW_BITS = 64
_LN2 = 6_931_472
_LN2_SCALE = 10_000_000


def mining_ms(target: int, hashes_per_ms: int, rng: Random) -> int:
    """Draw how many milliseconds pass until a hash meets a target: at least 1, exponentially distributed.

    The mean is the number of hashes that the target takes on average, divided by those of a millisecond.

    Parameters
    ----------
    target
        The greatest hash, as a big-endian number, that counts.
    """
    # -ln u = -log2 u · ln 2, for u from 2^-64 to 1
    surprise = (_DRAW_BITS << LOG2_FRACTION_BITS) - fixed_log2(rng.getrandbits(_DRAW_BITS) + 1)
    hashes = (MAX_TARGET + 1) // (target + 1)
    return max(1, hashes * surprise * _LN2 // (_LN2_SCALE * hashes_per_ms) >> LOG2_FRACTION_BITS)


def find_nonce(block_hash: bytes, target: int, nonces: int = NONCES) -> int:
    """Return the lowest nonce whose double SHA-256 with a block hash meets a target.

    Raises
    ------
    UsageError
        When none of the first ``nonces`` does.
    """
    found = DoubleSha256().search(block_hash, 0, nonces, target, target)
    if found.nonce is None:
        raise UsageError("no nonce meets the target", target=target)
    return found.nonce
