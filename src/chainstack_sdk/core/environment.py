"""What all calls of one transaction share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.interfaces import ContractRuntime
    from chainstack_sdk.core.receipts import Log
    from chainstack_sdk.core.state import State


class OutOfGas(Reverted):
    """The transaction's gas is spent: everything it did is undone, the whole limit is paid."""

    def __init__(self) -> None:
        super().__init__("out of gas")


class Environment:
    """What all calls of one transaction share: state, block, remaining gas, logs.

    One object serves the transactions of a block in turn: :meth:`begin` makes it that of the next.
    """

    __slots__ = ("block", "gas", "gas_price", "issued", "logs", "origin", "runtime", "state")

    def __init__(
        self,
        state: State,
        block: BlockContext,
        runtime: ContractRuntime,
        origin: bytes,
        gas_left: int,
        gas_price: int,
    ) -> None:
        self.state = state
        self.block = block
        self.runtime = runtime
        self.logs: list[Log]
        self.issued: bytes | None
        self.begin(origin, gas_left, gas_price)

    def begin(self, origin: bytes, gas_left: int, gas_price: int) -> None:
        """Forget the transaction before and take up the next."""
        self.origin = origin
        self.gas = gas_left
        self.gas_price = gas_price
        self.logs = []
        self.issued = None
