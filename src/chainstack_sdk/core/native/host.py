"""What handles of contracts need of a chain, and how a refusal is told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chainstack_sdk.primitives.abi import decode_revert
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address, to_checksum_address
from chainstack_sdk.primitives.errors import InvalidInput, Reverted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainstack_sdk.core.queries import FoundLog, TopicFilter
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.abi import ErrorType, Function
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

T = TypeVar("T")


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


def explained(errors: Iterable[ErrorType], act: Callable[[], T]) -> T:
    """Do something; let a revert say in words what its data says in bytes.

    Parameters
    ----------
    errors
        The custom errors of the contract.

    Raises
    ------
    Reverted
        As ``act`` does, its message telling error and arguments.
    """
    try:
        return act()
    except Reverted as refusal:
        if refusal.data:
            refusal.message = decode_revert(refusal.data, errors)
            refusal.args = (refusal.message,)
        raise


def answered(
    host: ContractHost,
    contract: bytes,
    function: Function,
    args: Sequence[Any],
    errors: Iterable[ErrorType],
    *,
    sender: AddressLike,
    block: int | None,
    what: str = "contract",
) -> Any:
    """Call a function without a transaction and return its result.

    Parameters
    ----------
    host, contract
        The chain, and the contract's address there, 20 bytes.
    function, args
        What is called, and with what.
    errors
        The custom errors of the contract.
    sender
        On whose behalf.
    block
        The block whose state is asked; None: the newest.
    what
        What the contract is called where there is none.

    Returns
    -------
    Any
        The result; a tuple when the function has several, None when it has none.

    Raises
    ------
    Reverted
        When the contract refuses.
    UsageError
        When the arguments do not fit, or there is no such contract.
    """
    data, who = function.encode_call(*args), to_address(sender)
    output = explained(errors, lambda: host.call(contract, data, sender=who, block=block))
    try:
        values = function.decode_output(output)
    except InvalidInput as error:
        raise UsageError(f"no such {what} at this address", actual=to_checksum_address(contract)) from error
    if len(values) > 1:
        return values
    return values[0] if values else None
