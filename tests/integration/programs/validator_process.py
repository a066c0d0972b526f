"""A validator as a process of its own: a whole node with its blocks and its record on the disk.

It is its own driver: messages come and go over a pipe, with the name of the other node or None for everybody,
timers are kept in a heap, and a record is on the disk before anything that follows it.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING

from chainstack_sdk.chain.assembly import stored_parts
from chainstack_sdk.clock import SystemClock
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.core.store import SqliteStore
from chainstack_sdk.network.effects import Send, SetTimer, Store
from chainstack_sdk.network.full_node import FullNode, full_node
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.node import Timing
from chainstack_sdk.network.record import FileRecord
from chainstack_sdk.testing import NullRuntime

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from chainstack_sdk.network.effects import Effect, Node, Timer

MEMBERS = local_members(4)
KIND = PbftChain([member.address for member in MEMBERS])
GENESIS = KIND.prepare(Genesis(chain_id=7))
TIMING = Timing(base_ms=50, step_ms=5, resend_ms=20)
STARTED = "started"
"""What the process says first, in place of a name."""


def node_in_memory(number: int) -> FullNode:
    """Return the node of a member that never crashes."""
    return full_node(
        KIND, GENESIS, MEMBERS[number], runtime=NullRuntime(), clock=SystemClock(), timing=TIMING
    )


class Process:
    """Drives one node."""

    def __init__(self, connection: Connection, node: Node, record: FileRecord) -> None:
        self.connection = connection
        self.node = node
        self.record = record
        self.due: list[tuple[float, int, Timer]] = []
        self.current: dict[Timer, int] = {}
        self.count = 0

    def carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Send(message, to):
                    self.connection.send((to, message))
                case Store(value):
                    self.record.save(value)
                case SetTimer(timer, delay_ms):
                    self.count += 1
                    self.current[timer] = self.count
                    heapq.heappush(self.due, (time.monotonic() + delay_ms / 1_000, self.count, timer))

    def run(self) -> None:
        self.carry_out(self.node.start())
        while True:
            wait = max(self.due[0][0] - time.monotonic(), 0) if self.due else None
            if self.connection.poll(wait):
                self.carry_out(self.node.receive(*self.connection.recv()))
            elif self.due:
                _, number, timer = heapq.heappop(self.due)
                if self.current.get(timer) == number:
                    self.carry_out(self.node.elapsed(timer))


def main(connection: Connection, folder: Path, remembers: bool) -> None:
    """Run member 0 until it is killed; without its record if it does not remember."""
    record = FileRecord(folder / "record")
    ledger, state = stored_parts(SqliteStore(folder / "chain.db"), GENESIS, archive=False, keep_states=None)
    full = full_node(
        KIND,
        GENESIS,
        MEMBERS[0],
        runtime=NullRuntime(),
        clock=SystemClock(),
        record=record.load() if remembers else None,
        timing=TIMING,
        ledger=ledger,
        state=state,
    )
    connection.send((STARTED, full.blockchain.height.to_bytes(8, "big")))
    Process(connection, full.node, record).run()
