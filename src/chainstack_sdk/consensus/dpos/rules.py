"""What voted delegates do on the chain: reward and fees to the proposer, an election at each epoch's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.block_reward import BlockReward, ConstantReward
from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.consensus.dpos.storage import DELEGATION_ADDRESS
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.closing import NO_EXTRAS
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.dpos.parameters import DelegationParameters
    from chainstack_sdk.consensus.staking.storage import Storage
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.interfaces import ChainRules
    from chainstack_sdk.core.state import State

KEPT_EPOCHS = 4
"""How many epochs' delegates are in storage: the two to come, the present one and the one before."""


class DelegationRules:
    """Chain rules of voted delegates.

    The last block of epoch e elects the delegates of e + 2: the candidates with most votes, of equals the
    lower address. When nobody stands, those of e + 1 go on. A header commits to the newest delegates fixed
    once its block has run.

    Unless base fees are burnt, the supply at a height is that of genesis and ``reward.minted(height)``.

    Parameters
    ----------
    parameters
        Those of the genesis.
    reward
        What a block mints; 2 ether by default.
    burn_base_fee
        Destroy the base fees instead of paying them out.
    """

    def __init__(
        self,
        parameters: DelegationParameters,
        *,
        reward: BlockReward | None = None,
        burn_base_fee: bool = False,
    ) -> None:
        self.schedule = parameters.schedule
        self.reward: BlockReward = ConstantReward() if reward is None else reward
        self._seats = parameters.seats
        self._burn_base_fee = burn_base_fee

    def slot(self, height: int) -> int:
        """Return the epoch of a height."""
        return self.schedule.slot_of(height)

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return nothing: the seal says it all.

        Raises
        ------
        UsageError
            When there is an attachment.
        """
        if attachment:
            raise UsageError("blocks of this engine have no attachment", actual=attachment)
        return NO_EXTRAS

    def admit(self, state: State, sender: bytes) -> None:
        """Let everybody send."""

    def close(self, closing: Closing) -> None:
        """Pay the proposer; in the last block of an epoch hold the election.

        Raises
        ------
        InvalidInput
            When the block has an attachment, as nothing commits to one.
        """
        context, state = closing.context, closing.state
        if closing.extras.attachment:
            raise InvalidInput("blocks of this engine have no attachment", height=context.height)
        amount = self.reward.reward(context.height) + closing.fees(burn_base_fee=self._burn_base_fee)
        if amount:
            state.add_balance(context.proposer, amount)
        if self.schedule.is_last(context.height):
            storage = StateStorage(state, DELEGATION_ADDRESS)
            closing.next_committee_hash = self._elect(storage, self.slot(context.height) + 2).hash
        elif closing.parent.height:
            closing.next_committee_hash = closing.parent.next_committee_hash  # none is newer
        else:
            closing.next_committee_hash = delegates_of(StateStorage(state, DELEGATION_ADDRESS), 1).hash

    def _elect(self, storage: Storage, epoch: int) -> ValidatorSet:
        """Fix the delegates of an epoch and forget those that nobody asks for any more."""
        votes = {one: layout.read_record(storage, one).votes for one in layout.read_candidates(storage)}
        elected = sorted(votes, key=lambda address: (-votes[address], address))[: self._seats]
        if not elected:
            elected = [member.address for member in delegates_of(storage, epoch - 1)]
        layout.write_delegates(storage, epoch, elected)
        storage.store(layout.NEWEST_EPOCH, epoch)
        if epoch >= KEPT_EPOCHS:
            layout.write_delegates(storage, epoch - KEPT_EPOCHS, ())
        return delegates_of(storage, epoch)


def delegates_of(storage: Storage, epoch: int) -> ValidatorSet:
    """Return the delegates of an epoch from the delegation contract's storage.

    Raises
    ------
    UsageError
        When they are not there.
    """
    delegates = layout.read_delegates(storage, epoch)
    if delegates is None:
        raise UsageError("this chain's genesis has no delegation contract", epoch=epoch)
    return delegates


if TYPE_CHECKING:
    _check: type[ChainRules] = DelegationRules
