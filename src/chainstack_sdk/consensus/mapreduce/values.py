"""What a master and its workers say to each other: plain data that can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.consensus.work import Found, WorkHash


@dataclass(frozen=True, slots=True)
class WorkRange:
    """The nonces that one worker is to hash."""

    ticket: int
    """Names this handing out; a range that is handed out again gets another."""
    block_hash: bytes
    """The candidate's, 32 bytes."""
    start: int
    """The first nonce."""
    count: int
    """How many nonces, at least 1; the last is ``start + count - 1``."""
    target: int
    """The greatest hash that wins."""
    share_target: int
    """The greatest hash that makes a share; at least the target."""


@dataclass(frozen=True, slots=True)
class NeedCandidate:
    """The nonces are spent: a candidate with another hash is wanted, which an extra nonce gives."""

    extra_nonce: int
    """The number of the candidate; the first of a job has 0."""


@dataclass(frozen=True, slots=True)
class Won:
    """The work is done."""

    block_hash: bytes
    """The candidate's, 32 bytes."""
    nonce: int
    """Below 2^64."""
    extra_nonce: int
    """The number of the candidate in its job."""


class Verdict(Enum):
    """What the master makes of a report."""

    COUNTED = "counted"
    """The range is done and the shares are credited."""
    STALE = "stale"
    """The range is no longer this worker's: called off, timed out, or reported already."""
    LIE = "lie"
    """Something in it is false; the worker's address is dropped."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The master's answer to a report."""

    verdict: Verdict
    void: tuple[WorkRange, ...] = ()
    """Ranges that other workers, or this one, need not hash any more; their reports will be stale."""


def hash_range(work_hash: WorkHash, work: WorkRange) -> Found:
    """Hash a range; this is what runs on a worker."""
    return work_hash.search(work.block_hash, work.start, work.count, work.target, work.share_target)
