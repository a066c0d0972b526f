"""Handles of machines on a chain: deploy one, call it, read it, look through its events.

They work through the ABI, as any other client does, over anything that is a
:class:`~chainstack_sdk.core.native.host.ContractHost`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.native.host import answered, explained
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS
from chainstack_sdk.machines.deployer import Deployer
from chainstack_sdk.machines.encoding import encode_machine
from chainstack_sdk.machines.interface import interface_of
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address, to_checksum_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.queries import TopicFilter
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.machines.ir import MachineIR
    from chainstack_sdk.primitives.abi import Constructor, Function, Param
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """An event of a machine, decoded, with its place in the chain."""

    name: str
    args: dict[str, Any]
    """Values by parameter name, as the ABI has them."""
    height: int
    transaction_hash: bytes
    """32 bytes."""


class MachineHandle:
    """One machine on a chain.

    Parameters
    ----------
    host
        The chain.
    address
        Where the machine is.
    machine
        What it is.
    """

    def __init__(self, host: ContractHost, address: AddressLike, machine: MachineIR) -> None:
        self.host = host
        self.address: bytes = to_address(address)
        """20 bytes."""
        self.machine = machine
        self._interface = interface_of(machine)

    @property
    def abi(self) -> list[dict[str, Any]]:
        """The standard JSON ABI."""
        return self._interface.to_json()

    @property
    def state(self) -> str:
        """The name of the state the machine is in, as stored: no timer fires by being asked."""
        number: int = self.read("state")
        return self.machine.states[number].name

    def send(
        self, sender: Signer, function: str, *args: Any, value: int = 0, gas: int | None = None, **named: Any
    ) -> Receipt:
        """Call a transition, or ``poke``, in a transaction and return the receipt.

        Parameters
        ----------
        sender
            Who signs and pays.
        function
            Its name.
        *args, **named
            Arguments by position, then by name.
        value
            Wei for the machine.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        Reverted
            When the machine refuses; says why in words and carries the revert data.
        UsageError
            When there is no such function or the arguments do not fit it.
        """
        data = self.encode(function, *args, **named)
        return explained(
            self._interface.errors,
            lambda: self.host.send_call(sender, self.address, data, value=value, gas=gas),
        )

    def encode(self, function: str, *args: Any, **named: Any) -> bytes:
        """Return the call data for a function, to be signed or sent in one's own way.

        Raises
        ------
        UsageError
            When there is no such function or the arguments do not fit it.
        """
        entry = self._interface.function(function)
        return entry.encode_call(*_ordered(entry, entry.inputs, args, named))

    def read(
        self, function: str, *args: Any, sender: AddressLike = ZERO_ADDRESS, block: int | None = None
    ) -> Any:
        """Ask a view, or try a transition, and return its result.

        Parameters
        ----------
        function
            Its name.
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
            When the machine refuses.
        UsageError
            When there is no such function or the arguments do not fit it, or there is no such machine.
        """
        entry, errors = self._interface.function(function), self._interface.errors
        return answered(
            self.host, self.address, entry, args, errors, sender=sender, block=block, what="machine"
        )

    def events(
        self,
        name: str | None = None,
        *,
        topics: Sequence[TopicFilter] = (),
        first: int = 0,
        last: int | None = None,
    ) -> list[MachineEvent]:
        """Return the machine's events in chain order.

        Parameters
        ----------
        name
            Only events of this name; by default all that the machine declares.
        topics
            Only events with these topics, by position, the event's own first; see
            :data:`~chainstack_sdk.core.queries.TopicFilter`.
        first, last
            Heights, both included.

        Raises
        ------
        UsageError
            When there is no such event.
        """
        wanted = self._interface.events if name is None else (self._interface.event(name),)
        by_topic = {each.topic: each for each in wanted}
        found = []
        for each in self.host.logs(self.address, topics, first, last):
            event = by_topic.get(each.log.topics[0])
            if event is not None:
                args = event.decode(each.log.topics, each.log.data)
                found.append(MachineEvent(event.name, args, each.height, each.transaction_hash))
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MachineHandle):
            return NotImplemented
        return self.address == other.address and self.host is other.host

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"{self.machine.name}({to_checksum_address(self.address)})"


def deploy(
    machine: MachineIR,
    host: ContractHost,
    sender: Signer,
    arguments: Mapping[str, Any],
    *,
    value: int = 0,
    gas: int | None = None,
) -> MachineHandle:
    """Put a machine on a chain by one transaction to its deployer and return the handle.

    Parameters
    ----------
    arguments
        The constructor's, by name.
    value
        Wei for the machine.
    gas
        Gas limit; found by the chain when not given.

    Raises
    ------
    UsageError
        When the arguments do not fit, or the chain has no deployer.
    Reverted
        When the constructor refuses.
    """
    interface = interface_of(machine)
    constructor = interface.constructor
    encoded = constructor.encode(*_ordered(constructor, constructor.inputs, (), arguments))
    data = Deployer.abi_function("deploy").encode_call(encode_machine(machine), encoded)
    receipt = explained(
        (*interface.errors, *Deployer.abi_errors),
        lambda: host.send_call(sender, DEPLOYER_ADDRESS, data, value=value, gas=gas),
    )
    if receipt.contract_address is None:
        raise UsageError(
            "the chain has no deployer of machines", expected=to_checksum_address(DEPLOYER_ADDRESS)
        )
    return MachineHandle(host, receipt.contract_address, machine)


def _ordered(
    entry: Function | Constructor, inputs: Sequence[Param], args: Sequence[Any], named: Mapping[str, Any]
) -> list[Any]:
    """Return arguments in declared order; a trailing underscore of a name may be left out or given."""
    rest = {name.removesuffix("_"): value for name, value in named.items()}
    wanted = [param.name for param in inputs[len(args) :]]
    missing = [name for name in wanted if name not in rest]
    unknown = [name for name in rest if name not in wanted]
    if missing or unknown or len(args) > len(inputs):
        raise UsageError(
            f"the arguments do not fit {entry.signature}",
            missing=", ".join(missing),
            unknown=", ".join(unknown),
        )
    return [*args, *[rest[name] for name in wanted]]
