"""The master under any schedule of reports, lies, failures, silence and new workers.

Whatever happens, the winner is the one that a plain loop finds, no nonce counts twice, and what is owed is
what was proven.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.consensus.mapreduce import (
    Master,
    NeedCandidate,
    Verdict,
    Won,
    WorkRange,
    hash_range,
)
from chainstack_sdk.consensus.work import MAX_TARGET, DoubleSha256, Found, is_worked, target_of
from chainstack_sdk.primitives.keccak import keccak256

HASH = DoubleSha256()
NONCES = 200
WORKERS = 4
TIMEOUT_MS = 1_000

ACTIONS = st.tuples(
    st.sampled_from(["assign", "assign", "assign", "report", "report", "fail", "lie", "late", "wait", "go"]),
    st.integers(0, WORKERS - 1),
    st.integers(0, 9),
)


def candidate(seed: int, extra_nonce: int) -> bytes:
    return keccak256(b"%d %d" % (seed, extra_nonce))


def plain_loop(seed: int, target: int) -> Won:
    extra_nonce = 0
    while True:
        block_hash = candidate(seed, extra_nonce)
        nonce = HASH.search(block_hash, 0, NONCES, target, target).nonce
        if nonce is not None:
            return Won(block_hash, nonce, extra_nonce)
        extra_nonce += 1


@dataclass
class World:
    """A master, its workers as the world sees them, and what it has believed."""

    seed: int
    target: int
    master: Master = field(init=False)
    employed: dict[int, int] = field(default_factory=dict)
    """Place -> number of the worker there."""
    out: dict[int, list[WorkRange]] = field(default_factory=dict)
    gone: list[tuple[int, WorkRange]] = field(default_factory=list)
    """Ranges that were taken from workers, who may report them all the same."""
    counted: list[tuple[bytes, int, int]] = field(default_factory=list)
    """Block hash, first nonce, hashes."""
    owed: Counter[bytes] = field(default_factory=Counter)
    hired: int = 0
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.master = Master(
            HASH, first_count=24, nonces=NONCES, timeout_ms=TIMEOUT_MS, max_failures=3, depth=3
        )
        self.master.begin(candidate(self.seed, 0), self.target)
        for place in range(WORKERS):
            self.hire(place)

    def hire(self, place: int) -> None:
        """Put somebody new, with an address of its own, in a place."""
        self.hired += 1
        self.employed[place] = self.master.hire(self.address(self.hired))
        self.out[self.employed[place]] = []

    @staticmethod
    def address(worker: int) -> bytes:
        return worker.to_bytes(20, "big")

    def worker(self, place: int) -> int:
        if self.employed[place] not in self.master.workers:
            self.hire(place)
        return self.employed[place]

    def void(self, works: tuple[WorkRange, ...]) -> None:
        for worker, mine in self.out.items():
            self.gone += [(worker, work) for work in mine if work in works]
            mine[:] = [work for work in mine if work not in works]

    def assign(self, worker: int) -> bool:
        work = self.master.assign(worker, self.now_ms)
        if isinstance(work, NeedCandidate):
            self.master.extend(work.extra_nonce, candidate(self.seed, work.extra_nonce))
            return True
        if work is not None:
            self.out[worker].append(work)
        return work is not None

    def report(self, worker: int, which: int) -> None:
        mine = self.out[worker]
        if mine:
            work = mine.pop(which % len(mine))
            found = hash_range(HASH, work)
            answer = self.master.report(worker, work.ticket, found, took_ms=which * 40)
            self.void(answer.void)
            assert answer.verdict is Verdict.COUNTED
            self.counted.append((work.block_hash, work.start, found.hashes))
            weight = MAX_TARGET // work.share_target
            self.owed[self.address(worker)] += weight * len(found.shares)

    def lie(self, worker: int, which: int) -> None:
        mine = self.out[worker]
        if mine:
            work = mine[which % len(mine)]
            truth = hash_range(HASH, work)
            lies = (
                Found(work.start - 1, work.count, (work.start - 1,)),
                Found(None, work.count, (*truth.shares, work.start + work.count)),
                Found(None, work.count, (work.start, work.start)),
                replace(truth, hashes=truth.hashes + 1),
                "done",
            )
            answer = self.master.report(worker, work.ticket, lies[which % len(lies)], 200)
            assert answer.verdict is Verdict.LIE
            assert worker not in self.master.workers
            self.void(answer.void)
            assert self.out[worker] == []

    def fail(self, worker: int, which: int) -> None:
        mine = self.out[worker]
        if mine:
            work = mine.pop(which % len(mine))
            self.gone.append((worker, work))
            self.void(self.master.failed(worker, work.ticket))

    def late(self, which: int) -> None:
        if self.gone:
            worker, work = self.gone[which % len(self.gone)]
            answer = self.master.report(worker, work.ticket, hash_range(HASH, work), 200)
            assert answer.verdict is Verdict.STALE
            assert answer.void == ()

    def wait(self, which: int) -> None:
        self.now_ms += 100 * which
        self.void(self.master.expire(self.now_ms))

    def do(self, action: str, place: int, which: int) -> None:
        worker = self.worker(place)
        match action:
            case "assign":
                self.assign(worker)
            case "report":
                self.report(worker, which)
            case "fail":
                self.fail(worker, which)
            case "lie":
                self.lie(worker, which)
            case "late":
                self.late(which)
            case "wait":
                self.wait(which)
            case "go":
                self.void(self.master.dismiss(worker))

    def finish(self) -> None:
        """Everybody is honest from now on."""
        while self.master.winner is None:
            self.now_ms += 50
            self.wait(0)
            for place in range(WORKERS):
                worker = self.worker(place)
                while self.assign(worker):
                    pass
                self.report(worker, 0)

    def check(self) -> None:
        spans = sorted(self.counted)
        for (block, start, hashes), (next_block, next_start, _) in pairwise(spans):
            assert block != next_block or start + hashes <= next_start, "no nonce counts twice"
        assert self.master.hashes == sum(hashes for _, _, hashes in spans)
        assert {address: weight for address, weight in self.owed.items() if weight} == dict(
            self.master.tally.payouts().entries
        )


@given(
    seed=st.integers(0, 2**32),
    difficulty=st.sampled_from([1, 60, 300, 600]),
    actions=st.lists(ACTIONS, max_size=60),
)
def test_any_schedule(seed: int, difficulty: int, actions: list[tuple[str, int, int]]) -> None:
    target = target_of(difficulty)
    world = World(seed, target)
    for action in actions:
        world.do(*action)
        world.check()
    world.finish()
    world.check()
    won = world.master.winner
    assert won == plain_loop(seed, target)
    assert is_worked(won.block_hash, won.nonce, difficulty, HASH)
    covered = Counter[bytes]()
    for block_hash, start, hashes in world.counted:
        stop = won.nonce + 1 if block_hash == won.block_hash else NONCES
        covered[block_hash] += max(min(start + hashes, stop) - start, 0)
    for extra_nonce in range(won.extra_nonce):
        assert covered[candidate(seed, extra_nonce)] == NONCES, "all below the winner has been hashed"
    assert covered[won.block_hash] == won.nonce + 1
