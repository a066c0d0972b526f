"""Recovering the senders of many transactions, in this process or on an executor's workers.

Recovery takes most of the time of a block of transfers. With an executor of processes it overlaps with
decoding and with whatever the caller does with the first results.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.core.transactions.decode import decode_transaction
from chainstack_sdk.core.transactions.known import known
from chainstack_sdk.core.transactions.transaction import Transaction
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keys import recover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_DIGEST_BYTES = 32
_REQUEST_BYTES = 32 + 65
_ANSWER_BYTES = 20
_FAILED = bytes(_ANSWER_BYTES)
"""In place of a sender: no key's address is zero, as far as anyone can find one."""
_MAX_CHUNKS_AHEAD = 16
_DONE = (Transaction, InvalidInput)  # a union in place would be built anew for each transaction


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
    answers = []
    for at in range(0, len(requests), _REQUEST_BYTES):
        middle = at + _DIGEST_BYTES
        try:
            answers.append(recover(requests[at:middle], requests[middle : at + _REQUEST_BYTES]))
        except InvalidInput:
            answers.append(_FAILED)
    return b"".join(answers)


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
    results = _recovered(iter(transactions), executor, chunk)
    return [result if isinstance(result, InvalidInput) else None for result in results]


def decode_and_recover(
    raws: Iterable[bytes | Transaction | InvalidInput], executor: Executor | None = None, *, chunk: int = 125
) -> Iterator[Transaction | InvalidInput]:
    """Decode transactions and recover their senders, in order, one result for each.

    With an executor, recovery runs some chunks ahead of what the caller has taken, so that it overlaps
    with decoding and with the caller's own work; abandoning the iterator leaves at most these chunks to
    the workers.

    Parameters
    ----------
    raws
        Encoded transactions; those decoded already pass through, and so do errors in place of some.
    executor
        Where to recover; in this process when None.
    chunk
        How many to hand over at a time.

    Yields
    ------
    Transaction or InvalidInput
        The transaction with its sender, known to the process from now on; or why it is not one.
    """
    return _recovered(_decoded(raws), executor, chunk)


def _decoded(raws: Iterable[bytes | Transaction | InvalidInput]) -> Iterator[Transaction | InvalidInput]:
    for raw in raws:
        if isinstance(raw, _DONE):
            yield raw
            continue
        try:
            transaction = decode_transaction(raw)
        except InvalidInput as error:
            yield error
        else:
            yield transaction


def _recovered(
    items: Iterator[Transaction | InvalidInput], executor: Executor | None, chunk: int
) -> Iterator[Transaction | InvalidInput]:
    if chunk < 1:
        raise UsageError("a chunk is at least one transaction", actual=chunk)
    return _with_senders(items if executor is None else _overlapped(items, executor, chunk))


def _with_senders(items: Iterator[Transaction | InvalidInput]) -> Iterator[Transaction | InvalidInput]:
    for item in items:
        if not isinstance(item, InvalidInput) and item._sender is None:
            try:
                item._sender = recover(item.signing_hash, item.signature)
            except InvalidInput as error:
                yield error
                continue
            known.add(item)
        yield item


def _overlapped(
    items: Iterator[Transaction | InvalidInput], executor: Executor, chunk: int
) -> Iterator[Transaction | InvalidInput]:
    """Yield the items with the senders that the executor found, submitting some chunks ahead."""
    ahead: deque[tuple[list[Transaction | InvalidInput], list[Transaction], Pending | None]] = deque()
    while batch := list(islice(items, chunk)):
        missing = [item for item in batch if not isinstance(item, InvalidInput) and item._sender is None]
        requests = b"".join([item.signing_hash + item.signature for item in missing])
        ahead.append((batch, missing, executor.submit(recover_chunk, requests) if missing else None))
        if len(ahead) > _MAX_CHUNKS_AHEAD:
            yield from _collected(*ahead.popleft())
    while ahead:
        yield from _collected(*ahead.popleft())


def _collected(
    batch: list[Transaction | InvalidInput], missing: list[Transaction], pending: Pending | None
) -> list[Transaction | InvalidInput]:
    """Wait for a chunk and fill in its senders; what has none is left to the caller to find out why."""
    if pending is not None:
        answers = pending.result()
        for at, item in enumerate(missing):
            sender = answers[at * _ANSWER_BYTES : (at + 1) * _ANSWER_BYTES]
            if sender != _FAILED:
                item._sender = sender
                known.add(item)
    return batch
