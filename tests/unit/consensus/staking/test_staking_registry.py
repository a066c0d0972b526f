"""Validators in storage, and the list of candidates."""

from __future__ import annotations

import random

from chainstack_sdk.consensus.staking import registry
from chainstack_sdk.consensus.staking.registry import Status, ValidatorRecord
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.primitives import keccak256

WHO = b"\x07" * 20


def test_nothing_is_known_of_a_stranger():
    record = registry.read_validator(MappingStorage({}), WHO)
    assert record == ValidatorRecord()
    assert record.status == Status.UNKNOWN
    assert not record.is_liable


def test_every_field_at_its_greatest():
    storage = MappingStorage({})
    most = 2**64 - 1
    record = ValidatorRecord(2**256 - 1, b"\xff" * 32, 1000, Status.SLASHED, most, most, most)
    registry.write_validator(storage, WHO, record)
    assert registry.read_validator(storage, WHO) == record


def test_deposit_and_standing_are_written_apart():
    storage = MappingStorage({})
    registry.write_validator(storage, WHO, ValidatorRecord(5, b"k" * 32, 500, Status.REGISTERED))
    registry.write_deposit(storage, WHO, 6)
    assert registry.read_validator(storage, WHO).deposit == 6
    changed = ValidatorRecord(9, b"x" * 32, 501, Status.UNREGISTERED, 3)
    registry.write_standing(storage, WHO, changed)
    assert registry.read_validator(storage, WHO) == ValidatorRecord(6, b"k" * 32, 501, Status.UNREGISTERED, 3)


def test_who_is_liable():
    liable = {status for status in Status if ValidatorRecord(status=status).is_liable}
    assert liable == {Status.REGISTERED, Status.UNREGISTERED}


def test_the_layout_is_that_of_solidity():
    storage = MappingStorage({})
    record = ValidatorRecord(11, b"k" * 32, 500, Status.REGISTERED, 3, 4, 5)
    registry.write_validator(storage, WHO, record)
    base = int.from_bytes(keccak256(WHO.rjust(32, b"\0") + (8).to_bytes(32, "big")), "big")
    packed = 500 | 1 << 16 | 3 << 24 | 4 << 88 | 5 << 152
    assert storage.values == {base: 11, base + 1: int.from_bytes(b"k" * 32, "big"), base + 2: packed}


def test_candidates_come_and_go():
    """Against a plain list: any order of leaving, everybody's place right at every moment."""
    storage = MappingStorage({})
    everybody = [keccak256(bytes([number]))[12:] for number in range(12)]
    for address in everybody:
        record = ValidatorRecord(1, keccak256(address))
        registry.add_candidate(storage, address, record)
        registry.write_validator(storage, address, record)
    expected = list(everybody)
    for address in random.Random(5).sample(everybody, len(everybody)):
        record = registry.read_validator(storage, address)
        assert record.place == expected.index(address) + 1
        registry.remove_candidate(storage, record)
        registry.write_standing(storage, address, record)
        expected[expected.index(address)] = expected[-1]
        expected.pop()
        assert registry.candidates(storage) == expected
        registry.remove_candidate(storage, registry.read_validator(storage, address))  # is none: nothing
        assert registry.candidates(storage) == expected
    assert not any(registry.read_validator(storage, address).place for address in everybody)


def test_a_key_has_an_owner_from_its_first_registration_on():
    storage = MappingStorage({})
    assert registry.key_owner(storage, b"k" * 32) is None
    registry.take_key(storage, b"k" * 32, WHO)
    assert registry.key_owner(storage, b"k" * 32) == WHO
