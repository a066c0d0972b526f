"""Checks of messages before they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import SignedVote, content

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.messages import SignedMessage, SignedProposal
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import Membership, ValidatorSet


class Intake:
    """Tells which messages are to be believed; none of its answers raises for remote data.

    Parameters
    ----------
    chain_id
        The chain that signatures are bound to.
    membership
        Whose turn it is to propose.
    scheme
        Checks signatures.
    check_proposal
        A further condition on proposals, or None.
    """

    def __init__(
        self,
        chain_id: int,
        membership: Membership,
        scheme: Scheme,
        check_proposal: Callable[[SignedProposal], bool] | None,
    ) -> None:
        self._chain_id = chain_id
        self._membership = membership
        self._scheme = scheme
        self._check_proposal = check_proposal

    def is_entitled(self, message: SignedMessage, validators: ValidatorSet) -> bool:
        """Tell whether the sender is a validator of the height, and a proposer's turn it is."""
        if message.validator not in validators:
            return False
        if isinstance(message, SignedVote):
            return True
        proposal = message.proposal
        return self._membership.proposer(proposal.height, proposal.round) == message.validator

    def is_signed(self, message: SignedMessage) -> bool:
        """Tell whether the signature is the sender's; costs a recovery of the key."""
        digest = content(message).digest(self._chain_id)
        return self._scheme.signer(digest, message.signature) == message.validator

    def is_acceptable(self, message: SignedMessage) -> bool:
        """Tell whether a proposal meets the further condition; votes always do."""
        return (
            self._check_proposal is None or isinstance(message, SignedVote) or self._check_proposal(message)
        )
