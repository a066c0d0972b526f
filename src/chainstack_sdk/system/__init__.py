"""A system of chains: side chains in one call, assets that travel between them, and who keeps it going."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.system.assets import AssetRow, AssetTable
    from chainstack_sdk.system.config import SideChainConfig, WorkDemands
    from chainstack_sdk.system.transfers import AssetTransfer, TransferRefunded, TransferStatus
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AssetRow": "assets",
            "AssetTable": "assets",
            "AssetTransfer": "transfers",
            "SideChainConfig": "config",
            "TransferRefunded": "transfers",
            "TransferStatus": "transfers",
            "WorkDemands": "config",
        },
    )

__all__ = [
    "AssetRow",
    "AssetTable",
    "AssetTransfer",
    "SideChainConfig",
    "TransferRefunded",
    "TransferStatus",
    "WorkDemands",
]
