"""The state against a plain dictionary: any writes, nested rollbacks, commits, ways back and forth."""

from __future__ import annotations

from copy import deepcopy

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chainstack_sdk.core.archive import StoredCommitment
from chainstack_sdk.core.commitment import FlatCommitment
from chainstack_sdk.core.diff import StateDiff
from chainstack_sdk.core.genesis import GenesisAccount, state_root
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.testing import NaiveTrie

ADDRESSES = [bytes([number]) * 20 for number in range(1, 6)]
SLOTS = [number.to_bytes(32, "big") for number in (0, 1, 2, 2**255)]

addresses = st.sampled_from(ADDRESSES)
slots = st.sampled_from(SLOTS)
amounts = st.one_of(st.sampled_from([0, 1, 127, 128, 2**256 - 1]), st.integers(0, 2**256 - 1))
nonces = st.one_of(st.just(0), st.integers(0, 2**64 - 1))
codes = st.sampled_from([b"", b"\xef\x43a", b"\xef\x43" + bytes(50)])


class Model:
    """What a state is, without any of its machinery."""

    def __init__(self) -> None:
        self.nonces: dict[bytes, int] = {}
        self.balances: dict[bytes, int] = {}
        self.codes: dict[bytes, bytes] = {}
        self.slots: dict[tuple[bytes, bytes], int] = {}

    def accounts(self) -> dict[bytes, GenesisAccount]:
        found = {}
        for who in ADDRESSES:
            account = GenesisAccount(
                self.nonces.get(who, 0),
                self.balances.get(who, 0),
                self.codes.get(who, b""),
                {
                    int.from_bytes(slot, "big"): value
                    for (owner, slot), value in self.slots.items()
                    if owner == who and value
                },
            )
            if account != GenesisAccount():
                found[who] = account
        return found


class StateMachine(RuleBasedStateMachine):
    """Drives one state and one model together; subclasses choose the commitment."""

    def new_state(self) -> State:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.state = self.new_state()
        self.model = Model()
        self.marks: list[tuple[int, Model]] = []
        self.committed: list[tuple[bytes, Model]] = [(self.state.root, Model())]
        self.undos: list[StateDiff] = []

    @rule(who=addresses, nonce=nonces)
    def set_nonce(self, who: bytes, nonce: int) -> None:
        self.state.set_nonce(who, nonce)
        self.model.nonces[who] = nonce

    @rule(who=addresses, amount=amounts)
    def set_balance(self, who: bytes, amount: int) -> None:
        self.state.set_balance(who, amount)
        self.model.balances[who] = amount

    @rule(who=addresses, share=st.integers(0, 100))
    def take_a_share(self, who: bytes, share: int) -> None:
        amount = self.model.balances.get(who, 0) * share // 100
        self.state.add_balance(who, -amount)
        self.model.balances[who] = self.model.balances.get(who, 0) - amount

    @rule(who=addresses, code=codes)
    def set_code(self, who: bytes, code: bytes) -> None:
        self.state.set_code(who, code)
        self.model.codes[who] = code

    @rule(who=addresses, slot=slots, value=amounts)
    def set_storage(self, who: bytes, slot: bytes, value: int) -> None:
        self.state.set_storage(who, slot, value)
        self.model.slots[who, slot] = value

    @rule(who=addresses, slot=slots)
    def read(self, who: bytes, slot: bytes) -> None:
        assert self.state.nonce(who) == self.model.nonces.get(who, 0)
        assert self.state.balance(who) == self.model.balances.get(who, 0)
        assert self.state.code(who) == self.model.codes.get(who, b"")
        assert self.state.storage(who, slot) == self.model.slots.get((who, slot), 0)

    @rule()
    def checkpoint(self) -> None:
        self.marks.append((self.state.checkpoint(), deepcopy(self.model)))

    @precondition(lambda self: self.marks)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.marks) - 1))
        mark, self.model = self.marks[at]
        del self.marks[at:]
        self.state.rollback(mark)

    @rule()
    def commit(self) -> None:
        self.undos.append(self.state.commit())
        self.marks.clear()
        self.written()
        root = state_root(self.model.accounts())
        assert self.state.root == root
        self.committed.append((root, deepcopy(self.model)))

    def written(self) -> None:
        """After each commit; a store is written here."""

    def read_everything(self) -> None:
        for who in ADDRESSES:
            for slot in SLOTS:
                self.read(who, slot)

    @rule(data=st.data())
    def back_and_forth(self, data: st.DataObject) -> None:
        """Go back some commits, look around, come back and find everything as it was."""
        self.commit()
        steps = data.draw(st.integers(0, len(self.undos)))
        present, redos = self.model, []
        for step in range(steps):
            root, self.model = self.committed[-2 - step]
            redos.append(self.state.restore(self.undos[-1 - step], root))
            assert self.state.root == root
        self.read_everything()
        for step in reversed(range(steps)):
            root, self.model = self.committed[-1 - step]
            undo = self.state.restore(redos.pop(), root)
            assert self.state.lazy or undo == self.undos[-1 - step]
            assert self.state.root == root
        self.model = present
        self.read_everything()

    @rule(data=st.data())
    def back_for_good(self, data: st.DataObject) -> None:
        self.commit()
        for _ in range(data.draw(st.integers(0, min(3, len(self.undos))))):
            self.committed.pop()
            root, model = self.committed[-1]
            self.model = deepcopy(model)
            self.state.restore(self.undos.pop(), root)
            assert self.state.root == root

    @invariant()
    def the_root_is_that_of_the_last_commit(self) -> None:
        assert self.state.root == self.committed[-1][0]


class FlatStates(StateMachine):
    def new_state(self) -> State:
        return State()

    @invariant()
    def the_supply_is_the_sum(self) -> None:
        assert self.state.supply() == sum(self.model.balances.values())

    def written(self) -> None:
        """Reverse diffs come back from their encoding."""
        self.undos[-1] = StateDiff.decode(self.undos[-1].encode())


class NaiveStates(FlatStates):
    def new_state(self) -> State:
        return State(FlatCommitment(NaiveTrie))


class StoredStates(StateMachine):
    def new_state(self) -> State:
        self.store = MemoryStore()
        self.commitment = StoredCommitment(self.store)
        return State(self.commitment)

    def written(self) -> None:
        self.store.write_batch(self.commitment.take_writes())

    @rule()
    def forget(self) -> None:
        self.commit()
        self.state.forget()
        self.read_everything()

    @rule()
    def reopen(self) -> None:
        self.commit()
        self.commitment = StoredCommitment(self.store, self.state.root)
        self.state = State(self.commitment)

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        self.commit()
        root, model = data.draw(st.sampled_from(self.committed))
        present, state = self.model, self.state
        self.model, self.state = model, State(self.commitment.at(root))
        self.read_everything()
        self.model, self.state = present, state


for machine in (FlatStates, NaiveStates, StoredStates):
    machine.TestCase.settings = settings(max_examples=settings().max_examples // 4)

TestFlatStates = FlatStates.TestCase
TestNaiveStates = NaiveStates.TestCase
TestStoredStates = StoredStates.TestCase

Write = tuple[bytes, int, int, bytes, dict[bytes, int]]

batches = st.lists(
    st.tuples(addresses, nonces, amounts, codes, st.dictionaries(slots, amounts, max_size=3)), max_size=6
)


def write(state: State, batch: list[Write]) -> None:
    for who, nonce, balance, code, storage in batch:
        state.set_nonce(who, nonce)
        state.set_balance(who, balance)
        state.set_code(who, code)
        for slot, value in storage.items():
            state.set_storage(who, slot, value)


@given(st.lists(batches, min_size=1, max_size=4))
def test_all_commitments_give_the_same_roots(
    story: list[list[Write]],
) -> None:
    store = MemoryStore()
    stored = StoredCommitment(store)
    states = [State(), State(FlatCommitment(NaiveTrie)), State(stored)]
    for batch in story:
        for state in states:
            write(state, batch)
            state.commit()
        store.write_batch(stored.take_writes())
        assert len({state.root for state in states}) == 1


@given(batches, st.permutations(range(6)))
def test_the_order_of_accounts_does_not_matter(batch: list[Write], order: list[int]) -> None:
    alone = {entry[0]: entry for entry in batch}
    turned = [list(alone.values())[at] for at in order if at < len(alone)]
    first, second = State(), State()
    write(first, list(alone.values()))
    write(second, turned)
    first.commit()
    second.commit()
    assert first.root == second.root
