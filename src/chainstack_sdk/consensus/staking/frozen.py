"""Frozen weights: what every candidate weighed at the end of a slot, by which the next one's end draws.

The committee of slot s + 2 is drawn at the end of slot s with a seed that the last block's builder knows. So
it is drawn by weights that were written down at the end of slot s - 1: what candidates do once the seed is in
sight weighs nothing. Kept is one list, two words for each candidate, overwritten at the end of every slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import Validator
from chainstack_sdk.consensus.election import Candidate, elect
from chainstack_sdk.consensus.staking.storage import FROZEN
from chainstack_sdk.core.native.slots import array_slot, following
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.staking.storage import Storage

MAX_FROZEN_WEIGHT = (1 << 96) - 1
"""Greater weights count as this one."""
_ADDRESS_BITS = 160
_ADDRESS_MASK = (1 << _ADDRESS_BITS) - 1
_WORDS = 2
"""Words of a candidate: ``account | weight << 160``, and the votes."""


@dataclass(frozen=True, slots=True)
class FrozenWeight:
    """What a candidate weighed at the end of a slot."""

    address: bytes
    """20 bytes."""
    weight: int
    """In the draw, from 0: see :mod:`~chainstack_sdk.consensus.reputation`."""
    votes: int
    """In a committee, from 1."""


def read_frozen(storage: Storage) -> list[FrozenWeight]:
    """Return the weights that were frozen last, in no particular order but the same everywhere."""
    found = []
    for index in range(storage.load(FROZEN)):
        word = _word(index)
        head, votes = storage.load(word), storage.load(following(word, 1))
        address = (head & _ADDRESS_MASK).to_bytes(20, "big")
        found.append(FrozenWeight(address, head >> _ADDRESS_BITS, votes))
    return found


def write_frozen(storage: Storage, weights: Sequence[FrozenWeight]) -> None:
    """Write weights over those that were frozen before, up to :data:`MAX_FROZEN_WEIGHT` each.

    Raises
    ------
    UsageError
        When a weight is negative.
    """
    for index, one in enumerate(weights):
        if one.weight < 0:
            raise UsageError("a weight is not negative", address=one.address, actual=one.weight)
        weight = min(one.weight, MAX_FROZEN_WEIGHT)
        _write(storage, index, int.from_bytes(one.address, "big") | weight << _ADDRESS_BITS, one.votes)
    for index in range(len(weights), storage.load(FROZEN)):
        _write(storage, index, 0, 0)
    _store_changed(storage, FROZEN, len(weights))


def draw(
    seed: bytes, slot: int, entrants: Sequence[tuple[FrozenWeight, bytes]], seats: int
) -> tuple[Validator, ...]:
    """Draw the members of a slot's committee by frozen weights; nobody where nobody weighs anything.

    Parameters
    ----------
    seed
        32 bytes.
    entrants
        Weights and registered VRF keys, 32 bytes.
    seats
        How many are drawn at most.
    """
    votes = {frozen.address: frozen.votes for frozen, _ in entrants}
    candidates = [Candidate(frozen.address, frozen.weight, vrf_key) for frozen, vrf_key in entrants]
    drawn = elect(seed, slot, candidates, seats)
    return tuple(Validator(one.address, votes[one.address], one.vrf_key) for one in drawn)


def _word(index: int) -> bytes:
    return array_slot(FROZEN, index * _WORDS)


def _write(storage: Storage, index: int, head: int, votes: int) -> None:
    word = _word(index)
    _store_changed(storage, word, head)
    _store_changed(storage, following(word, 1), votes)


def _store_changed(storage: Storage, slot: bytes, value: int) -> None:
    """Write a value where it changes one: most weights stay, and each write is hashed into the state."""
    if storage.load(slot) != value:
        storage.store(slot, value)
