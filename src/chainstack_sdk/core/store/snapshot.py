"""A reading iterator that holds a database's snapshot, and lets it go in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from chainstack_sdk.core.store.batch import closed_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _closed() -> Iterator[tuple[bytes, bytes]]:
    raise closed_error()
    yield


def _nothing() -> None:
    """Release what was already released."""


class Snapshot:
    """The rows of a store as they were at one moment.

    The database's resources are released at the last row, when the store closes, or when the iterator
    is dropped, whichever comes first.

    Parameters
    ----------
    rows
        The (key, value) pairs, read lazily.
    release
        Frees what ``rows`` reads from; called once.
    """

    __slots__ = ("__weakref__", "_release", "_rows")

    def __init__(self, rows: Iterator[tuple[bytes, bytes]], release: Callable[[], None]) -> None:
        self._rows = rows
        self._release = release

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[bytes, bytes]:
        row = next(self._rows, None)
        if row is None:
            self._replace(iter(()))
            raise StopIteration
        return row

    def __del__(self) -> None:
        self._replace(iter(()))

    def detach(self) -> None:
        """Read the remaining rows into memory, so that the database can be remapped."""
        self._replace(iter(list(self._rows)))

    def close(self) -> None:
        """End the snapshot because its store closes: reading on raises `UsageError`."""
        self._replace(_closed())

    def _replace(self, rows: Iterator[tuple[bytes, bytes]]) -> None:
        self._rows = rows
        release, self._release = self._release, _nothing
        release()
