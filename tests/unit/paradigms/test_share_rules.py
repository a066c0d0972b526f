"""Lock-ups as arithmetic, and the words for restrictions."""

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.paradigms.share_rules import MESSAGES, Lock, Restriction

times = st.integers(0, (1 << 64) - 1)


def test_every_restriction_has_words():
    assert len(MESSAGES) == len(Restriction) == len(set(MESSAGES))
    assert [each.value for each in Restriction] == list(range(len(Restriction)))
    assert Restriction.LOCKED.message == "more than is unlocked"
    assert not Restriction.NONE


def test_a_cliff_and_a_line():
    lock = Lock(1000, start=100, cliff=150, end=300)
    told = {0: 1000, 149: 1000, 150: 750, 151: 745, 200: 500, 299: 5, 300: 0, 10**9: 0}
    assert {now: lock.locked_at(now) for now in told} == told


def test_all_at_the_end():
    lock = Lock(7, 50, 50, 50)
    assert (lock.locked_at(49), lock.locked_at(50)) == (7, 0)


def test_what_is_possible():
    assert Lock(1, 0, 0, 0).is_possible
    for wrong in (Lock(0, 1, 2, 3), Lock(1, 2, 1, 3), Lock(1, 1, 4, 3)):
        assert not wrong.is_possible


@given(st.integers(1, (1 << 256) - 1), st.lists(times, min_size=3, max_size=3), st.lists(times, min_size=2))
def test_what_is_locked_only_falls(amount, ends, moments):
    lock = Lock(amount, *sorted(ends))
    assert Lock.of(lock.amount, lock.schedule) == lock
    locked = [lock.locked_at(now) for now in sorted(moments)]
    assert locked == sorted(locked, reverse=True)
    assert all(0 <= each <= amount for each in locked)
    if lock.cliff:
        assert lock.locked_at(lock.cliff - 1) == amount
    assert lock.locked_at(lock.end) == 0
