"""The turn of a slot: what a committee did becomes reputation, another is drawn, and weights are frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.reputation import next_performance
from chainstack_sdk.consensus.staking.committees import (
    KEPT_SLOTS,
    delete_committee,
    read_committee,
    read_missed,
    write_committee,
)
from chainstack_sdk.consensus.staking.contract import UNBONDING_SLOTS
from chainstack_sdk.consensus.staking.frozen import FrozenWeight, draw, read_frozen, write_frozen
from chainstack_sdk.consensus.staking.parameters import StakingParameters
from chainstack_sdk.consensus.staking.registry import (
    Status,
    candidates,
    read_validator,
    write_standing,
)
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.primitives.errors import InvariantBroken

if TYPE_CHECKING:
    from chainstack_sdk.consensus.reputation import Reputation
    from chainstack_sdk.core.state import State


def fold_performance(state: State, slot: int, blocks: int) -> None:
    """Let the reputation of a slot's committee follow what it signed, once all its certificates are known.

    Parameters
    ----------
    blocks
        How many certificates that were.
    """
    storage = StateStorage(state)
    for address, missed in read_missed(storage, slot):
        record = read_validator(storage, address)
        if record.is_liable:
            record.performance = next_performance(record.performance, blocks - missed, blocks)
            write_standing(storage, address, record)


def elect_committee(state: State, slot: int, seed: bytes) -> None:
    """Draw the committee of a slot by the weights that were frozen last, and forget the oldest committee.

    Left out is who has unregistered or was slashed since. Whoever is registered has been so without a break
    since the weights were frozen, as coming back takes more than a slot: so it has the key that it had then,
    and no smaller deposit.

    With nobody to be drawn (nobody has stood long enough, or has any weight), the committee of the slot
    before serves on. Deposits of members that have unregistered then stay locked for as much longer.

    Parameters
    ----------
    seed
        32 bytes.
    """
    storage = StateStorage(state)
    entrants = []
    for frozen in read_frozen(storage):
        record = read_validator(storage, frozen.address)
        if record.status == Status.REGISTERED:
            entrants.append((frozen, record.vrf_key))
    members = draw(seed, slot, entrants, StakingParameters.read(storage).committee_size)
    write_committee(storage, slot, ValidatorSet(members) if members else _serve_on(storage, slot))
    if slot >= KEPT_SLOTS:
        delete_committee(storage, slot - KEPT_SLOTS)


def freeze_weights(state: State, reputation: Reputation) -> None:
    """Write down what each candidate weighs now, for the draw at the end of the next slot.

    Both its weight in the draw and that of its vote are fixed here. Deposits and transactions are those of
    the slot's last block, which this belongs to; the performance includes the slot before this one, as the
    last certificate of this slot is yet to come.
    """
    storage = StateStorage(state)
    parameters = StakingParameters.read(storage)
    weights = []
    for address in candidates(storage):
        record = read_validator(storage, address)
        weight = reputation.weight(record.deposit, record.performance, state.nonce(address))
        weights.append(FrozenWeight(address, weight, parameters.voting_weight(record.deposit)))
    write_frozen(storage, weights)


def _serve_on(storage: StateStorage, slot: int) -> ValidatorSet:
    committee = read_committee(storage, slot - 1)
    if committee is None:
        raise InvariantBroken("a slot is without a committee", slot=slot - 1)
    for member in committee:
        record = read_validator(storage, member.address)
        if record.status == Status.UNREGISTERED:
            record.unlock_slot = max(record.unlock_slot, slot + UNBONDING_SLOTS)
            write_standing(storage, member.address, record)
    return committee
