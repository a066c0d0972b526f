"""What every store does, on each of the three."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.store import LmdbStore, MemoryStore, SqliteStore
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Store = MemoryStore | SqliteStore | LmdbStore
    FileStore = type[SqliteStore] | type[LmdbStore]

on_files = pytest.mark.parametrize("kind", [SqliteStore, LmdbStore])


@pytest.fixture(params=[MemoryStore, SqliteStore, LmdbStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = request.param() if request.param is MemoryStore else request.param(tmp_path / "chain.db")
    with opened:
        yield opened


def test_an_absent_key(store: Store) -> None:
    assert store.get(b"nothing") is None
    assert store.get(b"") is None
    assert store.get(b"x" * 1000) is None
    assert list(store.iterate()) == []


def test_put_overwrite_delete(store: Store) -> None:
    store.write_batch({b"a": b"1", b"b": b"", b"\x00": bytes(300_000)})
    assert store.get(b"a") == b"1"
    assert store.get(b"b") == b""
    assert store.get(b"\x00") == bytes(300_000)
    store.write_batch({b"a": b"2"}, deletes=[b"b", b"never there"])
    assert list(store.iterate()) == [(b"\x00", bytes(300_000)), (b"a", b"2")]
    store.write_batch({}, deletes=(key for key in (b"\x00", b"a")))
    assert list(store.iterate()) == []


def test_deletes_come_before_puts(store: Store) -> None:
    store.write_batch({b"a": b"1"})
    store.write_batch({b"a": b"2", b"b": b"3"}, deletes=[b"a", b"b"])
    assert list(store.iterate()) == [(b"a", b"2"), (b"b", b"3")]


def test_keys_come_in_byte_order(store: Store) -> None:
    keys = [b"\xff\xff", b"b", b"a\x00", b"a", b"\x00", b"ab", b"\xff", b"a\xff", b"x" * 511]
    store.write_batch({key: key[::-1] for key in keys})
    assert list(store.iterate()) == [(key, key[::-1]) for key in sorted(keys)]


@pytest.mark.parametrize("prefix", [b"", b"a", b"a\xff", b"a\xff\xff", b"\xff", b"\xff\xff", b"c", b"\x00"])
def test_a_prefix_selects(store: Store, prefix: bytes) -> None:
    keys = [
        b"a",
        b"a\x00",
        b"a\xff",
        b"a\xff\xff",
        b"a\xff\xff\x01",
        b"b",
        b"\xff",
        b"\xff\xff",
        b"\xff\xff\x00",
    ]
    store.write_batch(dict.fromkeys(keys, b"v"))
    assert [key for key, _ in store.iterate(prefix)] == sorted(key for key in keys if key.startswith(prefix))


def test_iteration_is_a_snapshot_of_the_call(store: Store) -> None:
    before = {b"k%03d" % number: b"old" for number in range(300)}
    store.write_batch(before)
    unread = store.iterate()
    half_read = store.iterate(b"k1")
    first = next(half_read)
    store.write_batch({b"k150": b"new", b"k1999": b"new"}, deletes=[b"k000", b"k299"])
    assert list(unread) == sorted(before.items())
    assert [first, *half_read] == [(b"k%03d" % number, b"old") for number in range(100, 200)]
    assert dict(store.iterate()) == {
        **{key: b"old" for key in before if key not in (b"k000", b"k299")},
        b"k150": b"new",
        b"k1999": b"new",
    }


def test_writing_while_iterating(store: Store) -> None:
    store.write_batch({bytes([number]): b"" for number in range(50)})
    for key, _ in store.iterate():
        store.write_batch({key + b"copy": key}, deletes=[key])
    assert [value for _, value in store.iterate()] == [bytes([number]) for number in range(50)]


def test_an_exhausted_iterator_stays_exhausted(store: Store) -> None:
    store.write_batch({b"a": b"1"})
    rows = store.iterate()
    assert list(rows) == [(b"a", b"1")]
    assert list(rows) == []


@pytest.mark.parametrize(
    ("puts", "deletes"),
    [
        ({b"new": b"1", b"zz": "text"}, [b"old"]),
        ({b"new": b"1", b"zz": None}, [b"old"]),
        ({b"new": b"1", b"zz": bytearray(b"x")}, [b"old"]),
        ({b"new": b"1", "zz": b"x"}, [b"old"]),
        ({b"new": b"1"}, [b"old", 7]),
    ],
)
def test_a_bad_batch_writes_nothing(store: Store, puts: dict[bytes, bytes], deletes: list[bytes]) -> None:
    store.write_batch({b"old": b"0"})
    with pytest.raises(UsageError, match="are bytes"):
        store.write_batch(puts, deletes)
    assert list(store.iterate()) == [(b"old", b"0")]


def test_a_batch_that_fails_half_way_writes_nothing(store: Store) -> None:
    def failing() -> Iterator[bytes]:
        yield b"old"
        raise KeyboardInterrupt

    store.write_batch({b"old": b"0"})
    with pytest.raises(KeyboardInterrupt):
        store.write_batch({b"new": b"1"}, failing())
    assert list(store.iterate()) == [(b"old", b"0")]
    store.write_batch({b"new": b"1"})
    assert store.get(b"new") == b"1"


def test_keys_are_bytes(store: Store) -> None:
    with pytest.raises(UsageError, match="keys are bytes") as caught:
        store.get("text")  # type: ignore[arg-type]
    assert caught.value.actual == "str"
    with pytest.raises(UsageError, match="keys are bytes"):
        store.iterate("text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.get(b"a"),
        lambda store: store.write_batch({b"a": b"1"}),
        lambda store: store.iterate(),
    ],
)
def test_a_closed_store_is_closed(store: Store, use: Callable[[Store], object]) -> None:
    store.write_batch({b"a": b"1"})
    store.close()
    store.close()
    with pytest.raises(UsageError, match="closed"):
        use(store)


@on_files
def test_data_outlive_the_store(kind: FileStore, tmp_path: Path) -> None:
    rows = {number.to_bytes(2, "big"): bytes([number % 256]) * number for number in range(500)}
    with kind(tmp_path / "chain.db") as first:
        first.write_batch(rows)
        first.write_batch({}, deletes=[b"\x00\x07"])
    del rows[b"\x00\x07"]
    with kind(str(tmp_path / "chain.db")) as second:
        assert list(second.iterate()) == sorted(rows.items())


@on_files
def test_closing_ends_the_iterators(kind: FileStore, tmp_path: Path) -> None:
    store = kind(tmp_path / "chain.db")
    store.write_batch({b"a": b"1", b"b": b"2", b"c": b"3"})
    started, unread, finished = store.iterate(), store.iterate(), store.iterate()
    assert next(started) == (b"a", b"1")
    assert len(list(finished)) == 3
    store.close()
    for rows in (started, unread):
        with pytest.raises(UsageError, match="closed"):
            next(rows)
    kind(tmp_path / "chain.db").close()


@on_files
def test_dropped_iterators_let_go(kind: FileStore, tmp_path: Path) -> None:
    """Far more of them than a database has room for readers."""
    with kind(tmp_path / "chain.db") as store:
        for number in range(150):
            value = bytes([number])
            store.write_batch({b"a": value, b"b": value})
            store.iterate()
            assert next(store.iterate()) == (b"a", value)


@on_files
def test_a_second_opener_is_refused(kind: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    link = tmp_path / "link.db"
    with kind(path) as first:
        link.symlink_to(path)
        for name in (path, str(path), link, tmp_path / "other" / ".." / "chain.db"):
            with pytest.raises(UsageError, match="already open") as caught:
                kind(name)
            assert caught.value.path == str(path)
        first.write_batch({b"a": b"1"})
        assert first.get(b"a") == b"1"
    with kind(path) as second:
        assert second.get(b"a") == b"1"


@on_files
def test_a_second_process_is_refused(kind: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    program = (
        "import sys\n"
        "from chainstack_sdk.core import store\n"
        "from chainstack_sdk.primitives.errors import UsageError\n"
        f"try: store.{kind.__name__}(sys.argv[1]).close()\n"
        "except UsageError as error: print(error.message)\n"
        "else: print('opened')"
    )

    def opened_elsewhere() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with kind(path):
        assert opened_elsewhere() == "the store is already open"
    assert opened_elsewhere() == "opened"


@on_files
@pytest.mark.parametrize("content", [b"hello", b"plain text, not a database\n" * 1000])
def test_a_file_of_something_else(kind: FileStore, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="not a store") as caught:
            kind(path)
        assert caught.value.path == str(path)
    assert path.read_bytes() == content


@on_files
def test_a_lock_file_of_something_else(kind: FileStore, tmp_path: Path) -> None:
    (tmp_path / "chain.db.lock").write_bytes(b"plain text, not a lock\n" * 1000)
    with pytest.raises(InvalidInput):
        kind(tmp_path / "chain.db")


@on_files
def test_a_place_that_cannot_hold_a_store(kind: FileStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        kind(tmp_path / "missing" / "chain.db")
    (tmp_path / "directory").mkdir()
    with pytest.raises(UsageError, match="cannot be opened"):
        kind(tmp_path / "directory")
    (tmp_path / "directory").rmdir()
    kind(tmp_path / "directory").close()
