"""Proof of work under certificates: what miners commit to, and whom a block pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.payouts import Payouts
from chainstack_sdk.consensus.work import (
    DoubleSha256,
    is_worked,
    parse_work_commitment,
    work_commitment,
)
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.staking.rules import Mining
    from chainstack_sdk.consensus.terms import WorkCheck
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header


class CommitteeWork:
    """The proof of work of a committee chain: a header commits to its difficulty and to a list of payouts.

    Serves as ``work`` of :class:`~chainstack_sdk.consensus.terms.CommitteeTerms` and as ``mining`` of
    :class:`~chainstack_sdk.consensus.staking.StakingRules`.

    Parameters
    ----------
    retarget
        How difficult a block must be.
    headers
        Returns the header with a hash of 32 bytes, or None; asked for ancestors only.
    work_hash
        What is hashed with.
    """

    def __init__(
        self,
        retarget: Retarget,
        headers: Callable[[bytes], Header | None],
        work_hash: WorkHash | None = None,
    ) -> None:
        self._retarget = retarget
        self._headers = headers
        self.work_hash: WorkHash = DoubleSha256() if work_hash is None else work_hash

    def difficulty(self, header: Header) -> int:
        """Return the expected number of hashes that a header commits to.

        Raises
        ------
        InvalidInput
            When it commits to none.
        """
        return parse_work_commitment(header.work_commitment)[0]

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check that a header commits to the difficulty that follows from its ancestors.

        Raises
        ------
        InvalidInput
            When it does not.
        """
        expected, actual = self._retarget.next_difficulty(parent, self._headers), self.difficulty(header)
        if actual != expected:
            raise InvalidInput(
                "wrong difficulty in a header", height=header.height, expected=expected, actual=actual
            )

    def validate_work(self, header: Header, nonce: int) -> None:
        """Check that a nonce does the work that the header commits to.

        Raises
        ------
        InvalidInput
            When it does not.
        """
        if not is_worked(header.hash, nonce, self.difficulty(header), self.work_hash):
            raise InvalidInput("the nonce does not do the work", height=header.height, nonce=nonce)

    def commitment(self, parent: Header, attachment: bytes) -> bytes:
        """Return the work commitment, 64 bytes, of a block on ``parent`` that carries these payouts.

        Raises
        ------
        InvalidInput
            When the payouts are malformed.
        """
        payouts = Payouts.decode(attachment)
        return work_commitment(self._retarget.next_difficulty(parent, self._headers), payouts.hash)

    def payees(self, attachment: bytes) -> Sequence[tuple[bytes, int]]:
        """Return addresses and weights of those who worked, as the payouts have them."""
        return Payouts.decode(attachment).entries


if TYPE_CHECKING:
    _check: type[WorkCheck] = CommitteeWork
    _mining: type[Mining] = CommitteeWork
