"""The outcome of a ceremony: the next public polynomial, everybody's next shares, and who was exposed.

Of a selection of logs, ``needed`` of different places:

- In a generation the next polynomial is the sum of those dealt, and the new key the sum of their keys.
- In a resharing each is weighted by how much the value at its dealer's place counts towards the value at 0
  (Lagrange). Each has its dealer's share for its value at 0, so the weighted sum has there what all those
  shares stand for: the secret of the same key.

A player's next share is the same sum of the shares dealt to it. Where a log makes them public, those are the
ones that count: everybody has checked them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.log import Reveal
from chainstack_sdk.consensus.chainkey.polynomial import combine_public
from chainstack_sdk.primitives.bls import ORDER, lagrange_at_zero
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.log import DealerLog
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial


class MissingDealing(InvalidInput):
    """A player signed for shares that it does not have now; ``place`` tells whose."""


def combine_logs(ceremony: Ceremony, logs: Sequence[DealerLog]) -> PublicPolynomial:
    """Return the public polynomial of the next shares; recent answers are kept.

    Parameters
    ----------
    logs
        The selection: valid logs.

    Raises
    ------
    UsageError
        When they are not as many as needed, or two are of one place.
    InvalidInput
        When they would change the key, or add up to a polynomial of lower degree: not all were valid.
    """
    return _combined(ceremony, tuple(logs))


def derive_shares(
    ceremony: Ceremony,
    logs: Sequence[DealerLog],
    index: int,
    received: Mapping[int, tuple[bytes, tuple[int, ...]]],
) -> dict[int, int]:
    """Return a player's next shares by place, each checked against the next public polynomial.

    Parameters
    ----------
    logs
        The selection.
    index
        The player's, in the committee.
    received
        What the player signed for: by the dealer's place, the encoded commitments that the shares were
        checked against, and the shares, one for each of its seats. They count only where the log shows the
        same commitments: a dealer may log others than it sent to this player.

    Raises
    ------
    MissingDealing
        When shares were neither received nor made public.
    InvalidInput
        When a share is not on the next polynomial: what was received has been damaged since it was checked.
    UsageError
        As for :func:`combine_logs`.
    """
    polynomial = combine_logs(ceremony, logs)
    places = ceremony.player_seats.places(index)
    dealings = [_shares_dealt(log, index, len(places), received) for log in logs]
    weights = _weights(ceremony, logs)
    shares = {}
    for place, dealt in zip(places, zip(*dealings, strict=True), strict=True):
        share = sum(weight * part for weight, part in zip(weights, dealt, strict=True)) % ORDER
        if not polynomial.is_share(place, share):
            raise InvalidInput("a share is not on the polynomial", place=place)
        shares[place] = share
    return shares


def exposed_members(ceremony: Ceremony, logs: Sequence[DealerLog]) -> tuple[int, ...]:
    """Return the players, by index, whose shares count as public.

    A player's next share follows from what all dealers of the selection dealt to it. Faulty ones know what
    they dealt, and hold at most the seats to spare; so whoever was revealed in all other logs, or in as many,
    counts as exposed.
    """
    known = ceremony.needed - ceremony.dealer_seats.spare
    return tuple(
        index
        for index, count in enumerate(ceremony.player_seats.counts)
        if count and sum(isinstance(log.results[index], Reveal) for log in logs) >= known
    )


@lru_cache(maxsize=32)
def _combined(ceremony: Ceremony, logs: tuple[DealerLog, ...]) -> PublicPolynomial:
    places = {log.place for log in logs}
    if len(logs) != ceremony.needed or len(places) != len(logs):
        raise UsageError("a selection has the number of logs needed, of different places", actual=len(logs))
    parts = zip((log.commitments for log in logs), _weights(ceremony, logs), strict=True)
    polynomial = combine_public(list(parts))
    if ceremony.previous is not None and polynomial.key != ceremony.previous.key:
        raise InvalidInput("logs change the key")
    return polynomial


def _weights(ceremony: Ceremony, logs: Sequence[DealerLog]) -> tuple[int, ...]:
    if ceremony.is_generation:
        return (1,) * len(logs)
    return lagrange_at_zero(tuple(log.place for log in logs))


def _shares_dealt(
    log: DealerLog, index: int, seats: int, received: Mapping[int, tuple[bytes, tuple[int, ...]]]
) -> tuple[int, ...]:
    result = log.results[index]
    if isinstance(result, Reveal):
        return result.shares
    commitments, shares = received.get(log.place, (b"", ()))
    if commitments != log.commitments.encode() or len(shares) != seats:
        raise MissingDealing("shares that were signed for are not there", place=log.place)
    return shares
