"""Key-value stores: where a chain keeps its blocks and state.

All have the same behaviour (:class:`~chainstack_sdk.core.interfaces.KeyValueStore`): ``get``, one atomic
``write_batch``, ``iterate`` over a snapshot in key order, ``close``; each is also a context manager that
closes itself. Keys are 1 to 511 bytes for every store to accept them, values any bytes.

=================  ==========================================  =======================================
Store              Keeps its data                              Needs
=================  ==========================================  =======================================
`MemoryStore`      in this process, until closed               nothing
`SqliteStore`      in a file, durable at every batch           nothing (SQLite is in Python)
`LmdbStore`        in a file, durable at every batch; fastest  the extra ``chainstack-sdk[lmdb]``
=================  ==========================================  =======================================

A store belongs to one chain and is not to be used by two threads at once. What the disk itself refuses
(no space, an I/O error) surfaces as the database's own exception, the store being left as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.store.lmdb import LmdbStore
from chainstack_sdk.core.store.memory import MemoryStore
from chainstack_sdk.core.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from chainstack_sdk.core.interfaces import KeyValueStore

    _conforming: tuple[type[KeyValueStore], ...] = (MemoryStore, SqliteStore, LmdbStore)

__all__ = ["LmdbStore", "MemoryStore", "SqliteStore"]
