"""What a native contract sees: who calls, with what, its own storage, and a few verbs.

Contracts never touch the state, the block or other contracts except through their :class:`Call`. Every
verb costs gas from the one table in :mod:`chainstack_sdk.core.gas`; mapping slots are derived without
charge (their hashing is part of the price of storage).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.environment import Environment, OutOfGas
from chainstack_sdk.core.panics import OVERFLOW, checked, panic
from chainstack_sdk.core.receipts import MAX_TOPICS, Log
from chainstack_sdk.primitives.abi import ErrorType, encode_revert
from chainstack_sdk.primitives.address import contract_address
from chainstack_sdk.primitives.errors import Reverted, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.primitives.abi import Event

__all__ = ["MAX_CALL_DEPTH", "Call", "Environment", "OutOfGas", "invoke"]

UINT256_LIMIT = 1 << 256
_READ_AND_RESET = gas.STORAGE_READ + gas.STORAGE_RESET
_READ_AND_SET = gas.STORAGE_READ + gas.STORAGE_SET
_LOG_OF = [gas.LOG + gas.LOG_TOPIC * topics for topics in range(MAX_TOPICS + 1)]
"""What a log costs without its data, by the number of its topics."""
MAX_CALL_DEPTH = 32
"""Contracts calling contracts; far below Ethereum's 1,024, as no paradigm needs more."""


class Call:
    """One invocation of a contract.

    Attributes
    ----------
    caller
        Address of the account or contract that calls, 20 bytes.
    address
        The contract's own address, 20 bytes.
    value
        Wei that came with the call; already on the contract's balance.
    read_only
        Whether writes, logs and transfers are refused.
    """

    __slots__ = ("_depth", "_env", "_table", "address", "caller", "read_only", "value")

    def __init__(
        self, env: Environment, caller: bytes, address: bytes, value: int, depth: int, read_only: bool
    ) -> None:
        self._env = env
        self._depth = depth
        state = env.state
        self._table = state._storages.get(address) or state.table(address)
        self.caller = caller
        self.address = address
        self.value = value
        self.read_only = read_only

    # Facts

    @property
    def block(self) -> BlockContext:
        """The block being built: height, timestamp, proposer, chain id."""
        return self._env.block

    @property
    def origin(self) -> bytes:
        """The account that signed the transaction, 20 bytes."""
        return self._env.origin

    @property
    def gas_left(self) -> int:
        """Gas that remains for the whole transaction."""
        return self._env.gas

    def balance(self, address: bytes) -> int:
        """Return an account's coin in wei."""
        self.charge(gas.BALANCE_READ)
        return self._env.state.balance(address)

    def is_contract(self, address: bytes) -> bool:
        """Tell whether code lives at an address."""
        return bool(self.code(address))

    def code(self, address: bytes) -> bytes:
        """Return an account's code; empty for plain accounts."""
        self.charge(gas.BALANCE_READ)
        return self._env.state.code(address)

    # Storage

    def load(self, slot: bytes) -> int:
        """Return the integer in one of the contract's 32-byte slots; 0 when never written."""
        env = self._env
        left = env.gas - gas.STORAGE_READ
        if left < 0:
            self._out_of_gas()
        env.gas = left
        value = self._table.get(slot)
        return env.state.storage(self.address, slot) if value is None else value

    def store(self, slot: bytes, value: int) -> None:
        """Write an integer to a slot; 0 clears it.

        Raises
        ------
        Reverted
            When the value is below 0 or from 2^256 on: ``Panic(0x11)``, as checked arithmetic in
            Solidity. In a read-only call always.
        """
        if self.read_only:
            raise self.error("state change in a read-only call")
        if not 0 <= value < UINT256_LIMIT:
            raise panic(OVERFLOW)
        env = self._env
        table = self._table
        held = old = table.get(slot)
        if old is None:
            old = env.state.storage(self.address, slot)
            held = table.get(slot)  # mostly still None: a rollback is to leave no zero behind
        left = env.gas - (gas.STORAGE_RESET if old or not value else gas.STORAGE_SET)
        if left < 0:
            self._out_of_gas()
        env.gas = left
        env.state._journal.append((table, slot, held))
        table[slot] = value

    def try_add(self, slot: bytes, amount: int) -> int:
        """Add to the integer in a slot, or subtract with a negative amount, and return the sum.

        The same as a :meth:`load` and a :meth:`store`, at their price, in half the time. But a sum that
        does not fit, below 0 or from 2^256 on, is *not* written, and the contract must look at it and
        refuse.
        """
        if self.read_only:
            raise self.error("state change in a read-only call")
        env = self._env
        table = self._table
        held = old = table.get(slot)
        if old is None:
            old = env.state.storage(self.address, slot)
            held = table.get(slot)
        total = old + amount
        if total >> 256:  # negative, or too large
            self.charge(gas.STORAGE_READ)
            return total
        left = env.gas - (_READ_AND_RESET if old or not total else _READ_AND_SET)
        if left < 0:
            self._out_of_gas()
        env.gas = left
        env.state._journal.append((table, slot, held))
        table[slot] = total
        return total

    def move(self, source: bytes, target: bytes, amount: int) -> int:
        """Subtract from the integer in one slot, add to that in another, and return what the first has left.

        The same as two calls of :meth:`try_add`, at their price, in less time. But an amount that the first
        does not hold is *not* moved: the result is negative, and the contract must look at it and refuse.

        Raises
        ------
        Reverted
            When the amount is negative or the second would reach 2^256: ``Panic(0x11)``. In a read-only
            call always.
        """
        if self.read_only:
            raise self.error("state change in a read-only call")
        env = self._env
        state, table = env.state, self._table
        held = old = table.get(source)
        if old is None:
            old = state.storage(self.address, source)
            held = table.get(source)
        rest = old - amount
        if not 0 <= rest <= old:
            if amount < 0:
                raise panic(OVERFLOW)
            self.charge(gas.STORAGE_READ)
            return rest
        found = had = table.get(target)
        if had is None:
            had = state.storage(self.address, target)
            found = table.get(target)
        if target == source:
            found = had = rest
        total = had + amount
        if total >> 256:
            raise panic(OVERFLOW)
        # the first slot is not set from zero: it has lost something, or is as it was
        left = env.gas - _READ_AND_RESET - (_READ_AND_RESET if had or not total else _READ_AND_SET)
        if left < 0:
            self._out_of_gas()
        env.gas = left
        journal = state._journal
        journal.append((table, source, held))
        table[source] = rest
        journal.append((table, target, found))
        table[target] = total
        return rest

    # Effects

    def emit(self, event: Event, *values: object) -> None:
        """Emit an event with ABI-encoded values.

        Raises
        ------
        Reverted
            When a number does not fit its type: ``Panic(0x11)``. In a read-only call always.
        """
        topics, data = checked(event.inputs, values, lambda: event.encode(*values))
        self.log(topics, data)

    def log(self, topics: Sequence[bytes], data: bytes) -> None:
        """Emit a log of up to four 32-byte topics, already encoded."""
        if self.read_only:
            raise self.error("event in a read-only call")
        if len(topics) > MAX_TOPICS:
            raise UsageError("a log has at most four topics", actual=len(topics))
        for topic in topics:
            if len(topic) != 32:
                raise UsageError("a topic is 32 bytes", actual=topic)
        env = self._env
        left = env.gas - _LOG_OF[len(topics)] - gas.LOG_BYTE * len(data)
        if left < 0:
            self._out_of_gas()
        env.gas = left
        # half the time of Log(...), which is a Python function
        env.logs.append(tuple.__new__(Log, (self.address, tuple(topics), data)))

    def transfer(self, to: bytes, amount: int) -> None:
        """Send coin of the contract to an account, without calling any code there."""
        if self.read_only:
            raise self.error("transfer in a read-only call")
        self.charge(gas.CALL_VALUE)
        self._pay(self.address, to, amount)

    def call(self, to: bytes, data: bytes, value: int = 0) -> bytes:
        """Call another contract and return its result; its revert passes through this one.

        An account without code takes the value and answers nothing.
        """
        if self.read_only and value:
            raise self.error("transfer in a read-only call")
        if self._depth >= MAX_CALL_DEPTH:
            raise self.error("call depth exceeded")
        self.charge(gas.CALL + (gas.CALL_VALUE if value else 0))
        if value:
            self._pay(self.address, to, value)
        return invoke(self._env, self.address, to, value, data, self._depth + 1, self.read_only)

    def try_call(self, to: bytes, data: bytes, value: int = 0) -> tuple[bool, bytes]:
        """Call another contract; on its revert, undo its changes and return (False, revert data)."""
        state, logs, issued = self._env.state, self._env.logs, self._env.issued
        mark, emitted = state.checkpoint(), len(logs)
        try:
            return True, self.call(to, data, value)
        except OutOfGas:
            raise
        except Reverted as refusal:
            state.rollback(mark)
            del logs[emitted:]
            self._env.issued = issued
            return False, refusal.data

    def create(self, code: bytes) -> bytes:
        """Give native code to a new address on the caller's behalf and return the address.

        The address is that of Ethereum's CREATE: of the transaction's sender and nonce, or of the
        calling contract and its count of issued contracts.
        """
        if self.read_only:
            raise self.error("contract creation in a read-only call")
        self.charge(gas.CREATE + gas.CODE_BYTE * len(code))
        state, creator = self._env.state, self.caller
        nonce = state.nonce(creator)
        if creator == self.origin:
            nonce -= 1  # execution has counted this very transaction already
        else:
            state.set_nonce(creator, nonce + 1)
        address = contract_address(creator, nonce)
        if state.code(address) or state.nonce(address):
            raise self.error("address already in use")
        state.set_nonce(address, 1)
        state.set_code(address, code)
        self._env.issued = address
        return address

    def within(self, address: bytes, value: int = 0) -> Call:
        """Return a call in the same frame on behalf of another contract.

        That is for one just created by this one, and for system contracts that keep books for others:
        whoever has such a call writes to that contract's storage.

        Parameters
        ----------
        value
            Wei that go there with it, from this contract; at the price of a transfer when there are any.
        """
        if value:
            self.transfer(address, value)
        return Call(self._env, self.caller, address, value, self._depth, self.read_only)

    @contextmanager
    def unpaid(self) -> Iterator[None]:
        """Do what comes before the call: its value is on no account meanwhile, and cannot be spent.

        To be entered before anything of the value is spent. What raises in there must end the call, as a
        revert does.
        """
        state = self._env.state
        state.add_balance(self.address, -self.value)
        yield
        state.add_balance(self.address, self.value)

    # Refusal

    def require(self, condition: object, refusal: str | ErrorType, *values: object) -> None:
        """Revert with a reason or a custom error unless the condition holds."""
        if not condition:
            raise self.error(refusal, *values)

    def error(self, refusal: str | ErrorType, *values: object) -> Reverted:
        """Return the exception that reverts with a reason or a custom error, ABI-encoded."""
        if isinstance(refusal, str):
            return Reverted(refusal, data=encode_revert(refusal))
        told = ", ".join(_show(value) for value in values)
        return Reverted(f"{refusal.name}({told})", data=refusal.encode(*values))

    def charge(self, amount: int) -> None:
        """Take gas.

        Raises
        ------
        OutOfGas
            When less is left.
        """
        left = self._env.gas - amount
        if left < 0:
            self._out_of_gas()
        self._env.gas = left

    def _out_of_gas(self) -> None:
        self._env.gas = 0
        raise OutOfGas

    def _pay(self, source: bytes, to: bytes, amount: int) -> None:
        if amount < 0:
            raise panic(OVERFLOW)
        state = self._env.state
        held = state.balance(source)
        if held < amount:
            raise self.error("insufficient balance for transfer")
        if amount:
            state.set_balance(source, held - amount)
            state.add_balance(to, amount)


def invoke(
    env: Environment, caller: bytes, to: bytes, value: int, data: bytes, depth: int, read_only: bool
) -> bytes:
    """Run the contract at ``to``; an account without code answers nothing.

    Raises
    ------
    Reverted
        When the contract refuses, or its code is not of this chain's runtime. The caller undoes.
    """
    state = env.state
    code = state._codes.get(to)
    if code is None:
        code = state.code(to)
    if not code:
        return b""
    contract = env.runtime.resolve(code)
    if contract is None:
        reason = "no runtime for the code at this address"
        raise Reverted(reason, data=encode_revert(reason))
    return contract.invoke(Call(env, caller, to, value, depth, read_only), data)


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
