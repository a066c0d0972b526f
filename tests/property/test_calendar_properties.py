"""The calendar of timers against a sorted list, and what its operations cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.call import Call, Environment
from chainstack_sdk.core.context import BlockContext
from chainstack_sdk.core.state import State
from chainstack_sdk.machines.calendar import FIRST_GAS, INSERT_GAS, LAST_SECOND, REMOVE_GAS, Calendar, Entry
from chainstack_sdk.machines.codes import CALENDAR_ROOT
from chainstack_sdk.testing import NullRuntime

BOOK = b"\xb0" * 20
GAS = 10**9
BLOCK = BlockContext(1, 1, 1_000, bytes(20), GAS, 0, bytes(32))
BYTES = st.sampled_from([0, 1, 0x7F, 0xFE, 0xFF])
SECONDS = st.one_of(
    st.tuples(BYTES, BYTES, BYTES, BYTES).map(lambda four: int.from_bytes(bytes(four))),
    st.integers(1_700_000_000, 1_700_000_600),
    st.integers(0, LAST_SECOND),
)
CHANGES = st.one_of(st.integers(1, 10), st.integers(0, (1 << 184) - 1))
INSERTION = st.tuples(SECONDS, st.binary(min_size=20, max_size=20), CHANGES, st.integers(1, 255))
OPERATIONS = st.lists(st.one_of(INSERTION, SECONDS, st.none()), max_size=60)


class Book:
    """A calendar, and what its operations have cost at most."""

    def __init__(self) -> None:
        self.state = State()
        self.env = Environment(self.state, BLOCK, NullRuntime(), BOOK, GAS, 0)
        self.calendar = Calendar(Call(self.env, BOOK, BOOK, 0, 1, False))
        self.most = dict.fromkeys(("insert", "first", "remove"), 0)

    def run(self, operation: str, *args):
        self.env.gas = GAS
        outcome = getattr(self.calendar, operation)(*args)
        self.most[operation] = max(self.most[operation], GAS - self.env.gas)
        return outcome


def first(waiting: list[tuple[int, bytes, int, int]], latest: int) -> tuple[int, bytes, int, int] | None:
    earliest = min(waiting, key=lambda each: each[0], default=None)  # the first of equal ones
    return None if earliest is None or earliest[0] > latest else earliest


@given(OPERATIONS)
def test_it_is_a_sorted_list(operations) -> None:
    book = Book()
    waiting: list[tuple[int, bytes, int, int]] = []
    for operation in [*operations, *[None] * len(operations)]:
        if isinstance(operation, tuple):
            book.run("insert", *operation)
            waiting.append(operation)
            continue
        latest = LAST_SECOND if operation is None else operation
        expected, found = first(waiting, latest), book.run("first", latest)
        if expected is None:
            assert found is None
            continue
        due, machine, changes, firings = expected
        assert (found.due, found.machine, found.firings) == (due, machine, firings)
        assert found.is_of(changes)
        assert not found.is_of(changes + 1)
        waiting.remove(expected)
        book.run("remove", found)
    assert bool(waiting) == bool(book.state.storage(BOOK, CALENDAR_ROOT))
    if not waiting:  # nothing is left behind
        assert not any(book.state.table(BOOK).values())
    assert book.most["insert"] <= INSERT_GAS
    assert book.most["first"] <= FIRST_GAS
    assert book.most["remove"] <= REMOVE_GAS


def test_the_dearest_operations_cost_their_constants() -> None:
    book = Book()
    book.run("insert", 5, BOOK, 1, 1)
    assert book.most["insert"] == INSERT_GAS
    entry = book.run("first", 5)
    assert entry == Entry(5, 0, BOOK, 1, 1)
    assert book.most["first"] == FIRST_GAS
    book.run("remove", entry)
    assert book.most["remove"] == REMOVE_GAS
    assert book.run("first", LAST_SECOND) is None


def test_many_of_one_second() -> None:
    book = Book()
    for number in range(300):
        book.run("insert", 7, number.to_bytes(20), 1, 1)
    for number in range(300):
        entry = book.run("first", 7)
        assert entry == Entry(7, number, number.to_bytes(20), 1, 1)
        if number == 150:  # more come while it is worked off
            book.run("insert", 7, b"\xff" * 20, 1, 1)
        book.run("remove", entry)
    last = book.run("first", 7)
    assert (last.place, last.machine) == (300, b"\xff" * 20)
    book.run("remove", last)
    book.run("insert", 7, BOOK, 1, 1)
    assert book.run("first", 7).place == 0
