"""Nodes in an event loop, in real time, talking to each other within one process."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.network.effects import Accused, Committed, Mine, Send, SetTimer, Store
from chainstack_sdk.network.record import MemoryRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from concurrent.futures import Executor

    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.network.effects import Effect, Node, Timer
    from chainstack_sdk.network.record import Record

    Step: TypeAlias = Callable[[], tuple[Effect, ...]]
    Listener: TypeAlias = Callable[[Hashable, Committed | Accused], None]

_STRETCH = 20_000
"""Nonces between two looks at whether the work is still wanted."""


class AsyncioHost:
    """Runs nodes until it is stopped, once.

    A record is written before anything that follows it is done, so all nodes wait for the disk.

    Parameters
    ----------
    nodes
        By name; the names are who they send to.
    records
        Where each node's record is kept; in memory where none is given.
    work_hash
        The hash of proof of work; double SHA-256 by default.
    executor
        Hashes; by default the event loop's threads.
    listener
        Told of every block that a node commits, and of every accusation, with the node's name.
    """

    def __init__(
        self,
        nodes: Mapping[Hashable, Node],
        *,
        records: Mapping[Hashable, Record] | None = None,
        work_hash: WorkHash | None = None,
        executor: Executor | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._nodes = dict(nodes)
        self._records = {name: (records or {}).get(name) or MemoryRecord() for name in self._nodes}
        self._hash = work_hash or DoubleSha256()
        self._executor = executor
        self._listener = listener
        self._timers: dict[tuple[Hashable, Timer], asyncio.TimerHandle] = {}
        self._mining: dict[Hashable, asyncio.Task[int]] = {}
        self._steps: asyncio.Queue[tuple[Hashable, Step] | None] = asyncio.Queue()

    async def run(self) -> None:
        """Start every node and go on until :meth:`stop`.

        Whatever a node, a record, the executor or the listener raises comes out of here.
        """
        for name, node in self._nodes.items():
            self._steps.put_nowait((name, node.start))
        try:
            while (following := await self._steps.get()) is not None:
                name, step = following
                for effect in step():
                    self._carry_out(name, effect)
                await asyncio.sleep(0)  # let timers and workers in
        finally:
            self._release()

    def stop(self) -> None:
        """Make :meth:`run` return after the steps that wait by now; to be called in its event loop."""
        self._steps.put_nowait(None)

    def _carry_out(self, name: Hashable, effect: Effect) -> None:
        match effect:
            case Send(message, to):
                for receiver in self._nodes if to is None else (to,):
                    if receiver != name and receiver in self._nodes:
                        step = partial(self._nodes[receiver].receive, name, message)
                        self._steps.put_nowait((receiver, step))
            case SetTimer(timer, delay_ms):
                self._set_timer(name, timer, delay_ms)
            case Store(record):
                self._records[name].save(record)
            case Mine(block_hash, target):
                self._stop_mining(name)
                task = self._mining[name] = asyncio.ensure_future(self._mine(block_hash, target))
                task.add_done_callback(partial(self._mined, name, block_hash))
            case _:  # Committed or Accused
                if self._listener is not None:
                    self._listener(name, effect)

    def _set_timer(self, name: Hashable, timer: Timer, delay_ms: int) -> None:
        old = self._timers.pop((name, timer), None)
        if old is not None:
            old.cancel()
        loop = asyncio.get_running_loop()
        self._timers[name, timer] = loop.call_later(delay_ms / 1_000, self._ring, name, timer)

    def _ring(self, name: Hashable, timer: Timer) -> None:
        del self._timers[name, timer]
        self._steps.put_nowait((name, partial(self._nodes[name].elapsed, timer)))

    async def _mine(self, block_hash: bytes, target: int) -> int:
        loop, start, nonce = asyncio.get_running_loop(), 0, None
        while nonce is None:
            search = partial(self._hash.search, block_hash, start, _STRETCH, target, target)
            nonce = (await loop.run_in_executor(self._executor, search)).nonce
            start += _STRETCH
        return nonce

    def _mined(self, name: Hashable, block_hash: bytes, task: asyncio.Task[int]) -> None:
        def bring() -> tuple[Effect, ...]:
            return self._nodes[name].mined(block_hash, task.result())  # or what the executor has raised

        if self._mining.get(name) is task:
            del self._mining[name]
            self._steps.put_nowait((name, bring))

    def _stop_mining(self, name: Hashable) -> None:
        task = self._mining.pop(name, None)
        if task is not None:
            task.cancel()

    def _release(self) -> None:
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        for name in tuple(self._mining):
            self._stop_mining(name)
