from __future__ import annotations

from random import Random

import pytest

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.sim.links import LinkFaults, Links


def links(**faults) -> Links:
    return Links(LinkFaults(**faults), Random(1))


def test_a_constant_latency_draws_nothing() -> None:
    between = links(latency_ms=(7, 7))
    assert [between.arrivals(now, "a", "b") for now in (0, 5, 5)] == [(7,), (12,), (12,)]


def test_latency_is_drawn_from_the_range() -> None:
    between = links(latency_ms=(10, 20), reordering=0)
    found = {between.arrivals(0, "a", f"b{i}")[0] for i in range(300)}
    assert found == set(range(10, 21))


def test_messages_of_a_link_arrive_in_order() -> None:
    between = links(latency_ms=(0, 1000))
    times = [between.arrivals(now, "a", "b")[0] for now in range(200)]
    assert times == sorted(times)
    assert len(set(times)) > 1


def test_reordered_messages_overtake() -> None:
    between = links(latency_ms=(0, 1000), reordering=1000)
    times = [between.arrivals(now, "a", "b")[0] for now in range(200)]
    assert times != sorted(times)
    assert max(times) <= 199 + 2 * 1000


def test_lost_and_doubled_shares() -> None:
    assert links(loss=1000).arrivals(0, "a", "b") == ()
    assert len(links(duplication=1000).arrivals(0, "a", "b")) == 2
    some = links(loss=250)
    lost = sum(not some.arrivals(0, "a", "b") for _ in range(4000))
    assert 850 < lost < 1150


def test_a_link_of_its_own_is_directed_and_ends_with_a_change_of_all() -> None:
    between = links(latency_ms=(1, 1))
    between.set_one("a", "b", LinkFaults(latency_ms=(9, 9)))
    assert (between.arrivals(0, "a", "b"), between.arrivals(0, "b", "a")) == ((9,), (1,))
    between.set_all(LinkFaults(latency_ms=(20, 20)))
    assert (between.arrivals(0, "a", "b"), between.arrivals(0, "b", "a")) == ((20,), (20,))


def test_partitions() -> None:
    between = links()
    assert between.connects("a", "b")
    between.cut([["a"], ["b", "c"]])
    pairs = {pair: between.connects(*pair) for pair in ("ab", "bc", "ad", "de")}
    assert pairs == {"ab": False, "bc": True, "ad": False, "de": True}
    between.cut([["b"]])
    assert (between.connects("a", "c"), between.connects("a", "b")) == (True, False)
    between.heal()
    assert between.connects("a", "b")


@pytest.mark.parametrize(
    "faults",
    [
        {"latency_ms": (5, 4)},
        {"latency_ms": (-1, 4)},
        {"loss": 1001},
        {"duplication": -1},
        {"reordering": 2000},
    ],
)
def test_impossible_faults_are_refused(faults) -> None:
    with pytest.raises(UsageError):
        LinkFaults(**faults)
