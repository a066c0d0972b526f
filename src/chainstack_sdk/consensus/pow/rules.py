"""What proof of work does on the chain: difficulty and payouts into the header, coin to whoever worked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.block_reward import BlockReward, ConstantReward
from chainstack_sdk.consensus.payouts import Payouts, split, validate_payouts
from chainstack_sdk.consensus.work import work_commitment
from chainstack_sdk.core.closing import HeaderExtras
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.closing import Closing
    from chainstack_sdk.core.interfaces import ChainRules
    from chainstack_sdk.core.state import State


class WorkRules:
    """Chain rules of proof of work.

    A block's attachment is an encoded list of :class:`~chainstack_sdk.consensus.payouts.Payouts`. The reward
    and the fees are divided among those on it, or go to the proposer when it is empty. Unless base fees are
    burnt, the supply at a height is that of genesis and ``reward.minted(height)``.

    Parameters
    ----------
    retarget
        How difficult a block has to be.
    headers
        Returns the header of a block of the chain by its hash, or None.
    reward
        What a block mints; 2 ether by default.
    burn_base_fee
        Destroy the base fees instead of paying them out.
    """

    def __init__(
        self,
        retarget: Retarget,
        headers: Callable[[bytes], Header | None],
        *,
        reward: BlockReward | None = None,
        burn_base_fee: bool = False,
    ) -> None:
        self.retarget = retarget
        self.reward: BlockReward = ConstantReward() if reward is None else reward
        self._headers = headers
        self._burn_base_fee = burn_base_fee

    def slot(self, height: int) -> int:
        """Return 0: there are no committees."""
        return 0

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return the work commitment, and the payouts as attachment.

        Raises
        ------
        UsageError
            When the attachment is not an encoded list of payouts.
        """
        try:
            payouts = Payouts.decode(attachment)
        except InvalidInput as error:
            raise UsageError(f"the attachment is not a list of payouts: {error}") from error
        difficulty = self.retarget.next_difficulty(parent.header, self._headers)
        commitment = work_commitment(difficulty, payouts.hash)
        return HeaderExtras(work_commitment=commitment, attachment=attachment)

    def admit(self, state: State, sender: bytes) -> None:
        """Let everybody send."""

    def close(self, closing: Closing) -> None:
        """Divide reward and fees among those that the block pays.

        Raises
        ------
        InvalidInput
            When the attachment is not the list of payouts that the header commits to.
        """
        extras, context = closing.extras, closing.context
        payouts = validate_payouts(extras.work_commitment, extras.attachment)
        amount = self.reward.reward(context.height) + closing.fees(burn_base_fee=self._burn_base_fee)
        for address, wei in split(amount, payouts.entries or ((context.proposer, 1),)):
            if wei:
                closing.state.add_balance(address, wei)


if TYPE_CHECKING:
    _check: type[ChainRules] = WorkRules
