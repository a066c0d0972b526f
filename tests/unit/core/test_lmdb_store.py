"""What only the LMDB store has: a map that grows, a limit on keys, a package to install."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from chainstack_sdk.core.store import LmdbStore
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_map_grows(tmp_path: Path) -> None:
    with LmdbStore(tmp_path / "chain.db", map_size=1 << 16) as store:
        for number in range(20):
            store.write_batch({bytes([number]): bytes([number]) * 50_000})
        assert [len(value) for _, value in store.iterate()] == [50_000] * 20
    with LmdbStore(tmp_path / "chain.db", map_size=1 << 16) as store:
        store.write_batch({b"big": bytes(3_000_000)}, deletes=[b"\x00"])
        assert store.get(b"\x00") is None
        assert store.get(b"\x13") == b"\x13" * 50_000
        assert store.get(b"big") == bytes(3_000_000)


def test_iterators_survive_the_growth(tmp_path: Path) -> None:
    before = {bytes([number]): bytes([number]) * 300 for number in range(50)}
    with LmdbStore(tmp_path / "chain.db", map_size=1 << 17) as store:
        store.write_batch(before)
        unread, started, finished = store.iterate(), store.iterate(), store.iterate(b"\x07")
        rows = [next(started)]
        assert len(list(finished)) == 1
        store.write_batch({bytes([number]): bytes(100_000) for number in range(50)})
        assert list(unread) == sorted(before.items())
        assert [*rows, *started] == sorted(before.items())
        assert list(finished) == []


@pytest.mark.parametrize("key", [b"", b"k" * 512])
def test_the_limits_of_keys(key: bytes, tmp_path: Path) -> None:
    with LmdbStore(tmp_path / "chain.db") as store:
        store.write_batch({b"old": b"0", b"k" * 511: b"1"})
        with pytest.raises(UsageError, match="1 to 511") as caught:
            store.write_batch({b"new": b"1", key: b"2"}, deletes=[b"old"])
        assert caught.value.limit == 511
        assert list(store.iterate()) == [(b"k" * 511, b"1"), (b"old", b"0")]
        assert list(store.iterate(b"k" * 512)) == []


@pytest.mark.parametrize("map_size", [0, -1])
def test_an_impossible_map_size(map_size: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="map size"):
        LmdbStore(tmp_path / "chain.db", map_size=map_size)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(UsageError, match=r"chainstack-sdk\[lmdb\]") as caught:
        LmdbStore(tmp_path / "chain.db")
    assert caught.value.extra == "lmdb"
    assert list(tmp_path.iterdir()) == []
