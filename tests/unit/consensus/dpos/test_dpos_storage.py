from __future__ import annotations

from chainstack_sdk.consensus.dpos import storage as layout
from chainstack_sdk.consensus.dpos.storage import CandidateRecord
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.native.slots import mapping_slot, slot

A, B, C = (bytes([number]) * 20 for number in (1, 2, 3))


def filled() -> MappingStorage:
    storage = MappingStorage({})
    for address in (A, B, C):
        place = layout.append_candidate(storage, address)
        layout.write_record(storage, address, CandidateRecord(5, 6, place))
    return storage


def test_candidates_are_listed_and_removed() -> None:
    storage = filled()
    assert layout.read_candidates(storage) == [A, B, C]
    assert layout.candidate_count(storage) == 3
    layout.remove_candidate(storage, layout.read_record(storage, A).place)
    layout.write_record(storage, A, CandidateRecord())
    assert layout.read_candidates(storage) == [C, B]
    assert [layout.read_record(storage, one).place for one in (A, B, C)] == [0, 2, 1]
    layout.remove_candidate(storage, 2)
    assert layout.read_candidates(storage) == [C]
    layout.remove_candidate(storage, 1)
    assert layout.read_candidates(storage) == []
    assert layout.append_candidate(storage, B) == 1


def test_records_are_three_words_of_a_mapping() -> None:
    storage = filled()
    base = int.from_bytes(mapping_slot(slot(6), B), "big")
    assert [storage.values[base + field] for field in range(3)] == [5, 6, 2]
    assert layout.read_record(storage, bytes(20)) == CandidateRecord()


def test_locked_and_unlocking_coin_have_slots_of_their_own() -> None:
    slots = {layout.locked_slot(A, B), layout.locked_slot(B, A), *layout.unlocking_slots(A)}
    assert len(slots) == 4
    assert layout.locked_slot(A, B) == mapping_slot(mapping_slot(slot(7), A), B)


def test_delegates_of_an_epoch_are_replaced_whole() -> None:
    storage = MappingStorage({})
    assert layout.read_delegates(storage, 3) is None
    layout.write_delegates(storage, 3, [C, A, B])
    layout.write_delegates(storage, 4, [B])
    delegates = layout.read_delegates(storage, 3)
    assert [(member.address, member.weight) for member in delegates] == [(A, 1), (B, 1), (C, 1)]
    layout.write_delegates(storage, 3, [A])
    assert [member.address for member in layout.read_delegates(storage, 3)] == [A]
    layout.write_delegates(storage, 3, [])
    assert layout.read_delegates(storage, 3) is None
    assert sum(1 for value in storage.values.values() if value) == 2  # the one delegate of epoch 4
