"""The master: hands out ranges, checks what comes back, counts shares, names the winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.mapreduce.claim import is_honest
from chainstack_sdk.consensus.mapreduce.space import NonceSpace, Piece
from chainstack_sdk.consensus.mapreduce.tally import Tally
from chainstack_sdk.consensus.mapreduce.values import NeedCandidate, Reported, Verdict, Won, WorkRange
from chainstack_sdk.consensus.mapreduce.worker import Worker
from chainstack_sdk.consensus.work import MAX_TARGET, NONCES, target_of
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.work import Found, WorkHash

_ADDRESS_BYTES = 20
_SHARES_PER_RANGE = 16


@dataclass(frozen=True, slots=True)
class _Handout:
    worker: int
    work: WorkRange
    piece: Piece
    since_ms: int


class Master:
    """One job at a time, any number of workers, each with a few ranges at a time.

    Time comes from outside, in milliseconds from any start. A job begins with :meth:`begin` and ends when
    :attr:`winner` is not None, or with :meth:`stop`. Workers and what is owed to them outlast jobs.

    Parameters
    ----------
    work_hash
        The hash that work is done with.
    tally
        Where shares are counted; a new one by default.
    depth
        How many ranges a worker may have at a time. Two keep it busy while a report is on its way.
    range_ms
        How long a range should take a worker; ranges grow and shrink towards that.
    first_count
        How many nonces the first range of a worker has, whose pace is unknown.
    timeout_ms
        After how long a range is taken for lost. A range may wait for those before it, so this is many
        times ``depth * range_ms``.
    max_failures
        After how many ranges in a row that did not come back a worker is dismissed.
    nonces
        How many nonces of a candidate are used before another is asked for; at most 2^64.

    Raises
    ------
    UsageError
        When a number is not positive, or there are more than 2^64 nonces.
    """

    def __init__(
        self,
        work_hash: WorkHash,
        *,
        tally: Tally | None = None,
        depth: int = 2,
        range_ms: int = 200,
        first_count: int = 8_192,
        timeout_ms: int = 10_000,
        max_failures: int = 8,
        nonces: int = NONCES,
    ) -> None:
        if min(depth, range_ms, first_count, timeout_ms, max_failures, nonces) < 1 or nonces > NONCES:
            raise UsageError("a master's settings are positive, and nonces are below 2^64")
        self.tally = Tally() if tally is None else tally
        """What is owed to whom; its payouts go into the next candidate."""
        self.work_hash = work_hash
        """The hash that work is done with."""
        self._depth = depth
        self._range_ms = range_ms
        self._first_count = first_count
        self._timeout_ms = timeout_ms
        self._max_failures = max_failures
        self._nonces = nonces
        self._workers: dict[int, Worker] = {}
        self._hired = 0
        self._liars: dict[bytes, None] = {}
        self._space: NonceSpace | None = None
        self._target = 0
        self._handouts: dict[int, _Handout] = {}
        self._tickets = 0
        self._best: Won | None = None
        self._hashes = 0

    # Workers

    def hire(self, address: bytes) -> int:
        """Return the number of a new worker, whose shares are credited to an address of 20 bytes.

        Raises
        ------
        UsageError
            When it is no address, or one that was dropped for lying.
        """
        if len(address) != _ADDRESS_BYTES:
            raise UsageError("an address has 20 bytes", actual=address)
        if address in self._liars:
            raise UsageError("a liar is not hired again", address=address)
        self._hired += 1
        self._workers[self._hired] = Worker(address, self._range_ms, self._first_count)
        return self._hired

    def dismiss(self, worker: int) -> tuple[WorkRange, ...]:
        """Let a worker go; the ranges that it has, and that are returned, go to others."""
        self._workers.pop(worker, None)
        return self._void(lambda handout: handout.worker == worker)

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of all workers, in the order in which they were hired."""
        return tuple(self._workers)

    @property
    def liars(self) -> tuple[bytes, ...]:
        """The addresses that were dropped for lying, in that order."""
        return tuple(self._liars)

    # The job

    def begin(self, block_hash: bytes, target: int) -> tuple[WorkRange, ...]:
        """Start looking for a nonce; an unfinished job is given up, and its ranges are returned.

        Parameters
        ----------
        block_hash
            The candidate's, 32 bytes.
        target
            The greatest hash that wins.

        Raises
        ------
        UsageError
            When the hash has not 32 bytes or the target is not from 0 to 2^256 - 1.
        """
        if not 0 <= target <= MAX_TARGET:
            raise UsageError("a target takes 32 bytes", actual=target)
        space = NonceSpace(block_hash, self._nonces)
        void = self.stop()
        self._space = space
        self._target = target
        self._hashes = 0
        return void

    def extend(self, extra_nonce: int, block_hash: bytes) -> None:
        """Answer :class:`NeedCandidate` with a candidate of another hash (32 bytes).

        Raises
        ------
        UsageError
            When it was not asked for, its hash has not 32 bytes or was used before in this job.
        """
        if self._space is None:
            raise UsageError("there is no job to extend")
        self._space.extend(extra_nonce, block_hash)

    def stop(self) -> tuple[WorkRange, ...]:
        """End the job; return the ranges that workers still have, whose reports will be stale."""
        self._space = self._best = None
        return self._void(lambda handout: True)

    @property
    def winner(self) -> Won | None:
        """The lowest winning nonce, as soon as it is certain that none below it wins."""
        if self._space is None or self._handouts or self._space.has_returned:
            return None
        return self._best

    @property
    def hashes(self) -> int:
        """How many nonces of this job have been hashed and reported; each counts once."""
        return self._hashes

    # Ranges

    def assign(self, worker: int, now_ms: int) -> WorkRange | NeedCandidate | None:
        """Return a range for a worker.

        Returns
        -------
        WorkRange or NeedCandidate or None
            None when it has enough, is not employed any more, or all that matters is with others; a
            demand for another candidate when the nonces of the last are spent.
        """
        employed = self._workers.get(worker)
        if employed is None or self._space is None or employed.outstanding >= self._depth:
            return None
        piece = self._space.take(employed.count)
        if not isinstance(piece, Piece):
            return piece
        self._tickets += 1
        share_target = max(target_of(max(piece.size // _SHARES_PER_RANGE, 1)), self._target)
        work = WorkRange(self._tickets, piece.block_hash, piece.start, piece.size, self._target, share_target)
        self._handouts[self._tickets] = _Handout(worker, work, piece, now_ms)
        employed.outstanding += 1
        return work

    def report(self, worker: int, ticket: int, claim: object, took_ms: int) -> Reported:
        """Take what a worker says of a range it was given.

        Parameters
        ----------
        ticket
            That of the range.
        claim
            What the worker sent: a :class:`~chainstack_sdk.consensus.work.Found`, or it is a lie.
        took_ms
            How long it hashed, without the time on the way. That is the worker's word; whoever overstates
            its pace gets ranges that it cannot bring back in time.
        """
        handout = self._handouts.get(ticket)
        if handout is None or handout.worker != worker:
            return Reported(Verdict.STALE)
        employed = self._workers[worker]
        if is_honest(claim, handout.work, self.work_hash) and not employed.is_lazy(handout.work, claim):
            self._close(ticket)
            employed.reported(claim.hashes, took_ms)
            self._hashes += claim.hashes
            weight = MAX_TARGET // handout.work.share_target
            self.tally.credit(employed.address, len(claim.shares) * weight)
            return Reported(Verdict.COUNTED, self._lead(handout.piece, claim))
        return Reported(Verdict.LIE, self._drop(employed.address))

    def failed(self, worker: int, ticket: int) -> tuple[WorkRange, ...]:
        """Note that a worker could not hash a range; it is handed out again.

        Returns
        -------
        tuple of WorkRange
            The worker's other ranges, when it has failed so often that it was dismissed.
        """
        handout = self._handouts.get(ticket)
        if handout is None or handout.worker != worker:
            return ()
        return self._lose(ticket)

    def expire(self, now_ms: int) -> tuple[WorkRange, ...]:
        """Give up ranges that are out for too long, so that others get them; return what was given up."""
        void: list[WorkRange] = []
        for ticket, handout in tuple(self._handouts.items()):
            if ticket in self._handouts and now_ms - handout.since_ms >= self._timeout_ms:
                void += (handout.work, *self._lose(ticket))
        return tuple(void)

    @property
    def deadline_ms(self) -> int | None:
        """When :meth:`expire` will next find something; None when no range is out."""
        # handouts stand in the order of their times
        handout = next(iter(self._handouts.values()), None)
        return None if handout is None else handout.since_ms + self._timeout_ms

    # Within

    def _lead(self, piece: Piece, found: Found) -> tuple[WorkRange, ...]:
        """Remember a winning nonce, lower than any before it, and call off what lies above."""
        if found.nonce is None or self._space is None:
            return ()
        self._best = Won(piece.block_hash, found.nonce, piece.extra_nonce)
        self._space.close(piece.extra_nonce, found.nonce)
        return self._void(lambda handout: handout.piece > piece)

    def _lose(self, ticket: int) -> tuple[WorkRange, ...]:
        """Take a range back from a worker that did not bring it, and dismiss it when that is a habit."""
        handout = self._close(ticket)
        self._give_back(handout.piece)
        employed = self._workers[handout.worker]
        employed.failed()
        return self.dismiss(handout.worker) if employed.failures >= self._max_failures else ()

    def _drop(self, address: bytes) -> tuple[WorkRange, ...]:
        """Dismiss all workers of an address for good."""
        self._liars[address] = None
        workers = [number for number, one in self._workers.items() if one.address == address]
        return tuple(work for number in workers for work in self.dismiss(number))

    def _void(self, chosen: Callable[[_Handout], bool]) -> tuple[WorkRange, ...]:
        """Take back the ranges that were chosen, for others to hash where that still matters."""
        void = [handout for handout in self._handouts.values() if chosen(handout)]
        for handout in void:
            self._close(handout.work.ticket)
            self._give_back(handout.piece)
        return tuple(handout.work for handout in void)

    def _give_back(self, piece: Piece) -> None:
        if self._space is not None:
            self._space.give_back(piece)

    def _close(self, ticket: int) -> _Handout:
        handout = self._handouts.pop(ticket)
        employed = self._workers.get(handout.worker)
        if employed is not None:
            employed.outstanding -= 1
        return handout
