"""What the handles need of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.core.queries import FoundLog, TopicFilter
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.keys import Signer


class ContractHost(Protocol):
    """A chain, or a connection to one, that sends transactions and answers queries."""

    def send_call(
        self, sender: Signer, to: bytes, data: bytes, *, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Sign and send a transaction, wait until it is in a block, and return its receipt.

        Parameters
        ----------
        to
            The contract, 20 bytes.
        data
            Call data.
        value
            Wei for the contract.
        gas
            Gas limit; found by the host when not given.

        Raises
        ------
        Reverted
            When the transaction failed; carries the revert data.
        Rejected
            When it may not run at all.
        """
        ...

    def call(
        self, to: bytes, data: bytes, *, sender: bytes = ZERO_ADDRESS, block: int | None = None
    ) -> bytes:
        """Run a call on the state of a block, by default the newest, and return its ABI-encoded result.

        Raises
        ------
        Reverted
            When the contract refuses; carries the revert data.
        """
        ...

    def logs(
        self,
        address: bytes | Sequence[bytes] = (),
        topics: Sequence[TopicFilter] = (),
        first: int = 0,
        last: int | None = None,
    ) -> list[FoundLog]:
        """Return the logs that match, in chain order.

        Parameters
        ----------
        address
            The emitting contract, or several; empty means any.
        topics
            By position; see :data:`~chainstack_sdk.core.queries.TopicFilter`.
        first, last
            Heights, both included.
        """
        ...
