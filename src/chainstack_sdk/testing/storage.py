"""Stores, ledgers and tries that watch, fail on purpose, or are slow and obvious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.testing.oracle import _half_bytes, _structure, naive_root

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from chainstack_sdk.core.diff import StateDiff
    from chainstack_sdk.core.interfaces import KeyValueStore, Ledger, StateTrie
    from chainstack_sdk.core.ledger import BlockRecord
    from chainstack_sdk.core.state import State
    from chainstack_sdk.testing.oracle import Pairs


class RecordingStore:
    """A store around another one that remembers every write and fails when told. Not for production.

    Parameters
    ----------
    store
        Where the data goes; a :class:`~chainstack_sdk.core.MemoryStore` by default.
    fail_on
        Numbers of the writes that fail with ``OSError`` in place of writing anything; the first is 1.
    """

    def __init__(self, store: KeyValueStore | None = None, *, fail_on: Collection[int] = ()) -> None:
        self.store: KeyValueStore = MemoryStore() if store is None else store
        self.fail_on = frozenset(fail_on)
        """May be changed at any time."""
        self.writes: list[tuple[dict[bytes, bytes], tuple[bytes, ...]]] = []
        """(puts, deletes) of every write so far, in order, failed ones included."""
        self.closed = False

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key is absent."""
        return self.store.get(key)

    def write_batch(self, puts: Mapping[bytes, bytes], deletes: Iterable[bytes] = ()) -> None:
        """Remember the batch and write it.

        Raises
        ------
        OSError
            When it is one of those that fail; nothing has been written.
        """
        gone = tuple(deletes)
        self.writes.append((dict(puts), gone))
        if len(self.writes) in self.fail_on:
            raise OSError(f"write number {len(self.writes)} fails on purpose")
        self.store.write_batch(puts, gone)

    def iterate(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with ``prefix``, keys ascending."""
        return self.store.iterate(prefix)

    def close(self) -> None:
        """Close the store behind."""
        self.closed = True
        self.store.close()


class FailingLedger(MemoryLedger):
    """A ledger in memory that refuses to change when told. Not for production.

    Parameters
    ----------
    fail_on
        Numbers of the changes (blocks appended or taken off) that fail with ``OSError``; the first is 1,
        which is genesis.
    keep_states
        As for :class:`~chainstack_sdk.core.MemoryLedger`.
    """

    def __init__(self, *, fail_on: Collection[int] = (), keep_states: int | None = None) -> None:
        super().__init__(keep_states=keep_states)
        self.fail_on = frozenset(fail_on)
        """May be changed at any time."""
        self.changes = 0
        """Changes asked for so far, failed ones included."""

    def append(self, record: BlockRecord, state: State) -> None:
        """Keep the next block, or fail."""
        self._change()
        super().append(record, state)

    def pop(self, state: State, redo: StateDiff) -> None:
        """Forget the newest block, or fail."""
        self._change()
        super().pop(state, redo)

    def _change(self) -> None:
        self.changes += 1
        if self.changes in self.fail_on:
            raise OSError(f"change number {self.changes} fails on purpose")


class NaiveTrie:
    """A state trie that computes everything anew from its whole contents. Not for production.

    Slow, obvious, and without any code in common with the tries of ``core``.
    """

    def __init__(self) -> None:
        self._items: dict[bytes, bytes] = {}
        self._root = naive_root({})

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None when the key is absent."""
        return self._items.get(key)

    def update(self, changes: Mapping[bytes, bytes]) -> bytes:
        """Write a batch, an empty value deleting its key, and return the new 32-byte root."""
        merged = {**self._items, **changes}
        self._items = {key: value for key, value in merged.items() if value}
        self._root = naive_root(self._items)
        return self._root

    @property
    def root(self) -> bytes:
        """The 32-byte root."""
        return self._root

    def prove(self, key: bytes) -> tuple[bytes, ...]:
        """Return the RLP nodes from the root that prove the key's value or its absence."""
        pairs = [(_half_bytes(known), value) for known, value in self._items.items()]
        path = _half_bytes(key)
        depth = 0
        proof: list[bytes] = []
        while pairs:
            node = _structure(pairs, depth)
            raw = rlp_encode(node)
            if len(raw) >= 32 or not proof:  # a shorter one is inside its parent
                proof.append(raw)
            if len(node) == 17:
                step = path[depth : depth + 1]
                pairs = [pair for pair in pairs if step and pair[0][depth : depth + 1] == step]
                depth += 1
            elif len(pairs) > 1 and path[: _shared(pairs)] == pairs[0][0][: _shared(pairs)]:
                depth = _shared(pairs)
            else:
                pairs = []
        return tuple(proof)


def _shared(pairs: Pairs) -> int:
    """Return how many half bytes at the start all keys have in common."""
    columns = zip(*(key for key, _ in pairs), strict=False)
    return next(
        (at for at, column in enumerate(columns) if len(set(column)) > 1), min(len(key) for key, _ in pairs)
    )


if TYPE_CHECKING:
    _store: type[KeyValueStore] = RecordingStore
    _ledger: type[Ledger] = FailingLedger
    _trie: type[StateTrie] = NaiveTrie
