"""A store that lives and dies with the process."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Self

from chainstack_sdk.core.store.batch import check_batch, check_key, closed_error, prefix_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class MemoryStore:
    """Keys and values in a dictionary: for tests, and for chains that need no tomorrow."""

    __slots__ = ("_items", "_keys", "_open")

    def __init__(self) -> None:
        self._items: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []  # the keys, sorted whenever an iteration found them outdated
        self._open = True

    def get(self, key: bytes) -> bytes | None:
        """Return the value under a key, None where there is none.

        Raises
        ------
        UsageError
            If the store is closed, or the key is not ``bytes``.
        """
        self._require_open()
        check_key(key)
        return self._items.get(key)

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """Delete some keys, then set others: all or nothing.

        Raises
        ------
        UsageError
            If the store is closed, or a key or value is not ``bytes``; nothing is written then.
        """
        self._require_open()
        gone = check_batch(puts, deletes)
        for key in gone:
            self._items.pop(key, None)
        before = len(self._items)
        self._items.update(puts)
        if gone or len(self._items) != before:
            self._keys = []

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Return the pairs whose keys start with ``prefix``, in ascending byte order of the keys.

        It is a snapshot taken at the call: later writes do not show.

        Raises
        ------
        UsageError
            If the store is closed, or the prefix is not ``bytes``.
        """
        self._require_open()
        check_key(prefix)
        if not self._keys:
            self._keys = sorted(self._items)
        end = prefix_end(prefix)
        start = bisect_left(self._keys, prefix)
        stop = len(self._keys) if end is None else bisect_left(self._keys, end)
        return iter([(key, self._items[key]) for key in self._keys[start:stop]])

    def close(self) -> None:
        """Forget everything. Closing again does nothing."""
        self._open = False
        self._items = {}
        self._keys = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_open(self) -> None:
        if not self._open:
            raise closed_error()
