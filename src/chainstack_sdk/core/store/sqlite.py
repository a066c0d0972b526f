"""A store in one SQLite file, with nothing to install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self
from weakref import WeakSet

from chainstack_sdk.core.store.batch import check_batch, check_key, closed_error, prefix_end
from chainstack_sdk.core.store.lock import using_error
from chainstack_sdk.core.store.snapshot import Snapshot
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

APPLICATION_ID = 0x43534B56
"""Marks a SQLite file as one of ours ("CSKV"), in the file's header."""

# Pages of 4 KiB that gather in the log before they move into the file. Four times SQLite's default:
# hash keys touch the same tree pages in many blocks, and moving them less often took a third off the
# median batch of 2,000 puts.
_CHECKPOINT_PAGES = 4000

_CACHE_KIB = 32 * 1024

_PUT = "REPLACE INTO kv (key, value) VALUES (?, ?)"
_SCAN = "SELECT key, value FROM kv WHERE key >= ? ORDER BY key"
_SCAN_RANGE = "SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key"


class SqliteStore:
    """Keys and values in a SQLite database in write-ahead-log mode.

    Beside the file, SQLite keeps ``<path>-wal`` and ``<path>-shm`` while it is open, and the lock that
    keeps a second opener out is ``<path>.lock``. The file must be on a local disk.

    Parameters
    ----------
    path
        The file; made if it is not there, in a directory that is.
    durability
        ``"full"``: a batch that returned survives a power failure. ``"normal"``: it survives the end of
        the process, a power failure may take the last batches (whole ones); no wait for the disk.

    Raises
    ------
    UsageError
        If the file is open already, here or in another process, or cannot be opened.
    InvalidInput
        If the file is not a database, or is another program's.
    """

    __slots__ = ("_connection", "_lock", "_path", "_snapshots")

    def __init__(self, path: str | Path, *, durability: Literal["full", "normal"] = "full") -> None:
        import sqlite3
        from pathlib import Path

        from chainstack_sdk.core.store.lock import StoreLock, opening_error

        if durability not in ("full", "normal"):
            raise UsageError("durability is 'full' or 'normal'", actual=durability)
        self._path = Path(path).resolve()
        self._snapshots: WeakSet[Snapshot] = WeakSet()
        self._connection: sqlite3.Connection | None = None
        self._lock = StoreLock(self._path)
        try:
            self._connection = _connect(self._path)
            _prepare(self._connection, durability)
        except sqlite3.DatabaseError as error:
            self.close()
            raise opening_error(error, self._path) from error
        except UnicodeDecodeError as error:  # SQLite tells of what is wrong by quoting it
            self.close()
            raise InvalidInput("the file is not a store", path=str(self._path)) from error
        except InvalidInput:
            self.close()
            raise

    def get(self, key: bytes) -> bytes | None:
        """Return the value under a key, None where there is none.

        Raises
        ------
        UsageError
            If the store is closed, the key is not ``bytes``, or the file cannot be read.
        InvalidInput
            If the file is damaged.
        """
        check_key(key)
        connection = self._live()
        try:
            row = connection.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        except connection.DatabaseError as error:
            raise using_error(error, self._path) from error
        return None if row is None else _blob(row[0], self._path)

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """Delete some keys, then set others, in one transaction that is on disk on return.

        Raises
        ------
        UsageError
            If the store is closed, a key or value is not ``bytes``, or the file cannot be written: no
            room, no permission. Nothing is written then.
        InvalidInput
            If the file is damaged; nothing is written then.
        """
        connection = self._live()
        gone = check_batch(puts, deletes)
        try:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("DELETE FROM kv WHERE key = ?", ((key,) for key in gone))
                # In key order: neighbouring rows share pages of the tree.
                connection.executemany(_PUT, sorted(puts.items()))
        except connection.DatabaseError as error:
            raise using_error(error, self._path) from error

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Return the pairs whose keys start with ``prefix``, in ascending byte order of the keys.

        It is a snapshot taken at the call: later writes do not show. It is read from the file as it is
        consumed; while it is alive the log cannot be cut back.

        Raises
        ------
        UsageError
            If the store is closed (or closes before the last row), the prefix is not ``bytes``, or the
            file cannot be read.
        InvalidInput
            If the file is damaged, at the call or when the damaged rows are reached.
        """
        check_key(prefix)
        self._live()
        reader = _connect(self._path)
        end = prefix_end(prefix)
        try:
            if end is None:
                rows = reader.execute(_SCAN, (prefix,))
            else:
                rows = reader.execute(_SCAN_RANGE, (prefix, end))
        except reader.DatabaseError as error:
            reader.close()
            raise using_error(error, self._path) from error
        snapshot = Snapshot(_rows(reader, rows, self._path), reader.close)
        self._snapshots.add(snapshot)
        return snapshot

    def close(self) -> None:
        """Close the file and let another opener in. Closing again does nothing."""
        for snapshot in list(self._snapshots):
            snapshot.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:
            raise closed_error()
        return self._connection


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes  # there is no text in a store, but in a damaged one anything
    return connection


def _blob(value: object, path: Path) -> bytes:
    """Return what a column holds; SQLite itself lets it be of any type."""
    if not isinstance(value, bytes):
        raise InvalidInput("the store's file is damaged", path=str(path), actual=type(value).__name__)
    return value


def _rows(reader: sqlite3.Connection, rows: sqlite3.Cursor, path: Path) -> Iterator[tuple[bytes, bytes]]:
    try:
        for key, value in rows:
            yield _blob(key, path), _blob(value, path)
    except reader.DatabaseError as error:
        raise using_error(error, path) from error


def _prepare(connection: sqlite3.Connection, durability: str) -> None:
    """Make the table in a new file, or see that an old one is ours; then set the journal up."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if mark != APPLICATION_ID and (mark or tables):
        raise InvalidInput("the file is another program's database", application_id=mark)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")
    connection.execute(f"PRAGMA fullfsync = {int(durability == 'full')}")  # macOS: past the drive's cache
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if not tables:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
