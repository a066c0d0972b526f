"""Running transactions: checks, fee, effect, receipt.

The order is that of the Yellow Paper, section 6: everything that can refuse a transaction comes first and
leaves the state untouched; then the nonce moves; then the effect, which a revert undoes; then the fee is
paid, whatever happened. After the last transaction comes what contracts have asked for the end of the block.
The block's fees are handed out once, by the chain's fee policy, when it closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.call import Environment, invoke
from chainstack_sdk.core.receipts import FAILED, SUCCEEDED, Receipt, closing_hash, logs_bloom
from chainstack_sdk.core.state import DamagedState
from chainstack_sdk.primitives.errors import InvariantBroken, Rejected, Reverted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.interfaces import ContractRuntime, FeePolicy
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.transactions import Transaction

    Admit: TypeAlias = Callable[[State, bytes], None]
    """Raises ``Rejected`` when the account of this address may not send."""


class BlockExecution:
    """Runs the transactions of one block on a state.

    Parameters
    ----------
    state
        Changed in place, through its journal; committed by whoever owns it.
    block
        The block that the transactions are part of.
    runtime
        Resolves the code of native contracts.
    admit
        Refuses senders that may not send on this chain; by default everybody may.
    """

    __slots__ = ("_admit", "_env", "_paid", "block", "bloom", "gas_used", "receipts", "state")

    def __init__(
        self, state: State, block: BlockContext, runtime: ContractRuntime, admit: Admit | None = None
    ) -> None:
        self.state = state
        self.block = block
        self._env = Environment(state, block, runtime, b"", 0, 0)
        self._admit = admit
        self.receipts: list[Receipt] = []
        self.gas_used = 0
        self.bloom = 0
        self._paid = 0

    @property
    def base_fees(self) -> int:
        """Wei that the transactions so far have paid as base fee."""
        return self.gas_used * self.block.base_fee

    @property
    def tips(self) -> int:
        """Wei that they have paid on top."""
        return self._paid - self.base_fees

    def apply(self, transaction: Transaction) -> Receipt:
        """Run one transaction and return its receipt.

        Raises
        ------
        Rejected
            When the rules refuse it; the state is as it was.
        InvalidInput
            When its signature has no sender.
        UsageError
            When contract code crashed, which is a bug of its paradigm; carries ``transaction_hash``.
        """
        sender = transaction._sender or transaction.sender
        price = self.validate(transaction, sender)
        state = self.state
        journal, nonces, balances = state._journal, state._nonces, state._balances
        start = len(journal)
        journal.append((nonces, sender, transaction.nonce or None))  # absent and 0 are the same
        nonces[sender] = transaction.nonce + 1
        limit = transaction.gas
        env = self._env
        env.begin(sender, limit - transaction.intrinsic_gas, price)
        try:
            output, status = _effect(env, transaction)
        except BaseException as error:
            state.rollback(start)
            if is_crash(error):
                raise UsageError(
                    f"contract code crashed: {error!r}", transaction_hash=transaction.hash
                ) from error
            raise
        used = limit - env.gas
        held = balances.get(sender, 0)  # validation has loaded it, if it is anywhere
        journal.append((balances, sender, held))
        balances[sender] = held - used * price
        return self._record(env, transaction.hash, used, price, status, output)

    def run_due(self) -> None:
        """Do what is due at the end of the block; if it logs anything, it has a receipt of its own.

        That receipt comes after those of the transactions and costs no gas; its hash, which is no
        transaction's, is :func:`~chainstack_sdk.core.receipts.closing_hash`.
        """
        env, block = self._env, self.block
        env.begin(_NOBODY, 0, 0)
        env.runtime.close_block(env)
        if env.logs:
            env.issued = None
            self._record(env, closing_hash(block.height, block.parent_hash), 0, 0, SUCCEEDED, b"")

    def _record(
        self,
        env: Environment,
        transaction_hash: bytes,
        used: int,
        price: int,
        status: int,
        output: bytes,
    ) -> Receipt:
        self._paid += used * price
        self.gas_used += used
        logs = tuple(env.logs)
        bloom = logs_bloom(logs)
        self.bloom |= bloom
        receipts = self.receipts
        fields = (
            transaction_hash,
            status,
            self.gas_used,
            bloom,
            logs,
            used,
            price,
            self.block.height,
            len(receipts),
            env.issued,
            output,
        )
        receipt = _new_tuple(Receipt, fields)  # half the time of calling the class
        receipts.append(receipt)
        return receipt

    def validate(self, transaction: Transaction, sender: bytes) -> int:
        """Check everything that can refuse a transaction; return the price of its gas in wei.

        Raises
        ------
        Rejected
            With the rule's ``code`` and what was expected.
        """
        block, state = self.block, self.state
        if transaction.chain_id != block.chain_id:
            raise Rejected(
                "signed for another chain",
                code="wrong_chain",
                expected=block.chain_id,
                actual=transaction.chain_id,
            )
        if transaction.to is None:
            raise Rejected("contracts are issued through the factory", code="unsupported")
        if self._admit is not None:
            self._admit(state, sender)
        nonce = state._nonces.get(sender)
        if nonce is None:
            nonce = state.nonce(sender)
        if transaction.nonce != nonce:
            low = transaction.nonce < nonce
            raise Rejected(
                "nonce already used" if low else "nonce leaves a gap",
                code="nonce_too_low" if low else "nonce_too_high",
                expected=nonce,
                actual=transaction.nonce,
            )
        if self.gas_used + transaction.gas > block.gas_limit:
            raise Rejected(
                "no room in the block for this gas limit",
                code="gas_limit",
                expected=block.gas_limit - self.gas_used,
                actual=transaction.gas,
            )
        highest = transaction.max_fee_per_gas
        price = block.base_fee + transaction.max_priority_fee_per_gas
        if highest < price:
            price = highest
            if highest < block.base_fee:
                raise Rejected(
                    "max fee below the base fee", code="fee_too_low", expected=block.base_fee, actual=highest
                )
        balance = state._balances.get(sender)
        if balance is None:
            balance = state.balance(sender)
        cost = transaction.cost
        if balance < cost:
            raise Rejected(
                "not enough coin for value and fee", code="insufficient_funds", expected=cost, actual=balance
            )
        return price

    def close(self, policy: FeePolicy) -> None:
        """Hand out the block's fees; what the policy leaves is burnt."""
        credits = policy.distribute(self.block.proposer, self.base_fees, self.tips)
        handed_out = sum(amount for _address, amount in credits)
        if handed_out > self._paid or any(amount < 0 for _address, amount in credits):
            raise InvariantBroken("the fee policy hands out more than was paid", actual=handed_out)
        for address, amount in credits:
            if amount:
                self.state.add_balance(address, amount)


def is_crash(error: BaseException) -> bool:
    """Tell whether what came out of contract code is a mistake in that code.

    It is none when the contract refuses, when the state that it reads is damaged, or when the bug is ours.
    """
    return isinstance(error, Exception) and not isinstance(error, Reverted | DamagedState | InvariantBroken)


def _effect(env: Environment, transaction: Transaction) -> tuple[bytes, int]:
    """Do what the transaction asks for; return its output and status."""
    state, to, value = env.state, transaction.to or b"", transaction.value
    mark = len(state._journal)
    try:
        if value:
            state.add_balance(env.origin, -value)
            state.add_balance(to, value)
        return invoke(env, env.origin, to, value, transaction.data, 1, False), SUCCEEDED
    except Reverted as refusal:
        state.rollback(mark)
        env.logs.clear()
        env.issued = None
        return refusal.data, FAILED


_NOBODY = bytes(20)
_new_tuple = tuple.__new__
