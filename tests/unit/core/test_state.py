"""The state: tables, journal, commits, and going back; over tries in memory and over stored ones."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.archive import StoredCommitment
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.genesis import GenesisAccount, state_root
from chainstack_sdk.core.state import DamagedState, State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import EMPTY_ROOT

ALICE, BOB, TOKEN = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ONE, TWO = (1).to_bytes(32, "big"), (2).to_bytes(32, "big")
CODE = b"\xef\x43code"


def fill(state: State) -> None:
    state.set_nonce(ALICE, 1)
    state.set_balance(ALICE, 50)
    state.set_code(TOKEN, CODE)
    state.set_storage(TOKEN, ONE, 11)
    state.set_storage(TOKEN, TWO, 22)


FILLED = {
    ALICE: GenesisAccount(nonce=1, balance=50),
    TOKEN: GenesisAccount(code=CODE, storage={1: 11, 2: 22}),
}


def facts(state: State) -> tuple[object, ...]:
    accounts = tuple((state.nonce(who), state.balance(who), state.code(who)) for who in (ALICE, BOB, TOKEN))
    return (*accounts, state.storage(TOKEN, ONE), state.storage(TOKEN, TWO), state.storage(BOB, ONE))


@pytest.fixture
def flat() -> State:
    state = State()
    fill(state)
    state.commit()
    return state


@pytest.fixture
def lazy() -> State:
    """A committed state of which nothing is in memory."""
    store = MemoryStore()
    commitment = StoredCommitment(store)
    state = State(commitment)
    fill(state)
    state.commit()
    store.write_batch(commitment.take_writes())
    state.forget()
    return state


@pytest.fixture(params=["flat", "lazy"])
def state(request: pytest.FixtureRequest) -> State:
    return request.getfixturevalue(request.param)


def test_an_empty_state_answers_with_nothing() -> None:
    for empty in (State(), State(StoredCommitment(MemoryStore()))):
        nothing = (0, 0, b"")
        assert facts(empty) == (nothing, nothing, nothing, 0, 0, 0)
        assert empty.root == EMPTY_ROOT
        assert empty.commit() == StateDiff()
        assert empty.root == EMPTY_ROOT


def test_what_was_committed_is_read(state: State) -> None:
    assert facts(state) == ((1, 50, b""), (0, 0, b""), (0, 0, CODE), 11, 22, 0)
    assert state.root == state_root(FILLED)


def test_each_fact_alone_is_read(state: State) -> None:
    assert state.code(TOKEN) == CODE
    assert state.balance(ALICE) == 50
    assert state.nonce(ALICE) == 1
    assert state.storage(TOKEN, TWO) == 22


def test_reading_leaves_no_trace(flat: State) -> None:
    before = list(flat.accounts())
    assert flat.storage(b"\x99" * 20, ONE) == 0
    assert flat.balance(b"\x99" * 20) == 0
    assert list(flat.accounts()) == before


def test_accounts_and_supply(flat: State) -> None:
    flat.set_balance(BOB, 7)
    assert list(flat.accounts()) == [ALICE, BOB, TOKEN]
    assert flat.supply() == 57


def test_the_supply_of_a_lazy_state_is_not_known(lazy: State) -> None:
    assert lazy.lazy
    with pytest.raises(UsageError):
        lazy.supply()


def test_rollback_goes_to_the_mark_and_marks_nest(state: State) -> None:
    start = facts(state)
    outer = state.checkpoint()
    state.add_balance(ALICE, 5)
    state.set_storage(TOKEN, ONE, 0)
    middle = facts(state)
    inner = state.checkpoint()
    state.set_nonce(BOB, 9)
    state.set_code(BOB, b"code")
    state.set_balance(BOB, 3)
    state.set_storage(BOB, ONE, 4)
    state.add_balance(BOB, -1)
    assert facts(state) == ((1, 55, b""), (9, 2, b"code"), (0, 0, CODE), 0, 22, 4)
    state.rollback(inner)
    assert facts(state) == middle
    state.rollback(state.checkpoint())
    assert facts(state) == middle
    state.rollback(outer)
    assert facts(state) == start
    state.commit()
    assert state.root == state_root(FILLED)


def test_changes_since_a_mark(state: State) -> None:
    state.add_balance(ALICE, 5)
    mark = state.checkpoint()
    state.add_balance(ALICE, 5)
    state.add_balance(ALICE, 5)
    state.storage(TOKEN, ONE)
    state.set_storage(TOKEN, ONE, 12)
    state.set_storage(TOKEN, ONE, 13)
    state.code(TOKEN)
    state.set_code(TOKEN, b"")
    assert state.changes(mark) == StateDiff(
        balances={ALICE: 55}, codes={TOKEN: CODE}, storage={TOKEN: {ONE: 11}}
    )
    assert state.changes(mark) == state.changes(mark)
    assert state.changes() == StateDiff(balances={ALICE: 50}, codes={TOKEN: CODE}, storage={TOKEN: {ONE: 11}})


def test_commit_returns_what_undoes_it(flat: State) -> None:
    before, start = facts(flat), flat.root
    flat.set_balance(BOB, 9)
    flat.set_nonce(ALICE, 2)
    flat.set_nonce(ALICE, 0)
    flat.set_balance(ALICE, 0)
    flat.set_code(TOKEN, b"")
    flat.set_storage(TOKEN, TWO, 0)
    undo = flat.commit()
    after, end = facts(flat), flat.root
    assert undo == StateDiff(
        nonces={ALICE: 1},
        balances={BOB: 0, ALICE: 50},
        codes={TOKEN: CODE},
        storage={TOKEN: {TWO: 22}},
    )
    assert end == state_root({BOB: GenesisAccount(balance=9), TOKEN: GenesisAccount(storage={1: 11})})
    redo = flat.restore(undo, start)
    assert (facts(flat), flat.root) == (before, start)
    assert flat.restore(redo, end) == undo
    assert (facts(flat), flat.root) == (after, end)


def test_what_became_zero_leaves_the_tables(flat: State) -> None:
    flat.set_balance(ALICE, 0)
    flat.set_nonce(ALICE, 0)
    flat.commit()
    assert list(flat.accounts()) == [TOKEN]


def test_a_lazy_state_goes_to_any_written_root(lazy: State) -> None:
    before, start = facts(lazy), lazy.root
    commitment = lazy.commitment
    assert isinstance(commitment, StoredCommitment)
    lazy.set_balance(BOB, 9)
    lazy.set_storage(TOKEN, ONE, 0)
    lazy.commit()
    commitment._store.write_batch(commitment.take_writes())
    after, end = facts(lazy), lazy.root
    assert end == state_root(
        {**FILLED, BOB: GenesisAccount(balance=9), TOKEN: GenesisAccount(code=CODE, storage={2: 22})}
    )
    assert lazy.restore(StateDiff(), start) == StateDiff()
    assert (facts(lazy), lazy.root) == (before, start)
    lazy.restore(StateDiff(), end)
    assert (facts(lazy), lazy.root) == (after, end)


def test_damage_is_told_when_it_is_read(lazy: State) -> None:
    store = lazy.commitment._store  # type: ignore[attr-defined]
    storage_root = lazy.commitment.storage_root(TOKEN)
    store.write_batch({}, [b"n" + storage_root])
    with pytest.raises(DamagedState, match="missing") as caught:
        State(StoredCommitment(store, lazy.root)).storage(TOKEN, ONE)
    assert caught.value.hash == storage_root
    store.write_batch({}, [b"n" + lazy.root])
    lost = State(StoredCommitment(store, lazy.root))
    for ask in (lost.nonce, lost.balance, lost.code):
        with pytest.raises(DamagedState, match="missing") as caught:
            ask(ALICE)
        assert caught.value.hash == lazy.root


def test_going_elsewhere_with_pending_changes_is_refused(state: State) -> None:
    state.set_balance(BOB, 1)
    with pytest.raises(UsageError):
        state.restore(StateDiff(), state.root)
    assert state.balance(BOB) == 1


def test_rewind_is_journalled(flat: State) -> None:
    before = facts(flat)
    mark = flat.checkpoint()
    flat.rewind(StateDiff({ALICE: 0}, {BOB: 8}, {TOKEN: b""}, {TOKEN: {ONE: 0}, BOB: {ONE: 5}}))
    assert facts(flat) == ((0, 50, b""), (0, 8, b""), (0, 0, b""), 0, 22, 5)
    flat.rollback(mark)
    assert facts(flat) == before
