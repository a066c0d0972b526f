"""Where Dask is not installed, the error says what to install."""

from __future__ import annotations

import sys

import pytest

from chainstack_sdk.network.cluster import dask_executor
from chainstack_sdk.primitives.errors import UsageError


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"chainstack-sdk\[dask\]"), dask_executor("tcp://127.0.0.1:1"):
        pass
