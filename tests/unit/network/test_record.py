"""Records of validators."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainstack_sdk.network.record import FileRecord, MemoryRecord, Record
from chainstack_sdk.primitives.errors import InvalidInput


@pytest.fixture(params=["memory", "file"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Record:
    return MemoryRecord() if request.param == "memory" else FileRecord(tmp_path / "record")


def test_the_last_value_counts(record: Record) -> None:
    assert record.load() is None
    for value in (b"first", b"", bytes(1000)):
        record.save(value)
        assert record.load() == value


def test_a_memory_record_may_begin_with_a_value() -> None:
    assert MemoryRecord(b"value").load() == b"value"


def test_a_file_outlives_the_object(tmp_path: Path) -> None:
    FileRecord(tmp_path / "record").save(b"value")
    assert FileRecord(str(tmp_path / "record")).load() == b"value"
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


def test_what_a_crash_left_half_written_does_not_count(tmp_path: Path) -> None:
    record = FileRecord(tmp_path / "record")
    record.save(b"whole")
    (tmp_path / "record.new").write_bytes(b"half")
    assert record.load() == b"whole"
    record.save(b"next")
    assert record.load() == b"next"


def test_damage_is_found(tmp_path: Path) -> None:
    record = FileRecord(tmp_path / "record")
    record.save(b"what this validator has signed")
    whole = (tmp_path / "record").read_bytes()
    damaged = [whole[:size] for size in range(len(whole))]
    damaged += [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole))]
    for content in damaged:
        (tmp_path / "record").write_bytes(content)
        with pytest.raises(InvalidInput) as caught:
            record.load()
        assert caught.value.path == str(tmp_path / "record")


def test_a_record_that_cannot_be_read_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    with pytest.raises(OSError, match="record"):
        FileRecord(tmp_path / "record").load()
