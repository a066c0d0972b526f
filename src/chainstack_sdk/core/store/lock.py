"""One opener at a time for a store's file."""

from __future__ import annotations

from pathlib import Path

from chainstack_sdk.primitives.errors import InvalidInput, UsageError


class StoreLock:
    """A lock that the operating system releases when its process ends, however it ends.

    Two processes that append to one chain would each undo the other's blocks. The lock is the
    exclusive lock of an empty SQLite file named ``<path>.lock``: portable, held per process (so worker
    processes forked later do not inherit it), and seen by a second opener in the same process too.
    The file stays when the lock is released: removing it would race with the next opener.

    Parameters
    ----------
    path
        The store's file.

    Raises
    ------
    UsageError
        If the store is open already, here or in another process, or its directory cannot be written.
    InvalidInput
        If the lock's file holds something else.
    """

    __slots__ = ("_connection",)

    def __init__(self, path: Path) -> None:
        import sqlite3

        beside = path.with_name(path.name + ".lock")
        try:
            self._connection = sqlite3.connect(
                beside, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise opening_error(error, path) from error
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise UsageError("the store is already open", path=str(path)) from None
            raise opening_error(error, path) from error

    def release(self) -> None:
        """Let the next opener in."""
        self._connection.close()


def using_error(error: Exception, path: Path) -> Exception:
    """Return what to raise for a SQLite error while using an open store."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error  # of Python's module and not of the file
    # the primary code is in the lowest byte; ERROR is what a damaged schema leads to
    if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return InvalidInput("the store's file is damaged", path=str(path), reason=str(error))
    return UsageError("the store's file cannot be used", path=str(path), reason=str(error))


def opening_error(error: Exception, path: Path) -> UsageError | InvalidInput:
    """Return what to raise for a SQLite error while opening a store."""
    import sqlite3

    if isinstance(error, sqlite3.OperationalError):
        return UsageError("the store cannot be opened", path=str(path), reason=str(error))
    return InvalidInput("the file is not a store", path=str(path), reason=str(error))
