"""Handles of contracts on a chain: issue one, call it, read it, look through its events.

Every handle works through the ABI, as any other client does, over a :class:`ContractHost`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chainstack_sdk.core.native.host import answered, explained
from chainstack_sdk.paradigms.events import ContractEvent, decode_events, event_filter
from chainstack_sdk.paradigms.factory import FACTORY_ADDRESS, Factory
from chainstack_sdk.primitives.address import ZERO_ADDRESS, AddressLike, to_address, to_checksum_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.native import NativeContract
    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.queries import TopicFilter
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.paradigms.template import Paradigm
    from chainstack_sdk.primitives.keys import Signer

Handle = TypeVar("Handle", bound="Instance")


class Instance:
    """One contract on a chain.

    Parameters
    ----------
    host
        The chain.
    address
        Where the contract is.
    contract
        Its class, a paradigm or a system contract, which declares functions, events and errors.
    """

    def __init__(self, host: ContractHost, address: AddressLike, contract: type[NativeContract]) -> None:
        self.host = host
        self.address: bytes = to_address(address)
        """20 bytes."""
        self.contract = contract

    @property
    def abi(self) -> list[dict[str, Any]]:
        """The standard JSON ABI of the contract."""
        return self.contract.abi()

    def send(
        self, sender: Signer, function: str, *args: Any, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Call a function in a transaction and return the receipt.

        Parameters
        ----------
        sender
            Who signs and pays.
        function
            Its name, or its signature ``"mint(address,uint256)"`` when that alone tells which is meant.
        value
            Wei for the contract.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        Reverted
            When the contract refuses; says why in words and carries the revert data.
        UsageError
            When there is no such function or the arguments do not fit it.
        """
        data = self.encode(function, *args)
        with_errors = self.contract.abi_errors
        return explained(
            with_errors, lambda: self.host.send_call(sender, self.address, data, value=value, gas=gas)
        )

    def encode(self, function: str, *args: Any) -> bytes:
        """Return the call data for a function, to be signed or sent in one's own way.

        Raises
        ------
        UsageError
            When there is no such function or the arguments do not fit it.
        """
        return self.contract.abi_function(function, len(args)).encode_call(*args)

    def topic(self, event: str) -> bytes:
        """Return the first topic of an event's logs, 32 bytes, for searches across contracts.

        Raises
        ------
        UsageError
            When there is no such event.
        """
        return self.contract.abi_event(event).topic

    def read(
        self, function: str, *args: Any, sender: AddressLike = ZERO_ADDRESS, block: int | None = None
    ) -> Any:
        """Call a function without a transaction and return its result.

        Parameters
        ----------
        function
            As for :meth:`send`.
        sender
            On whose behalf.
        block
            The block whose state is asked; by default the newest.

        Returns
        -------
        Any
            The result; a tuple when the function has several, None when it has none.

        Raises
        ------
        Reverted
            When the contract refuses.
        UsageError
            When there is no such function or the arguments do not fit it, or there is no such contract.
        """
        entry = self.contract.abi_function(function, len(args))
        errors = self.contract.abi_errors
        return answered(self.host, self.address, entry, args, errors, sender=sender, block=block)

    def events(
        self, name: str | None = None, *, first: int = 0, last: int | None = None, **indexed: Any
    ) -> list[ContractEvent]:
        """Return the contract's events in chain order.

        Parameters
        ----------
        name
            Only events of this name; by default all that the contract declares.
        first, last
            Heights, both included.
        **indexed
            Values of indexed parameters, or lists of alternatives; ``from_`` stands for a parameter of
            the name ``from``. Only with ``name``.

        Raises
        ------
        UsageError
            When there is no such event or no such indexed parameter.
        """
        if name is None:
            if indexed:
                raise UsageError(
                    "name the event whose parameters are to be matched", actual=", ".join(indexed)
                )
            topics: list[TopicFilter] = []
        else:
            topics = event_filter(self.contract.abi_event(name), indexed)
        found = self.host.logs(self.address, topics, first, last)
        return list(decode_events(found, self.contract.abi_events))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        return self.address == other.address and self.host is other.host

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({to_checksum_address(self.address)})"


class InstanceApi(Generic[Handle]):
    """Finds, and for its subclasses issues, the instances of one paradigm.

    Parameters
    ----------
    host
        The chain.
    paradigm
        One that is registered on the chain.
    handle
        Makes the handle of an instance from host, address and paradigm.
    """

    def __init__(
        self,
        host: ContractHost,
        paradigm: type[Paradigm],
        handle: Callable[[ContractHost, AddressLike, type[Paradigm]], Handle],
    ) -> None:
        self.host = host
        self.paradigm = paradigm
        self._handle = handle

    def at(self, address: AddressLike) -> Handle:
        """Return the handle of an instance that exists already; nothing is checked."""
        return self._handle(self.host, address, self.paradigm)

    def _issue(self, sender: Signer, config: dict[str, Any], gas: int | None) -> Handle:
        encoded = self.paradigm.encode_config(config)
        data = Factory.abi_function("issue").encode_call(self.paradigm.name, encoded)
        receipt = explained(
            (*self.paradigm.abi_errors, *Factory.abi_errors),
            lambda: self.host.send_call(sender, FACTORY_ADDRESS, data, gas=gas),
        )
        if receipt.contract_address is None:
            raise UsageError("the chain has no factory", actual=to_checksum_address(FACTORY_ADDRESS))
        return self.at(receipt.contract_address)


class ParadigmApi(InstanceApi[Instance]):
    """Issues and finds the instances of any paradigm: ``chain.paradigm("counter")``.

    Parameters
    ----------
    host
        The chain.
    paradigm
        One that is registered on the chain.
    """

    def __init__(self, host: ContractHost, paradigm: type[Paradigm]) -> None:
        super().__init__(host, paradigm, Instance)

    def issue(self, sender: Signer, *, gas: int | None = None, **config: Any) -> Instance:
        """Issue an instance by one transaction to the factory.

        Parameters
        ----------
        sender
            Who signs and pays.
        gas
            Gas limit; found by the chain when not given.
        **config
            The fields of the paradigm's config.

        Raises
        ------
        UsageError
            When the config does not fit.
        Reverted
            When the factory or the new instance refuses.
        """
        return self._issue(sender, config, gas)


T = TypeVar("T")
