"""A store in one LMDB file: memory-mapped, the fastest of the durable ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from chainstack_sdk.core.store.batch import check_batch, check_key, closed_error
from chainstack_sdk.core.store.snapshot import Snapshot
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import lmdb

DEFAULT_MAP_SIZE = 1 << 28
"""256 MiB: the address space first set aside. It is no limit: it doubles whenever it is full."""

MAX_KEY_SIZE = 511
"""LMDB's longest key, in bytes."""


class LmdbStore:
    """Keys and values in an LMDB database; a batch that returned survives a power failure.

    Beside the file there are ``<path>-lock`` (LMDB's own) and ``<path>.lock``, which keeps a second
    opener out. Keys are 1 to 511 bytes.

    Parameters
    ----------
    path
        The file; made if it is not there, in a directory that is.
    map_size
        Bytes of address space to begin with; it doubles when the data has filled it.

    Raises
    ------
    UsageError
        If the package ``lmdb`` is missing, or the file is open already or cannot be opened.
    InvalidInput
        If the file is not an LMDB database.
    """

    __slots__ = ("_environment", "_failure", "_lock", "_snapshots")

    def __init__(self, path: str | Path, *, map_size: int = DEFAULT_MAP_SIZE) -> None:
        try:
            import lmdb
        except ImportError:
            raise UsageError(
                "LmdbStore needs the lmdb package: pip install 'chainstack-sdk[lmdb]'", extra="lmdb"
            ) from None
        from pathlib import Path

        from chainstack_sdk.core.store.lock import StoreLock

        if map_size <= 0:
            raise UsageError("the map size is a positive number of bytes", actual=map_size)
        file = Path(path).resolve()
        self._snapshots: WeakSet[Snapshot] = WeakSet()
        self._environment: lmdb.Environment | None = None
        self._failure: type[Exception] = lmdb.Error
        self._lock = StoreLock(file)
        try:
            self._environment = lmdb.open(str(file), map_size=map_size, subdir=False, max_spare_txns=1)
        except lmdb.Error as error:
            self._lock.release()
            if isinstance(error, (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError)):
                raise InvalidInput("the file is not a store", path=str(file), reason=str(error)) from error
            raise UsageError("the store cannot be opened", path=str(file), reason=str(error)) from error

    def get(self, key: bytes) -> bytes | None:
        """Return the value under a key, None where there is none.

        Raises
        ------
        UsageError
            If the store is closed, the key is not ``bytes``, or the file cannot be read.
        InvalidInput
            If the file is damaged and LMDB notices: it keeps no checksums.
        """
        check_key(key)
        environment = self._live()
        if not 0 < len(key) <= MAX_KEY_SIZE:
            return None
        try:
            with environment.begin() as transaction:
                return transaction.get(key)
        except self._failure as error:
            raise _using_error(error) from error

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """Delete some keys, then set others, in one transaction that is on disk on return.

        Raises
        ------
        UsageError
            If the store is closed, a key or value is not ``bytes``, or a key not 1 to 511 of them, or the
            file cannot be written: no room, no permission. Nothing is written then.
        InvalidInput
            If the file is damaged and LMDB notices; nothing is written then.
        """
        import lmdb

        environment = self._live()
        gone = check_batch(puts, deletes)
        rows = sorted(puts.items())
        while True:
            try:
                with environment.begin(write=True) as transaction:
                    for key in gone:
                        transaction.delete(key)
                    transaction.cursor().putmulti(rows)
            except lmdb.BadValsizeError:
                raise UsageError(f"LMDB's keys are 1 to {MAX_KEY_SIZE} bytes", limit=MAX_KEY_SIZE) from None
            except lmdb.MapFullError:
                self._grow(environment)
            except lmdb.Error as error:
                raise _using_error(error) from error
            else:
                return

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Return the pairs whose keys start with ``prefix``, in ascending byte order of the keys.

        It is a snapshot taken at the call: later writes do not show. It is read from the file as it is
        consumed; while it is alive the pages it can see are not reused.

        Raises
        ------
        UsageError
            If the store is closed (or closes before the last row), the prefix is not ``bytes``, or the
            file cannot be read.
        InvalidInput
            If the file is damaged and LMDB notices, when the damaged rows are reached.
        """
        check_key(prefix)
        try:
            transaction = self._live().begin()
        except self._failure as error:
            raise _using_error(error) from error
        snapshot = Snapshot(self._rows(transaction, prefix), transaction.abort)
        self._snapshots.add(snapshot)
        return snapshot

    def close(self) -> None:
        """Close the file and let another opener in. Closing again does nothing."""
        for snapshot in list(self._snapshots):
            snapshot.close()
        if self._environment is not None:
            self._environment.close()
            self._environment = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self, transaction: lmdb.Transaction, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        try:
            cursor = transaction.cursor()
            if not cursor.set_range(prefix):
                return
            for key, value in cursor:
                row = bytes(key), bytes(value)
                if not row[0].startswith(prefix):
                    return
                yield row
        except self._failure as error:
            raise _using_error(error) from error

    def _grow(self, environment: lmdb.Environment) -> None:
        """Double the map. No reader may be looking at the old one, so the live ones are read to the end."""
        for snapshot in list(self._snapshots):
            snapshot.detach()
        environment.set_mapsize(environment.info()["map_size"] * 2)

    def _live(self) -> lmdb.Environment:
        if self._environment is None:
            raise closed_error()
        return self._environment


def _using_error(error: Exception) -> InvalidInput | UsageError:
    """Return what to raise for an LMDB error while using an open store."""
    import lmdb

    if isinstance(error, lmdb.CorruptedError | lmdb.PageNotFoundError | lmdb.PanicError):
        return InvalidInput("the store's file is damaged", reason=str(error))
    return UsageError("the store's file cannot be used", reason=str(error))
