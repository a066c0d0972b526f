"""What only the SQLite store has: its file's marks, and two levels of durability."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.store.sqlite import APPLICATION_ID, SqliteStore
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_durability_levels(durability: str, tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "chain.db", durability=durability) as store:
        store.write_batch({b"a": b"1"})
    with SqliteStore(tmp_path / "chain.db") as store:
        assert store.get(b"a") == b"1"


def test_an_unknown_durability(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="durability") as caught:
        SqliteStore(tmp_path / "chain.db", durability="some")
    assert caught.value.actual == "some"
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_marked(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "chain.db").close()
    with closing(sqlite3.connect(tmp_path / "chain.db")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE songs (title TEXT)", "PRAGMA application_id = 1598903374"]
)
def test_another_program_s_database_is_left_alone(statement: str, tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(InvalidInput, match="another program"):
            SqliteStore(path)
    assert path.read_bytes() == before


def test_a_name_that_sqlite_would_keep_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteStore(":memory:") as store:
        store.write_batch({b"a": b"1"})
    with SqliteStore(tmp_path / ":memory:") as store:
        assert store.get(b"a") == b"1"


def test_the_path_is_fixed_at_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Iterating opens the file anew, from wherever the process is by then."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with SqliteStore("chain.db") as store:
        store.write_batch({b"a": b"1"})
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert list(store.iterate()) == [(b"a", b"1")]


def test_closing_leaves_one_file_and_the_lock(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chain.db")
    store.write_batch({b"a": b"1"})
    rows = store.iterate()
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["chain.db", "chain.db.lock"]
    del rows
