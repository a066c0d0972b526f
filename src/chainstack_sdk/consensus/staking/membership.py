"""Committees of a live chain, and the validators that its engine asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.staking.committees import read_committee, read_hash
from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS, StateStorage
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.validators import Membership, ValidatorSet
    from chainstack_sdk.consensus.certified import Committees
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.core.state import State

_REMEMBERED = 16


class StateCommittees:
    """The committees in a contract of a state, which may change underneath.

    Parameters
    ----------
    state
        That of a chain's head, the object that the chain works on.
    address
        The contract, 20 bytes; the staking contract by default.
    """

    def __init__(self, state: State, address: bytes = STAKING_ADDRESS) -> None:
        self._storage = StateStorage(state, address)
        self._decoded: dict[bytes, ValidatorSet] = {}

    def at(self, slot: int) -> ValidatorSet:
        """Return the committee of a slot, as of the state.

        Raises
        ------
        InvalidInput
            When there is none: not elected yet, or no longer kept.
        """
        committee_hash = read_hash(self._storage, slot)
        known = self._decoded.get(committee_hash)
        if known is not None:
            return known
        committee = read_committee(self._storage, slot) if committee_hash != ZERO_HASH else None
        if committee is None:
            raise InvalidInput("the state holds no committee for this slot", slot=slot)
        if len(self._decoded) >= _REMEMBERED:
            self._decoded.clear()
        self._decoded[committee_hash] = committee
        return committee


class StakingMembership:
    """Who validates a height of a committee chain, and who proposes: what a BFT engine asks for.

    Parameters
    ----------
    terms
        What the chain's members agree on.
    committees
        Usually :class:`StateCommittees`.
    seed_of
        Returns the seed in the header of a height that the chain has, such as
        ``lambda height: chain.ledger.header(height).seed``.
    """

    def __init__(
        self, terms: CommitteeTerms, committees: Committees, seed_of: Callable[[int], bytes]
    ) -> None:
        self._terms = terms
        self._committees = committees
        self._seed_of = seed_of

    def validators(self, height: int) -> ValidatorSet:
        """Return the committee of the slot in which a height lies.

        Raises
        ------
        UsageError
            When it is not known.
        """
        try:
            return self._committees.at(self._terms.schedule.slot_of(height))
        except InvalidInput as error:
            raise UsageError("the validators of this height are not known", height=height) from error

    def proposer(self, height: int, round: int) -> bytes:
        """Return who proposes in a round of a height, 20 bytes.

        Raises
        ------
        UsageError
            When the committee or the parent of the height is not known.
        """
        return self._terms.leader(self.validators(height), self._seed_of(height - 1), height, round)


if TYPE_CHECKING:
    _committees: type[Committees] = StateCommittees
    _membership: type[Membership] = StakingMembership
