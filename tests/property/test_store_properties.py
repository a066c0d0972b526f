"""Any sequence of batches leaves every store equal to a dictionary."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.core.store import LmdbStore, MemoryStore, SqliteStore

keys = st.binary(min_size=1, max_size=3) | st.sampled_from(
    [b"\x00", b"\xff", b"\xff\xff", b"a", b"a\xff", b"b"]
)
batches = st.tuples(st.dictionaries(keys, st.binary(max_size=50), max_size=8), st.lists(keys, max_size=4))


@settings(max_examples=40, deadline=None)
@given(st.lists(batches, max_size=6), st.lists(st.binary(max_size=2) | keys, min_size=1, max_size=4))
def test_stores_agree_with_a_dictionary(
    history: list[tuple[dict[bytes, bytes], list[bytes]]], prefixes: list[bytes]
) -> None:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as opened:
        stores = [
            opened.enter_context(MemoryStore()),
            opened.enter_context(SqliteStore(Path(directory) / "sqlite", durability="normal")),
            opened.enter_context(LmdbStore(Path(directory) / "lmdb", map_size=1 << 15)),
        ]
        model: dict[bytes, bytes] = {}
        for puts, deletes in history:
            expected = sorted(model.items())
            snapshots = [store.iterate() for store in stores]
            for store in stores:
                store.write_batch(puts, deletes)
            model = {key: value for key, value in model.items() if key not in deletes} | puts
            assert [list(rows) for rows in snapshots] == [expected] * 3
            for prefix in prefixes:
                rows = sorted(row for row in model.items() if row[0].startswith(prefix))
                assert [list(store.iterate(prefix)) for store in stores] == [rows] * 3
                assert [store.get(prefix) for store in stores] == [model.get(prefix)] * 3
