"""What the handles of standard machines share: they know which machine they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from chainstack_sdk.machines.handle import MachineHandle

if TYPE_CHECKING:
    from typing import Self

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.machines.language import Machine
    from chainstack_sdk.primitives.address import AddressLike


class StandardHandle(MachineHandle):
    """Base of typed handles.

    Whoever is named ``sender`` signs the transaction and pays its fee. A transaction that the machine refuses
    raises :class:`~chainstack_sdk.primitives.errors.Reverted` with the reason.

    Parameters
    ----------
    host
        The chain.
    address
        Where the machine is.
    """

    machine_class: ClassVar[type[Machine]]
    """Which machine it is."""

    def __init__(self, host: ContractHost, address: AddressLike) -> None:
        super().__init__(host, address, self.machine_class.ir())

    @classmethod
    def at(cls, host: ContractHost, address: AddressLike) -> Self:
        """Return the handle of a machine that exists already; nothing is checked."""
        return cls(host, address)
