"""Nodes in an event loop: messages, timers, records, work, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork, WorkHash, is_worked, target_of
from chainstack_sdk.core.engine import Timeout
from chainstack_sdk.network.asyncio_host import AsyncioHost
from chainstack_sdk.network.effects import Accused, Committed, Effect, Mine, Send, SetTimer, Store, Timer
from chainstack_sdk.network.record import MemoryRecord
from chainstack_sdk.primitives.errors import UsageError

HASH = b"\x11" * 32
EASY, HARD = 200, 60_000  # the latter takes several stretches


@dataclass
class Script:
    """A node that answers from a table and remembers what it was told."""

    answers: dict[object, tuple[Effect, ...]]
    heard: list[object] = field(default_factory=list)

    def _answer(self, event: object) -> tuple[Effect, ...]:
        self.heard.append(event)
        return self.answers.get(event, ())

    def start(self) -> tuple[Effect, ...]:
        return self._answer("start")

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        return self._answer((sender, message))

    def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
        return self._answer(timer)

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        self.heard.append((block_hash, nonce))
        return self._answer("mined")


END = Committed(1, HASH, b"end")


def run(nodes: dict[Hashable, Script], **options: object) -> list[tuple[Hashable, Committed | Accused]]:
    """Run until a node commits the end; return what the listener was told."""
    told: list[tuple[Hashable, Committed | Accused]] = []

    async def go() -> None:
        def listen(name: Hashable, news: Committed | Accused) -> None:
            told.append((name, news))
            if news == END:
                host.stop()

        host = AsyncioHost(nodes, listener=listen, **options)  # type: ignore[arg-type]
        await asyncio.wait_for(host.run(), 20)

    asyncio.run(go())
    return told


def test_messages_go_to_one_or_to_all_others() -> None:
    a = Script({"start": (Send(b"all"), Send(b"one", "c"), Send(b"self", "a"), Send(b"lost", "nobody"))})
    b = Script({("a", b"all"): (Send(b"back", "a"),)})
    c = Script({("a", b"one"): (SetTimer("later", 20),), "later": (END,)})
    run({"a": a, "b": b, "c": c})
    assert a.heard == ["start", ("b", b"back")]
    assert b.heard == ["start", ("a", b"all")]
    assert c.heard == ["start", ("a", b"all"), ("a", b"one"), "later"]


def test_timers_are_replaced_by_name() -> None:
    timeout, other = Timeout("prevote", 1, 0), Timeout("prevote", 1, 1)
    node = Script(
        {
            "start": (SetTimer(timeout, 30), SetTimer(other, 60), SetTimer("end", 90)),
            timeout: (SetTimer("end", 5),),
            other: (SetTimer("never", 10_000),),
            "end": (SetTimer("very end", 60),),
            "very end": (END,),
        }
    )
    run({"n": node})
    assert node.heard == ["start", timeout, "end", other, "very end"]


def test_timers_belong_to_their_node() -> None:
    first = Script({"start": (SetTimer("tick", 10),)})
    second = Script({"start": (SetTimer("tick", 40),), "tick": (END,)})
    run({1: first, 2: second})
    assert (first.heard, second.heard) == (["start", "tick"], ["start", "tick"])


def test_a_record_is_kept_before_anything_that_follows() -> None:
    events: list[object] = []

    class Watched(MemoryRecord):
        def save(self, value: bytes) -> None:
            super().save(value)
            events.append(value)

    class Hearing(Script):
        def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
            events.append(message)
            return super().receive(sender, message)

    record = Watched()
    run(
        {
            "a": Script({"start": (Store(b"first"), Send(b"vote"), Store(b"second"))}),
            "b": Hearing({("a", b"vote"): (Store(b"other"), END)}),
        },
        records={"a": record},
    )
    assert events == [b"first", b"second", b"vote"]
    assert record.load() == b"second"


def test_news_reach_the_listener() -> None:
    node = Script({"start": (Committed(1, HASH, b"seal"), Accused(b"proof"), END)})
    assert run({"n": node}) == [("n", Committed(1, HASH, b"seal")), ("n", Accused(b"proof")), ("n", END)]


def test_nobody_has_to_listen() -> None:
    async def go() -> None:
        host = AsyncioHost({"n": node})
        asyncio.get_running_loop().call_soon(host.stop)
        await host.run()

    node = Script({"start": (Committed(1, HASH, b"seal"), Send(b"never heard"))})
    asyncio.run(go())
    assert node.heard == ["start"]


@pytest.mark.parametrize("work_hash", [None, KeccakWork()])
def test_work_is_found_in_threads(work_hash: WorkHash | None) -> None:
    node = Script({"start": (Mine(HASH, target_of(HARD)),), "mined": (END,)})
    run({"n": node}, **({"work_hash": work_hash} if work_hash else {}))
    block_hash, nonce = node.heard[1]  # type: ignore[misc]
    assert block_hash == HASH
    assert is_worked(HASH, nonce, HARD, work_hash or DoubleSha256())


def test_work_may_be_done_elsewhere() -> None:
    node = Script({"start": (Mine(HASH, target_of(EASY)),), "mined": (END,)})
    with ThreadPoolExecutor(1, thread_name_prefix="elsewhere") as executor:
        run({"n": node}, executor=executor)
        assert executor._threads


def test_later_work_takes_the_place_of_earlier() -> None:
    other = b"\x22" * 32
    node = Script(
        {
            "start": (Mine(HASH, 1), SetTimer("better", 20)),
            "better": (Mine(other, target_of(EASY)),),
            "mined": (END,),
        }
    )
    run({"n": node})
    assert [event[0] for event in node.heard if isinstance(event, tuple)] == [other]


def test_the_errors_of_workers_come_out() -> None:
    with pytest.raises(UsageError):
        run({"n": Script({"start": (Mine(HASH, -1),)})})


def test_the_errors_of_nodes_come_out_and_everything_is_released() -> None:
    class Broken(Script):
        def elapsed(self, timer: Timer) -> tuple[Effect, ...]:
            raise ZeroDivisionError

    node = Broken({"start": (Mine(HASH, 1), SetTimer("break", 10), SetTimer("later", 10_000))})
    with pytest.raises(ZeroDivisionError):
        run({"n": node})
