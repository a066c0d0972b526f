"""Recovering the senders of many transactions, in this process or on an executor's workers.

Recovery takes most of the time of a block of transfers. With an executor of processes it overlaps with
decoding and with whatever the caller does with the first results.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from chainstack_sdk.core.transactions.decode import DONE, decode_many, decode_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keys import recover, recover_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.transactions.transaction import Transaction

    Batch: TypeAlias = "list[Transaction | InvalidInput]"

T = TypeVar("T")

_DIGEST_BYTES = 32
_REQUEST_BYTES = 32 + 65
_ANSWER_BYTES = 20
_FAILED = bytes(_ANSWER_BYTES)
"""In place of a sender: no key's address is zero, as far as anyone can find one."""
_MAX_CHUNKS_AHEAD = 16


class Pending(Protocol):
    """A result to come, such as a ``concurrent.futures.Future``."""

    def result(self) -> bytes:
        """Wait for the result and return it."""
        ...


class Executor(Protocol):
    """Who runs a function elsewhere, such as a ``concurrent.futures.ProcessPoolExecutor``."""

    def submit(self, function: Callable[[bytes], bytes], argument: bytes, /) -> Pending:
        """Start ``function(argument)``; both can be pickled."""
        ...


def recover_chunk(requests: bytes) -> bytes:
    """Recover many signers; this is what runs on an executor.

    Parameters
    ----------
    requests
        Signing hash (32 bytes) then signature (65 bytes), any number of times.

    Returns
    -------
    bytes
        20 bytes for each: the address, or zeros when no key makes the signature.
    """
    answers = recover_many(
        (requests[at : at + _DIGEST_BYTES], requests[at + _DIGEST_BYTES : at + _REQUEST_BYTES])
        for at in range(0, len(requests), _REQUEST_BYTES)
    )
    return b"".join([_FAILED if isinstance(answer, InvalidInput) else answer for answer in answers])


def recover_senders(
    transactions: Sequence[Transaction], executor: Executor | None = None, *, chunk: int = 125
) -> list[InvalidInput | None]:
    """Find the sender of every transaction, so that :attr:`Transaction.sender` is at hand.

    Those with a sender become known to the process (see :class:`KnownTransactions`).

    Parameters
    ----------
    transactions
        In any order; those whose sender is known already cost nothing.
    executor
        Where to recover; in this process when None.
    chunk
        How many to hand over at a time.

    Returns
    -------
    list
        For each transaction, in order, None, or what is wrong with its signature.
    """
    results = _recovered(_batches(transactions, chunk), executor)
    return [result if isinstance(result, InvalidInput) else None for result in results]


def decode_and_recover(
    raws: Iterable[bytes | Transaction | InvalidInput], executor: Executor | None = None, *, chunk: int = 125
) -> Iterator[Transaction | InvalidInput]:
    """Decode transactions and recover their senders, in order, one result for each.

    With an executor, recovery runs some chunks ahead of what the caller has taken, so that it overlaps
    with decoding and with the caller's own work; abandoning the iterator leaves at most these chunks to
    the workers. Without one, a list or a tuple is worked off by chunks; of any other iterable the next item
    is only asked for when the result of the one before has been taken.

    Parameters
    ----------
    raws
        Encoded transactions; those decoded already pass through, and so do errors in place of some.
    executor
        Where to recover; in this process when None.
    chunk
        How many to hand over, or to work off, at a time.

    Yields
    ------
    Transaction or InvalidInput
        The transaction with its sender, known to the process from now on; or why it is not one.
    """
    batches = _batches(raws, chunk)
    if executor is None and not (isinstance(raws, list | tuple) and len(raws) > 1):
        return map(_one, raws)
    return _recovered(map(decode_many, batches), executor)


def _one(item: bytes | Transaction | InvalidInput) -> Transaction | InvalidInput:
    """Do for a single one what is done for a batch, in less time."""
    try:
        transaction = item if isinstance(item, DONE) else decode_transaction(item)
        if not isinstance(transaction, InvalidInput) and transaction._sender is None:
            transaction._sender = recover(transaction.signing_hash, transaction.signature)
            known.add(transaction)
    except InvalidInput as error:
        return error
    return transaction


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    if size < 1:
        raise UsageError("a chunk is at least one transaction", actual=size)
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])


def _recovered(batches: Iterator[Batch], executor: Executor | None) -> Iterator[Transaction | InvalidInput]:
    if executor is not None:
        batches = _overlapped(batches, executor)
    return chain.from_iterable(map(_with_senders, batches))


def _without_sender(batch: Batch) -> list[Transaction]:
    return [item for item in batch if not isinstance(item, InvalidInput) and item._sender is None]


def _with_senders(batch: Batch) -> Batch:
    """Find the senders that are missing; an error takes the place of a transaction without."""
    missing = _without_sender(batch)
    if not missing:
        return batch
    errors: dict[int, InvalidInput] = {}
    answers = recover_many([(item.signing_hash, item.signature) for item in missing])
    for item, answer in zip(missing, answers, strict=True):
        if isinstance(answer, InvalidInput):
            errors[id(item)] = answer
        else:
            item._sender = answer
            known.add(item)
    return [errors.get(id(item), item) for item in batch] if errors else batch


def _overlapped(batches: Iterator[Batch], executor: Executor) -> Iterator[Batch]:
    """Yield the batches with the senders that the executor found, submitting some ahead."""
    ahead: deque[tuple[Batch, list[Transaction], Pending | None]] = deque()
    for batch in batches:
        missing = _without_sender(batch)
        requests = b"".join([item.signing_hash + item.signature for item in missing])
        ahead.append((batch, missing, executor.submit(recover_chunk, requests) if missing else None))
        if len(ahead) > _MAX_CHUNKS_AHEAD:
            yield _collected(*ahead.popleft())
    while ahead:
        yield _collected(*ahead.popleft())


def _collected(batch: Batch, missing: list[Transaction], pending: Pending | None) -> Batch:
    """Wait for a chunk and fill in its senders; what has none is left to the caller to find out why."""
    if pending is not None:
        answers = pending.result()
        for at, item in enumerate(missing):
            sender = answers[at * _ANSWER_BYTES : (at + 1) * _ANSWER_BYTES]
            if sender != _FAILED:
                item._sender = sender
                known.add(item)
    return batch
