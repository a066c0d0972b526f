"""Contracts that say what a test tells them to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.call import Call
from chainstack_sdk.primitives.abi import encode_revert
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.core.interfaces import Contract, ContractRuntime

Answer: TypeAlias = bytes | Reverted | Callable[[Call, bytes], bytes]
"""ABI-encoded data to return, a refusal to raise, or a function of the call and its data."""


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One call that a :class:`ScriptedContract` answered."""

    caller: bytes
    """20 bytes."""
    address: bytes
    """The contract's own, 20 bytes."""
    value: int
    """Wei."""
    data: bytes


class ScriptedContract:
    """A contract that looks its answers up. Not for production.

    The answer depends on nothing but the data, so that a block can be run again and ends the same way.

    Parameters
    ----------
    answers
        By the first four bytes of the data, the selector. Under ``b""``: to all other data; without it,
        that is refused.
    """

    def __init__(self, answers: Mapping[bytes, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.calls: list[ScriptedCall] = []
        """Every call so far, in order; those for estimates and checks count too."""

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Remember the call and give its answer.

        Raises
        ------
        Reverted
            When that is the answer, or there is none.
        """
        self.calls.append(ScriptedCall(call.caller, call.address, call.value, data))
        answer = self.answers.get(data[:4], self.answers.get(b""))
        if answer is None:
            reason = "the script has no answer"
            raise Reverted(reason, data=encode_revert(reason))
        if isinstance(answer, Reverted):
            raise answer
        return answer if isinstance(answer, bytes) else answer(call, data)


class NullRuntime:
    """A runtime that knows no contract: calls to any code revert. Not for production."""

    def resolve(self, code: bytes) -> Contract | None:
        """Return None."""
        return None

    def close_block(self, env: Environment) -> None:
        """Do nothing."""


class ScriptedRuntime:
    """A runtime that finds contracts in a table. Not for production.

    Parameters
    ----------
    contracts
        By the whole code of an account.
    closing
        What is done at the end of each block; by default nothing.
    """

    def __init__(
        self, contracts: Mapping[bytes, Contract], closing: Callable[[Environment], None] | None = None
    ) -> None:
        self.contracts = dict(contracts)
        self.closing = closing

    def resolve(self, code: bytes) -> Contract | None:
        """Return the contract in the table, or None."""
        return self.contracts.get(code)

    def close_block(self, env: Environment) -> None:
        """Do what was given."""
        if self.closing is not None:
            self.closing(env)


if TYPE_CHECKING:
    _contract: type[Contract] = ScriptedContract
    _null: type[ContractRuntime] = NullRuntime
    _scripted: type[ContractRuntime] = ScriptedRuntime
