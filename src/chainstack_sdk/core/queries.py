"""Questions to a chain. They are free, run against any kept block and change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.account_proof import AccountProof, SlotProof
from chainstack_sdk.core.bloom import bloom_bits
from chainstack_sdk.core.call import Environment, invoke
from chainstack_sdk.core.execution import BlockExecution, is_crash
from chainstack_sdk.core.gas import intrinsic_gas
from chainstack_sdk.core.receipts import closing_hash
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.receipts import Log, Receipt
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.transactions import Transaction

TopicFilter = bytes | None | tuple[bytes, ...]
"""One position of a topic filter: a topic, any of several, or None for whatever."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a call would do."""

    output: bytes
    """ABI-encoded result."""
    gas_used: int
    """Including the intrinsic gas of such a transaction."""
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class StorageChange:
    """One slot that a transaction wrote, with its value before and after."""

    address: bytes
    slot: bytes
    """32 bytes, big-endian."""
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Trace:
    """What one transaction of the chain did, step by step visible in its effects."""

    receipt: Receipt
    storage: tuple[StorageChange, ...]
    """Slots in the order of their first write; those that ended as they began are left out."""
    balances: tuple[tuple[bytes, int, int], ...]
    """(address, wei before, wei after), in the order of the first write; fees of the proposer apart."""


@dataclass(frozen=True, slots=True)
class FoundLog:
    """A log with its place in the chain."""

    log: Log
    height: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int
    """Position among all logs of the block."""


def simulate(
    chain: Blockchain,
    *,
    to: bytes,
    data: bytes = b"",
    sender: bytes = bytes(20),
    value: int = 0,
    gas: int | None = None,
    height: int | None = None,
    context: BlockContext | None = None,
) -> Simulation:
    """Run a call on the state of a block and undo it.

    Parameters
    ----------
    to, sender
        20 bytes each.
    value
        Wei that the sender is to have.
    gas
        At most this much; by default the block's gas limit.
    height
        The block whose state is used; by default the newest.
    context
        The block that the call believes to be in; by default that of ``height``.

    Raises
    ------
    Reverted
        When the contract refuses; carries the revert data.
    Rejected
        When the sender does not have the value, or the gas is below the intrinsic gas.
    UsageError
        When that block's state is not kept, or the value is negative.
    """
    if value < 0:
        raise UsageError("a call's value is not negative", actual=value)
    height = chain.height if height is None else height
    with chain.state_at(height) as state:
        context = chain.context(height) if context is None else context
        return _simulate(chain, state, context, to, data, sender, value, gas)


def _simulate(
    chain: Blockchain,
    state: State,
    context: BlockContext,
    to: bytes,
    data: bytes,
    sender: bytes,
    value: int,
    gas: int | None,
) -> Simulation:
    limit = context.gas_limit if gas is None else min(gas, context.gas_limit)
    intrinsic = intrinsic_gas(data, False, ())
    if limit < intrinsic:
        raise Rejected("gas below the intrinsic gas", code="intrinsic_gas", expected=intrinsic, actual=limit)
    balance = state.balance(sender)
    if balance < value:
        raise Rejected(
            "not enough coin for the value", code="insufficient_funds", expected=value, actual=balance
        )
    env = Environment(state, context, chain.runtime, sender, limit - intrinsic, 0)
    mark = state.checkpoint()
    try:
        state.set_nonce(sender, state.nonce(sender) + 1)
        if value:
            state.set_balance(sender, balance - value)
            state.add_balance(to, value)
        output = invoke(env, sender, to, value, data, 1, False)
    except BaseException as error:
        if is_crash(error):
            raise UsageError(f"contract code crashed: {error!r}") from error
        raise
    finally:
        state.rollback(mark)
    return Simulation(output, limit - env.gas, tuple(env.logs))


def find_receipt(chain: Blockchain, transaction_hash: bytes) -> Receipt | None:
    """Return the receipt of a transaction, or a closing receipt, or None when no block holds it.

    Raises
    ------
    InvalidInput
        When the ledger is damaged.
    """
    place = chain.ledger.locate(transaction_hash)
    if place is None:
        return None
    height, index = place
    receipts = chain.ledger.receipts(height)
    if index >= len(receipts) or receipts[index].transaction_hash != transaction_hash:
        raise InvalidInput("the index of transactions is damaged", hash=transaction_hash)
    return receipts[index]


def find_transaction(chain: Blockchain, transaction_hash: bytes) -> tuple[Transaction, int, int] | None:
    """Return a transaction with its height and place in the block, or None when no block holds it.

    Raises
    ------
    InvalidInput
        When the ledger is damaged.
    """
    place = chain.ledger.locate(transaction_hash)
    if place is None:
        return None
    height, index = place
    block = chain.ledger.block(height)
    transactions = block.transactions
    if index >= len(transactions):
        if transaction_hash == closing_hash(height, block.parent_hash):
            return None
    elif transactions[index].hash == transaction_hash:
        return transactions[index], height, index
    raise InvalidInput("the index of transactions is damaged", hash=transaction_hash)


def trace(chain: Blockchain, transaction_hash: bytes) -> Trace:
    """Run a transaction of the chain again, where it stood, and tell what it changed.

    Raises
    ------
    UsageError
        When the chain does not hold it, or the state before its block is not kept.
    """
    found = find_transaction(chain, transaction_hash)
    if found is None:
        raise UsageError("no such transaction on this chain", hash=transaction_hash)
    transaction, height, index = found
    with chain.state_at(height - 1) as state:
        execution = BlockExecution(state, chain.context(height), chain.runtime)
        for earlier in chain.ledger.block(height).transactions[:index]:
            execution.apply(earlier)
        mark = state.checkpoint()
        receipt = execution.apply(transaction)
        before = state.changes(mark)
        storage = tuple(
            StorageChange(address, slot, old, state.storage(address, slot))
            for address, slots in before.storage.items()
            for slot, old in slots.items()
            if old != state.storage(address, slot)
        )
        balances = tuple((address, old, state.balance(address)) for address, old in before.balances.items())
    return Trace(receipt, storage, balances)


def prove(
    chain: Blockchain, address: bytes, slots: Sequence[bytes] = (), height: int | None = None
) -> AccountProof:
    """Prove an account, or its absence, and some of its slots at a block.

    Raises
    ------
    UsageError
        When that block's state is not kept.
    """
    height = chain.height if height is None else height
    with chain.state_at(height, proofs=True) as state:
        commitment = state.commitment
        return AccountProof(
            address=address,
            nonce=state.nonce(address),
            balance=state.balance(address),
            storage_root=commitment.storage_root(address),
            code_hash=keccak256(state.code(address)),
            nodes=commitment.prove_account(address),
            storage=tuple(
                SlotProof(slot, state.storage(address, slot), commitment.prove_slot(address, slot))
                for slot in slots
            ),
            height=height,
        )


def find_logs(
    chain: Blockchain,
    *,
    addresses: Sequence[bytes] = (),
    topics: Sequence[TopicFilter] = (),
    first: int = 0,
    last: int | None = None,
) -> Iterator[FoundLog]:
    """Yield the logs that match, in chain order, passing over blocks whose bloom excludes them.

    Parameters
    ----------
    addresses
        Emitting contracts; empty means any.
    topics
        By position; see :data:`TopicFilter`. A log with fewer topics than the filter does not match.
    first, last
        Heights, both included.
    """
    wanted = [tuple(addresses)] if addresses else []
    wanted += [(topic,) if isinstance(topic, bytes) else topic for topic in topics if topic is not None]
    masks = [[bloom_bits(item) for item in alternatives] for alternatives in wanted]
    last = chain.height if last is None else min(last, chain.height)
    for height in range(max(first, 0), last + 1):
        header = chain.ledger.header(height)
        if _may_match(int.from_bytes(header.logs_bloom, "big"), masks):
            yield from _logs_of_block(chain, height, header.hash, addresses, topics, masks)


def _may_match(bloom: int, masks: list[list[int]]) -> bool:
    return all(any(bloom & bits == bits for bits in alternatives) for alternatives in masks)


def _logs_of_block(
    chain: Blockchain,
    height: int,
    block_hash: bytes,
    addresses: Sequence[bytes],
    topics: Sequence[TopicFilter],
    masks: list[list[int]],
) -> Iterator[FoundLog]:
    position = 0
    for receipt in chain.ledger.receipts(height):
        if _may_match(receipt.bloom, masks):
            for offset, log in enumerate(receipt.logs):
                if _matches(log, addresses, topics):
                    yield FoundLog(
                        log,
                        height,
                        block_hash,
                        receipt.transaction_hash,
                        receipt.transaction_index,
                        position + offset,
                    )
        position += len(receipt.logs)


def _matches(log: Log, addresses: Sequence[bytes], topics: Sequence[TopicFilter]) -> bool:
    if addresses and log.address not in addresses:
        return False
    if len(topics) > len(log.topics):
        return False
    return all(
        wanted is None or (topic == wanted if isinstance(wanted, bytes) else topic in wanted)
        for wanted, topic in zip(topics, log.topics, strict=False)
    )
