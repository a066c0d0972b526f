"""A validator whose process is killed with SIGKILL while it votes, at random moments, again and again.

It is one of four, and the three others, hosted here, need it: in each of its lives one of them is cut off.
However it dies, restarted from its record and its blocks it never signs two different messages for one
height, round and step. Every message that it has sent is looked at, those that nobody was handed too.
"""

from __future__ import annotations

import heapq
import os
import random
import time
from collections.abc import Hashable, Iterator
from functools import partial
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import validator_process as program

from chainstack_sdk.consensus.bft.messages import SignedVote, attach, content, decode_message
from chainstack_sdk.network.effects import Send, SetTimer
from chainstack_sdk.network.wire import Kind, decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from chainstack_sdk.network.effects import Effect, Timer

ADDRESS = program.MEMBERS[0].address
OTHERS = (1, 2, 3)
LONGEST_LIFE = 0.2
"""Seconds."""
LOSS = 0.05
MAX_DELAY = 0.004
"""Seconds that a message takes at most."""
CONTEXT = get_context("forkserver")


@pytest.fixture(scope="module", autouse=True)
def imported_once() -> Iterator[None]:
    """Validators are forked from a process that has imported everything, so that they start in no time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            patch.delenv(name)
        patch.setenv("PYTHONPATH", str(Path(program.__file__).parent))
        CONTEXT.set_forkserver_preload([program.__name__])
        forkserver.ensure_running()
        yield


class Contradiction(AssertionError):
    """Two different messages of one validator for one height, round and step."""


class Watch:
    """All that the validator has ever signed."""

    def __init__(self) -> None:
        self.signed: dict[tuple[object, ...], bytes] = {}
        self.sent = 0

    def see(self, message: bytes) -> None:
        kind, rest = decode(message)
        if kind is not Kind.ENGINE:
            return
        signed = decode_message(rest)
        if signed.validator != ADDRESS:
            return  # it repeats what others have said
        self.sent += 1
        said = content(signed)
        step = said.kind if isinstance(signed, SignedVote) else "proposal"
        unsigned = attach(said, ADDRESS, bytes(65)).encode()
        before = self.signed.setdefault((said.height, said.round, step), unsigned)
        if before != unsigned:
            raise Contradiction(f"height {said.height}, round {said.round}, {step}")


class Committee:
    """The three validators here, the network among all four, and the lives of the fourth."""

    def __init__(self, folder: Path, seed: int, *, remembers: bool) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.remembers = remembers
        self.watch = Watch()
        self.full = {number: program.node_in_memory(number) for number in OTHERS}
        self.cut_off = 0
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.timers: dict[tuple[int, Timer], int] = {}
        self.count = 0
        self.lost_s = 0.0
        self.connection: Connection | None = None
        for number, full in self.full.items():
            self.carry_out(number, full.node.start())

    def now(self) -> float:
        """Seconds, without those in which the validator was being started."""
        return time.monotonic() - self.lost_s

    # The network

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.due, (self.now() + seconds, self.count, action))

    def send(self, sender: Hashable, to: Hashable | None, message: bytes) -> None:
        for receiver in (0, *OTHERS) if to is None else (to,):
            if receiver == sender or self.cut_off in (sender, receiver) or self.chance.random() < LOSS:
                continue
            deliver = partial(self.deliver, sender, receiver, message)
            self.later(self.chance.uniform(0, MAX_DELAY), deliver)

    def deliver(self, sender: Hashable, receiver: Hashable, message: bytes) -> None:
        if isinstance(receiver, int) and receiver in self.full:
            self.carry_out(receiver, self.full[receiver].node.receive(sender, message))
        elif self.connection is not None:
            self.connection.send((sender, message))

    def carry_out(self, number: int, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Send(message, to):
                    self.send(number, to, message)
                case SetTimer(timer, delay_ms):
                    self.timers[number, timer] = event = self.count + 1
                    self.later(delay_ms / 1_000, partial(self.ring, number, timer, event))

    def ring(self, number: int, timer: Timer, event: int) -> None:
        if self.timers[number, timer] == event:
            self.carry_out(number, self.full[number].node.elapsed(timer))

    # The validator

    def live(self) -> None:
        """Start the validator, let all of them talk for a while, and kill it."""
        before = time.monotonic()
        connection, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=program.main, args=(theirs, self.folder, self.remembers))
        process.start()
        theirs.close()
        try:
            name, _ = connection.recv()
            assert name == program.STARTED
            self.lost_s += time.monotonic() - before
            self.connection = connection
            self.cut_off = self.chance.choice(OTHERS)
            self.talk(connection, self.chance.uniform(0, LONGEST_LIFE))
        finally:
            self.connection = None
            process.kill()
            process.join()
        assert process.exitcode == -9
        self.hear_the_rest(connection)

    def talk(self, connection: Connection, seconds: float) -> None:
        end = self.now() + seconds
        while (now := self.now()) < end:
            due = self.due[0][0]  # somebody always waits for something
            if connection.poll(max(min(due, end) - now, 0)):
                self.hear(connection)
            elif due <= self.now():
                heapq.heappop(self.due)[2]()

    def hear(self, connection: Connection) -> None:
        to, message = connection.recv()
        self.watch.see(message)
        self.send(0, to, message)

    def hear_the_rest(self, connection: Connection) -> None:
        """Take what the validator had sent when it died."""
        try:
            while True:
                self.hear(connection)
        except (EOFError, OSError):
            connection.close()  # the end, or half a message


def live_often(committee: Committee, kills: int) -> None:
    for _ in range(kills):
        committee.live()


def check(folder: Path, kills: int, seed: int) -> None:
    print(f"seed {seed}")
    committee = Committee(folder, seed, remembers=True)
    live_often(committee, kills)
    assert len(committee.watch.signed) > kills // 4
    assert committee.watch.sent > kills
    chains = [full.blockchain for full in committee.full.values()]
    assert max(chain.height for chain in chains) > 2
    assert len({chain.ledger.header(min(one.height for one in chains)).hash for chain in chains}) == 1


def test_a_killed_validator_never_contradicts_itself(tmp_path: Path) -> None:
    check(tmp_path, kills=50, seed=20_260_101)


@pytest.mark.long
def test_many_kills(tmp_path: Path) -> None:
    check(tmp_path, kills=300, seed=random.SystemRandom().getrandbits(32))


def test_without_its_record_it_does(tmp_path: Path) -> None:
    """What the other tests look for is there to be found."""
    committee = Committee(tmp_path, 1, remembers=False)
    with pytest.raises(Contradiction):
        live_often(committee, 100)
