"""Machines that come with the library, each deployed by one transaction with its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.machines.standard.data_task import DataTask
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "DataTask": "data_task",
        },
    )

__all__ = [
    "DataTask",
]
