"""Storages: of a state, with its journal, and of a genesis."""

from __future__ import annotations

from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS, MappingStorage, StateStorage
from chainstack_sdk.core.native.slots import slot
from chainstack_sdk.core.state import State


def test_a_states_storage_is_journaled():
    state = State()
    storage = StateStorage(state)
    assert storage.load(slot(3)) == 0
    mark = state.checkpoint()
    storage.store(slot(3), 7)
    assert storage.load(slot(3)) == state.storage(STAKING_ADDRESS, slot(3)) == 7
    state.rollback(mark)
    assert storage.load(slot(3)) == 0


def test_another_contract_has_another_storage():
    state = State()
    StateStorage(state, b"\x01" * 20).store(slot(0), 1)
    assert StateStorage(state).load(slot(0)) == 0


def test_a_mapping_has_slots_by_number():
    values = {2: 5}
    storage = MappingStorage(values)
    storage.store(slot(256), 9)
    assert (storage.load(slot(2)), storage.load(slot(256)), storage.load(slot(0))) == (5, 9, 0)
    assert values == {2: 5, 256: 9}
