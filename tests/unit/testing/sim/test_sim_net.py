"""The simulator under small nodes whose every move is known."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import pytest

from chainstack_sdk.network.effects import Accused, Committed, Effect, Mine, Send, SetTimer, Store
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim import Commit, LinkFaults, SimNet
from chainstack_sdk.testing.sim import audit as kinds


class Recorder:
    """Remembers what happens to it, with the time; answers from a table."""

    def __init__(
        self,
        record: bytes | None = None,
        *,
        start: tuple[Effect, ...] = (),
        on: Callable[[str, object], tuple[Effect, ...]] = lambda event, value: (),
    ) -> None:
        self.record = record
        self.happened: list[tuple[str, object]] = []
        self._start = start
        self._on = on

    def start(self) -> tuple[Effect, ...]:
        return self._start

    def _note(self, event: str, value: object) -> tuple[Effect, ...]:
        self.happened.append((event, value))
        return self._on(event, value)

    def receive(self, sender: Hashable, message: bytes) -> tuple[Effect, ...]:
        return self._note("message", (sender, message))

    def elapsed(self, timer) -> tuple[Effect, ...]:
        return self._note("timer", timer)

    def mined(self, block_hash: bytes, nonce: int) -> tuple[Effect, ...]:
        return self._note("nonce", (block_hash, nonce))


def recorder(*start: Effect, on: Callable[[str, object], tuple[Effect, ...]] = lambda event, value: ()):
    return lambda record: Recorder(record, start=start, on=on)


def net(*nodes, seed: int = 1, latency: tuple[int, int] = (10, 10), **options) -> SimNet:
    return SimNet(seed, nodes, links=LinkFaults(latency_ms=latency), **options)


def happened(sim: SimNet, name: str) -> list[tuple[str, object]]:
    node = sim.node(name)
    assert isinstance(node, Recorder)
    return node.happened


# Messages and timers


def test_a_message_for_all_and_one_for_one() -> None:
    sim = net(recorder(Send(b"all"), Send(b"one", "n2")), recorder(), recorder())
    assert not sim.run(9)
    assert [happened(sim, name) for name in sim.names] == [[], [], []]
    sim.run(10)
    assert happened(sim, "n0") == []
    assert happened(sim, "n1") == [("message", ("n0", b"all"))]
    assert happened(sim, "n2") == [("message", ("n0", b"all")), ("message", ("n0", b"one"))]
    assert sim.is_idle
    assert sim.audit.counts == {kinds.SEND: 3, kinds.DELIVER: 3}


def test_names_can_be_given() -> None:
    sim = SimNet(0, {"alice": recorder(Send(b"hello", "bob")), "bob": recorder()})
    sim.run(100)
    assert happened(sim, "bob") == [("message", ("alice", b"hello"))]


def test_a_message_to_nobody_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="does not exist"):
        net(recorder(Send(b"", "n7"))).run(1)


def test_a_timer_set_again_runs_once() -> None:
    sim = net(recorder(SetTimer("a", 5), SetTimer("b", 7), SetTimer("a", 9)))
    sim.run(8)
    assert happened(sim, "n0") == [("timer", "b")]
    sim.run(100)
    assert happened(sim, "n0") == [("timer", "b"), ("timer", "a")]


def test_events_of_one_time_keep_their_order() -> None:
    sim = net(recorder(*(SetTimer(str(number), 3) for number in range(20))))
    sim.run(3)
    assert [timer for _, timer in happened(sim, "n0")] == [str(number) for number in range(20)]


def test_clocks_go_wrong() -> None:
    node = recorder(on=lambda event, value: (SetTimer("late", 100),) if event == "message" else ())
    sim = net(recorder(Send(b"x")), node, node)
    sim.skew("n1", 1500)
    sim.skew("n2", 700)
    sim.run(10 + 70)
    assert [len(happened(sim, name)) for name in ("n1", "n2")] == [1, 2]
    sim.run(10 + 149)
    assert len(happened(sim, "n1")) == 1
    sim.run(10 + 150)
    assert len(happened(sim, "n1")) == 2
    with pytest.raises(UsageError, match="forward"):
        sim.skew("n1", 0)


def test_what_is_committed_and_brought_forward_is_kept() -> None:
    block_hash = b"h" * 32
    sim = net(recorder(Committed(1, block_hash, b"seal"), Accused(b"proof")), recorder())
    sim.run(0)
    assert sim.commits == [Commit(0, "n0", 1, block_hash, b"seal")]
    assert (sim.height("n0"), sim.height("n1")) == (1, 0)
    (accusation,) = sim.accusations
    assert (accusation.node, accusation.evidence) == ("n0", b"proof")


# Loss, duplicates, partitions


def test_links_lose_and_repeat() -> None:
    sim = SimNet(1, [recorder(Send(b"x")), recorder()], links=LinkFaults(loss=1000))
    sim.run(1000)
    assert happened(sim, "n1") == []
    assert sim.audit.counts == {kinds.SEND: 1, kinds.LOSE: 1}
    sim = SimNet(1, [recorder(Send(b"x")), recorder()], links=LinkFaults(duplication=1000))
    sim.run(1000)
    assert len(happened(sim, "n1")) == 2
    assert sim.audit.counts == {kinds.SEND: 1, kinds.DUPLICATE: 1, kinds.DELIVER: 2}


def test_links_change_one_by_one_and_all_at_once() -> None:
    sim = net(
        recorder(Send(b"x"), SetTimer("again", 20), on=lambda event, value: (Send(b"y"),)),
        recorder(),
        recorder(),
    )
    sim.set_link("n0", "n1", LinkFaults(latency_ms=(3, 3)))
    sim.run(3)
    assert [len(happened(sim, name)) for name in sim.names] == [0, 1, 0]
    sim.set_links(LinkFaults(loss=1000))
    sim.run(30)
    assert sim.audit.counts[kinds.LOSE] == 2
    sim.set_links()
    assert sim.calm_since_ms == 30


def test_a_partition_stops_what_is_sent_and_what_is_on_its_way() -> None:
    beat = recorder(Send(b"0"), SetTimer("beat", 20), on=lambda event, value: (Send(b"1"),))
    sim = net(beat, recorder(), recorder())
    sim.run(5)
    sim.cut(["n0", "n2"])
    sim.run(25)
    assert sim.audit.counts[kinds.BLOCK] == 2
    assert happened(sim, "n1") == []
    sim.heal()
    sim.run(40)
    assert [len(happened(sim, name)) for name in ("n1", "n2")] == [0, 2]


# Crashes


def test_a_crashed_node_hears_nothing_and_forgets_its_timers() -> None:
    sim = net(recorder(Send(b"x")), recorder(SetTimer("t", 50)))
    sim.run(5)
    sim.crash("n1")
    assert sim.node("n1") is None
    assert sim.calm_since_ms == 5
    sim.run(20)
    assert sim.audit.counts[kinds.MISS] == 1
    sim.restart("n1")
    sim.run(60)
    assert happened(sim, "n1") == []
    sim.run(70)
    assert happened(sim, "n1") == [("timer", "t")]


def test_crashing_twice_and_restarting_twice_changes_nothing() -> None:
    sim = net(recorder())
    sim.run(0)
    sim.restart("n0")
    sim.crash("n0")
    sim.crash("n0")
    sim.restart("n0")
    sim.restart("n0")
    assert sim.audit.counts == {kinds.CRASH: 1, kinds.RESTART: 1}


def storing(record: bytes | None) -> Recorder:
    """A node that counts its lives."""
    count = int(record or b"0") + 1
    return Recorder(record, start=(Send(b"before"), Store(b"%d" % count), Send(b"after")))


def lives(restarts: list[dict]) -> tuple[SimNet, bytes | None]:
    sim = net(storing, recorder())
    sim.run(0)
    for how in restarts:
        sim.crash("n0")
        sim.restart("n0", **how)
    node = sim.node("n0")
    assert isinstance(node, Recorder)
    return sim, node.record


def test_a_restart_goes_on_from_the_record() -> None:
    sim, record = lives([{}, {}])
    assert record == b"2"
    assert sim.is_honest("n0")
    assert sim.honest == ("n0", "n1")


@pytest.mark.parametrize(
    ("how", "found"),
    [({"older": 1}, b"2"), ({"older": 2}, b"1"), ({"older": 3}, None), ({"amnesia": True}, None)],
)
def test_a_restart_from_less_makes_a_node_faulty(how, found) -> None:
    sim, record = lives([{}, {}, how])
    assert record == found
    assert not sim.is_honest("n0")
    assert sim.honest == ("n1",)


@pytest.mark.parametrize(("durable", "record"), [(True, b"1"), (False, None)])
def test_a_crash_at_a_store(durable: bool, record: bytes | None) -> None:
    sim = net(storing, recorder())
    sim.crash_at_store("n0", durable=durable)
    sim.run(50)
    assert sim.node("n0") is None
    assert happened(sim, "n1") == [("message", ("n0", b"before"))]
    sim.restart("n0")
    sim.run(100)
    node = sim.node("n0")
    assert isinstance(node, Recorder)
    assert node.record == record
    assert [message for _, (_, message) in happened(sim, "n1")] == [b"before", b"before", b"after"]


def test_a_crash_at_a_store_can_be_called_off() -> None:
    sim = net(storing, recorder())
    sim.crash_at_store("n0", durable=False)
    sim.crash_at_store("n0", durable=None)
    sim.run(50)
    assert sim.node("n0") is not None


# Mining


def test_mining_takes_time_and_finds_real_nonces() -> None:
    asked = []

    def search(block_hash: bytes, target: int) -> int:
        asked.append((block_hash, target))
        return 42

    sim = net(recorder(Mine(b"a" * 32, 2**255), Mine(b"b" * 32, 2**250)), search=search, hashes_per_ms=4)
    sim.run(10_000)
    assert asked == [(b"b" * 32, 2**250)]
    assert happened(sim, "n0") == [("nonce", (b"b" * 32, 42))]
    assert sim.audit.counts == {kinds.MINE: 1}


def test_a_crash_ends_the_search_for_a_nonce() -> None:
    sim = net(recorder(Mine(b"a" * 32, 2**240)))
    sim.run(0)
    sim.crash("n0")
    sim.run(10_000_000)
    assert sim.audit.counts == {kinds.CRASH: 1}


def test_fast_miners_find_sooner() -> None:
    again = recorder(Mine(b"a" * 32, 2**246), on=lambda event, value: (Mine(b"a" * 32, 2**246),))
    sim = SimNet(3, {"slow": again, "fast": again}, hashes_per_ms={"slow": 1, "fast": 9}, search=lambda *_: 0)
    sim.run(1_000_000)
    found = {name: len(happened(sim, name)) for name in sim.names}
    assert 800 < found["slow"] < 1_150
    assert 8 < found["fast"] / found["slow"] < 10


# Running


def test_conditions_to_stop() -> None:
    sim = net(recorder(*(SetTimer(str(number), number) for number in range(1, 10))))
    with pytest.raises(UsageError, match="when to stop"):
        sim.run()
    assert not sim.run(max_events=3)
    assert sim.now_ms == 2
    assert sim.run(stop=lambda: sim.now_ms == 5)
    assert not sim.run(max_events=0, until_ms=100)
    assert sim.now_ms == 5
    assert not sim.run(100, stop=lambda: False)
    assert (sim.now_ms, sim.is_idle) == (100, True)
    assert not sim.run(50)
    assert sim.now_ms == 100


def test_things_can_be_done_at_a_time() -> None:
    sim = net(recorder(), recorder())
    done = []
    sim.at(7, lambda: done.append(sim.now_ms))
    sim.at(5, lambda: done.append(sim.now_ms))
    sim.run(6)
    assert done == [5]
    sim.run(7)
    assert done == [5, 7]
    with pytest.raises(UsageError, match="passed"):
        sim.at(6, lambda: None)


def test_an_invariant_is_checked_after_every_event() -> None:
    class Counter:
        checks = 0

        def check(self, sim: SimNet) -> None:
            self.checks += 1

    counter, late = Counter(), Counter()
    sim = net(recorder(SetTimer("a", 1), SetTimer("b", 2)), invariants=[counter])
    sim.run(max_events=2)
    sim.watch(late)
    sim.run(max_events=1)
    assert (counter.checks, late.checks) == (3, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda sim: sim.node("x"),
        lambda sim: sim.height("x"),
        lambda sim: sim.crash("x"),
        lambda sim: sim.restart("x"),
        lambda sim: sim.crash_at_store("x", durable=True),
        lambda sim: sim.cut(["n0", "x"]),
        lambda sim: sim.skew("x", 1000),
        lambda sim: sim.set_link("n0", "x", LinkFaults()),
        lambda sim: sim.set_link("x", "n0", LinkFaults()),
    ],
)
def test_unknown_names_are_refused(act) -> None:
    with pytest.raises(UsageError, match="no such node"):
        act(net(recorder()))


# The same seed


def busy(record: bytes | None) -> Recorder:
    def react(event: str, value: object) -> tuple[Effect, ...]:
        return (Send(b"tick"), Store(b"r"), SetTimer("t", 40)) if event == "timer" else ()

    return Recorder(record, start=(SetTimer("t", 40), Send(b"hello")), on=react)


def run_busily(seed: int) -> SimNet:
    faults = LinkFaults(latency_ms=(5, 60), loss=100, duplication=100, reordering=100)
    sim = SimNet(seed, [busy, busy, busy], links=faults)
    sim.at(200, lambda: sim.crash("n1"))
    sim.at(300, lambda: sim.restart("n1"))
    sim.at(400, lambda: sim.cut(["n0"]))
    sim.at(500, sim.heal)
    sim.run(1_000)
    return sim


def test_the_same_seed_gives_the_same_run() -> None:
    one, same, other = run_busily(1), run_busily(1), run_busily(2)
    assert one.digest == same.digest
    assert one.audit.entries == same.audit.entries
    assert one.digest != other.digest


def test_faults_are_part_of_the_digest() -> None:
    one, other = net(recorder(), recorder()), net(recorder(), recorder())
    other.cut(["n0"])
    one.run(1)
    other.run(1)
    assert one.digest != other.digest
